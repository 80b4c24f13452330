"""Tensors joined, cut and repeated."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.op import tensor_like
from weft.ops.manipulation import broadcast_arrays, expand_dims, flatten, sizes, squeeze
from weft.ops.rules import normalize_axis
from weft.ops.shape import broadcast_to_op, concat_op, reshape_op, slice_op


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """The tensors joined along the existing axis ``axis``; None flattens them first.

    >>> import weft as wf
    >>> wf.concat([wf.zeros((2, 3)), wf.ones((1, 3))]).shape
    (3, 3)
    """
    tensors = [tensor_like(x) for x in arrays]
    if not tensors:
        raise ArgumentError("concat of no tensors", expected="at least one")
    if axis is None:
        return concat_op(*(reshape_op(x, shape=(-1,)) for x in tensors), axis=0)
    return concat_op(*tensors, axis=normalize_axis(axis, tensors[0].ndim))


def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """The tensors, all of one shape, joined along a new axis.

    >>> import weft as wf
    >>> wf.stack([wf.zeros(3), wf.ones(3)], axis=1).shape
    (3, 2)
    """
    tensors = [tensor_like(x) for x in arrays]
    if len({x.shape for x in tensors}) != 1:
        raise ShapeError(
            f"stack of shapes {[x.shape for x in tensors]}", expected="one shape for all, and at least one"
        )
    at = normalize_axis(axis, tensors[0].ndim + 1)
    return concat_op(*(expand_dims(x, axis=at) for x in tensors), axis=at)


def split(x: Any, /, parts: int | tuple[int, ...], *, axis: int = 0) -> tuple[Any, ...]:
    """``x`` cut along ``axis`` into ``parts`` pieces of equal size, or into pieces of the sizes ``parts``.

    >>> import weft as wf
    >>> [t.tolist() for t in wf.split(wf.arange(4), 2)], [t.shape for t in wf.split(wf.arange(4), (1, 3))]
    ([[0, 1], [2, 3]], [(1,), (3,)])
    """
    x = tensor_like(x)
    at = normalize_axis(axis, x.ndim)
    n = x.shape[at]
    if isinstance(parts, tuple | list):
        lengths = sizes(parts)
    else:
        lengths = (n // parts,) * parts if parts > 0 and n % parts == 0 else (-1,)
    if sum(lengths) != n or min(lengths, default=0) < 0:
        raise ShapeError(
            f"axis {at} of size {n} does not split into {parts} parts",
            expected="a number that divides it, or sizes that add up to it",
        )
    ends = np.cumsum(lengths).tolist()

    def part(start: int, stop: int) -> Any:
        return slice_op(x, bounds=tuple((start, stop, 1) if a == at else (0, m, 1) for a, m in enumerate(x.shape)))

    return tuple(part(end - size, end) for end, size in zip(ends, lengths, strict=True))


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of ``x`` along ``axis``, without that axis.

    >>> import weft as wf
    >>> [t.tolist() for t in wf.unstack(wf.tensor([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    x = tensor_like(x)
    at = normalize_axis(axis, x.ndim)
    return tuple(squeeze(part, at) for part in split(x, (1,) * x.shape[at], axis=at))


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """``x`` with each element repeated ``repeats`` times along ``axis``; a tensor of repeats is realised.

    >>> import weft as wf
    >>> wf.repeat(wf.tensor([1, 2]), 2).tolist(), wf.repeat(wf.tensor([1, 2]), wf.tensor([1, 2])).tolist()
    ([1, 1, 2, 2], [1, 2, 2])
    """
    x = tensor_like(x)
    if axis is None:
        return repeat(reshape_op(x, shape=(-1,)), repeats, axis=0)
    at = normalize_axis(axis, x.ndim)
    if not isinstance(repeats, int):
        return _repeat_each(x, tensor_like(repeats), at)
    if repeats < 0:
        raise ArgumentError(f"repeat {repeats} times", expected="0 or more")
    wide = broadcast_to_op(expand_dims(x, axis=at + 1), shape=(*x.shape[: at + 1], repeats, *x.shape[at + 1 :]))
    return flatten(wide, at, at + 1)


def _repeat_each(x: Any, repeats: Any, axis: int) -> Any:
    from weft.ops.searching import take

    counts = repeats.numpy()
    if counts.dtype.kind not in "iu":
        raise DTypeError(f"repeats of type {repeats.dtype.name}", expected="integers")
    if counts.ndim > 1 or (counts.size not in (1, x.shape[axis])) or (counts < 0).any():
        raise ArgumentError(
            f"repeats of shape {counts.shape} for axis {axis} of size {x.shape[axis]}",
            expected="one number, or one that is not negative for each element along the axis",
        )
    return take(x, tensor_like(np.repeat(np.arange(x.shape[axis]), counts)), axis=axis)


def tile(x: Any, repetitions: tuple[int, ...], /) -> Any:
    """``x`` repeated as a whole ``repetitions`` times along each axis.

    >>> import weft as wf
    >>> wf.tile(wf.tensor([1, 2]), (2,)).tolist()
    [1, 2, 1, 2]
    """
    x, given = tensor_like(x), sizes(repetitions)
    rank = max(x.ndim, len(given))
    times, shape = (1,) * (rank - len(given)) + given, (1,) * (rank - x.ndim) + x.shape
    pairs = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
    wide = broadcast_to_op(reshape_op(x, shape=tuple(size for n in shape for size in (1, n))), shape=pairs)
    return reshape_op(wide, shape=tuple(t * n for t, n in zip(times, shape, strict=True)))


def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Any, ...]:
    """Coordinate tensors of the grid over one-axis tensors: "xy" for pictures, "ij" for matrices.

    >>> import weft as wf
    >>> [t.shape for t in wf.meshgrid(wf.arange(3), wf.arange(2))]
    [(2, 3), (2, 3)]
    """
    tensors = [tensor_like(x) for x in arrays]
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid with indexing={indexing!r}", expected='"xy" or "ij"')
    if wrong := [x.shape for x in tensors if x.ndim > 1]:
        raise ShapeError(f"meshgrid of a tensor of shape {wrong[0]}", expected="tensors with one axis")
    rank = len(tensors)
    order = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    lines = [reshape_op(x, shape=tuple(-1 if a == order[k] else 1 for a in range(rank))) for k, x in enumerate(tensors)]
    return broadcast_arrays(*lines)
