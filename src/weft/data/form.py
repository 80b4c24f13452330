"""The one form of all examples of a pass: one shape, one type, finite numbers, labels that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.data.block import Block, Chunk, half_targets, other_shape, other_type
from weft.data.check import all_finite
from weft.data.convert import as_array, as_float, as_inputs
from weft.data.dataset import Task
from weft.data.naming import closest, listing
from weft.errors import DataError, DTypeError

Array = np.ndarray[Any, Any]


def finite_inputs(x: Array, numbers: Array, features: tuple[str, ...] = ()) -> Array:
    """Inputs as they are trained on: floating point as float32, integers as they are.

    Raises DataError with the number of the first example that holds NaN or infinity.
    """
    if x.dtype.kind == "f":
        check_block(x, numbers, "x")
    if x.dtype != np.float32:
        x = as_inputs(x, x, features, keep_float64=False)
    return x


def as_type(array: Array, dtype: np.dtype[Any]) -> Array | None:
    """The array in this type; None where that would change numbers, but for rounding to floating point."""
    with np.errstate(all="ignore"):
        cast = array.astype(dtype, copy=False)
    return cast if cast is array or dtype.kind == "f" or np.array_equal(cast, array) else None


def check_block(x: Array, numbers: Array, name: str) -> None:
    """Raise DataError if a value is NaN or infinite; ``numbers`` (n,) says which examples these are."""
    if all_finite(x):
        return
    finite = np.isfinite(x)
    first = tuple(int(i) for i in np.unravel_index(int(finite.argmin()), x.shape))
    position = f", position {first[1:] if len(first) > 2 else first[1]}" if len(first) > 1 else ""
    raise DataError(
        f"{name} of example {numbers[first[0]]} is not finite",
        expected="numbers only: no NaN, no infinity",
        where=f"{x[first]} in example {numbers[first[0]]}{position}",
        cure="leave the example out: data.take(complete) or stream.filter(…)",
    )


class Form:
    """Makes blocks of chunks, all of one form: the shapes and types of the first. It is that of one pass."""

    def __init__(self, classes: tuple[str, ...], task: Task, features: tuple[str, ...]) -> None:
        self.classes, self.task, self.features = classes, task, features
        self.firsts: dict[str, tuple[int, Array]] = {}

    def block(self, chunk: Chunk) -> Block:
        """Raises DataError or DTypeError, with the number of the example, for what is not of this form."""
        index = np.asarray(chunk.index, np.int64)
        if (chunk.y is None) != ("y" not in self.firsts) and self.firsts:
            raise half_targets(index[0], chunk.y is None)
        x = finite_inputs(self._array("x", chunk.x, index), index, self.features)
        y = None if chunk.y is None else self._targets(self._array("y", chunk.y, index), index)
        return Block(self._same("x", x, index), None if y is None else self._same("y", y, index), index)

    def _array(self, name: str, values: Any, index: Array) -> Array:
        if not isinstance(values, list):
            return values
        arrays = [as_array(value, name) for value in values]
        for number, array in zip(index, arrays, strict=True):
            if array.dtype.kind not in ("biuf" if name == "x" else "biufUT"):
                raise DTypeError(
                    f"{name} of example {number} is {array.dtype}, {str(array)[:40]!r}",
                    expected="numbers" if name == "x" else "a number, or the name of a class",
                    cure=".map(function), whose result (x, y) holds numbers",
                )
            if array.shape != arrays[0].shape:
                raise other_shape(name, number, array.shape, index[0], arrays[0].shape)
        kinds = [array.dtype.kind for array in arrays]
        if kinds[0] in "iu" and "f" in kinds:
            raise other_type(name, index[kinds.index("f")], "floating point", index[0], "an integer")
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
        return as_float(y, "y")

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
            raise other_shape(name, index[0], array.shape[1:], number, first.shape[1:])
        cast = as_type(array, first.dtype)
        if cast is None:
            kind = "floating point" if array.dtype.kind == "f" else array.dtype
            raise other_type(name, index[0], kind, number, first.dtype)
        return cast
