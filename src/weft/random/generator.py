"""Where random numbers come from: one seed for everything, streams that are independent by construction.

A generator is a seed and a counter. Each draw takes the key (seed, counter) and counts on: no state on the
device, nothing to synchronise, and the same seed gives the same bits on every device.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from weft.errors import ArgumentError
from weft.graph.node import leaf
from weft.graph.recording import Trace, context
from weft.ops import random as ops
from weft.ops.random import KEY
from weft.random.distributions import Distributions
from weft.tensor import Tensor, as_tensor

_counting = threading.Lock()  # two threads that draw from one generator never take the same key


class Generator(Distributions):
    """A stream of random numbers, started by ``seed``; it draws from NumPy's distributions.

    The ``shape`` comes first, or after the parameters that a distribution cannot do without; the others have names.

    >>> import weft as wf
    >>> a, b = wf.random.Generator(7), wf.random.Generator(7)
    >>> bool((a.normal(3) == b.normal(3)).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._word = hashed(seed)
        self.counter = 0

    def key(self) -> Tensor:
        """The next key. Inside a recorded function it derives from a key that each call is given anew."""
        recording = context.recording
        if isinstance(recording, Trace):
            return _in_trace(recording, self)
        return wrap_key(self.next_words())

    def next_words(self) -> np.ndarray:
        """The next key as two 32-bit words on the host."""
        with _counting:
            number = self.counter
            self.counter = number + 1
        return np.array([self._word, number], np.uint32)


class Stream(Generator):
    """A generator whose keys derive from a given key: what it draws depends on that key alone."""

    def __init__(self, key: Tensor) -> None:
        self.root = key
        self.counter = 0

    def key(self) -> Tensor:
        made: Tensor = ops.fold_in(self.root, self.counter)
        self.counter += 1
        return made


class KeySource(Tensor):
    """The key of a recorded function: a fresh one is drawn from its generator for each call."""

    __slots__ = ("drawn", "generator")

    def __init__(self, generator: Generator) -> None:
        self._adopt(leaf(np.zeros(2, np.uint32), KEY))
        self.generator = generator
        self.drawn = 0


def _in_trace(trace: Trace, generator: Generator) -> Tensor:
    source = trace.keys.get(id(generator))
    if source is None:
        source = trace.keys[id(generator)] = KeySource(generator)
    source.drawn += 1
    return ops.fold_in(source, source.drawn - 1)


def wrap_key(words: np.ndarray) -> Tensor:
    """A key of two 32-bit words as a tensor."""
    made = Tensor.__new__(Tensor)
    made._adopt(leaf(words, KEY))
    return made


def hashed(*numbers: int | str) -> int:
    """A 32-bit word from whole numbers and names: how seeds and purposes are told apart."""
    return int(np.random.SeedSequence([_natural(n) for n in numbers]).generate_state(1)[0])


def _natural(number: int | str) -> int:
    """A name or a whole number as one that is not negative, each as another."""
    if isinstance(number, str):
        return int.from_bytes(number.encode(), "little")
    try:
        whole = operator.index(number)
    except TypeError:
        raise ArgumentError(f"the seed {number!r}", expected="a whole number") from None
    return whole if whole >= 0 else (1 << 64) - whole  # the sign is a word of its own


_default = Generator(0)


def generator() -> Generator:
    """The generator in force: that of the innermost `using` block, else the one that `seed` seeds."""
    return context.generator or _default


def seed(value: int) -> None:
    """Start every stream of random numbers anew.

    >>> import weft as wf
    >>> wf.random.seed(1); a = wf.random.normal(2).tolist(); wf.random.seed(1)
    >>> wf.random.normal(2).tolist() == a
    True
    """
    _default.__init__(value)  # type: ignore[misc]  # in place: compiled functions hold this very generator


@contextmanager
def using(source: Generator | Tensor) -> Iterator[Generator]:
    """Draw the block's random numbers from this generator, or from the stream of a key."""
    chosen = source if isinstance(source, Generator) else Stream(as_tensor(source))
    with context.set(generator=chosen):
        yield chosen


def key() -> Tensor:
    """The next key of the generator in force, for an op that takes one."""
    return generator().key()
