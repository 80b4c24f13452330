"""Examples on their way: blocks, which are trained on, and the chunks of which they are made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.data.check import check_whole
from weft.data.convert import as_array
from weft.errors import DataError

Array = np.ndarray[Any, Any]
ALIGNED = 64  # bytes: XLA takes an array of the host as it is where it begins at a multiple of these


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


@dataclass(slots=True)
class Chunk:
    """Examples on their way: arrays, or lists of single ones; ``index`` counts them in the order of the source."""

    x: Any
    y: Any
    index: Any

    def __len__(self) -> int:
        return len(self.index)

    def examples(self) -> list[tuple[Any, ...]]:
        """Each example as the arguments of a function: ``(x, y)``, or ``(x,)``."""
        return [(x,) for x in self.x] if self.y is None else list(zip(self.x, self.y, strict=True))

    def cut(self, start: int, stop: int) -> Chunk:
        """The examples from ``start`` up to ``stop``."""
        y = None if self.y is None else self.y[start:stop]
        return Chunk(self.x[start:stop], y, self.index[start:stop])

    def pick(self, rows: Array) -> Chunk:
        """The examples at these places, in this order."""
        return Chunk(*(_picked(part, rows) for part in (self.x, self.y, self.index)))

    def replaced(self, places: Array, other: Chunk) -> Chunk:
        """These examples with those at ``places`` replaced by ``other``: in place where the arrays are alike."""
        mine, given = (self.x, self.y, self.index), (other.x, other.y, other.index)
        if all(map(_alike, mine, given)):
            for part, new in zip(mine, given, strict=True):
                if part is not None:
                    part[places] = new
            return self
        rows = np.arange(len(self))
        rows[places] = len(self) + np.arange(len(other))
        return joined([self, other]).pick(rows)


def _picked(part: Any, rows: Array) -> Any:
    if part is None:
        return None
    if isinstance(part, list):
        return [part[row] for row in rows]
    if part.dtype.kind not in "biufc":
        return part[rows]
    return np.take(part, rows, axis=0, out=_aligned((len(rows), *part.shape[1:]), part.dtype), mode="clip")


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An empty array that begins at a multiple of `ALIGNED`."""
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + ALIGNED, np.uint8)
    start = -room.ctypes.data % ALIGNED
    return room[start : start + size].view(dtype).reshape(shape)


def _alike(a: Any, b: Any) -> bool:
    """Whether the rows of one can take the places of rows of the other as they are."""
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return bool(a.dtype == b.dtype and a.shape[1:] == b.shape[1:]) if arrays else a is b is None


def joined(parts: list[Chunk]) -> Chunk:
    """Several chunks as one. Raises DataError when rows have different shapes, or targets are not everywhere."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        if (part.y is None) != (first.y is None):
            raise half_targets(part.index[0], part.y is None)
    if any(isinstance(part.x, list) for part in parts):
        y = None if first.y is None else [y for part in parts for y in part.y]
        return Chunk([x for part in parts for x in part.x], y, [n for part in parts for n in part.index])
    for name in ("x", "y"):
        shapes = [np.shape(getattr(part, name))[1:] for part in parts]
        for shape, part in zip(shapes, parts, strict=True):
            if shape != shapes[0]:
                raise other_shape(name, part.index[0], shape, first.index[0], shapes[0])
        kinds = [np.asarray(getattr(part, name)).dtype.kind for part in parts]
        if kinds[0] in "iu" and "f" in kinds:
            place = kinds.index("f")
            raise other_type(name, parts[place].index[0], "floating point", first.index[0], "an integer")
    ys = None if first.y is None else np.concatenate([part.y for part in parts])
    return Chunk(np.concatenate([part.x for part in parts]), ys, np.concatenate([part.index for part in parts]))


def pair(example: Any, what: str) -> tuple[Any, Any]:
    """``(x, y)``, y None where the example is x alone, or a tuple of x. Raises DataError for a longer tuple."""
    if not isinstance(example, tuple):
        return example, None
    if len(example) not in (1, 2):
        raise DataError(
            f"{what} is a tuple of {len(example)}",
            expected="(x, y), or x alone",
            cure="a map, or the collate_fn of the loader, that gives (x, y)",
        )
    return example[0], example[1] if len(example) == 2 else None


def batch(item: Any, number: int) -> Chunk:
    """The examples of a batch, numbered from ``number``. Raises DataError when it is none."""
    # The collate function of PyTorch makes a list of the parts of a batch, each an array; rows of numbers are none.
    parted = isinstance(item, list) and item and all(hasattr(part, "shape") and len(part.shape) for part in item)
    x, y = pair(tuple(item) if parted else item, f"the batch at example {number}")
    x, y = as_array(x, "x"), None if y is None else as_array(y, "y")
    if x.ndim == 0 or x.dtype == object or (y is not None and len(x) != (len(y) if y.ndim else -1)):
        sizes = f"x of shape {x.shape} and type {x.dtype}" + ("" if y is None else f", y of shape {y.shape}")
        raise DataError(
            f"the batch at example {number} holds {sizes}",
            expected="x of shape (n, …) and y of shape (n, …)",
            cure="batched=False, if these are single examples",
        )
    return Chunk(x, y, np.arange(number, number + len(x)))


def other_shape(name: str, number: Any, shape: Any, first: Any, expected: Any) -> DataError:
    """The error of an example whose shape is not that of the ``first``."""
    return DataError(
        f"{name} of example {number} has shape {tuple(shape)}",
        expected=f"{tuple(expected)}, as example {first}: one shape for all",
        cure="stream.map(function) that crops, pads or resizes",
    )


def other_type(name: str, number: Any, kind: Any, first: Any, expected: Any) -> DataError:
    """The error of an example whose type is not that of the ``first``."""
    return DataError(
        f"{name} of example {number} is {kind}",
        expected=f"{expected}, as example {first}: one type for all",
        cure="float(x) in all examples",
    )


def half_targets(number: Any, is_absent: bool) -> DataError:
    """The error of an example without a target among those with one, or the other way round."""
    return DataError(
        f"example {number} has {'no target y' if is_absent else 'a target y'}",
        expected=f"{'(x, y)' if is_absent else 'x alone'}, as the examples before",
    )


def check_rows(rows: Any) -> None:
    """Raise ArgumentError unless a block has 1 row or more."""
    check_whole("rows", rows, 1, cure="data.blocks(32, …)")
