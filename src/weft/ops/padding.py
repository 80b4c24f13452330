"""Tensors with something around them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError
from weft.graph.op import tensor_like
from weft.ops.rules import whole
from weft.ops.shape import broadcast_to_op, concat_op, flip_op, pad_op, slice_op


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
