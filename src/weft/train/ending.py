"""How a fit ends, whatever ended it: the weights to keep are in the model, and what was learned is in a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.overfit.evidence import Kept
from weft.train.course import Course
from weft.train.gathering import gather
from weft.train.history import History
from weft.train.loop import Loop, Standing
from weft.train.preparation import Prepared
from weft.train.run import Run

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]


def take_up(trainer: Trainer, standing: Standing) -> None:
    """Go on from where training was, not from the best weights, unless somebody has changed the weights since."""
    weights = standing.course.weights
    if trainer.trained is None or len(weights) != len(trainer.held):
        return
    if all(w.node is h for w, h in zip(weights.values(), trainer.held, strict=True)):  # only assign makes another
        put(standing.course, trainer.trained)


def end(trainer: Trainer, loop: Loop, prepared: Prepared, keep: str, stopped: str) -> Run:
    """Put the weights to keep into the model, and gather the evidence."""
    standing, diverged = loop.standing, stopped == "diverged"
    course, history = standing.course, standing.history
    best = int(course.best_epoch)
    trainer.trained = {path: np.array(w.numpy()) for path, w in course.weights.items()}
    held, note = standing.done, ""
    if (diverged and not still_good(course, history, standing.initial)) or (not diverged and keep == "best" and best):
        held = best  # 0: those from before training
        if held != standing.done or standing.position:
            put(course, {path: kept.numpy() for path, kept in course.best_weights.items()})
    if keep == "best" and not diverged:
        note = replaced(loop)
    if diverged:  # nothing of it is worth going on from
        trainer.trained, trainer.standing = None, None
        for part in trainer.parts:
            part.state = part.optimizer.new_state()
    trainer.held = [w.node for w in course.weights.values()]
    trainer.model.eval()
    evidence = None
    if prepared.held_out is not None and history.epochs:
        kept: Kept = "other" if note else "best" if held == best else "last"
        evidence = gather(course, prepared, history, trainer.loss, trainer.metrics, standing.initial, kept)
    notes = (*prepared.notes, *standing.notes, *passed_over(course, diverged), *([note] if note else []))
    table = History(history.columns, history.rows)
    return Run(trainer.model, table, best or history.epochs, held, stopped, evidence, notes=notes, split=prepared.split)


def still_good(course: Course, history: History, initial: float | None) -> bool:
    """Whether the weights at hand are worth keeping after a number that was not finite.

    A step with such a number changes nothing, so that they are those of the last good step; unless there is a best
    epoch they are kept, if the last loss that was finite is not above the one before training.
    """
    if int(course.best_epoch) or course.n_val or int(course.skipped) <= course.most_skipped or initial is None:
        return False
    rows = [history.row(epoch) for epoch in range(max(1, history.epochs - 1), history.epochs + 1)]
    losses = [row[name] for row, name in zip(rows, ("train_loss", "loss")[-len(rows) :], strict=True)]
    known = [loss for loss in losses if math.isfinite(loss)]
    return bool(known) and known[-1] <= initial


def put(course: Course, values: Any) -> None:
    """Give the model these weights, by path."""
    for path, value in values.items():
        course.weights[path].assign(np.array(value))


def replaced(loop: Loop) -> str:
    """Let a callback put other weights in the place of the best ones; its note, or nothing."""
    for callback in loop.callbacks:
        answer = callback.weights_to_hold(loop)
        if answer is not None:
            put(loop.course, answer[0])
            return answer[1]
    return ""


def passed_over(course: Course, diverged: bool) -> list[str]:
    """How many batches were passed over; the one that ended the fit is told of elsewhere."""
    skipped = int(course.skipped) - diverged
    return [f"{skipped} batches were passed over because a number was not finite"] if skipped > 0 else []
