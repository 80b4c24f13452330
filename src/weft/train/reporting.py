"""The report of a run, put together from what the run knows and what its model says of the validation rows."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from weft.data.dataset import Dataset
from weft.nn.losses import Loss
from weft.nn.summary import summary
from weft.train.metrics.watch import probabilities
from weft.train.run import Run
from weft.train.trainer import Trainer
from weft.view.confusion import confusion, plot_confusion
from weft.view.fan import plot_fan
from weft.view.reliability import plot_reliability, reliability
from weft.view.report import Study, write_report

Array = np.ndarray[Any, Any]
HARDEST = 12
"""Validation rows with the largest losses that a report lists."""
MOST_ROWS = 100_000
"""Of more validation rows than this a report computes nothing anew."""
PROPER = ("cross_entropy", "nll", "binary_cross_entropy", "binary_cross_entropy_with_logits")
"""Losses that ask for probabilities, so that these can be held to their word."""


@dataclass
class Found:
    """What was found on the validation rows: pictures, what is to be seen on them, a table, and notes."""

    figures: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    hardest: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write_run_report(run: Run, path: str | os.PathLike[str], studies: Iterable[Any] = ()) -> Path:
    """Write the report of ``run``: verdict, notes, curves, the validation rows, settings, and the table of epochs.

    ``studies`` are results to be shown beside it: a `PopulationRun`, a learning curve, a cross-validation, …
    """
    shown = {name: run.settings[name] for name in ("launches", "memory") if name in run.settings}
    rows = [
        ("Epochs", f"{run.history.epochs}, stopped by {run.stopped}"),
        ("Weights held", f"those of epoch {run.held_epoch}"),
        ("Time", f"{run.seconds:.1f} s"),
        *((name.capitalize(), text) for name, text in shown.items()),
    ]
    found = on_validation_rows(run)
    curves = {"Training and validation curves": run.plot()} if run.history.epochs else {}
    return write_report(
        path,
        title=f"Training report: {run.settings['data'].split(':')[0]}",
        summary_rows=rows,
        history=run.history,
        diagnosis=run.diagnosis if run.evidence is not None else None,
        model_summary=described(run),
        figures=curves | found.figures,
        settings={name: text for name, text in run.settings.items() if name not in shown},
        notes=[*run.notes, *found.notes],
        descriptions=dict.fromkeys(curves, in_words(run)) | found.descriptions,
        hardest=found.hardest,
        studies=[as_study(study) for study in studies],
    )


def in_words(run: Run) -> str:
    """The curves for those who do not see them."""
    parts = []
    for key, name in (("train_loss", "training"), ("val_loss", "validation")):
        if key in run.history.columns and run.history.epochs:
            losses = np.array(run.history[key])
            low = int(np.where(np.isfinite(losses), losses, np.inf).argmin())
            parts.append(
                f"the {name} loss begins at {losses[0]:.3g}, is lowest in epoch {low + 1} with {losses[low]:.3g},"
                f" and ends at {losses[-1]:.3g}"
            )
    return f"Curves over {run.history.epochs} epochs: {'; '.join(parts)}."


def described(run: Run) -> str:
    """The layers with their shapes, where the shape of the data is known."""
    sample = run.origin.prepared.sample if run.origin is not None else None
    if (
        sample is None
        or not isinstance(sample.x, np.ndarray)
        or run.origin is None
        or run.origin.trainer.own is not None
    ):
        return repr(run.model)
    size = min(run.origin.batch_size, len(sample))
    return f"{run.model!r}\n\n{summary(run.model, sample.x[:size])}"


# ── the validation rows ─────────────────────────────────────────────────────────────────────────────────────


def on_validation_rows(run: Run) -> Found:
    """The largest losses, and of a classifier the confusion matrix and the reliability of its probabilities."""
    found, origin = Found(), run.origin
    if origin is None or origin.trainer.loss is None or run.stopped == "diverged":
        return found
    trainer, loss, held = origin.trainer, origin.trainer.loss, origin.prepared.held_out
    if not isinstance(held, Dataset) or not 1 <= len(held) <= MOST_ROWS:
        return found
    losses = trainer.per_example(held)[0]
    found.notes += changed(run, losses)
    outputs, targets = trainer.answers(held)
    said = decisions(loss, outputs, targets)
    if said is None:
        found.hardest = hardest(run, losses, *in_units(trainer, outputs, targets))
        return found
    chances, labels = said
    names = (*trainer.classes, *map(str, range(len(trainer.classes), chances.shape[1])))
    decided = chances.argmax(axis=1)
    named = [names[k] for k in labels], [f"{names[k]} ({percent(chances[i, k])})" for i, k in enumerate(decided)]
    found.hardest = hardest(run, losses, *named)
    figure, words = confused(labels, decided, names)
    found.figures["Confusion matrix"], found.descriptions["Confusion matrix"] = figure, words
    if loss.name in PROPER:
        trust = reliability(chances, labels)
        found.figures["Reliability"] = plot_reliability(trust)
        found.descriptions["Reliability"] = (
            f"How often the model is right when it says that it is sure, on {trust.examples} validation rows: it is"
            f" {percent(trust.mean_confidence)} confident and {percent(trust.mean_accuracy)} right on average;"
            f" expected calibration error {trust.ece:.3f}."
        )
    return found


def decisions(loss: Loss, outputs: Array, targets: Array) -> tuple[Array, Array] | None:
    """Probabilities (n, classes) and class numbers (n,) of a task with one of several classes a row; else None."""
    n = len(outputs)
    if loss.kind == "classification" and targets.dtype.kind in "iu" and targets.ndim == 1 and outputs.ndim == 2:
        return probabilities(loss, outputs), targets.astype(np.int64)
    if loss.kind == "binary" and outputs.size == n and targets.size == n:
        # Targets may be 0 and 1, or −1 and 1; scores of margins keep their threshold.
        yes = probabilities(loss, outputs).reshape(n).astype(np.float64)
        labels = targets.reshape(n)
        if ((yes >= 0) & (yes <= 1)).all() and np.isin(labels, (-1, 0, 1)).all():
            return np.stack([1 - yes, yes], axis=1), (labels > 0).astype(np.int64)
    return None


def confused(labels: Array, decided: Array, names: Sequence[str]) -> tuple[Any, str]:
    """The confusion matrix as a picture and in words."""
    counts = confusion(labels, decided, len(names))
    right, n = int(counts.trace()), len(labels)
    words = f"{right} of {n} validation rows are classified rightly ({percent(right / n)})"
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        i, j = divmod(int(wrong.argmax()), len(names))
        words += f"; the commonest mistake is {names[i]} taken for {names[j]} ({wrong[i, j]} of {counts[i].sum()})"
    return plot_confusion(labels, decided, names), words + "."


def hardest(run: Run, losses: Array, truth: Sequence[str], said: Sequence[str]) -> list[tuple[str, ...]]:
    """The validation rows with the largest losses, by their numbers in the data that was given."""
    own = run.split.validation if run.split is not None else np.arange(len(losses))
    worst = np.argsort(-np.nan_to_num(losses, nan=math.inf), kind="stable")[:HARDEST]
    head = ("row" if run.split is None or run.split.given is None else "row of the validation data",)
    return [
        (*head, "loss", "target", "the model says"),
        *((str(own[k]), f"{losses[k]:.4g}", truth[k], said[k]) for k in worst),
    ]


def in_units(trainer: Trainer, outputs: Array, targets: Array) -> tuple[list[str], list[str]]:
    """Targets and outputs in words, in the target's own unit."""
    scaler = trainer.target_scaler
    units = [scaler.invert(a) if scaler is not None else a for a in (targets, outputs)]
    return words_of(units[0]), words_of(units[1])


