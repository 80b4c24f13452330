"""Pooling layers."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.nn import functional
from weft.nn.check import spread
from weft.nn.functional.pooling import check_window
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor


class MaxPool(Module):
    """The largest element of every window of (N, C, *spatial); ``stride`` is the window's size unless it is given.

    Padding never is the largest; ``dilation`` spreads a window's elements, ``ceil_mode`` keeps a last, incomplete one.
    """

    axes: ClassVar[int]

    def __init__(
        self, window: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ) -> None:
        self.window, self.stride, self.padding = checked(self, window, stride, padding, dilation)
        self.dilation = spread(type(self).__name__, "dilation", dilation, self.axes)
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Tensor:
        return functional.max_pool(
            x,
            self.window,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            ceil_mode=self.ceil_mode,
        )

    def extra_repr(self) -> str:
        text = f"window={self.window}, stride={self.stride or self.window}, padding={self.padding}"
        text += f", dilation={self.dilation}" if set(self.dilation) != {1} else ""
        return text + (", ceil_mode=True" if self.ceil_mode else "")


class AvgPool(Module):
    """The mean of every window of (N, C, *spatial); padding counts as zeros unless ``count_include_pad`` is False.

    ``ceil_mode`` keeps a last, incomplete window; ``divisor_override`` divides the sums instead of the counts.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        window: Any,
        stride: Any = None,
        padding: Any = 0,
        count_include_pad: bool = True,
        ceil_mode: bool = False,
        divisor_override: float | None = None,
    ) -> None:
        self.window, self.stride, self.padding = checked(self, window, stride, padding)
        self.count_include_pad, self.ceil_mode = count_include_pad, ceil_mode
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Tensor:
        return functional.average_pool(
            x,
            self.window,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
            divisor_override=self.divisor_override,
        )

    def extra_repr(self) -> str:
        text = f"window={self.window}, stride={self.stride or self.window}, padding={self.padding}"
        return text + (", ceil_mode=True" if self.ceil_mode else "")


def checked(layer: MaxPool | AvgPool, window: Any, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Any, ...]:
    """Window, stride and padding with one entry per axis, refused where they make no sense."""
    name = type(layer).__name__
    each = spread(name, "window", window, layer.axes)
    step = None if stride is None else spread(name, "stride", stride, layer.axes)
    around = spread(name, "padding", padding, layer.axes, least=0)
    check_window(name, each, step, around, dilation)
    return each, step, around


@register
class MaxPool1d(MaxPool):
    """The largest element of every window of (N, C, length)."""

    axes = 1


@register
class MaxPool2d(MaxPool):
    """The largest element of every window of (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.MaxPool2d(2)(wf.zeros((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    axes = 2


@register
class AvgPool1d(AvgPool):
    """The mean of every window of (N, C, length)."""

    axes = 1


@register
class AvgPool2d(AvgPool):
    """The mean of every window of (N, C, height, width)."""

    axes = 2


@register
class AdaptiveAvgPool2d(Module):
    """Means of as many windows as ``size`` says, whatever the size of the input; None leaves an axis as it is."""

    def __init__(self, size: Any = 1) -> None:
        self.size = spread("AdaptiveAvgPool2d", "size", size, 2)

    def forward(self, x: Any) -> Tensor:
        return functional.adaptive_average_pool(x, self.size)

    def extra_repr(self) -> str:
        return f"size={self.size}"


@register
class GlobalAveragePool(Module):
    """The mean over all positions: (N, C, *spatial) to (N, C).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GlobalAveragePool()(wf.ones((1, 2, 4, 4))).tolist()
    [[1.0, 1.0]]
    """

    def forward(self, x: Any) -> Tensor:
        return functional.global_average_pool(x)
