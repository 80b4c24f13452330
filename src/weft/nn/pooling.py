"""Pooling layers."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.nn import functional
from weft.nn.check import spread
from weft.nn.functional.convolution import check_window
from weft.nn.module import Module
from weft.tensor import Tensor


class Pool(Module):
    """What the pooling layers have in common: a window, a stride (by default the window), a padding."""

    axes: ClassVar[int]

    def __init__(self, window: Any, stride: Any = None, padding: Any = 0) -> None:
        layer = type(self).__name__
        self.window = spread(layer, "window", window, self.axes)
        self.stride = None if stride is None else spread(layer, "stride", stride, self.axes)
        self.padding = padding
        check_window(layer, self.window, self.stride, padding)

    def extra_repr(self) -> str:
        return f"window={self.window}, stride={self.stride or self.window}, padding={self.padding!r}"


class MaxPool(Pool):
    """The largest element of every window of (N, C, *spatial)."""

    def forward(self, x: Any) -> Tensor:
        return functional.max_pool(x, self.window, stride=self.stride, padding=self.padding)


class AvgPool(Pool):
    """The mean of every window of (N, C, *spatial); padding counts as zeros unless ``count_include_pad`` is False."""

    def __init__(self, window: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True) -> None:
        super().__init__(window, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Tensor:
        return functional.average_pool(
            x, self.window, stride=self.stride, padding=self.padding, count_include_pad=self.count_include_pad
        )


class MaxPool1d(MaxPool):
    """The largest element of every window of (N, C, length)."""

    axes = 1


class MaxPool2d(MaxPool):
    """The largest element of every window of (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.MaxPool2d(2)(wf.zeros((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    axes = 2


class AvgPool1d(AvgPool):
    """The mean of every window of (N, C, length)."""

    axes = 1


class AvgPool2d(AvgPool):
    """The mean of every window of (N, C, height, width)."""

    axes = 2


class AdaptiveAvgPool2d(Module):
    """Means of as many windows as ``size`` says, whatever the size of the input, which it must divide."""

    def __init__(self, size: Any = 1) -> None:
        self.size = spread("AdaptiveAvgPool2d", "size", size, 2)

    def forward(self, x: Any) -> Tensor:
        return functional.adaptive_average_pool(x, self.size)

    def extra_repr(self) -> str:
        return f"size={self.size}"


class GlobalAveragePool(Module):
    """The mean over all positions: (N, C, *spatial) to (N, C).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GlobalAveragePool()(wf.ones((1, 2, 4, 4))).tolist()
    [[1.0, 1.0]]
    """

    def forward(self, x: Any) -> Tensor:
        return functional.global_average_pool(x)
