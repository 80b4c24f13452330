"""Arranging tensors: other shapes, other orders, joined and cut."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import tensor_like
from weft.ops.rules import Axes, broadcast_shapes, normalize_axes, normalize_axis, whole
from weft.ops.shape import broadcast_to_op, flip_op, permute_op, reshape_op, roll_op

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
