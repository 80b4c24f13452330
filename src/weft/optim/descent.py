"""Descent along the gradient: SGD, its average (ASGD), and the sign of the gradient (Rprop, Lion)."""

from __future__ import annotations

from typing import Any, Unpack

from weft.errors import ArgumentError
from weft.ops.arithmetic import clip, maximum, sign
from weft.ops.comparison import where
from weft.optim.numbers import Rate
from weft.optim.optimizer import Common, Optimizer, penalized


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted (Polyak 1964; Nesterov 1983, in PyTorch's form).

    g ← g + weight_decay·w;  v ← momentum·v + (1 − dampening)·g (at first v = g);  w ← w − learning_rate·v

    With ``nesterov`` the step is g + momentum·v instead of v.

    >>> from weft import optim
    >>> optim.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, weight_decay=0, momentum=0.9, dampening=0, nesterov=False)
    """

    numbers = ("learning_rate", "weight_decay", "momentum", "dampening")
    options = ("nesterov",)
    momentum: Rate
    dampening: Rate
    nesterov: bool

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: Rate = 0.0,
        *,
        dampening: Rate = 0.0,
        nesterov: bool = False,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, momentum=momentum, dampening=dampening
        )
        self.nesterov = nesterov
        if nesterov and (not self.uses("momentum") or self.uses("dampening")):
            raise ArgumentError(
                "nesterov without momentum, or with dampening",
                expected="momentum > 0 and dampening = 0",
                cure="optim.SGD(0.1, momentum=0.9, nesterov=True)",
            )

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("v",) if self.uses("momentum") else ()

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, momentum: Any,
        dampening: Any, nesterov: bool,
    ) -> Any:  # fmt: skip
        g = penalized(g, weight_decay, w)
        if not state:  # without momentum
            return w - learning_rate * g, {}
        v = momentum * state["v"] + where(t > 1, 1 - dampening, 1) * g
        step = g + momentum * v if nesterov else v
        return w - learning_rate * step, {"v": v}


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992; Bottou 2010, in PyTorch's form).

    η = learning_rate / (1 + lambd·learning_rate·(t−1))^alpha;  μ = 1 / max(1, t − 1 − t0)
    g ← g + weight_decay·w;  w ← (1 − lambd·η)·w − η·g;  a ← a + μ·(w − a)

    The average a is in ``optimizer.state_dict(model)`` as ``path/a``.
    """

    slots = ("a",)
    numbers = ("learning_rate", "weight_decay", "lambd", "alpha", "t0")
    lambd: Rate
    alpha: Rate
    t0: Rate

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        lambd: Rate = 1e-4,
        alpha: Rate = 0.75,
        t0: Rate = 1e6,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, lambd=lambd, alpha=alpha, t0=t0
        )

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, lambd: Any, alpha: Any,
        t0: Any,
    ) -> Any:  # fmt: skip
        a = state["a"]
        eta = learning_rate / (1 + lambd * learning_rate * (t - 1)) ** alpha
        mu = 1 / maximum(t - 1 - t0, 1)
        g = penalized(g, weight_decay, w)
        w = (1 - lambd * eta) * w - eta * g
        a = a + mu * (w - a)
        return w, {"a": a}


class Rprop(Optimizer):
    """Resilient propagation (Riedmiller & Braun 1993): each weight's own step size, only the sign of its gradient.

    Δ ← clip(Δ·η⁺, least, most) where g has the sign it had, Δ·η⁻ where it has changed (and g ← 0 there);
    w ← w − sign(g)·Δ

    For whole data sets: the sign of a small batch's gradient is noise. ``weight_decay`` is not taken.
    """

    slots = ("g", "delta")
    numbers = ("learning_rate", "eta_minus", "eta_plus", "least", "most")
    eta_minus: Rate
    eta_plus: Rate
    least: Rate
    most: Rate

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        eta_minus: Rate = 0.5,
        eta_plus: Rate = 1.2,
        least: Rate = 1e-6,
        most: Rate = 50.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            common, learning_rate=learning_rate, eta_minus=eta_minus, eta_plus=eta_plus, least=least, most=most
        )

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, eta_minus: Any, eta_plus: Any, least: Any,
        most: Any,
    ) -> Any:  # fmt: skip
        delta = where(t > 1, state["delta"], learning_rate)
        same = g * state["g"]
        delta = clip(delta * where(same > 0, eta_plus, where(same < 0, eta_minus, 1.0)), least, most)
        g = where(same < 0, 0.0, g)
        return w - sign(g) * delta, {"g": g, "delta": delta}


class Lion(Optimizer):
    """The sign of an average of two momenta (Chen et al. 2023, Algorithm 2), with decoupled weight decay.

    c = β₁m + (1−β₁)g;  w ← w − learning_rate·(sign(c) + weight_decay·w);  m ← β₂m + (1−β₂)g

    Its learning rate is a third to a tenth of Adam's, its weight decay as many times larger.
    """

    slots = ("m",)
    numbers = ("learning_rate", "weight_decay", "beta1", "beta2")
    beta1: Rate
    beta2: Rate

    def __init__(
        self,
        learning_rate: Rate = 1e-4,
        beta1: Rate = 0.9,
        beta2: Rate = 0.99,
        *,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate=learning_rate, weight_decay=weight_decay, beta1=beta1, beta2=beta2)

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any
    ) -> Any:
        m = state["m"]
        c = beta1 * m + (1 - beta1) * g
        w = w - learning_rate * (sign(c) + weight_decay * w)
        m = beta2 * m + (1 - beta2) * g
        return w, {"m": m}
