"""Adam and its family: running means of the gradient and of its square."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from weft.graph.spec import Spec
from weft.ops.arithmetic import abs, maximum
from weft.ops.comparison import where
from weft.ops.exponential import expm1, log, sqrt
from weft.optim.numbers import Rate
from weft.optim.optimizer import Array, Common, Optimizer, penalized


class Moments(Optimizer):
    """What the family shares: two moments and their numbers β₁, β₂ and ε."""

    slots = ("m", "v")
    numbers: ClassVar[tuple[str, ...]] = ("learning_rate", "weight_decay", "beta1", "beta2", "epsilon")
    beta1: Rate
    beta2: Rate
    epsilon: Rate

    def __init__(
        self, common: Common, /, learning_rate: Rate, beta1: Rate, beta2: Rate, epsilon: Rate, weight_decay: Rate,
        **more: Rate,
    ) -> None:  # fmt: skip
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, beta1=beta1, beta2=beta2, epsilon=epsilon,
            **more,
        )  # fmt: skip


class Adam(Moments):
    """Adaptive moments (Kingma & Ba 2015, Algorithm 1), with ε added outside of the root as there.

    m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − learning_rate · m̂ / (√v̂ + ε),
    m̂ = m / (1−β₁ᵗ),  v̂ = v / (1−β₂ᵗ)

    ``weight_decay`` adds weight_decay·w to the gradient (L2); for decay apart from it see `AdamW`. ``amsgrad`` divides
    by the root of the largest v so far (Reddi, Kale & Kumar 2018). PyTorch places ε alike; scikit-learn adds it to √v
    before the correction, which is this ε divided by √(1−β₂ᵗ).
    """

    options = ("amsgrad",)
    amsgrad: bool

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-8,
        *,
        weight_decay: Rate = 0.0,
        amsgrad: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate, beta1, beta2, epsilon, weight_decay)
        self.amsgrad = amsgrad

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("m", "v", "v_max") if self.amsgrad else ("m", "v")

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any,
        epsilon: Any, amsgrad: bool,
    ) -> Any:  # fmt: skip
        g = penalized(g, weight_decay, w)
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        after = {"m": m, "v": v}
        if amsgrad:
            v = after["v_max"] = maximum(state["v_max"], v)
        # learning_rate · m̂ / (√v̂ + ε) with one division for each weight: the corrections are numbers
        rate, spread = learning_rate / bias(beta1, t), sqrt(v) * (1 / sqrt(bias(beta2, t)))
        return w - rate * m / (spread + epsilon), after


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): w ← (1 − learning_rate·weight_decay)·w first."""

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-8,
        *,
        weight_decay: Rate = 0.01,
        amsgrad: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, weight_decay=weight_decay, amsgrad=amsgrad, **common)

    @classmethod
    def formula(cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, **rest: Any) -> Any:
        decayed = w * (1 - learning_rate * weight_decay)
        return super().formula(decayed, g, state, t, learning_rate=learning_rate, weight_decay=0, **rest)


class NAdam(Moments):
    """Adam with Nesterov's look ahead (Dozat 2016, with the momentum schedule of Sutskever et al. 2013).

    μ_t = β₁(1 − 0.96^(t·momentum_decay)/2);  m, v as in Adam;  v̂ = v / (1−β₂ᵗ)
    w ← w − learning_rate · [(1−μ_t)·g / (1 − Πμ) + μ_{t+1}·m / (1 − μ_{t+1}Πμ)] / (√v̂ + ε), Πμ = μ₁⋯μ_t

    ``decoupled`` decays the weights as AdamW does instead of through the gradient.
    """

    numbers = (*Moments.numbers, "momentum_decay")
    options = ("decoupled",)
    shared = ("mu_product",)
    momentum_decay: Rate
    decoupled: bool

    def __init__(
        self,
        learning_rate: Rate = 2e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-8,
        *,
        momentum_decay: Rate = 4e-3,
        weight_decay: Rate = 0.0,
        decoupled: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate, beta1, beta2, epsilon, weight_decay, momentum_decay=momentum_decay)
        self.decoupled = decoupled

    def first(self, spec: Spec) -> dict[str, Array]:
        return super().first(spec) | {"mu_product": np.ones((), spec.dtype.numpy)}

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any,
        epsilon: Any, momentum_decay: Any, decoupled: bool,
    ) -> Any:  # fmt: skip
        w, g = decayed(w, g, learning_rate, weight_decay, decoupled)
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product = state["mu_product"] * mu
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        spread = sqrt(v) * (1 / sqrt(bias(beta2, t)))  # √v̂
        ahead = g * ((1 - mu) / (1 - product)) + m * (mu_next / (1 - product * mu_next))
        return w - learning_rate * ahead / (spread + epsilon), {"m": m, "v": v, "mu_product": product}


