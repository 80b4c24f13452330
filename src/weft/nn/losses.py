"""Losses by name: what each computes, per batch and per example, and the least that a constant prediction reaches."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.control import scan
from weft.errors import ArgumentError
from weft.nn import functional as F
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.tensor import Tensor

Function = Callable[..., Tensor]


def unknown(y: np.ndarray, classes: int | None = None) -> float:
    """NaN: nothing is known of a loss that is somebody's own function."""
    return math.nan


@dataclass(frozen=True)
class Loss:
    """A loss and what training needs to know of it.

    ``function(prediction, target, reduction="mean")``   the loss of a batch
    ``kind``       "classification" (one of several classes), "binary" (yes or no, once or several times),
                   "regression", or "custom"
    ``baseline(targets, classes)``   the loss of the best prediction that ignores the input, which a model must beat;
                   NaN where it is not known
    ``prepare(targets)``   labels or numbers as the function takes them, from NumPy arrays
    """

    name: str
    function: Function
    kind: str
    baseline: Callable[..., float] = unknown
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray

    def __call__(self, prediction: Any, target: Any) -> Tensor:
        """The mean over the batch."""
        return self.function(prediction, target)

    def per_example(self, prediction: Any, target: Any) -> Tensor:
        """The loss of each example, (N,): the mean over what else an example has."""
        losses = self.function(prediction, target, reduction="none")
        if losses.ndim == 0:
            raise ArgumentError(
                f"the loss {self.name!r} gives one number for the whole batch",
                expected='a function with the argument reduction="none", which gives one per example',
            )
        return losses if losses.ndim == 1 else losses.mean(axis=tuple(range(1, losses.ndim)))


# ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────


def as_labels(y: np.ndarray) -> np.ndarray:
    """Class numbers as int64 (N, …), from whole numbers of any type or a column (N, 1) of them; probabilities stay."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "f" and y.ndim > 1:
        return y.astype(np.float32)
    if y.dtype.kind == "f" and not (y == np.floor(y)).all():
        raise ArgumentError(
            f"labels that are not whole numbers, such as {y[y != np.floor(y)][0]}",
            expected="class numbers from 0",
            cure='loss="mse" for numbers, or labels.astype(int)',
        )
    return y.astype(np.int64)


def as_numbers(y: np.ndarray) -> np.ndarray:
    """Numbers as float32."""
    return np.asarray(y).astype(np.float32)


# ── the best constant prediction ────────────────────────────────────────────────────────────────────────────


def entropy(y: np.ndarray, classes: int | None = None) -> float:
    """−Σ q log q for the frequencies q of the classes: the cross-entropy of always predicting them.

    >>> round(entropy(np.array([0, 1, 0, 1])), 4)
    0.6931
    """
    y = np.asarray(y)
    if y.dtype.kind == "f" and y.ndim > 1:
        q = y.mean(axis=(0, *range(2, y.ndim)), dtype=np.float64)
    else:
        q = np.bincount(y.astype(np.int64).ravel(), minlength=classes or 0) / y.size
    return float(-(q[q > 0] * np.log(q[q > 0])).sum())


def binary_entropy(y: np.ndarray, classes: int | None = None) -> float:
    """The mean over the columns of −q log q − (1 − q) log(1 − q), with q the share of positives."""
    q = np.asarray(y, np.float64).reshape(len(y), -1).mean(axis=0)
    both = np.stack([q, 1 - q])
    return float(-(both * np.log(np.where(both > 0, both, 1))).sum(axis=0).mean())


def variance(y: np.ndarray, classes: int | None = None) -> float:
    """The mean squared error of always predicting the mean."""
    return float(np.asarray(y, np.float64).var(axis=0).mean())


def deviation(y: np.ndarray, classes: int | None = None) -> float:
    """The mean absolute error of always predicting the median."""
    y = np.asarray(y, np.float64)
    return float(np.abs(y - np.median(y, axis=0)).mean())


def huber_deviation(y: np.ndarray, classes: int | None = None, delta: float = 1.0) -> float:
    """Huber's loss of the best constant, where the errors held at ±δ sum to zero; found by bisection."""
    y = np.asarray(y, np.float64).reshape(len(y), -1)
    low, high = y.min(axis=0), y.max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.clip(y - middle, -delta, delta).sum(axis=0) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    size = np.abs(y - (low + high) / 2)
    return float(np.where(size < delta, size**2 / 2, delta * (size - delta / 2)).mean())


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def _entry(name: str, function: Function, kind: str, baseline: Any, prepare: Any) -> Loss:
    return Loss(name, lambda p, t, reduction="mean": function(p, t, reduction=reduction), kind, baseline, prepare)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        _entry("cross_entropy", F.cross_entropy, "classification", entropy, as_labels),
        _entry("nll", F.nll_loss, "classification", entropy, as_labels),
        _entry("binary_cross_entropy", F.binary_cross_entropy, "binary", binary_entropy, as_numbers),
        _entry(
            "binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, "binary", binary_entropy, as_numbers
        ),
        _entry("mse", F.mse_loss, "regression", variance, as_numbers),
        _entry("mae", F.l1_loss, "regression", deviation, as_numbers),
        _entry("huber", F.huber_loss, "regression", huber_deviation, as_numbers),
    )
}


def get_loss(of: str | Loss | Module | Function) -> Loss:
    """The loss that ``of`` names, or is: a name of `LOSSES`, a layer such as ``nn.MSELoss()``, or a function.

    >>> get_loss("mse").kind
    'regression'
    """
    if isinstance(of, Loss):
        return of
    if isinstance(of, str):
        return find(LOSSES, of, "loss")
    table = getattr(of, "table", None)
    if isinstance(table, str):  # a layer of weft.nn: the entry of the table, with its own options
        known = LOSSES[table]
        baseline = getattr(of, "baseline", known.baseline)
        return Loss(table, of.compute, known.kind, baseline, known.prepare)  # type: ignore[union-attr]
    if callable(of):
        return Loss(getattr(of, "__name__", type(of).__name__), _with_reduction(of), "custom")
    raise ArgumentError(
        f"{of!r} as a loss", expected="a name, or a function of prediction and target", cure='loss="mse"'
    )


def _with_reduction(function: Callable[..., Any]) -> Function:
    """``function`` with the argument ``reduction``; one that only gives a mean is asked for each example alone."""
    if "reduction" in inspect.signature(function).parameters:
        return function

    def reducible(prediction: Any, target: Any, reduction: str = "mean") -> Any:
        whole = function(prediction, target)
        if reduction != "none" or whole.ndim:
            return whole
        one = lambda _, row: (None, function(row[0].expand_dims(axis=0), row[1].expand_dims(axis=0)))
        return scan(one, None, (prediction, target))[1]

    return reducible
