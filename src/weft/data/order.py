"""The order of the examples: a pure function of the seed and the epoch, so that resuming needs two integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.data.check import check_whole

# Different purposes draw different numbers from the same seed and epoch.
SHUFFLE, SPLIT = 0, 1


def generator(seed: int, epoch: int = 0, purpose: int = SHUFFLE) -> np.random.Generator:
    """A counter-based random generator for one (seed, epoch, purpose): always the same for the same three.

    Raises ArgumentError unless seed and epoch are whole numbers, 0 or more.

    >>> bool(generator(1, 2).random() == generator(1, 2).random())
    True
    """
    check_whole("seed", seed, 0)
    check_whole("epoch", epoch, 0)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(epoch, purpose))))


def permutation(n: int, seed: int, epoch: int) -> np.ndarray[Any, Any]:
    """The order in which ``n`` examples are visited in an epoch: shape (n,), int32, or int64 from 2³¹ examples.

    It depends on nothing but its arguments: not on earlier epochs, workers or devices.
    Raises ArgumentError unless n, seed and epoch are whole numbers, 0 or more.

    >>> permutation(5, seed=0, epoch=3).tolist() == permutation(5, seed=0, epoch=3).tolist()
    True
    >>> sorted(permutation(5, seed=0, epoch=4).tolist())
    [0, 1, 2, 3, 4]
    """
    check_whole("n", n, 0)
    return generator(seed, epoch).permutation(n).astype(np.int32 if n < 2**31 else np.int64)


def whole_batches(n: int, batch_size: int) -> tuple[int, int]:
    """How many full batches ``n`` examples make, and how many examples remain for a last, shorter one.

    Raises ArgumentError unless both are whole numbers, n 0 or more and batch_size 1 or more.

    >>> whole_batches(150, 32)
    (4, 22)
    """
    check_whole("n", n, 0)
    check_whole("batch_size", batch_size, 1, cure="batch_size=32")
    return divmod(n, batch_size)
