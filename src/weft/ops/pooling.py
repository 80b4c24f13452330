"""Pooling: the maximum or the sum of each window.

A window over several axes is a window over the last, then one over the axis before, and so on, so that every op
here pools one axis. Of equal elements the first in row-major order is the maximum and gets the whole gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import inf, prod
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype, float32, int64
from weft.graph.lowering import lowering
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.creation import full_op, iota_op
from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes, window_count
from weft.ops.rules import refusing
from weft.ops.windows import SLICES, Pair, added_windows, assemble, padded, slices, span, windows_of


def _pooled(x: Spec, *_: Spec, axis: int, window: int, stride: int, padding: Pair, dilation: int) -> Spec:
    count = window_count(x.shape[axis], window=span(window, dilation), stride=stride, padding=padding)
    if count < 1:
        raise ShapeError(
            f"a pooling window of {window}, dilated by {dilation}, does not fit axis {axis} of shape {x.shape} "
            f"padded by {padding}",
            expected="an axis at least as long as the window",
            cure="a smaller window, or fewer poolings before this one",
        )
    return Spec((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)


def _channels_last(lower: Callable[..., Any]) -> Callable[..., Any]:
    """On the CPU the channels go last inside: their elements lie together, and convolutions have them so too."""

    def wrapped(*arrays: Any, axis: int, **window: Any) -> Any:
        if lowering.platform != "cpu" or arrays[0].ndim < 4 or axis < 2:
            return lower(*arrays, axis=axis, **window)
        moved = (jnp.moveaxis(a, 1, -1) for a in arrays)
        return jnp.moveaxis(lower(*moved, axis=axis - 1, **window), -1, 1)

    return wrapped


def _slices(x: Any, fill: Any, *, axis: int, padding: Pair, **window: int) -> list[Any]:
    """For each position within the window, the elements that all windows have there."""
    return slices(padded(x, fill, axis, padding), axis=axis, **window)


def _whole(x: Any, fill: Any, *, axis: int, padding: Pair, window: int, stride: int, dilation: int) -> Any:
    """All windows as one array, their elements behind ``axis``: for windows too large to be taken apart."""
    return windows_of(padded(x, fill, axis, padding), axis=axis, size=window, step=stride, dilation=dilation)


def _added(whole: Any, size: int, *, axis: int, padding: Pair, stride: int, dilation: int) -> Any:
    """The transpose of `_whole`."""
    laid = added_windows(whole, axis=axis, length=size + sum(padding), step=stride, dilation=dilation)
    return lax.slice_in_dim(laid, padding[0], padding[0] + size, 1, axis)


# ── the maximum ─────────────────────────────────────────────────────────────────────────────────────────────


def _fill(x: Any) -> Any:
    """What padding holds, so that it never is the maximum of a window with an element of ``x`` in it."""
    return -inf if dtype(x.dtype).is_floating else jnp.iinfo(x.dtype).min


def _max_lower(x: Any, **window: Any) -> Any:
    if window["window"] > SLICES:
        return _whole(x, _fill(x), **window).max(window["axis"] + 1)
    return reduce(jnp.maximum, _slices(x, _fill(x), **window))


def _hits(x: Any, **window: Any) -> list[Any]:
    """For each position within the window, where it holds the window's first maximum."""
    parts = _slices(x, _fill(x), **window)
    most = reduce(jnp.maximum, parts)
    free, hits = None, []
    for part in parts:
        hit = part == most if free is None else (part == most) & free
        free = ~hit if free is None else free & ~hit
        hits.append(hit)
    return hits


def _unpool_lower(g: Any, x: Any, *, window: int, **place: Any) -> Any:
    zero, size, axis = jnp.zeros((), g.dtype), x.shape[place["axis"]], place["axis"]
    if window > SLICES:
        at = jnp.expand_dims(_whole(x, _fill(x), window=window, **place).argmax(axis + 1), axis + 1)
        hit = lax.broadcasted_iota(at.dtype, (*at.shape[: axis + 1], window, *at.shape[axis + 2 :]), axis + 1) == at
        return _added(jnp.where(hit, jnp.expand_dims(g, axis + 1), zero), size, **place)
    return assemble([jnp.where(hit, g, zero) for hit in _hits(x, window=window, **place)], size, **place)


def _choose_lower(c: Any, x: Any, **window: Any) -> Any:
    if window["window"] > SLICES:
        axis = window["axis"] + 1
        at = jnp.expand_dims(_whole(x, _fill(x), **window).argmax(axis), axis)
        return jnp.take_along_axis(_whole(c, 0, **window), at, axis).squeeze(axis)
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
    takes=lambda kinds: (None, None),
    lower=_channels_last(_choose_lower),
    vjp=lambda g, y, c, x, **window: (max_unpool_op(g, x, **window), None),
)

# ── the sum, from which the mean is made ────────────────────────────────────────────────────────────────────


def _sum_lower(x: Any, **window: Any) -> Any:
    if window["window"] > SLICES:
        return _whole(x, 0, **window).sum(window["axis"] + 1, dtype=x.dtype)
    return reduce(jnp.add, _slices(x, 0, **window))


def _unsum_lower(g: Any, *, size: int, window: int, axis: int, **place: Any) -> Any:
    if window > SLICES:
        shape = (*g.shape[: axis + 1], window, *g.shape[axis + 1 :])
        return _added(jnp.broadcast_to(jnp.expand_dims(g, axis + 1), shape), size, axis=axis, **place)
    return assemble([g] * window, size, axis=axis, **place)


