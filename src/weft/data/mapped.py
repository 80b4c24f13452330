"""Arrays in ``.npy`` files, whose rows are read from the disk when they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from weft.data.convert import as_array
from weft.data.dataset import Task
from weft.data.lazy import LazyDataset, lazy
from weft.data.naming import missing_file
from weft.errors import DataError, FileError

Array = np.ndarray[Any, Any]


def mapped(x: Any, y: Any = None, *, name: str | None = None, task: Task | None = None) -> LazyDataset:
    """The rows of a ``.npy`` file, or of an array, read from the disk when they are needed.

    ``y`` is the path of another ``.npy`` file, or an array; it is held in memory. Raises FileError for a file that is
    missing, cut off or no array of numbers; DataError when the lengths differ.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "x.npy"
    >>> np.save(path, np.arange(12, dtype="float32").reshape(4, 3))
    >>> mapped(path, [0, 1, 0, 1])
    x: 4 rows of (3,) float32, read when needed, 2 classes
    """
    array = _open(x) if isinstance(x, str | Path) else x if isinstance(x, np.ndarray) else as_array(x, "x")
    if isinstance(x, str | Path) and array.dtype.kind not in "biuf":
        raise FileError(f"{Path(x).name} holds {array.dtype}", expected="an array of numbers that np.save wrote")
    if array.ndim == 0 or not len(array):
        raise DataError(f"x of shape {array.shape} holds no rows", expected="x of shape (n, …), n of 1 or more")
    targets = np.array(_open(y)) if isinstance(y, str | Path) else y
    named = name or (Path(x).stem if isinstance(x, str | Path) else "data")
    return lazy(lambda rows: array[rows], len(array), targets, name=named, task=task)


def _open(path: str | Path) -> Array:
    path = Path(path).expanduser()
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise missing_file(path, "an array that np.save wrote") from error
    except (ValueError, OSError, EOFError) as error:
        raise FileError(
            f"{path.name} cannot be mapped: {error}",
            expected="an array of numbers that np.save wrote, whole",
            cure=f"np.save({path.stem + '.npy'!r}, x)",
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise FileError(
            f"{path.name} holds several arrays, which cannot be mapped",
            expected="a .npy file",
            cure=f"np.save('x.npy', np.load({path.name!r})['x'])",
        )
    return array
