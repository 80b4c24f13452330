"""Layers that disturb in training mode and do nothing in evaluation mode.

The random numbers are those of `weft.random`, new for every call.
"""

from __future__ import annotations

from typing import Any, ClassVar

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import fraction
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.manipulation import expand_dims, squeeze
from weft.tensor import Tensor


class Disturbing(Module):
    """What they have in common: one number, which may also be a tensor, and nothing to do where it is 0."""

    strength: ClassVar[str] = "p"

    def active(self) -> bool:
        """Whether anything is to be done now."""
        value = getattr(self, self.strength)
        return self.training and (isinstance(value, Tensor) or bool(value != 0))

    def extra_repr(self) -> str:
        return f"{self.strength}={getattr(self, self.strength)}"


@register
class Dropout(Disturbing):
    """In training mode each element becomes 0 with probability ``p``, and the others are divided by 1 − p.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Dropout(0.5).eval()(wf.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        fraction("Dropout", p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        return functional.dropout(x, self.p) if self.active() else x


class ChannelDropout(Disturbing):
    """What Dropout1d, 2d and 3d have in common: whole channels of (N, C, *spatial), or of one example, are dropped."""

    axes: ClassVar[int]

    def __init__(self, p: float = 0.5) -> None:
        fraction(type(self).__name__, p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in (self.axes + 1, self.axes + 2):
            spatial = ", ".join(("length", "height, width", "depth, height, width")[self.axes - 1 : self.axes])
            raise ShapeError(
                f"an input of shape {x.shape} for {type(self).__name__}",
                expected=f"(N, C, {spatial}) or (C, {spatial})",
            )
        if not self.active():
            return x
        return functional.dropout(x, self.p, axes=x.ndim - self.axes)


@register
class Dropout1d(ChannelDropout):
    """Dropout of whole channels of (N, C, length): Tompson et al. 2015."""

    axes = 1


@register
class Dropout2d(ChannelDropout):
    """Dropout of whole channels of (N, C, height, width): Tompson et al. 2015.

    >>> import weft as wf
    >>> from weft import nn
    >>> y = nn.Dropout2d(0.5)(wf.ones((4, 8, 2, 2)))
    >>> bool((y.max(axis=(2, 3)) == y.min(axis=(2, 3))).all())
    True
    """

    axes = 2


@register
class Dropout3d(ChannelDropout):
    """Dropout of whole channels of (N, C, depth, height, width): Tompson et al. 2015."""

    axes = 3


@register
class AlphaDropout(Disturbing):
    """Dropout for SELU: what is dropped becomes its saturation, mean and variance stay: Klambauer et al. 2017.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.AlphaDropout(0.5).eval()(wf.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        fraction("AlphaDropout", p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        return functional.alpha_dropout(x, self.p) if self.active() else x


@register
class FeatureAlphaDropout(Disturbing):
    """`AlphaDropout` of whole channels of (N, C, *spatial)."""

    def __init__(self, p: float = 0.5) -> None:
        fraction("FeatureAlphaDropout", p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        if x.ndim < 2:
            raise ShapeError(f"an input of shape {x.shape} for FeatureAlphaDropout", expected="(N, C, *spatial)")
        return functional.alpha_dropout(x, self.p, axes=2) if self.active() else x


@register
class DropPath(Disturbing):
    """Stochastic depth: whole examples become 0 with probability ``p``, the others are divided by 1 − p.

    At the end of the body of a `Residual` it skips the body for a part of the batch: Huang et al. 2016.

    >>> import weft as wf
    >>> from weft import nn
    >>> y = nn.Residual(nn.DropPath(0.5))(wf.ones((8, 2)))
    >>> sorted(set(y.reshape(-1).tolist())) in ([1.0], [1.0, 3.0], [3.0])
    True
    """

    def __init__(self, p: float = 0.1) -> None:
        fraction("DropPath", p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        if x.ndim == 0:
            return squeeze(self.forward(expand_dims(x, axis=0)), 0)
        return functional.dropout(x, self.p, axes=1) if self.active() else x


@register
class GaussianNoise(Disturbing):
    """In training mode x + std · ε, with ε ~ N(0, 1) for each element.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GaussianNoise(0.1).eval()(wf.ones(2)).tolist()
    [1.0, 1.0]
    """

    strength = "std"

    def __init__(self, std: float = 0.1) -> None:
        if isinstance(std, bool) or not isinstance(std, int | float) or not std >= 0:
            raise ArgumentError(f"GaussianNoise: std={std!r}", expected="std ≥ 0")
        self.std: float | Tensor = std

    def forward(self, x: Any) -> Tensor:
        return functional.gaussian_noise(x, self.std) if self.active() else x
