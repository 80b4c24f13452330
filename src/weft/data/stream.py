"""Examples that come one after another, anew in each epoch, from a source that may be larger than memory."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.data.dataset import Dataset, Task
from weft.data.lazy import Block, Chunk, Form, batch, check_rows, joined, pair
from weft.data.naming import plural
from weft.data.order import SPLIT, generator
from weft.errors import ArgumentError, DataError, WeftError

if TYPE_CHECKING:
    from weft.data.recipe import Table

Array = np.ndarray[Any, Any]
T = TypeVar("T")
U = TypeVar("U")
# Shuffles of a stream draw from generators of their own: this one, and the next for each further shuffle.
_BUFFER = 16


@dataclass(frozen=True, slots=True)
class Order:
    """What decides the order of an epoch; ``groups``: a later shuffle allows the source to mix its parts."""

    seed: int
    epoch: int
    shuffle: bool
    groups: bool = False


Pieces = Callable[[Order], Iterator[Chunk]]


class Stream:
    """Examples that come one after another, anew in each epoch.

    ``source`` is a function that gives a fresh iterator, or something that can be gone through again and again: of
    examples ``(x, y)`` or ``x``, or with ``batched=True`` of batches ``(x, y)`` or ``x``, as a DataLoader of PyTorch
    gives them. ``length`` is the number of examples, where it is known; ``classes`` are the names of text labels.
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
        _check_source(source)
        loader = all(hasattr(source, part) for part in ("dataset", "batch_sampler", "sampler"))
        in_batches = loader and source.batch_sampler is not None if batched is None else batched
        self._pieces: Pieces = source if isinstance(source, Reader) else partial(_from_source, source, in_batches)
        self.length = length if length is not None else _length(source, in_batches, loader)
        self.name, self.features, self.classes = name, tuple(features), tuple(classes)
        self.task: Task = task or ("classification" if classes else "none")
        self.table = table
        # A loader that shuffles by itself numbers its examples otherwise in each epoch.
        self._numbered = not loader or _is_sequential(source)
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
        if threads < 1:
            raise ArgumentError(f"threads={threads}", expected="1 thread or more", cure="threads=4")
        changes = {"_is_raw": False, "features": (), "table": None}
        return self._with(lambda order: _mapped(self._pieces(order), function, threads), **changes)

    def filter(self, keep: Callable[..., Any]) -> Stream:
        """The examples for which ``keep(x, y)``, or ``keep(x)``, is true; they keep their numbers.

        >>> Stream([1, 2, 3, 4]).filter(lambda x: x % 2 == 0).load().x.tolist()
        [2, 4]
        """
        return self._with(lambda order: _filtered(self._pieces(order), keep), length=None, _numbers=None)

    def shuffle(self, buffer: int) -> Stream:
        """Examples in an order that is a function of (seed, epoch): half a buffer of ``buffer`` examples, chosen at
        random, goes on, and the buffer is filled again. It holds for ``blocks(…, shuffle=True)``.
        """
        if buffer < 1:
            raise ArgumentError(f"buffer={buffer}", expected="1 example or more", cure=".shuffle(10_000)")
        purpose = _BUFFER + self._shuffles

        def pieces(order: Order) -> Iterator[Chunk]:
            if not order.shuffle:
                return self._pieces(order)
            random = generator(order.seed, order.epoch, purpose)
            return _shuffled(self._pieces(replace(order, groups=True)), buffer, random)

        made = self._with(pieces)
        made._shuffles += 1
        return made

    def prefetch(self, n: int = 2) -> Stream:
        """Up to ``n`` blocks are made ready by a thread while the last one is at work."""
        if n < 1:
            raise ArgumentError(f"prefetch({n})", expected="1 block or more", cure=".prefetch(2)")
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
        if isinstance(fraction, bool) or not 0 < fraction < 1:
            raise ArgumentError(f"fraction={fraction!r}", expected="a number between 0 and 1", cure="split(0.2)")
        if not self._numbered:
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
        generator(seed, epoch)  # refuses negative ones
        made = self._blocks(rows, Order(seed, epoch, shuffle))
        return ahead(made, self._ahead) if self._ahead else made

    def load(self) -> Dataset:
        """All examples in memory, in the order of the source."""
        blocks = list(self.blocks(1024, seed=0, epoch=0, shuffle=False))
        whole = joined([Chunk(block.x, block.y, block.index) for block in blocks])
        return Dataset(whole.x, whole.y, self.name, self.features, None, self.classes, self.task, self.table)

    def _blocks(self, rows: int, order: Order) -> Iterator[Block]:
        form, total = Form(self.classes, self.task, self.features), 0
        for chunk in _sized(self._pieces(order), repeat(rows)):
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
        if start < 0 or (count is not None and count < 1):
            raise ArgumentError(f"{start if count is None else count} examples", expected="1 example or more")
        if self._shuffles:
            raise ArgumentError(
                "take or skip after shuffle: each epoch would take other examples",
                expected="shuffle as a later step",
                cure="stream.take(n).shuffle(buffer); of files: parquet(…, shuffle=None).take(n).shuffle(buffer)",
            )
        stop = None if count is None else start + count
        return self._with(
            lambda order: _window(self._pieces(replace(order, groups=False)), start, stop),
            length=None if self.length is None else len(range(self.length)[start:stop]),
            _numbers=None if self._numbers is None else self._numbers[start:stop],
        )

    def _side(self, fraction: float, seed: int, *, validation: bool) -> Stream:
        begun: dict[str, bytes] = {}  # what example 0 was when it was seen first
        depth = self._splits

        def pieces(order: Order) -> Iterator[Chunk]:
            for chunk in self._pieces(order):
                if self._is_raw:  # a map may be random
                    _check_same(begun, chunk, self.name)
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


