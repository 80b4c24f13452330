"""Pooling layers whose results have a given size, whatever the input's: adaptive, fractional and global ones."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.errors import ArgumentError
from weft.nn import functional
from weft.nn.check import spread
from weft.nn.functional.adaptive_pooling import adaptive_average_over, adaptive_max_over, check_ratio, fractional_over
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor

# ── as many windows as are wanted ───────────────────────────────────────────────────────────────────────────


class AdaptiveAvgPool(Module):
    """Means of as many windows as ``size`` says, whatever the size of the input; None leaves an axis as it is."""

    axes: ClassVar[int]

    def __init__(self, size: Any = 1) -> None:
        self.size = spread(type(self).__name__, "size", size, self.axes, optional=True)

    def forward(self, x: Any) -> Tensor:
        return adaptive_average_over(self.axes, x, self.size)

    def extra_repr(self) -> str:
        return f"size={self.size}"


@register
class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """(N, C, length) to (N, C, size), each element the mean of a window."""

    axes = 1


@register
class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """(N, C, height, width) to (N, C, *size), each element the mean of a window.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.AdaptiveAvgPool2d((3, None))(wf.ones((2, 3, 7, 5))).shape
    (2, 3, 3, 5)
    """

    axes = 2


@register
class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """(N, C, depth, height, width) to (N, C, *size), each element the mean of a window."""

    axes = 3


class AdaptiveMaxPool(Module):
    """The largest element of as many windows as ``size`` says; None leaves an axis as it is.

    With ``return_indices`` also the positions of the maxima in the flattened spatial axes.
    """

    axes: ClassVar[int]

    def __init__(self, size: Any = 1, return_indices: bool = False) -> None:
        self.size = spread(type(self).__name__, "size", size, self.axes, optional=True)
        self.return_indices = return_indices

    def forward(self, x: Any) -> Any:
        return adaptive_max_over(self.axes, x, self.size, self.return_indices)

    def extra_repr(self) -> str:
        return f"size={self.size}" + (", return_indices=True" if self.return_indices else "")


@register
class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """(N, C, length) to (N, C, size), each element the largest of a window."""

    axes = 1


@register
class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """(N, C, height, width) to (N, C, *size), each element the largest of a window."""

    axes = 2


@register
class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """(N, C, depth, height, width) to (N, C, *size), each element the largest of a window."""

    axes = 3


# ── windows at random places ────────────────────────────────────────────────────────────────────────────────


class FractionalMaxPool(Module):
    """The largest element of windows at random places, which overlap by random amounts: Graham 2014.

    ``size`` says how many, or ``ratio`` the share of the input's sizes. The places are new for every call.
    """

    axes: ClassVar[int]

    def __init__(self, window: Any, size: Any = None, ratio: Any = None, return_indices: bool = False) -> None:
        layer = type(self).__name__
        if (size is None) == (ratio is None):
            raise ArgumentError(f"{layer}: size={size!r} and ratio={ratio!r}", expected="one of the two")
        self.window = spread(layer, "window", window, self.axes)
        self.size = None if size is None else spread(layer, "size", size, self.axes)
        self.ratio = None if ratio is None else check_ratio(layer, ratio, self.axes)
        self.return_indices = return_indices

    def forward(self, x: Any, samples: Any = None) -> Any:
        return fractional_over(self.axes, x, self.window, self.size, self.ratio, samples, self.return_indices)

    def extra_repr(self) -> str:
        many = f"size={self.size}" if self.size is not None else f"ratio={self.ratio}"
        return f"window={self.window}, {many}" + (", return_indices=True" if self.return_indices else "")


@register
class FractionalMaxPool2d(FractionalMaxPool):
    """Pooling of (N, C, height, width) by a fraction, at random.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.FractionalMaxPool2d(2, ratio=0.7)(wf.ones((1, 2, 8, 8))).shape
    (1, 2, 5, 5)
    """

    axes = 2


@register
class FractionalMaxPool3d(FractionalMaxPool):
    """Pooling of (N, C, depth, height, width) by a fraction, at random."""

    axes = 3


# ── all of it ───────────────────────────────────────────────────────────────────────────────────────────────


@register
class GlobalAveragePool(Module):
    """The mean over all positions: (N, C, *spatial) to (N, C), for any number of spatial axes.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GlobalAveragePool()(wf.ones((1, 2, 4, 4))).tolist()
    [[1.0, 1.0]]
    """

    def forward(self, x: Any) -> Tensor:
        return functional.global_average_pool(x)


@register
class GlobalMaxPool(Module):
    """The largest element of all positions: (N, C, *spatial) to (N, C), for any number of spatial axes.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GlobalMaxPool()(wf.arange(4.0).reshape(1, 1, 4)).tolist()
    [[3.0]]
    """

    def forward(self, x: Any) -> Tensor:
        return functional.global_max_pool(x)
