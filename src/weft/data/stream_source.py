"""What a stream can be made of, and the numbered chunks of examples that it gives in an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.data.block import Chunk, batch, pair
from weft.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Order:
    """What decides the order of an epoch; ``groups``: a later shuffle allows the source to mix its parts."""

    seed: int
    epoch: int
    shuffle: bool
    groups: bool = False


Pieces = Callable[[Order], Iterator[Chunk]]


class Reader:
    """A source that gives chunks with their numbers itself, and knows what order is asked for."""

    def __init__(self, pieces: Pieces, length: int | None) -> None:
        self.pieces, self.length = pieces, length

    def __call__(self, order: Order) -> Iterator[Chunk]:
        return self.pieces(order)


def check_source(source: Any) -> None:
    """Raise ArgumentError for what cannot give examples anew in each epoch."""
    if hasattr(source, "__next__"):
        raise ArgumentError(
            f"a {type(source).__name__}, which can be gone through once",
            expected="a function that gives a fresh iterator, or a list, a DataLoader, …",
            cure="give the function, not its result: Stream(examples), not Stream(examples())",
        )
    known = callable(source) or hasattr(source, "__iter__") or _by_number(source)
    if isinstance(source, str | bytes | dict) or not known:
        raise ArgumentError(
            f"a {type(source).__name__} as the source of a stream",
            expected="a function that gives an iterator, or examples that can be gone through",
            cure="csv_stream(path, target) or parquet(path, target), for files" if isinstance(source, str) else None,
        )
    if isinstance(source, tuple) and len(source) == 2 and all(isinstance(part, np.ndarray) for part in source):
        raise ArgumentError("a pair of arrays", expected="examples one after another", cure="as_dataset((x, y))")


def _by_number(source: Any) -> bool:
    """Whether examples are got by number alone, as from a data set of PyTorch."""
    return hasattr(source, "__getitem__") and hasattr(source, "__len__") and not hasattr(source, "__iter__")


def is_sequential(loader: Any) -> bool:
    """Whether a loader gives its examples in one order in each epoch."""
    names = "SequentialSampler", "_InfiniteConstantSampler", "NoneType"
    return type(loader.sampler).__name__ in names and _is_plain(loader)


def _is_plain(loader: Any) -> bool:
    """Whether its batches are those of its sampler in order."""
    return type(loader.batch_sampler).__name__ in ("BatchSampler", "NoneType")


def length_of(source: Any, in_batches: bool, loader: bool) -> int | None:
    """How many examples a source gives in an epoch; None where that is not known."""
    if isinstance(source, Reader):
        return source.length
    if not loader:
        return len(source) if hasattr(source, "__len__") and not in_batches else None
    if not (hasattr(source.sampler, "__len__") and _is_plain(source)):
        return None
    n = len(source.sampler)
    return n - n % source.batch_size if in_batches and source.drop_last else n


def from_source(source: Any, in_batches: bool, order: Order) -> Iterator[Chunk]:
    """The examples of an epoch, numbered as they come: a chunk a batch, or a chunk an example."""
    items: Any = (source[i] for i in range(len(source))) if _by_number(source) else source
    items = items if hasattr(items, "__iter__") else items()
    if not hasattr(items, "__iter__"):
        raise ArgumentError(
            f"the source of a stream gave a {type(items).__name__}", expected="an iterator of examples (x, y) or x"
        )
    number = 0
    for given in items:
        item = type(given)(map(_own, given)) if type(given) in (tuple, list) else _own(given)
        if in_batches:
            chunk = batch(item, number)
        else:
            x, y = pair(item, f"example {number}")
            chunk = Chunk([x], None if y is None else [y], [number])
        number += len(chunk)
        if len(chunk):
            yield chunk


def _own(part: Any) -> Any:
    """A copy of an array: the source may fill the same memory with what it gives next."""
    return part.copy() if isinstance(part, np.ndarray) else part
