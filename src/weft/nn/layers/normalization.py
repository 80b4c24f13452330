"""Normalisation layers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import fraction, positive, sizes
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


class BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d have in common: (x − mean) / √(variance + ε) · weight + bias per channel.

    In training mode with the statistics of the batch, which also move the running ones: running ← (1 − momentum) ·
    running + momentum · batch. In evaluation mode with the running ones. ``num_features``, the number of channels,
    is learned from the first input if it is left out.
    """

    ranks: ClassVar[tuple[int, ...]]
    running_mean: Buffer
    running_var: Buffer

    def __init__(
        self, num_features: int | None = None, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True
    ) -> None:
        layer = type(self).__name__
        sizes(layer, 1, num_features=num_features)
        positive(layer, eps=eps)
        if momentum is not None:
            fraction(layer, momentum=momentum)
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.weight = Parameter.drawn(None, "ones") if affine else None
        self.bias = Parameter.drawn(None, "zeros") if affine else None
        self._sized = num_features is not None
        if num_features is not None:
            self._shape(num_features)

    def infer(self, x: Tensor) -> None:
        self._check(x)
        self.num_features = x.shape[1]
        self._shape(x.shape[1])

    def _shape(self, channels: int) -> None:
        for p in (self.weight, self.bias):
            if p is not None:
                p.shaped((channels,))
        self.running_mean = Buffer(np.zeros(channels, np.float32))
        self.running_var = Buffer(np.ones(channels, np.float32))
        self.num_batches_tracked = Buffer(np.zeros((), np.int64))

    def reset_buffers(self) -> None:
        if self._sized:
            self.running_mean.assign(np.zeros(self.running_mean.shape, np.float32))
            self.running_var.assign(np.ones(self.running_var.shape, np.float32))
            self.num_batches_tracked.assign(np.zeros((), np.int64))

    def _check(self, x: Any) -> None:
        if x.ndim not in self.ranks:
            raise ShapeError(
                f"an input of shape {x.shape} for {type(self).__name__}",
                expected=" or ".join(("(N, C)", "(N, C, length)", "(N, C, height, width)")[r - 2] for r in self.ranks),
            )

    def forward(self, x: Any) -> Tensor:
        self._check(x)
        mean, variance = self.running_mean, self.running_var
        if not self.training:
            return functional.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)
        y, *after = functional.batch_norm_train(
            x,
            mean,
            variance,
            self.num_batches_tracked,
            self.weight,
            self.bias,
            momentum=self.momentum,
            eps=self.eps,
        )
        for buffer, value in zip((mean, variance, self.num_batches_tracked), after, strict=True):
            buffer.assign(value)
        return y

    def extra_repr(self) -> str:
        known = "?" if self.num_features is None else self.num_features
        return f"{known}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"


@register
class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C) or (N, C, length): Ioffe and Szegedy 2015."""

    ranks = (2, 3)


@register
class BatchNorm2d(BatchNorm):
    """Batch normalisation of (N, C, height, width): Ioffe and Szegedy 2015."""

    ranks = (4,)


@register
class LayerNorm(Module):
    """(x − mean) / √(variance + ε) · weight + bias over the last axes of each example: Ba et al. 2016.

    ``normalized_shape`` gives the sizes of these axes; left out, it is the last axis of the first input.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.LayerNorm(2, eps=1e-12)(wf.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self, normalized_shape: Any = None, eps: float = 1e-5, elementwise_affine: bool = True, bias: Any = True
    ) -> None:
        positive("LayerNorm", eps=eps)
        self.normalized_shape = last_axes("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter.drawn(self.normalized_shape, "ones") if elementwise_affine else None
        self.bias = Parameter.drawn(self.normalized_shape, "zeros") if elementwise_affine and bias else None
        self._sized = normalized_shape is not None

    def infer(self, x: Tensor) -> None:
        self.normalized_shape = x.shape[-1:]
        for p in (self.weight, self.bias):
            if p is not None:
                p.shaped(self.normalized_shape)

    def forward(self, x: Any) -> Tensor:
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape or '?'}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


@register
class RMSNorm(Module):
    """x / √(mean of x² + ε) · weight over the last axes: Zhang and Sennrich 2019."""

    def __init__(self, normalized_shape: Any = None, eps: float = 1e-6, elementwise_affine: bool = True) -> None:
        positive("RMSNorm", eps=eps)
        self.normalized_shape = last_axes("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter.drawn(self.normalized_shape, "ones") if elementwise_affine else None
        self._sized = normalized_shape is not None

    def infer(self, x: Tensor) -> None:
        self.normalized_shape = x.shape[-1:]
        if self.weight is not None:
            self.weight.shaped(self.normalized_shape)

    def forward(self, x: Any) -> Tensor:
        return functional.rms_norm(x, self.normalized_shape, self.weight, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape or '?'}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


@register
class GroupNorm(Module):
    """Normalisation over the channels of each group and all positions of (N, C, *spatial): Wu and He 2018."""

    def __init__(self, groups: int, channels: int | None = None, eps: float = 1e-5, affine: bool = True) -> None:
        sizes("GroupNorm", 1, groups=groups, channels=channels)
        positive("GroupNorm", eps=eps)
        self.groups, self.channels, self.eps, self.affine = groups, channels, eps, affine
        self.weight = Parameter.drawn(None, "ones") if affine else None
        self.bias = Parameter.drawn(None, "zeros") if affine else None
        self._sized = channels is not None
        if channels is not None:
            self._shape(channels)

    def infer(self, x: Tensor) -> None:
        self.channels = x.shape[1]
        self._shape(x.shape[1])

    def _shape(self, channels: int) -> None:
        if channels % self.groups:
            raise ArgumentError(
                f"GroupNorm: {self.groups} groups of {channels} channels", expected="groups that divide the channels"
            )
        for p in (self.weight, self.bias):
            if p is not None:
                p.shaped((channels,))

    def forward(self, x: Any) -> Tensor:
        return functional.group_norm(x, self.groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.groups}, {self.channels or '?'}, eps={self.eps}, affine={self.affine}"


def last_axes(layer: str, shape: Any) -> tuple[int, ...] | None:
    """The sizes of the last axes as a tuple; None while they are not known."""
    sizes(layer, 1, normalized_shape=shape)
    return None if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
