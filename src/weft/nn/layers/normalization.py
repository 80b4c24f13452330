"""Normalisation of each example by itself: over its last axes, groups of channels, or neighbouring channels."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import positive, sizes
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


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
        self,
        normalized_shape: Any = None,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: Any = True,
        *,
        dtype: Any = float32,
    ) -> None:
        positive("LayerNorm", eps=eps)
        self.normalized_shape = last_axes("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine, self.dtype = eps, elementwise_affine, data_type(dtype)
        shape = self.normalized_shape
        self.weight = Parameter.drawn(shape, "ones", dtype=dtype) if elementwise_affine else None
        self.bias = Parameter.drawn(shape, "zeros", dtype=dtype) if elementwise_affine and bias else None
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
    """x / √(mean of x² + ε) · weight over the last axes: Zhang and Sennrich 2019.

    An ``eps`` of None is the distance of 1 from the next number of the type of x, as in PyTorch.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.RMSNorm(2, eps=1e-12)(wf.tensor([[2.0, 2.0]])).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: Any = None,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = float32,
    ) -> None:
        if eps is not None:
            positive("RMSNorm", eps=eps)
        self.normalized_shape = last_axes("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine, self.dtype = eps, elementwise_affine, data_type(dtype)
        self.weight = Parameter.drawn(self.normalized_shape, "ones", dtype=dtype) if elementwise_affine else None
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
    """Normalisation over the channels of each group and all positions of (N, C, *spatial): Wu and He 2018.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GroupNorm(1, eps=1e-12)(wf.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int | None = None,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: Any = True,
        dtype: Any = float32,
    ) -> None:
        sizes("GroupNorm", 1, num_groups=num_groups)
        sizes("GroupNorm", 1, optional=True, num_channels=num_channels)
        positive("GroupNorm", eps=eps)
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine, self.dtype = eps, affine, data_type(dtype)
        self.weight = Parameter.drawn(None, "ones", dtype=dtype) if affine else None
        self.bias = Parameter.drawn(None, "zeros", dtype=dtype) if affine and bias else None
        self._sized = num_channels is not None
        if num_channels is not None:
            self._shape(num_channels)

    def infer(self, x: Tensor) -> None:
        self._shape(x.shape[1])
        self.num_channels = x.shape[1]

    def _shape(self, channels: int) -> None:
        if channels % self.num_groups:
            raise ArgumentError(
                f"GroupNorm: {self.num_groups} groups of {channels} channels",
                expected="groups that divide the channels",
            )
        for p in (self.weight, self.bias):
            if p is not None:
                p.shaped((channels,))

    def forward(self, x: Any) -> Tensor:
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels or '?'}, eps={self.eps}, affine={self.affine}"


@register
class LocalResponseNorm(Module):
    """x / (k + α / size · Σ x²)^β, the sum over ``size`` neighbouring channels: Krizhevsky et al. 2012.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.LocalResponseNorm(2, alpha=0.5, beta=1.0)(wf.tensor([[[2.0], [0.0]]])).tolist()
    [[[1.0], [0.0]]]
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        sizes("LocalResponseNorm", 1, size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Tensor:
        return functional.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def last_axes(layer: str, shape: Any) -> tuple[int, ...] | None:
    """The sizes of the last axes as a tuple; None while they are not known."""
    sizes(layer, 1, optional=shape is None, normalized_shape=shape)
    return None if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