class Reader:
    """A source that gives chunks with their numbers itself, and knows what order is asked for."""

    def __init__(self, pieces: Pieces, length: int | None) -> None:
        self.pieces, self.length = pieces, length

    def __call__(self, order: Order) -> Iterator[Chunk]:
        return self.pieces(order)


def ahead(items: Iterable[T], n: int = 2) -> Iterator[T]:
    """The same items, up to ``n`` of them made ready by a thread; an error in it is raised where its item would come.

    The thread ends with the iterator: when it is used up, closed or forgotten.

    >>> list(ahead(range(4)))
    [0, 1, 2, 3]
    """
    made: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
    room, stopped = Semaphore(n), Event()
    thread = Thread(target=_work_ahead, args=(iter(items), made, room, stopped), name="weft-ahead", daemon=True)
    thread.start()
    try:
        while True:
            is_item, item = made.get()
            if not is_item:
                if item is not None:
                    raise item
                return
            room.release()
            yield item
    finally:
        stopped.set()
        room.release()
        thread.join()


def _work_ahead(items: Iterator[Any], made: SimpleQueue[tuple[bool, Any]], room: Semaphore, stopped: Event) -> None:
    error: BaseException | None = None
    try:
        while not stopped.is_set():
            room.acquire()
            if stopped.is_set():
                break
            try:
                item = next(items)
            except StopIteration:
                break
            made.put((True, item))
    except BaseException as raised:  # it is raised again by the thread that reads
        error = raised
    finally:
        if hasattr(items, "close"):
            items.close()  # here, not in the thread that abandons: what it holds ends with it
        made.put((False, error))


def on_validation_side(numbers: Array, fraction: float, seed: int, depth: int = 0) -> Array:
    """Which examples are for validation, (n,) bool: a 64-bit hash of (seed, depth, number) is below ``fraction`` · 2⁶⁴.

    ``depth`` counts the splits before: one of a part must not be decided by the hash that made the part.
    """
    salt = np.random.SeedSequence(seed, spawn_key=(SPLIT, depth)).generate_state(1, np.uint64)[0]
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + salt  # splitmix64, which wraps around
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    side: Array = (mixed ^ (mixed >> np.uint64(31))) < np.uint64(int(fraction * 2.0**64))
    return side


def _check_same(begun: dict[str, bytes], chunk: Chunk, name: str) -> None:
    """Raise where example 0 is not what it was: numbers that wander would carry examples to the other side."""
    seen = np.asarray(chunk.x[0])
    if chunk.index[0] == 0 and seen.dtype != object and begun.setdefault("first", seen.tobytes()) != seen.tobytes():
        raise DataError(
            f"{name} begins with another example than in the epoch before: its numbers do not name examples",
            expected="the same order from the source in each epoch: a split would leak otherwise",
            cure="shuffle by stream.shuffle(buffer), not in the source; or a validation set of its own",
        )


def _check_source(source: Any) -> None:
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


def _is_sequential(loader: Any) -> bool:
    names = "SequentialSampler", "_InfiniteConstantSampler", "NoneType"
    return type(loader.sampler).__name__ in names and _is_plain(loader)


