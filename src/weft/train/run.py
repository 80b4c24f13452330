"""What a fit leaves behind: a plain result object, computed once; drawn, printed or written later."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.overfit import Diagnosis, Evidence, diagnose
from weft.train.history import History

if TYPE_CHECKING:
    from weft.data.split import Split
    from weft.nn.module import Module
    from weft.train.callback import Callback
    from weft.train.preparation import Prepared
    from weft.train.trainer import Trainer


@dataclass(frozen=True, eq=False)
class Origin:
    """What a run came from, for whatever is tried again with changes."""

    trainer: Trainer
    prepared: Prepared
    epochs: int
    batch_size: int
    scale: Any
    augment: Any = None


@dataclass(eq=False)
class Run:
    """The result of `weft.Trainer.fit`.

    ``history``      the table of the epochs
    ``best_epoch``   the epoch (from 1) with the lowest validation loss; the last one without validation data
    ``held_epoch``   the epoch whose weights the model holds now; 0: those from before training
    ``stopped``      why training ended: "epochs", "patience", "interrupted", "diverged", or what a callback said
    ``notes``        what a reader should know: the split, how the data was scaled, advice
    ``evidence``     what the diagnosis rests on; None without validation data
    ``split``        which rows were for training and which for validation
    ``origin``       trainer and data, while they are in memory
    ``callbacks``    the fit's own copies of the trainer's callbacks, with what they have found
    """

    model: Module
    history: History
    best_epoch: int
    held_epoch: int
    stopped: str
    evidence: Evidence | None
    settings: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    split: Split | None = None
    callbacks: tuple[Callback, ...] = ()
    origin: Origin | None = field(default=None, repr=False)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Whether the model overfits, underfits or neither, with the evidence and what to do."""
        return diagnose(self)

    def plot(self) -> Any:
        """The training and validation curves as a matplotlib figure, with the verdict drawn in."""
        from weft.view.curves import plot_curves

        return plot_curves(self.history, self.diagnosis if self.evidence is not None else None)

    def animate(self, path: str | os.PathLike[str], *, frames_per_second: int = 10) -> Path:
        """Write the decision boundary, or the fitted curve, over the epochs as a GIF or an MP4.

        The weights of each picture come from the callback ``wf.callbacks.Snapshots()``; the data has one or two inputs.
        """
        from weft.view.animation import animate

        return animate(self, path, frames_per_second=frames_per_second)

    def report(self, path: str | os.PathLike[str] = "report.html", studies: Iterable[Any] = ()) -> Path:
        """Write the report: one HTML file that needs no network; results of `weft.studies` may be put into it."""
        from weft.train.reporting import write_run_report

        return write_run_report(self, path, studies)

    def __repr__(self) -> str:
        what = f"{self.history.epochs} epochs, stopped by {self.stopped}, holds epoch {self.held_epoch}"
        return f"Run({what}{', ' + self.diagnosis.verdict if self.evidence is not None else ''})"

    def __str__(self) -> str:
        done = f"{self.history.epochs} epochs in {self.seconds:.1f} s; stopped by {self.stopped}"
        lines = [f"{done}; the model holds epoch {self.held_epoch}."]
        lines += self.notes
        if self.evidence is not None:
            lines += ["", str(self.diagnosis)]
        return "\n".join(lines)
