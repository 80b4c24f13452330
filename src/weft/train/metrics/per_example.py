"""Metrics that are the mean of one number for each example: `fit` computes them inside its compiled program."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import int64
from weft.nn.losses import LOSSES
from weft.ops.arithmetic import abs as absolute
from weft.ops.arithmetic import maximum, square
from weft.ops.comparison import where
from weft.ops.creation import full, iota_op
from weft.tensor import Tensor
from weft.train.metrics.names import STREAMING


@dataclass(frozen=True)
class Metric:
    """A named number of each example; a metric of a data set is its mean over all examples.

    ``per_example(prediction, target)`` takes a batch (N, …) and gives shape (N,). ``weights(target)`` (N,), if there
    are any, say how much of each example counts: the metric is then Σ numbers / Σ weights.
    """

    name: str
    per_example: Callable[[Tensor, Tensor], Tensor]
    weights: Callable[[Tensor], Tensor] | None = None

    def total(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The metric of a batch times its examples."""
        found = self.per_example(prediction, target)
        if self.weights is None:
            return found.sum()
        share = self.weights(target).mean()
        return found.sum() / where(share == 0, 1, share)


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 where the class with the highest score is the label: scores (N, C, …), labels (N, …) or one-hot (N, C, …)."""
    if prediction.ndim < 2 or prediction.shape[1] == 1:
        return binary_accuracy(prediction, target)
    return _mean_of_rest(_right(prediction, target))


def _right(prediction: Tensor, target: Tensor) -> Tensor:
    """1 where the class with the highest score is the label, of the shape of the labels."""
    labels = target.argmax(axis=1) if target.shape == prediction.shape else target
    chosen = prediction.argmax(axis=1)
    if chosen.shape != labels.shape:
        raise ShapeError(
            f"accuracy of scores {prediction.shape} against labels {target.shape}", expected="labels (N,) or (N, C)"
        )
    return (chosen == labels).astype("float32")


def leaving_out(name: str, right: Callable[[Tensor, Tensor], Tensor], label: int) -> Metric:
    """A metric of labels without those that are ``label``, from ``right``, which gives a number for each of them."""

    def kept(target: Tensor) -> Tensor:
        return (target.astype(int64) != label).astype("float32")

    def per_example(prediction: Tensor, target: Tensor) -> Tensor:
        found = right(prediction, target)
        return _mean_of_rest(found if target.dtype.is_floating else found * kept(target))

    def weights(target: Tensor) -> Tensor:
        return full(target.shape[:1], 1.0) if target.dtype.is_floating else _mean_of_rest(kept(target))

    return Metric(name, per_example, weights)


def binary_accuracy(prediction: Tensor, target: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where a probability lies on the label's side of one half."""
    if prediction.size != target.size:
        raise ShapeError(f"accuracy of {prediction.shape} against {target.shape}", expected="one label per prediction")
    return _mean_of_rest(((prediction > threshold) == (target.reshape(prediction.shape) > 0.5)).astype("float32"))


def logit_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 where a logit lies on the label's side of zero."""
    return binary_accuracy(prediction, target, threshold=0.0)


def top(k: int) -> Callable[[Tensor, Tensor], Tensor]:
    """1 where the label is among the ``k`` classes with the highest scores: scores (N, C), labels (N,).

    Of equal scores the class with the lower number comes first.
    """

    def among_the_best(prediction: Tensor, target: Tensor) -> Tensor:
        if prediction.ndim != 2 or target.shape not in ((prediction.shape[0],), prediction.shape):
            raise ShapeError(
                f"the {k} best of scores {prediction.shape} against labels {target.shape}",
                expected="scores (N, C) and labels (N,)",
            )
        labels = target.argmax(axis=1) if target.shape == prediction.shape else target
        number = iota_op(shape=prediction.shape, axis=1, dtype=int64)
        right = number == labels.astype(int64).expand_dims(axis=1)
        own = where(right, prediction, 0).sum(axis=1, keepdims=True)
        label = labels.astype(int64).expand_dims(axis=1)
        before = (prediction > own) | ((prediction == own) & (number < label))
        found: Tensor = (before.astype("int64").sum(axis=1) < k).astype("float32")
        return found

    return among_the_best


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared error of each example."""
    return _mean_of_rest(square(prediction - _same(prediction, target)))


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute error of each example."""
    return _mean_of_rest(absolute(prediction - _same(prediction, target)))


def percentage_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute error of each example as a fraction of its target."""
    t = _same(prediction, target)
    return _mean_of_rest(absolute(prediction - t) / maximum(absolute(t), 2.3e-16))


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
    "mape": percentage_error,
    "mse": squared_error,
    "top3": top(3),
    "top5": top(5),
}

OF_LABELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"accuracy": _right, "top3": top(3), "top5": top(5)}


def metric_of(given: Any, loss_name: str, ignore_index: int | None = None) -> Metric:
    """The metric that a name or a function stands for; an unknown name is answered with the known ones.

    Accuracy leaves out the labels that the loss leaves out.
    """
    if isinstance(given, Metric):
        return given
    if callable(given):
        return Metric(getattr(given, "__name__", "metric"), given)
    if given in ("accuracy", "binary_accuracy") and loss_name in LOSSES and LOSSES[loss_name].threshold == 0:
        return Metric(given, logit_accuracy)
    if given not in METRICS:
        known = sorted({*METRICS, *STREAMING})
        near = difflib.get_close_matches(str(given), known, 1)
        raise ArgumentError(
            f"the metric {given!r} is unknown",
            expected="one of " + ", ".join(map(repr, known)) + ", or a function of (prediction, target) giving (N,)",
            cure=f"metrics=[{near[0]!r}]" if near else None,
        )
    if ignore_index is not None and given in OF_LABELS:
        return leaving_out(given, OF_LABELS[given], ignore_index)
    return Metric(given, METRICS[given])
