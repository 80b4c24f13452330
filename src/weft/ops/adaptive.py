"""The maximum over windows whose places differ: as many windows as are wanted, or windows at random places.

Of equal elements the first is the maximum and gets the whole gradient. Unequal windows are made equally long by
their last element again, which changes no maximum.
"""

from __future__ import annotations

from typing import Any

from weft.graph.dtype import DType, int64
from weft.ops.arithmetic import minimum
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.indexing import take_along_op
from weft.ops.interpolation import area_weights, mix_op
from weft.ops.manipulation import moveaxis
from weft.ops.patches import Sizes
from weft.ops.reduction import argmax_op, mean_op
from weft.ops.rules import broadcast_shapes
from weft.ops.shape import broadcast_to_op, reshape_op

# ── the maximum ─────────────────────────────────────────────────────────────────────────────────────────────


def _line(n: int, dtype: DType = int64) -> Any:
    return iota_op(shape=(n,), axis=0, dtype=dtype)


def even_windows(n: int, count: int) -> Any:
    """The positions of the elements (columns) of ``count`` windows (rows) that fill an axis of ``n``."""
    longest = max(-(-(i + 1) * n // count) - i * n // count for i in range(count))
    number = reshape_op(_line(count), shape=(count, 1))
    start, stop = number * n // count, -(-(number + 1) * n // count)
    return minimum(start + _line(longest), stop - 1)


def random_windows(sample: Any, n: int, count: int, window: int) -> Any:
    """The positions of the elements of ``count`` windows whose places ``sample`` in [0, 1) decides: Graham 2014."""
    gap = (n - window) / (count - 1) if count > 1 else 0.0
    u = reshape_op(sample, shape=(*sample.shape, 1))
    places = cast((_line(count, sample.dtype) + u) * gap, dtype=int64) - cast(u * gap, dtype=int64)
    # The last window ends where the axis does.
    places = places + cast(_line(count) == count - 1, dtype=int64) * ((n - window) - places)
    return reshape_op(places, shape=(*places.shape, 1)) + _line(window)


def max_over(x: Any, windows: tuple[Any, ...]) -> tuple[Any, Any]:
    """The maxima of ``x`` over windows along its last axes, and where in these axes, flattened, they are.

    For each of the last axes, ``windows`` has positions (…, count, length), alike for all leading axes of ``x`` or
    one set for each place along the first of them.
    """
    found: Any = None
    below = 1
    for back, at in enumerate(reversed(windows), 1):
        axis, size = x.ndim - back, x.shape[x.ndim - back]
        line = _first_maximum(x, at, axis)
        chosen = line if found is None else line * below + take_along_op(found, line, axis=axis)
        x, found, below = take_along_op(x, line, axis=axis), chosen, below * size
    return x, found


def _first_maximum(x: Any, at: Any, axis: int) -> Any:
    """For each window along ``axis`` the position of its first maximum."""
    last = moveaxis(x, axis, -1)
    lead, (count, length) = last.shape[:-1], at.shape[-2:]
    shape = (*at.shape[:-2], *(1,) * (len(lead) - at.ndim + 2))
    flat = reshape_op(at, shape=(*shape, count * length))
    flat = broadcast_to_op(flat, shape=(*broadcast_shapes(lead, shape), count * length))
    seen = reshape_op(take_along_op(last, flat, axis=last.ndim - 1), shape=(*lead, count, length))
    which = argmax_op(seen, axis=seen.ndim - 1, keepdims=True)
    places = take_along_op(reshape_op(flat, shape=seen.shape), which, axis=seen.ndim - 1)
    return moveaxis(reshape_op(places, shape=(*lead, count)), -1, axis)


# ── the mean ────────────────────────────────────────────────────────────────────────────────────────────────


def even_means(x: Any, counts: Sizes) -> Any:
    """The means over as many windows along each of the last axes as ``counts`` says."""
    first = x.ndim - len(counts)
    # The last axis first: it needs no transpose, and makes the array small for the others, which do.
    for axis, count in reversed(list(enumerate(counts, first))):
        if x.shape[axis] % count:
            x = mix_op(x, area_weights(x.shape[axis], count, x.dtype), axis=axis)
    shape, inner = list(x.shape[:first]), []
    for n, count in zip(x.shape[first:], counts, strict=True):
        inner += [len(shape) + 1] if n != count else []
        shape += [count, n // count] if n != count else [n]
    return mean_op(reshape_op(x, shape=tuple(shape)), axis=tuple(inner), keepdims=False) if inner else x
