"""NumPy's further ways to arrange: stacking by direction, at least so many axes, uneven pieces, quarter turns."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import tensor_like
from weft.ops.assembling import concat, split
from weft.ops.manipulation import expand_dims, flip, swapaxes
from weft.ops.padding import pad
from weft.ops.rules import normalize_axes, normalize_axis
from weft.ops.shape import reshape_op


def atleast_1d(x: Any, /) -> Any:
    """``x``, a scalar as a vector of one element.

    >>> import weft as wf
    >>> from weft.ops.joining import atleast_1d
    >>> atleast_1d(wf.tensor(3)).tolist()
    [3]
    """
    x = tensor_like(x)
    return x if x.ndim else reshape_op(x, shape=(1,))


def atleast_2d(x: Any, /) -> Any:
    """``x``, a vector as one row.

    >>> import weft as wf
    >>> from weft.ops.joining import atleast_2d
    >>> atleast_2d(wf.tensor([1, 2])).shape
    (1, 2)
    """
    x = atleast_1d(x)
    return x if x.ndim > 1 else expand_dims(x, axis=0)


def atleast_3d(x: Any, /) -> Any:
    """``x``, a matrix with a last axis of size 1, a vector with one on both sides.

    >>> import weft as wf
    >>> from weft.ops.joining import atleast_3d
    >>> atleast_3d(wf.tensor([1, 2])).shape
    (1, 2, 1)
    """
    x = atleast_2d(x)
    return x if x.ndim > 2 else expand_dims(x, axis=-1)


def hstack(arrays: Sequence[Any], /) -> Any:
    """The tensors side by side: joined along the second axis, vectors along their only one.

    >>> import weft as wf
    >>> from weft.ops.joining import hstack
    >>> hstack([wf.ones((2, 1)), wf.zeros((2, 3))]).shape
    (2, 4)
    """
    tensors = [atleast_1d(x) for x in arrays]
    return concat(tensors, axis=0 if tensors and tensors[0].ndim == 1 else 1)


def vstack(arrays: Sequence[Any], /) -> Any:
    """The tensors below each other: joined along the first axis, vectors as rows.

    >>> import weft as wf
    >>> from weft.ops.joining import vstack
    >>> vstack([wf.tensor([1, 2]), wf.tensor([3, 4])]).tolist()
    [[1, 2], [3, 4]]
    """
    return concat([atleast_2d(x) for x in arrays], axis=0)


def dstack(arrays: Sequence[Any], /) -> Any:
    """The tensors behind each other: joined along the third axis.

    >>> import weft as wf
    >>> from weft.ops.joining import dstack
    >>> dstack([wf.tensor([1, 2]), wf.tensor([3, 4])]).tolist()
    [[[1, 3], [2, 4]]]
    """
    return concat([atleast_3d(x) for x in arrays], axis=2)


def column_stack(arrays: Sequence[Any], /) -> Any:
    """Vectors as the columns of a matrix, joined with the columns of matrices.

    >>> import weft as wf
    >>> from weft.ops.joining import column_stack
    >>> column_stack([wf.tensor([1, 2]), wf.tensor([3, 4])]).tolist()
    [[1, 3], [2, 4]]
    """
    tensors = [tensor_like(x) for x in arrays]
    return concat([x if x.ndim > 1 else reshape_op(x, shape=(-1, 1)) for x in tensors], axis=1)


def array_split(x: Any, parts: int | Sequence[int], /, *, axis: int = 0) -> tuple[Any, ...]:
    """``x`` cut into ``parts`` pieces of nearly equal size, or at the positions ``parts``.

    >>> import weft as wf
    >>> from weft.ops.joining import array_split
    >>> [t.tolist() for t in array_split(wf.arange(5), 2)], [t.tolist() for t in array_split(wf.arange(4), [1, 1])]
    ([[0, 1, 2], [3, 4]], [[0], [], [1, 2, 3]])
    """
    x = tensor_like(x)
    at = normalize_axis(axis, x.ndim)
    n = x.shape[at]
    if isinstance(parts, int):
        if parts < 1:
            raise ArgumentError(f"array_split into {parts} pieces", expected="1 or more")
        sizes = tuple(n // parts + (k < n % parts) for k in range(parts))
        return split(x, sizes, axis=at)
    cuts = [slice(None, index(k)).indices(n)[1] for k in parts]
    pairs = list(zip([0, *cuts], [*cuts, n], strict=True))
    key = (slice(None),) * at
    return tuple(x[(*key, slice(start, max(start, stop)))] for start, stop in pairs)


def rot90(x: Any, /, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """``x`` turned by ``k`` quarter turns from the first of ``axes`` towards the second.

    >>> import weft as wf
    >>> from weft.ops.joining import rot90
    >>> rot90(wf.tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    x = tensor_like(x)
    if len(axes) != 2:
        raise ArgumentError(f"rot90 with axes={axes}", expected="two axes")
    first, second = normalize_axes(tuple(axes), x.ndim)
    match index(k) % 4:
        case 0:
            return x
        case 1:
            return swapaxes(flip(x, axis=second), first, second)
        case 2:
            return flip(x, axis=(first, second))
    return flip(swapaxes(x, first, second), axis=second)


def kron(x1: Any, x2: Any, /) -> Any:
    """The Kronecker product: every element of ``x1`` times the whole of ``x2``, laid out in blocks.

    >>> import weft as wf
    >>> from weft.ops.joining import kron
    >>> kron(wf.tensor([1, 10]), wf.tensor([1, 2])).tolist()
    [1, 2, 10, 20]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    rank = max(a.ndim, b.ndim)
    left, right = ((1,) * (rank - x.ndim) + x.shape for x in (a, b))
    outer = reshape_op(a, shape=tuple(size for n in left for size in (n, 1))) * reshape_op(
        b, shape=tuple(size for n in right for size in (1, n))
    )
    return reshape_op(outer, shape=tuple(n * m for n, m in zip(left, right, strict=True)))


def block_diag(*arrays: Any) -> Any:
    """The matrices along the diagonal of a larger one that is 0 elsewhere; vectors count as rows.

    >>> import weft as wf
    >>> from weft.ops.joining import block_diag
    >>> block_diag(wf.tensor([[1]]), wf.tensor([2, 3])).tolist()
    [[1, 0, 0], [0, 2, 3]]
    """
    blocks = [atleast_2d(x) for x in arrays]
    if wrong := [x.shape for x in blocks if x.ndim > 2]:
        raise ShapeError(f"block_diag of a tensor of shape {wrong[0]}", expected="at most two axes")
    if not blocks:
        raise ArgumentError("block_diag of no matrices", expected="at least one")
    columns = np.cumsum([0, *(x.shape[1] for x in blocks)]).tolist()
    rows = [pad(x, ((0, 0), (columns[k], columns[-1] - columns[k + 1]))) for k, x in enumerate(blocks)]
    return concat(rows, axis=0)
