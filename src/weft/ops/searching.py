"""Taking elements by their positions, and finding positions by elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import AxisError, DTypeError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.op import tensor_like
from weft.ops.indexing import gather_op, one_hot_op, take_along_op
from weft.ops.rules import broadcast_shapes, normalize_axis
from weft.ops.shape import broadcast_to_op
from weft.ops.subscript import check_positions


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The slices of ``x`` along ``axis`` at the positions ``indices``.

    >>> import weft as wf
    >>> wf.take(wf.tensor([10, 20, 30]), wf.tensor([2, 0])).tolist()
    [30, 10]
    """
    x, indices = tensor_like(x), tensor_like(indices)
    if axis is None and x.ndim != 1:
        raise ShapeError(f"take from a tensor of shape {x.shape} without axis", cure="axis=0")
    at = normalize_axis(axis or 0, x.ndim)
    check_positions(indices, x.shape[at], at)
    return gather_op(x, indices, pattern=tuple(a == at for a in range(x.ndim)))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """For each position of ``indices``, the element of ``x`` there with that index along ``axis``.

    >>> import weft as wf
    >>> x = wf.tensor([[3, 1, 2]])
    >>> wf.take_along_axis(x, wf.argsort(x)).tolist()
    [[1, 2, 3]]
    """
    x, indices = tensor_like(x), tensor_like(indices)
    if x.ndim != indices.ndim:
        raise ShapeError(f"take_along_axis: {x.ndim} axes and indices with {indices.ndim}", expected="equally many")
    at = normalize_axis(axis, x.ndim)
    shape = broadcast_shapes(*((*t.shape[:at], 1, *t.shape[at + 1 :]) for t in (x, indices)))
    check_positions(indices, x.shape[at], at)
    return take_along_op(
        broadcast_to_op(x, shape=(*shape[:at], x.shape[at], *shape[at + 1 :])),
        broadcast_to_op(indices, shape=(*shape[:at], indices.shape[at], *shape[at + 1 :])),
        axis=at,
    )


def one_hot(x: Any, classes: int, dtype: Any = "float32") -> Any:
    """A new last axis with 1 at the position that each element of ``x`` names and 0 elsewhere.

    A number that names no position is refused where it is known, and stands for zeros where it is still to be computed.

    >>> import weft as wf
    >>> wf.one_hot(wf.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    x = tensor_like(x)
    if not x.dtype.is_integer:
        raise DTypeError(f"one_hot of a {x.dtype.name} tensor", expected="integers", cure="x.astype(wf.int64)")
    known = x.node.data
    if type(known) is np.ndarray and known.size and not 0 <= known.min() <= known.max() < classes:
        worst = known.min() if known.min() < 0 else known.max()
        raise AxisError(
            f"one_hot of {worst} among {classes} classes",
            expected=f"0 ≤ number < {classes}",
            cure=f"wf.one_hot(x, {worst + 1})" if worst >= classes else None,
        )
    return one_hot_op(x, classes=classes, dtype=data_type(dtype))


def nonzero(x: Any, /) -> tuple[Any, ...]:
    """For each axis the positions of the elements that are not zero; needs their values.

    >>> import weft as wf
    >>> [t.tolist() for t in wf.nonzero(wf.tensor([[0, 5], [7, 0]]))]
    [[0, 1], [1, 0]]
    """
    x = tensor_like(x)
    if x.ndim == 0:
        raise ShapeError("nonzero of a tensor without axes", expected="at least one axis", cure="wf.reshape(x, (1,))")
    return tuple(tensor_like(found.astype(np.int64)) for found in np.nonzero(x.numpy()))
