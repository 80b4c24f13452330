"""Reading a table into a data frame; of a text file the index is the line of each row."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.column import are_texts, to_numbers
from weft.data.foreign import as_frame
from weft.data.naming import listing, missing_file, plural
from weft.errors import DataError, FileError

if TYPE_CHECKING:
    from pandas import DataFrame, Series


OPTIONS: dict[str, Any] = {
    "skipinitialspace": True,
    "skip_blank_lines": False,  # so that the position of a row says its line
    "compression": None,
    "keep_default_na": False,
    "na_values": [""],
}
# Cells that among numbers say that there is none; among texts they are texts, such as a class None or a country NA.
NO_NUMBERS = frozenset(["NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None"])


def any_frame(
    data: Any,
    *,
    separator: str = ",",
    text: Collection[str] | None = None,
    ignore: Collection[str] = (),
    only: Collection[str] | None = None,
) -> DataFrame:
    """The table in a file, ``.parquet`` or else text, or of pandas, Polars or Arrow; names of columns are texts.

    ``separator`` and ``text`` are as for ``read_frame``, ``ignore`` and ``only`` as for ``as_frame``; errors too.
    """
    data = Path(data).expanduser() if isinstance(data, str | Path) else data
    if isinstance(data, Path) and data.suffix != ".parquet":
        return read_frame(data, separator=separator, text=text)
    frame = as_frame(data, ignore, only)
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def read_frame(path: str | Path, *, separator: str = ",", text: Collection[str] | None = None) -> DataFrame:
    """The table in a text file, first line the names; rows are indexed by their line, empty lines are left out.

    Columns in ``text`` stay text even where every cell looks like a number, and the others are none; which they are is
    recognised if it is None. Spaces around cells are not kept.
    Raises FileError when the file is missing, empty or no UTF-8 text; DataError when a line has too many or too few
    cells, when two columns have one name, or when nothing follows the header.
    """
    import pandas as pd

    path = Path(path)
    check_text_file(path)
    options = {"sep": separator, **OPTIONS}
    try:
        frame = _read(path, dict.fromkeys(text or (), str), options)
    except pd.errors.EmptyDataError as error:
        raise empty_error(path) from error
    except pd.errors.ParserWarning as error:
        raise ragged_error(path, _complaint(path, options)) from error
    except pd.errors.ParserError as error:
        raise ragged_error(path, str(error)) from error
    check_header(path, options)
    frame.index = line_numbers(frame, path)
    frame = tidied(frame.dropna(how="all"), text or (), recognise=text is None)
    if not len(frame):
        raise DataError(
            f"{path.name} holds a header and no rows",
            expected="a line of names, then a line for each example",
            cure=f"does the header name the columns? It reads {listing(list(frame.columns), 8)}",
        )
    _check_complete(frame, path, options)
    return frame


def _read(path: Path, dtype: dict[str, type], options: dict[str, Any]) -> DataFrame:
    import pandas as pd

    with warnings.catch_warnings():
        # A warning is all that pandas has for lines longer than the header, whose last cells it drops.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        # low_memory would guess the type of a column block by block.
        frame: DataFrame = pd.read_csv(path, dtype=dtype, index_col=False, low_memory=False, **options)
    return frame


def _complaint(path: Path, options: dict[str, Any]) -> str:
    """What pandas says of the lines when the header is one of them: it then names the first longer one."""
    import pandas as pd

    try:
        pd.read_csv(path, header=None, dtype=str, **options)
    except pd.errors.ParserError as error:
        return str(error)
    return "lines longer than the header"


def check_text_file(path: Path) -> None:
    """Raise FileError when there is no such file, when it is empty, or when it is no UTF-8 text."""
    try:
        with path.open("rb") as file:
            start = file.read(8192)
    except FileNotFoundError as error:
        raise missing_file(path, "the path of a table: a text file, values separated by commas") from error
    except OSError as error:
        raise FileError(
            f"{str(path)!r} cannot be read: {error.strerror}", expected="a text file, values separated by commas"
        ) from error
    if not start.strip():
        raise empty_error(path)
    _check_encoding(path, start)


def _check_encoding(path: Path, start: bytes) -> None:
    try:
        if start.startswith((b"\x1f\x8b", b"PK")):
            what, cure = ("gzip", f"gunzip {path.name}") if start[:1] == b"\x1f" else ("zip, as Excel does", _AS_CSV)
            raise FileError(f"{path.name} is compressed by {what}", expected="a table as UTF-8 text", cure=cure)
        if b"\0" in start:
            raise FileError(f"{path.name} is not a text file", expected="a table as UTF-8 text", cure=_AS_CSV)
        with path.open(encoding="utf-8") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path.name} is not UTF-8 text: {error.reason}",
            expected="a table as UTF-8 text",
            cure=f"{_AS_CSV}, or: iconv -f latin1 -t utf-8 {path.name} > utf8.csv",
        ) from error


_AS_CSV = "save the table as “CSV UTF-8”"


def empty_error(path: Path) -> FileError:
    """The error of a file without a header."""
    return FileError(f"{path.name} is empty", expected="a line of names, then a line for each example")


def ragged_error(path: Path, message: str) -> DataError:
    """The error of a file whose lines are no rows of one table, from what the reader of pandas says of it."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found:
        expected, line, cells = map(int, found.groups())
        return width_error(path, line, cells, expected)
    found = re.search(r"EOF inside string starting at row (\d+)", message)
    if found:
        message = f"the quotation mark opened on line {int(found[1]) + 1} is never closed"
    return DataError(
        f"{path.name} is not a table: {message.strip().splitlines()[-1]}",
        expected="as many cells on every line as in the header, every quotation mark closed",
        cure="the file may be cut off: copy it again",
    )


