"""What ``weft train`` was told to train on: a bundled data set by name, or a table in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from weft.cli.options import SetUp, flag
from weft.data.bundled import NAMES, load
from weft.data.dataset import Dataset
from weft.data.naming import closest, listing, plural
from weft.data.table import open_table
from weft.errors import ArgumentError, DataError, FileError

Array = np.ndarray[Any, Any]
KINDS = (".csv", ".parquet")


def is_bundled(name: str) -> bool:
    """Whether a name is that of a bundled data set: then it is nothing else, whatever lies in the current folder."""
    return name in NAMES


def is_run(data: str) -> bool:
    """Whether what was typed is the folder of a run."""
    return not is_bundled(data) and Path(data).is_dir()


def dataset_of(options: SetUp) -> Dataset:
    """The data set; raises with the closest name, or with the columns to choose a target from."""
    if is_bundled(options.data):
        return _bundled(options)
    if not Path(options.data).is_file():
        raise _unknown(options)
    if options.target is None:
        raise _without_target(options)
    how: Any = {"missing": options.missing, "task": options.task, "ignore": options.ignore}
    return open_table(options.data, options.target, separator=options.separator, **how).dataset()


def _bundled(options: SetUp) -> Dataset:
    for name in ("target", "ignore", "separator", "missing", "task"):
        if getattr(options, name) != getattr(SetUp, name):
            raise ArgumentError(
                f"{flag(name)} with the bundled data set {options.data!r}",
                expected=f"{flag(name)} with a table only; bundled data says itself what to predict",
                cure=options.with_changes(**{name: getattr(SetUp, name)}).command(),
            )
    return load(options.data)


def _unknown(options: SetUp) -> FileError:
    name, weft = options.data, f"weft {options.COMMAND}"
    folder = Path(name).parent
    nearby = [str(path) for kind in KINDS for path in folder.glob(f"*{kind}")] if folder.is_dir() else []
    near = closest(name, [*NAMES, *nearby])
    return FileError(
        f"{name!r} is neither a bundled data set nor a file",
        expected=f"one of {', '.join(NAMES)}, or the path of a table, {' or '.join(KINDS)}, with --target COLUMN",
        cure=f"{weft} {near}{'' if near in NAMES else ' --target COLUMN'}" if near else f"{weft} iris",
    )


def _without_target(options: SetUp) -> ArgumentError:
    from weft.data.frame import any_frame

    columns = [str(name) for name in any_frame(options.data, separator=options.separator).columns]
    return ArgumentError(
        f"{options.data} without --target",
        expected=f"the column to predict: one of {listing(columns)}",
        cure=options.with_changes(target=columns[-1]).command(),
    )


def groups_of(options: SetUp, column: str) -> Array:
    """The cells of a column, by which rows are kept together. Raises ArgumentError where there is none."""
    from weft.data.frame import any_frame

    if is_bundled(options.data):
        raise ArgumentError(
            f"--group {column} with the bundled data set {options.data!r}", expected="a table with such a column"
        )
    if not Path(options.data).is_file():
        raise _unknown(options)
    frame = any_frame(options.data, separator=options.separator)
    if column not in frame.columns:
        names = [str(name) for name in frame.columns]
        near = closest(column, names)
        cure = options.with_changes(group=near).command() if near else None
        raise ArgumentError(f"no column {column!r} to group by", expected=f"one of {listing(names)}", cure=cure)
    if missing := int(frame[column].isna().sum()):
        raise DataError(f"column {column!r} to group by: {plural(missing, 'cell')} missing", expected="a group a row")
    return np.unique(frame[column].astype(str).to_numpy(), return_inverse=True)[1]


def described(data: Dataset) -> str:
    """The data in a line: rows, features, classes.

    >>> described(load("iris"))
    'iris: 150 rows, 4 features, 3 classes (setosa, versicolor, virginica)'
    """
    told = f"{data.name}: {plural(len(data), 'row')}, {plural(data.x[0].size, 'feature')}"
    if not data.classes or data.y is None:
        return f"{told}, target {data.target} from {data.y.min():g} to {data.y.max():g}" if data.y is not None else told
    more = f" and {len(data.classes) - 5} more" if len(data.classes) > 5 else ""
    return f"{told}, {plural(len(data.classes), 'class', 'classes')} ({', '.join(data.classes[:5])}{more})"
