"""One column of a table: what kind it is, how it becomes numbers, and what stands in for a missing cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.naming import closest, listing, plural
from weft.errors import DataError

if TYPE_CHECKING:
    from pandas import Series

Array = np.ndarray[Any, Any]
Kind = Literal["number", "category"]
# A text column with more different values than this, most of them seen once, is a name or a note, not a category.
MANY_VALUES = 50


@dataclass(frozen=True)
class Column:
    """A column of a table: numbers become one feature, a category (texts, bools) one feature a value, 0 or 1.

    ``fill`` stands in for a missing cell; None: a missing cell is an error.

    >>> Column("colour", "category", ("blue", "red")).features
    ('colour=blue', 'colour=red')
    """

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()
    fill: float | str | None = None

    @property
    def features(self) -> tuple[str, ...]:
        if self.kind == "number":
            return (self.name,)
        return tuple(f"{self.name}={category}" for category in self.categories)

    @classmethod
    def recognise(cls, series: Series) -> Column:
        """The kind of a column. Raises DataError for a text among numbers, and for texts that hardly ever repeat."""
        cells = series.dropna()
        name = str(series.name)
        if not len(cells):
            raise DataError(f"column {name!r} is empty", expected="a value somewhere", cure=f"ignore=[{name!r}]")
        if is_numeric(cells):
            return cls(name, "number")
        categories = tuple(sorted(set(texts(cells))))
        if len(categories) > MANY_VALUES and len(categories) > len(cells) / 2:
            raise DataError(
                f"column {name!r} holds {len(categories)} different texts in {len(cells)} rows, "
                f"such as {categories[0]!r}",
                expected="numbers, or a category whose values repeat",
                cure=f"read_csv(path, target, ignore=[{name!r}])",
            )
        return cls(name, "category", categories)

    def fitted(self, series: Series) -> Column:
        """The column with its stand-in for missing cells: the median or the most frequent value of ``series``.

        Raises DataError when every cell is missing there.
        """
        cells = series.dropna()
        if not len(cells):
            raise DataError(
                f"column {self.name!r} has no value in the {plural(len(series), 'training row')}",
                expected="at least one value to impute from",
                cure=f"ignore=[{self.name!r}]",
            )
        if self.kind == "number":
            return replace(self, fill=float(np.median(self._numbers(cells))))
        values, counts = np.unique(np.array(texts(cells), dtype=np.str_), return_counts=True)
        return replace(self, fill=str(values[counts.argmax()]))

    def encode(self, series: Series) -> Array:
        """The cells as features, float32 of shape (n, features). No cell may be missing if ``fill`` is None.

        Raises DataError for a cell that is no finite number, or a category that was not seen in training.
        """
        if self.fill is not None:
            series = series.astype(object).where(series.notna(), self.fill)
        if self.kind == "number":
            return self._numbers(series).astype(np.float32)[:, None]
        return np.eye(len(self.categories), dtype=np.float32)[self._codes(series)]

    def _numbers(self, series: Series) -> Array:
        numbers = to_numbers(series)
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(numbers.astype(np.float32))
        if bad.any():
            raise _odd_cells(series, bad)
        return numbers

    def _codes(self, series: Series) -> Array:
        place = {category: code for code, category in enumerate(self.categories)}
        codes = np.array([place.get(text, -1) for text in texts(series)], np.int64)
        if (codes < 0).any():
            first = int((codes < 0).argmax())
            unseen = texts(series.iloc[first : first + 1])[0]
            near = closest(unseen, self.categories)
            raise DataError(
                f"column {self.name!r} holds {unseen!r}, which was not there in training",
                expected=f"one of {listing(self.categories)}",
                where=place_of(series, first),
                cure=f"is {near!r} meant?" if near else "train again with rows of that value",
            )
        return codes


def texts(series: Series) -> list[str]:
    """The cells as texts, whole numbers without a decimal point."""
    return [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in series.tolist()]


def to_numbers(series: Series) -> Array:
    """The cells as float64, NaN where a cell is no number."""
    import pandas as pd

    return np.asarray(pd.to_numeric(series, errors="coerce"), dtype=np.float64)


def is_numeric(cells: Series) -> bool:
    """Whether these cells, none missing, are numbers. Raises DataError for a few texts among many numbers."""
    if cells.dtype.kind in "mMc":
        what = "complex numbers" if cells.dtype.kind == "c" else "times"
        raise DataError(
            f"column {str(cells.name)!r} holds {what}", expected="numbers or categories", cure="convert it to numbers"
        )
    if isinstance(cells.iloc[0], bool | np.bool_):
        return False
    if cells.dtype.kind in "iuf":
        bad = ~np.isfinite(to_numbers(cells))
    else:
        numbers = to_numbers(cells)
        bad = np.isnan(numbers)
        # One slip in a short column, or a tenth of a long one, is a mistake; more than that is a column of texts.
        if int(bad.sum()) > max(1, len(cells) // 10) or 2 * int(bad.sum()) >= len(cells):
            return False
        bad = ~np.isfinite(numbers)
    if bad.any():
        raise _odd_cells(cells, bad)
    return True


def _odd_cells(series: Series, bad: Array) -> DataError:
    first = int(bad.argmax())
    count = int(bad.sum())
    cell = series.iloc[first]
    shown = str(cell) if isinstance(cell, int | float | np.number) else repr(cell)
    return DataError(
        f"column {str(series.name)!r} is numeric but for {plural(count, 'cell')}: {shown}",
        expected="finite numbers of at most 3.4e38",
        where=place_of(series, first),
        cure="correct the cell, or empty it if the value is not known",
    )


def place_of(series: Series, row: int) -> str:
    """Where the cell is: the line in the file, or the row of a data frame."""
    return f"{series.index.name or 'row'} {series.index[row]}, column {str(series.name)!r}"
