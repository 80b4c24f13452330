"""What people hand over as data, turned into arrays of the types that are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal

import numpy as np

from weft.data.check import check_finite, check_task
from weft.errors import ArgumentError, DataError, DTypeError

Array = np.ndarray[Any, Any]
# More labels than this are identifiers or quantities; nobody wants their names listed.
MAX_CLASSES = 100_000


def as_array(value: Any, name: str) -> Array:
    """``value`` as an array, of whatever type it has; a tensor of PyTorch may be on any device.

    Raises DataError for rows of unequal length or masked values.
    """
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # PyTorch
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        raise DataError(f"{name} has {int(value.mask.sum())} masked values", cure=f"{name}.filled(0), or drop the rows")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(
            f"{name} is not an array: {error}",
            expected="rows of one length",
            cure=f"np.array({name}) must work; of pairs (x, y) one after another: wf.data.Stream(…)",
        ) from error
    if array.dtype.kind == "V" and array.dtype.names is None:
        return array.astype(np.float32)  # bfloat16 and its like are no NumPy types
    return array


def as_inputs(array: Array, given: Any, features: tuple[str, ...], *, keep_float64: bool) -> Array:
    """Inputs: floating point and bool as float32, integers as they are. Raises DTypeError for anything else."""
    if array.dtype.kind in "iu":
        return array.astype(array.dtype.newbyteorder("="), copy=False)  # a file may have the other byte order
    if array.dtype.kind not in "fb":
        raise _not_numbers(array, given, "x")
    return as_float(array, "x", features, keep_float64=keep_float64)


def as_targets(
    array: Array,
    given: Any,
    task: Literal["classification", "regression", "none"] | None,
    *,
    keep_float64: bool,
) -> tuple[Array, tuple[str, ...], Literal["classification", "regression"]]:
    """Targets, class names and the task: integers, bools and texts are classes, floating point is regression.

    Raises DTypeError for a type that is neither, ArgumentError for an unknown task, or one that does not fit.
    """
    check_task(None if task == "none" else task)
    array = _text(array)
    kind = array.dtype.kind
    if kind == "f" and task == "classification":
        array, kind = _whole(array), "i"
    if kind == "U" and task == "regression":
        raise ArgumentError("text targets for task='regression'", expected="numbers", cure="task='classification'")
    if kind == "U":
        names, labels = np.unique(array, return_inverse=True)
        return labels.reshape(array.shape).astype(np.int64), tuple(names.tolist()), "classification"
    if kind == "b" and task != "regression":
        return array.astype(np.int64), ("False", "True"), "classification"
    if kind in "iu" and task != "regression":
        return _labels(array.astype(np.int64), forced=task == "classification")
    if kind not in "fbiu":
        raise _not_numbers(array, given, "y")
    return as_float(array, "y", (), keep_float64=keep_float64), (), "regression"


def _labels(labels: Array, *, forced: bool) -> tuple[Array, tuple[str, ...], Literal["classification", "regression"]]:
    if labels.size == 0:
        return labels, (), "classification"
    low, high = int(labels.min()), int(labels.max())
    if labels.ndim == 2 and labels.shape[1] > 1:
        # Columns of zeros and ones are one-hot or multi-label: the classes are the columns.
        if forced or (low >= 0 and high <= 1):
            return labels, _numbered(labels.shape[1]), "classification"
        return labels, (), "regression"
    return labels, _numbered(high + 1) if low >= 0 and high < MAX_CLASSES else (), "classification"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(label) for label in range(count))


def _whole(array: Array) -> Array:
    check_finite(array, "y")
    odd = array != np.rint(array)
    if odd.any():
        raise ArgumentError(
            f"targets such as {array[odd][0]} for task='classification'",
            expected="class labels: whole numbers or texts",
            cure="task='regression'",
        )
    return array.astype(np.int64)


def _text(array: Array) -> Array:
    """An object array of nothing but strings, as pandas makes them, as an array of strings."""
    if array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.flat):
        return array.astype(np.str_)
    return array


def as_float(array: Array, name: str, features: tuple[str, ...] = (), *, keep_float64: bool = False) -> Array:
    """Numbers as float32. Raises DataError for what is not finite, and for what float32 does not reach."""
    if keep_float64 and array.dtype == np.float64:
        return array
    check_finite(array, name, features)
    with np.errstate(over="ignore"):
        small = array.astype(np.float32, copy=False)
    if array.dtype.itemsize > 4 and not np.isfinite(small).all():
        raise DataError(
            f"{name} holds numbers beyond float32, up to {np.abs(array).max():.3g}",
            expected="magnitudes below 3.4e38",
            cure=f"scale {name}, or as_dataset(…, keep_float64=True)",
        )
    return small


def check_rows(value: Any, name: str) -> None:
    """Raise ArgumentError for what holds no rows itself, though it may lead to them: a name, a path, an iterator."""
    if not (value is None or isinstance(value, str | PurePath | Mapping) or hasattr(value, "__next__")):
        return
    cure = None
    if isinstance(value, str | PurePath):
        is_path = isinstance(value, PurePath) or "." in value or "/" in value
        cure = "wf.data.read_csv(path, target)" if is_path else f"wf.data.load({value!r})"
    elif isinstance(value, Mapping):
        keys = [*value][:2]
        cure = f"({', '.join(f'data[{key!r}]' for key in keys)})" if len(keys) == 2 else None
    elif value is not None:
        cure = "list(…), or wf.data.Stream(lambda: …), a function that gives it anew for each epoch"
    raise ArgumentError(
        f"{name} is {'None' if value is None else f'a {type(value).__name__}'}",
        expected="an array, a tensor, a list of rows or a table",
        cure=cure,
    )


def _not_numbers(array: Array, given: Any, name: str) -> DTypeError:
    return DTypeError(
        f"{name} has type {array.dtype}{_example(array)}",
        expected="numbers: floating point, integers or bools" + (", or class names" if name == "y" else ""),
        cure=_number_cure(array, given, name),
    )


def _example(array: Array) -> str:
    if array.ndim == 0 or array.size == 0:
        return ""
    for index, value in np.ndenumerate(array):
        if not isinstance(value, int | float | np.number):
            return f", with {value!r} at index {index[0] if len(index) == 1 else index}"
    return ""


def _number_cure(array: Array, given: Any, name: str) -> str:
    if hasattr(given, "toarray"):
        return f"{name}.toarray()  # a sparse matrix"
    if array.dtype.kind == "c":
        return f"np.stack([{name}.real, {name}.imag], axis=-1)"
    if array.dtype.kind in "mM":
        return f"{name}.astype('int64')  # times as numbers"
    if hasattr(given, "columns"):
        return "open_table(frame, target).dataset() encodes columns of text"
    return f"np.asarray({name}, dtype='float32'), after replacing what is not a number"
