"""The evidence of a diagnosis, gathered from a course that has ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weft.nn.losses import Loss
from weft.overfit import Evidence
from weft.train.course import Course
from weft.train.history import History
from weft.train.metrics import Metric
from weft.train.preparation import Prepared


def gather(
    course: Course, prepared: Prepared, history: History, loss: Loss, metrics: Sequence[Metric], initial: float | None
) -> Evidence:
    """What the curves, the losses of single examples and the split tell."""
    assert prepared.held_out is not None
    n, leak = course.n_val, prepared.leak
    last, best = course.last_examples.numpy(), course.best_examples.numpy()
    known = int(course.best_epoch) > 0
    accuracy = next((k for k, m in enumerate(metrics, 1) if "accuracy" in m.name), None)
    return Evidence(
        train_loss=np.array(history["train_loss"]),
        val_loss=np.array(history["val_loss"]),
        baseline=loss.baseline(np.asarray(prepared.training.y), course.outputs),
        n_train=len(prepared.training),
        n_val=n,
        train_size=course.n_evaluated - n,
        train_examples_best=best[0, n:] if known else None,
        val_examples_best=best[0, :n] if known else None,
        val_examples_last=last[0, :n],
        val_correct_best=best[accuracy, :n] > 0.5 if accuracy and known else None,
        val_correct_last=last[accuracy, :n] > 0.5 if accuracy else None,
        duplicates_percent=leak.percent if leak else 0.0,
        shared_groups=len(leak.shared_groups) if leak else 0,
        initial_train_loss=initial,
    )
