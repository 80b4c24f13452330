"""Metrics of single predictions: accuracy, and how good their probabilities are."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import DataError, ShapeError
from weft.nn.check import sizes
from weft.train.metrics.labels import check_bits, check_scores, check_threshold, class_numbers, whole
from weft.train.metrics.streaming import Array, State, StreamingMetric, spread_weights


class Mean(StreamingMetric):
    """The weighted mean of one number for each element: what most metrics of this file are."""

    def values(self, prediction: Array, target: Array) -> Array:
        """One number for each element."""
        raise NotImplementedError

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        values = np.asarray(self.values(prediction, target), np.float64)
        w = spread_weights(weights, values.shape)
        return {"total": np.array((w * values).sum()), "weight": np.array(w.sum())}

    def result(self, state: State) -> Any:
        if not state["weight"] > 0:
            return self.weightless()
        return float(state["total"] / state["weight"])


class Accuracy(Mean):
    """The share of examples whose class is right, or among the ``top`` classes with the highest scores.

    Of equal scores the class with the lower number comes first. ``threshold`` as of `ConfusionMatrix`.

    >>> from weft.train.metrics import Accuracy
    >>> Accuracy(top=2)([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [1, 2])
    0.5
    """

    options = ("top", "threshold")

    def __init__(self, top: int = 1, threshold: float = 0.5) -> None:
        sizes("Accuracy", top=top)
        check_threshold("Accuracy", threshold)
        self.top, self.threshold = top, threshold
        super().__init__()

    def values(self, prediction: Array, target: Array) -> Array:
        if self.top == 1:
            chosen, labels, _ = class_numbers(self.name, prediction, target, self.threshold)
            return chosen == labels
        if prediction.ndim < 2 or prediction.shape[1] < 2:
            raise ShapeError(f"Accuracy(top={self.top}) of scores {prediction.shape}", expected="(N, classes)")
        _, labels, classes = class_numbers(self.name, prediction, target, self.threshold)
        if labels.max(initial=0) >= classes:
            raise DataError(f"Accuracy: the class {labels.max()}", expected=f"0 ≤ class < {classes}")
        own = np.take_along_axis(prediction, labels[:, None], axis=1)
        number = np.arange(classes).reshape(-1, *(1,) * (prediction.ndim - 2))
        before = (prediction > own) | ((prediction == own) & (number < labels[:, None]))
        return np.asarray(before.sum(axis=1) < self.top)


# ── probabilities ───────────────────────────────────────────────────────────────────────────────────────────


def _probabilities(metric: str, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Probabilities (N, C, …) and class numbers (N, …); one probability for each target becomes two classes."""
    check_scores(metric, prediction)
    if ((prediction < 0) | (prediction > 1)).any():
        raise DataError(
            f"{metric}: probabilities outside [0, 1], such as {prediction[(prediction < 0) | (prediction > 1)][0]:g}",
            expected="probabilities",
            cure="softmax or sigmoid of the logits",
        )
    if prediction.ndim >= 2 and prediction.shape[1] > 1:
        _, labels, classes = class_numbers(metric, prediction, target, 0.5)
        if labels.max(initial=0) >= classes:
            raise DataError(f"{metric}: the class {labels.max()}", expected=f"0 ≤ class < {classes}")
        sums = prediction.sum(axis=1, dtype=np.float64)
        wrong = np.abs(sums - 1) > 0.02  # what sums of 16-bit probabilities stay within
        if wrong.any():
            raise DataError(
                f"{metric}: probabilities of the classes that sum to {sums[wrong][0]:.3g}",
                expected="the sum 1",
                cure="softmax of the logits; one metric for each label, if the labels do not exclude each other",
            )
        return prediction, labels
    if prediction.size != target.size:
        raise ShapeError(f"{metric}: {prediction.shape} against {target.shape}", expected="one for each")
    check_bits(metric, target)
    p = prediction.reshape(len(target), -1)
    return np.stack([1 - p, p], axis=1), target.reshape(p.shape).astype(np.int64)


class LogLoss(Mean):
    """−log of the probability given to the right class: cross-entropy of probabilities.

    Probabilities (N, C) are held away from 0 and 1 by the precision of their type, as in scikit-learn.

    >>> from weft.train.metrics import LogLoss
    >>> round(LogLoss()([0.5, 0.5], [0, 1]), 4)
    0.6931
    """

    def values(self, prediction: Array, target: Array) -> Array:
        p, labels = _probabilities(self.name, prediction, target)
        eps = np.finfo(p.dtype).eps if p.dtype.kind == "f" else np.finfo(np.float64).eps
        chosen = np.take_along_axis(p, labels[:, None], axis=1)[:, 0]
        return np.asarray(-np.log(np.clip(chosen, eps, 1 - eps).astype(np.float64)))


class BrierScore(Mean):
    """The mean of (p − y)² for one probability each; of Σ (p − y)² over the classes for (N, C).

    >>> from weft.train.metrics import BrierScore
    >>> BrierScore()([0.5, 1.0], [0, 1])
    0.125
    """

    def values(self, prediction: Array, target: Array) -> Array:
        p, labels = _probabilities(self.name, prediction.astype(np.float64), target)
        number = np.arange(p.shape[1]).reshape(-1, *(1,) * (p.ndim - 2))
        error = ((p - (labels[:, None] == number)) ** 2).sum(axis=1)
        return np.asarray(error / (1 if prediction.ndim >= 2 and prediction.shape[1] > 1 else 2))


class CalibrationError(StreamingMetric):
    """The expected calibration error Σ (nₖ / n) |accuracyₖ − confidenceₖ| over bins of confidence; Guo et al. 2017.

    The confidence is the largest probability of (N, C), or max(p, 1 − p) of one probability each; ``bins`` of equal
    width, each with its upper edge.

    >>> from weft.train.metrics import CalibrationError
    >>> round(CalibrationError()([[0.75, 0.25], [0.75, 0.25]], [0, 1]), 6)
    0.25
    """

    options = ("bins",)

    def __init__(self, bins: int = 15) -> None:
        sizes("CalibrationError", bins=bins)
        self.bins = bins
        super().__init__()

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        p, labels = _probabilities(self.name, prediction.astype(np.float64), target)
        confidence, right = p.max(axis=1).ravel(), (p.argmax(axis=1) == labels).ravel()
        w = spread_weights(weights, labels.shape).ravel()
        bin_of = np.clip(np.ceil(confidence * self.bins).astype(np.int64) - 1, 0, self.bins - 1)
        parts = {"weight": np.ones(len(w)), "confidence": confidence, "right": right}
        return {name: np.bincount(bin_of, w * values, minlength=self.bins) for name, values in parts.items()}

    def result(self, state: State) -> float:
        if not state["weight"].sum():
            return self.weightless()
        return float(np.abs(state["right"] - state["confidence"]).sum() / state["weight"].sum())


class Perplexity(Mean):
    """exp of the mean cross-entropy of logits (N, classes, …): among how many classes the model wavers.

    ``ignore_index`` marks labels to leave out.

    >>> from weft.train.metrics import Perplexity
    >>> round(Perplexity()([[0.0, 0.0, 0.0, 0.0]], [1]), 6)
    4.0
    """

    options = ("ignore_index",)
    takes = "logits"

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        check_scores(self.name, prediction)
        if prediction.ndim < 2 or target.shape != prediction.shape[:1] + prediction.shape[2:]:
            raise ShapeError(
                f"Perplexity: logits {prediction.shape} against labels {target.shape}",
                expected="(N, classes, …) and (N, …)",
            )
        kept = target != self.ignore_index
        labels = whole(self.name, np.where(kept, target, 0))
        if labels.max(initial=0) >= prediction.shape[1]:
            raise DataError(f"Perplexity: the label {labels.max()}", expected=f"0 ≤ label < {prediction.shape[1]}")
        x = prediction.astype(np.float64)
        highest = x.max(axis=1, keepdims=True)
        whole_sum = np.log(np.exp(x - highest).sum(axis=1)) + highest[:, 0]
        losses = whole_sum - np.take_along_axis(x, labels[:, None], axis=1)[:, 0]
        w = spread_weights(weights, target.shape) * kept
        return {"total": np.array((w * losses).sum()), "weight": np.array(w.sum())}

    def result(self, state: State) -> float:
        with np.errstate(over="ignore"):
            return float(np.exp(super().result(state)))