_summed = refusing("bool", rule=_pooled)
sum_pool_op: Op = Op(
    "sum_pool",
    shape=_summed,
    lower=_channels_last(_sum_lower),
    vjp=lambda g, y, x, **window: (sum_unpool_op(g, size=x.shape[window["axis"]], **window),),
)
sum_unpool_op: Op = Op(  # the transpose of sum_pool: g spread over the elements that were summed
    "sum_unpool",
    shape=refusing(
        "bool", rule=lambda g, *, size, axis, **_: Spec((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype)
    ),
    lower=_channels_last(_unsum_lower),
    vjp=lambda c, y, g, *, size, **window: (sum_pool_op(c, **window),),
)

# ── windows over several axes ───────────────────────────────────────────────────────────────────────────────


def max_pool(
    x: Any,
    /,
    *,
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding | None = None,
    dilation: Sizes | None = None,
) -> Any:
    """The largest element of each window over the last ``len(window)`` axes; padding never is the largest.

    Windows start ``stride`` apart, by default side by side. Of equal elements the first takes the gradient.

    >>> import weft as wf
    >>> from weft.ops.pooling import max_pool
    >>> max_pool(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[5.0, 3.0]]
    """
    for each in _per_axis(x, window, stride, padding, dilation):
        x = max_pool_op(x, **each)
    return x


def max_positions(
    x: Any,
    /,
    *,
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding | None = None,
    dilation: Sizes | None = None,
) -> Any:
    """Where in the flattened last ``len(window)`` axes the (first) maximum of each window is.

    >>> import weft as wf
    >>> from weft.ops.pooling import max_positions
    >>> max_positions(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[1, 3]]
    """
    found, below = None, 1  # positions within the axes that are pooled already, and how many there are
    for each in _per_axis(x, window, stride, padding, dilation):
        at, size = each["axis"], x.shape[each["axis"]]
        line = max_choose_op(iota_op(shape=x.shape, axis=at, dtype=int64), x, **each)
        found = line if found is None else line * below + max_choose_op(found, x, **each)
        x, below = max_pool_op(x, **each), below * size
    return found


def average_pool(
    x: Any,
    /,
    *,
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding | None = None,
    count_include_pad: bool = True,
    beyond: Sizes = (),
) -> Any:
    """The mean of each window over the last ``len(window)`` axes.

    The zeros of the padding count as elements unless ``count_include_pad`` is False. ``beyond`` says how far along
    each axis the last window reaches past the padding; what lies there never counts.

    >>> import weft as wf
    >>> from weft.ops.pooling import average_pool
    >>> average_pool(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[3.0, 2.5]]
    """
    x = x if x.dtype.is_differentiable else x.astype(float32)
    total = sum_pool(x, window=window, stride=stride, padding=padding, beyond=beyond)
    pads = padding or ((0, 0),) * len(window)
    if not any(beyond) and (count_include_pad or not any(map(any, pads))):
        return total * (1 / prod(window))
    sizes = x.shape[x.ndim - len(window) :]
    if count_include_pad:
        sizes, pads = tuple(n + sum(pair) for n, pair in zip(sizes, pads, strict=True)), ((0, 0),) * len(window)
    ones = full_op(1, shape=sizes, dtype=x.dtype)
    return total / sum_pool(ones, window=window, stride=stride, padding=pads, beyond=beyond)


def sum_pool(
    x: Any, /, *, window: Sizes, stride: Sizes | None = None, padding: Padding | None = None, beyond: Sizes = ()
) -> Any:
    """The sum of each window over the last ``len(window)`` axes.

    >>> import weft as wf
    >>> from weft.ops.pooling import sum_pool
    >>> sum_pool(wf.tensor([[1.0, 5.0, 2.0, 3.0]]), window=(2,)).tolist()
    [[6.0, 5.0]]
    """
    pads = padding or ((0, 0),) * len(window)
    further = beyond or (0,) * len(window)
    wider = tuple((before, after + more) for (before, after), more in zip(pads, further, strict=True))
    for each in _per_axis(x, window, stride, wider, None):
        x = sum_pool_op(x, **each)
    return x


def _per_axis(
    x: Any, window: Sizes, stride: Sizes | None, padding: Padding | None, dilation: Sizes | None
) -> list[dict[str, Any]]:
    """The parameters of pooling each axis, the last one first."""
    rank = len(window)
    strides, dilations = window if stride is None else stride, dilation or (1,) * rank
    pads = padding or ((0, 0),) * rank
    given = f"pooling of shape {x.shape} with window={window}, stride={strides}, padding={pads}, dilation={dilations}"
    if not 1 <= rank == len(strides) == len(pads) == len(dilations) <= x.ndim:
        raise ArgumentError(given, expected="one entry for each axis that is pooled, which are the last ones")
    if min(*window, *strides, *dilations) < 1:
        raise ArgumentError(given, expected="window, stride and dilation of at least 1")
    each = list(zip(range(x.ndim - rank, x.ndim), window, strides, pads, dilations, strict=True))
    if not all(0 <= p < span(n, d) for _, n, _, pair, d in each for p in pair):
        raise ArgumentError(given, expected="padding smaller than the window")
    names = ("axis", "window", "stride", "padding", "dilation")
    return [dict(zip(names, entry, strict=True)) for entry in reversed(each)]
