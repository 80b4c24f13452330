"""Streams over Parquet files larger than memory, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.block import Chunk
from weft.data.encode import encoded
from weft.data.files import found_files, stream_of, table_like
from weft.data.foreign import as_frame, list_rows, parquet_file
from weft.data.kept import ROOM, Kept
from weft.data.order import permutation
from weft.data.recipe import Table
from weft.data.stream import Stream
from weft.data.stream_source import Order, Reader
from weft.data.survey import HELD_VALUES, Survey, surveyed_table
from weft.data.table import Missing, check_inputs, check_names
from weft.data.target import TableTask, encode_target
from weft.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame

_ROWS = 1 << 16  # read at once in the pass that finds the recipe
_BYTES = 1 << 25  # of x, read at once from Parquet


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
    cache: int = ROOM,
) -> Stream:
    """The rows of Parquet files, row group by row group, as ``open_table`` makes them from the whole.

    ``columns`` are the inputs, all but the target if None; one column of lists of equal length, or of tensors, is x
    of shape (n, length, …). ``paths``, ``like`` and ``missing`` are as for ``csv_stream``. ``shuffle``: row groups come
    in the order of (seed, epoch), then rows are mixed within so many; None leaves them as they are in the files.
    ``cache``: so many bytes of row groups stay in memory once they were read. Only columns that need fitting (texts,
    the target, what is imputed) are read beforehand. Raises FileError for what is no Parquet file, DataError for
    columns that differ or cannot be numbers, ArgumentError for unknown names.
    """
    files = found_files(paths, ".parquet")
    contents = [_contents(path) for path in files]
    schema = contents[0][0]
    kinds = {name: _kind(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    known = like.table if isinstance(like, Stream) else like
    given = columns if columns is not None or known is None else [column.name for column in known.columns]
    check_names(schema.names, target, ignore, ",", given or ())
    inputs = [name for name in (given or schema.names) if name != target and name not in ignore]
    check_inputs(inputs, target)
    _check_kinds(inputs, kinds, schema)
    for path, (found, _) in zip(files, contents, strict=True):
        _check_alike(path, [*inputs, target], found, kinds)
    vector = inputs[0] if kinds[inputs[0]] == "list" else None
    if like is not None:
        table = table_like(like, target, vector=vector is not None)
    else:
        table = _fit_parquet(files, [] if vector else inputs, kinds, target, missing, task)
    numeric = {name for name in inputs if kinds[name] == "number"}
    groups = [(file, group) for file, (_, sizes) in enumerate(contents) for group in range(len(sizes))]
    bases = list(accumulate((contents[file][1][group] for file, group in groups), initial=0))
    width = getattr(schema.field(vector).type, "list_size", 1024) if vector else len(table.features)
    batch = int(np.clip(_BYTES // (4 * width), 256, 1 << 16))

    kept = Kept(cache)

    def pieces(order: Order) -> Iterator[Chunk]:
        again = lru_cache(maxsize=32)(parquet_file)

        def read(place: int) -> Iterator[Chunk]:
            (file, group), at = groups[place], bases[place]
            for part in again(files[file]).iter_batches(batch, row_groups=[group], columns=[*inputs, target]):
                yield _chunk(part, table, numeric, vector, at)
                at += part.num_rows

        for place in permutation(len(groups), order.seed, order.epoch) if order.groups else range(len(groups)):
            yield from kept.part(files[groups[place][0]], groups[place][1], partial(read, place))

    return stream_of(Reader(pieces, bases[-1]), files, table, shuffle)


def _contents(path: Path) -> tuple[Any, list[int]]:
    """The schema of a file and the number of rows of each of its row groups; the file is closed again."""
    with parquet_file(path) as file:
        return file.schema_arrow, [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]


def _kind(kind: Any) -> str:
    """What a column of Arrow can be: a list, a number, a "text" whose cells must be looked at, or no input."""
    name = str(kind)
    if "list" in name.split("<")[0] or "fixed_shape_tensor" in name:
        return "list"
    if name.startswith(("int", "uint", "float", "double", "half")):
        return "number"
    return "text" if name.startswith(("string", "large_string", "dictionary", "bool", "decimal")) else name


def _check_kinds(inputs: list[str], kinds: dict[str, str], schema: Any) -> None:
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
    keep = HELD_VALUES // (1 + len(inputs)) if missing == "impute" else 0
    surveys = {name: Survey(name, keep, name == target) for name in [*read, target]}
    for path in files:
        at = 0
        for part in parquet_file(path).iter_batches(_ROWS, columns=list(surveys)):
            frame = _labelled(part, f"{path.name}, row", at)
            for name, survey in surveys.items():
                survey.see(frame[name])
            at += part.num_rows
    return surveyed_table(surveys, inputs, target, missing, task, ",")


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
        return Chunk(list_rows(columns[vector], vector, index), encode_target(cell(table.target), table.classes), index)
    return Chunk(*encoded(table, cell, lambda: _labelled(part, "example", start)), index)
