"""Pooling layers with windows of a given size; layers of the same kind differ only in their number of axes."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.nn.check import plain_sizes, positive, spread
from weft.nn.functional.pooling import average_pool_over, check_window, max_pool_over, power_pool_over
from weft.nn.functional.unpooling import unpool_over
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor


class Pool(Module):
    """A window with one size for each axis, and how far apart windows start: ``stride``, by default side by side."""

    axes: ClassVar[int]
    usual: ClassVar[dict[str, Any]] = {}  # options with the values that the text form leaves out

    def window_of(self, window: Any, stride: Any, padding: Any = 0, dilation: Any = 1) -> None:
        """Keep the window, refused where it makes no sense."""
        name = type(self).__name__
        self.window = spread(name, "window", window, self.axes)
        self.stride = None if stride is None else spread(name, "stride", stride, self.axes)
        around = spread(name, "padding", padding, self.axes, least=0)
        check_window(name, self.window, self.stride, around, dilation)
        if "padding" in self.usual:
            self.padding = around

    def extra_repr(self) -> str:
        text = f"window={self.window}, stride={self.stride or self.window}"
        for name, value in self.usual.items():
            own = getattr(self, name)
            text += "" if own in (value, (value,) * self.axes) else f", {name}={own!r}"
        return text


# ── the maximum ─────────────────────────────────────────────────────────────────────────────────────────────


class MaxPool(Pool):
    """The largest element of every window of (N, C, *spatial), or without N; NaN is the largest.

    Padding never is the largest; ``dilation`` spreads a window's elements, ``ceil_mode`` keeps a last, incomplete one.
    With ``return_indices`` also the positions of the maxima in the flattened spatial axes, for unpooling.
    """

    usual = {"padding": 0, "dilation": 1, "return_indices": False, "ceil_mode": False}

    def __init__(
        self,
        window: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.dilation = spread(type(self).__name__, "dilation", dilation, self.axes)
        self.window_of(window, stride, padding, self.dilation)
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, x: Any) -> Any:
        given = (self.window, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)
        return max_pool_over(self.axes, x, *given)


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
class MaxPool3d(MaxPool):
    """The largest element of every window of (N, C, depth, height, width)."""

    axes = 3


class MaxUnpool(Pool):
    """Elements back at the ``indices`` that a max pooling returned, zeros elsewhere.

    (N, C, *spatial), or without N, becomes (spatial − 1)·stride − 2·padding + window, or ``output_size``.
    """

    usual = {"padding": 0}

    def __init__(self, window: Any, stride: Any = None, padding: Any = 0) -> None:
        self.window_of(window, stride, padding)

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return unpool_over(self.axes, x, indices, self.window, self.stride, self.padding, plain_sizes(output_size))


@register
class MaxUnpool1d(MaxUnpool):
    """The partial inverse of `MaxPool1d`."""

    axes = 1


@register
class MaxUnpool2d(MaxUnpool):
    """The partial inverse of `MaxPool2d`.

    >>> import weft as wf
    >>> from weft import nn
    >>> y, at = nn.MaxPool2d(2, return_indices=True)(wf.arange(4.0).reshape(1, 1, 2, 2))
    >>> nn.MaxUnpool2d(2)(y, at).tolist()
    [[[[0.0, 0.0], [0.0, 3.0]]]]
    """

    axes = 2


@register
class MaxUnpool3d(MaxUnpool):
    """The partial inverse of `MaxPool3d`."""

    axes = 3


# ── the mean ────────────────────────────────────────────────────────────────────────────────────────────────


class AvgPool(Pool):
    """The mean of every window of (N, C, *spatial), or without N.

    Padding counts as zeros unless ``count_include_pad`` is False. ``ceil_mode`` keeps a last, incomplete window;
    ``divisor_override`` divides the sums instead of the counts.
    """

    usual = {"padding": 0, "ceil_mode": False, "count_include_pad": True, "divisor_override": None}

    def __init__(
        self,
        window: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: float | None = None,
    ) -> None:
        self.window_of(window, stride, padding)
        if divisor_override is not None:
            positive(type(self).__name__, divisor_override=abs(divisor_override))
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Tensor:
        names = ("stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
        return average_pool_over(self.axes, x, self.window, **{name: getattr(self, name) for name in names})


@register
class AvgPool1d(AvgPool):
    """The mean of every window of (N, C, length)."""

    axes = 1


@register
class AvgPool2d(AvgPool):
    """The mean of every window of (N, C, height, width)."""

    axes = 2


@register
class AvgPool3d(AvgPool):
    """The mean of every window of (N, C, depth, height, width)."""

    axes = 3


# ── the power mean ──────────────────────────────────────────────────────────────────────────────────────────


class LPPool(Pool):
    """(Σ xᵖ)^(1/p) of every window of (N, C, *spatial), or without N: p = 1 sums, p = ∞ would be the maximum."""

    usual = {"ceil_mode": False}

    def __init__(self, p: float, window: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        positive(type(self).__name__, p=p)
        self.window_of(window, stride)
        self.p, self.ceil_mode = p, ceil_mode

    def forward(self, x: Any) -> Tensor:
        return power_pool_over(self.axes, x, self.p, self.window, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return f"p={self.p}, {super().extra_repr()}"


@register
class LPPool1d(LPPool):
    """The power mean of every window of (N, C, length)."""

    axes = 1


@register
class LPPool2d(LPPool):
    """The power mean of every window of (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.LPPool2d(2, 2)(wf.ones((1, 1, 2, 2))).tolist()
    [[[[2.0]]]]
    """

    axes = 2


@register
class LPPool3d(LPPool):
    """The power mean of every window of (N, C, depth, height, width)."""

    axes = 3
