"""Mean 0 and variance 1 within sets of numbers: what all normalisations that centre are made of.

A tensor is looked at as (N, G, C, S): examples, groups, channels of a group, positions. One set is a group of one
example (`EXAMPLE`), or a group of all examples (`BATCH`). Layer normalisation has one group and one position.
"""

from __future__ import annotations

import math
from typing import Any

from weft.graph.dtype import float32
from weft.graph.function import function
from weft.graph.op import floating
from weft.ops.calling import barrier_op
from weft.ops.creation import full
from weft.ops.exponential import rsqrt
from weft.ops.linalg import matmul

BATCH, EXAMPLE = (0, 2, 3), (2, 3)
View = tuple[int, int, int, int]


def widened(*tensors: Any) -> tuple[Any, ...]:
    """The tensors in at least 32 bits: sums of squares leave the range of float16, and the digits of bfloat16."""
    return tuple(t.astype(float32) if t.dtype.itemsize < 4 else t for t in tensors)


def moments(x: Any, view: View, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Mean, deviation from it, and (biased) variance of each set of ``x``, which is `laid` out."""
    within = _places(view, axes)
    mean = x.mean(axis=within, keepdims=True)
    deviation = x - mean
    return mean, deviation, (deviation * deviation).mean(axis=within, keepdims=True)


def laid(x: Any, view: View, along: tuple[int, ...] = (0, 1, 2, 3)) -> Any:
    """``x`` with those axes of the view that have more than one element: XLA is slow where an innermost has one.

    What lies only ``along`` some of them broadcasts over the others.
    """
    return x.reshape(tuple(view[a] if a in along else 1 for a in _long(view)))


def _long(view: View) -> list[int]:
    return [a for a, n in enumerate(view) if n != 1]


def _places(view: View, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Where the axes of the view are in what is `laid` out."""
    return tuple(k for k, a in enumerate(_long(view)) if a in axes)


@function(takes=floating)
def _gradient(g: Any, x: Any, *affine: Any, view: View, axes: tuple[int, ...], eps: float) -> Any:
    """In closed form: with d = x − mean and s = 1 / √(variance + ε), for each set of n numbers,

    dx = s · (weight · g − Σ weight · g / n − d · s² · Σ weight · g · d / n).

    Both sums are first taken over positions; from these few numbers come the gradients of weight and bias too.
    """
    if not x.node.spec.size:
        return _nothing(x, *affine)
    g_wide, x_wide, *per_channel = widened(laid(g, view), laid(x, view), *affine)
    weight = laid(per_channel[0], view, (1, 2)) if affine else None
    _, deviation, variance = moments(x_wide, view, axes)
    scale = rsqrt(variance + eps)
    within = _places(view, (0, 3) if axes == BATCH else (3,))
    sums = g_wide.sum(axis=within, keepdims=True), (g_wide * deviation).sum(axis=within, keepdims=True)
    n = math.prod(view[a] for a in axes)
    mean, slope = (_over_channels(s, weight, view) * (scale / n) for s in sums)
    own = scale if weight is None else scale * weight
    dx = (g_wide * own - mean - deviation * (slope * scale * scale)).reshape(x.shape).astype(x.dtype)
    if not affine:
        return dx
    # A sum of sums XLA would take over all of g once more: it must not see that it is one.
    total = barrier_op(sums[0])[0] if within else sums[0]
    found = (_over_examples(sums[1], scale, view), total.sum(axis=_places(view, (0,))))
    return (dx, *(t.reshape(w.shape).astype(w.dtype) for t, w in zip(found, affine, strict=False)))


def _nothing(*of: Any) -> Any:
    """The gradients of numbers that nothing was made of."""
    zeros = tuple(full(t.shape, 0, dtype=t.dtype) for t in of)
    return zeros if len(zeros) > 1 else zeros[0]


def _over_channels(sums: Any, weight: Any, view: View) -> Any:
    """Σ weight · sums over the channels of each group."""
    n, groups, channels, _ = view
    if weight is not None and groups == 1 < channels:
        return laid(matmul(sums.reshape(n, channels), weight.reshape(channels)), view, (0,))
    return (sums if weight is None else sums * weight).sum(axis=_places(view, (2,)), keepdims=True)


def _over_examples(sums: Any, scale: Any, view: View) -> Any:
    """Σ scale · sums over the examples."""
    n, groups, channels, _ = view
    if groups == 1 < channels:
        return matmul(scale.reshape(n), sums.reshape(n, channels))
    return (sums * scale).sum(axis=_places(view, (0,)))


def _parts(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


@function(takes=floating, vjp=lambda g, _, *operands, **how: _parts(_gradient(g, *operands, **how)))
def standardized(x: Any, *affine: Any, view: View, axes: tuple[int, ...], eps: float) -> Any:
    """(x − mean) / √(variance + ε) · weight + bias; one weight and one bias for each channel, if they are given."""
    wide, *per_channel = widened(laid(x, view), *affine)
    _, deviation, variance = moments(wide, view, axes)
    y = deviation * rsqrt(variance + eps)
    for k, t in enumerate(per_channel):
        y = y + laid(t, view, (1, 2)) if k else y * laid(t, view, (1, 2))
    return y.reshape(x.shape).astype(x.dtype)
