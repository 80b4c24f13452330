"""The order of the examples: a pure function of the seed and the epoch, so that resuming needs two integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError

# Different purposes draw different numbers from the same seed and epoch.
SHUFFLE, SPLIT = 0, 1


def generator(seed: int, epoch: int = 0, purpose: int = SHUFFLE) -> np.random.Generator:
    """A counter-based random generator for one (seed, epoch, purpose): always the same for the same three.

    Raises ArgumentError for a negative seed or epoch.

    >>> bool(generator(1, 2).random() == generator(1, 2).random())
    True
    """
    for name, value in (("seed", seed), ("epoch", epoch)):
        if value < 0:
            raise ArgumentError(f"{name}={value} is negative", expected=f"{name} 0 or more")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(epoch, purpose))))


def permutation(n: int, seed: int, epoch: int) -> np.ndarray[Any, Any]:
    """The order in which ``n`` examples are visited in an epoch: shape (n,), int32, or int64 from 2³¹ examples.

    It depends on nothing but its arguments: not on earlier epochs, workers or devices.
    Raises ArgumentError when n, seed or epoch is negative.

    >>> permutation(5, seed=0, epoch=3).tolist() == permutation(5, seed=0, epoch=3).tolist()
    True
    >>> sorted(permutation(5, seed=0, epoch=4).tolist())
    [0, 1, 2, 3, 4]
    """
    if n < 0:
        raise ArgumentError(f"n={n} is negative", expected="a number of examples, 0 or more")
    return generator(seed, epoch).permutation(n).astype(np.int32 if n < 2**31 else np.int64)


def batches(n: int, batch_size: int) -> tuple[int, int]:
    """How many full batches ``n`` examples make, and how many examples remain for a last, shorter one.

    Raises ArgumentError unless batch_size is 1 or more.

    >>> batches(150, 32)
    (4, 22)
    """
    if batch_size < 1:
        raise ArgumentError(f"batch_size={batch_size}", expected="1 or more examples a batch", cure="batch_size=32")
    return divmod(n, batch_size)
