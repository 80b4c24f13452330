"""Batches for a loop by hand, in the order in which `fit` sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weft.data.check import check_whole
from weft.data.dataset import as_dataset
from weft.data.lazy import LazyDataset, lazy
from weft.data.stream import Stream


def batches(data: Any, size: int, *, seed: int = 0, epoch: int = 0, shuffle: bool = True) -> Iterator[Any]:
    """The batches ``(x, y)`` of an epoch as NumPy arrays, ``x`` alone where there are no targets; the last is shorter.

    ``data`` is a `LazyDataset`, a `Stream`, or anything that `as_dataset` takes. The order is that of (seed, epoch), in
    which ``Trainer(…, seed=seed).fit(data, batch_size=size)`` goes through the data; ``shuffle=False`` leaves it as it
    is. Raises ArgumentError unless size is 1 or more.

    >>> import weft as wf
    >>> [y.tolist() for x, y in wf.data.batches(([[0.0], [1.0], [2.0]], [0, 1, 0]), 2, shuffle=False)]
    [[0, 1], [0]]
    """
    check_whole("size", size, 1)
    source = data if isinstance(data, LazyDataset | Stream) else _rows_of(data)
    blocks = source.blocks(size, seed=seed, epoch=epoch, shuffle=shuffle)
    return (block.x if block.y is None else (block.x, block.y) for block in blocks)


def _rows_of(data: Any) -> LazyDataset:
    """Data in memory, read by row number."""
    held = as_dataset(data)
    return lazy(lambda rows: held.x[rows], len(held), held.y)
