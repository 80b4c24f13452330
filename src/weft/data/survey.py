"""What one pass over files larger than memory tells of their columns: the recipe, found without the whole table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.check import check_task
from weft.data.column import Column, are_texts, is_numeric, place_of, texts, to_numbers
from weft.data.convert import MAX_CLASSES
from weft.data.frame import NO_NUMBERS
from weft.data.naming import plural
from weft.data.recipe import Table
from weft.data.scale import StreamedMedian
from weft.data.table import Missing, check_missing
from weft.data.target import TableTask, check_fits, class_names, recognise_target, task_of
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from pandas import Series

Array = np.ndarray[Any, Any]
# Numbers of all columns together that are held to find medians: exact up to here.
HELD_VALUES = 1 << 25


class Survey:
    """What one pass tells of a column, judged by the rules of ``is_numeric`` and ``recognise_target``."""

    def __init__(self, name: str, keep: int, is_target: bool) -> None:
        self.name, self.is_target, self.cells, self.gaps, self.bad = name, is_target, 0, 0, 0
        self.kinds: set[str] = set()
        self.counts: dict[str, int] = {}
        self.numbers = np.empty(0)  # the different ones of a target; no more once they are too many for classes
        self.median = StreamedMedian(int(np.clip(keep, 1024, 1 << 22))) if keep else None
        self.counts_rows = name.startswith("Unnamed: ")
        self.words = 0  # cells that among numbers are gaps
        self.first_gap = self.first_word = ""
        self.first_bad = ("", "")  # the cell, and where it is

    def see(self, series: Series) -> None:
        """The next cells of the column. Raises DataError for times, and for more texts than a category has."""
        if self.counts_rows:
            whole = to_numbers(series)
            self.counts_rows = bool(np.array_equal(whole - whole[:1], np.arange(len(whole))))
        missing = series.isna().to_numpy()
        if missing.any():
            self.first_gap = self.first_gap or _line(series, missing)
            self.gaps += int(missing.sum())
            series = series[~missing]
        if len(series):
            self.cells += len(series)
            self._see_numbers(self._as_numbers(series))

    def _as_numbers(self, series: Series) -> Array:
        """The cells as numbers; none where one of them is not."""
        import pandas as pd

        if series.dtype.kind in "iufmMc":
            self.kinds.add("number")
            is_numeric(series)  # refuses times, and numbers that are not finite
            return to_numbers(series)
        self.kinds.add("bool" if isinstance(series.iloc[0], bool | np.bool_) else "text")
        codes, values = pd.factorize(series)
        for name, count in zip(texts(pd.Series(values)), np.bincount(codes).tolist(), strict=True):
            self.counts[name] = self.counts.get(name, 0) + count
        self._check_few()
        numbers, words = to_numbers(pd.Series(values))[codes], pd.Series(values).isin(NO_NUMBERS).to_numpy()[codes]
        if words.any():
            self.first_word = self.first_word or _line(series, words)
            self.words += int(words.sum())
        bad = ~np.isfinite(numbers) & ~words
        if not bad.any():
            return numbers[~words]
        first = int(bad.argmax())
        if not self.bad:
            self.first_bad = repr(series.iloc[first]), place_of(series, first)
        self.bad += int(bad.sum())
        return np.empty(0)

    def _see_numbers(self, numbers: Array) -> None:
        if self.median is not None and len(numbers):
            self.median.add(numbers)
        if self.is_target and len(self.numbers) <= MAX_CLASSES:
            self.numbers = np.union1d(self.numbers, numbers)

    @property
    def is_number(self) -> bool:
        """Whether the cells are numbers. Raises DataError for a few texts among many numbers."""
        if "bool" in self.kinds or are_texts(self.bad, self.cells - self.words):
            return False
        if self.bad:
            cell, where = self.first_bad
            told = f"column {self.name!r} is numeric but for {plural(self.bad, 'cell')}: {cell}"
            raise DataError(told, expected="finite numbers", where=where, cure="correct the cell, or empty it")
        return True

    @property
    def missing(self) -> tuple[int, str]:
        """How many cells have no value, and where the first is."""
        if self.words and self.is_number:
            return self.gaps + self.words, self.first_gap or self.first_word
        return self.gaps, self.first_gap

    def column(self) -> Column:
        """How the column becomes an input. Raises DataError when it is empty, or its texts hardly ever repeat."""
        if not self.cells:
            raise DataError(
                f"column {self.name!r} is empty", expected="a value somewhere", cure=f"ignore=[{self.name!r}]"
            )
        if self.is_number:
            return Column(self.name, "number", fill=self.median.value() if self.median else None)
        made = Column.category(self.name, self.counts, self.cells)
        return replace(made, fill=max(made.categories, key=self.counts.__getitem__)) if self.median else made

    def target(self, task: TableTask | None) -> tuple[TableTask, tuple[str, ...], str]:
        """The task, the class names and the reason, as ``recognise_target`` finds them in the whole column."""
        import pandas as pd

        check_task(task)
        numeric = self.is_number
        values = self.numbers if numeric else np.array(sorted(self.counts), dtype=np.str_)
        if len(values) < 2:
            return recognise_target(pd.Series(values, name=self.name))  # refuses it
        found, reason = task_of(self.name, values, numeric=numeric, rows=self.cells)
        if len(values) > MAX_CLASSES:
            reason = f"target {self.name!r} has more than {MAX_CLASSES} different numbers: regression"
        if task is not None and task != found:
            if len(values) > MAX_CLASSES:
                raise ArgumentError(f"task={task!r}, but {reason}", expected="task='regression'")
            check_fits(task, self.name, numeric=numeric)
            found, reason = task, f"target {self.name!r} has {len(values)} different values: {task}, as asked"
        return found, class_names(values) if found == "classification" else (), reason

    def _check_few(self) -> None:
        if len(self.counts) > MAX_CLASSES:
            raise DataError(
                f"column {self.name!r} holds {len(self.counts)} different texts, such as {min(self.counts)!r}",
                expected="numbers, or a category whose values repeat",
                cure=f"ignore=[{self.name!r}]",
            )


def _line(series: Series, cells: Array) -> str:
    return f"{series.index.name} {series.index[int(cells.argmax())]}"


def surveyed_table(
    surveys: dict[str, Survey],
    inputs: list[str],
    target: str,
    missing: Missing,
    task: TableTask | None,
    separator: str,
) -> Table:
    """The recipe of the columns that were seen; an input that needed no look is one of numbers.

    Raises DataError for cells that are missing and not to be imputed, and for files without rows.
    """
    check_missing(missing)
    found_gaps = {one.name: one.missing for one in surveys.values() if missing == "refuse" or one.name == target}
    gaps = [(name, count, first) for name, (count, first) in found_gaps.items() if count]
    if gaps:
        raise DataError(
            f"{plural(sum(count for _, count, _ in gaps), 'cell')} missing in {plural(len(gaps), 'column')}",
            expected="a value in every cell; a target is never imputed",
            where="\n".join(f"column {name!r}: {count} missing, first in {first}" for name, count, first in gaps[:8]),
            cure='missing="impute" (the median, or the most frequent value), or fill them in',
        )
    if not (surveys and surveys[target].cells):
        raise DataError("a table without rows", expected="a row for each example")
    found, classes, reason = surveys[target].target(task)
    columns = [surveys[n].column() if n in surveys else Column(n, "number") for n in inputs]
    return Table(tuple(columns), target, classes, found, reason, separator)