def width_error(path: Path, line: int, cells: int, expected: int) -> DataError:
    """The error of a line with more or fewer ``cells`` than the header has."""
    few = cells < expected
    return DataError(
        f"line {line} of {path.name} has {plural(cells, 'cell')}, the header has {expected}",
        expected="as many cells on every line as in the header",
        where=f"{path.name}, line {line}",
        cure="the file may be cut off: copy it again" if few else "a text with a comma needs quotation marks around it",
    )


def check_header(path: Path, options: dict[str, Any]) -> None:
    """Raise DataError when two columns have one name."""
    import pandas as pd

    header = pd.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0].str.strip()
    twice = header[header.duplicated() & header.notna()]
    if len(twice):
        raise DataError(
            f"{path.name} has two columns named {twice.iloc[0]!r}",
            expected="a name of its own for every column",
            cure="rename or remove one of them",
        )


def line_numbers(frame: DataFrame, path: Path) -> Any:
    """The index of a frame: the line on which each row begins, 2 for the first, and later after cells of several."""
    import pandas as pd

    extra = np.zeros(len(frame), np.int64)
    for name in [name for name in frame.columns if _is_text(frame[name])]:
        extra += frame[name].str.count("\n").fillna(0).to_numpy(np.int64)
    before = np.concatenate([[0], np.cumsum(extra)[:-1]]) if len(frame) else extra
    return pd.Index(np.arange(2, len(frame) + 2) + before, name=f"{path.name}, line")


def tidied(frame: DataFrame, text: Collection[str], *, recognise: bool) -> DataFrame:
    """Without spaces around names and cells; types as they are once empty lines are gone.

    Columns that are not in ``text`` have no value where they say so (`NO_NUMBERS`): all of them, or with ``recognise``
    those whose other cells are numbers.
    """
    frame = frame.rename(columns=lambda name: str(name).strip()).infer_objects()
    for name in frame.columns:
        if _is_text(frame[name]):
            cells = frame[name].str.strip()
            frame[name] = cells if name in text else _without_words(cells, recognise=recognise)
    return frame


def _without_words(cells: Series, *, recognise: bool) -> Series:
    import pandas as pd

    words = cells.isin(NO_NUMBERS)
    if not words.any():
        return cells
    numbers = to_numbers(cells.where(~words))
    rest = cells.notna() & ~words
    bad = int(np.isnan(numbers[rest]).sum())
    if recognise and are_texts(bad, int(rest.sum())):
        return cells
    return cells.where(~words) if bad else pd.Series(numbers, cells.index, name=cells.name)


def _is_text(series: Any) -> bool:
    import pandas as pd

    # Bools beside missing cells are objects too, as are texts before pandas 3.
    return series.dtype.kind == "O" and pd.api.types.infer_dtype(series, skipna=True) in ("string", "empty")


def _check_complete(frame: DataFrame, path: Path, options: dict[str, Any]) -> None:
    """Raise where a line ends early; pandas' fast reader fills it up with missing values."""
    import pandas as pd

    if frame.shape[1] < 2 or not frame.iloc[:, -1].isna().any():
        return
    # The slow reader can tell a cell that is not there from one that is empty.
    options = {**options, "na_values": None}
    exact = pd.read_csv(path, dtype=str, engine="python", index_col=False, **options)
    exact.index = line_numbers(exact, path)
    short = exact.loc[frame.index].isna()
    if short.to_numpy().any():
        line = short.index[short.any(axis=1)][0]
        raise width_error(path, int(line), int((~short.loc[line]).sum()), frame.shape[1])
