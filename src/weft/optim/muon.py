"""Muon: the momentum of a matrix made orthogonal."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Unpack

import numpy as np

from weft.errors import ArgumentError
from weft.graph.spec import Spec
from weft.nn.check import sizes
from weft.ops.arithmetic import maximum
from weft.ops.exponential import sqrt
from weft.optim.adam import AdamW
from weft.optim.numbers import Rate
from weft.optim.optimizer import Array, Common, Optimizer


class Muon(Optimizer):
    """Momentum, orthogonalised by Newton and Schulz's iteration (Jordan et al. 2024), with decoupled weight decay.

    m ← momentum·m + (1 − momentum)·g;  u = (1 − momentum)·g + momentum·m (with ``nesterov``, else m)
    X₀ = u / ‖u‖;  X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, ``iterations`` times
    w ← (1 − learning_rate·weight_decay)·w − learning_rate·scale·X

    ``scale`` is √max(1, rows/columns) with ``adjust="original"``, 0.2·√max(rows, columns) with "match_rms_adamw"
    (Liu et al. 2025), which lets AdamW's learning rates serve. Parameters that are no matrices are moved by AdamW with
    β = (0.9, 0.95), the same decay, and learning_rate·``others``. ``half`` computes the iteration in bfloat16, as
    PyTorch always does.
    """

    numbers = ("learning_rate", "weight_decay", "momentum", "epsilon", "others")
    options = ("nesterov", "coefficients", "iterations", "adjust", "half")
    elementwise = False
    momentum: Rate
    epsilon: Rate
    others: Rate
    nesterov: bool
    coefficients: tuple[float, float, float]
    iterations: int
    adjust: str
    half: bool

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        momentum: Rate = 0.95,
        *,
        nesterov: bool = True,
        coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        iterations: int = 5,
        epsilon: Rate = 1e-7,
        adjust: str = "original",
        others: Rate = 1.0,
        half: bool = False,
        weight_decay: Rate = 0.1,
        **common: Unpack[Common],
    ) -> None:
        if adjust not in ("original", "match_rms_adamw"):
            raise ArgumentError(f"Muon(adjust={adjust!r})", expected='"original" or "match_rms_adamw"')
        sizes("Muon", iterations=iterations)
        if len(coefficients) != 3 or not all(isinstance(c, Real) for c in coefficients):
            raise ArgumentError(f"Muon(coefficients={coefficients!r})", expected="three numbers a, b, c")
        super().__init__(
            common, learning_rate=learning_rate, weight_decay=weight_decay, momentum=momentum, epsilon=epsilon,
            others=others,
        )  # fmt: skip
        self.nesterov, self.coefficients, self.iterations = nesterov, coefficients, iterations
        self.adjust, self.half = adjust, half

    def first(self, spec: Spec) -> dict[str, Array]:
        names = ("m",) if len(spec.shape) == 2 else ("m", "v")
        return {name: np.zeros(spec.shape, spec.dtype.numpy) for name in names}

    @classmethod
    def formula(
        cls, w: Any, g: Any, state: Any, t: Any, *, learning_rate: Any, weight_decay: Any, momentum: Any, epsilon: Any,
        others: Any, nesterov: bool, coefficients: Any, iterations: int, adjust: str, half: bool,
    ) -> Any:  # fmt: skip
        if "v" in state:
            return AdamW.formula(
                w, g, state, t, learning_rate=learning_rate * others, weight_decay=weight_decay,
                beta1=0.9, beta2=0.95, epsilon=1e-8, amsgrad=False,
            )  # fmt: skip
        m = momentum * state["m"] + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * m if nesterov else m
        rows, columns = w.shape
        scale = math.sqrt(max(1, rows / columns)) if adjust == "original" else 0.2 * math.sqrt(max(rows, columns))
        x = orthogonalized(u.astype("bfloat16") if half else u, coefficients, iterations, epsilon).astype(w.dtype)
        return w * (1 - learning_rate * weight_decay) - learning_rate * scale * x, {"m": m}


def orthogonalized(u: Any, coefficients: tuple[float, float, float], iterations: int, epsilon: Any) -> Any:
    """About U·Vᵀ of u = U·S·Vᵀ: every singular value is brought near 1."""
    a, b, c = coefficients
    tall = u.shape[0] > u.shape[1]
    x = u.T if tall else u
    norm = sqrt((x.astype("float32") ** 2).sum()) if x.dtype.itemsize < 4 else sqrt((x * x).sum())
    x = x / maximum(norm, epsilon.astype(norm.dtype)).astype(x.dtype)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x
