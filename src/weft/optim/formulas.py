"""The optimizers, each its formula line by line, in the letters of its paper."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError
from weft.ops.exponential import sqrt
from weft.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted (Polyak 1964; Nesterov 1983, in PyTorch's form).

    g ← g + weight_decay·w;  v ← momentum·v + g;  w ← w − learning_rate·v

    With ``nesterov`` the step is g + momentum·v instead of v.

    >>> from weft import optim
    >>> optim.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, weight_decay=0, momentum=0.9, nesterov=0)
    """

    slots = ("v",)
    numbers = ("learning_rate", "weight_decay", "momentum")
    options = ("nesterov",)
    momentum: float

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, *, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.momentum, self.nesterov = momentum, nesterov
        if nesterov and momentum == 0:
            raise ArgumentError(
                "nesterov without momentum", expected="momentum > 0", cure="optim.SGD(0.1, momentum=0.9, nesterov=True)"
            )

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, momentum: Any, nesterov: bool
    ) -> Any:
        (v,) = state
        g = g + weight_decay * w
        v = momentum * v + g
        step = g + momentum * v if nesterov else v
        return w - learning_rate * step, (v,)


class Adam(Optimizer):
    """Adaptive moments (Kingma & Ba 2015, Algorithm 1), with ε added outside of the root as there.

    m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − learning_rate · m̂ / (√v̂ + ε),
    m̂ = m / (1−β₁ᵗ),  v̂ = v / (1−β₂ᵗ)

    ``weight_decay`` adds weight_decay·w to the gradient (L2); for decay apart from it see `AdamW`.
    """

    slots = ("m", "v")
    numbers = ("learning_rate", "weight_decay", "beta1", "beta2", "epsilon")
    beta1: float
    beta2: float
    epsilon: float

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        if not (beta1 < 1 and beta2 < 1):
            raise ArgumentError(f"betas {beta1} and {beta2}", expected="0 ≤ β < 1")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    @classmethod
    def formula(
        cls,
        w: Any,
        g: Any,
        state: Any,
        t: Any,
        *,
        learning_rate: Any,
        weight_decay: Any,
        beta1: Any,
        beta2: Any,
        epsilon: Any,
    ) -> Any:
        m, v = state
        g = g + weight_decay * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        return w - learning_rate * m_hat / (sqrt(v_hat) + epsilon), (m, v)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): w ← (1 − learning_rate·weight_decay)·w first."""

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, weight_decay=weight_decay)

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, **numbers: Any
    ) -> Any:
        decayed = w * (1 - learning_rate * weight_decay)
        return super().formula(decayed, g, state, t, learning_rate=learning_rate, weight_decay=0, **numbers)


class RMSprop(Optimizer):
    """Gradients divided by a running root of their mean square (Hinton 2012, lecture 6), in PyTorch's form.

    g ← g + weight_decay·w;  v ← αv + (1−α)g²;  b ← momentum·b + g / (√v + ε);  w ← w − learning_rate·b
    """

    slots = ("v", "b")
    numbers = ("learning_rate", "weight_decay", "alpha", "epsilon", "momentum")
    alpha: float
    epsilon: float
    momentum: float

    def __init__(
        self,
        learning_rate: float = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.alpha, self.epsilon, self.momentum = alpha, epsilon, momentum

    @classmethod
    def formula(
        cls,
        w: Any,
        g: Any,
        state: Any,
        t: Any,
        *,
        learning_rate: Any,
        weight_decay: Any,
        alpha: Any,
        epsilon: Any,
        momentum: Any,
    ) -> Any:
        v, b = state
        g = g + weight_decay * w
        v = alpha * v + (1 - alpha) * g * g
        b = momentum * b + g / (sqrt(v) + epsilon)
        return w - learning_rate * b, (v, b)
