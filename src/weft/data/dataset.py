"""A data set: inputs, targets and what they are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.data.check import check_finite, warn_of_coarse
from weft.data.convert import as_array, as_inputs, as_targets, check_rows
from weft.data.foreign import column_names
from weft.data.naming import closest, listing, plural
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from weft.data.recipe import Table
    from weft.data.table import Source

Array = np.ndarray[Any, Any]
Task = Literal["classification", "regression", "none"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs ``x`` of shape (n, …), targets ``y`` of shape (n, …) or None, and their names; it never changes.

    ``classes`` names the labels 0, 1, …; it is empty for regression. ``table`` is the recipe that made x from a
    table, ``source`` the table itself where imputation can be fitted again.

    >>> data = as_dataset(([[1.0], [2.0], [3.0]], [0, 1, 1]), name="three")
    >>> data
    three: 3 rows of (1,) float32, 2 classes ('0', '1')
    >>> data.take([0, 2]).y.tolist()
    [0, 1]
    """

    x: Array
    y: Array | None = None
    name: str = "data"
    features: tuple[str, ...] = ()
    target: str | None = None
    classes: tuple[str, ...] = ()
    task: Task = "none"
    table: Table | None = None
    source: Source | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        rows = f"{self.name}: {plural(len(self), 'row')} of {self.x.shape[1:]} {self.x.dtype}"
        if self.classes:
            return f"{rows}, {plural(len(self.classes), 'class', 'classes')} ({listing(self.classes, 5)})"
        return rows if self.y is None else f"{rows}, targets {self.y.shape[1:]} {self.y.dtype}"

    def take(self, indices: Any) -> Dataset:
        """The rows at these indices (or where a mask is true), in this order. Raises ArgumentError out of range."""
        rows = as_rows(indices, len(self))
        return replace(
            self,
            x=self.x[rows],
            y=None if self.y is None else self.y[rows],
            source=None if self.source is None else self.source.take(rows),
        )

    def fitted_on(self, rows: Any) -> Dataset:
        """All rows, with imputed values found from ``rows`` (the training part) alone; itself if nothing is imputed.

        Call it after splitting and before training: a median over the validation rows would be leakage.
        """
        return self if self.source is None else self.source.dataset(as_rows(rows, len(self)))


