"""Losses as layers, which keep their options."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from weft.nn import functional as F
from weft.nn.check import fraction, positive
from weft.nn.functional.reduction import check_reduction
from weft.nn.losses import entropy, huber_deviation
from weft.nn.module import Module
from weft.tensor import Tensor, as_tensor


class LossLayer(Module):
    """A loss with its options: called with prediction and target. ``table`` is its name in `LOSSES`."""

    table: ClassVar[str]
    reduction: str
    _name = "loss"

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        """The loss with another reduction than the layer's own."""
        raise NotImplementedError

    def forward(self, prediction: Any, target: Any) -> Tensor:
        return self.compute(prediction, target, self.reduction)

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class CrossEntropyLoss(LossLayer):
    """`functional.cross_entropy`, of logits.

    >>> import weft as wf
    >>> from weft import nn
    >>> round(float(nn.CrossEntropyLoss()(wf.tensor([[0.0, 0.0]]), wf.tensor([1]))), 4)
    0.6931
    """

    table = "cross_entropy"

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, label_smoothing: float = 0.0, reduction: str = "mean"
    ) -> None:
        check_reduction("CrossEntropyLoss", reduction)
        fraction("CrossEntropyLoss", label_smoothing=label_smoothing)
        self.weight = None if weight is None else as_tensor(weight)
        self.ignore_index, self.label_smoothing, self.reduction = ignore_index, label_smoothing, reduction

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with class weights or smoothing, which move it."""
        return entropy(y, classes) if self.weight is None and not self.label_smoothing else math.nan

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.cross_entropy(
            prediction,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=reduction,
        )


class NLLLoss(LossLayer):
    """`functional.nll_loss`, of log-probabilities."""

    table = "nll"

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        check_reduction("NLLLoss", reduction)
        self.weight = None if weight is None else as_tensor(weight)
        self.ignore_index, self.reduction = ignore_index, reduction

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.nll_loss(prediction, target, weight=self.weight, ignore_index=self.ignore_index, reduction=reduction)


class BCELoss(LossLayer):
    """`functional.binary_cross_entropy`, of probabilities."""

    table = "binary_cross_entropy"

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        check_reduction("BCELoss", reduction)
        self.weight = None if weight is None else as_tensor(weight)
        self.reduction = reduction

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.binary_cross_entropy(prediction, target, weight=self.weight, reduction=reduction)


class BCEWithLogitsLoss(LossLayer):
    """`functional.binary_cross_entropy_with_logits`, of logits."""

    table = "binary_cross_entropy_with_logits"

    def __init__(self, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> None:
        check_reduction("BCEWithLogitsLoss", reduction)
        self.weight = None if weight is None else as_tensor(weight)
        self.pos_weight = None if pos_weight is None else as_tensor(pos_weight)
        self.reduction = reduction

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.binary_cross_entropy_with_logits(
            prediction, target, weight=self.weight, pos_weight=self.pos_weight, reduction=reduction
        )


class MSELoss(LossLayer):
    """`functional.mse_loss`, the squared error."""

    table = "mse"

    def __init__(self, reduction: str = "mean") -> None:
        check_reduction("MSELoss", reduction)
        self.reduction = reduction

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.mse_loss(prediction, target, reduction=reduction)


class L1Loss(LossLayer):
    """`functional.l1_loss`, the absolute error."""

    table = "mae"

    def __init__(self, reduction: str = "mean") -> None:
        check_reduction("L1Loss", reduction)
        self.reduction = reduction

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.l1_loss(prediction, target, reduction=reduction)


class HuberLoss(LossLayer):
    """`functional.huber_loss`: squared for errors below ``delta``, absolute above."""

    table = "huber"

    def __init__(self, delta: float = 1.0, reduction: str = "mean") -> None:
        check_reduction("HuberLoss", reduction)
        positive("HuberLoss", delta=delta)
        self.delta, self.reduction = delta, reduction

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction."""
        return huber_deviation(y, classes, self.delta)

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.huber_loss(prediction, target, delta=self.delta, reduction=reduction)


class SmoothL1Loss(LossLayer):
    """`functional.smooth_l1_loss`: Huber's loss divided by ``beta``."""

    table = "huber"

    def __init__(self, beta: float = 1.0, reduction: str = "mean") -> None:
        check_reduction("SmoothL1Loss", reduction)
        positive("SmoothL1Loss", beta=beta)
        self.beta, self.reduction = beta, reduction

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction."""
        return huber_deviation(y, classes, self.beta) / self.beta

    def compute(self, prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
        return F.smooth_l1_loss(prediction, target, beta=self.beta, reduction=reduction)
