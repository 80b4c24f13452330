"""Convolution layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from weft.errors import ArgumentError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import sizes, spread
from weft.nn.functional.convolution import check_rank, pads
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


class Conv(Module):
    """What Conv1d, Conv2d and Conv3d have in common; they only say over how many axes.

    ``Conv2d(3, 16, 5)`` takes 3 channels to 16 with a kernel of 5 × 5; ``Conv2d(16, 5)`` learns the 3 from its first
    input. ``padding`` is a number, one for each axis, "valid" (none) or "same". Shapes: x (N, in_channels, *spatial),
    weight (out_channels, in_channels / groups, *kernel), bias (out_channels,).
    """

    axes: ClassVar[int]

    def __init__(
        self,
        *channels: Any,
        kernel_size: int | tuple[int, ...] | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: Any = True,
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        layer = type(self).__name__
        *known, kernel_size = (*channels, kernel_size) if kernel_size is not None else channels or (None,)
        if len(known) not in (1, 2):
            raise ArgumentError(
                f"{layer}{channels}",
                expected="(in_channels, out_channels, kernel_size), or (out_channels, kernel_size) to infer the first",
                cure=f"nn.{layer}(3, 16, 5), or nn.{layer}(16, 5)",
            )
        sizes(layer, 1, channels=tuple(known), groups=groups)
        self.in_channels: int | None = known[0] if len(known) == 2 else None
        self.out_channels: int = known[-1]
        self.kernel_size = spread(layer, "kernel_size", kernel_size, self.axes)
        self.stride = spread(layer, "stride", stride, self.axes)
        self.dilation = spread(layer, "dilation", dilation, self.axes)
        self.padding = padding if isinstance(padding, str) else spread(layer, "padding", padding, self.axes, least=0)
        pads(layer, padding, self.kernel_size, self.stride, self.dilation)
        self.groups = groups
        self.weight_init, self.bias_init, self.dtype = weight_init, bias_init, data_type(dtype)
        self.weight = Parameter.drawn(None, weight_init, dtype=dtype)
        self.bias = Parameter.drawn(None, bias_init, dtype=dtype) if bias else None
        self._sized = self.in_channels is not None
        if self.in_channels is not None:
            self._shape(self.in_channels)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels as the constructor takes them."""
        return (self.out_channels,) if self.in_channels is None else (self.in_channels, self.out_channels)

    def infer(self, x: Tensor) -> None:
        check_rank(x.shape, self.axes, "channels")
        self._shape(x.shape[1])
        self.in_channels = x.shape[1]

    def _shape(self, in_channels: int) -> None:
        for name, n in (("in_channels", in_channels), ("out_channels", self.out_channels)):
            if n % self.groups:
                raise ArgumentError(
                    f"{type(self).__name__}: groups={self.groups} with {name}={n}",
                    expected=f"groups that divide {name}",
                )
        shape = (self.out_channels, in_channels // self.groups, *self.kernel_size)
        self.weight.shaped(shape)
        if self.bias is not None:
            self.bias.shaped((self.out_channels,), fan_in=math.prod(shape[1:]))

    def forward(self, x: Any) -> Tensor:
        return functional.conv(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )

    def extra_repr(self) -> str:
        known = "?" if self.in_channels is None else self.in_channels
        text = f"{known}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        plain = {"padding": (0,) * self.axes, "dilation": (1,) * self.axes, "groups": 1}
        text += "".join(f", {k}={getattr(self, k)!r}" for k, usual in plain.items() if getattr(self, k) != usual)
        return text + ("" if self.bias is not None else ", bias=False")


@register
class Conv1d(Conv):
    """Convolution over one axis: (N, C, length)."""

    axes = 1


@register
class Conv2d(Conv):
    """Convolution over two axes: (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Conv2d(1, 4, 3, padding="same").build((2, 1, 8, 8)).weight.shape
    (4, 1, 3, 3)
    """

    axes = 2


@register
class Conv3d(Conv):
    """Convolution over three axes: (N, C, depth, height, width)."""

    axes = 3
