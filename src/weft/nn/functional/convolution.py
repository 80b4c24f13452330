"""Convolutions and pooling over the last axes of (N, channels, *spatial)."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import spread
from weft.ops import convolution, pooling
from weft.tensor import Tensor, as_tensor

Pads = tuple[tuple[int, int], ...]


def pads(layer: str, padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    """(before, after) for each axis, from one number for all, one for each, "valid" (none), or "same".

    >>> pads("Conv2d", "same", (3, 4), (1, 1), (1, 1))
    ((1, 1), (1, 2))
    """
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(
                f'{layer}: padding="same" with stride={stride}', expected="stride 1", cure="padding=1, or stride=1"
            )
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ArgumentError(
            f"{layer}: padding={padding!r}", expected='a number ≥ 0, one for each axis, "same" or "valid"'
        )
    return tuple((n, n) for n in spread(layer, "padding", padding, len(kernel), least=0))


@function(takes=floating)
def _conv(x: Any, weight: Any, *bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    check_input(x.shape, weight.shape, groups)
    y = convolution.conv(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return y + bias[0].reshape(1, -1, *(1,) * (x.ndim - 2)) if bias else y


def check_rank(x: tuple[int, ...], axes: int, channels: int | str) -> None:
    """Refuse an input with another number of axes than batch, channels and ``axes`` spatial ones."""
    if len(x) != axes + 2:
        at = 1 if channels in (1, "channels") else 0
        raise ShapeError(
            f"an input of shape {x} with {len(x)} axes for a convolution over {axes}",
            expected=f"{axes + 2} axes: {layout(axes, channels)}",
            cure=f"wf.expand_dims(x, axis={at})" if len(x) == axes + 1 else None,
        )


def layout(axes: int, channels: int | str) -> str:
    """How the axes of an input are called: ``(N, 3, height, width)``."""
    return f"(N, {channels}, {', '.join(('depth', 'height', 'width')[-axes:] if axes > 1 else ('length',))})"


def check_input(x: tuple[int, ...], weight: tuple[int, ...], groups: int) -> None:
    """Refuse an input of another rank or number of channels than the weight is for."""
    channels = weight[1] * groups
    check_rank(x, len(weight) - 2, channels)
    if x[1] != channels:
        last = tuple(range(1, len(x) - 1))
        raise ShapeError(
            f"an input of shape {x}: axis 1 has size {x[1]}, the layer takes {channels} channels",
            expected=layout(len(weight) - 2, channels),
            cure=f"wf.permute_dims(x, {(0, len(x) - 1, *last)}): channels come first"
            if x[-1] == channels
            else f"a layer for {x[1]} channels",
        )


def conv(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Cross-correlation of x (N, C, *spatial) with weight (O, C/groups, *kernel): (N, O, *positions).

    As many axes as the kernel has. Along each, (size + pads − dilation·(kernel − 1) − 1) // stride + 1 positions.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv(wf.ones((1, 1, 3)), wf.ones((1, 1, 2))).tolist()
    [[[2.0, 2.0]]]
    """
    w = as_tensor(weight)
    axes = w.ndim - 2
    stride, dilation = spread("conv", "stride", stride, axes), spread("conv", "dilation", dilation, axes)
    operands = (x, w) if bias is None else (x, w, bias)
    y: Tensor = _conv(
        *operands,
        stride=stride,
        padding=pads("conv", padding, w.shape[2:], stride, dilation),
        dilation=dilation,
        groups=groups,
    )
    return y


@function
def _max_pool(x: Any, *, window: Any, stride: Any, padding: Any) -> Any:
    return pooling.max_pool(x, window=window, stride=stride, padding=padding)


@function(takes=floating)
def _average_pool(x: Any, *, window: Any, stride: Any, padding: Any, count_include_pad: bool) -> Any:
    return pooling.average_pool(x, window=window, stride=stride, padding=padding, count_include_pad=count_include_pad)


def max_pool(x: Any, window: Any, *, stride: Any = None, padding: Any = 0) -> Tensor:
    """The largest element of every window over the spatial axes of (N, C, *spatial); ``stride`` is the window's size.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.max_pool(wf.tensor([[[1.0, 3.0, 2.0, 4.0]]]), (2,)).tolist()
    [[[3.0, 4.0]]]
    """
    x = as_tensor(x)
    y: Tensor = _max_pool(x, **windows("max_pool", x, window, stride, padding))
    return y


def average_pool(
    x: Any, window: Any, *, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Tensor:
    """The mean of every window over the spatial axes of (N, C, *spatial)."""
    x = as_tensor(x)
    y: Tensor = _average_pool(
        x, **windows("average_pool", x, window, stride, padding), count_include_pad=count_include_pad
    )
    return y


def windows(layer: str, x: Tensor, window: Any, stride: Any, padding: Any) -> dict[str, Any]:
    """Window, stride and pads as the ops take them."""
    axes = len(window) if isinstance(window, tuple | list) else x.ndim - 2
    if x.ndim != axes + 2 or axes < 1:
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected="(N, channels, *spatial)")
    return check_window(layer, spread(layer, "window", window, axes), stride, padding)


def check_window(layer: str, window: tuple[int, ...], stride: Any, padding: Any) -> dict[str, Any]:
    """Window, stride and pads, refused where they make no sense."""
    step = window if stride is None else spread(layer, "stride", stride, len(window))
    around = pads(layer, padding, window, step, (1,) * len(window))
    if any(max(pair) * 2 > k for pair, k in zip(around, window, strict=True)):
        raise ArgumentError(
            f"{layer}: padding={padding!r} for a window of {window}", expected="at most half the window"
        )
    return {"window": window, "stride": step, "padding": around}


def adaptive_average_pool(x: Any, size: Any = 1) -> Tensor:
    """The mean of windows so large that ``size`` of them fill each spatial axis of (N, C, *spatial)."""
    x = as_tensor(x)
    spatial = x.shape[2:]
    each = spread("adaptive_average_pool", "size", size, len(spatial))
    if all(n == 1 for n in each):
        mean: Tensor = x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)
        return mean
    if any(n % k for n, k in zip(spatial, each, strict=True)):
        raise ShapeError(
            f"adaptive_average_pool of {spatial} to {each}", expected="sizes that divide those of the input"
        )
    return average_pool(x, tuple(n // k for n, k in zip(spatial, each, strict=True)))


def global_average_pool(x: Any) -> Tensor:
    """The mean over all spatial axes: (N, C, *spatial) to (N, C)."""
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"global_average_pool: an input of shape {x.shape}", expected="(N, channels, *spatial)")
    y: Tensor = x.mean(axis=tuple(range(2, x.ndim)))
    return y
