"""Normalisation with statistics of the batch, or of each channel of each example, and their running averages."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType, float32
from weft.graph.dtype import dtype as data_type
from weft.nn import functional
from weft.nn.check import fraction, positive, sizes
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter
from weft.nn.registry import register
from weft.ops.manipulation import expand_dims, squeeze
from weft.tensor import Tensor

SHAPES = {2: "(N, C)", 3: "(N, C, length)", 4: "(N, C, height, width)", 5: "(N, C, depth, height, width)"}


class RunningNorm(Module):
    """What both kinds share: the channels, their parameters, and the running averages."""

    ranks: ClassVar[tuple[int, ...]]
    each: ClassVar[bool]  # whether the statistics are those of each example
    running_mean: Buffer | None
    running_var: Buffer | None
    num_batches_tracked: Buffer | None
    num_features: int | None
    momentum: float | None
    dtype: DType

    def declare(self, num_features: int | None, eps: float, momentum: float | None) -> None:
        """Keep the numbers, refused where they make no sense."""
        layer = type(self).__name__
        sizes(layer, 1, optional=True, num_features=num_features)
        positive(layer, eps=eps)
        if momentum is not None:
            fraction(layer, momentum=momentum)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum

    def draw(self, affine: bool, bias: Any, track_running_stats: bool, dtype: Any) -> None:
        """Make parameters and buffers, as soon as the channels are known."""
        self.affine, self.track_running_stats, self.dtype = affine, track_running_stats, data_type(dtype)
        self.weight = Parameter.drawn(None, "ones", dtype=dtype) if affine else None
        self.bias = Parameter.drawn(None, "zeros", dtype=dtype) if affine and bias else None
        self.running_mean = self.running_var = self.num_batches_tracked = None
        self._sized = self.num_features is not None
        if self.num_features is not None:
            self._shape(self.num_features)

    def infer(self, x: Tensor) -> None:
        if x.ndim not in self.ranks:  # of one example it could not be told which axis the channels are
            raise self._misfit(x)
        self.num_features = x.shape[1]
        self._shape(x.shape[1])

    def _shape(self, channels: int) -> None:
        for p in (self.weight, self.bias):
            if p is not None:
                p.shaped((channels,))
        if self.track_running_stats:
            self.running_mean = Buffer(np.zeros(channels, np.float32), self.dtype)
            self.running_var = Buffer(np.ones(channels, np.float32), self.dtype)
            self.num_batches_tracked = Buffer(np.zeros((), np.int64))

    def reset_buffers(self) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.running_mean.assign(np.zeros(self.running_mean.shape, np.float32))
        self.running_var.assign(np.ones(self.running_var.shape, np.float32))
        self.num_batches_tracked.assign(np.zeros((), np.int64))

    def _misfit(self, x: Any) -> ShapeError:
        return ShapeError(
            f"an input of shape {x.shape} for {type(self).__name__}",
            expected=" or ".join(SHAPES[rank] for rank in self.ranks),
        )

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in self.ranks:
            raise self._misfit(x)
        mean, variance, seen = self.running_mean, self.running_var, self.num_batches_tracked
        if not self.training or mean is None or variance is None or seen is None:
            norm = functional.instance_norm if self.each else functional.batch_norm
            return norm(x, mean, variance, self.weight, self.bias, eps=self.eps)
        y, *after = functional.batch_norm_train(
            x, mean, variance, seen, self.weight, self.bias, momentum=self.momentum, eps=self.eps, each=self.each
        )
        mean.assign(after[0])
        variance.assign(after[1])
        if not self.each:
            seen.assign(after[2])
        return y

    def extra_repr(self) -> str:
        known = "?" if self.num_features is None else self.num_features
        text = f"{known}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"
        text += ", bias=False" if self.affine and self.bias is None else ""
        return text + f", track_running_stats={self.track_running_stats}"


class BatchNorm(RunningNorm):
    """What BatchNorm1d, 2d and 3d have in common: (x − mean) / √(variance + ε) · weight + bias per channel.

    In training mode with the statistics of the batch, which also move the running ones: running ← (1 − momentum) ·
    running + momentum · batch (PyTorch's convention: the momentum is the share of the new, and the running variance
    is the one without bias); a momentum of None averages all batches alike. In evaluation mode with the running
    ones, or, with ``track_running_stats=False``, with those of the batch. A training batch of one value per channel,
    which has no variance, is refused. ``num_features``, the channels, is learned from the first input if left out.
    """

    each = False

    def __init__(
        self,
        num_features: int | None = None,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: Any = True,
        dtype: Any = float32,
    ) -> None:
        self.declare(num_features, eps, momentum)
        self.draw(affine, bias, track_running_stats, dtype)


@register
class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C) or (N, C, length): Ioffe and Szegedy 2015.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.BatchNorm1d(eps=1e-12)(wf.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    ranks = (2, 3)


@register
class BatchNorm2d(BatchNorm):
    """Batch normalisation of (N, C, height, width): Ioffe and Szegedy 2015."""

    ranks = (4,)


@register
class BatchNorm3d(BatchNorm):
    """Batch normalisation of (N, C, depth, height, width): Ioffe and Szegedy 2015."""

    ranks = (5,)


class InstanceNorm(RunningNorm):
    """What InstanceNorm1d, 2d and 3d have in common: each channel of each example normalised by its own statistics.

    As in PyTorch there are no parameters and no running statistics unless ``affine`` and ``track_running_stats`` ask
    for them; the running ones average those of the examples, and take their place in evaluation mode. One example
    may come without the axis N.
    """

    each = True

    def __init__(
        self,
        num_features: int | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: Any = True,
        dtype: Any = float32,
    ) -> None:
        self.declare(num_features, eps, momentum)
        if momentum is None:
            raise ArgumentError(f"{type(self).__name__}: momentum=None", expected="0 ≤ momentum ≤ 1")
        self.draw(affine, bias, track_running_stats, dtype)

    def forward(self, x: Any) -> Tensor:
        if x.ndim == self.ranks[0] - 1:
            return squeeze(self.forward(expand_dims(x, axis=0)), 0)
        if x.ndim in self.ranks and x.shape[1] != self.num_features:
            raise ShapeError(
                f"an input of shape {x.shape}: axis 1 has size {x.shape[1]}, the layer takes {self.num_features}",
                expected=SHAPES[self.ranks[0]].replace("C", str(self.num_features)),
            )
        return super().forward(x)


@register
class InstanceNorm1d(InstanceNorm):
    """Instance normalisation of (N, C, length): Ulyanov et al. 2016."""

    ranks = (3,)


@register
class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of (N, C, height, width): Ulyanov et al. 2016.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.InstanceNorm2d(1, eps=1e-12)(wf.tensor([[[[1.0, 3.0]]], [[[0.0, 8.0]]]])).reshape(-1).tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    ranks = (4,)


@register
class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of (N, C, depth, height, width): Ulyanov et al. 2016."""

    ranks = (5,)
