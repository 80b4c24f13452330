"""Channels and pixels exchanged: sub-pixel shuffling and the shuffling of groups of channels."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.nn.check import sizes
from weft.tensor import Tensor, as_tensor


@function
def _pixel_shuffle(x: Any, *, factor: int) -> Any:
    *lead, c, h, w = x.shape
    n = len(lead)
    channels = c // factor**2
    y = x.reshape(*lead, channels, factor, factor, h, w).permute_dims(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return y.reshape(*lead, channels, h * factor, w * factor)


@function
def _pixel_unshuffle(x: Any, *, factor: int) -> Any:
    *lead, c, h, w = x.shape
    n = len(lead)
    rows, columns = h // factor, w // factor
    y = x.reshape(*lead, c, rows, factor, columns, factor).permute_dims(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return y.reshape(*lead, c * factor**2, rows, columns)


@function
def _channel_shuffle(x: Any, *, groups: int) -> Any:
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


def _picture(layer: str, x: Any, factor: int) -> Tensor:
    sizes(layer, 1, factor=factor)
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected="(…, channels, height, width)")
    return x


def pixel_shuffle(x: Any, factor: int) -> Tensor:
    """(…, C·r², H, W) to (…, C, H·r, W·r): channels become pixels between the pixels; Shi et al. 2016.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.pixel_shuffle(wf.arange(4).reshape(4, 1, 1), 2).tolist()
    [[[0, 1], [2, 3]]]
    """
    x = _picture("pixel_shuffle", x, factor)
    if x.shape[-3] % factor**2:
        raise ShapeError(
            f"pixel_shuffle by {factor} of {x.shape[-3]} channels", expected=f"channels divisible by {factor**2}"
        )
    y: Tensor = _pixel_shuffle(x, factor=factor)
    return y


def pixel_unshuffle(x: Any, factor: int) -> Tensor:
    """(…, C, H·r, W·r) to (…, C·r², H, W): the inverse of `pixel_shuffle`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.pixel_unshuffle(wf.arange(4).reshape(1, 2, 2), 2).shape
    (4, 1, 1)
    """
    x = _picture("pixel_unshuffle", x, factor)
    if x.shape[-1] % factor or x.shape[-2] % factor:
        raise ShapeError(
            f"pixel_unshuffle by {factor} of pictures of {x.shape[-2:]}", expected=f"sizes divisible by {factor}"
        )
    y: Tensor = _pixel_unshuffle(x, factor=factor)
    return y


def channel_shuffle(x: Any, groups: int) -> Tensor:
    """The channels of (N, C, *spatial) dealt out: the first of each group, then the second, …; Zhang et al. 2018.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.channel_shuffle(wf.arange(4).reshape(1, 4, 1), 2).flatten().tolist()
    [0, 2, 1, 3]
    """
    sizes("channel_shuffle", 1, groups=groups)
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"channel_shuffle: an input of shape {x.shape}", expected="(N, channels, *spatial)")
    if x.shape[1] % groups:
        raise ArgumentError(f"channel_shuffle: groups={groups} for {x.shape[1]} channels", expected="a divisor")
    y: Tensor = _channel_shuffle(x, groups=groups)
    return y
