"""The input gradient of a strided convolution, which a transposed convolution is, as one with stride 1 on the CPU.

Cut every axis into blocks of ``stride`` elements and make a block's elements channels: to a window, which starts
with some block, the next start is the next block. A kernel so cut, filled up with zeros, is one of stride 1. Zeros
between the elements of the output's gradient, which a stride means otherwise, cost three times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes


def fits(kernel: Sizes, *, stride: Sizes, dilation: Sizes, groups: int) -> bool:
    """Whether windows are strided, and overlap or touch: blocks that are mostly zeros would cost more."""
    dense = groups == 1 and set(dilation) == {1}
    return dense and max(stride) > 1 and all(k >= s for k, s in zip(kernel, stride, strict=True))


def input_gradient(
    gradient: Callable[..., Any], g: Any, w: Any, *, spatial: Sizes, stride: Sizes, padding: Padding, **window: Any
) -> Any:
    """What ``gradient``, which is given stride 1, gives for the blocks, put together again."""
    cut = _cut(w, stride)
    each = zip(spatial, padding, stride, strict=True)
    blocks = tuple(-(-(n + before) // s) for n, (before, _), s in each)
    beyond = zip(g.shape[2:], cut.shape[2:], blocks, strict=True)
    pads = tuple((0, max(0, m + j - 1 - count)) for m, j, count in beyond)
    found = gradient(g, cut, spatial=blocks, stride=(1,) * len(stride), padding=pads, **window)
    return _joined(found, stride, tuple(before for before, _ in padding), spatial)


def _cut(w: Any, stride: Sizes) -> Any:
    """(O, C, *kernel) as (O, ∏stride · C, *blocks)."""
    rank, kernel = len(stride), w.shape[2:]
    counts = [-(-k // s) for k, s in zip(kernel, stride, strict=True)]
    fill = [(0, m * s - k, 0) for k, m, s in zip(kernel, counts, stride, strict=True)]
    w = lax.pad(w, jnp.zeros((), w.dtype), [(0, 0, 0), (0, 0, 0), *fill])
    w = w.reshape(*w.shape[:2], *(size for pair in zip(counts, stride, strict=True) for size in pair))
    w = w.transpose(0, *range(3, 3 + 2 * rank, 2), 1, *range(2, 2 + 2 * rank, 2))
    return w.reshape(w.shape[0], -1, *counts)


def _joined(x: Any, stride: Sizes, start: Sizes, spatial: Sizes) -> Any:
    """(N, ∏stride · C, *blocks) as (N, C, *spatial), where ``start`` elements before are left out."""
    rank, blocks = len(stride), x.shape[2:]
    x = jnp.moveaxis(x, 1, -1).reshape(x.shape[0], *blocks, *stride, x.shape[1] // prod(stride))
    x = x.transpose(0, *(axis for a in range(1, rank + 1) for axis in (a, a + rank)), 2 * rank + 1)
    x = x.reshape(x.shape[0], *(m * s for m, s in zip(blocks, stride, strict=True)), x.shape[-1])
    stops = [a + n for a, n in zip(start, spatial, strict=True)]
    return jnp.moveaxis(lax.slice(x, (0, *start, 0), (x.shape[0], *stops, x.shape[-1])), -1, 1)
