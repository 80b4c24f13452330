"""Data larger than memory whose rows can be read in any order, and the blocks of examples that reading gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from weft.data.convert import as_array, as_inputs, as_targets
from weft.data.dataset import Dataset, Task, as_rows
from weft.data.naming import closest, listing, plural
from weft.data.order import permutation
from weft.data.split import Policy, split
from weft.errors import ArgumentError, DataError, DTypeError, FileError

Array = np.ndarray[Any, Any]
# Rows that ``load`` reads at once.
_READ = 1024


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Some examples: inputs ``x`` (n, …), targets ``y`` (n, …) or None, and the number of each, ``index`` (n,) int64.

    An example has the same number in every epoch, whatever the order: what is drawn for it, such as an augmentation,
    is a function of (seed, epoch, number).

    >>> x, y, index = Block(np.zeros((2, 3)), np.array([0, 1]), np.array([7, 4]))
    >>> index.tolist()
    [7, 4]
    """

    x: Array
    y: Array | None
    index: Array

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.y, self.index))


@dataclass(frozen=True, eq=False)
class LazyDataset:
    """Rows that are read when they are needed: ``source`` maps row numbers (k,), int64, to x of shape (k, …).

    Only the targets ``y`` are in memory. Names and ``classes`` are those of a Dataset; `lazy` makes one with targets
    of any form. ``rows`` are the rows of the source that are seen: all of them if None.

    >>> squares = LazyDataset(lambda rows: rows[:, None].astype("float32") ** 2, 10)
    >>> squares, squares.shape, squares.take([3, 2]).read([0]).tolist()
    (data: 10 rows of (1,) float32, read when needed, (1,), [[9.0]])
    """

    source: Callable[[Array], Any]
    n: int
    y: Array | None = None
    name: str = "data"
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    task: Task = "none"
    rows: Array | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise DataError(f"{self.name} has {plural(self.n, 'row')}", expected="1 row or more")
        if self.y is not None and len(self.y) != len(self):
            raise DataError(
                f"{plural(len(self), 'row')} of x, {plural(len(self.y), 'target')} y", expected="one target a row"
            )

    def __len__(self) -> int:
        return self.n if self.rows is None else len(self.rows)

    def __repr__(self) -> str:
        classes = f", {plural(len(self.classes), 'class', 'classes')}" if self.classes else ""
        return f"{self.name}: {plural(len(self), 'row')} of {self.shape} {self.dtype}, read when needed{classes}"

    @cached_property
    def _first(self) -> Array:
        return self._checked(np.zeros(1, np.int64))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row, found by reading the first."""
        return self._first.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows: float32, or the integers that they are."""
        return self._first.dtype

    def read(self, rows: Any) -> Array:
        """The inputs of these rows, numbers or a mask, shape (k, …); floating point becomes float32.

        Raises DataError when a row is not finite, or has another shape than the first; ArgumentError out of range.
        """
        numbers = as_rows(rows, len(self))
        x = self._checked(numbers)
        if x.shape[1:] != self.shape:
            raise DataError(
                f"rows {_some(numbers)} have shape {x.shape[1:]}", expected=f"{self.shape}, as row 0 of {self.name}"
            )
        return x.astype(self.dtype, copy=False)

    def _checked(self, numbers: Array) -> Array:
        x = as_array(self.source(numbers if self.rows is None else self.rows[numbers]), "x")
        if x.ndim == 0 or len(x) != len(numbers):
            raise DataError(
                f"reading {plural(len(numbers), 'row')} of {self.name} gave an array of shape {x.shape}",
                expected=f"shape ({len(numbers)}, …): the rows that were asked for",
            )
        return finite_inputs(x, numbers, self.features)

    def take(self, indices: Any) -> LazyDataset:
        """A view of the rows at these indices (or where a mask is true), in this order: nothing is read.

        Its rows are numbered from 0, as those of ``Dataset.take`` are.
        """
        chosen = as_rows(indices, len(self))
        rows = chosen if self.rows is None else self.rows[chosen]
        if not len(rows):
            raise DataError(f"no row of {self.name} taken", expected="1 row or more")
        return replace(self, rows=rows, y=None if self.y is None else self.y[chosen])

    def map(self, function: Callable[[Array], Any]) -> LazyDataset:
        """The same rows with their inputs put through ``function``, which maps x (k, …) to x (k, …) row by row.

        >>> from weft.data import mapped
        >>> mapped(np.arange(6).reshape(3, 2)).map(lambda x: x / 2).read([2]).tolist()
        [[2.0, 2.5]]
        """
        source = self.source
        return replace(self, source=lambda rows: function(as_array(source(rows), "x")), features=())

    def split(
        self,
        fraction: float,
        *,
        policy: Policy = "random",
        seed: int = 0,
        stratify: bool | None = None,
        groups: Any = None,
    ) -> tuple[LazyDataset, LazyDataset]:
        """Views for training and validation, chosen as `weft.data.split` chooses; no row is read.

        >>> train, validation = LazyDataset(lambda rows: rows[:, None], 10).split(0.2, policy="tail")
        >>> validation.read([0, 1]).tolist()
        [[8], [9]]
        """
        stand_in = Dataset(np.zeros((len(self), 1), np.int8), self.y, self.name, (), None, self.classes, self.task)
        chosen = split(stand_in, fraction, policy=policy, seed=seed, stratify=stratify, groups=groups)
        return self.take(chosen.train), self.take(chosen.validation)

    def load(self) -> Dataset:
        """All rows in memory."""
        x = np.empty((len(self), *self.shape), self.dtype)
        for start in range(0, len(self), _READ):
            x[start : start + _READ] = self.read(np.arange(start, min(start + _READ, len(self))))
        return Dataset(x, self.y, self.name, self.features, None, self.classes, self.task)

    def blocks(self, rows: int, *, seed: int, epoch: int, shuffle: bool = True) -> Iterator[Block]:
        """The examples of an epoch in blocks of ``rows``, the last one shorter: in the order of
        ``permutation(n, seed, epoch)``, or as they are stored with ``shuffle=False``.

        Raises ArgumentError unless rows is 1 or more, and as ``read`` does.
        """
        check_rows(rows)
        order = permutation(len(self), seed, epoch) if shuffle else np.arange(len(self))
        return self._in_order(order.astype(np.int64), rows)

    def _in_order(self, order: Array, rows: int) -> Iterator[Block]:
        for start in range(0, len(order), rows):
            index = order[start : start + rows]
            yield Block(self.read(index), None if self.y is None else self.y[index], index)


