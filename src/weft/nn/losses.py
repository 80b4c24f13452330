"""Losses by name: what each computes, per batch and per example, and the least that a constant prediction reaches."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from weft.nn.functional.reduction import reduce
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.ops.comparison import where
from weft.ops.creation import full
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
    ``threshold``  of a "binary" loss: the prediction above which the answer is yes, ½ of probabilities, 0 of logits
    ``weights(target)``   the weight of each loss, where the mean is Σ losses / Σ weights and not that over their number
    ``ignore_index``      the label that is left out, if any
    """

    name: str
    function: Function
    kind: str
    baseline: Callable[..., float] = unknown
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray
    threshold: float = 0.5
    weights: Callable[[Any], Tensor] | None = None
    ignore_index: int | None = None

    def __call__(self, prediction: Any, target: Any) -> Tensor:
        """The mean over the batch."""
        return self.function(prediction, target)

    def counted(self, prediction: Any, target: Any) -> Any:
        """What the mean of a batch is divided by, so that means of its pieces can be put together again."""
        if self.weights is not None:
            return self.weights(target).sum()
        return float(max(1, math.prod(self.function(prediction, target, reduction="none").shape)))

    def each(self, prediction: Any, target: Any) -> Tensor:
        """What each example adds to the loss, (N,): the mean of its losses, or with weights their sum."""
        losses = self.function(prediction, target, reduction="none")
        if losses.ndim == 0:
            raise ArgumentError(
                f"the loss {self.name!r} gives one number for the whole batch",
                expected='a function with the argument reduction="none", which gives one per example',
            )
        return over_rest(losses, "mean" if self.weights is None else "sum")

    def weight_of_each(self, target: Any) -> Any:
        """The weights of each example's losses together, (N,); None where losses have none."""
        return None if self.weights is None else over_rest(self.weights(target), "sum")

    def per_example(self, prediction: Any, target: Any) -> Tensor:
        """The loss of each example, (N,), whose mean is the loss of the batch.

        That is what it adds, with weights divided by the mean weight of the batch's examples.
        """
        each, weights = self.each(prediction, target), self.weight_of_each(target)
        if weights is None:
            return each
        mean = weights.mean()
        return each / where(mean == 0, 1, mean)


def over_rest(losses: Any, reduction: str) -> Any:
    """(N, …) to (N,): the mean, or the sum, over what else an example has."""
    rest = tuple(range(1, losses.ndim))
    return getattr(losses, reduction)(axis=rest) if rest else losses


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


def label_weights(weight: Any = None, ignore_index: int = -100) -> Callable[[Any], Tensor]:
    """Of each label of a target the weight of its class, or 1; of an ignored one 0. Probabilities count as 1.

    >>> label_weights(ignore_index=2)(np.array([0, 2, 1])).tolist()
    [1.0, 0.0, 1.0]
    """

    def each(target: Any) -> Any:
        target = as_tensor(target)
        if target.dtype.is_floating:  # probabilities (N, classes, …), or (classes,)
            return full(target.shape[:1] + target.shape[2:] if target.ndim > 1 else (), 1.0)
        kept = target.astype("int64") != ignore_index
        if weight is None:
            return kept.astype("float32")
        return where(kept, as_tensor(weight)[where(kept, target, 0)], 0)

    return each


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def _entry(
    name: str,
    function: Function,
    kind: str,
    baseline: Any,
    prepare: Any,
    threshold: float = 0.5,
    ignore_index: int | None = None,
) -> Loss:
    bound = lambda p, t, reduction="mean": function(p, t, reduction=reduction)
    weights = None if ignore_index is None else label_weights(ignore_index=ignore_index)
    return Loss(name, bound, kind, baseline, prepare, threshold, weights, ignore_index)


def _with_signs(function: Function) -> Function:
    """``function`` with targets 0 and 1 as −1 and 1."""
    return lambda p, t, reduction="mean": function(p, where(as_tensor(t) > 0, 1.0, -1.0), reduction=reduction)


SIGNED = {"soft_margin", "hinge", "squared_hinge"}  # whose functions take targets −1 and 1
LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        # One of several classes: logits, log-probabilities or scores (N, classes), and class numbers.
        _entry("cross_entropy", F.cross_entropy, "classification", entropy, as_labels, ignore_index=-100),
        _entry("nll", F.nll_loss, "classification", entropy, as_labels, ignore_index=-100),
        _entry("focal", F.focal_loss, "classification", unknown, as_labels, ignore_index=-100),
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
    if isinstance(of, type):
        raise ArgumentError(
            f"the class {of.__name__} as a loss", expected="a name, a layer or a function", cure=f"loss={of.__name__}()"
        )
    if hasattr(of, "compute"):
        return _of_layer(of)
    if callable(of):
        return Loss(getattr(of, "__name__", type(of).__name__), _with_reduction(of), "custom")
    raise ArgumentError(
        f"{of!r} as a loss", expected="a name, or a function of prediction and target", cure='loss="mse"'
    )


def _of_layer(layer: Any) -> Loss:
    """A layer of weft.nn: the entry of the table, if it has one, with its own options."""
    name, reduction = getattr(layer, "table", None) or type(layer).__name__, getattr(layer, "reduction", "mean")
    known = LOSSES.get(name) or Loss(name, layer.compute, "custom")
    function, baseline = layer.compute, getattr(layer, "baseline", known.baseline)
    if reduction == "batchmean":
        function, rowwise = _by_rows(function), baseline
        baseline = lambda y, classes=None: rowwise(y, classes) * math.prod(np.shape(y)[1:])
    elif reduction != "mean":
        raise ArgumentError(
            f"{type(layer).__name__} with reduction={reduction!r} as the loss of training",
            expected='the mean, which is the same for batches of all sizes: reduction="mean"',
            cure=f"{type(layer).__name__}() and another learning rate",
        )
    ignored = getattr(layer, "ignore_index", None)
    return replace(
        known,
        function=_with_signs(function) if name in SIGNED else function,
        baseline=baseline,
        weights=None if ignored is None else label_weights(layer.weight, ignored),
        ignore_index=ignored,
    )


def _by_rows(function: Function) -> Function:
    """``function`` with one loss for each row, the sum over what else it has."""

    def of_rows(prediction: Any, target: Any, reduction: str = "mean") -> Any:
        losses = function(prediction, target, reduction="none")
        return reduce(losses.reshape(losses.shape[0], -1).sum(axis=1), reduction)

    return of_rows


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
