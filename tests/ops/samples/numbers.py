"""The numbers that samples are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

rng = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return rng.uniform(low, high, shape)


def apart(*shape: int) -> np.ndarray:
    """Numbers no two of which are close, and none close to 0: kinks are not met by a small step."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2 + 0.3) * 0.37).reshape(shape)


X, Y, Z = normal(2, 3), normal(3), normal(2, 1)
A, B = apart(2, 3), apart(2, 3) + 0.11
POSITIVE, UNIT = between(0.2, 3.0, 2, 3), between(-0.9, 0.9, 2, 3)
INTEGERS = np.array([[-7, 5, 2], [3, -2, 11]])
TRUTH = np.array([[True, False, True], [False, False, True]])
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf])

TALL = normal(2, 3, 4)
ROWS = np.array([[2, 0], [1, 1]])


def laid(into: np.ndarray, where: Any, x: np.ndarray) -> np.ndarray:
    into[where] = x
    return into


def added(into: np.ndarray, where: Any, x: np.ndarray) -> np.ndarray:
    np.add.at(into, where, x)
    return into


def transposed(f: Any, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """The transpose of the linear function ``f`` of arrays of ``shape``, from its values on a basis."""
    basis = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([(f(e) * g).sum() for e in basis]).reshape(shape)
