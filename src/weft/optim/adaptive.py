"""Gradients divided by what they have been: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from weft.graph.spec import Spec
from weft.ops.arithmetic import maximum
from weft.ops.exponential import sqrt
from weft.optim.numbers import Rate
from weft.optim.optimizer import Array, Common, Optimizer, penalized


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of their squares (Duchi, Hazan & Singer 2011, diagonal form).

    g ← g + weight_decay·w;  s ← s + g²;  w ← w − learning_rate/(1 + (t−1)·rate_decay) · g / (√s + ε)

    ``start`` is the first value of s.
    """

    numbers = ("learning_rate", "weight_decay", "epsilon", "rate_decay")
    epsilon: Rate
    rate_decay: Rate

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        epsilon: Rate = 1e-10,
        *,
        rate_decay: Rate = 0.0,
        start: float = 0.0,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, epsilon=epsilon, rate_decay=rate_decay
        )
        self.start = start

    def first(self, spec: Spec) -> dict[str, Array]:
        return {"s": np.full(spec.shape, self.start, spec.dtype.numpy)}

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"start": self.start}

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, epsilon: Any, rate_decay: Any
    ) -> Any:
        g = penalized(g, weight_decay, w)
        s = state["s"] + g * g
        return w - learning_rate / (1 + (t - 1) * rate_decay) * g / (sqrt(s) + epsilon), {"s": s}


class Adadelta(Optimizer):
    """Steps in the unit of the weights (Zeiler 2012, Algorithm 1).

    g ← g + weight_decay·w;  v ← ρv + (1−ρ)g²;  Δ = √(u + ε)/√(v + ε) · g;  u ← ρu + (1−ρ)Δ²;  w ← w − learning_rate·Δ
    """

    slots = ("v", "u")
    numbers = ("learning_rate", "weight_decay", "rho", "epsilon")
    rho: Rate
    epsilon: Rate

    def __init__(
        self,
        learning_rate: Rate = 1.0,
        rho: Rate = 0.9,
        epsilon: Rate = 1e-6,
        *,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate=learning_rate, weight_decay=weight_decay, rho=rho, epsilon=epsilon)

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, rho: Any, epsilon: Any
    ) -> Any:
        v, u = state["v"], state["u"]
        g = penalized(g, weight_decay, w)
        v = rho * v + (1 - rho) * g * g
        delta = sqrt((u + epsilon) / (v + epsilon)) * g
        u = rho * u + (1 - rho) * delta * delta
        return w - learning_rate * delta, {"v": v, "u": u}


class RMSprop(Optimizer):
    """Gradients divided by a running root of their mean square (Hinton 2012, lecture 6), in PyTorch's form.

    g ← g + weight_decay·w;  v ← αv + (1−α)g²;  b ← momentum·b + g / (√v + ε);  w ← w − learning_rate·b

    ``centered`` divides by the deviation instead, √(v − ḡ²), with ḡ ← αḡ + (1−α)g (Graves 2013).
    """

    numbers = ("learning_rate", "weight_decay", "alpha", "epsilon", "momentum")
    options = ("centered",)
    alpha: Rate
    epsilon: Rate
    momentum: Rate
    centered: bool

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        alpha: Rate = 0.99,
        epsilon: Rate = 1e-8,
        momentum: Rate = 0.0,
        *,
        centered: bool = False,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, alpha=alpha, epsilon=epsilon,
            momentum=momentum,
        )  # fmt: skip
        self.centered = centered

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("v", *(("mean",) if self.centered else ()), *(("b",) if self.uses("momentum") else ()))

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, alpha: Any, epsilon: Any,
        momentum: Any, centered: bool,
    ) -> Any:  # fmt: skip
        g = penalized(g, weight_decay, w)
        v = alpha * state["v"] + (1 - alpha) * g * g
        after, spread = {"v": v}, v
        if centered:
            mean = after["mean"] = alpha * state["mean"] + (1 - alpha) * g
            spread = maximum(v - mean * mean, 0.0)  # rounding must not make a root of a negative number
        step = g / (sqrt(spread) + epsilon)
        if "b" in state:
            step = after["b"] = momentum * state["b"] + step
        return w - learning_rate * step, after
