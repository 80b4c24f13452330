"""A piece of a table as numbers, column by column, made at once from columns of whatever kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.column import stacked
from weft.data.recipe import Table
from weft.data.target import encode_target

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, Any]


def encoded(table: Table, cell: Callable[[str], Any], frame: Callable[[], DataFrame]) -> tuple[Array, Array | None]:
    """A piece of a table as x and y, by column; what is wrong with x is said by the recipe itself."""
    try:
        x = _inputs(table, cell)
    except KeyError:
        x = None
    try:
        y = encode_target(cell(table.target), table.classes)
    except KeyError:
        y = None
    return table.encode(frame()) if x is None else x, y


def _inputs(table: Table, cell: Callable[[str], Any]) -> Array | None:
    """Inputs (n, features); None where a cell will not do."""
    rows: list[Array] = []
    for column in table.columns:
        made = column.rows(cell(column.name))
        if made is None:
            return None
        rows += made
    return stacked(rows)
