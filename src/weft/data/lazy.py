"""Data larger than memory whose rows can be read in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from weft.data.block import Block, check_rows
from weft.data.check import check_whole
from weft.data.convert import as_array, as_targets
from weft.data.dataset import Dataset, Task, as_rows
from weft.data.form import as_type, finite_inputs
from weft.data.naming import plural
from weft.data.order import permutation
from weft.data.split import Policy, split
from weft.errors import DataError

Array = np.ndarray[Any, Any]
# Rows that ``load`` reads at once.
_READ = 1024


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
        check_whole("n", self.n, 0)
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

        Raises DataError when a row is not finite, or has another shape than the first, or a type in which that one
        would not hold its numbers; ArgumentError out of range.
        """
        numbers = as_rows(rows, len(self))
        x = self._checked(numbers)
        if x.shape[1:] != self.shape:
            raise DataError(
                f"rows {_some(numbers)} have shape {x.shape[1:]}", expected=f"{self.shape}, as row 0 of {self.name}"
            )
        typed = as_type(x, self.dtype)
        if typed is None:
            raise DataError(
                f"rows {_some(numbers)} are {x.dtype}",
                expected=f"{self.dtype}, as row 0 of {self.name}: one type for all",
                cure="return x.astype('float32') from the function that reads",
            )
        return typed

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


def _some(numbers: Array) -> str:
    return ", ".join(map(str, numbers[:3])) + (" …" if len(numbers) > 3 else "")
