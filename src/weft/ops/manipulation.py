"""Arranging tensors: other shapes, other orders, joined and cut."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.op import tensor_like
from weft.ops.rules import Axes, broadcast_shapes, normalize_axes, normalize_axis, whole
from weft.ops.shape import broadcast_to_op, concat_op, flip_op, pad_op, permute_op, reshape_op, roll_op, slice_op

# ── another shape ───────────────────────────────────────────────────────────────────────────────────────────


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of whole numbers; one size may stand alone."""
    if isinstance(shape, tuple | list):
        return tuple([n if type(n) is int else whole(n, "a size") for n in shape])
    return (whole(shape, "a size"),)


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The same elements in row-major order with another shape; one size may be -1.

    Tensors never change, so ``copy`` makes no difference.

    >>> import weft as wf
    >>> wf.reshape(wf.arange(6), (2, -1)).shape
    (2, 3)
    """
    return reshape_op(tensor_like(x), shape=sizes(shape))


def flatten(x: Any, /, start: int = 0, stop: int = -1) -> Any:
    """``x`` with the axes from ``start`` to ``stop`` (inclusive) joined into one.

    >>> import weft as wf
    >>> wf.flatten(wf.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    x = tensor_like(x)
    if x.ndim == 0:
        return reshape_op(x, shape=(1,))
    first, last = normalize_axis(start, x.ndim), normalize_axis(stop, x.ndim)
    if first > last:
        raise ArgumentError(f"flatten from axis {first} to axis {last}", expected="start ≤ stop")
    return reshape_op(x, shape=(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def expand_dims(x: Any, /, axis: int | tuple[int, ...] = 0) -> Any:
    """``x`` with a new axis of size 1 at ``axis`` of the result (or at each of several).

    >>> import weft as wf
    >>> wf.expand_dims(wf.zeros(3), axis=-1).shape
    (3, 1)
    """
    x = tensor_like(x)
    rank = x.ndim + (len(axis) if isinstance(axis, tuple | list) else 1)
    new = normalize_axes(axis, rank)
    rest = iter(x.shape)
    return reshape_op(x, shape=tuple(1 if a in new else next(rest) for a in range(rank)))


def squeeze(x: Any, /, axis: Axes = None) -> Any:
    """``x`` without the axes ``axis``, which must have size 1 (by default all that do).

    >>> import weft as wf
    >>> wf.squeeze(wf.zeros((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    x = tensor_like(x)
    named = tuple(k for k, n in enumerate(x.shape) if n == 1) if axis is None else axis
    axes = normalize_axes(named, x.ndim)
    if wrong := [a for a in axes if x.shape[a] != 1]:
        raise ShapeError(f"squeeze of axis {wrong[0]}, which has size {x.shape[wrong[0]]}", expected="size 1")
    return reshape_op(x, shape=tuple(n for k, n in enumerate(x.shape) if k not in axes))


def broadcast_to(x: Any, /, shape: Any) -> Any:
    """``x`` repeated along axes of size 1, and along new leading axes, to ``shape``.

    >>> import weft as wf
    >>> wf.broadcast_to(wf.tensor([1, 2]), (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return broadcast_to_op(tensor_like(x), shape=sizes(shape))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """The tensors, each broadcast to the common shape.

    >>> import weft as wf
    >>> [t.shape for t in wf.broadcast_arrays(wf.zeros((3, 1)), wf.zeros(2))]
    [(3, 2), (3, 2)]
    """
    tensors = [tensor_like(x) for x in arrays]
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(broadcast_to_op(x, shape=shape) for x in tensors)


broadcast_tensors = broadcast_arrays

# ── another order ───────────────────────────────────────────────────────────────────────────────────────────


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """``x`` with its axes in the order ``axes``.

    >>> import weft as wf
    >>> wf.permute_dims(wf.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = tensor_like(x)
    return permute_op(x, axes=tuple(normalize_axis(a, x.ndim) for a in axes))


def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    """``x`` with the axes ``source`` moved to the places ``destination``; the others keep their order.

    >>> import weft as wf
    >>> wf.moveaxis(wf.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = tensor_like(x)
    sources, targets = normalize_axes(source, x.ndim), normalize_axes(destination, x.ndim)
    if len(sources) != len(targets):
        raise ArgumentError(f"moveaxis of {len(sources)} axes to {len(targets)} places", expected="as many of both")
    order = [a for a in range(x.ndim) if a not in sources]
    for target, a in sorted(zip(targets, sources, strict=True)):
        order.insert(target, a)
    return permute_op(x, axes=tuple(order))


def swapaxes(x: Any, first: int, second: int, /) -> Any:
    """``x`` with two axes exchanged.

    >>> import weft as wf
    >>> wf.swapaxes(wf.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = tensor_like(x)
    order = list(range(x.ndim))
    a, b = normalize_axis(first, x.ndim), normalize_axis(second, x.ndim)
    order[a], order[b] = b, a
    return permute_op(x, axes=tuple(order))


def matrix_transpose(x: Any, /) -> Any:
    """``x`` with its last two axes exchanged: rows become columns.

    >>> import weft as wf
    >>> wf.matrix_transpose(wf.tensor([[1, 2], [3, 4]])).tolist()
    [[1, 3], [2, 4]]
    """
    x = tensor_like(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose of a tensor of shape {x.shape}", expected="at least two axes")
    return permute_op(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def flip(x: Any, /, *, axis: Axes = None) -> Any:
    """``x`` with the order of its elements reversed along ``axis`` (by default along all).

    >>> import weft as wf
    >>> wf.flip(wf.tensor([1, 2, 3])).tolist()
    [3, 2, 1]
    """
    x = tensor_like(x)
    return flip_op(x, axis=normalize_axes(axis, x.ndim))


def roll(x: Any, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Any:
    """``x`` shifted along ``axis``; what leaves at one end comes in at the other.

    >>> import weft as wf
    >>> wf.roll(wf.tensor([1, 2, 3, 4]), 1).tolist()
    [4, 1, 2, 3]
    """
    x = tensor_like(x)
    shifts = sizes(shift)
    if axis is None:
        return reshape_op(roll_op(reshape_op(x, shape=(-1,)), shift=(sum(shifts),), axis=(0,)), shape=x.shape)
    axes = tuple(normalize_axis(a, x.ndim) for a in (axis if isinstance(axis, tuple | list) else (axis,)))
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll by {shift} along {axis}", expected="one shift, or one for each axis")
    return roll_op(x, shift=shifts, axis=axes)


# ── joined and cut ──────────────────────────────────────────────────────────────────────────────────────────


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


def pad(x: Any, /, widths: Any, value: float = 0, *, mode: str = "constant") -> Any:
    """``x`` with ``widths`` = ((before, after), …) more elements around each axis; negative widths cut some off.

    ``mode`` says which, in NumPy's words: "constant" (``value``), "edge" (the outermost again), "reflect" (mirrored
    at the outermost), "symmetric" (mirrored with it) or "wrap" (from the other end).

    >>> import weft as wf
    >>> wf.pad(wf.tensor([1, 2]), [(1, 2)]).tolist()
    [0, 1, 2, 0, 0]
    """
    x = tensor_like(x)
    try:
        pairs = tuple((whole(a, "a width"), whole(b, "a width")) for a, b in widths)
    except (TypeError, ValueError):
        raise ArgumentError(f"pad by {widths!r}", expected="((before, after), …), a pair for each axis") from None
    if len(pairs) != x.ndim:
        raise ArgumentError(f"{len(pairs)} pairs of widths for a tensor with {x.ndim} axes", expected="one per axis")
    if any(a + b + n < 0 for (a, b), n in zip(pairs, x.shape, strict=True)):
        raise ArgumentError(f"pad of a tensor of shape {x.shape} by {pairs}", expected="sizes of at least 0")
    if mode != "constant" and mode not in _BEYOND:
        raise ArgumentError(
            f"pad with mode={mode!r}", expected="one of " + ", ".join(map(repr, ("constant", *_BEYOND)))
        )
    more = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
    if mode == "constant":
        x = pad_op(x, value, widths=more)
    else:
        for axis, (before, after) in enumerate(more):
            x = _padded(x, axis, before, after, mode)
    for axis, (before, after) in enumerate(pairs):  # negative widths cut off what is there by then
        x = _slice_axis(x, axis, max(0, -before), x.shape[axis] - max(0, -after))
    return x


# How much of an axis of size n can be laid beyond its ends.
_BEYOND: dict[str, Callable[[int], float]] = {
    "edge": lambda n: math.inf if n else 0,
    "reflect": lambda n: n - 1,
    "symmetric": lambda n: n,
    "wrap": lambda n: n,
}


def _padded(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """``x`` with copies of its own elements at both ends of one axis, made of slices."""
    n = x.shape[axis]
    if max(before, after) > max(0, _BEYOND[mode](n)):
        raise ArgumentError(
            f"pad of axis {axis}, which has size {n}, by {(before, after)} with mode={mode!r}",
            expected=f"at most {max(0, _BEYOND[mode](n))}",
        )
    match mode:
        case "edge":
            ends = [(0, 1), (n - 1, n)]
        case "reflect":
            ends = [(1, 1 + before), (n - 1 - after, n - 1)]
        case "symmetric":
            ends = [(0, before), (n - after, n)]
        case _:
            ends = [(n - before, n), (0, after)]
    parts = [x]
    for size, (start, stop), place in zip((before, after), ends, (0, 2), strict=True):
        if size:
            end = _slice_axis(x, axis, start, stop)
            if mode == "edge":
                end = broadcast_to_op(end, shape=(*x.shape[:axis], size, *x.shape[axis + 1 :]))
            end = flip_op(end, axis=(axis,)) if mode in ("reflect", "symmetric") else end
            parts.insert(place, end)
    return concat_op(*parts, axis=axis) if len(parts) > 1 else x


def _slice_axis(x: Any, axis: int, start: int, stop: int) -> Any:
    if (start, stop) == (0, x.shape[axis]):
        return x
    return slice_op(x, bounds=tuple((start, stop, 1) if a == axis else (0, n, 1) for a, n in enumerate(x.shape)))


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
