"""Where the batches of a fit come from: data that lies on the device, or blocks that are read while it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from weft.data import ahead
from weft.data.order import permutation, whole_batches
from weft.errors import ArgumentError
from weft.runtime.ingest import current_device
from weft.tensor import Tensor

Array = np.ndarray[Any, Any]
# Of a block: small enough to wait for, large enough for one launch; a power of two batches, as what goes on from the
# buffer of a shuffle is then a block as it is, without a copy.
BLOCK_BYTES, BLOCK_BATCHES = 1 << 24, 64
AHEAD = 2  # blocks that are made ready while the device works on one


@dataclass(frozen=True, eq=False)
class Block:
    """Rows on the device and the batches that they make: ``order`` (steps, B) of row numbers, and a short last one.

    ``index`` holds the number of each example in the whole data, which its augmentation derives from.
    """

    x: Tensor
    y: Tensor
    index: Tensor
    order: Tensor
    steps: int
    rest: Array | None = None

    @property
    def batches(self) -> int:
        """How many batches it holds."""
        return self.steps + (self.rest is not None)


class Supply(Protocol):
    """What a loop asks of its data."""

    examples: int | None  # of an epoch, if known
    batch_size: int

    def blocks(self, epoch: int, skip: int) -> Iterator[tuple[Block, int]]:
        """The blocks of an epoch, each with the number of its first batch, from the one that holds batch ``skip``."""
        ...


class Resident:
    """Data that lies on the device as a whole; a batch is gathered there by its row numbers."""

    def __init__(self, data: tuple[Tensor, Tensor], index: Tensor, batch_size: int, seed: int, shuffle: Any) -> None:
        self.data, self.index, self.batch_size, self.seed, self.shuffle = data, index, batch_size, seed, shuffle
        self.examples: int | None = index.shape[0]

    def order(self, epoch: int) -> Array:
        """The order of the examples in an epoch, counted from 0."""
        n = self.index.shape[0]
        if callable(self.shuffle):
            given = np.asarray(self.shuffle(epoch))
            if given.dtype.kind not in "iu" or given.shape != (n,) or sorted(given.tolist()) != list(range(n)):
                raise ArgumentError(f"shuffle({epoch}) gave no order of {n} examples", expected="each index once")
            return given.astype(np.int32)
        return permutation(n, self.seed, epoch) if self.shuffle else np.arange(n, dtype=np.int32)

    def blocks(self, epoch: int, skip: int) -> Iterator[tuple[Block, int]]:
        """The whole epoch as one block."""
        order = self.order(epoch)
        steps, rest = whole_batches(len(order), self.batch_size)
        full = np.ascontiguousarray(order[: steps * self.batch_size].reshape(steps, self.batch_size))
        last = np.ascontiguousarray(order[None, -rest:]) if rest else None
        yield Block(*self.data, self.index, Tensor(full), steps, last), 0


class Streamed:
    """Data that is read while it trains: the next block is on its way while the device works on this one.

    ``source.blocks(rows, seed=, epoch=, shuffle=)`` gives NumPy arrays (x, y, index) of so many rows; ``ready`` checks
    and converts them. The blocks go to where tensors are made now; they are made by another thread.
    """

    def __init__(
        self, source: Any, batch_size: int, row_bytes: int, seed: int, shuffle: bool, ready: Callable[..., Any]
    ) -> None:
        self.source, self.batch_size, self.seed, self.shuffle, self.ready = source, batch_size, seed, shuffle, ready
        self.place = current_device()
        fitting = int(np.clip(BLOCK_BYTES // max(1, row_bytes * batch_size), 1, BLOCK_BATCHES))
        self.per_block = 1 << (fitting.bit_length() - 1)
        self.examples: int | None = length_of(source)

    def blocks(self, epoch: int, skip: int) -> Iterator[tuple[Block, int]]:
        """The blocks of an epoch; those before batch ``skip`` are passed over."""
        rows = self.per_block * self.batch_size
        given = self.source.blocks(rows, seed=self.seed, epoch=epoch, shuffle=self.shuffle)
        wanted = skip // self.per_block

        def made() -> Iterator[tuple[Block, int]]:
            for k, part in enumerate(given):
                if k >= wanted:
                    x, y = self.ready(part.x, part.y)
                    yield self.block(x, y, part.index, rows), k * self.per_block

        yield from ahead(made(), AHEAD)

    def block(self, x: Array, y: Array, index: Array, rows: int) -> Block:
        """A block of always the same shape: where the data ends, rows of zeros that no batch contains follow."""
        n = len(x)
        steps, rest = whole_batches(n, self.batch_size)
        order = np.arange(rows, dtype=np.int32).reshape(-1, self.batch_size)
        last = np.arange(n - rest, n, dtype=np.int32)[None] if rest else None
        numbers = np.zeros(rows, np.int32)
        numbers[:n] = index  # a number beyond 2³¹ wraps: it still tells the examples apart
        arrays = (filled(x, rows), filled(y, rows), numbers, order)
        # Nobody writes into a block any more, so the device may take its memory as it is.
        on_x, on_y, on_index, on_order = (Tensor(self.place.put(a)) for a in arrays)
        return Block(on_x, on_y, on_index, on_order, steps, last)


def filled(a: Array, rows: int) -> Array:
    """``a`` with rows of zeros at its end, so many rows in all."""
    return a if len(a) == rows else np.concatenate([a, np.zeros((rows - len(a), *a.shape[1:]), a.dtype)])


def length_of(source: Any) -> int | None:
    """How many examples a source has, where it knows."""
    return source.length if hasattr(source, "length") else len(source)
