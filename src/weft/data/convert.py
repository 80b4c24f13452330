"""What people hand over as data, turned into arrays of the types that are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.check import check_finite
from weft.errors import ArgumentError, DataError, DTypeError, FileError

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, Any]
# More labels than this are identifiers or quantities; nobody wants their names listed.
MAX_CLASSES = 100_000


def as_array(value: Any, name: str) -> Array:
    """``value`` as an array, of whatever type it has. Raises DataError for rows of unequal length or masked values."""
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        raise DataError(f"{name} has {int(value.mask.sum())} masked values", cure=f"{name}.filled(0), or drop the rows")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(
            f"{name} is not an array: {error}", expected="rows of one length", cure=f"np.array({name}) must work"
        ) from error
    if array.dtype.kind == "V" and array.dtype.names is None:
        return array.astype(np.float32)  # bfloat16 and its like are no NumPy types
    return array


def column_names(table: Any) -> tuple[str, ...]:
    """The names of the columns of a data frame of pandas or Polars, or of an Arrow table; () for anything else."""
    # What Arrow calls columns are their values.
    names = table.column_names if hasattr(table, "column_names") else getattr(table, "columns", ())
    return tuple(str(name) for name in names)


def library(module: str, package: str, use: str) -> Any:
    """A module that is needed for one purpose only. Raises FileError, with how to install it, where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise FileError(f"{use} needs {package}: {error}", cure=f"pip install {package}") from error


def as_frame(table: Any, ignore: Sequence[str] = ()) -> DataFrame:
    """A pandas data frame from one, from a data frame of Polars, or from an Arrow table; or a ``.parquet`` file.

    Columns in ``ignore`` may hold anything: their cells are not converted. Raises ArgumentError for anything else,
    FileError for no such file, DataError for a column whose cells are lists and for two columns of one name.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, str | Path):
        table = parquet_file(table).read()
    if hasattr(table, "column_names"):  # Arrow
        names = table.column_names
        if len(set(names)) < len(names):
            raise DataError(f"two columns of one name among {names}", expected="a name of its own for every column")
        return pd.DataFrame(
            {name: np.nan if name in ignore else _arrow_cells(table, name) for name in names}, _rows(table)
        )
    if hasattr(table, "get_columns"):  # Polars
        cells = {s.name: np.nan if s.name in ignore else _polars_cells(s) for s in table.get_columns()}
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
    try:
        return library("pyarrow.parquet", "pyarrow", "a Parquet file").ParquetFile(path, memory_map=True)
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


def as_inputs(array: Array, given: Any, features: tuple[str, ...], *, keep_float64: bool) -> Array:
    """Inputs: floating point and bool as float32, integers as they are. Raises DTypeError for anything else."""
    if array.dtype.kind in "iu":
        return array
    if array.dtype.kind not in "fb":
        raise _not_numbers(array, given, "x")
    return _as_float(array, "x", features, keep_float64=keep_float64)


def as_targets(
    array: Array,
    given: Any,
    task: Literal["classification", "regression", "none"] | None,
    *,
    keep_float64: bool,
) -> tuple[Array, tuple[str, ...], Literal["classification", "regression"]]:
    """Targets, class names and the task: integers, bools and texts are classes, floating point is regression.

    Raises DTypeError for a type that is neither, ArgumentError for a task that does not fit it.
    """
    array = _text(array)
    kind = array.dtype.kind
    if kind == "f" and task == "classification":
        array, kind = _whole(array), "i"
    if kind == "U" and task == "regression":
        raise ArgumentError("text targets for task='regression'", expected="numbers", cure="task='classification'")
    if kind == "U":
        names, labels = np.unique(array, return_inverse=True)
        return labels.reshape(array.shape).astype(np.int64), tuple(names.tolist()), "classification"
    if kind == "b" and task != "regression":
        return array.astype(np.int64), ("False", "True"), "classification"
    if kind in "iu" and task != "regression":
        return _labels(array.astype(np.int64), forced=task == "classification")
    if kind not in "fbiu":
        raise _not_numbers(array, given, "y")
    return _as_float(array, "y", (), keep_float64=keep_float64), (), "regression"


def _labels(labels: Array, *, forced: bool) -> tuple[Array, tuple[str, ...], Literal["classification", "regression"]]:
    if labels.size == 0:
        return labels, (), "classification"
    low, high = int(labels.min()), int(labels.max())
    if labels.ndim == 2 and labels.shape[1] > 1:
        # Columns of zeros and ones are one-hot or multi-label: the classes are the columns.
        if forced or (low >= 0 and high <= 1):
            return labels, _numbered(labels.shape[1]), "classification"
        return labels, (), "regression"
    return labels, _numbered(high + 1) if low >= 0 and high < MAX_CLASSES else (), "classification"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(label) for label in range(count))


def _whole(array: Array) -> Array:
    check_finite(array, "y")
    odd = array != np.rint(array)
    if odd.any():
        raise ArgumentError(
            f"targets such as {array[odd][0]} for task='classification'",
            expected="class labels: whole numbers or texts",
            cure="task='regression'",
        )
    return array.astype(np.int64)


def _text(array: Array) -> Array:
    """An object array of nothing but strings, as pandas makes them, as an array of strings."""
    if array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.flat):
        return array.astype(np.str_)
    return array


def _as_float(array: Array, name: str, features: tuple[str, ...], *, keep_float64: bool) -> Array:
    if keep_float64 and array.dtype == np.float64:
        return array
    check_finite(array, name, features)
    with np.errstate(over="ignore"):
        small = array.astype(np.float32, copy=False)
    if array.dtype.itemsize > 4 and not np.isfinite(small).all():
        raise DataError(
            f"{name} holds numbers beyond float32, up to {np.abs(array).max():.3g}",
            expected="magnitudes below 3.4e38",
            cure=f"scale {name}, or as_dataset(…, keep_float64=True)",
        )
    return small


def _not_numbers(array: Array, given: Any, name: str) -> DTypeError:
    return DTypeError(
        f"{name} has type {array.dtype}{_example(array)}",
        expected="numbers: floating point, integers or bools" + (", or class names" if name == "y" else ""),
        cure=_number_cure(array, given, name),
    )


def _example(array: Array) -> str:
    if array.ndim == 0 or array.size == 0:
        return ""
    for index, value in np.ndenumerate(array):
        if not isinstance(value, int | float | np.number):
            return f", with {value!r} at index {index[0] if len(index) == 1 else index}"
    return ""


def _number_cure(array: Array, given: Any, name: str) -> str:
    if hasattr(given, "toarray"):
        return f"{name}.toarray()  # a sparse matrix"
    if array.dtype.kind == "c":
        return f"np.stack([{name}.real, {name}.imag], axis=-1)"
    if array.dtype.kind in "mM":
        return f"{name}.astype('int64')  # times as numbers"
    if hasattr(given, "columns"):
        return "open_table(frame, target).dataset() encodes columns of text"
    return f"np.asarray({name}, dtype='float32'), after replacing what is not a number"
