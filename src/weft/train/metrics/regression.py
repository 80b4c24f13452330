"""Metrics of numbers: errors, and how much of the spread a model explains."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ShapeError
from weft.train.metrics.probability import Mean
from weft.train.metrics.streaming import Array, State, StreamingMetric, spread_weights


def _error(metric: str, prediction: Array, target: Array) -> tuple[Array, Array]:
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{metric}: predictions {prediction.shape} against targets {target.shape}",
            expected="equal shapes: metrics do not broadcast",
            cure="prediction.squeeze(-1)" if prediction.shape == (*target.shape, 1) else None,
        )
    t = target.astype(np.float64)
    return prediction.astype(np.float64) - t, t


class MeanSquaredError(Mean):
    """The mean of (prediction − target)².

    >>> from weft.train.metrics import MeanSquaredError
    >>> MeanSquaredError()([1.0, 4.0], [1.0, 2.0])
    2.0
    """

    def values(self, prediction: Array, target: Array) -> Array:
        return np.asarray(_error(self.name, prediction, target)[0] ** 2)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean of (prediction − target)², over all elements.

    >>> from weft.train.metrics import RootMeanSquaredError
    >>> RootMeanSquaredError()([1.0, 3.0], [1.0, 3.0])
    0.0
    """

    def result(self, state: State) -> float:
        return math.sqrt(super().result(state))


class MeanAbsoluteError(Mean):
    """The mean of |prediction − target|.

    >>> from weft.train.metrics import MeanAbsoluteError
    >>> MeanAbsoluteError()([1.0, 4.0], [1.0, 2.0])
    1.0
    """

    def values(self, prediction: Array, target: Array) -> Array:
        return np.abs(_error(self.name, prediction, target)[0])


class MeanAbsolutePercentageError(Mean):
    """The mean of |prediction − target| / |target|, as a fraction; enormous where a target is 0, as in scikit-learn.

    >>> from weft.train.metrics import MeanAbsolutePercentageError
    >>> MeanAbsolutePercentageError()([1.0, 3.0], [1.0, 2.0])
    0.25
    """

    def values(self, prediction: Array, target: Array) -> Array:
        error, t = _error(self.name, prediction, target)
        return np.asarray(np.abs(error) / np.maximum(np.abs(t), np.finfo(np.float64).eps))


class R2(StreamingMetric):
    """1 − Σ (prediction − target)² / Σ (target − mean)²: the share of the targets' variance that is explained.

    Of several columns the mean. Targets that are all equal: 1 if all predictions are right, else 0, as in
    scikit-learn; NaN for fewer than two examples.

    >>> from weft.train.metrics import R2
    >>> R2()([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    """

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        error, t = _error(self.name, prediction, target)
        error, t = error.reshape(len(t), -1), t.reshape(len(t), -1)
        w = spread_weights(weights, t.shape)
        weight = w.sum(axis=0)
        mean = (w * t).sum(axis=0) / np.where(weight > 0, weight, 1)
        return {
            "count": np.array(float(len(t))),
            "weight": weight,
            "mean": mean,
            "spread": (w * (t - mean) ** 2).sum(axis=0),
            "residual": (w * error**2).sum(axis=0),
        }

    def add(self, first: State, second: State) -> State:
        # Means and spreads around them, which keep their digits where sums of squares would cancel; Chan et al. 1979.
        if first["mean"].shape != second["mean"].shape:
            raise ShapeError(
                f"R2: a batch of {len(second['mean'])} columns after one of {len(first['mean'])}",
                expected="the same number in every batch",
            )
        total = {name: first[name] + second[name] for name in first}
        weight = np.where(total["weight"] > 0, total["weight"], 1)
        apart = second["mean"] - first["mean"]
        total["mean"] = first["mean"] + apart * second["weight"] / weight
        total["spread"] = total["spread"] + apart**2 * first["weight"] * second["weight"] / weight
        return total

    def result(self, state: State) -> Any:
        if state["count"] < 2:
            self.note = "fewer than two examples have no variance"
            return math.nan
        if not state["weight"].any():
            return self.weightless()
        spread, residual = state["spread"], state["residual"]
        constant = spread == 0
        if constant.any():
            self.note = "targets that are all equal have no variance to explain"
        scores = np.where(constant, np.where(residual == 0, 1.0, 0.0), 1 - residual / np.where(constant, 1, spread))
        return float(scores.mean())
