"""CSVLog and TensorBoard: the history of a fit, written while it grows."""

from __future__ import annotations

import csv
import importlib
import io
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import ArgumentError
from weft.storage.files import reported, write_atomically
from weft.train.callback import Callback

if TYPE_CHECKING:
    from weft.train.history import History
    from weft.train.loop import Loop


class CSVLog(Callback):
    """Writes the history to a file of comma-separated values while it grows, and costs no speed.

    The file is that of this fit: it begins with the rows of the epochs before, if the fit goes on from somewhere, and
    what it held otherwise is replaced. New rows are added whenever the device has finished a piece of work, and each
    is on its way to the disk then. Its columns are those of ``run.history``.

    >>> CSVLog("runs/iris.csv")
    CSVLog(path='runs/iris.csv')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of("CSVLog", path)

    def before_fit(self, loop: Loop) -> None:
        write_atomically(self.path, loop.history.to_csv())
        self.__written = loop.history.epochs

    def after_launch(self, loop: Loop) -> None:
        self.add(loop.history)

    def after_fit(self, loop: Loop) -> None:
        self.add(loop.history)

    def add(self, history: History) -> None:
        """Write the rows that have come since the last time."""
        if history.epochs == self.__written:
            return
        text = io.StringIO()
        rows = enumerate(history.rows[self.__written :], self.__written + 1)
        csv.writer(text, lineterminator="\n").writerows([epoch, *row] for epoch, row in rows)
        with reported(Path(self.path)), Path(self.path).open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
        self.__written = history.epochs


class TensorBoard(Callback):
    """Writes the history as scalars for TensorBoard, through the package ``tensorboardX``.

    What is measured of one thing stands in one place: ``loss/train``, ``loss/val``, ``loss/running``, by the number of
    the epoch. With ``batches=True`` the running loss also stands in the subfolder "batches", by the number of steps,
    at every launch of a fit that does not train whole epochs at once. A fit that is resumed, or begun anew in the
    same folder, replaces what stood there of later epochs.

    >>> TensorBoard("runs/board").folder
    'runs/board'
    """

    def __init__(self, folder: str | os.PathLike[str], *, batches: bool = False) -> None:
        self.folder, self.batches = path_of("TensorBoard", folder), bool(batches)

    def before_fit(self, loop: Loop) -> None:
        self.__written = loop.history.epochs
        self.__epochs = writer(self.folder, self.__written + 1)
        clock = int(loop.course.clock)
        self.__batches = writer(str(Path(self.folder) / "batches"), clock + 1) if self.batches else None

    def after_launch(self, loop: Loop) -> None:
        self.add(loop.history)
        if self.__batches is not None and math.isfinite(loop.loss):
            self.__batches.add_scalar("loss/running", loop.loss, int(loop.course.clock))

    def after_fit(self, loop: Loop) -> None:
        self.add(loop.history)
        for opened in (self.__epochs, self.__batches):
            if opened is not None:
                opened.close()

    def add(self, history: History) -> None:
        """Write the rows that have come since the last time."""
        for epoch, row in enumerate(history.rows[self.__written :], self.__written + 1):
            for name, value in zip(history.columns, row, strict=True):
                if math.isfinite(value):
                    self.__epochs.add_scalar(tag(name, history.columns), value, epoch)
        if history.epochs != self.__written:
            self.__epochs.flush()
        self.__written = history.epochs


def tag(column: str, columns: tuple[str, ...]) -> str:
    """The name of a column's curve: what is measured, then of what.

    >>> columns = ("loss", "last_loss", "train_loss", "val_loss", "weight_max")
    >>> [tag(column, columns) for column in columns]
    ['loss/running', 'loss/last', 'loss/train', 'loss/val', 'weight_max']
    """
    of, _, what = column.partition("_")
    if of in ("train", "val", "last") and what:
        return f"{what}/{of}"
    return f"{column}/running" if f"train_{column}" in columns else column


def writer(folder: str, first: int) -> Any:
    """What writes scalars into ``folder``; those of the steps from ``first`` on that stand there are hidden."""
    try:
        board = importlib.import_module("tensorboardX")
    except ImportError as error:
        raise ArgumentError(
            "TensorBoard(…) writes through the package tensorboardX, which is not installed",
            expected="pip install tensorboardX, or wf.callbacks.CSVLog, which needs nothing",
            cure='callbacks=[wf.callbacks.CSVLog("history.csv")]',
        ) from error
    with reported(Path(folder)):
        return board.SummaryWriter(folder, purge_step=first)


def path_of(owner: str, given: str | os.PathLike[str]) -> str:
    """A path as text."""
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise ArgumentError(f"{owner}({given!r})", expected="a path")
    return str(os.fspath(given))