def as_rows(indices: Any, n: int) -> Array:
    """Indices or a mask as int64 indices into ``n`` rows, negative ones counted from the end."""
    rows = np.asarray(indices)
    if rows.dtype == bool and rows.shape == (n,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ArgumentError(
            f"indices of shape {rows.shape} and type {rows.dtype}",
            expected=f"row numbers, shape (k,), or a mask of shape ({n},)",
        )
    rows = rows.astype(np.int64)
    if rows.size and not (-n <= rows.min() and rows.max() < n):
        wrong = rows[(rows < -n) | (rows >= n)][0]
        raise ArgumentError(f"row {wrong} of {plural(n, 'row')}", expected=f"0 to {n - 1}")
    return np.where(rows < 0, rows + n, rows)


def as_dataset(data: Any, *, name: str = "data", task: Task | None = None, keep_float64: bool = False) -> Dataset:
    """A data set from a Dataset, which keeps its name, a tuple ``(x, y)``, or ``x`` alone; arrays, lists, tensors and
    data frames (pandas, Polars, Arrow) all do.

    Floating-point x and y become float32 (unless ``keep_float64``), integer x is kept. Integer or text y are class
    labels and become int64; with ``task="regression"`` integers become float32. Warns (DataWarning) where float32
    cannot tell the numbers of a column apart. Raises DataError when x is empty, lengths differ or a value is NaN or
    infinite; DTypeError for types that are not numbers; ArgumentError for data that is read while training, and for a
    task that is unknown or does not fit.

    >>> as_dataset(([[1.0], [2.0]], ["no", "yes"])).classes
    ('no', 'yes')
    """
    if isinstance(data, Dataset):
        return _checked(_typed(data, task, keep_float64))
    x, y = _pair(data)
    _check_in_memory(x)
    _check_in_memory(y)
    check_rows(x, "x")
    if y is not None:
        check_rows(y, "y")
    features = column_names(x)
    array = as_array(x, "x")
    inputs = as_inputs(array, x, features, keep_float64=keep_float64)
    if inputs.dtype == np.float32 and array.dtype.kind == "f":
        warn_of_coarse(array, features)
    if y is None:
        return _checked(Dataset(inputs, name=name, features=features))
    labels, classes, found = as_targets(as_array(y, "y"), y, task, keep_float64=keep_float64)
    target = getattr(y, "name", None)
    return _checked(
        Dataset(inputs, labels, name, features, target if isinstance(target, str) else None, classes, found)
    )


def _typed(data: Dataset, task: Task | None, keep_float64: bool) -> Dataset:
    """The data set with arrays of the types that are trained on, and with targets for another task if it is asked."""
    x, y, kinds = data.x, data.y, (np.float32, np.float64) if keep_float64 else (np.float32,)
    if not (isinstance(x, np.ndarray) and (x.dtype in kinds or (x.dtype.kind in "iu" and x.dtype.isnative))):
        data = replace(data, x=as_inputs(as_array(x, "x"), x, data.features, keep_float64=keep_float64))
    other = task not in (None, "none", data.task)
    if y is None or not (other or not isinstance(y, np.ndarray) or y.dtype not in (np.int64, *kinds)):
        return data
    if other and task == "regression" and data.classes != tuple(map(str, range(len(data.classes)))):
        raise ArgumentError(
            f"classes {listing(data.classes, 5)} for task='regression'",
            expected="numbers",
            cure="task='classification'",
        )
    asked = task if other else None if data.task == "none" else data.task
    labels, classes, found = as_targets(as_array(y, "y"), y, asked, keep_float64=keep_float64)
    if other or not data.classes:
        return replace(data, y=labels, classes=classes, task=found)
    known = data.classes
    return aligned(replace(data, y=labels, classes=classes), known) if classes else replace(data, y=labels)


def aligned(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The same data with its labels counted in ``classes``, as a model trained on those needs them.

    Labels that were given as integers are taken as they are. Raises DataError for a class that is not among them.

    >>> aligned(as_dataset(([[1.0]], ["dog"])), ("cat", "dog")).y.tolist()
    [1]
    """
    own = dataset.classes
    if dataset.y is None or own == classes or not own or not classes:
        return dataset
    if own == tuple(str(label) for label in range(len(own))) and len(own) <= len(classes):
        return replace(dataset, classes=classes)
    unknown = [label for label in own if label not in classes]
    if unknown:
        near = closest(unknown[0], classes)
        raise DataError(
            f"{plural(len(unknown), 'class', 'classes')} of {dataset.name} not known: {listing(unknown, 5)}",
            expected=f"the classes of the training data: {listing(classes)}",
            cure=f"is {unknown[0]!r} meant to be {near!r}?" if near else None,
        )
    places = np.array([classes.index(label) for label in own], np.int64)
    return replace(dataset, y=places[dataset.y], classes=classes)


def check_features(dataset: Dataset, features: tuple[str, ...]) -> None:
    """Raise DataError where both sides name their columns and the names, or their order, differ.

    >>> import pandas as pd
    >>> check_features(as_dataset(pd.DataFrame({"a": [1.0], "b": [2.0]})), ("a", "b"))
    """
    own = dataset.features
    if own and features and own != features:
        same = sorted(own) == sorted(features)
        raise DataError(
            f"{dataset.name} features {listing(own, 5)}",
            expected=f"those of the training data, in their order: {listing(features, 5)}",
            cure=f"frame[{list(features)!r}]" if same and len(features) <= 8 else
            "train.table.dataset(path) reads a second table by the recipe of the first",
        )  # fmt: skip


def _pair(data: Any) -> tuple[Any, Any]:
    if not isinstance(data, tuple):
        return data, None
    if len(data) == 2:
        return data[0], data[1]
    raise ArgumentError(
        f"a tuple of {len(data)}", expected="(x, y), or x alone", cure="np.stack(rows), if the tuple holds rows of x"
    )


def _check_in_memory(part: Any) -> None:
    # A data frame may have columns of these names, which cannot be called.
    if callable(getattr(part, "blocks", None)) and callable(getattr(part, "load", None)):
        raise ArgumentError(
            f"a {type(part).__name__}: data that is read while training",
            expected="data in memory: a Dataset, (x, y) or x",
            cure="data.load(), if it fits into memory; Trainer.fit takes it as it is",
        )


def _checked(dataset: Dataset) -> Dataset:
    x, y = dataset.x, dataset.y
    if x.ndim == 0 or x.size == 0:
        raise DataError(f"x of shape {x.shape} holds no data", expected="x of shape (n, …) with n of 1 or more")
    if y is not None and (y.ndim == 0 or len(y) != len(x)):
        raise DataError(
            f"x has {plural(len(x), 'row')} (shape {x.shape}), y has {len(y) if y.ndim else 'none'} (shape {y.shape})",
            expected="one target a row",
        )
    check_finite(x, "x", dataset.features)
    if y is not None:
        check_finite(y, "y")
    return dataset
