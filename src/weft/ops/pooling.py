"""Pooling: the maximum or the mean of each window.

A window over several axes is a window over the last, then one over the axis before, and so on, so that every op
here pools one axis. Of equal elements the first in row-major order is the maximum and gets the whole gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import inf, prod
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype, float32
from weft.graph.lowering import lowering
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.creation import full_op
from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes, window_count
from weft.ops.rules import refusing

Pair = tuple[int, int]


def _pooled(x: Spec, *_: Spec, axis: int, window: int, stride: int, padding: Pair) -> Spec:
    count = window_count(x.shape[axis], window=window, stride=stride, padding=padding)
    if count < 1:
        raise ShapeError(
            f"a pooling window of {window} does not fit axis {axis} of shape {x.shape} padded by {padding}",
            expected="an axis at least as long as the window",
            cure="a smaller window, or fewer poolings before this one",
        )
    return Spec((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)


def _slices(x: Any, fill: Any, *, axis: int, window: int, stride: int, padding: Pair) -> list[Any]:
    """For each position within the window, the elements that all windows have there."""
    if padding != (0, 0):
        x = lax.pad(x, jnp.asarray(fill, x.dtype), [(*padding, 0) if a == axis else (0, 0, 0) for a in range(x.ndim)])
    count = window_count(x.shape[axis], window=window, stride=stride, padding=(0, 0))
    reach = (count - 1) * stride + 1
    return [lax.slice_in_dim(x, k, k + reach, stride, axis) for k in range(window)]


def _assemble(parts: list[Any], size: int, *, axis: int, window: int, stride: int, padding: Pair) -> Any:
    """The transpose of `_slices`: every element back at its place in an axis of ``size``, overlaps added."""
    zero = jnp.zeros((), parts[0].dtype)
    if stride == window and padding == (0, 0):  # side by side: a reshape is several times faster than sums
        whole = jnp.stack(parts, axis + 1)
        whole = whole.reshape(*whole.shape[:axis], -1, *whole.shape[axis + 2 :])
        rest = size - whole.shape[axis]
        return lax.pad(whole, zero, [(0, rest if a == axis else 0, 0) for a in range(whole.ndim)]) if rest else whole
    reach = (parts[0].shape[axis] - 1) * stride + 1
    total = None
    for k, part in enumerate(parts):
        before = k - padding[0]
        place = (before, size - before - reach, stride - 1)
        laid = lax.pad(part, zero, [place if a == axis else (0, 0, 0) for a in range(part.ndim)])
        total = laid if total is None else total + laid
    return total


def _channels_last(lower: Callable[..., Any]) -> Callable[..., Any]:
    """On the CPU the channels go last inside: their elements lie together, and convolutions have them so too."""

    def wrapped(*arrays: Any, axis: int, **window: Any) -> Any:
        if lowering.platform != "cpu" or arrays[0].ndim < 4 or axis < 2:
            return lower(*arrays, axis=axis, **window)
        moved = (jnp.moveaxis(a, 1, -1) for a in arrays)
        return jnp.moveaxis(lower(*moved, axis=axis - 1, **window), -1, 1)

    return wrapped


# ── the maximum ─────────────────────────────────────────────────────────────────────────────────────────────


def _fill(x: Any) -> Any:
    """What padding holds, so that it never is the maximum of a window with an element of ``x`` in it."""
    return -inf if dtype(x.dtype).is_floating else jnp.iinfo(x.dtype).min


def _max_lower(x: Any, **window: Any) -> Any:
    return reduce(jnp.maximum, _slices(x, _fill(x), **window))


def _hits(x: Any, **window: Any) -> list[Any]:
    """For each position within the window, where it holds the window's first maximum."""
    slices = _slices(x, _fill(x), **window)
    most = reduce(jnp.maximum, slices)
    free, hits = None, []
    for part in slices:
        hit = part == most if free is None else (part == most) & free
        free = ~hit if free is None else free & ~hit
        hits.append(hit)
    return hits


def _unpool_lower(g: Any, x: Any, **window: Any) -> Any:
    zero = jnp.zeros((), g.dtype)
    return _assemble([jnp.where(hit, g, zero) for hit in _hits(x, **window)], x.shape[window["axis"]], **window)


def _choose_lower(c: Any, x: Any, **window: Any) -> Any:
    chosen = jnp.zeros((), c.dtype)
    for hit, part in zip(_hits(x, **window), _slices(c, 0, **window), strict=True):
        chosen = jnp.where(hit, part, chosen)
    return chosen


