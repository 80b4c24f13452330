"""Metrics of how scores rank: they need all scores, and sort them once at the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import DataError, ShapeError
from weft.train.metrics.labels import check_average, check_bits, check_scores, whole
from weft.train.metrics.streaming import Array, CollectingMetric, State


class RankingMetric(CollectingMetric):
    """What ROC-AUC and average precision share.

    One score for each target 0 or 1; or scores (N, C) against class numbers (N,), each class against the rest; or
    scores (N, C) against labels 0 and 1 (N, C). ``average`` over the classes: "macro", "weighted" by how often each
    occurs, "micro" over all entries, or None for one number each.
    """

    options = ("average",)

    def __init__(self, average: str | None = "macro") -> None:
        check_average(self.name, average, ("macro", "weighted", "micro", None))
        self.average = average
        super().__init__()

    def curve_score(self, scores: Array, positive: Array, weights: Array) -> float:
        """The value for one score each, with ``positive`` saying which should be high."""
        raise NotImplementedError

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        check_scores(self.name, prediction)
        if prediction.ndim == 2 and prediction.shape[1] > 1:
            rows = prediction
            if target.shape in ((len(rows),), (len(rows), 1)):
                labels = whole(self.name, target.reshape(len(rows)))
                if labels.max(initial=0) >= rows.shape[1]:
                    raise DataError(f"{self.name}: the class {labels.max()}", expected=f"0 ≤ class < {rows.shape[1]}")
                bits = labels[:, None] == np.arange(rows.shape[1])
            elif target.shape == rows.shape:
                check_bits(self.name, target)
                bits = target > 0
            else:
                raise ShapeError(
                    f"{self.name}: scores {rows.shape} against targets {target.shape}", expected="labels (N,) or (N, C)"
                )
            return super().sums(rows, bits, weights)
        if prediction.size != target.size or prediction.size != len(prediction):
            raise ShapeError(
                f"{self.name}: scores {prediction.shape} against targets {target.shape}", expected="one for each"
            )
        check_bits(self.name, target)
        return super().sums(prediction.reshape(-1, 1), target.reshape(-1, 1) > 0, weights)

    def result(self, state: State) -> Any:
        scores, bits, weights = state["scores"].astype(np.float64), state["targets"], state["weights"]
        classes = scores.shape[1]
        if self.average == "micro" and classes > 1:
            return self.curve_score(scores.ravel(), bits.ravel(), np.repeat(weights, classes))
        each = np.array([self.curve_score(scores[:, k], bits[:, k], weights) for k in range(classes)])
        if classes == 1:
            return float(each[0])
        if self.average is None:
            return each
        if self.average == "macro":
            return float(each.mean())
        share = (bits * weights[:, None]).sum(axis=0)
        if not share.sum():
            return float(each[0])  # no positive at all: what that is for each class
        return float((each * share)[share > 0].sum() / share.sum())


def steps(scores: Array, positive: Array, weights: Array) -> tuple[Array, Array]:
    """Weights of positives and negatives among the highest scores, one entry for each different score."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # ties go in together
    hits, alarms = (np.cumsum((weights * which)[order])[ends] for which in (positive, ~positive))
    return hits, alarms


class ROCAUC(RankingMetric):
    """The area under the ROC curve: the chance that a positive scores higher than a negative, a tie counting half.

    NaN where only one class occurs in the targets (``note`` says so); then the macro average is NaN as well.

    >>> from weft.train.metrics import ROCAUC
    >>> ROCAUC()([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1])
    0.875
    """

    def curve_score(self, scores: Array, positive: Array, weights: Array) -> float:
        hits, alarms = steps(scores, positive, weights)
        if not (hits[-1] > 0 and alarms[-1] > 0):
            self.note = "only one class occurs in the targets: there is nothing to rank"
            return math.nan
        rates = [np.concatenate([[0.0], part / part[-1]]) for part in (hits, alarms)]
        return float((np.diff(rates[1]) * (rates[0][1:] + rates[0][:-1]) / 2).sum())


class AveragePrecision(RankingMetric):
    """Σ (Rₖ − Rₖ₋₁) Pₖ over the different scores: the area under precision by recall, in steps.

    0 where no positive occurs in the targets, as in scikit-learn (``note`` says so).

    >>> from weft.train.metrics import AveragePrecision
    >>> round(AveragePrecision()([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
    0.8333
    """

    def curve_score(self, scores: Array, positive: Array, weights: Array) -> float:
        hits, alarms = steps(scores, positive, weights)
        if not hits[-1] > 0:
            self.note = "no positive occurs in the targets"
            return 0.0
        shown = hits + alarms
        precision = hits / np.where(shown > 0, shown, 1)
        return float((np.diff(np.concatenate([[0.0], hits / hits[-1]])) * precision).sum())
