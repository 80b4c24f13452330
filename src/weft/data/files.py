"""Streams over table files larger than memory, read by a recipe that one pass over the training files has found."""

from __future__ import annotations

import csv
import glob
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.column import MANY_VALUES, Column, is_numeric, place_of, texts, to_numbers
from weft.data.convert import MAX_CLASSES, as_frame, list_rows, parquet_file
from weft.data.frame import _check_header, _check_text, _lines, _ragged, _tidied, _wrong_width
from weft.data.lazy import Chunk
from weft.data.naming import closest, plural
from weft.data.order import permutation
from weft.data.recipe import Table, _is_bool
from weft.data.scale import StreamedMedian
from weft.data.stream import Order, Reader, Stream
from weft.data.table import Missing, _check_names
from weft.data.target import TableTask, _check_fits, _check_task, _class_names, _task, encode_target, recognise_target
from weft.data.warning import DataWarning
from weft.errors import ArgumentError, DataError, FileError

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Array = np.ndarray[Any, Any]
_OPTIONS = {"skipinitialspace": True, "skip_blank_lines": False, "compression": None}
_LINES = 1 << 16  # of a text file, read at once
_BYTES = 1 << 25  # of x, read at once from Parquet
_VALUES = 1 << 25  # numbers of all columns together that are held to find medians: exact up to here


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
) -> Stream:
    r"""The rows of text files with one header, read as ``read_csv`` reads them, a piece at a time.

    ``paths`` is a path, a pattern such as ``"part-*.csv"``, or several. One pass finds the columns, categories,
    classes and values to impute, and checks every line; ``like``, the stream of the training files or a Table, takes
    all that from there. The order is that of files and, within ``shuffle`` rows, of rows; None leaves them as they are.
    Medians are exact up to 2²⁵ numbers in all columns, and beyond within a rank of 0.1 %. Errors are ``read_csv``'s.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("rooms,city,price\n2,Bern,310.5\n3,Basel,420\n4,Bern,600\n")
    >>> stream = csv_stream(path, "price")
    >>> stream.features, next(stream.blocks(2, seed=0, epoch=0, shuffle=False)).x.tolist()
    (('rooms', 'city=Basel', 'city=Bern'), [[2.0, 0.0, 1.0], [3.0, 1.0, 0.0]])
    """
    files, sizes = _found(paths), None
    table = None if like is None else _table_of(like, target)
    if table is None:
        table, sizes = _fit_csv(files, target, missing, task, separator, ignore)
    text, needed = _text_columns(table), {*(column.name for column in table.columns), target}
    bases = list(accumulate(sizes or [], initial=0))

    def pieces(order: Order) -> Iterator[Chunk]:
        at = 0
        for place in permutation(len(files), order.seed, order.epoch) if order.groups and sizes else range(len(files)):
            at = bases[place] if sizes else at
            for frame in _csv_frames(files[place], table.separator, text, needed):
                x, y = _encoded(table, frame.__getitem__, lambda frame=frame: frame)  # type: ignore[misc]
                yield Chunk(x, y, np.arange(at, at + len(x)))
                at += len(x)

    return _stream(Reader(pieces, bases[-1] if sizes else None), files, table, shuffle)


