"""What ``weft train`` was told to train on: a bundled data set by name, or a table in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weft.cli.options import TrainOptions, flag
from weft.data.bundled import NAMES, load
from weft.data.dataset import Dataset
from weft.data.naming import closest, listing, plural
from weft.data.table import open_table
from weft.errors import ArgumentError, FileError


def dataset_of(options: TrainOptions) -> Dataset:
    """The data set; raises with the closest name, or with the columns to choose a target from."""
    if options.data in NAMES:
        return _bundled(options)
    if not Path(options.data).is_file():
        raise _unknown(options.data)
    if options.target is None:
        raise _without_target(options)
    how: Any = {"missing": options.missing, "task": options.task, "ignore": options.ignore}
    return open_table(options.data, options.target, separator=options.separator, **how).dataset()


def _bundled(options: TrainOptions) -> Dataset:
    for name in ("target", "ignore", "separator", "missing", "task"):
        if getattr(options, name) != getattr(TrainOptions, name):
            raise ArgumentError(
                f"{flag(name)} with the bundled data set {options.data!r}",
                expected=f"{flag(name)} with a CSV file only; bundled data says itself what to predict",
                cure=TrainOptions(options.data).command(),
            )
    return load(options.data)


def _unknown(name: str) -> FileError:
    nearby = [str(path) for path in Path(name).parent.glob("*.csv")] if Path(name).parent.is_dir() else []
    near = closest(name, [*NAMES, *nearby])
    return FileError(
        f"{name!r} is neither a bundled data set nor a file",
        expected=f"one of {', '.join(NAMES)}, or the path of a CSV file together with --target COLUMN",
        cure=f"weft train {near}{'' if near in NAMES else ' --target COLUMN'}" if near else "weft train iris",
    )


def _without_target(options: TrainOptions) -> ArgumentError:
    from weft.data.frame import read_frame

    columns = [str(name) for name in read_frame(options.data, separator=options.separator).columns]
    return ArgumentError(
        f"{options.data} without --target",
        expected=f"the column to predict: one of {listing(columns)}",
        cure=options.with_changes(target=columns[-1]).command(),
    )


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
