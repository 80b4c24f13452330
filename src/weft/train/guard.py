"""What was not finite: the batch is run again, entry by entry, from the last good state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.augment import example_keys
from weft.errors import WeftError
from weft.nn.mode import modes_kept
from weft.ops.random import fold_in
from weft.random import using
from weft.runtime.stepwise import Culprit, first_nonfinite, rows_of
from weft.tensor import Tensor, number_cell

if TYPE_CHECKING:
    from weft.train.course import Course
    from weft.train.loop import Standing

SHOWN = 8


class NonFiniteError(WeftError, ArithmeticError):
    """A loss or a gradient that is not finite, where the fit was told to raise."""


def explain_trip(
    course: Course, rows: Sequence[Any], standing: Standing, numbers: np.ndarray[Any, Any], epochs: int = 1
) -> str:
    """Where the batch ``rows`` (x, y, index) made a number that is not finite; ``numbers`` are those of its examples.

    The state is still that before the batch: a step with a number that is not finite changes nothing.
    """
    x, y, index = rows
    step, clock = course.step, int(course.clock) - 1
    keys = example_keys(course.augment_key, number_cell(standing.done + epochs - 1, np.int64), index)
    dropout = fold_in(course.key, clock)
    given = Tensor(x.numpy()), Tensor(y.numpy())

    def forward() -> Any:
        with using(dropout):
            ax, ay = given if step.augment is None else step.augment(given[0], given[1], keys)
            with step.precision.computing(step.model):
                return step.forward(step.precision.given(ax), ay, given[1])[0]

    def backward() -> Any:
        with using(dropout):
            ax, ay = given if step.augment is None else step.augment(given[0], given[1], keys)
            learned = step.learn(ax, ay, given[1])
            return learned.losses, learned.gradients

    where = f"epoch {standing.done + epochs}, batch {standing.position}"
    with modes_kept(step.model):
        step.model.train()
        culprit, direction = first_nonfinite(forward), "forward"
        if culprit is None:
            culprit, direction = first_nonfinite(backward), "backward"
    if culprit is None:  # run alone, every number is finite: fused, XLA computes in another order
        return f"{where}: a number was not finite, and is when the batch is computed entry by entry"
    return f"{where}: {told(culprit, direction, len(numbers), numbers)}"


def explain_measured(course: Course, when: str) -> str:
    """Where a measurement, in evaluation mode, made a number that is not finite."""
    if course.evaluated is None:
        return f"{when}: the loss in evaluation mode is not finite"
    x, y = (Tensor(t.numpy().reshape(-1, *t.shape[2:])[: course.n_evaluated]) for t in course.evaluated[0])
    with modes_kept(course.step.model):
        course.step.model.eval()
        culprit = first_nonfinite(lambda: course.measure.examples(x, y))
    if culprit is None:
        return f"{when}: the loss in evaluation mode is not finite, and is when it is computed entry by entry"
    return f"{when}: {told(culprit, 'forward, evaluation mode', len(x), np.arange(len(x)), 'of what is measured')}"


def told(
    culprit: Culprit, direction: str, batch: int, numbers: np.ndarray[Any, Any], of: str = "of the training data"
) -> str:
    """The culprit in one sentence: what, where, in which direction, for which examples."""
    value = culprit.value
    bad = value[~np.isfinite(value)]
    place = f" in {culprit.source.path}" if culprit.source.path else f" at {culprit.source}"
    verb = "given to" if culprit.given else "made by"
    text = f"{bad[0]} {verb} {culprit.op}{place} ({direction}), {bad.size} of {value.size} numbers"
    rows = rows_of(value, batch)
    if 0 < len(rows) < batch:  # all of them: the axis may be another than that of the examples
        shown = ", ".join(str(int(numbers[r])) for r in rows[:SHOWN])
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        text += f", in {'row' if len(rows) == 1 else 'rows'} {shown}{more} {of}"
    return text
