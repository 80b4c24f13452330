"""The report of a run, put together from what the run knows."""

from __future__ import annotations

import os
from pathlib import Path

from weft.train.run import Run
from weft.view.report import write_report


def write_run_report(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write the report of ``run``: the verdict, the curves, the settings, and the table of epochs."""
    rows = [
        ("Epochs", f"{run.history.epochs}, stopped by {run.stopped}"),
        ("Weights held", f"those of epoch {run.held_epoch}"),
        ("Time", f"{run.seconds:.1f} s"),
        *((f"Note {k}", note) for k, note in enumerate(run.notes, 1)),
    ]
    return write_report(
        path,
        title=f"Training report: {run.settings['data'].split(':')[0]}",
        summary_rows=rows,
        history=run.history,
        diagnosis=run.diagnosis if run.evidence is not None else None,
        model_summary=repr(run.model),
        figures={"Training and validation curves": run.plot()} if run.history.epochs else {},
        settings=run.settings,
    )
