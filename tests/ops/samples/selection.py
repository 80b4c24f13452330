"""Positions by order, quantiles, and what has been met so far."""

from __future__ import annotations

import numpy as np

from weft.ops import quantiles as Q
from weft.ops import running as R
from weft.ops import selection as S

from ..contract import one
from .numbers import INTEGERS, SPECIAL, TRUTH, apart, normal

TALL = apart(2, 4, 3)
TIES = np.array([[3.0, 1.0, 3.0, 2.0, 5.0, 5.0, 1.0]])


def _so_far(x: np.ndarray, best: np.ufunc) -> np.ndarray:
    extreme = best.accumulate(x, 1)
    return np.maximum.accumulate(np.where(x == extreme, np.arange(x.shape[1]), 0), 1)


SAMPLES = [
    one(S.top_positions_op, TALL, like=lambda x: np.argsort(-x, 1, kind="stable")[:, :2], axis=1, k=2, largest=True),
    one(S.top_positions_op, TALL, like=lambda x: np.argsort(x, 2, kind="stable")[..., :3], axis=2, k=3, largest=False),
    one(
        S.top_positions_op, INTEGERS, like=lambda x: np.argsort(x, 1, kind="stable")[:, :2], axis=1, k=2, largest=False
    ),
    one(S.top_positions_op, SPECIAL, like=lambda x: np.array([1, 2, 0, 3]), axis=0, k=4, largest=True),
    one(S.top_positions_op, SPECIAL, like=lambda x: np.array([3, 0, 2, 1]), axis=0, k=4, largest=False),
    one(R.running_max_op, TALL, like=lambda x: np.maximum.accumulate(x, 1), axis=1),
    one(R.extreme_so_far_op, TIES, like=lambda x: _so_far(x, np.maximum), axis=1, largest=True),
    one(R.extreme_so_far_op, TIES, like=lambda x: _so_far(x, np.minimum), axis=1, largest=False),
    one(R.extreme_so_far_op, TRUTH, like=lambda x: _so_far(x * 1, np.maximum), axis=1, largest=True),
    one(R.cumulative_logsumexp_op, normal(2, 4, 2), like=lambda x: np.logaddexp.accumulate(x, 1), axis=1),
    *(
        one(
            Q._quantile,
            apart(3, 6),
            np.array([0.13, 0.87]),
            like=lambda x, q, m=method: np.quantile(x, q, axis=1, method=m).T,
            method=method,
            skip=False,
        )
        for method in Q.METHODS
    ),
    one(
        Q._quantile,
        np.array([[1.0, np.nan, 4.0, 2.0], [np.nan, 3.0, np.nan, 5.0]]),
        np.array([0.5, 0.2]),
        like=lambda x, q: np.nanquantile(x, q, axis=1).T,
        method="linear",
        skip=True,
        smooth=False,
    ),
]
