"""Transposed convolution layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.graph.dtype import float32
from weft.nn.check import plain_sizes, spread
from weft.nn.functional.convolution_transpose import (
    check_output_padding,
    conv_transpose_over,
    output_padding_for,
)
from weft.nn.layers.convolution import Convolution
from weft.nn.registry import register
from weft.ops.manipulation import expand_dims, squeeze
from weft.tensor import Tensor


class ConvTranspose(Convolution):
    """What ConvTranspose1d, ConvTranspose2d and ConvTranspose3d have in common: each element spread over a kernel.

    Along each axis (size − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1 positions, or those of
    ``output_size`` in the call, which is less than a stride more. Shapes: x (N, in_channels, *spatial), weight
    (in_channels, out_channels / groups, *kernel), bias (out_channels,).
    """

    transposed = True
    usual = {**Convolution.usual, "output_padding": 0}

    def __init__(
        self,
        *channels: Any,
        kernel_size: int | tuple[int, ...] | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        output_padding: int | tuple[int, ...] = 0,
        groups: int = 1,
        bias: Any = True,
        dilation: int | tuple[int, ...] = 1,
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        layer = type(self).__name__
        self.declare(channels, kernel_size, stride, dilation, groups)
        self.padding = spread(layer, "padding", padding, self.axes, least=0)
        self.output_padding = check_output_padding(layer, output_padding, self.stride, self.dilation)
        self.draw(bias, weight_init, bias_init, dtype)

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        if self.is_one_example(x):
            return squeeze(self.forward(expand_dims(x, axis=0), output_size), 0)
        window = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        more = self.output_padding
        if output_size is not None:
            given = plain_sizes(output_size)
            more = output_padding_for(type(self).__name__, x.shape[2:], given, self.kernel_size, **window)
        return conv_transpose_over(
            self.axes, x, self.weight, self.bias, output_padding=more, groups=self.groups, **window
        )


@register
class ConvTranspose1d(ConvTranspose):
    """Transposed convolution over one axis: (N, C, length)."""

    axes = 1


@register
class ConvTranspose2d(ConvTranspose):
    """Transposed convolution over two axes: (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> layer = nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1)
    >>> layer(wf.zeros((2, 4, 5, 5))).shape, layer(wf.zeros((2, 4, 5, 5)), output_size=(10, 10)).shape
    ((2, 1, 9, 9), (2, 1, 10, 10))
    """

    axes = 2


@register
class ConvTranspose3d(ConvTranspose):
    """Transposed convolution over three axes: (N, C, depth, height, width)."""

    axes = 3
