"""Reading and replacing parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.graph import dtype as dt
from weft.ops import indexing as I

from ..contract import one
from .numbers import (
    INTEGERS,
    ROWS,
    TALL,
    X,
    added,
    apart,
    laid,
    normal,
)

ALONG = np.array([[2, 0], [1, 1]])
SAMPLES = [
    one(I.window_op, TALL, 1, 2, like=lambda x, i, j: x[i, :, j : j + 2], axes=(0, 2), sizes=(1, 2), drop=(0,)),
    one(
        I.place_op,
        normal(3, 2),
        1,
        2,
        like=lambda x, i, j: laid(np.zeros((2, 3, 4)), np.s_[i, :, j : j + 2], x),
        axes=(0, 2),
        drop=(0,),
        shape=(2, 3, 4),
    ),
    one(I.gather_op, TALL, ROWS, like=lambda x, i: x[:, i], pattern=(False, True, False)),
    one(I.gather_op, TALL, [1, 0], [3, 3], like=lambda x, i, j: x[i, :, j], pattern=(True, False, True)),
    one(
        I.scatter_add_op,
        normal(2, 2, 2, 4),
        ROWS,
        like=lambda g, i: added(np.zeros((2, 3, 4)), np.s_[:, i], g),
        pattern=(False, True, False),
        shape=(2, 3, 4),
    ),
    one(I.one_hot_op, ROWS, like=lambda i: np.eye(3)[i], classes=3, dtype=dt.float64),
    one(I.take_along_op, X, ALONG, like=lambda x, i: np.take_along_axis(x, i, 1), axis=1),
    one(
        I.put_along_op,
        normal(2, 2),
        ALONG,
        like=lambda g, i: added(np.zeros((2, 3)), (np.arange(2)[:, None], i), g),
        axis=1,
        size=3,
    ),
    one(
        I.update_op,
        TALL,
        normal(1, 3, 2),
        1,
        2,
        like=lambda x, v, i, j: laid(x.copy(), np.s_[i:, :, j:], v),
        axes=(0, 2),
    ),
    one(I.scatter_op, apart(6), normal(3), [4, 0, 2], like=lambda x, v, i: laid(x.copy(), i, v), mode="set"),
    one(I.scatter_op, apart(6), normal(3), [4, 0, 4], like=lambda x, v, i: added(x.copy(), i, v), mode="add"),
    one(I.scatter_op, apart(6), normal(3), [4, 0, 4], like=lambda x, v, i: _extreme(np.minimum, x, v, i), mode="min"),
    one(I.scatter_op, apart(6), normal(3), [4, 0, 4], like=lambda x, v, i: _extreme(np.maximum, x, v, i), mode="max"),
    one(I.scatter_op, [5, 6, 7], [1, 2], [2, 2], like=lambda x, v, i: added(x.copy(), i, v), mode="add"),
    one(I.gather_op, INTEGERS, [1, -1], like=lambda x, i: x[i], pattern=(True, False)),
]


def _extreme(f: Any, x: np.ndarray, v: np.ndarray, i: np.ndarray) -> np.ndarray:
    x = x.copy()
    f.at(x, i, v)
    return x
