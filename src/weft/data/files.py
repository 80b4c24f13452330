"""What streams over table files of any kind have in common: the files, the recipe, the order of the rows."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from weft.data.naming import closest
from weft.data.recipe import Table
from weft.data.stream import Stream
from weft.data.stream_source import Reader
from weft.data.target import TableTask
from weft.errors import ArgumentError, FileError


def found_files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
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


def table_like(like: Stream | Table, target: str) -> Table:
    """The recipe of the training files. Raises ArgumentError when it is one for another target."""
    task: TableTask = "classification" if like.classes else "regression"
    table = (
        like if isinstance(like, Table) else like.table or Table((), target, like.classes, task, "as another stream")
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
