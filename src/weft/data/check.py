"""What is wrong with data is found here, on the host, before the first step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.data.naming import plural
from weft.data.warning import DataWarning
from weft.errors import ArgumentError, DataError, DTypeError, is_whole

Array = np.ndarray[Any, Any]

# Advice looks at this many rows at most: it must cost nothing beside a training run.
SAMPLE = 4096
# A column whose numbers spread over fewer steps of float32 than this has lost too much in it.
STEPS = 1024


def check_whole(name: str, value: Any, least: int, cure: str | None = None) -> None:
    """Raise ArgumentError unless ``value`` is a whole number of at least ``least``; no bool is one."""
    if not is_whole(value, least):
        raise ArgumentError(f"{name}={value!r}", expected=f"a whole number, {least} or more", cure=cure)


def all_finite(array: Array) -> bool:
    """Whether no number is NaN or infinite."""
    with np.errstate(all="ignore"):
        # A sum is not finite if one of its terms is not; it takes a third of the time of looking at each.
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def check_finite(array: Array, name: str, features: Sequence[str] = ()) -> None:
    """Raise DataError if a value is NaN or infinite, with the count and the position of the first.

    >>> check_finite(np.array([[1.0, 2.0], [3.0, np.nan]]), "x")
    Traceback (most recent call last):
    weft.errors.DataError: 1 of 4 values of x is not finite
      expected: numbers only: no NaN, no infinity
      where:    nan in row 1, column 1
      try:      x[np.isfinite(x).reshape(len(x), -1).all(1)] keeps the complete rows (take the same rows of the other)
    """
    if array.dtype.kind != "f" or all_finite(array):
        return
    finite = np.isfinite(array)
    bad = finite.size - int(np.count_nonzero(finite))
    first = tuple(int(i) for i in np.unravel_index(int(finite.argmin()), array.shape))
    raise DataError(
        f"{bad} of {plural(array.size, 'value')} of {name} {'is' if bad == 1 else 'are'} not finite",
        expected="numbers only: no NaN, no infinity",
        where=f"{array[first]} in {position(first, features)}",
        cure=f"{name}[np.isfinite({name}).reshape(len({name}), -1).all(1)] keeps the complete rows "
        "(take the same rows of the other)",
    )


def warn_of_coarse(array: Array, features: Sequence[str] = ()) -> None:
    """Warn (DataWarning) where the numbers of a column are so large, and so close, that float32 merges them."""
    if array.ndim == 0 or array.dtype.itemsize <= 4 or not array.size or max(-array.min(), array.max()) < 2.0**24:
        return
    columns = array.reshape(len(array), -1)
    low, high = columns.min(axis=0), columns.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    step = np.spacing(largest.astype(np.float32)).astype(np.float64)
    coarse = (largest >= 2.0**24) & (low < high) & (high - low < STEPS * step)
    if coarse.any():
        first = int(coarse.argmax())
        named = position((0, first), features).removeprefix("row 0, ") if array.ndim > 1 else "x"
        warnings.warn(
            f"{named} varies by {high[first] - low[first]:g} about {low[first]:.6g}, where float32 has steps of "
            f"{step[first]:g}: subtract a constant first, as Scaler.fit(x_train).apply(x) does in float64",
            DataWarning,
            stacklevel=3,
        )


def position(index: Sequence[int], features: Sequence[str] = ()) -> str:
    """An index in words.

    >>> position((3, 1), ["age", "height"]), position((3, 0, 2, 2))
    ("row 3, column 1 ('height')", 'row 3, position (0, 2, 2)')
    """
    row, *rest = index
    if not rest:
        return f"row {row}"
    if len(rest) > 1:
        return f"row {row}, position {tuple(rest)}"
    named = f" ({features[rest[0]]!r})" if rest[0] < len(features) else ""
    return f"row {row}, column {rest[0]}{named}"


def check_task(task: Any) -> None:
    """Raise ArgumentError for an unknown task."""
    if task not in (None, "classification", "regression"):
        raise ArgumentError(
            f"task={task!r}", expected="'classification' or 'regression'", cure="leave it out: it is recognised"
        )


def check_labels(y: Any, classes: int, source: str = "the number of classes given") -> None:
    """Raise unless every label is a whole number from 0 to ``classes`` − 1; ``source`` says where that count is from.

    Raises DataError with the index and the value of the first bad label, DTypeError when labels are not integers,
    ArgumentError when ``classes`` is below 1.

    >>> check_labels(np.array([0, 1, 3]), 3, source="the model's last layer")
    Traceback (most recent call last):
    weft.errors.DataError: label 3 at index 2 is out of range (1 such label)
      expected: 0 to 2: 3 classes, from the model's last layer
      try:      a model with at least 4 outputs, or correct the labels
    """
    labels = np.asarray(y)
    if classes < 1:
        raise ArgumentError(f"classes={classes}", expected="1 class or more")
    if labels.dtype.kind not in "iu":
        raise DTypeError(
            f"labels of type {labels.dtype}", expected="integer class labels", cure="y = np.asarray(y).astype('int64')"
        )
    bad = (labels < 0) | (labels >= classes)
    if not bad.any():
        return
    first = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), labels.shape))
    raise DataError(
        f"label {labels[first]} at index {first[0] if len(first) == 1 else first} is out of range "
        f"({plural(int(bad.sum()), 'such label')})",
        expected=f"0 to {classes - 1}: {plural(classes, 'class', 'classes')}, from {source}",
        cure=_label_cure(labels, classes),
    )


def _label_cure(labels: Array, classes: int) -> str:
    low, high = int(labels.min()), int(labels.max())
    if set(np.unique(labels).tolist()) == {-1, 1}:
        return "y = (y + 1) // 2  # labels −1 and 1 become 0 and 1"
    if low == 1 and high == classes:
        return "y = y - 1  # labels count from 0"
    if low < 0:
        return "leave out the rows with negative labels, or number the classes from 0"
    return f"a model with at least {high + 1} outputs, or correct the labels"


def check_scaled(x: Any, features: Sequence[str] = ()) -> str | None:
    """Advice when inputs look like pixels of 0–255, or when features differ by more than 1000 in scale; else None.

    ``x`` has shape (n, …). At most 4096 rows are looked at.

    >>> check_scaled(np.array([[0.1, 1000.0], [0.2, 9000.0]]), ["share", "income"])
    "column 1 ('income') varies 80000 times as much as column 0 ('share'): scale the features, Scaler.fit(x_train)"
    >>> check_scaled(np.array([[0.1], [0.2]])) is None
    True
    """
    rows = np.asarray(x)
    if len(rows) > SAMPLE:
        # Rows at random: every third row of data that repeats in threes would all be alike.
        rows = rows[np.random.Generator(np.random.Philox(0)).integers(0, len(rows), SAMPLE)]
    if rows.size == 0 or rows.dtype.kind not in "iuf":
        return None
    return _pixel_advice(rows) or _spread_advice(rows, features)


def _pixel_advice(rows: Array) -> str | None:
    # A table can hold a column of whole numbers up to 255; sixteen of them and nothing else is a picture.
    if rows.ndim < 2 or (rows.ndim == 2 and rows.shape[1] < 16):
        return None
    high = float(rows.max())
    if rows.min() < 0 or not 64 < high <= 255 or np.any(rows != np.rint(rows)):
        return None
    return f"x looks like pixels of 0–255 (whole numbers up to {high:.0f}): train on x / 255"


def _spread_advice(rows: Array, features: Sequence[str]) -> str | None:
    if rows.ndim != 2:
        return None
    spread = rows.std(axis=0, dtype=np.float64)
    varying = np.flatnonzero(rows.max(axis=0) > rows.min(axis=0))  # rounding gives a constant a small deviation
    if len(varying) < 2:
        return None
    small, large = varying[spread[varying].argmin()], varying[spread[varying].argmax()]
    ratio = float(spread[large] / spread[small])
    if ratio <= 1e3:
        return None
    names = [position((0, int(column)), features).removeprefix("row 0, ") for column in (large, small)]
    return f"{names[0]} varies {ratio:.0f} times as much as {names[1]}: scale the features, Scaler.fit(x_train)"
