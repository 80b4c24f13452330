"""Losses of numbers and of distributions as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.nn import functional as F
from weft.nn.baselines import deviation, divergence, huber_deviation, poisson_deviation
from weft.nn.check import number, positive
from weft.nn.layers.losses.base import LossLayer


class MSELoss(LossLayer):
    """`functional.mse_loss`, the squared error."""

    table, function = "mse", staticmethod(F.mse_loss)


class L1Loss(LossLayer):
    """`functional.l1_loss`, the absolute error."""

    table, function = "mae", staticmethod(F.l1_loss)


class HuberLoss(LossLayer):
    """`functional.huber_loss`: squared for errors below ``delta``, absolute above."""

    table, function, options = "huber", staticmethod(F.huber_loss), ("delta",)

    def __init__(self, delta: float = 1.0, reduction: str = "mean") -> None:
        positive("HuberLoss", delta=delta)
        self.delta = delta
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction."""
        return huber_deviation(y, classes, self.delta)


class SmoothL1Loss(LossLayer):
    """`functional.smooth_l1_loss`: Huber's loss divided by ``beta``, which may be 0."""

    table, function, options = "huber", staticmethod(F.smooth_l1_loss), ("beta",)

    def __init__(self, beta: float = 1.0, reduction: str = "mean") -> None:
        number("SmoothL1Loss", 0, beta=beta)
        self.beta = beta
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction."""
        return huber_deviation(y, classes, self.beta) / self.beta if self.beta else deviation(y, classes)


class KLDivLoss(LossLayer):
    """`functional.kl_div`, of log-probabilities; ``reduction`` may be "batchmean"."""

    table, function, options = "kl_div", staticmethod(F.kl_div), ("log_target",)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self.log_target = log_target
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The least that a constant prediction reaches; NaN where targets are logarithms."""
        return math.nan if self.log_target else divergence(y, classes)


class PoissonNLLLoss(LossLayer):
    """`functional.poisson_nll_loss`, of counts."""

    table, function, options = "poisson_nll", staticmethod(F.poisson_nll_loss), ("log_input", "full", "eps")

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        positive("PoissonNLLLoss", eps=eps)
        self.log_input, self.full, self.eps = log_input, full, eps
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The least that a constant prediction reaches; NaN with ``full``, which adds to it."""
        return math.nan if self.full else poisson_deviation(y, classes)


class GaussianNLLLoss(LossLayer):
    """`functional.gaussian_nll_loss`: called with prediction, target and predicted variance."""

    function, options = staticmethod(F.gaussian_nll_loss), ("full", "eps")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        positive("GaussianNLLLoss", eps=eps)
        self.full, self.eps = full, eps
        self._keep(reduction)

    def forward(self, prediction: Any, target: Any, var: Any) -> Any:
        return self.compute(prediction, target, var, reduction=self.reduction)