def parquet(
    paths: str | Path | Sequence[str | Path],
    target: str,
    columns: Sequence[str] | None = None,
    *,
    missing: Missing = "refuse",
    task: TableTask | None = None,
    ignore: Sequence[str] = (),
    like: Stream | Table | None = None,
    shuffle: int | None = 8192,
) -> Stream:
    """The rows of Parquet files, row group by row group, as ``open_table`` makes them from the whole.

    ``columns`` are the inputs, all but the target if None; one column of lists of equal length, or of tensors, is x
    of shape (n, length, …). ``paths``, ``like`` and ``missing`` are as for ``csv_stream``. ``shuffle``: row groups come
    in the order of (seed, epoch), then rows are mixed within so many; None leaves them as they are in the files. Only
    columns that need fitting (texts, the target, what is imputed) are read beforehand. Raises FileError for what is
    no Parquet file, DataError for columns that differ or cannot be numbers, ArgumentError for unknown names.
    """
    files = _found(paths)
    opened = [parquet_file(path) for path in files]
    schema = opened[0].schema_arrow
    kinds = {name: _kind(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    table = None if like is None else _table_of(like, target)
    given = columns if columns is not None or table is None else [column.name for column in table.columns] or None
    _check_names(schema.names, target, [*ignore, *(given or ())], ",")
    inputs = [name for name in (given or schema.names) if name != target and name not in ignore]
    _check_inputs(inputs, kinds, schema, target)
    for path, file in zip(files, opened, strict=True):
        _check_alike(path, [*inputs, target], file.schema_arrow, kinds)
    vector = inputs[0] if kinds[inputs[0]] == "list" else None
    if table is None:
        table = _fit_parquet(files, [] if vector else inputs, kinds, target, missing, task)
    numeric = {name for name in inputs if kinds[name] == "number"}
    groups = [(file, group) for file, one in enumerate(opened) for group in range(one.num_row_groups)]
    bases = list(accumulate((opened[file].metadata.row_group(group).num_rows for file, group in groups), initial=0))
    width = getattr(schema.field(vector).type, "list_size", 1024) if vector else len(table.features)
    batch = int(np.clip(_BYTES // (4 * width), 256, 1 << 16))

    def pieces(order: Order) -> Iterator[Chunk]:
        again = lru_cache(maxsize=32)(parquet_file)
        for place in permutation(len(groups), order.seed, order.epoch) if order.groups else range(len(groups)):
            (file, group), at = groups[place], bases[place]
            for part in again(files[file]).iter_batches(batch, row_groups=[group], columns=[*inputs, target]):
                yield _chunk(part, table, numeric, vector, at)
                at += part.num_rows

    return _stream(Reader(pieces, bases[-1]), files, table, shuffle)


def _stream(reader: Reader, files: list[Path], table: Table, shuffle: int | None) -> Stream:
    held = table if table.columns else None
    made = Stream(
        reader, name=files[0].stem, features=table.features, classes=table.classes, task=table.task, table=held
    )
    return made.shuffle(shuffle) if shuffle else made


def _table_of(like: Stream | Table, target: str) -> Table:
    task: TableTask = "classification" if like.classes else "regression"
    table = (
        like if isinstance(like, Table) else like.table or Table((), target, like.classes, task, "as another stream")
    )
    if table.target != target:
        raise ArgumentError(f"target {target!r}", expected=f"{table.target!r}, the target of like")
    return table


def _found(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files of a path, of a pattern, or of several. Raises FileError for none, ArgumentError for one twice."""
    found: list[Path] = []
    for path in [paths] if isinstance(paths, str | Path) else paths:
        is_pattern = glob.has_magic(str(path)) and not Path(path).exists()
        # Path.glob takes no absolute pattern.
        names = sorted(glob.glob(str(path), recursive=True)) if is_pattern else [path]  # noqa: PTH207
        these = [Path(name) for name in names if Path(name).is_file()]
        if not these:
            folder = Path(path).parent
            near = closest(Path(path).name, [p.name for p in folder.glob("*")])
            raise FileError(
                f"no file {str(path)!r}",
                expected="the path of a table, a pattern, or several",
                cure=f"{str(folder / near)!r}" if near else f"the current folder is {str(Path.cwd())!r}",
            )
        found += these
    twice = [path for place, path in enumerate(found) if path in found[:place]]
    if twice or not found:
        raise ArgumentError(f"{str(twice[0])!r} twice" if twice else "no paths", expected="each file once")
    return found


def _encoded(table: Table, cell: Callable[[str], Any], frame: Callable[[], DataFrame]) -> tuple[Array, Array | None]:
    """A piece of a table as x and y, by column; what is wrong with x is said by the recipe itself."""
    try:
        x = _inputs(table, cell)
    except KeyError:
        x = None
    try:
        y = _targets(cell(table.target), table.classes)
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


def _targets(series: Series, classes: tuple[str, ...]) -> Array:
    codes = _codes(series, classes) if classes else None
    return encode_target(series, classes) if codes is None else codes.astype(np.int64)


def _csv_frames(path: Path, separator: str, text: Any, needed: set[str] | None = None) -> Iterator[DataFrame]:
    """The rows of a text file as ``read_frame`` has them, indexed by their lines, in pieces."""
    import pandas as pd

    options: dict[str, Any] = {"sep": separator, **_OPTIONS}
    try:
        header = pd.read_csv(path, nrows=1, **options)
        _check_header(path, options)
        if not isinstance(header.index, pd.RangeIndex):
            _check_widths(path, separator)
        dtype = {name: str for name in header.columns if str(name).strip() in text}
        columns = None if needed is None else [name for name in header.columns if str(name).strip() in needed]
        options |= {"dtype": dtype, "usecols": columns, "low_memory": False}
        line = 2
        with pd.read_csv(path, chunksize=_LINES, **options) as reader:
            for frame in filter(len, reader):
                frame.index = _lines(frame, path) + (line - 2)
                broken = sum(cell.count("\n") for cell in frame.iloc[-1] if isinstance(cell, str))
                line = int(frame.index[-1]) + 1 + broken
                yield _tidied(frame.dropna(how="all"))
    except pd.errors.EmptyDataError as error:
        raise FileError(f"{path.name} is empty", expected="a line of names, then a line for each example") from error
    except pd.errors.ParserError as error:
        raise _ragged(path, str(error)) from error


def _check_widths(path: Path, separator: str) -> None:
    """Raise DataError for the first line with more or fewer cells than the header."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter=separator, skipinitialspace=True)
        width = len(next(lines))
        for cells in filter(None, lines):
            if len(cells) != width:
                begin = lines.line_num - sum(cell.count("\n") for cell in cells)
                raise _wrong_width(path, begin, len(cells), width)


def _text_columns(table: Table) -> set[str]:
    """The columns whose cells are texts even where they look like numbers."""
    import pandas as pd

    text = {column.name for column in table.columns if column.kind == "category" and not _is_bool(column)}
    named = set(table.classes) - {"True", "False"}
    return text | ({table.target} if named and np.isnan(to_numbers(pd.Series(sorted(named)))).any() else set())


def _fit_csv(
    files: list[Path], target: str, missing: Missing, task: TableTask | None, separator: str, ignore: Sequence[str]
) -> tuple[Table, list[int]]:
    """The recipe of these files, and the number of rows of each."""
    for path in files:
        _check_text(path)
    text: set[str] = set()
    while True:
        surveys: dict[str, _Survey] = {}
        sizes = [0] * len(files)
        for place, path in enumerate(files):
            for frame in _csv_frames(path, separator, text):
                if not surveys:
                    names = [str(name) for name in frame.columns]
                    _check_names(names, target, ignore, separator)
                    keep = _VALUES // len(names) if missing == "impute" else 0
                    surveys = {name: _Survey(name, keep, name == target) for name in names if name not in ignore}
                if frame.shape[1] > 1 and frame.iloc[:, -1].isna().any():
                    _check_widths(path, separator)
                sizes[place] += len(frame)
                for name, survey in surveys.items():
                    if name not in frame:
                        raise DataError(f"{path.name} has no column {name!r}", expected=f"those of {files[0].name}")
                    survey.see(frame[name])
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
        _check_inputs(inputs, dict.fromkeys(inputs, "number"), None, target)
    return _layout(surveys, inputs, target, missing, task, separator), sizes


def _kind(kind: Any) -> str:
    """What a column of Arrow can be: a list, a number, a "text" whose cells must be looked at, or no input."""
    name = str(kind)
    if "list" in name.split("<")[0] or "fixed_shape_tensor" in name:
        return "list"
    if name.startswith(("int", "uint", "float", "double", "half")):
        return "number"
    return "text" if name.startswith(("string", "large_string", "dictionary", "bool", "decimal")) else name


def _check_inputs(inputs: list[str], kinds: dict[str, str], schema: Any, target: str) -> None:
    if not inputs:
        raise DataError(f"no column but the target {target!r}", expected="a column to predict from")
    for name in inputs:
        if kinds[name] not in ("number", "text") and (kinds[name] != "list" or len(inputs) > 1):
            raise DataError(
                f"column {name!r} holds {schema.field(name).type}" + (" beside other columns" if inputs[1:] else ""),
                expected="columns of numbers and texts, or one column of lists",
                cure=f"columns=[{name!r}]" if kinds[name] == "list" else f"ignore=[{name!r}]",
            )


def _check_alike(path: Path, names: list[str], schema: Any, kinds: dict[str, str]) -> None:
    for name in names:
        place = schema.get_field_index(name)
        if place < 0 or _kind(schema.field(place).type) != kinds[name]:
            has = f"no column {name!r}" if place < 0 else f"{schema.field(place).type} in column {name!r}"
            raise DataError(f"{path.name} has {has}", expected=f"a {kinds[name]}, as in the first file")


def _fit_parquet(
    files: list[Path], inputs: list[str], kinds: dict[str, str], target: str, missing: Missing, task: TableTask | None
) -> Table:
    read = [name for name in inputs if missing == "impute" or kinds[name] == "text"]
    keep = _VALUES // (1 + len(inputs)) if missing == "impute" else 0
    surveys = {name: _Survey(name, keep, name == target) for name in [*read, target]}
    for path in files:
        at = 0
        for part in parquet_file(path).iter_batches(_LINES, columns=list(surveys)):
            frame = _labelled(part, f"{path.name}, row", at)
            for name, survey in surveys.items():
                survey.see(frame[name])
            at += part.num_rows
    return _layout(surveys, inputs, target, missing, task, ",")


def _labelled(part: Any, what: str, start: int) -> DataFrame:
    import pandas as pd

    return as_frame(part).set_axis(pd.RangeIndex(start, start + part.num_rows, name=what))


def _chunk(part: Any, table: Table, numeric: set[str], vector: str | None, start: int) -> Chunk:
    columns = dict(zip(part.schema.names, part.columns, strict=True))

    def cell(name: str) -> Any:
        if name in numeric:
            return columns[name].to_numpy(zero_copy_only=False)
        return _labelled(part.select([name]), "example", start)[name]

    index = np.arange(start, start + part.num_rows)
    if vector is not None:
        return Chunk(list_rows(columns[vector], vector, index), _targets(cell(table.target), table.classes), index)
    return Chunk(*_encoded(table, cell, lambda: _labelled(part, "example", start)), index)


class _Survey:
    """What one pass tells of a column, judged by the rules of ``is_numeric`` and ``recognise_target``."""

    def __init__(self, name: str, keep: int, is_target: bool) -> None:
        self.name, self.is_target, self.cells, self.gaps, self.bad = name, is_target, 0, 0, 0
        self.kinds: set[str] = set()
        self.counts: dict[str, int] = {}
        self.numbers = np.empty(0)  # the different ones of a target; no more once they are too many for classes
        self.median = StreamedMedian(int(np.clip(keep, 1024, 1 << 22))) if keep else None
        self.counts_rows = name.startswith("Unnamed: ")
        self.first_gap = self.first_bad = ""

    def see(self, series: Series) -> None:
        import pandas as pd

        if self.counts_rows:
            whole = to_numbers(series)
            self.counts_rows = bool(np.array_equal(whole - whole[:1], np.arange(len(whole))))
        missing = series.isna().to_numpy()
        if missing.any():
            self.first_gap = self.first_gap or place_of(series, int(missing.argmax())).rpartition(",")[0]
            self.gaps += int(missing.sum())
            series = series[~missing]
        if not len(series):
            return
        self.cells += len(series)
        if series.dtype.kind in "iufmMc":
            self.kinds.add("number")
            is_numeric(series)  # refuses times, and numbers that are not finite
            numbers = to_numbers(series)
        else:
            self.kinds.add("bool" if isinstance(series.iloc[0], bool | np.bool_) else "text")
            codes, values = pd.factorize(series)
            for name, count in zip(texts(pd.Series(values)), np.bincount(codes).tolist(), strict=True):
                self.counts[name] = self.counts.get(name, 0) + count
            self._check_few()
            numbers = to_numbers(pd.Series(values))[codes]
            bad = ~np.isfinite(numbers)
            if bad.any():
                first = int(bad.argmax())
                self.first_bad = self.first_bad or f"{series.iloc[first]!r}\n{place_of(series, first)}"
                self.bad += int(bad.sum())
                return
        if self.median is not None:
            self.median.add(numbers)
        if self.is_target and len(self.numbers) <= MAX_CLASSES:
            self.numbers = np.union1d(self.numbers, numbers)

    @property
    def is_number(self) -> bool:
        if "bool" in self.kinds or self.bad > max(1, self.cells // 10) or 2 * self.bad >= self.cells:
            return False
        if self.bad:
            cell, where = self.first_bad.split("\n")
            told = f"column {self.name!r} is numeric but for {plural(self.bad, 'cell')}: {cell}"
            raise DataError(told, expected="finite numbers", where=where, cure="correct the cell, or empty it")
        return True

    def column(self) -> Column:
        if not self.cells:
            raise DataError(
                f"column {self.name!r} is empty", expected="a value somewhere", cure=f"ignore=[{self.name!r}]"
            )
        if self.is_number:
            return Column(self.name, "number", fill=self.median.value() if self.median else None)
        self._check_few(of=self.cells)
        names = sorted(self.counts)
        return Column(
            self.name, "category", tuple(names), max(names, key=self.counts.__getitem__) if self.median else None
        )

    def target(self, task: TableTask | None) -> tuple[TableTask, tuple[str, ...], str]:
        import pandas as pd

        _check_task(task)
        numeric = self.is_number
        values = self.numbers if numeric else np.array(sorted(self.counts), dtype=np.str_)
        if len(values) < 2:
            return recognise_target(pd.Series(values, name=self.name))  # refuses it
        found, reason = _task(self.name, values, numeric=numeric, rows=self.cells)
        if len(values) > MAX_CLASSES:
            reason = f"target {self.name!r} has more than {MAX_CLASSES} different numbers: regression"
        if task is not None and task != found:
            if len(values) > MAX_CLASSES:
                raise ArgumentError(f"task={task!r}, but {reason}", expected="task='regression'")
            _check_fits(task, self.name, numeric=numeric)
            found, reason = task, f"target {self.name!r} has {len(values)} different values: {task}, as asked"
        return found, _class_names(values) if found == "classification" else (), reason

    def _check_few(self, of: int = 0) -> None:
        count = len(self.counts)
        if count > MAX_CLASSES or (of and count > MANY_VALUES and count > of / 2):
            raise DataError(
                f"column {self.name!r} holds {count} different texts, such as {min(self.counts)!r}",
                expected="numbers, or a category whose values repeat",
                cure=f"ignore=[{self.name!r}]",
            )


def _layout(
    surveys: dict[str, _Survey],
    inputs: list[str],
    target: str,
    missing: Missing,
    task: TableTask | None,
    separator: str,
) -> Table:
    if missing not in ("refuse", "impute"):
        raise ArgumentError(f"missing={missing!r}", expected="'refuse' or 'impute'", cure='missing="impute"')
    gaps = [one for one in surveys.values() if one.gaps and (missing == "refuse" or one.name == target)]
    if gaps:
        raise DataError(
            f"{plural(sum(one.gaps for one in gaps), 'cell')} missing in {plural(len(gaps), 'column')}",
            expected="a value in every cell; a target is never imputed",
            where="\n".join(f"column {one.name!r}: {one.gaps} missing, first in {one.first_gap}" for one in gaps[:8]),
            cure='missing="impute" (the median, or the most frequent value), or fill them in',
        )
    if not (surveys and surveys[target].cells):
        raise DataError("a table without rows", expected="a row for each example")
    found, classes, reason = surveys[target].target(task)
    columns = [surveys[n].column() if n in surveys else Column(n, "number") for n in inputs]
    return Table(tuple(columns), target, classes, found, reason, separator)
