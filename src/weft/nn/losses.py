"""Losses by name: what each computes, per batch and per example, and the least that a constant prediction reaches."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.control import scan
from weft.errors import ArgumentError, DataError
from weft.nn import functional as F
from weft.nn.baselines import (
    binary_entropy,
    deviation,
    divergence,
    entropy,
    hinge_deviation,
    huber_deviation,
    poisson_deviation,
    sign_entropy,
    squared_hinge_deviation,
    unknown,
    variance,
)
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.ops.comparison import where
from weft.tensor import Tensor, as_tensor

Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Loss:
    """A loss and what training needs to know of it.

    ``function(prediction, target, reduction="mean")``   the loss of a batch
    ``kind``       "classification" (one of several classes), "binary" (yes or no, once or several times),
                   "regression", or "custom"
    ``baseline(targets, classes)``   the loss of the best prediction that ignores the input, which a model must beat;
                   NaN where it is not known
    ``prepare(targets)``   labels or numbers as the function takes them, from NumPy arrays
    ``weigh(target)``  the sum that the mean is divided by, where that is not the number of losses
    ``threshold``  of a "binary" loss: the prediction above which the answer is yes, ½ of probabilities, 0 of logits
    """

    name: str
    function: Function
    kind: str
    baseline: Callable[..., float] = unknown
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray
    threshold: float = 0.5
    weigh: Callable[..., Tensor] | None = None

    def __call__(self, prediction: Any, target: Any) -> Tensor:
        """The mean over the batch."""
        return self.function(prediction, target)

    def counted(self, prediction: Any, target: Any) -> Any:
        """What the mean of a batch is divided by, so that means of its pieces can be put together again."""
        if self.weigh is not None:
            return self.weigh(target)
        return float(max(1, math.prod(self.function(prediction, target, reduction="none").shape)))

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


def as_shares(y: np.ndarray) -> np.ndarray:
    """Answers 0 and 1, or probabilities between them, as float32."""
    return _within(np.asarray(y), 0.0, 1.0, "answers 0 and 1, or probabilities", 'loss="cross_entropy" for classes')


def as_answers(y: np.ndarray) -> np.ndarray:
    """Answers 0 and 1, or −1 and 1, as float32."""
    return _within(np.asarray(y), -1.0, 1.0, "answers 0 and 1, or −1 and 1", 'loss="cross_entropy" for classes')


def as_counts(y: np.ndarray) -> np.ndarray:
    """Numbers that are not negative as float32."""
    return _within(np.asarray(y), 0.0, np.inf, "numbers from 0", 'loss="mse"')


def _within(y: np.ndarray, low: float, high: float, expected: str, cure: str) -> np.ndarray:
    wrong = (y < low) | (y > high)
    if wrong.any():
        raise DataError(
            f"the target {y[wrong][0]} ({int(wrong.sum())} of {y.size} are out of range)", expected=expected, cure=cure
        )
    return y.astype(np.float32)


def labels_counted(weight: Any = None, ignore_index: int = -100) -> Callable[..., Any]:
    """Of a target: the sum of the class weights of its labels without the ignored ones, their number without weights.

    >>> float(labels_counted(ignore_index=2)(Tensor(np.array([0, 2, 1]))))
    2.0
    """

    def count(target: Any) -> Any:
        if target.dtype.is_floating:  # probabilities (N, classes, …)
            return float(math.prod(target.shape) / (target.shape[1] if target.ndim > 1 else target.shape[0]))
        kept = target != ignore_index
        if weight is None:
            return kept.astype("float32").sum()
        return where(kept, as_tensor(weight)[where(kept, target, 0)], 0).sum()

    return count


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def _entry(
    name: str,
    function: Function,
    kind: str,
    baseline: Any,
    prepare: Any,
    threshold: float = 0.5,
    weigh: Any = None,
) -> Loss:
    bound = lambda p, t, reduction="mean": function(p, t, reduction=reduction)
    return Loss(name, bound, kind, baseline, prepare, threshold, weigh)


def _with_signs(function: Function) -> Function:
    """``function`` with targets 0 and 1 as −1 and 1."""
    return lambda p, t, reduction="mean": function(p, where(as_tensor(t) > 0, 1.0, -1.0), reduction=reduction)


SIGNED = {"soft_margin", "hinge", "squared_hinge"}  # whose functions take targets −1 and 1
LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        # One of several classes: logits, log-probabilities or scores (N, classes), and class numbers.
        _entry("cross_entropy", F.cross_entropy, "classification", entropy, as_labels, weigh=labels_counted()),
        _entry("nll", F.nll_loss, "classification", entropy, as_labels, weigh=labels_counted()),
        _entry("focal", F.focal_loss, "classification", unknown, as_labels),
        _entry("multi_margin", F.multi_margin_loss, "classification", unknown, as_labels),
        _entry("categorical_hinge", F.categorical_hinge_loss, "classification", unknown, as_labels),
        # Yes or no, once or several times: probabilities, logits or scores, and targets 0 and 1 (or −1 and 1).
        _entry("binary_cross_entropy", F.binary_cross_entropy, "binary", binary_entropy, as_shares),
        _entry(
            "binary_cross_entropy_with_logits",
            F.binary_cross_entropy_with_logits,
            "binary",
            binary_entropy,
            as_shares,
            0.0,
        ),
        _entry("binary_focal_with_logits", F.binary_focal_loss_with_logits, "binary", unknown, as_shares, 0.0),
        _entry("multilabel_soft_margin", F.multilabel_soft_margin_loss, "binary", binary_entropy, as_shares, 0.0),
        _entry("soft_margin", _with_signs(F.soft_margin_loss), "binary", sign_entropy, as_answers, 0.0),
        _entry("hinge", _with_signs(F.hinge_loss), "binary", hinge_deviation, as_answers, 0.0),
        _entry("squared_hinge", _with_signs(F.squared_hinge_loss), "binary", squared_hinge_deviation, as_answers, 0.0),
        _entry("dice", F.dice_loss, "binary", unknown, as_shares),
        _entry("iou", F.iou_loss, "binary", unknown, as_shares),
        _entry("tversky", F.tversky_loss, "binary", unknown, as_shares),
        # Numbers of the shape of the prediction.
        _entry("mse", F.mse_loss, "regression", variance, as_numbers),
        _entry("mae", F.l1_loss, "regression", deviation, as_numbers),
        _entry("huber", F.huber_loss, "regression", huber_deviation, as_numbers),
        _entry("poisson_nll", F.poisson_nll_loss, "regression", poisson_deviation, as_counts),
        _entry("kl_div", F.kl_div, "regression", divergence, as_counts),
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
        function = _with_signs(of.compute) if table in SIGNED else of.compute  # type: ignore[union-attr]
        weigh = known.weigh and labels_counted(of.weight, of.ignore_index)  # type: ignore[union-attr]
        return Loss(table, function, known.kind, baseline, known.prepare, known.threshold, weigh)
    if hasattr(of, "compute"):
        return Loss(type(of).__name__, of.compute, "custom")
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
