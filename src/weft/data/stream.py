"""Examples that come one after another, anew in each epoch, from a source that may be larger than memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.block import Block, Chunk, check_rows, joined
from weft.data.check import check_task, check_whole
from weft.data.dataset import Dataset, Task
from weft.data.form import Form
from weft.data.naming import plural
from weft.data.order import generator
from weft.data.stream_source import Order, Pieces, Reader, check_source, from_source, is_sequential, length_of
from weft.data.stream_steps import check_same, filtered, on_validation_side, shuffled, sized, transformed, window
from weft.data.threads import ahead
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from weft.data.recipe import Table

# Shuffles of a stream draw from generators of their own: this one, and the next for each further shuffle.
_BUFFER = 16


class Stream:
    """Examples that come one after another, anew in each epoch.

    ``source`` is a function that gives a fresh iterator, or something that can be gone through again and again: of
    examples ``(x, y)`` or ``x``, or with ``batched=True`` of batches ``(x, y)`` or ``x``, as a DataLoader of PyTorch
    gives them: a list of arrays is taken for the parts of a batch, a list of anything else for its examples.
    ``length`` is the number of examples, where it is known; ``classes`` are the names of text labels.
    Nothing depends on the batches of the source, on threads or on prefetching. The examples of an epoch are numbered
    as they come from the source: an example keeps its number if they come in the same order in each epoch.

    >>> stream = Stream(lambda: ((float(i), i % 2) for i in range(5))).map(lambda x, y: ([x, x * x], y))
    >>> [block.x.tolist() for block in stream.blocks(3, seed=0, epoch=0)]
    [[[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]], [[3.0, 9.0], [4.0, 16.0]]]
    """

    def __init__(
        self,
        source: Any,
        *,
        batched: bool | None = None,
        length: int | None = None,
        name: str = "stream",
        features: Sequence[str] = (),
        classes: Sequence[str] = (),
        task: Task | None = None,
        table: Table | None = None,
    ) -> None:
        check_source(source)
        loader = all(hasattr(source, part) for part in ("dataset", "batch_sampler", "sampler"))
        in_batches = loader and source.batch_sampler is not None if batched is None else batched
        self._pieces: Pieces = source if isinstance(source, Reader) else partial(from_source, source, in_batches)
        if length is not None:
            check_whole("length", length, 0)
        check_task(None if task == "none" else task)
        self.length = length if length is not None else length_of(source, in_batches, loader)
        self.name, self.features, self.classes = name, tuple(features), tuple(classes)
        self.task: Task = task or ("classification" if classes else "none")
        self.table = table
        # A loader that shuffles by itself numbers its examples otherwise in each epoch.
        self.is_ordered = not loader or is_sequential(source)
        self._numbers = None if self.length is None else range(self.length)
        self._shuffles = self._splits = self._ahead = 0
        self._is_raw = True
        self._first: Block | None = None

    def __repr__(self) -> str:
        length = "length not known" if self.length is None else plural(self.length, "example")
        return f"{self.name}: a stream, {length}" + (f", {len(self.classes)} classes" if self.classes else "")

    def first(self) -> Block:
        """The first example alone, as a block of one, read once."""
        if self._first is None:
            self._first = next(self._blocks(1, Order(0, 0, shuffle=False)))
        return self._first

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one x, found by reading the first example."""
        return self.first().x.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of x: float32, or the integers that they are."""
        return self.first().x.dtype

    def map(self, function: Callable[..., Any], threads: int = 1) -> Stream:
        """Each example put through ``function(x, y)``, which gives ``(x, y)``; or ``function(x)``, without y.

        ``threads`` work at several examples at once, in the same order: worth it where the function releases Python's
        lock, as NumPy, Pillow and files do. An error in it is raised with the number of the example.

        >>> Stream([1, 2]).map(lambda x: (x / 2, x)).load().y.tolist()
        [1, 2]
        """
        check_whole("threads", threads, 1, cure="threads=4")
        changes = {"_is_raw": False, "features": (), "table": None}
        return self._with(lambda order: transformed(self._pieces(order), function, threads), **changes)

    def filter(self, keep: Callable[..., Any]) -> Stream:
        """The examples for which ``keep(x, y)``, or ``keep(x)``, is true; they keep their numbers.

        >>> Stream([1, 2, 3, 4]).filter(lambda x: x % 2 == 0).load().x.tolist()
        [2, 4]
        """
        return self._with(lambda order: filtered(self._pieces(order), keep), length=None, _numbers=None)

    def shuffle(self, buffer: int) -> Stream:
        """Examples in an order that is a function of (seed, epoch): half a buffer of ``buffer`` examples, chosen at
        random, goes on, and the buffer is filled again. It holds for ``blocks(…, shuffle=True)``.
        """
        check_whole("buffer", buffer, 1, cure=".shuffle(10_000)")
        purpose = _BUFFER + self._shuffles

        def pieces(order: Order) -> Iterator[Chunk]:
            if not order.shuffle:
                return self._pieces(order)
            random = generator(order.seed, order.epoch, purpose)
            return shuffled(self._pieces(replace(order, groups=True)), buffer, random)

        made = self._with(pieces)
        made._shuffles += 1
        return made

    def prefetch(self, n: int = 2) -> Stream:
        """Up to ``n`` blocks are made ready by a thread while the last one is at work."""
        check_whole("n", n, 1, cure=".prefetch(2)")
        made = self._with(self._pieces)
        made._ahead = n
        return made

    def take(self, n: int) -> Stream:
        """The first ``n`` examples, and nothing read behind them. Raises ArgumentError after a shuffle, where the
        first ones would be others in each epoch.
        """
        return self._window(0, n)

    def skip(self, n: int) -> Stream:
        """All but the first ``n`` examples. Raises as ``take`` does."""
        return self._window(n, None)

    def split(self, fraction: float, seed: int = 0) -> tuple[Stream, Stream]:
        """Two streams, for training and for validation: a hash of (seed, number) says on which side an example is.

        It is on the same side in every epoch; about a ``fraction`` of them is in the second stream. Split before a
        costly ``map``: each side goes through the whole source. Raises ArgumentError for a loader that shuffles,
        DataError when an epoch begins with another example than the first one did.

        >>> train, validation = Stream(range(100)).split(0.2)
        >>> sorted([*train.load().x, *validation.load().x]) == list(range(100)), validation.length
        (True, 17)
        """
        generator(seed)  # refuses what is no seed: another draw a chunk would put examples on both sides
        if isinstance(fraction, bool) or not 0 < fraction < 1:
            raise ArgumentError(f"fraction={fraction!r}", expected="a number between 0 and 1", cure="split(0.2)")
        if not self.is_ordered:
            raise ArgumentError(
                "a split of a loader that shuffles: its examples have other numbers in each epoch",
                expected="examples in one order",
                cure="Stream(DataLoader(…, shuffle=False)).split(0.2), then .shuffle(10_000)",
            )
        return self._side(fraction, seed, validation=False), self._side(fraction, seed, validation=True)

    def blocks(self, rows: int, *, seed: int, epoch: int, shuffle: bool = True) -> Iterator[Block]:
        """The examples of an epoch in blocks of exactly ``rows``, the last one shorter.

        Raises DataError, with the number of the example, for values that are not finite, shapes that differ, a target
        that some have and some have not; and for an epoch without examples.
        """
        check_rows(rows)
        generator(seed, epoch)  # refuses what is none
        made = self._blocks(rows, Order(seed, epoch, shuffle))
        return ahead(made, self._ahead) if self._ahead else made

    def load(self) -> Dataset:
        """All examples in memory, in the order of the source."""
        blocks = list(self.blocks(1024, seed=0, epoch=0, shuffle=False))
        whole = joined([Chunk(block.x, block.y, block.index) for block in blocks])
        return Dataset(whole.x, whole.y, self.name, self.features, None, self.classes, self.task, self.table)

    def _blocks(self, rows: int, order: Order) -> Iterator[Block]:
        form, total = Form(self.classes, self.task, self.features), 0
        for chunk in sized(self._pieces(order), repeat(rows)):
            block = form.block(chunk)
            total += len(block)
            yield block
        if total == 0:
            raise DataError(
                f"{self.name} gave no example in epoch {order.epoch}",
                expected="1 example or more",
                cure="give the function that makes the iterator, not one that returns the same iterator again"
                if order.epoch
                else "look at next(iter(source)), and at what filter, skip and split leave",
            )
        if self.length is not None and total != self.length:
            raise DataError(
                f"{self.name} gave {plural(total, 'example')} in epoch {order.epoch}",
                expected=f"{self.length}, its length",
                cure="length=None, if it is not known",
            )

    def _with(self, pieces: Pieces, **changes: Any) -> Stream:
        made = copy.copy(self)
        made._pieces, made._first = pieces, None
        vars(made).update(changes)
        return made

    def _window(self, start: int, count: int | None) -> Stream:
        check_whole("n", start if count is None else count, 0 if count is None else 1)
        if self._shuffles:
            raise ArgumentError(
                "take or skip after shuffle: each epoch would take other examples",
                expected="shuffle as a later step",
                cure="stream.take(n).shuffle(buffer); of files: parquet(…, shuffle=None).take(n).shuffle(buffer)",
            )
        stop = None if count is None else start + count
        return self._with(
            lambda order: window(self._pieces(replace(order, groups=False)), start, stop),
            length=None if self.length is None else len(range(self.length)[start:stop]),
            _numbers=None if self._numbers is None else self._numbers[start:stop],
        )

    def _side(self, fraction: float, seed: int, *, validation: bool) -> Stream:
        begun: dict[str, bytes] = {}  # what example 0 was when it was seen first
        depth = self._splits

        def pieces(order: Order) -> Iterator[Chunk]:
            for chunk in self._pieces(order):
                if self._is_raw:  # a map may be random
                    check_same(begun, chunk, self.name)
                side = on_validation_side(np.asarray(chunk.index), fraction, seed, depth) == validation
                if side.any():
                    yield chunk if side.all() else chunk.pick(np.flatnonzero(side))

        count = None
        if self._numbers is not None:
            parts = (self._numbers[at : at + (1 << 20)] for at in range(0, len(self._numbers), 1 << 20))
            on_side = (on_validation_side(np.asarray(part), fraction, seed, depth) == validation for part in parts)
            count = sum(int(side.sum()) for side in on_side)
        name = f"{self.name}, {'validation' if validation else 'training'} part"
        return self._with(pieces, length=count, _numbers=None, name=name, _splits=depth + 1)
