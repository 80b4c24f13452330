"""One line of progress: at most five updates a second, plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any


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
    """Says how far a fit is; ``verbose=False`` says nothing."""

    def __init__(self, epochs: int, first: int, verbose: bool) -> None:
        self.first, self.last, self.verbose = first, first + epochs, verbose
        self.started = self.shown = time.monotonic()
        self.live: Any = None
        self.next_line = first + 1
        self.closing = ""

    def __enter__(self) -> Progress:
        if self.verbose and sys.stderr.isatty():
            from rich.console import Console
            from rich.status import Status

            console = Console(stderr=True)
            self.live = Status("compiling the first program …", console=console)
            self.live.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        if self.live is not None:
            self.live.__exit__(*failure)
        if self.verbose and self.closing and failure[0] is None:
            print(self.closing, file=sys.stderr)

    def epoch(self, number: int, row: Mapping[str, float]) -> None:
        """An epoch has ended."""
        text = f"epoch {number}/{self.last}  {told(row)}"
        self.closing = text
        if self.live is not None:
            self._update(text + self._left(number))
        elif self.verbose and number >= self.next_line and number < self.last:
            print(text, file=sys.stderr, flush=True)
            # Lines get rarer as the run gets longer: about twenty for a hundred epochs.
            self.next_line = number + max(1, (number - self.first) // 5)

    def batch(self, number: int, of: int | None, epoch: int, loss: float) -> None:
        """A stretch of batches within an epoch has ended."""
        if self.live is not None:
            part = f"{number}/{of}" if of is not None else str(number)
            self._update(f"epoch {epoch}/{self.last}  batch {part}  loss {loss:.4f}")

    def _update(self, text: str) -> None:
        now = time.monotonic()
        if now - self.shown >= 0.2:
            self.live.update(text)
            self.shown = now

    def _left(self, number: int) -> str:
        done = number - self.first
        seconds = (time.monotonic() - self.started) / max(done, 1) * (self.last - number)
        return f"  about {seconds:.0f} s left" if seconds >= 1 else ""
