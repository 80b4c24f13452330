"""Losses of classes as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.nn import functional as F
from weft.nn.baselines import entropy
from weft.nn.check import fraction, number
from weft.nn.functional.classification import check_ignored
from weft.nn.functional.overlap import check_focal
from weft.nn.layers.linear import Linear
from weft.nn.layers.losses.base import LossLayer, constant
from weft.tensor import Tensor


class CrossEntropyLoss(LossLayer):
    """`functional.cross_entropy`, of logits.

    >>> import weft as wf
    >>> from weft import nn
    >>> round(float(nn.CrossEntropyLoss()(wf.tensor([[0.0, 0.0]]), wf.tensor([1]))), 4)
    0.6931
    """

    table, function = "cross_entropy", staticmethod(F.cross_entropy)
    options = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, label_smoothing: float = 0.0, reduction: str = "mean"
    ) -> None:
        fraction("CrossEntropyLoss", label_smoothing=label_smoothing)
        check_ignored("CrossEntropyLoss", ignore_index)
        self.weight, self.ignore_index, self.label_smoothing = constant(weight), ignore_index, float(label_smoothing)
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with class weights or smoothing, which move it."""
        return entropy(y, classes, self.ignore_index) if self.weight is None and not self.label_smoothing else math.nan


class NLLLoss(LossLayer):
    """`functional.nll_loss`, of log-probabilities."""

    table, function, options = "nll", staticmethod(F.nll_loss), ("weight", "ignore_index")

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        check_ignored("NLLLoss", ignore_index)
        self.weight, self.ignore_index = constant(weight), ignore_index
        self._keep(reduction)

    def baseline(self, y: np.ndarray, classes: int | None = None) -> float:
        """The loss of the best constant prediction; NaN with class weights, which move it."""
        return entropy(y, classes, self.ignore_index) if self.weight is None else math.nan


class LinearCrossEntropyLoss(LossLayer):
    """A linear layer to the logits of classes, and their cross-entropy: called with features and targets.

    Features (N, in_features); with ``out_features`` (d₁, …) each example has so many targets (N, d₁, …), with logits
    of their own (N, classes, d₁, …). The layer's weights are those of ``linear``.

    >>> import weft as wf
    >>> from weft import nn
    >>> round(float(nn.LinearCrossEntropyLoss(4, 3)(wf.zeros((2, 4)), wf.tensor([0, 2]))), 4)
    1.0986
    """

    table, function = None, staticmethod(F.cross_entropy)
    options = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        reduction: str = "mean",
        weight: Any = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> None:
        fraction("LinearCrossEntropyLoss", label_smoothing=label_smoothing)
        check_ignored("LinearCrossEntropyLoss", ignore_index)
        self.in_features, self.num_classes, self.out_features = in_features, num_classes, tuple(out_features)
        self.bias = bias
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias=bias)
        self.weight, self.ignore_index, self.label_smoothing = constant(weight), ignore_index, float(label_smoothing)
        self._keep(reduction)

    def compute(self, *inputs: Any, reduction: str = "mean") -> Tensor:
        features, target = inputs
        logits = self.linear(features)
        if self.out_features:
            logits = logits.reshape(*logits.shape[:-1], self.num_classes, *self.out_features)
        return super().compute(logits, target, reduction=reduction)


class MultiMarginLoss(LossLayer):
    """`functional.multi_margin_loss`, of scores and class numbers."""

    table, function, options = "multi_margin", staticmethod(F.multi_margin_loss), ("p", "margin", "weight")

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: p={p!r}", expected="1 or 2")
        number("MultiMarginLoss", margin=margin)
        self.p, self.margin, self.weight = p, margin, constant(weight)
        self._keep(reduction)


class CategoricalHingeLoss(LossLayer):
    """`functional.categorical_hinge_loss`, of scores and one-hot targets or class numbers."""

    table, function = "categorical_hinge", staticmethod(F.categorical_hinge_loss)


class FocalLoss(LossLayer):
    """`functional.focal_loss`, of logits and class numbers."""

    table, function, options = "focal", staticmethod(F.focal_loss), ("weight", "gamma", "ignore_index")

    def __init__(
        self, weight: Any = None, gamma: float = 2.0, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        check_focal("FocalLoss", gamma)
        check_ignored("FocalLoss", ignore_index)
        self.weight, self.gamma, self.ignore_index = constant(weight), gamma, ignore_index
        self._keep(reduction)
