"""What an earlier run left in a folder: set aside while a new one begins, then removed, or put back if none began.

::

    folder/.earlier           all that the earlier run left, while nobody knows whether the new one will leave anything
    folder/.earlier-moving    the same on its way in or out: what a dead process left there belongs back
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN, RESULT, COMMAND = "run.json", "result.json", "command.json"
RESULTS = ("model.weft", "history.csv", "evidence.json", "diagnosis.json", "report.html", "plot.png", RUN, RESULT)
ASIDE, MOVING = ".earlier", ".earlier-moving"


def set_aside(folder: Path) -> None:
    """Set aside the checkpoints and the results of an earlier run; nothing else. Raises FileError if it still runs."""
    with alone(folder):
        for path in _left(folder, *RESULTS, COMMAND):
            _move(path, folder, folder / MOVING)
        if (folder / MOVING).is_dir():
            (folder / MOVING).rename(folder / ASIDE)


def settle(folder: Path) -> None:
    """Remove what was set aside if a new run has left anything but its command; else put it back."""
    if not ((folder / ASIDE).is_dir() or (folder / MOVING).is_dir()):
        return
    with alone(folder):
        if (folder / ASIDE).is_dir() and any(_left(folder, *RESULTS)):
            shutil.rmtree(folder / ASIDE)
        elif (folder / ASIDE).is_dir():
            (folder / ASIDE).rename(folder / MOVING)
        if (folder / MOVING).is_dir():
            for path in _left(folder / MOVING, *RESULTS, COMMAND):
                _move(path, folder / MOVING, folder)
            shutil.rmtree(folder / MOVING)


def _left(folder: Path, *names: str) -> list[Path]:
    """Those of our files that are there, and the checkpoints."""
    checkpoints = folder / "checkpoints"
    paths = [*checkpoints.glob("step-*"), checkpoints / "latest", checkpoints / "best", *(folder / n for n in names)]
    return [path for path in paths if path.exists()]


def _move(path: Path, source: Path, target: Path) -> None:
    moved = target / path.relative_to(source)
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.replace(moved)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of the checkpoints, if there are any. Raises FileError while another process has it."""
    from weft.storage.checkpoints import Checkpoints

    if not (folder / "checkpoints").is_dir():
        yield
        return
    with Checkpoints(folder):
        yield
