"""Metrics: what is measured of each example, so that means over batches, devices and parts are exact."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.ops.arithmetic import abs as absolute
from weft.ops.arithmetic import square
from weft.tensor import Tensor


@dataclass(frozen=True)
class Metric:
    """A named number of each example; a metric of a data set is its mean over all examples.

    ``per_example(prediction, target)`` takes a batch (N, …) and gives shape (N,).
    """

    name: str
    per_example: Callable[[Tensor, Tensor], Tensor]


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 where the class with the highest score is the label: scores (N, C), labels (N,) or one-hot (N, C)."""
    if prediction.ndim < 2 or prediction.shape[-1] == 1:
        return binary_accuracy(prediction, target)
    labels = target.argmax(axis=-1) if target.shape == prediction.shape else target
    chosen = prediction.argmax(axis=-1)
    if chosen.shape != labels.shape:
        raise ShapeError(
            f"accuracy of scores {prediction.shape} against labels {target.shape}", expected="labels (N,) or (N, C)"
        )
    return _mean_of_rest((chosen == labels).astype("float32"))


def binary_accuracy(prediction: Tensor, target: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where a probability lies on the label's side of one half."""
    if prediction.size != target.size:
        raise ShapeError(f"accuracy of {prediction.shape} against {target.shape}", expected="one label per prediction")
    return _mean_of_rest(((prediction > threshold) == (target.reshape(prediction.shape) > 0.5)).astype("float32"))


def logit_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 where a logit lies on the label's side of zero."""
    return binary_accuracy(prediction, target, threshold=0.0)


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared error of each example."""
    return _mean_of_rest(square(prediction - _same(prediction, target)))


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute error of each example."""
    return _mean_of_rest(absolute(prediction - _same(prediction, target)))


def _same(prediction: Tensor, target: Tensor) -> Tensor:
    if prediction.shape != target.shape:
        raise ShapeError(
            f"an error of predictions {prediction.shape} against targets {target.shape}", expected="equal shapes"
        )
    return target.astype(prediction.dtype)


def _mean_of_rest(x: Tensor) -> Tensor:
    """(N, …) averaged to (N,)."""
    return x if x.ndim == 1 else x.reshape((x.shape[0], -1)).mean(axis=1)


METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "accuracy": accuracy,
    "binary_accuracy": binary_accuracy,
    "mae": absolute_error,
    "mse": squared_error,
}


def metrics_of(wanted: Sequence[Any], loss_name: str) -> list[Metric]:
    """The metrics that names or functions stand for; an unknown name is answered with the known ones."""
    return [_metric(given, loss_name) for given in wanted]


def _metric(given: Any, loss_name: str) -> Metric:
    if isinstance(given, Metric):
        return given
    if callable(given):
        return Metric(getattr(given, "__name__", "metric"), given)
    if given == "accuracy" and loss_name == "binary_cross_entropy_with_logits":
        return Metric("accuracy", logit_accuracy)
    if given not in METRICS:
        near = difflib.get_close_matches(str(given), METRICS, 1)
        raise ArgumentError(
            f"the metric {given!r} is unknown",
            expected="one of " + ", ".join(map(repr, METRICS)) + ", or a function of (prediction, target) giving (N,)",
            cure=f"metrics=[{near[0]!r}]" if near else None,
        )
    return Metric(given, METRICS[given])