def lazy(
    read: Callable[[Array], Any],
    n: int,
    y: Any = None,
    *,
    name: str = "data",
    features: tuple[str, ...] = (),
    task: Task | None = None,
) -> LazyDataset:
    """``n`` rows that ``read(rows)`` gives, row numbers (k,) to x (k, …); targets ``y`` as in `as_dataset`.

    Raises DataError when there is not one target a row.

    >>> lazy(lambda rows: rows[:, None] / 2, 3, ["no", "yes", "no"]).y.tolist()
    [0, 1, 0]
    """
    if y is None:
        return LazyDataset(read, n, None, name, features)
    given = as_array(y, "y")
    if given.ndim == 0 or len(given) != n:
        raise DataError(f"{plural(n, 'row')} of x, targets y of shape {given.shape}", expected="one target a row")
    labels, classes, found = as_targets(given, y, task, keep_float64=False)
    return LazyDataset(read, n, labels, name, features, classes, found)


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
    if array.ndim == 0 or not len(array):
        raise DataError(f"x of shape {array.shape} holds no rows", expected="x of shape (n, …), n of 1 or more")
    targets = np.array(_open(y)) if isinstance(y, str | Path) else y
    named = name or (Path(x).stem if isinstance(x, str | Path) else "data")
    return lazy(lambda rows: array[rows], len(array), targets, name=named, task=task)


def finite_inputs(x: Array, numbers: Array, features: tuple[str, ...] = ()) -> Array:
    """Inputs as they are trained on: floating point as float32, integers as they are.

    Raises DataError with the number of the first example that holds NaN or infinity.
    """
    if x.dtype.kind == "f":
        check_block(x, numbers, "x")
    if x.dtype.kind != "f" or x.dtype.itemsize != 4:
        x = as_inputs(x, x, features, keep_float64=False)
    return x.astype(x.dtype.newbyteorder("="), copy=False)  # a file may have the other byte order


def check_block(x: Array, numbers: Array, name: str) -> None:
    """Raise DataError if a value is NaN or infinite; ``numbers`` (n,) says which examples these are."""
    with np.errstate(all="ignore"):
        # A sum is not finite if one of its terms is not; it takes a third of the time of looking at each.
        if np.isfinite(x.sum()):
            return
    finite = np.isfinite(x)
    if finite.all():
        return
    first = tuple(int(i) for i in np.unravel_index(int(finite.argmin()), x.shape))
    position = f", position {first[1:] if len(first) > 2 else first[1]}" if len(first) > 1 else ""
    raise DataError(
        f"{name} of example {numbers[first[0]]} is not finite",
        expected="numbers only: no NaN, no infinity",
        where=f"{x[first]} in example {numbers[first[0]]}{position}",
        cure="leave the example out: data.take(complete) or stream.filter(…)",
    )


