"""What is no count, or no true and false, is refused before it becomes a number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.errors import ArgumentError, DataError, is_whole


def whole(
    value: Any, name: str, expected: str, *, least: int = 1, most: float = float("inf"), cure: str | None = None
) -> int:
    """The int of a whole number of any kind, NumPy's too; ArgumentError for others, and outside ``least … most``.

    >>> whole(np.int64(3), "k", "the epochs of a strip, 1 or more")
    3
    """
    if not is_whole(value, least, most):
        raise ArgumentError(f"{name} is {value!r}", expected=expected, cure=cure)
    return int(value)


def truths(values: Any, name: str) -> NDArray[np.bool_]:
    """An array of true and false, also written as 1 and 0; DataError for other numbers, all of which would be true.

    >>> truths([1, 0], "correct")
    array([ True, False])
    """
    found = np.asarray(values)
    if found.dtype.kind not in "biuf" or not np.isin(found, (0, 1)).all():
        raise DataError(
            f"{name} holds values of type {found.dtype} that are neither true nor false",
            expected="whether each example was classified rightly",
            cure="predicted == targets",
        )
    return found.astype(np.bool_)
