"""The evidence of a diagnosis, gathered from a course that has ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.data.leakage import Leakage
from weft.errors import WeftError
from weft.nn.losses import Loss
from weft.overfit import Evidence
from weft.overfit.evidence import Kept
from weft.tensor import Tensor
from weft.train.course import Course
from weft.train.history import History
from weft.train.metrics import Metric
from weft.train.preparation import Prepared
from weft.train.supply import length_of

Array = np.ndarray[Any, Any]


def gather(
    course: Course,
    prepared: Prepared,
    history: History,
    loss: Loss | None,
    metrics: Sequence[Metric],
    initial: float | None,
    kept: Kept = "best",
) -> Evidence:
    """What the curves, the losses of single examples and the split tell."""
    return evidence_of(
        history,
        course.best_examples.numpy(),
        course.last_examples.numpy(),
        course.n_val,
        y=prepared.answers,
        n_train=length_of(prepared.training) or len(prepared.sample),
        loss=loss,
        metrics=metrics,
        outputs=course.outputs,
        initial=initial,
        known=int(course.best_epoch) > 0,
        by_example=course.measure.by_example,
        leak=prepared.leak,
        kept=kept,
    )


def evidence_of(
    history: History,
    best: Array,
    last: Array,
    n_val: int,
    *,
    y: Array,
    n_train: int,
    loss: Loss | None,
    metrics: Sequence[Metric],
    outputs: int,
    initial: float | None,
    known: bool,
    by_example: bool = True,
    leak: Leakage | None = None,
    kept: Kept = "best",
) -> Evidence:
    """Evidence from what was measured of each example, (1 + M, n) at the best epoch and at the last one.

    The first ``n_val`` examples are the validation rows, the others the sample of training rows; ``y`` are the
    training targets, and ``known`` says whether there is a best epoch.
    """
    n, known = n_val, known and by_example
    initial = initial if initial is not None and math.isfinite(initial) else None
    accuracy = next((k for k, m in enumerate(metrics, 1) if "accuracy" in m.name), None)
    return Evidence(
        train_loss=np.array(history["train_loss"]),
        val_loss=np.array(history["val_loss"]),
        baseline=constant_loss(loss, y, outputs, initial),
        n_train=n_train,
        n_val=n,
        train_size=best.shape[1] - n,
        train_examples_best=best[0, n:] if known else None,
        val_examples_best=best[0, :n] if known else None,
        val_examples_last=last[0, :n] if by_example else None,
        val_correct_best=best[accuracy, :n] > 0.5 if accuracy and known else None,
        val_correct_last=last[accuracy, :n] > 0.5 if accuracy else None,
        duplicates_percent=leak.percent if leak else 0.0,
        chance_duplicates=leak.by_chance if leak else 0.0,
        shared_groups=len(leak.shared_groups) if leak else 0,
        initial_train_loss=initial,
        kept=kept,
    )


def constant_loss(loss: Loss | None, y: np.ndarray[Any, Any], outputs: int, initial: float | None) -> float:
    """The loss of the best prediction that ignores the input.

    Of a loss of one's own the best constant is not known: it is measured at the mean target, or at the shares of the
    ``outputs`` classes where targets are labels; and where even that gives no number, the loss before training stands
    for it.
    """
    known = measured_constant(loss, y, outputs) if loss is not None else math.nan
    return known if math.isfinite(known) else float(initial if initial is not None else 1.0)


def measured_constant(loss: Loss, y: np.ndarray[Any, Any], outputs: int) -> float:
    """The same, or NaN."""
    known = loss.baseline(y, outputs)
    if math.isfinite(known):
        return known
    if y.dtype.kind in "iu" and y.ndim == 1 and y.min() >= 0 and y.max() < outputs:
        shares = np.bincount(y, minlength=outputs) / len(y)
        constant = np.broadcast_to(np.log(np.maximum(shares, 1e-9)), (len(y), len(shares)))
    else:
        constant = np.broadcast_to(y.mean(axis=0), y.shape)
    try:
        return float(loss.function(Tensor(constant.astype(np.float32)), Tensor(y)))
    except WeftError:  # it takes predictions of another form
        return math.nan


def baseline_of(course: Course, prepared: Prepared, loss: Loss | None, initial: float | None) -> float:
    """That of a fit, found once: of a loss of one's own it is a program over all rows."""
    if course.baseline is None:
        course.baseline = constant_loss(loss, prepared.answers, course.outputs, initial)
    return course.baseline
