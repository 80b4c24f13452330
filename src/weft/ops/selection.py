"""Selection by order: the k largest, the k-th smallest, the most frequent, and extremes so far.

What is chosen is decided by positions, which have no gradient; the values are then taken from these positions, so
that their gradient goes there. NaN counts as larger than every number.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any, NamedTuple

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype, int64
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.comparison import not_equal
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.engine import jnp, lax
from weft.ops.indexing import take_along_op
from weft.ops.reduction import argmax_op
from weft.ops.rules import normalize_axis, refusing
from weft.ops.running import extreme_so_far_op, running_max_op
from weft.ops.shape import reshape_op, slice_op, unslice_op
from weft.ops.sorting import argsort_op

_ordered = refusing("complex", rule=lambda x, **_: x)


class Selection(NamedTuple):
    """What was chosen, and where it was along the axis."""

    values: Any
    indices: Any


# ── the k largest ───────────────────────────────────────────────────────────────────────────────────────────


def _top(x: Spec, *, axis: int, k: int, largest: bool) -> Spec:
    return Spec((*_ordered(x).shape[:axis], k, *x.shape[axis + 1 :]), int64)


def _top_lower(x: Any, *, axis: int, k: int, largest: bool) -> Any:
    if dtype(x.dtype).is_floating:
        x = jnp.where(jnp.isnan(x), jnp.asarray(math.nan, x.dtype), x)  # one whose sign bit is set would be the least
        key = x if largest else -x
    else:
        x = x.astype("uint8") if dtype(x.dtype).kind == "bool" else x
        key = x if largest else ~x  # which turns the order of whole numbers around, without overflow
    found = lax.top_k(jnp.moveaxis(key, axis, -1), k)[1]
    return jnp.moveaxis(found, -1, axis).astype("int64")


top_positions_op = Op("top_positions", shape=_top, lower=_top_lower)


def topk(x: Any, k: int, /, *, axis: int = -1, largest: bool = True, sorted: bool = True) -> Selection:
    """The ``k`` largest (or smallest) elements along ``axis`` in order, and their positions; of equal ones the first.

    They come in order whether or not ``sorted`` asks for it.

    >>> import weft as wf
    >>> from weft.ops.selection import topk
    >>> values, indices = topk(wf.tensor([3.0, 1.0, 4.0, 1.0]), 2)
    >>> values.tolist(), indices.tolist()
    ([4.0, 3.0], [2, 0])
    """
    x, at = _along("topk", x, axis)
    if not 0 <= index(k) <= x.shape[at]:
        raise ArgumentError(
            f"topk with k={k} along axis {at} of shape {x.shape}", expected=f"0 ≤ k ≤ {x.shape[at]}, its size"
        )
    return _chosen(x, top_positions_op(x, axis=at, k=index(k), largest=largest), at)


def _along(name: str, x: Any, axis: int, least: int = 0) -> tuple[Any, int]:
    """``x`` as a tensor with at least one axis, and the axis counted from the front."""
    x = tensor_like(x)
    if x.ndim == 0:
        raise ShapeError(f"{name} of a tensor without axes", expected="at least one axis", cure="wf.reshape(x, (1,))")
    at = normalize_axis(axis, x.ndim)
    if x.shape[at] < least:
        raise ShapeError(f"{name} of no elements: shape {x.shape} along axis {at}", expected="at least one element")
    return x, at


def _chosen(x: Any, positions: Any, axis: int) -> Selection:
    return Selection(take_along_op(x, positions, axis=axis), positions)


def _without(chosen: Selection, axis: int, keepdims: bool) -> Selection:
    """A selection of one element, without its axis unless that is kept."""
    if keepdims:
        return chosen
    shape = chosen.indices.shape
    return Selection(*(reshape_op(t, shape=(*shape[:axis], *shape[axis + 1 :])) for t in chosen))


# ── one by its rank or its frequency ────────────────────────────────────────────────────────────────────────


def _part(x: Any, axis: int, first: int, stop: int) -> Any:
    return slice_op(x, bounds=tuple((first, stop, 1) if a == axis else (0, n, 1) for a, n in enumerate(x.shape)))


def kthvalue(x: Any, k: int, /, *, axis: int = -1, keepdims: bool = False) -> Selection:
    """The ``k``-th smallest element along ``axis``, counted from 1, and its position.

    >>> import weft as wf
    >>> from weft.ops.selection import kthvalue
    >>> kthvalue(wf.tensor([3.0, 1.0, 4.0]), 2).values.item()
    3.0
    """
    x, at = _along("kthvalue", x, axis, least=1)
    if not 1 <= index(k) <= x.shape[at]:
        raise ArgumentError(
            f"kthvalue with k={k} along axis {at} of shape {x.shape}", expected=f"1 ≤ k ≤ {x.shape[at]}, its size"
        )
    order = argsort_op(x, axis=at, descending=False)
    return _without(_chosen(x, _part(order, at, index(k) - 1, index(k)), at), at, keepdims)


def mode(x: Any, /, *, axis: int = -1, keepdims: bool = False) -> Selection:
    """The most frequent element along ``axis``, the smallest of several, and the position of its last occurrence.

    >>> import weft as wf
    >>> from weft.ops.selection import mode
    >>> [t.item() for t in mode(wf.tensor([3, 1, 3, 2]))]
    [3, 2]
    """
    x, at = _along("mode", x, axis, least=1)
    order = argsort_op(x, axis=at, descending=False)
    row = take_along_op(x, order, axis=at)
    # In order, equal elements are runs: the longest ends where the distance from a run's first element is largest.
    differs = not_equal(_part(row, at, 1, x.shape[at]), _part(row, at, 0, x.shape[at] - 1))
    later = tuple((1 if a == at else 0, n, 1) for a, n in enumerate(x.shape))
    number = iota_op(shape=x.shape, axis=at, dtype=int64)
    first = running_max_op(unslice_op(cast(differs, dtype=int64), bounds=later, shape=x.shape) * number, axis=at)
    end = argmax_op(number - first, axis=at, keepdims=True)
    return _without(_chosen(x, take_along_op(order, end, axis=at), at), at, keepdims)


# ── extremes so far ─────────────────────────────────────────────────────────────────────────────────────────


def cummax(x: Any, /, *, axis: int = -1) -> Selection:
    """The largest element up to each place along ``axis``, and its position; of equal ones the last.

    >>> import weft as wf
    >>> from weft.ops.selection import cummax
    >>> [t.tolist() for t in cummax(wf.tensor([1, 3, 2, 5]))]
    [[1, 3, 3, 5], [0, 1, 1, 3]]
    """
    x, at = _along("cummax", x, axis)
    return _chosen(x, extreme_so_far_op(x, axis=at, largest=True), at)


def cummin(x: Any, /, *, axis: int = -1) -> Selection:
    """The smallest element up to each place along ``axis``, and its position; of equal ones the last.

    >>> import weft as wf
    >>> from weft.ops.selection import cummin
    >>> [t.tolist() for t in cummin(wf.tensor([4, 2, 3, 2]))]
    [[4, 2, 2, 2], [0, 1, 1, 3]]
    """
    x, at = _along("cummin", x, axis)
    return _chosen(x, extreme_so_far_op(x, axis=at, largest=False), at)
