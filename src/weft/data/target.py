"""The target column of a table: classes or a quantity, recognised and said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.check import check_task
from weft.data.column import check_commas, hardly_repeat, is_numeric, place_of, places, texts, to_numbers
from weft.data.convert import as_float
from weft.data.naming import closest, listing, plural
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from pandas import Series

Array = np.ndarray[Any, Any]
TableTask = Literal["classification", "regression"]
# Whole numbers with at most this many different values, each seen twice on average, are taken for classes.
FEW_NUMBERS = 20


def recognise_target(series: Series, task: TableTask | None = None) -> tuple[TableTask, tuple[str, ...], str]:
    """The task, the class names (none for regression) and the reason in one sentence.

    Raises DataError when a target is missing, when there is one value only, or when texts hardly ever repeat;
    ArgumentError when ``task`` is unknown or does not fit.

    >>> import pandas as pd
    >>> recognise_target(pd.Series([1.5, 2.5, 9.0], name="price"))
    ('regression', (), "target 'price' has 3 different numbers: regression")
    """
    name = str(series.name)
    check_task(task)
    check_present(series)
    numeric = is_numeric(series)
    values = np.unique(to_numbers(series) if numeric else np.array(texts(series), dtype=np.str_))
    if len(values) < 2:
        raise DataError(
            f"target {name!r} has the same value in every row: {texts(series.iloc[:1])[0]!r}",
            expected="2 different values or more",
            cure="another target, or a file with more of its values",
        )
    found, reason = task_of(name, values, numeric=numeric, rows=len(series))
    if task is not None and task != found:
        check_fits(task, name, numeric=numeric)
        found, reason = task, f"target {name!r} has {len(values)} different values: {task}, as asked"
    return found, class_names(values) if found == "classification" else (), reason


def encode_target(series: Series, classes: tuple[str, ...]) -> Array:
    """Targets of shape (n,): int64 places in ``classes``, or float32 numbers when there are none.

    Raises DataError when a target is missing, unknown, or no number.
    """
    check_present(series)
    if not classes:
        if not is_numeric(series):
            raise DataError(f"target {str(series.name)!r} holds texts", expected="numbers, as in training")
        return as_float(to_numbers(series), f"target {str(series.name)!r}")
    codes = places(series, classes)
    if (codes < 0).any():
        first = int((codes < 0).argmax())
        unknown = texts(series.iloc[first : first + 1])[0]
        near = closest(unknown, classes)
        raise DataError(
            f"class {unknown!r} is not known",
            expected=f"one of {listing(classes)}",
            where=place_of(series, first),
            cure=f"is {near!r} meant?" if near else None,
        )
    return codes


def check_present(series: Series) -> None:
    """Raise DataError when a target is missing: nothing can stand in for the answer."""
    missing = series.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"target {str(series.name)!r} is missing in {plural(int(missing.sum()), 'row')}",
            expected="a target in every row; it is never imputed",
            where=place_of(series, int(missing.argmax())),
            cure="fill in the target, or remove these rows",
        )


def task_of(name: str, values: Array, *, numeric: bool, rows: int) -> tuple[TableTask, str]:
    """The task of a target with these different ``values`` in so many rows, and the reason.

    Raises DataError for texts that hardly ever repeat.
    """
    told = f"target {name!r} has {len(values)} different"
    if not numeric:
        check_commas(name, values.tolist())
        if hardly_repeat(len(values), rows):
            raise DataError(
                f"{told} texts in {rows} rows",
                expected="numbers, or classes that repeat",
                cure="is this the column to predict?",
            )
        return "classification", f"{told} texts: classification"
    whole = bool(np.all(values == np.rint(values)))
    if whole and len(values) <= FEW_NUMBERS and 2 * len(values) <= rows:
        return "classification", f"{told} whole numbers in {rows} rows: classification"
    return "regression", f"{told} numbers: regression"


def check_fits(task: TableTask, name: str, *, numeric: bool) -> None:
    """Raise ArgumentError for regression to texts."""
    if task == "regression" and not numeric:
        raise ArgumentError(
            f"task='regression', but target {name!r} holds texts",
            expected="a target of numbers",
            cure="task='classification'",
        )


def class_names(values: Array) -> tuple[str, ...]:
    """The names of classes, whole numbers without a decimal point."""
    return tuple(
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value) for value in values.tolist()
    )
