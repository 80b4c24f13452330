"""Convolution of volumes with stride 1 on the CPU: one of pictures, where the layers a kernel meets are channels.

The engine is slow over three axes. With all layers of the kernel's depth side by side as channels, a volume is a
batch of pictures, and the array grows by the kernel's depth only, where patches grow by the whole kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes

Pair = tuple[int, int]
_PLAIN = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}


def fits(kernel: Sizes, *, stride: Sizes, dilation: Sizes, groups: int) -> bool:
    """Whether this is a convolution of volumes with neither stride nor dilation nor groups."""
    return len(kernel) == 3 and groups == 1 and set(stride) == set(dilation) == {1}


def forward(conv: Callable[..., Any], x: Any, w: Any, *, padding: Padding, **_: Any) -> Any:
    """``conv``, which is given pictures, of the volumes x with w (O, C, depth, height, width)."""
    pictures, deep = _pictures(x, w.shape[2], padding[0]), jnp.moveaxis(w, 2, 1)
    y = conv(pictures, deep.reshape(w.shape[0], -1, *w.shape[3:]), padding=padding[1:], **_PLAIN)
    return _volumes(y, x.shape[0], x.shape[2] + sum(padding[0]) - w.shape[2] + 1)


def input_gradient(conv: Callable[..., Any], g: Any, w: Any, *, spatial: Sizes, padding: Padding, **window: Any) -> Any:
    """The kernel runs backwards over g, from results to channels."""
    each = zip(spatial, g.shape[2:], w.shape[2:], padding, strict=True)
    pads = tuple((k - 1 - before, n - m + before) for n, m, k, (before, _) in each)
    return forward(conv, g, jnp.flip(w.swapaxes(0, 1), (2, 3, 4)), padding=pads)


def kernel_gradient(gradient: Callable[..., Any], x: Any, g: Any, *, kernel: Sizes, padding: Padding, **_: Any) -> Any:
    """``gradient``, which is given pictures, of the kernel (O, C, *kernel)."""
    before, depth = padding[0][0], kernel[0]
    pair = (before, g.shape[2] + depth - 1 - x.shape[2] - before)
    pictures, channels = _pictures(x, depth, pair), x.shape[1]
    w = gradient(pictures, _pictures(g, 1, (0, 0)), kernel=kernel[1:], padding=padding[1:], **_PLAIN)
    return jnp.moveaxis(w.reshape(g.shape[1], depth, channels, *kernel[1:]), 1, 2)


def _pictures(x: Any, depth: int, pair: Pair) -> Any:
    """(N, C, D, H, W), padded, as (N · layers, depth · C, H, W): at each layer, it and those that follow."""
    x = lax.pad(jnp.moveaxis(x, 1, -1), jnp.zeros((), x.dtype), [(0, 0, 0), (*pair, 0), *[(0, 0, 0)] * 3])
    layers = x.shape[1] - depth + 1
    parts = [lax.slice_in_dim(x, k, k + layers, 1, 1) for k in range(depth)]
    whole = jnp.concatenate(parts, -1)
    return jnp.moveaxis(whole.reshape(x.shape[0] * layers, *whole.shape[2:]), -1, 1)


def _volumes(y: Any, count: int, layers: int) -> Any:
    """The transpose of the pictures of one layer each."""
    y = jnp.moveaxis(y, 1, -1)
    return jnp.moveaxis(y.reshape(count, layers, *y.shape[1:]), -1, 1)