class RAdam(Moments):
    """Adam whose adaptive step waits until the variance is known well enough (Liu et al. 2020, Algorithm 2).

    ρ∞ = 2/(1−β₂) − 1;  ρ_t = ρ∞ − 2t·β₂ᵗ/(1−β₂ᵗ)
    ρ_t > 5:  r = √((ρ_t−4)(ρ_t−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ_t));  w ← w − learning_rate · r·m̂·√(1−β₂ᵗ) / (√v + ε)
    else:     w ← w − learning_rate · m̂

    ``decoupled`` decays the weights as AdamW does instead of through the gradient.
    """

    options = ("decoupled",)
    decoupled: bool

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-8,
        *,
        weight_decay: Rate = 0.0,
        decoupled: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate, beta1, beta2, epsilon, weight_decay)
        self.decoupled = decoupled

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any,
        epsilon: Any, decoupled: bool,
    ) -> Any:  # fmt: skip
        w, g = decayed(w, g, learning_rate, weight_decay, decoupled)
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        correction = bias(beta2, t)
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / correction
        known = rho > 5
        safe = where(known, rho, 6.0)
        r = sqrt((safe - 4) * (safe - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * safe))
        rate = learning_rate / bias(beta1, t)  # of m, which makes it that of m̂
        adaptive = r * sqrt(correction) / (sqrt(v) + epsilon)
        return w - rate * m * where(known, adaptive, 1.0), {"m": m, "v": v}


class Adamax(Moments):
    """Adam with the infinity norm in the place of v (Kingma & Ba 2015, Algorithm 2; ε where PyTorch has it).

    m ← β₁m + (1−β₁)g;  u ← max(β₂u, |g| + ε);  w ← w − learning_rate / (1−β₁ᵗ) · m / u
    """

    slots = ("m", "u")

    def __init__(
        self,
        learning_rate: Rate = 2e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-8,
        *,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate, beta1, beta2, epsilon, weight_decay)

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any,
        epsilon: Any,
    ) -> Any:  # fmt: skip
        g = penalized(g, weight_decay, w)
        m = beta1 * state["m"] + (1 - beta1) * g
        u = maximum(beta2 * state["u"], abs(g) + epsilon)
        return w - learning_rate / bias(beta1, t) * m / u, {"m": m, "u": u}


class Lamb(Moments):
    """Adam's step, each layer's scaled to the norm of its weights (You et al. 2020, Algorithm 2).

    r = m̂ / (√v̂ + ε) + weight_decay·w;  w ← w − learning_rate · (‖w‖/‖r‖) · r, the ratio 1 where a norm is 0

    For large batches. Layer by layer: parameters are never laid end to end.
    """

    elementwise = False

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        epsilon: Rate = 1e-6,
        *,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(common, learning_rate, beta1, beta2, epsilon, weight_decay)

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, beta1: Any, beta2: Any,
        epsilon: Any,
    ) -> Any:  # fmt: skip
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        spread = sqrt(v) * (1 / sqrt(bias(beta2, t)))  # √v̂
        r = 1 / bias(beta1, t) * m / (spread + epsilon) + weight_decay * w
        of_w, of_r = sqrt((w * w).sum()), sqrt((r * r).sum())
        trust = where((of_w > 0) & (of_r > 0), of_w / of_r, 1.0)
        return w - learning_rate * trust * r, {"m": m, "v": v}


def bias(beta: Any, t: Any) -> Any:
    """1 − βᵗ, without the rounding of βᵗ where that is near 1."""
    return -expm1(t * log(beta))


def decayed(w: Any, g: Any, learning_rate: Any, weight_decay: Any, decoupled: bool) -> tuple[Any, Any]:
    """Weight decay: of the weights themselves, or through the gradient."""
    if decoupled:
        return w * (1 - learning_rate * weight_decay), g
    return w, penalized(g, weight_decay, w)
