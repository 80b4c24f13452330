"""Activations as layers; the functions are in `weft.nn.functional`."""

from __future__ import annotations

from typing import Any

from weft.nn import functional
from weft.nn.check import ordered, positive
from weft.nn.functional.activation import gelu_form
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor


@register
class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Tensor:
        return functional.relu(x)


@register
class Sigmoid(Module):
    """1 / (1 + exp(−x)): into (0, 1). Give a loss ``…_with_logits`` what comes before it."""

    def forward(self, x: Any) -> Tensor:
        return functional.sigmoid(x)


@register
class Tanh(Module):
    """tanh x: into (−1, 1)."""

    def forward(self, x: Any) -> Tensor:
        return functional.tanh(x)


@register
class SiLU(Module):
    """x·sigmoid(x), also called swish."""

    def forward(self, x: Any) -> Tensor:
        return functional.silu(x)


@register
class SELU(Module):
    """The scaled ELU of self-normalising networks; start its weights with ``init.lecun_normal``."""

    def forward(self, x: Any) -> Tensor:
        return functional.selu(x)


@register
class LeakyReLU(Module):
    """x where it is positive, ``slope``·x elsewhere."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Any) -> Tensor:
        return functional.leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        return f"slope={self.slope}"


@register
class ELU(Module):
    """x where it is positive, ``alpha``·(exp(x) − 1) elsewhere."""

    def __init__(self, alpha: float = 1.0) -> None:
        positive("ELU", alpha=alpha)
        self.alpha = alpha

    def forward(self, x: Any) -> Tensor:
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


@register
class GELU(Module):
    """x·Φ(x) with Φ the normal distribution function; ``approximate="tanh"`` is the older formula."""

    def __init__(self, approximate: str = "none") -> None:
        gelu_form(approximate)
        self.approximate = approximate

    def forward(self, x: Any) -> Tensor:
        return functional.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


@register
class Softplus(Module):
    """log(1 + exp(βx)) / β: a smooth ReLU."""

    def __init__(self, beta: float = 1.0) -> None:
        positive("Softplus", beta=beta)
        self.beta = beta

    def forward(self, x: Any) -> Tensor:
        return functional.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


@register
class Hardtanh(Module):
    """x held between ``low`` and ``high``."""

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        ordered("Hardtanh", low, high)
        self.low, self.high = low, high

    def forward(self, x: Any) -> Tensor:
        return functional.hardtanh(x, self.low, self.high)

    def extra_repr(self) -> str:
        return f"low={self.low}, high={self.high}"


@register
class Softmax(Module):
    """exp(x) / Σ exp(x) along ``axis``. Not before ``cross_entropy``, which takes logits and applies it itself."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Tensor:
        return functional.softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


@register
class LogSoftmax(Module):
    """log softmax(x) along ``axis``, for ``nll_loss``."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Tensor:
        return functional.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"
