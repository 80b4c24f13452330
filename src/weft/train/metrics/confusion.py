"""Metrics that follow from the confusion matrix: how often each class was taken for each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DataError, ShapeError
from weft.nn.check import positive, sizes
from weft.train.metrics.labels import (
    check_average,
    check_bits,
    check_number,
    check_scores,
    check_threshold,
    class_numbers,
)
from weft.train.metrics.streaming import Array, State, StreamingMetric, spread_weights

AVERAGES = ("binary", "macro", "micro", "weighted", None)
MOST = 1 << 28  # counts that are kept, two gigabytes of them


def _classes(metric: Any, prediction: Array, target: Array, axes: int) -> tuple[Array, Array, int]:
    """Predicted and true class numbers, and for how many classes there is to be room along each of ``axes`` axes."""
    chosen, labels, seen = class_numbers(metric.name, prediction, target, metric.threshold)
    k = max(seen, metric.classes or 0)
    if metric.classes is not None and k > metric.classes:
        raise DataError(f"{metric.name}: the class {k - 1}", expected=f"0 ≤ class < {metric.classes}")
    if k**axes > MOST:
        raise DataError(
            f"{metric.name}: the class {k - 1}, which asks for {k**axes:,} counts",
            expected="class numbers from 0 without gaps",
            cure="np.unique(labels, return_inverse=True)[1] numbers them so",
        )
    return chosen, labels, k


class ConfusionMatrix(StreamingMetric):
    """Counts (or weights) by true class (rows) and predicted class (columns).

    ``classes`` says how many there are at least; more are made room for as they come. A single score for each
    target counts as class 1 above ``threshold``: ½ for probabilities, 0 for logits.

    >>> from weft.train.metrics import ConfusionMatrix
    >>> ConfusionMatrix()([0, 1, 1, 1], [0, 0, 1, 1]).tolist()
    [[1.0, 1.0], [0.0, 2.0]]
    """

    options: tuple[str, ...] = ("classes", "threshold")

    def __init__(self, classes: int | None = None, threshold: float = 0.5) -> None:
        sizes(self.name, classes=classes, optional=True)
        check_threshold(self.name, threshold)
        self.classes, self.threshold = classes, threshold
        super().__init__()

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        chosen, labels, k = _classes(self, prediction, target, 2)
        w = spread_weights(weights, labels.shape)
        counts = np.bincount((labels * k + chosen).ravel(), w.ravel(), minlength=k * k)
        return {"counts": counts.reshape(k, k)}

    def result(self, state: State) -> Any:
        return self.of(state["counts"])

    def of(self, counts: Array) -> Any:
        """The value of a confusion matrix."""
        return counts


# ── one number ──────────────────────────────────────────────────────────────────────────────────────────────


class BalancedAccuracy(ConfusionMatrix):
    """The mean recall of the classes that occur in the targets; ``adjusted``: 0 for chance, 1 for perfect.

    >>> from weft.train.metrics import BalancedAccuracy
    >>> BalancedAccuracy()([0, 0, 1, 0], [0, 0, 0, 1])
    0.3333333333333333
    """

    options = ("classes", "threshold", "adjusted")

    def __init__(self, classes: int | None = None, threshold: float = 0.5, adjusted: bool = False) -> None:
        self.adjusted = adjusted
        super().__init__(classes, threshold)

    def of(self, counts: Array) -> float:
        true = counts.sum(axis=1)
        occurs = true > 0
        if not occurs.any():
            return self.weightless()
        score = float((np.diag(counts)[occurs] / true[occurs]).mean())
        chance = 1 / occurs.sum()
        if self.adjusted and chance == 1:
            self.note = "only one class occurs in the targets: there is no chance level"
            return math.nan
        return float((score - chance) / (1 - chance)) if self.adjusted else score


class MatthewsCorrelation(ConfusionMatrix):
    """Matthews' correlation of predicted and true classes, between −1 and 1; 0 where either is constant.

    >>> from weft.train.metrics import MatthewsCorrelation
    >>> MatthewsCorrelation()([0, 1, 1, 0], [0, 1, 1, 0])
    1.0
    """

    def of(self, counts: Array) -> float:
        true, chosen, n = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
        spread = (n * n - true @ true) * (n * n - chosen @ chosen)
        if spread == 0:
            self.note = "the targets or the predictions are all of one class"
            return 0.0
        return float((np.trace(counts) * n - true @ chosen) / math.sqrt(spread))


class CohenKappa(ConfusionMatrix):
    """Agreement beyond chance, 1 − observed / expected disagreement; NaN where both are one class.

    ``weighting`` None counts every disagreement alike, "linear" and "quadratic" by the distance of the classes.

    >>> from weft.train.metrics import CohenKappa
    >>> CohenKappa()([0, 1, 1, 1], [0, 0, 1, 1])
    0.5
    """

    options = ("classes", "threshold", "weighting")

    def __init__(self, classes: int | None = None, threshold: float = 0.5, weighting: str | None = None) -> None:
        if weighting not in (None, "linear", "quadratic"):
            raise ArgumentError(f"CohenKappa: weighting={weighting!r}", expected="None, 'linear' or 'quadratic'")
        self.weighting = weighting
        super().__init__(classes, threshold)

    def of(self, counts: Array) -> float:
        if not counts.sum():
            return self.weightless()
        k = len(counts)
        apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
        cost = {None: apart > 0, "linear": apart, "quadratic": apart**2}[self.weighting]
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
        if not (cost * expected).sum():
            self.note = "targets and predictions are all of one class"
            return math.nan
        return float(1 - (cost * counts).sum() / (cost * expected).sum())


# ── a number for each class, and its averages ───────────────────────────────────────────────────────────────


class ClassScore(StreamingMetric):
    """What precision, recall, F and IoU share: for each class, hits, false alarms and misses.

    ``average``   "binary": of class 1 alone; "macro": the mean over the classes that occur in targets or predictions;
                  "weighted": that mean weighed by how often each class occurs in the targets; "micro": of the sums
                  over the classes; None: an array with one number for each class
    ``multilabel``  scores (N, C) and targets 0 or 1 for each class: several may be right at once
    ``undefined``   the value where the denominator is 0 (``note`` says where): 0 as in scikit-learn
    """

    options: tuple[str, ...] = ("average", "classes", "threshold", "multilabel", "undefined")
    denominator = ""

    def __init__(
        self,
        average: str | None = "binary",
        *,
        classes: int | None = None,
        threshold: float = 0.5,
        multilabel: bool = False,
        undefined: float = 0.0,
    ) -> None:
        check_average(self.name, average, AVERAGES)
        sizes(self.name, classes=classes, optional=True)
        check_threshold(self.name, threshold)
        check_number(self.name, undefined=undefined)
        self.average, self.classes, self.threshold = average, classes, threshold
        self.multilabel, self.undefined = multilabel, undefined
        super().__init__()

    def parts(self, hits: Array, alarms: Array, misses: Array) -> tuple[Array, Array]:
        """Numerator and denominator from hits (true positives), false alarms and misses of each class."""
        raise NotImplementedError

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        if self.multilabel:
            if prediction.shape != target.shape or target.ndim < 2:
                raise ShapeError(
                    f"{self.name}(multilabel=True): scores {prediction.shape} against targets {target.shape}",
                    expected="scores and targets (N, classes) of one shape",
                )
            check_scores(self.name, prediction)
            check_bits(self.name, target)
            w = spread_weights(weights, target.shape)
            yes, right = prediction > self.threshold if prediction.dtype.kind == "f" else prediction > 0, target > 0
            rows = tuple(a for a in range(target.ndim) if a != 1)
            hits, alarms, misses = ((w * found).sum(axis=rows) for found in (yes & right, yes & ~right, ~yes & right))
            return {"hits": hits, "alarms": alarms, "misses": misses}
        # Not from a confusion matrix, which has no room for the classes of a vocabulary.
        chosen, labels, k = _classes(self, prediction, target, 1)
        w, right = spread_weights(weights, labels.shape), chosen == labels

        def count(of: Array, which: Array) -> Array:
            return np.bincount(of.ravel(), (w * which).ravel(), minlength=k)

        return {"hits": count(labels, right), "alarms": count(chosen, ~right), "misses": count(labels, ~right)}

    def result(self, state: State) -> Any:
        hits, alarms, misses = state["hits"], state["alarms"], state["misses"]
        occurs = hits + alarms + misses > 0
        if not (occurs.any() or self.multilabel):
            return self.weightless()
        if self.average == "micro":
            return float(self._ratio(hits.sum(), alarms.sum(), misses.sum()))
        if self.average == "binary":
            if len(hits) > 2 or self.multilabel:
                raise ArgumentError(
                    f'{self.name}: average="binary" of {len(hits)} classes',
                    expected="two classes",
                    cure=f'{self.name}(average="macro")',
                )
            return float(self._ratio(hits, alarms, misses)[1]) if len(hits) > 1 else self._missing()
        scores = self._ratio(hits, alarms, misses)
        if self.average is None:
            return scores
        kept = np.ones(len(hits), bool) if self.multilabel else occurs
        if self.average == "macro":
            return float(scores[kept].mean())
        true = hits + misses
        if not true.sum():
            return self._missing()
        return float((scores * true).sum() / true.sum())

    def _missing(self) -> float:
        self.note = "no positive occurs in targets or predictions"
        return self.undefined

    def _ratio(self, hits: Any, alarms: Any, misses: Any) -> Any:
        above, below = (np.asarray(part, np.float64) for part in self.parts(hits, alarms, misses))
        lost = below == 0
        if lost.any():
            which = f"of class {', '.join(map(str, np.flatnonzero(lost)))}" if lost.ndim else "of all"
            self.note = f"{self.name} {which} is not defined: no {self.denominator}"
        return np.where(lost, self.undefined, above / np.where(lost, 1, below))


class Precision(ClassScore):
    """How many of those taken for a class are of it: TP / (TP + FP).

    >>> from weft.train.metrics import Precision
    >>> Precision()([1, 1, 0], [1, 0, 1])
    0.5
    """

    denominator = "predictions of it"

    def parts(self, hits: Array, alarms: Array, misses: Array) -> tuple[Array, Array]:
        return hits, hits + alarms


class Recall(ClassScore):
    """How many of a class are found: TP / (TP + FN).

    >>> from weft.train.metrics import Recall
    >>> Recall("macro")([0, 1, 1], [0, 1, 0])
    0.75
    """

    denominator = "targets of it"

    def parts(self, hits: Array, alarms: Array, misses: Array) -> tuple[Array, Array]:
        return hits, hits + misses


class FBeta(ClassScore):
    """(1 + β²) TP / ((1 + β²) TP + FP + β² FN): precision and recall in one, recall β times as important.

    >>> from weft.train.metrics import FBeta
    >>> FBeta()([1, 1, 0], [1, 0, 1])
    0.5
    """

    options = (*ClassScore.options, "beta")
    denominator = "targets or predictions of it"

    def __init__(self, average: str | None = "binary", *, beta: float = 1.0, **options: Any) -> None:
        positive("FBeta", finite=True, beta=beta)  # infinity would be the recall
        self.beta = beta
        super().__init__(average, **options)

    def parts(self, hits: Array, alarms: Array, misses: Array) -> tuple[Array, Array]:
        both = (1 + self.beta**2) * hits
        return both, both + alarms + self.beta**2 * misses


class IoU(ClassScore):
    """TP / (TP + FP + FN): intersection over union, Jaccard's index; the mean over the classes by default.

    >>> from weft.train.metrics import IoU
    >>> IoU(average=None)([[0, 1], [1, 1]], [[0, 0], [1, 1]]).round(3).tolist()
    [0.5, 0.667]
    """

    denominator = "targets or predictions of it"

    def __init__(self, average: str | None = "macro", **options: Any) -> None:
        super().__init__(average, **options)

    def parts(self, hits: Array, alarms: Array, misses: Array) -> tuple[Array, Array]:
        return hits, hits + alarms + misses
