"""From a table file to a data set, in one call or in two steps."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.column import Column
from weft.data.dataset import Dataset, as_rows
from weft.data.frame import any_frame
from weft.data.naming import closest, listing, twice
from weft.data.recipe import Table
from weft.data.target import TableTask, encode_target, recognise_target
from weft.data.warning import DataWarning
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Missing", "Source", "Table", "open_table", "read_csv"]

Missing = Literal["refuse", "impute"]


@dataclass(frozen=True, eq=False)
class Source:
    """A table and its layout, before anything is fitted to it.

    Two steps keep validation rows out of the imputed values: split first, then ``dataset(split.train)``, which
    encodes every row but takes medians and most frequent values from the training rows. A Dataset that was read with
    ``missing="impute"`` carries its source, and ``Dataset.fitted_on(split.train)`` does the same.
    Categories are those of the whole table: which values exist is no statistic of the rows.
    """

    frame: DataFrame
    layout: Table
    missing: Missing
    name: str = "table"

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Any) -> Source:
        """The table with these rows only, by position."""
        return replace(self, frame=self.frame.iloc[as_rows(rows, len(self))])

    def fit(self, rows: Any = None) -> Table:
        """The recipe, with values to impute found from these rows (all of them if None). Raises DataError."""
        if self.missing == "refuse":
            return self.layout
        chosen = self if rows is None else self.take(rows)
        return self.layout.fitted(chosen.frame)

    def dataset(self, rows: Any = None) -> Dataset:
        """Every row as numbers, by the recipe fitted on ``rows``. Raises DataError for what cannot be a number."""
        table = self.fit(rows)
        return Dataset(
            x=table.encode(self.frame),
            y=encode_target(self.frame[table.target], table.classes),
            name=self.name,
            features=table.features,
            target=table.target,
            classes=table.classes,
            task=table.task,
            table=table,
            source=self if self.missing == "impute" else None,
        )


def read_csv(
    path: str | Path,
    target: str,
    *,
    missing: Missing = "refuse",
    task: TableTask | None = None,
    separator: str = ",",
    ignore: Sequence[str] = (),
) -> Dataset:
    r"""A data set from a text file of separated values, whose first line names the columns.

    Numbers become float32 columns, texts and bools one column of 0 and 1 a value. A missing cell, one that is empty or
    says NA, nan, null or None among numbers, is refused, or imputed by ``missing="impute"``: the median or the most
    frequent value, fitted anew on the training part by ``Dataset.fitted_on``. The task is recognised from the target
    (``dataset.table.reason`` says why) unless given. ``ignore`` names columns to leave out. Raises FileError when the
    file is no table, DataError with column, line and cell when its content is at fault, ArgumentError for an unknown
    column or option.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("rooms,city,price\n2,Bern,310.5\n3,Basel,420\n4,Bern,600\n")
    >>> data = read_csv(path, "price")
    >>> data.features, data.x[0].tolist(), data.y.tolist()
    (('rooms', 'city=Basel', 'city=Bern'), [2.0, 0.0, 1.0], [310.5, 420.0, 600.0])
    >>> data.table.reason
    "target 'price' has 3 different numbers: regression"
    """
    return open_table(path, target, missing=missing, task=task, separator=separator, ignore=ignore).dataset()


def open_table(
    data: Any,
    target: str,
    *,
    missing: Missing = "refuse",
    task: TableTask | None = None,
    separator: str = ",",
    ignore: Sequence[str] = (),
) -> Source:
    """A file, or a table of pandas, Polars or Arrow, with its columns recognised and nothing fitted: the first of two
    steps. A path that ends in ``.parquet`` is read as Parquet, any other as text.

    Arguments and errors are those of ``read_csv``.

    >>> import pandas as pd
    >>> source = open_table(pd.DataFrame({"a": [1, None, 9], "y": [0.5, 1.5, 2.5]}), "y", missing="impute")
    >>> source.dataset([0, 1]).x.tolist()
    [[1.0], [1.0], [9.0]]
    """
    check_missing(missing)
    frame = any_frame(data, separator=separator, ignore=ignore)
    names = list(frame.columns)
    if not len(frame):
        raise DataError("a table without rows", expected="a row for each example")
    check_names(names, target, ignore, separator)
    found, classes, reason = recognise_target(frame[target], task)
    inputs = [name for name in names if name not in (target, *ignore) and not _counts_rows(frame, name)]
    check_inputs(inputs, target)
    columns = tuple(Column.recognise(frame[name]) for name in inputs)
    layout = Table(columns, target, classes, found, reason, separator)
    return Source(frame, layout, missing, Path(data).stem if isinstance(data, str | Path) else "table")


def check_names(
    names: list[str], target: str, ignore: Sequence[str], separator: str, inputs: Sequence[str] = ()
) -> None:
    """Raise ArgumentError for a column that is not there, or a target that is also an input or to ignore.

    Raises DataError for one name twice.
    """
    for argument, given in (("ignore", ignore), ("columns", inputs)):
        if isinstance(given, str):
            raise ArgumentError(f"{argument}={given!r}", expected="a list of names", cure=f"{argument}=[{given!r}]")
    asked = [(target, "target"), *((n, "column to ignore") for n in ignore), *((n, "column") for n in inputs)]
    for name, what in asked:
        if name not in names:
            raise ArgumentError(
                f"no {what} {name!r}",
                expected=f"one of the columns {listing(names)}",
                cure=_name_cure(name, names, separator),
            )
    if (double := twice(names)) is not None:
        raise DataError(f"two columns named {double!r}", expected="a name of its own for every column")
    if (double := twice(inputs)) is not None:
        raise ArgumentError(f"column {double!r} twice in columns", expected="each input once")
    if target in ignore:
        raise ArgumentError(f"target {target!r} is also in ignore", expected="a target that is kept")
    if target in inputs:
        raise ArgumentError(f"target {target!r} is also in columns", expected="a target that is no input")


def check_missing(missing: Any) -> None:
    """Raise ArgumentError for what is no way to deal with missing cells."""
    if missing not in ("refuse", "impute"):
        raise ArgumentError(f"missing={missing!r}", expected="'refuse' or 'impute'", cure='missing="impute"')


def check_inputs(inputs: Sequence[str], target: str) -> None:
    """Raise DataError when no column is left to predict from."""
    if not inputs:
        raise DataError(f"no column but the target {target!r}", expected="a column to predict from")


def _name_cure(name: str, names: list[str], separator: str) -> str | None:
    for other in (";", "\t", "|", ","):
        if len(names) == 1 and other != separator and other in names[0]:
            return f"separator={other!r}: the columns of this file are separated by it"
    near = closest(name, names)
    return repr(near) if near else None


def _counts_rows(frame: DataFrame, name: str) -> bool:
    """Whether an unnamed column only numbers the rows; it would tell a sorted file's answers."""
    if not name.startswith("Unnamed: ") or frame[name].dtype.kind not in "iu":
        return False
    numbers = frame[name].to_numpy()
    if not np.array_equal(numbers - numbers[0], np.arange(len(numbers))):
        return False
    warnings.warn(
        f"the column without a name ({name!r}) only counts the rows: it is left out", DataWarning, stacklevel=3
    )
    return True