_ordered = refusing("bool", "complex", rule=_pooled)
max_pool_op: Op = Op(
    "max_pool",
    shape=_ordered,
    lower=_channels_last(_max_lower),
    vjp=lambda g, y, x, **window: (max_unpool_op(g, x, **window),),
)
max_unpool_op: Op = Op(  # zeros like x with g where the maximum of each window of x is
    "max_unpool",
    shape=refusing("bool", "complex", rule=lambda g, x, **_: x),
    lower=_channels_last(_unpool_lower),
    vjp=lambda c, y, g, x, **window: (max_choose_op(c, x, **window), None),
)
max_choose_op: Op = Op(  # the elements of c where the maximum of each window of x is
    "max_choose",
    shape=_ordered,
    lower=_channels_last(_choose_lower),
    vjp=lambda g, y, c, x, **window: (max_unpool_op(g, x, **window), None),
)

# ── the sum, from which the mean is made ────────────────────────────────────────────────────────────────────


def _sum_lower(x: Any, **window: Any) -> Any:
    return reduce(jnp.add, _slices(x, 0, **window))


def _unsum_lower(g: Any, *, size: int, window: int, **place: Any) -> Any:
    return _assemble([g] * window, size, window=window, **place)


sum_pool_op: Op = Op(
    "sum_pool",
    shape=_pooled,
    lower=_channels_last(_sum_lower),
    vjp=lambda g, y, x, **window: (sum_unpool_op(g, size=x.shape[window["axis"]], **window),),
)
sum_unpool_op: Op = Op(  # the transpose of sum_pool: g spread over the elements that were summed
    "sum_unpool",
    shape=lambda g, *, size, axis, **_: Spec((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype),
    lower=_channels_last(_unsum_lower),
    vjp=lambda c, y, g, *, size, **window: (sum_pool_op(c, **window),),
)

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def max_pool(x: Any, /, *, window: Sizes, stride: Sizes | None = None, padding: Padding | None = None) -> Any:
    """The largest element of each window over the last ``len(window)`` axes; padding never is the largest.

    Windows start ``stride`` apart, by default side by side. Of equal elements the first takes the gradient.

    >>> import weft as wf
    >>> from weft.ops.pooling import max_pool
    >>> max_pool(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[5.0, 3.0]]
    """
    return _over_axes(max_pool_op, x, *_checked(x, window, stride, padding))


def average_pool(
    x: Any,
    /,
    *,
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding | None = None,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window over the last ``len(window)`` axes.

    The zeros of the padding count as elements unless ``count_include_pad`` is False.

    >>> import weft as wf
    >>> from weft.ops.pooling import average_pool
    >>> average_pool(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[3.0, 2.5]]
    """
    sizes, strides, pads = _checked(x, window, stride, padding)
    x = x if x.dtype.is_differentiable else x.astype(float32)
    total = _over_axes(sum_pool_op, x, sizes, strides, pads)
    if count_include_pad or not any(map(any, pads)):
        return total * (1 / prod(sizes))
    ones = full_op(1, shape=x.shape[x.ndim - len(sizes) :], dtype=x.dtype)
    return total / _over_axes(sum_pool_op, ones, sizes, strides, pads)


def _over_axes(op: Op, x: Any, window: Sizes, stride: Sizes, padding: Padding) -> Any:
    for back, (size, step, pads) in enumerate(zip(window[::-1], stride[::-1], padding[::-1], strict=True), 1):
        x = op(x, axis=x.ndim - back, window=size, stride=step, padding=pads)
    return x


def _checked(x: Any, window: Sizes, stride: Sizes | None, padding: Padding | None) -> tuple[Sizes, Sizes, Padding]:
    strides = window if stride is None else stride
    pads = ((0, 0),) * len(window) if padding is None else padding
    given = f"pooling of shape {x.shape} with window={window}, stride={strides}, padding={pads}"
    if not 1 <= len(window) == len(strides) == len(pads) <= x.ndim:
        raise ArgumentError(given, expected="one entry for each axis that is pooled, which are the last ones")
    if min(*window, *strides) < 1 or not all(0 <= p < n for n, pair in zip(window, pads, strict=True) for p in pair):
        raise ArgumentError(given, expected="window and stride of at least 1, padding smaller than the window")
    return window, strides, pads
