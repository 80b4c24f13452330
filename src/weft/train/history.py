"""The history of a run: a table whose columns are known before the first step."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from weft.errors import ArgumentError


class History(Mapping[str, list[float]]):
    """One row for each epoch; by column: ``history["val_loss"]``.

    ``loss`` and the bare metric names are running means over the epoch, of a model in motion, in training mode;
    ``train_…`` and ``val_…`` are measured at the end of the epoch in evaluation mode, and can be compared.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[float]] = ()) -> None:
        self.columns = tuple(columns)
        self.rows: list[tuple[float, ...]] = [tuple(row) for row in rows]

    def append(self, row: Sequence[float]) -> None:
        """Add the row of one epoch."""
        if len(row) != len(self.columns):
            raise ArgumentError(
                f"a row of {len(row)} numbers", expected=f"{len(self.columns)}: {', '.join(self.columns)}"
            )
        self.rows.append(tuple(float(v) for v in row))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.columns:
            raise KeyError(f"{name!r} is not in the history; it has {', '.join(self.columns)}")
        k = self.columns.index(name)
        return [row[k] for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def epochs(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def row(self, epoch: int) -> dict[str, float]:
        """The row of one epoch, counted from 1."""
        if not 1 <= epoch <= self.epochs:
            raise ArgumentError(
                f"epoch {epoch} of a history of {self.epochs} epochs",
                expected=f"1 to {self.epochs}" if self.rows else "an epoch",
            )
        return dict(zip(self.columns, self.rows[epoch - 1], strict=True))

    def to_csv(self) -> str:
        """The table as comma-separated text with a line of names."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *self.columns])
        writer.writerows([k, *row] for k, row in enumerate(self.rows, 1))
        return text.getvalue()

    def __repr__(self) -> str:
        return f"History({self.epochs} epochs of {', '.join(self.columns)})"
