"""What streams over table files of any kind have in common: the files, the recipe, the order of the rows."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from weft.data.naming import missing_file, twice
from weft.data.recipe import Table
from weft.data.stream import Stream
from weft.data.stream_source import Reader
from weft.data.target import TableTask
from weft.errors import ArgumentError, FileError


def found_files(paths: str | Path | Sequence[str | Path], suffix: str) -> list[Path]:
    """The files of a path, of a pattern, of a folder (those with this suffix), or of several.

    Raises FileError for none, ArgumentError for one twice.
    """
    if not isinstance(paths, str | Path) and not isinstance(paths, Iterable):
        raise ArgumentError(f"{paths!r} as the files of a table", expected="a path, a pattern, a folder, or several")
    found: list[Path] = []
    for given in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(given).expanduser()
        is_pattern = glob.has_magic(str(path)) and not path.exists()
        # Path.glob takes no absolute pattern.
        names = glob.glob(str(path), recursive=True) if is_pattern else [path]  # noqa: PTH207
        these = sorted(path.glob(f"*{suffix}")) if path.is_dir() else sorted(p for p in map(Path, names) if p.is_file())
        if path.is_dir() and not these:
            raise FileError(f"no *{suffix} in the folder {str(given)!r}", expected="files of a table")
        if not these:
            raise missing_file(path, "the path of a table, a pattern, a folder, or several")
        found += these
    if (double := twice(found)) is not None or not found:
        raise ArgumentError(f"{str(double)!r} twice" if found else "no paths", expected="each file once")
    return found


def table_like(like: Stream | Table, target: str, *, vector: bool = False) -> Table:
    """The recipe of the training files, of which a column of lists (``vector``) has none but its target.

    Raises ArgumentError when it is one for another target, and for a stream that has lost its recipe.
    """
    table = like if isinstance(like, Table) else like.table
    if table is None and vector:
        task: TableTask = "classification" if like.classes else "regression"
        table = Table((), target, like.classes, task, "as another stream")
    if table is None:
        raise ArgumentError(
            "like= a stream without a recipe: map changes the columns, and other streams have none",
            expected="a stream of csv_stream or parquet as it was made, or a Table",
            cure="like=train before .map(…), or like=train.table",
        )
    if table.target != target:
        raise ArgumentError(f"target {target!r}", expected=f"{table.target!r}, the target of like")
    return table


def stream_of(reader: Reader, files: list[Path], table: Table, shuffle: int | None) -> Stream:
    """What the reader gives as a stream, named after the first file; rows mixed within a buffer of ``shuffle``."""
    held = table if table.columns else None
    made = Stream(
        reader, name=files[0].stem, features=table.features, classes=table.classes, task=table.task, table=held
    )
    return made.shuffle(shuffle) if shuffle else made
