"""One line of progress: at most five updates a second, plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from weft.runtime.explanation import seconds_compiling

EVERY = 0.2  # seconds between two updates
WIDTH = 80  # of a line that does not wrap


def told(row: Mapping[str, float]) -> str:
    """Loss and first metric of an epoch on both parts, short enough for 80 columns.

    These are the numbers that can be compared: both in evaluation mode, at the same weights.

    >>> told({"loss": 0.6, "train_loss": 0.5, "train_accuracy": 0.75, "val_loss": 0.625, "val_accuracy": 0.5})
    'loss 0.5000, val 0.6250  accuracy 0.7500, val 0.5000'
    >>> told({"loss": 0.6, "train_loss": 0.5, "val_loss": 0.625, "val_roc_auc": 0.75})
    'loss 0.5000, val 0.6250  val roc_auc 0.7500'
    """
    names = [name.removeprefix("train_") for name in row if name.startswith("train_")][:2]
    shown = ((row[f"train_{name}"], row.get(f"val_{name}")) for name in names)
    parts = [
        f"{name} {train:.4f}" + ("" if val is None else f", val {val:.4f}")
        for name, (train, val) in zip(names, shown, strict=True)
    ]
    watched = [name for name in row if name.startswith("val_") and f"train_{name[4:]}" not in row]
    parts += [f"val {name[4:]} {row[name]:.4f}" for name in watched[: 2 - len(parts)]]
    return "  ".join(parts)


class Progress:
    """Says how far a fit is; ``verbose=False`` says nothing.

    One line that moves in a terminal or a notebook, plain lines elsewhere, which get rarer as the run gets longer.
    What is shown has arrived already: nothing waits for the device in order to be printed.
    """

    def __init__(self, epochs: int, first: int, verbose: bool) -> None:
        self.first, self.last = first, first + epochs
        self.started = self.shown = time.monotonic()
        self.compiling = seconds_compiling()
        self.line: Line = line_for(verbose)
        self.next_line = first + 1
        self.closing = ""

    def __enter__(self) -> Progress:
        self.line.begin("compiling the first program …")
        return self

    def __exit__(self, *failure: object) -> None:
        took = self._took()
        fits = len(self.closing) + len(took) <= WIDTH
        self.line.end(self.closing + (took if fits else "") if self.closing and failure[0] is None else "")

    def say(self, text: str) -> None:
        """Something that a person should know now."""
        self.line.say(text)

    def epoch(self, number: int, row: Mapping[str, float]) -> None:
        """An epoch has ended."""
        text = f"epoch {number}/{self.last}  {told(row)}"
        self.closing = text
        self._update(text, number)
        if number >= self.next_line and number < self.last:
            self.line.row(text)
            # Lines get rarer as the run gets longer: about twenty for a hundred epochs.
            self.next_line = number + max(1, (number - self.first) // 5)

    def batch(self, number: int, of: int | None, epoch: int, loss: float) -> None:
        """A stretch of batches within an epoch has ended."""
        if time.monotonic() - self.shown < EVERY:
            return
        part = f"{number}/{of}" if of is not None else str(number)
        done = epoch - 1 + (number / of if of else 0)
        self._update(f"epoch {epoch}/{self.last}  batch {part}  loss {loss:.4f}", done)

    def _update(self, text: str, done: float) -> None:
        now = time.monotonic()
        if now - self.shown >= EVERY:
            self.line.update(text + self._left(done))
            self.shown = now

    def _left(self, number: float) -> str:
        done = number - self.first
        if done <= 0:
            return ""
        compiling = seconds_compiling() - self.compiling  # which does not come again
        seconds = (time.monotonic() - self.started - compiling) / done * (self.last - number)
        return f"  about {seconds:.0f} s left" if seconds >= 1 else ""

    def _took(self) -> str:
        compiling = seconds_compiling() - self.compiling
        if compiling < 0.1:
            return ""
        return f"  compiled in {compiling:.1f} s"


class Line:
    """Where progress is shown; this one shows nothing."""

    def begin(self, text: str) -> None:
        """Show the first text."""

    def update(self, text: str) -> None:
        """Replace what is shown."""

    def row(self, text: str) -> None:
        """An epoch that is worth a line of its own where lines cannot be replaced."""

    def say(self, text: str) -> None:
        """Something to know that stays to be read."""

    def end(self, text: str) -> None:
        """Leave the last text."""


class PlainLines(Line):
    """Lines for a file or a log."""

    def row(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    say = row

    def end(self, text: str) -> None:
        if text:
            print(text, file=sys.stderr, flush=True)


class TerminalLine(Line):
    """One line of a terminal that is written over."""

    def begin(self, text: str) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.status import Status

        self.escape = escape  # a name such as "a[b]" is no markup
        self.live = Status(escape(text), console=Console(stderr=True))
        self.live.__enter__()

    def say(self, text: str) -> None:
        self.live.console.print(text, highlight=False, markup=False)

    def update(self, text: str) -> None:
        self.live.update(self.escape(text))

    def end(self, text: str) -> None:
        self.live.__exit__(None, None, None)
        if text:
            print(text, file=sys.stderr)


class NotebookLine(Line):
    """One output of a notebook's cell that is replaced: thousands of lines would freeze the page."""

    def begin(self, text: str) -> None:
        from IPython.display import display

        self.said: list[str] = []
        self.handle = display(_Text(text), display_id=True)

    def update(self, text: str) -> None:
        self.handle.update(_Text("\n".join([*self.said, text])))

    def say(self, text: str) -> None:
        self.said.append(text)

    def end(self, text: str) -> None:
        self.update(text)


class _Text:
    """A text as a notebook shows it, without quotation marks."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def line_for(verbose: bool) -> Line:
    """The line that fits where the program runs."""
    if not verbose:
        return Line()
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    if running is not None and hasattr(running, "kernel"):
        return NotebookLine()
    return TerminalLine() if sys.stderr.isatty() else PlainLines()
