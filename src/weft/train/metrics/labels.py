"""From what models and data sets give to class numbers."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DataError, ShapeError

Array = np.ndarray[Any, Any]


def class_numbers(metric: str, prediction: Array, target: Array, threshold: float) -> tuple[Array, Array, int]:
    """Predicted and true class numbers of one shape, and how many classes there are at least.

    Predictions are class numbers, scores (N, C, …) whose largest is chosen (the first of several), or one score for
    each target, which is class 1 above ``threshold``. Targets are class numbers, or one-hot in the shape of the scores.
    """
    check_scores(metric, prediction)
    if prediction.dtype.kind != "f":
        if prediction.shape != target.shape:
            raise ShapeError(
                f"{metric}: class numbers {prediction.shape} against targets {target.shape}", expected="equal shapes"
            )
        chosen, labels = prediction, target
    elif prediction.ndim >= 2 and prediction.shape[1] > 1 and prediction.shape != target.shape:
        rest = prediction.shape[:1] + prediction.shape[2:]
        if target.shape not in (rest, (*rest, 1)):
            raise ShapeError(
                f"{metric}: scores {prediction.shape} against targets {target.shape}", expected=f"labels {rest}"
            )
        chosen, labels = prediction.argmax(axis=1), target.reshape(rest)
        return chosen, whole(metric, labels), prediction.shape[1]
    elif prediction.ndim >= 2 and prediction.shape[1] > 1:
        if not ((target == 1).sum(axis=1) == 1).all() or not np.isin(target, (0, 1)).all():
            raise DataError(
                f"{metric}: targets in the shape of the scores, {target.shape}, that are not one-hot",
                expected="one 1 in each row",
                cure="multilabel=True, where a metric has it, for several labels at once",
            )
        return prediction.argmax(axis=1), target.argmax(axis=1), prediction.shape[1]
    else:
        if prediction.size != target.size:
            raise ShapeError(
                f"{metric}: scores {prediction.shape} against targets {target.shape}", expected="one for each"
            )
        chosen, labels = prediction.reshape(target.shape) > threshold, target
        check_bits(metric, labels)
        return chosen.astype(np.int64), labels.astype(np.int64), 2
    chosen, labels = whole(metric, chosen), whole(metric, labels)
    return chosen, labels, int(max(chosen.max(initial=0), labels.max(initial=0))) + 1


def whole(metric: str, labels: Array) -> Array:
    """Class numbers as int64, refused where they are not whole numbers from 0."""
    wrong = (
        ~((labels >= 0) & (labels < np.inf) & (labels == np.floor(labels)))
        if labels.dtype.kind == "f"
        else labels.astype(np.int64) < 0
    )
    if wrong.any():
        raise DataError(
            f"{metric}: the label {labels[wrong][0]}",
            expected="class numbers from 0",
            cure="mask=target >= 0 for labels to leave out",
        )
    return labels.astype(np.int64)


def check_bits(metric: str, target: Array) -> None:
    """Refuse targets other than 0 and 1."""
    wrong = ~np.isin(target, (0, 1))
    if wrong.any():
        raise DataError(
            f"{metric}: the target {target[wrong][0]} for one score each",
            expected="targets 0 and 1",
            cure="scores (N, classes) for several classes",
        )


def check_scores(metric: str, scores: Array) -> None:
    """Refuse scores that are not numbers."""
    if not np.isfinite(scores).all():
        raise DataError(f"{metric}: scores that are not finite", expected="numbers")


def check_threshold(metric: str, threshold: Any) -> None:
    """Refuse a threshold that nothing can be above or below."""
    check_number(metric, threshold=threshold)
    if math.isnan(threshold):
        raise ArgumentError(f"{metric}: threshold=nan", expected="a number: 0.5 of probabilities, 0 of logits")


def check_number(metric: str, **arguments: Any) -> None:
    """Refuse what is no real number."""
    for name, value in arguments.items():
        if not isinstance(value, Real):
            raise ArgumentError(f"{metric}: {name}={value!r}", expected="a number")


def check_average(metric: str, average: str | None, known: tuple[str | None, ...]) -> None:
    if average not in known:
        raise ArgumentError(f"{metric}: average={average!r}", expected="one of " + ", ".join(map(repr, known)))