@dataclass(slots=True)
class Chunk:
    """Examples on their way: arrays, or lists of single ones; ``index`` counts them in the order of the source."""

    x: Any
    y: Any
    index: Any

    def __len__(self) -> int:
        return len(self.index)

    def examples(self) -> list[tuple[Any, ...]]:
        return [(x,) for x in self.x] if self.y is None else list(zip(self.x, self.y, strict=True))

    def cut(self, start: int, stop: int) -> Chunk:
        y = None if self.y is None else self.y[start:stop]
        return Chunk(self.x[start:stop], y, self.index[start:stop])

    def pick(self, rows: Array) -> Chunk:
        return Chunk(*(_picked(part, rows) for part in (self.x, self.y, self.index)))


def _picked(part: Any, rows: Array) -> Any:
    return [part[row] for row in rows] if isinstance(part, list) else None if part is None else part[rows]


def joined(parts: list[Chunk]) -> Chunk:
    """Several chunks as one. Raises DataError when rows have different shapes, or targets are not everywhere."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        if (part.y is None) != (first.y is None):
            raise _half_targets(part.index[0], part.y is None)
    if any(isinstance(part.x, list) for part in parts):
        y = None if first.y is None else [y for part in parts for y in part.y]
        return Chunk([x for part in parts for x in part.x], y, [n for part in parts for n in part.index])
    for name in ("x", "y"):
        shapes = [np.shape(getattr(part, name))[1:] for part in parts]
        for shape, part in zip(shapes, parts, strict=True):
            if shape != shapes[0]:
                raise _other_shape(name, part.index[0], shape, first.index[0], shapes[0])
    ys = None if first.y is None else np.concatenate([part.y for part in parts])
    return Chunk(np.concatenate([part.x for part in parts]), ys, np.concatenate([part.index for part in parts]))


class Form:
    """Makes blocks of chunks, all of one form: the shapes and types of the first. It is that of one pass."""

    def __init__(self, classes: tuple[str, ...], task: Task, features: tuple[str, ...]) -> None:
        self.classes, self.task, self.features = classes, task, features
        self.firsts: dict[str, tuple[int, Array]] = {}

    def block(self, chunk: Chunk) -> Block:
        """Raises DataError or DTypeError, with the number of the example, for what is not of this form."""
        index = np.asarray(chunk.index, np.int64)
        if (chunk.y is None) != ("y" not in self.firsts) and self.firsts:
            raise _half_targets(index[0], chunk.y is None)
        x = finite_inputs(self._array("x", chunk.x, index), index, self.features)
        y = None if chunk.y is None else self._targets(self._array("y", chunk.y, index), index)
        return Block(self._same("x", x, index), None if y is None else self._same("y", y, index), index)

    def _array(self, name: str, values: Any, index: Array) -> Array:
        if not isinstance(values, list):
            return values
        arrays = [as_numpy(value) for value in values]
        for number, array in zip(index, arrays, strict=True):
            if array.dtype.kind not in ("biuf" if name == "x" else "biufUT"):
                raise DTypeError(
                    f"{name} of example {number} is {array.dtype}, {str(array)[:40]!r}",
                    expected="numbers" if name == "x" else "a number, or the name of a class",
                    cure=".map(function), whose result (x, y) holds numbers",
                )
            if array.shape != arrays[0].shape:
                raise _other_shape(name, number, array.shape, index[0], arrays[0].shape)
        kinds = [array.dtype.kind for array in arrays]
        if kinds[0] in "iu" and "f" in kinds:
            raise _other_type(name, index[kinds.index("f")], "floating point", index[0], "an integer")
        return np.stack(arrays)

    def _targets(self, y: Array, index: Array) -> Array:
        if y.dtype.kind in "UT":
            return self._codes(y, index)
        if y.dtype.kind == "f":
            check_block(y, index, "y")
        if self.task == "classification" or (y.dtype.kind in "biu" and self.task != "regression"):
            return self._labels(y, index)
        if y.dtype.kind not in "fbiu":
            raise DTypeError(f"y of type {y.dtype} at example {index[0]}", expected="numbers, or names of classes")
        return y.astype(np.float32, copy=False)

    def _labels(self, y: Array, index: Array) -> Array:
        labels = y.astype(np.int64, copy=False)
        bad = labels != y
        if self.classes:
            bad |= (labels < 0) | (labels >= len(self.classes))
        if bad.any():
            place = int(bad.reshape(len(y), -1).any(axis=1).argmax())
            raise DataError(
                f"label {y[place]} of example {index[place]}",
                expected=f"0 to {len(self.classes) - 1}" if self.classes else "a whole number",
            )
        return labels

    def _codes(self, y: Array, index: Array) -> Array:
        if not self.classes:
            raise DTypeError(
                f"y of example {index[0]} is a text, {str(y.flat[0])!r}",
                expected="a number, or classes that are known",
                cure=f"Stream(…, classes=({str(y.flat[0])!r}, …)), in the order of their numbers",
            )
        names, places = np.unique(y, return_inverse=True)
        for place, name in enumerate(names.tolist()):
            if name not in self.classes:
                near = closest(name, self.classes)
                raise DataError(
                    f"class {name!r} of example {index[int((places.reshape(len(y), -1) == place).any(1).argmax())]}",
                    expected=f"one of {listing(self.classes)}",
                    cure=f"is {near!r} meant?" if near else None,
                )
        codes = np.array([self.classes.index(name) for name in names.tolist()], np.int64)
        return codes[places.reshape(y.shape)]

    def _same(self, name: str, array: Array, index: Array) -> Array:
        number, first = self.firsts.setdefault(name, (int(index[0]), array[:1]))
        if array.shape[1:] != first.shape[1:]:
            raise _other_shape(name, index[0], array.shape[1:], number, first.shape[1:])
        if array.dtype == first.dtype:
            return array
        cast = array.astype(first.dtype)
        if first.dtype.kind != "f" and not np.array_equal(cast, array):
            kind = "floating point" if array.dtype.kind == "f" else array.dtype
            raise _other_type(name, index[0], kind, number, first.dtype)
        return cast


def pair(example: Any, what: str) -> tuple[Any, Any]:
    """``(x, y)``, y None where the example is x alone. Raises DataError for a tuple of another length."""
    if not isinstance(example, tuple):
        return example, None
    if len(example) != 2:
        raise DataError(f"{what} is a tuple of {len(example)}", expected="(x, y), or x alone")
    return example


def batch(item: Any, number: int) -> Chunk:
    """The examples of a batch, numbered from ``number``. Raises DataError when it is none."""
    is_list = isinstance(item, list) and len(item) == 2 and all(np.ndim(part) > 0 for part in item)
    x, y = pair(tuple(item) if is_list else item, f"the batch at example {number}")
    x, y = as_numpy(x), None if y is None else as_numpy(y)
    if x.ndim == 0 or x.dtype == object or (y is not None and len(x) != (len(y) if y.ndim else -1)):
        sizes = f"x of shape {x.shape} and type {x.dtype}" + ("" if y is None else f", y of shape {y.shape}")
        raise DataError(
            f"the batch at example {number} holds {sizes}",
            expected="x of shape (n, …) and y of shape (n, …)",
            cure="batched=False, if these are single examples",
        )
    return Chunk(x, y, np.arange(number, number + len(x)))


def as_numpy(value: Any) -> Array:
    """An array of what may be a tensor of PyTorch, on whatever device."""
    if type(value).__module__.split(".")[0] == "torch":
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    return as_array(value, "x")


def _other_shape(name: str, number: Any, shape: Any, first: Any, expected: Any) -> DataError:
    return DataError(
        f"{name} of example {number} has shape {tuple(shape)}",
        expected=f"{tuple(expected)}, as example {first}: one shape for all",
        cure="stream.map(function) that crops, pads or resizes",
    )


def _other_type(name: str, number: Any, kind: Any, first: Any, expected: Any) -> DataError:
    return DataError(
        f"{name} of example {number} is {kind}",
        expected=f"{expected}, as example {first}: one type for all",
        cure="float(x) in all examples",
    )


def _half_targets(number: Any, is_absent: bool) -> DataError:
    return DataError(
        f"example {number} has {'no target y' if is_absent else 'a target y'}",
        expected=f"{'(x, y)' if is_absent else 'x alone'}, as the examples before",
    )


def check_rows(rows: Any) -> None:
    """Raise ArgumentError unless a block has 1 row or more."""
    if not isinstance(rows, int | np.integer) or isinstance(rows, bool) or rows < 1:
        raise ArgumentError(f"rows={rows!r}", expected="1 example or more in a block", cure="data.blocks(32, …)")


def _some(numbers: Array) -> str:
    return ", ".join(map(str, numbers[:3])) + (" …" if len(numbers) > 3 else "")


def _open(path: str | Path) -> Array:
    path = Path(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        near = closest(path.name, [p.name for p in path.parent.glob("*")]) if path.parent.is_dir() else None
        raise FileError(
            f"no file {str(path)!r}",
            expected="an array that np.save wrote",
            cure=f"{str(path.with_name(near))!r}" if near else f"the current folder is {str(Path.cwd())!r}",
        ) from error
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
