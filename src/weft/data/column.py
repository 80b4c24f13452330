"""One column of a table: what kind it is, how it becomes numbers, and what stands in for a missing cell."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.check import all_finite, warn_of_coarse
from weft.data.naming import closest, listing, plural
from weft.data.warning import DataWarning
from weft.errors import DataError

if TYPE_CHECKING:
    from pandas import Series

Array = np.ndarray[Any, Any]
Kind = Literal["number", "category"]
# A text column with more different values than this, most of them seen once, is a name or a note, not a category.
MANY_VALUES = 50
_COMMA = re.compile(r"[-+]?[\d.]+,\d+")
MANY_FEATURES = 1000  # of one column: from here on it is said


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
        return cls.category(name, set(texts(cells)), len(cells))

    @classmethod
    def category(cls, name: str, values: Collection[str], rows: int) -> Column:
        """A category with these values in so many rows. Raises DataError for texts that hardly ever repeat."""
        categories = tuple(sorted(values))
        check_commas(name, categories)
        if hardly_repeat(len(categories), rows):
            raise DataError(
                f"column {name!r} holds {len(categories)} different texts in {rows} rows, such as {categories[0]!r}",
                expected="numbers, or a category whose values repeat",
                cure=f"ignore=[{name!r}]",
            )
        if len(categories) > MANY_FEATURES:
            warnings.warn(
                f"column {name!r} becomes {len(categories)} features of 0 and 1, one a value; try ignore=[{name!r}]",
                DataWarning,
                stacklevel=2,
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
        rows = self.rows(series)
        x = None if rows is None else stacked(rows)
        if rows is None or x is None:
            raise self._lesson(series if self.fill is None else series.astype(object).where(series.notna(), self.fill))
        if self.kind == "number":
            warn_of_coarse(rows[0][:, None], (self.name,))
        return x

    def rows(self, cells: Any) -> list[Array] | None:
        """Each feature of the cells, a Series or numbers (n,); None where one is a text among numbers, or not known."""
        from pandas import isna

        if self.kind == "number" and isinstance(cells, np.ndarray):  # what is missing there is NaN, and nothing else is
            return [cells if self.fill is None else np.where(np.isnan(cells), self.fill, cells)]
        missing = isna(cells)
        if self.kind == "number":
            numbers = to_numbers(cells)
            if (np.isnan(numbers) & ~missing).any():
                return None
            return [numbers if self.fill is None else np.where(missing, self.fill, numbers)]
        codes = places(cells, self.categories)
        if self.fill is not None:
            codes = np.where(missing, self.categories.index(str(self.fill)), codes)
        return None if (codes < 0).any() else [codes == code for code in range(len(self.categories))]

    def _numbers(self, series: Series) -> Array:
        numbers = to_numbers(series)
        if _beyond(numbers).any():
            raise self._lesson(series)
        return numbers

    def _lesson(self, series: Series) -> DataError:
        """What is wrong with the first cell that will not do."""
        if self.kind == "number":
            return _odd_cells(series, _beyond(to_numbers(series)))
        first = int((places(series, self.categories) < 0).argmax())
        unseen = texts(series.iloc[first : first + 1])[0]
        near = closest(unseen, self.categories)
        return DataError(
            f"column {self.name!r} holds {unseen!r}, which was not there in training",
            expected=f"one of {listing(self.categories)}",
            where=place_of(series, first),
            cure=f"is {near!r} meant?" if near else "train again with rows of that value",
        )


def stacked(rows: list[Array]) -> Array | None:
    """Features of (n,) each as x, float32 (n, features); None where one is not finite there."""
    with np.errstate(all="ignore"):
        x = np.stack(rows, axis=1, dtype=np.float32, casting="unsafe")
    return x if all_finite(x) else None


def hardly_repeat(values: int, rows: int) -> bool:
    """Whether so many different texts in so many rows are names or notes, and no category."""
    return values > MANY_VALUES and values > rows / 2


def check_commas(name: str, values: Collection[str]) -> None:
    """Raise DataError where most of these texts are numbers with a decimal comma."""
    found = [value for value in values if _COMMA.fullmatch(value)]
    if 2 * len(found) > len(values):
        raise DataError(
            f"column {name!r} holds numbers with a decimal comma, such as {found[0]!r}",
            expected="numbers with a decimal point",
            cure="open_table(pd.read_csv(path, sep=';', decimal=','), target).dataset()",
        )


def texts(series: Series) -> list[str]:
    """The cells as texts, whole numbers without a decimal point."""
    return [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell) for cell in series.tolist()]


def places(series: Series, names: tuple[str, ...]) -> Array:
    """The place of each cell among ``names``, (n,) int64; −1 where it is missing, or not there."""
    import pandas as pd

    if pd.api.types.infer_dtype(series).startswith("mixed"):  # True and 1 are equal, and different texts
        series = pd.Series(texts(series), dtype=object).where(series.notna().to_numpy())
    codes, values = pd.factorize(series)
    place = {name: code for code, name in enumerate(names)}
    return np.array([*(place.get(name, -1) for name in texts(pd.Series(values))), -1], np.int64)[codes]


def to_numbers(series: Series) -> Array:
    """The cells as float64, NaN where a cell is no number."""
    import pandas as pd

    return np.asarray(pd.to_numeric(series, errors="coerce"), dtype=np.float64)


def are_texts(bad: int, cells: int) -> bool:
    """Whether so many cells that are no numbers make a column of texts, not one of numbers with mistakes in it.

    One slip in a short column, or a tenth of a long one, is a mistake.
    """
    return bad > max(1, cells // 10) or 2 * bad >= cells


def is_numeric(cells: Series) -> bool:
    """Whether these cells, none missing, are numbers. Raises DataError for a few texts among many numbers."""
    if cells.dtype.kind in "mMc":
        what = "complex numbers" if cells.dtype.kind == "c" else "times"
        raise DataError(
            f"column {str(cells.name)!r} holds {what}", expected="numbers or categories", cure="convert it to numbers"
        )
    if not len(cells):
        return True
    if isinstance(cells.iloc[0], bool | np.bool_):
        return False
    if cells.dtype.kind in "iuf":
        bad = ~np.isfinite(to_numbers(cells))
    else:
        numbers = to_numbers(cells)
        bad = np.isnan(numbers)
        if are_texts(int(bad.sum()), len(cells)):
            return False
        bad = ~np.isfinite(numbers)
    if bad.any():
        raise _odd_cells(cells, bad)
    return True


def _beyond(numbers: Array) -> Array:
    with np.errstate(over="ignore"):
        return ~np.isfinite(numbers.astype(np.float32))


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
