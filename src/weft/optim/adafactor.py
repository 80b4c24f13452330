"""Adafactor: second moments of a matrix kept as one number for each row and each column."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from weft.graph.spec import Spec
from weft.nn.check import number
from weft.ops.arithmetic import maximum, minimum
from weft.ops.exponential import sqrt
from weft.optim.numbers import Rate
from weft.optim.optimizer import Array, Common, Optimizer


class Adafactor(Optimizer):
    """Adaptive steps with memory for rows and columns only (Shazeer & Stern 2018, Algorithms 4 and 5).

    β₂ₜ = 1 − t^(−c);  α_t = max(ε₂, RMS(w))·min(learning_rate, 1/√t);  w ← (1 − learning_rate·weight_decay)·w
    R ← β₂ₜR + (1−β₂ₜ)·mean_columns(g²);  C ← β₂ₜC + (1−β₂ₜ)·mean_rows(g²);  V̂ = R·Cᵀ / mean(R)
    U = g / √V̂;  w ← w − α_t · U / max(1, RMS(U)/d)

    Parameters with less than two axes keep V̂ whole; of more than two axes the last two count as rows and columns.
    ``epsilon1`` keeps V̂ ≥ ε₁²; None: the rounding unit of the parameter's type, as in PyTorch.
    """

    numbers = ("learning_rate", "weight_decay", "decay_rate", "epsilon2", "clipping")
    options = ("epsilon1",)
    elementwise = False
    decay_rate: Rate
    epsilon2: Rate
    clipping: Rate
    epsilon1: float | None

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        decay_rate: Rate = 0.8,
        epsilon1: float | None = None,
        epsilon2: Rate = 1e-3,
        clipping: Rate = 1.0,
        weight_decay: Rate = 0.0,
        **common: Unpack[Common],
    ) -> None:
        if epsilon1 is not None:
            number("Adafactor", 0, epsilon1=epsilon1)
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, decay_rate=decay_rate, epsilon2=epsilon2,
            clipping=clipping,
        )  # fmt: skip
        self.epsilon1 = epsilon1

    def first(self, spec: Spec) -> dict[str, Array]:
        if len(spec.shape) < 2:
            return {"v": np.zeros(spec.shape, spec.dtype.numpy)}
        *outer, rows, columns = spec.shape
        return {
            "r": np.zeros((*outer, rows, 1), spec.dtype.numpy),
            "c": np.zeros((*outer, 1, columns), spec.dtype.numpy),
        }

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, decay_rate: Any,
        epsilon2: Any, clipping: Any, epsilon1: float | None,
    ) -> Any:  # fmt: skip
        least = float(np.finfo(w.dtype.numpy).eps) if epsilon1 is None else epsilon1
        fresh = t**-decay_rate  # 1 − β₂ₜ
        alpha = maximum(rms(w), epsilon2) * minimum(learning_rate, 1 / sqrt(t))
        w = w * (1 - learning_rate * weight_decay)
        if "v" in state:
            v = state["v"] + fresh * (g * g - state["v"])
            after, estimate = {"v": v}, v
        else:
            r = state["r"] + fresh * ((g * g).mean(axis=-1, keepdims=True) - state["r"])
            c = state["c"] + fresh * ((g * g).mean(axis=-2, keepdims=True) - state["c"])
            after = {"r": r, "c": c}
            estimate = r / maximum(r.mean(axis=-2, keepdims=True), least) * c
        u = g / sqrt(maximum(estimate, least * least))
        return w - alpha / maximum(rms(u) / clipping, 1.0) * u, after


def rms(x: Any) -> Any:
    """The root of the mean square of all elements."""
    return sqrt((x * x).mean())
