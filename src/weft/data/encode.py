"""A piece of a table as numbers, column by column: what ``Table.encode`` makes, without a step a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.column import texts, to_numbers
from weft.data.recipe import Table
from weft.data.target import encode_target

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Array = np.ndarray[Any, Any]


def encoded(table: Table, cell: Callable[[str], Any], frame: Callable[[], DataFrame]) -> tuple[Array, Array | None]:
    """A piece of a table as x and y, by column; what is wrong with x is said by the recipe itself."""
    try:
        x = _inputs(table, cell)
    except KeyError:
        x = None
    try:
        y = encoded_targets(cell(table.target), table.classes)
    except KeyError:
        y = None
    return table.encode(frame()) if x is None else x, y


def _inputs(table: Table, cell: Callable[[str], Any]) -> Array | None:
    """Inputs (n, features) as ``Table.encode`` makes them, without a step a cell; None where a cell will not do."""
    rows: list[Array] = []
    for column in table.columns:
        values = cell(column.name)
        if column.kind == "number":
            numbers = values if isinstance(values, np.ndarray) else to_numbers(values)
            rows.append(numbers if column.fill is None else np.where(np.isnan(numbers), column.fill, numbers))
            continue
        codes = _codes(values, column.categories, column.fill)
        if codes is None:
            return None
        rows += [codes == code for code in range(len(column.categories))]
    x = np.empty((len(rows[0]), len(rows)), np.float32)
    few = np.empty((32, len(x)), np.float32)  # filled by row and turned while it is in the cache: the fastest way
    with np.errstate(all="ignore"):
        for place in range(0, len(rows), 32):
            part = few[: len(rows) - place]
            for one, row in zip(part, rows[place : place + 32], strict=True):
                one[:] = row
            if not (np.isfinite(part.sum()) or np.isfinite(part).all()):
                return None
            x[:, place : place + 32] = part.T
    return x


def _codes(series: Any, names: tuple[str, ...], fill: Any = None) -> Array | None:
    """The place of each cell among ``names``; None where one is not there."""
    import pandas as pd

    codes, values = pd.factorize(series)
    place = {name: code for code, name in enumerate(names)}
    places = np.array([*(place.get(name, -1) for name in texts(pd.Series(values))), place.get(fill, -1)])[codes]
    return None if (places < 0).any() else places


def encoded_targets(series: Series, classes: tuple[str, ...]) -> Array:
    """Targets of shape (n,) as ``encode_target`` makes them, without a step a cell. Raises as it does."""
    codes = _codes(series, classes) if classes else None
    return encode_target(series, classes) if codes is None else codes.astype(np.int64)
