"""EarlyStopping: the end of training when nothing gets significantly better, or by one of Prechelt's criteria."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ArgumentError
from weft.overfit.criteria import STRIP, generalization_loss, paired_rise, quotient, stop_gl, stop_pq, stop_up
from weft.train.callback import Callback, StopTraining
from weft.train.callbacks.monitoring import mode_of, unknown
from weft.train.options import whole

if TYPE_CHECKING:
    from weft.train.loop import Loop

Array = np.ndarray[Any, Any]
PATIENCE = 10
THRESHOLDS = {"GL": 5.0, "PQ": 1.0, "UP": 3.0}


class EarlyStopping(Callback):
    """Ends the fit after ``patience`` epochs in a row without an improvement of a column.

    ``monitor``      a column of the history; it should fall or rise as ``mode`` says: "min", "max", or None to tell by
                     its name
    ``min_delta``    by how much it must improve on the best so far
    ``significance`` z: an epoch is better only if it is so beyond the noise of the examples. With the values d of each
                     example in the best epoch so far minus those now, mean(d) / SE(d) must exceed z. Slow progress
                     still counts: what it is compared with stays until something is better
    ``criterion``    one of L. Prechelt's ("Early Stopping — But When?", 1998) in the place of patience, which then only
                     counts if it is given too, with its ``threshold``:
                     "GL", the validation loss exceeds the lowest so far by more than 5 %;
                     "PQ", that excess over the progress P₅ still made in training is above 1, at the end of a strip;
                     "UP", the validation loss was higher at the ends of 3 successive strips of 5 epochs

    What is not finite is never an improvement. The model ends with the best weights, as ``fit(keep=)`` says.

    >>> import weft as wf
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", wf.optim.Adam(0.1), callbacks=[EarlyStopping(5)])
    >>> run = trainer.fit(wf.data.iris(), validation=0.5, epochs=500, verbose=False)
    >>> run.history.epochs < 500
    True
    """

    def __init__(
        self,
        patience: int | None = None,
        monitor: str = "val_loss",
        *,
        mode: str | None = None,
        min_delta: float = 0.0,
        significance: float | None = None,
        criterion: str | None = None,
        threshold: float | None = None,
    ) -> None:
        check(patience, mode, min_delta, significance, criterion, threshold)
        if criterion is not None and (monitor != "val_loss" or significance is not None):
            given = f"monitor={monitor!r}" if monitor != "val_loss" else f"significance={significance!r}"
            raise ArgumentError(
                f"EarlyStopping(criterion={criterion!r}, {given})",
                expected="a criterion, which is about val_loss and train_loss, or something to wait for",
                cure=f"EarlyStopping(criterion={criterion!r}), and another EarlyStopping(…) in the list",
            )
        self.patience = PATIENCE if patience is None and criterion is None else patience
        self.monitor, self.mode = monitor, mode
        self.min_delta, self.significance = float(min_delta), significance
        self.criterion = criterion
        self.threshold = threshold if threshold is not None or criterion is None else THRESHOLDS[criterion]
        # The state of a run.
        self.best: float | None = None
        self.best_epoch = self.waited = 0
        self.began: int | None = None  # how many epochs there were before
        self._examples: Array | None = None  # the values of each example in the best epoch

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────

    def before_fit(self, loop: Loop) -> None:
        known = loop.history.columns
        for name in (self.monitor, *(("train_loss",) if self.criterion else ())):
            if name not in known:
                raise unknown(name, known)
        self.mode = mode_of(self.monitor, self.mode)
        if self.significance is not None and self.place(loop) is None:
            by_example = (
                [c for c in known if c.startswith(("val_", "train_"))] if loop.course.measure.by_example else []
            )
            raise ArgumentError(
                f"EarlyStopping(monitor={self.monitor!r}, significance={self.significance:g}): it has no value for "
                "each example",
                expected=f"one of {', '.join(by_example)}" if by_example else "a loss that is known for each example",
                cure=f"EarlyStopping(monitor={self.monitor!r}, min_delta=…)",
            )
        if self.began is None:
            self.began = loop.history.epochs

    def after_epoch(self, loop: Loop) -> None:
        self.note(loop)
        if self.criterion is not None and (why := self.crossed(loop)):
            raise StopTraining(why)
        if self.patience is not None and self.waited >= self.patience:
            raise StopTraining(self.why(loop.row[self.monitor]))

    # ── patience ────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, loop: Loop) -> None:
        """Compare the epoch with the best so far."""
        value, examples = loop.row[self.monitor], None
        if self.significance is not None:
            examples = self.of_examples(loop)
        if math.isfinite(value) and self.better(value, examples):
            self.best, self.best_epoch, self.waited, self._examples = value, loop.standing.done, 0, examples
        else:
            self.waited += 1

    def better(self, value: float, examples: Array | None) -> bool:
        """Whether a finite value improves on the best so far."""
        if self.best is None:
            return True
        sign = 1.0 if self.mode == "min" else -1.0
        if not sign * (self.best - value) > self.min_delta:
            return False
        if self.significance is None or examples is None or self._examples is None:
            return True
        return -sign * paired_rise(examples, self._examples) > self.significance

    def place(self, loop: Loop) -> tuple[int, slice] | None:
        """Where the values of each example stand: the row, and which examples."""
        course, (part, _, name) = loop.course, self.monitor.partition("_")
        if not course.measure.by_example or part not in ("val", "train") or name not in course.measure.columns:
            return None
        examples = slice(None, course.n_val) if part == "val" else slice(course.n_val, None)
        return course.measure.columns.index(name), examples

    def of_examples(self, loop: Loop) -> Array:
        """The values of each example at the end of the epoch."""
        place = self.place(loop)
        assert place is not None
        return np.array(loop.course.last_examples.numpy()[place])

    def why(self, now: float) -> str:
        """The rule and its numbers."""
        rule = "improvement"
        if self.significance is not None:
            rule = f"significant improvement (z > {self.significance:g})"
        elif self.min_delta:
            rule = f"improvement of more than {self.min_delta:g}"
        since = f"{self.best:.4g} in epoch {self.best_epoch}" if self.best is not None else "none"
        return f"patience: {self.waited} epochs without {rule} of {self.monitor} (best {since}, now {now:.4g})"

    # ── criteria ────────────────────────────────────────────────────────────────────────────────────────────

    def crossed(self, loop: Loop) -> str:
        """What the criterion found in the epochs of this fit; nothing as long as training goes on."""
        validation, training = (loop.history[name][self.began :] for name in ("val_loss", "train_loss"))
        zero = any(v <= 0 for v in (*validation, *training))  # where losses reach it their ratio means nothing
        baseline = loop.baseline if zero else None
        assert self.criterion is not None
        assert self.threshold is not None
        return RULES[self.criterion](validation, training, self.threshold, baseline)


def generalization(validation: Any, _: Any, limit: float, baseline: float | None) -> str:
    """GL."""
    if stop_gl(validation, limit, baseline) is None:
        return ""
    excess = generalization_loss(validation, baseline)[-1]
    return f"GL: val_loss is {excess:.3g} % above its lowest, {np.nanmin(validation):.4g}; the limit is {limit:g} %"


def progressing(validation: Any, training: Any, limit: float, baseline: float | None) -> str:
    """PQ."""
    if stop_pq(validation, training, limit, baseline=baseline) is None:
        return ""
    found = quotient(validation, training, baseline=baseline)[-1]
    return f"PQ: generalization loss over training progress is {found:.3g}; the limit is {limit:g}"


def rising(validation: Any, _: Any, limit: float, baseline: float | None) -> str:
    """UP."""
    if stop_up(validation, int(limit)) is None:
        return ""
    return f"UP: val_loss rose in {int(limit)} successive strips of {STRIP} epochs, to {validation[-1]:.4g}"


RULES: dict[str, Callable[[Any, Any, float, float | None], str]] = {
    "GL": generalization,
    "PQ": progressing,
    "UP": rising,
}


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────


def check(patience: Any, mode: Any, min_delta: Any, significance: Any, criterion: Any, threshold: Any) -> None:
    """Refuse settings out of range."""
    if patience is not None:
        whole("patience", patience, 1, of="EarlyStopping")
    if mode not in (None, "min", "max"):
        raise ArgumentError(f"EarlyStopping(mode={mode!r})", expected='"min", "max", or None to tell by the name')
    for name, value in (("min_delta", min_delta), ("significance", significance)):
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            raise ArgumentError(f"EarlyStopping({name}={value!r})", expected="a finite number ≥ 0")
    if criterion is not None and criterion not in THRESHOLDS:
        raise ArgumentError(f"EarlyStopping(criterion={criterion!r})", expected=f"one of {', '.join(THRESHOLDS)}")
    if threshold is None:
        return
    if criterion is None:
        raise ArgumentError(
            f"EarlyStopping(threshold={threshold!r}) without a criterion",
            expected="the threshold of a criterion",
            cure=f'EarlyStopping(criterion="GL", threshold={threshold!r}), or min_delta=',
        )
    positive = isinstance(threshold, int | float) and math.isfinite(threshold) and threshold > 0
    if not positive or (criterion == "UP" and threshold != int(threshold)):
        expected = "a whole number of strips ≥ 1" if criterion == "UP" else "a finite number > 0"
        raise ArgumentError(f"EarlyStopping(criterion={criterion!r}, threshold={threshold!r})", expected=expected)
