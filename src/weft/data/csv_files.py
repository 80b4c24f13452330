"""Streams over text files larger than memory, read by a recipe that one pass over the training files has found."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.block import Chunk
from weft.data.encode import encoded
from weft.data.files import found_files, stream_of, table_like
from weft.data.frame import (
    OPTIONS,
    check_header,
    check_text_file,
    empty_error,
    line_numbers,
    ragged_error,
    tidied,
    width_error,
)
from weft.data.kept import ROOM, Kept
from weft.data.order import permutation
from weft.data.recipe import Table
from weft.data.stream import Stream
from weft.data.stream_source import Order, Reader
from weft.data.survey import HELD_VALUES, Survey, surveyed_table
from weft.data.table import Missing, check_inputs, check_names
from weft.data.target import TableTask
from weft.data.warning import DataWarning
from weft.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame

_LINES = 1 << 16  # of a text file, read at once


def csv_stream(
    paths: str | Path | Sequence[str | Path],
    target: str,
    *,
    missing: Missing = "refuse",
    task: TableTask | None = None,
    separator: str = ",",
    ignore: Sequence[str] = (),
    like: Stream | Table | None = None,
    shuffle: int | None = 8192,
    cache: int = ROOM,
) -> Stream:
    r"""The rows of text files with one header, read as ``read_csv`` reads them, a piece at a time.

    ``paths`` is a path, a pattern such as ``"part-*.csv"``, a folder of ``.csv`` files, or several. One pass finds the
    columns, categories, classes and values to impute, and checks every line; ``like``, the stream of the training files
    or a Table, takes all that from there. The order is that of files and, within ``shuffle`` rows, of rows; None leaves
    them as they are. ``cache``: so many bytes of rows of files stay in memory once they were read.
    Medians are exact up to keep = 2²⁵ / columns rows (between 1024 and 2²²), and beyond within a share of
    log₂(rows/keep)/keep of the rank. Errors are ``read_csv``'s.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("rooms,city,price\n2,Bern,310.5\n3,Basel,420\n4,Bern,600\n")
    >>> stream = csv_stream(path, "price")
    >>> stream.features, next(stream.blocks(2, seed=0, epoch=0, shuffle=False)).x.tolist()
    (('rooms', 'city=Basel', 'city=Bern'), [[2.0, 0.0, 1.0], [3.0, 1.0, 0.0]])
    """
    files, sizes = found_files(paths, ".csv"), None
    table = None if like is None else table_like(like, target)
    if table is None:
        table, sizes = _fit_csv(files, target, missing, task, separator, ignore)
    text, needed = table.text_columns(), {*(column.name for column in table.columns), target}
    bases = list(accumulate(sizes or [], initial=0))
    kept = Kept(cache)

    def read(place: int, at: int) -> Iterator[Chunk]:
        for frame in _csv_frames(files[place], table.separator, text, needed):
            x, y = encoded(table, frame.__getitem__, lambda frame=frame: frame)  # type: ignore[misc]
            yield Chunk(x, y, np.arange(at, at + len(x)))
            at += len(x)

    def pieces(order: Order) -> Iterator[Chunk]:
        at = 0
        for place in permutation(len(files), order.seed, order.epoch) if order.groups and sizes else range(len(files)):
            at = bases[place] if sizes else at
            for chunk in kept.part(files[place], at, partial(read, place, at)):
                yield chunk
                at += len(chunk)

    return stream_of(Reader(pieces, bases[-1] if sizes else None), files, table, shuffle)


def _fit_csv(
    files: list[Path], target: str, missing: Missing, task: TableTask | None, separator: str, ignore: Sequence[str]
) -> tuple[Table, list[int]]:
    """The recipe of these files, and the number of rows of each."""
    for path in files:
        check_text_file(path)
    text: set[str] = set()
    while True:
        surveys, sizes = _surveyed(files, target, missing, separator, ignore, text)
        # A column that looks like numbers here and like texts there is read again as the texts that it holds.
        mixed = {name for name, survey in surveys.items() if len(survey.kinds) > 1}
        if mixed <= text:
            break
        text |= mixed
    for name in [name for name, survey in surveys.items() if survey.counts_rows and name != target]:
        warnings.warn(f"the column without a name ({name!r}) only counts the rows: it is left out", DataWarning, 3)
        del surveys[name]
    inputs = [name for name in surveys if name != target]
    if surveys:
        check_inputs(inputs, target)
    return surveyed_table(surveys, inputs, target, missing, task, separator), sizes


def _surveyed(
    files: list[Path], target: str, missing: Missing, separator: str, ignore: Sequence[str], text: set[str]
) -> tuple[dict[str, Survey], list[int]]:
    """One pass: what it tells of each column, and the number of rows of each file; none where there are no rows."""
    surveys: dict[str, Survey] = {}
    sizes = [0] * len(files)
    for place, path in enumerate(files):
        for frame in _csv_frames(path, separator, text):
            if not surveys:
                names = [str(name) for name in frame.columns]
                check_names(names, target, ignore, separator)
                keep = HELD_VALUES // len(names) if missing == "impute" else 0
                surveys = {name: Survey(name, keep, name == target) for name in names if name not in ignore}
            if frame.shape[1] > 1 and frame.iloc[:, -1].isna().any():
                _check_widths(path, separator)
            sizes[place] += len(frame)
            for name, survey in surveys.items():
                if name not in frame:
                    raise DataError(f"{path.name} has no column {name!r}", expected=f"those of {files[0].name}")
                survey.see(frame[name])
    return surveys, sizes


def _csv_frames(path: Path, separator: str, text: Any, needed: set[str] | None = None) -> Iterator[DataFrame]:
    """The rows of a text file as ``read_frame`` has them, indexed by their lines, in pieces."""
    import pandas as pd

    options = {"sep": separator, **OPTIONS}
    try:
        header = pd.read_csv(path, nrows=1, **options)
        check_header(path, options)
        if not isinstance(header.index, pd.RangeIndex):
            _check_widths(path, separator)
        dtype = {name: str for name in header.columns if str(name).strip() in text}
        columns = None if needed is None else [name for name in header.columns if str(name).strip() in needed]
        options |= {"dtype": dtype, "usecols": columns, "low_memory": False}
        line = 2
        with pd.read_csv(path, chunksize=_LINES, **options) as reader:
            for frame in filter(len, reader):
                frame.index = line_numbers(frame, path) + (line - 2)
                broken = sum(cell.count("\n") for cell in frame.iloc[-1] if isinstance(cell, str))
                line = int(frame.index[-1]) + 1 + broken
                if len(rows := frame.dropna(how="all")):
                    yield tidied(rows, text, recognise=needed is None)
    except pd.errors.EmptyDataError as error:
        raise empty_error(path) from error
    except pd.errors.ParserError as error:
        raise ragged_error(path, str(error)) from error


def _check_widths(path: Path, separator: str) -> None:
    """Raise DataError for the first line with more or fewer cells than the header."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter=separator, skipinitialspace=True)
        width = len(next(lines))
        for cells in filter(None, lines):
            if len(cells) != width:
                begin = lines.line_num - sum(cell.count("\n") for cell in cells)
                raise width_error(path, begin, len(cells), width)
