"""The steps of a stream: each makes an iterator of chunks out of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np

from weft.data.block import Chunk, joined, pair
from weft.data.order import SPLIT
from weft.data.threads import in_order
from weft.errors import DataError, WeftError

Array = np.ndarray[Any, Any]


def transformed(chunks: Iterator[Chunk], function: Callable[..., Any], threads: int) -> Iterator[Chunk]:
    """Each example put through ``function``, by several threads in the same order."""

    def one(item: tuple[Any, tuple[Any, ...]]) -> Chunk:
        number, example = item
        x, y = pair(_called("map", function, number, example), f"what map made of example {number}")
        return Chunk([x], None if y is None else [y], [number])

    items = (item for chunk in chunks for item in zip(chunk.index, chunk.examples(), strict=True))
    yield from map(one, items) if threads == 1 else in_order(one, items, threads)


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


def filtered(chunks: Iterator[Chunk], keep: Callable[..., Any]) -> Iterator[Chunk]:
    """The examples for which ``keep`` is true, with their numbers."""

    def kept(*example: Any) -> bool:
        return bool(keep(*example))

    for chunk in chunks:
        mask = [_called("filter", kept, n, e) for n, e in zip(chunk.index, chunk.examples(), strict=True)]
        if any(mask):
            yield chunk if all(mask) else chunk.pick(np.flatnonzero(mask))


def window(chunks: Iterator[Chunk], start: int, stop: int | None) -> Iterator[Chunk]:
    """The examples from ``start`` up to ``stop``, and nothing read behind them."""
    seen = 0
    for chunk in chunks:
        first, last = max(0, start - seen), len(chunk) if stop is None else min(len(chunk), stop - seen)
        if first < last:
            yield chunk.cut(first, last)
        seen += len(chunk)
        if stop is not None and seen >= stop:
            return


def shuffled(chunks: Iterator[Chunk], buffer: int, random: np.random.Generator) -> Iterator[Chunk]:
    """The examples mixed: half of a buffer, chosen at random, goes on, and the buffer is filled again."""
    half = (buffer + 1) // 2
    held, gone = None, np.arange(0)  # the buffer, and the places in it that have gone on
    for part in sized(chunks, chain([buffer], repeat(half))):
        held = part.pick(np.arange(len(part))) if held is None else held.replaced(gone[: len(part)], part)
        gone = gone[len(part) :]
        if len(gone) or len(held) < buffer:
            break  # the last part
        gone = random.permutation(buffer)[:half]
        yield held.pick(gone)
    left = np.setdiff1d(np.arange(0 if held is None else len(held)), gone)
    if held is not None and len(left):
        yield held.pick(random.permutation(left))


def sized(chunks: Iterator[Chunk], sizes: Iterator[int]) -> Iterator[Chunk]:
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


def check_same(begun: dict[str, bytes], chunk: Chunk, name: str) -> None:
    """Raise where example 0 is not what it was: numbers that wander would carry examples to the other side."""
    if not len(chunk):
        return
    seen = np.asarray(chunk.x[0])
    if chunk.index[0] == 0 and seen.dtype != object and begun.setdefault("first", seen.tobytes()) != seen.tobytes():
        raise DataError(
            f"{name} begins with another example than in the epoch before: its numbers do not name examples",
            expected="the same order from the source in each epoch: a split would leak otherwise",
            cure="shuffle by stream.shuffle(buffer), not in the source; or a validation set of its own",
        )
