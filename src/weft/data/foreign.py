"""Tables of other libraries, as data frames of pandas: Polars, Arrow and Parquet files."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ArgumentError, DataError, FileError

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, Any]


def column_names(table: Any) -> tuple[str, ...]:
    """The names of the columns of a data frame of pandas or Polars, or of an Arrow table; () for anything else."""
    # What Arrow calls columns are their values.
    names = table.column_names if hasattr(table, "column_names") else getattr(table, "columns", ())
    return tuple(str(name) for name in names)


def library(module: str, package: str, use: str) -> Any:
    """A module of the optional extra ``data``. Raises FileError, with how to install it, where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise FileError(f"{use} needs {package}: {error}", cure='pip install "weft[data]"') from error


def as_frame(table: Any, ignore: Collection[str] = (), only: Collection[str] | None = None) -> DataFrame:
    """A pandas data frame from one, from a data frame of Polars, or from an Arrow table; or a ``.parquet`` file.

    Columns in ``ignore``, and all but those in ``only`` if it is given, may hold anything: their cells are not
    converted. Raises ArgumentError for what is no table, FileError for no such file, DataError for a column whose
    cells are lists and for two columns of one name.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, str | Path):
        table = parquet_file(table).read()

    def is_left_out(name: str) -> bool:
        return name in ignore or (only is not None and name not in only)

    if hasattr(table, "column_names"):  # Arrow
        names = table.column_names
        if len(set(names)) < len(names):
            raise DataError(f"two columns of one name among {names}", expected="a name of its own for every column")
        return pd.DataFrame(
            {name: np.nan if is_left_out(name) else _arrow_cells(table, name) for name in names}, _rows(table)
        )
    if hasattr(table, "get_columns"):  # Polars
        cells = {s.name: np.nan if is_left_out(s.name) else _polars_cells(s) for s in table.get_columns()}
        return pd.DataFrame(cells, _rows(table))
    raise ArgumentError(
        f"a {type(table).__name__} as a table",
        expected="a path, or a table of pandas, Polars or Arrow",
        cure="frame.collect()" if hasattr(table, "collect") else None,
    )


def _rows(table: Any) -> range:
    return range(table.shape[0])


def parquet_file(path: str | Path) -> Any:
    """An open file of pyarrow, of which only the table of contents is read. Raises FileError for what is none."""
    arrow = library("pyarrow.parquet", "pyarrow", "a Parquet file")
    try:
        return arrow.ParquetFile(path, memory_map=True)
    except (ValueError, OSError) as error:  # Arrow's own errors are these
        raise FileError(f"{str(path)!r} cannot be read: {error}", expected="a whole Parquet file") from error


def _arrow_cells(table: Any, name: str) -> Any:
    column = table.column(name)
    kind = str(column.type)
    if kind.startswith("dictionary"):
        column = column.cast(column.type.value_type)
    elif kind.startswith("decimal"):
        column = column.cast("float64")
    elif "list" in kind or kind.startswith(("struct", "map", "extension")):
        raise _nested(name, kind)
    return column.to_pandas()


def _polars_cells(series: Any) -> Any:
    kind = str(series.dtype)
    if kind.startswith(("List", "Array", "Struct", "Object")):
        raise _nested(series.name, kind)
    cells = series.to_numpy()
    return cells.astype(np.float64) if kind.startswith("Decimal") else cells


def list_rows(column: Any, name: str, index: Array) -> Array:
    """An Arrow column of lists as rows, (n, length), or (n, …) where they are tensors; ``index`` numbers them.

    Raises DataError for a missing list or number, and for lists of other lengths.
    """
    shape = getattr(column.type, "shape", [-1])
    column = getattr(column, "storage", column)
    lengths = np.asarray(column.value_lengths() if hasattr(column, "value_lengths") else [])
    flat = column.flatten()
    short = np.flatnonzero(lengths != lengths[:1]) if not column.null_count else np.flatnonzero(column.is_null())
    if len(short) or flat.null_count:
        at = f" in example {index[short[0]]}" if len(short) else ""
        raise DataError(f"column {name!r} has a missing value, or a list of another length{at}", expected="equal lists")
    return flat.to_numpy(zero_copy_only=False).reshape(len(index), *shape)


def _nested(name: str, kind: str) -> DataError:
    return DataError(
        f"column {name!r} holds {kind}",
        expected="numbers, texts or bools",
        cure=f"ignore=[{name!r}]; or as_dataset((np.stack(frame[{name!r}]), y)), if its lists are rows of x",
    )
