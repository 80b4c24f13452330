"""Convolution layers, and what they share with the transposed ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from weft.errors import ArgumentError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import choice, sizes, spread
from weft.nn.functional.convolution import check_rank, pads
from weft.nn.functional.padding import MODES, pad
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.manipulation import expand_dims, squeeze
from weft.tensor import Tensor


class Convolution(Module):
    """Channels, kernel and parameters of convolution layers of both directions, over ``axes`` spatial axes.

    ``Conv2d(3, 16, 5)`` takes 3 channels to 16 with a kernel of 5 × 5; ``Conv2d(16, 5)`` learns the 3 from its first
    input. An input is (N, in_channels, *spatial), or one example without N.
    """

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    in_channels: int | None
    padding: Any
    groups: int
    usual: ClassVar[dict[str, Any]] = {"padding": 0, "dilation": 1, "groups": 1}  # what the text form leaves out

    def declare(self, channels: tuple[Any, ...], kernel_size: Any, stride: Any, dilation: Any, groups: int) -> None:
        """Keep the sizes, one for each axis, refused where they make no sense."""
        layer = type(self).__name__
        *known, kernel_size = (*channels, kernel_size) if kernel_size is not None else channels or (None,)
        if len(known) not in (1, 2):
            raise ArgumentError(
                f"{layer}{channels}",
                expected="(in_channels, out_channels, kernel_size), or (out_channels, kernel_size) to infer the first",
                cure=f"nn.{layer}(3, 16, 5), or nn.{layer}(16, 5)",
            )
        known = known[1:] if len(known) == 2 and known[0] is None else known
        sizes(layer, 1, channels=tuple(known), groups=groups)
        self.in_channels = known[0] if len(known) == 2 else None
        self.out_channels: int = known[-1]
        self.kernel_size = spread(layer, "kernel_size", kernel_size, self.axes)
        self.stride = spread(layer, "stride", stride, self.axes)
        self.dilation = spread(layer, "dilation", dilation, self.axes)
        self.groups = groups

    def draw(self, bias: Any, weight_init: Any, bias_init: Any, dtype: Any) -> None:
        """Make the parameters, as soon as the channels are known."""
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
        check_rank(x.shape, self.axes, "channels")  # of one example it could not be told which axis the channels are
        self._shape(x.shape[1])
        self.in_channels = x.shape[1]

    def _shape(self, in_channels: int) -> None:
        for name, n in (("in_channels", in_channels), ("out_channels", self.out_channels)):
            if n % self.groups:
                raise ArgumentError(
                    f"{type(self).__name__}: groups={self.groups} with {name}={n}",
                    expected=f"groups that divide {name}",
                )
        first, second = (in_channels, self.out_channels) if self.transposed else (self.out_channels, in_channels)
        shape = (first, second // self.groups, *self.kernel_size)
        self.weight.shaped(shape)
        if self.bias is not None:
            self.bias.shaped((self.out_channels,), fan_in=math.prod(shape[1:]))

    def is_one_example(self, x: Any) -> bool:
        """Whether ``x`` has the layer's channels first, without a batch axis."""
        return bool(x.ndim == self.axes + 1 and x.shape[0] == self.in_channels)

    def extra_repr(self) -> str:
        known = "?" if self.in_channels is None else self.in_channels
        text = f"{known}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, value in self.usual.items():
            own = getattr(self, name)
            text += "" if own in (value, (value,) * self.axes) else f", {name}={own!r}"
        return text + ("" if self.bias is not None else ", bias=False")


class Conv(Convolution):
    """What Conv1d, Conv2d and Conv3d have in common; they only say over how many axes.

    ``padding`` is a number, one for each axis, "valid" (none) or "same"; ``padding_mode`` fills it with "zeros", or
    as "reflect", "replicate" or "circular" of `functional.pad` do. Shapes: x (N, in_channels, *spatial), weight
    (out_channels, in_channels / groups, *kernel), bias (out_channels,).
    """

    usual = {**Convolution.usual, "padding_mode": "zeros"}

    def __init__(
        self,
        *channels: Any,
        kernel_size: int | tuple[int, ...] | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: Any = True,
        padding_mode: str = "zeros",
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        layer = type(self).__name__
        choice(layer, "padding_mode", padding_mode, ("zeros", *(mode for mode in MODES if mode != "constant")))
        self.declare(channels, kernel_size, stride, dilation, groups)
        self.padding = padding if isinstance(padding, str) else spread(layer, "padding", padding, self.axes, least=0)
        self._around = pads(layer, padding, self.kernel_size, self.stride, self.dilation)
        self.padding_mode = padding_mode
        self.draw(bias, weight_init, bias_init, dtype)

    def forward(self, x: Any) -> Tensor:
        if self.is_one_example(x):
            return squeeze(self.forward(expand_dims(x, axis=0)), 0)
        around: Any = self._around
        if self.padding_mode != "zeros" and x.ndim == self.axes + 2:
            x = pad(x, [n for pair in reversed(around) for n in pair], self.padding_mode)
            around = 0
        return functional.conv(
            x, self.weight, self.bias, stride=self.stride, padding=around, dilation=self.dilation, groups=self.groups
        )


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
