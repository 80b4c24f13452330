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
    """The largest element of every window of (N, C, *spatial); ``stride`` is the window's size unless it is given."""

    axes: ClassVar[int]

    def __init__(self, window: Any, stride: Any = None, padding: Any = 0) -> None:
        self.window, self.stride, self.padding = checked(self, window, stride, padding)

    def forward(self, x: Any) -> Tensor:
        return functional.max_pool(x, self.window, stride=self.stride, padding=self.padding)

    def extra_repr(self) -> str:
        return f"window={self.window}, stride={self.stride or self.window}, padding={self.padding}"


class AvgPool(Module):
    """The mean of every window of (N, C, *spatial); padding counts as zeros unless ``count_include_pad`` is False."""

    axes: ClassVar[int]

    def __init__(self, window: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True) -> None:
        self.window, self.stride, self.padding = checked(self, window, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Tensor:
        return functional.average_pool(
            x, self.window, stride=self.stride, padding=self.padding, count_include_pad=self.count_include_pad
        )

    def extra_repr(self) -> str:
        return f"window={self.window}, stride={self.stride or self.window}, padding={self.padding}"


def checked(layer: MaxPool | AvgPool, window: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    """Window, stride and padding with one entry per axis, refused where they make no sense."""
    name = type(layer).__name__
    each = spread(name, "window", window, layer.axes)
    step = None if stride is None else spread(name, "stride", stride, layer.axes)
    around = spread(name, "padding", padding, layer.axes, least=0)
    check_window(name, each, step, around)
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
    """Means of as many windows as ``size`` says, whatever the size of the input, which it must divide."""

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