def _is_plain(loader: Any) -> bool:
    """Whether its batches are those of its sampler in order."""
    return type(loader.batch_sampler).__name__ in ("BatchSampler", "NoneType")


def _length(source: Any, in_batches: bool, loader: bool) -> int | None:
    if isinstance(source, Reader):
        return source.length
    if not loader:
        return len(source) if hasattr(source, "__len__") and not in_batches else None
    if not (hasattr(source.sampler, "__len__") and _is_plain(source)):
        return None
    n = len(source.sampler)
    return n - n % source.batch_size if in_batches and source.drop_last else n


def _from_source(source: Any, in_batches: bool, order: Order) -> Iterator[Chunk]:
    items: Any = (source[i] for i in range(len(source))) if _by_number(source) else source
    items = items if hasattr(items, "__iter__") else items()
    if not hasattr(items, "__iter__"):
        raise ArgumentError(
            f"the source of a stream gave a {type(items).__name__}", expected="an iterator of examples (x, y) or x"
        )
    number = 0
    for item in items:
        if in_batches:
            chunk = batch(item, number)
        else:
            x, y = pair(item, f"example {number}")
            chunk = Chunk([x], None if y is None else [y], [number])
        number += len(chunk)
        if len(chunk):
            yield chunk


def _mapped(chunks: Iterator[Chunk], function: Callable[..., Any], threads: int) -> Iterator[Chunk]:
    def one(item: tuple[Any, tuple[Any, ...]]) -> Chunk:
        number, example = item
        x, y = pair(_called("map", function, number, example), f"what map made of example {number}")
        return Chunk([x], None if y is None else [y], [number])

    items = (item for chunk in chunks for item in zip(chunk.index, chunk.examples(), strict=True))
    yield from map(one, items) if threads == 1 else in_order(one, items, threads)


def in_order(function: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """``map(function, items)`` by several threads, in the same order; they end with the iterator."""
    pending: deque[Any] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="weft-map")
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _called(step: str, function: Callable[..., Any], number: int, example: tuple[Any, ...]) -> Any:
    try:
        return function(*example)
    except WeftError:
        raise
    except Exception as error:
        given = "(x, y)" if len(example) == 2 else "x alone"
        raise DataError(
            f"{step} failed at example {number}: {type(error).__name__}: {error}",
            where=f"{getattr(function, '__name__', function)}, which is given {given}",
        ) from error


def _filtered(chunks: Iterator[Chunk], keep: Callable[..., Any]) -> Iterator[Chunk]:
    def kept(*example: Any) -> bool:
        return bool(keep(*example))

    for chunk in chunks:
        mask = [_called("filter", kept, n, e) for n, e in zip(chunk.index, chunk.examples(), strict=True)]
        if any(mask):
            yield chunk if all(mask) else chunk.pick(np.flatnonzero(mask))


def _window(chunks: Iterator[Chunk], start: int, stop: int | None) -> Iterator[Chunk]:
    seen = 0
    for chunk in chunks:
        first, last = max(0, start - seen), len(chunk) if stop is None else min(len(chunk), stop - seen)
        if first < last:
            yield chunk.cut(first, last)
        seen += len(chunk)
        if stop is not None and seen >= stop:
            return


def _shuffled(chunks: Iterator[Chunk], buffer: int, random: np.random.Generator) -> Iterator[Chunk]:
    half = (buffer + 1) // 2
    held: Chunk | None = None
    for part in _sized(chunks, chain([buffer], repeat(half))):
        held = part if held is None else joined([held, part])
        if len(held) < buffer:
            break  # the last part
        order = random.permutation(buffer)
        yield held.pick(order[:half])
        held = held.pick(order[half:])
    if held is not None and len(held):
        yield held.pick(random.permutation(len(held)))


def _sized(chunks: Iterator[Chunk], sizes: Iterator[int]) -> Iterator[Chunk]:
    """The same examples in chunks of exactly these sizes, the last one shorter."""
    parts: list[Chunk] = []
    wanted = next(sizes)
    for chunk in chunks:
        start = 0
        while start < len(chunk):
            part = chunk.cut(start, start + wanted)
            parts.append(part)
            start, wanted = start + len(part), wanted - len(part)
            if wanted == 0:
                yield joined(parts)
                parts, wanted = [], next(sizes)
    if parts:
        yield joined(parts)