def words_of(values: Array) -> list[str]:
    """Each row in words: its numbers, or the first three of them.

    >>> words_of(np.array([[0.5], [2.0]])), words_of(np.array([[1.0, 2.0, 3.0, 4.0]]))
    (['0.5', '2'], ['1, 2, 3, … (4 numbers)'])
    """
    flat = values.reshape(len(values), -1)
    more = f", … ({flat.shape[1]} numbers)" if flat.shape[1] > 3 else ""
    return [", ".join(f"{v:.5g}" for v in row[:3].tolist()) + more for row in flat]


def percent(share: float) -> str:
    """A share in per cent.

    >>> percent(0.973)
    '97.3 %'
    """
    return f"{100 * share:.1f} %"


def changed(run: Run, losses: Array) -> list[str]:
    """A note where the model does not give the loss that the history has for the epoch whose weights it held."""
    if not 1 <= run.held_epoch <= run.history.epochs or "val_loss" not in run.history.columns:
        return []
    then, now = run.history["val_loss"][run.held_epoch - 1], float(losses.mean())
    if abs(now - then) <= 1e-3 * abs(then) + 1e-6:
        return []
    note = (
        f"The model has other weights than those of epoch {run.held_epoch} (averages, or training went on): what is"
        f" said of single validation rows is of the model as it is, with a validation loss of {now:.4g} instead of"
        f" {then:.4g}"
    )
    return [note]


# ── studies ─────────────────────────────────────────────────────────────────────────────────────────────────


def as_study(of: Any) -> Study:
    """A result of `weft.studies` or `weft.overfit` with its picture, if it has one, and its words."""
    figure = None
    if hasattr(of, "held_epochs"):  # a population
        validated = "val_loss" in of.columns
        figure = plot_fan(of["train_loss"], of["val_loss"]) if validated else None
    elif hasattr(of, "plot"):
        figure = of.plot()
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(of).__name__).capitalize()
    return Study(words, figure, str(of))
