"""Losses of two classes, or of several that do not exclude each other, as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.nn import functional as F
from weft.nn.baselines import binary_entropy
from weft.nn.functional.overlap import check_focal, check_overlap
from weft.nn.layers.losses.base import LossLayer, constant


class BCELoss(LossLayer):
    """`functional.binary_cross_entropy`, of probabilities."""

    table, function, options = "binary_cross_entropy", staticmethod(F.binary_cross_entropy), ("weight",)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        self.weight = constant(weight)
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with weights, which move it."""
        return binary_entropy(y, classes) if self.weight is None else math.nan


class BCEWithLogitsLoss(LossLayer):
    """`functional.binary_cross_entropy_with_logits`, of logits."""

    table = "binary_cross_entropy_with_logits"
    function, options = staticmethod(F.binary_cross_entropy_with_logits), ("weight", "pos_weight")

    def __init__(self, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> None:
        self.weight, self.pos_weight = constant(weight), constant(pos_weight)
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with weights, which move it."""
        return binary_entropy(y, classes) if self.weight is None and self.pos_weight is None else math.nan


class MultiLabelSoftMarginLoss(LossLayer):
    """`functional.multilabel_soft_margin_loss`, of logits (N, classes) and labels 0 and 1 of each class."""

    table, function = "multilabel_soft_margin", staticmethod(F.multilabel_soft_margin_loss)
    options = ("weight",)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        self.weight = constant(weight)
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with weights, which move it."""
        return binary_entropy(y, classes) if self.weight is None else math.nan


class MultiLabelMarginLoss(LossLayer):
    """`functional.multilabel_margin_loss`, of scores and lists of the right classes."""

    function = staticmethod(F.multilabel_margin_loss)


class SoftMarginLoss(LossLayer):
    """`functional.soft_margin_loss`, of scores and targets −1 and 1."""

    table, function = "soft_margin", staticmethod(F.soft_margin_loss)


class HingeLoss(LossLayer):
    """`functional.hinge_loss`, of scores and targets −1 and 1."""

    table, function = "hinge", staticmethod(F.hinge_loss)


class SquaredHingeLoss(LossLayer):
    """`functional.squared_hinge_loss`, of scores and targets −1 and 1."""

    table, function = "squared_hinge", staticmethod(F.squared_hinge_loss)


class BinaryFocalLossWithLogits(LossLayer):
    """`functional.binary_focal_loss_with_logits`, of logits."""

    table = "binary_focal_with_logits"
    function, options = staticmethod(F.binary_focal_loss_with_logits), ("alpha", "gamma")

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        check_focal("BinaryFocalLossWithLogits", gamma, alpha)
        self.alpha, self.gamma = alpha, gamma
        self._keep(reduction)


# ── overlap of areas ────────────────────────────────────────────────────────────────────────────────────────


class DiceLoss(LossLayer):
    """`functional.dice_loss`, of probabilities."""

    table, function, options = "dice", staticmethod(F.dice_loss), ("smooth",)

    def __init__(self, smooth: float = 1.0, reduction: str = "mean") -> None:
        check_overlap("DiceLoss", smooth)
        self.smooth = smooth
        self._keep(reduction)


class IoULoss(LossLayer):
    """`functional.iou_loss`, of probabilities: intersection over union."""

    table, function, options = "iou", staticmethod(F.iou_loss), ("smooth",)

    def __init__(self, smooth: float = 1.0, reduction: str = "mean") -> None:
        check_overlap("IoULoss", smooth)
        self.smooth = smooth
        self._keep(reduction)


class TverskyLoss(LossLayer):
    """`functional.tversky_loss`, of probabilities: overlap with a price each for false alarms and for misses."""

    table, function, options = "tversky", staticmethod(F.tversky_loss), ("alpha", "beta", "smooth")

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, smooth: float = 1.0, reduction: str = "mean") -> None:
        check_overlap("TverskyLoss", smooth, alpha=alpha, beta=beta)
        self.alpha, self.beta, self.smooth = alpha, beta, smooth
        self._keep(reduction)
