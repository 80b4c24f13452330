"""Tensors from nothing."""

from __future__ import annotations

import numpy as np

from weft.graph import dtype as dt
from weft.ops import creation as N

from ..contract import one
from .numbers import (
    TALL,
)

SAMPLES = [
    one(N.iota_op, like=lambda: np.arange(3)[None] + np.zeros((2, 1), int), shape=(2, 3), axis=1, dtype=dt.int64),
    one(N.full_op, 2.5, like=lambda v: np.full((2, 3), v), shape=(2, 3), dtype=dt.float64),
    one(N.triangle_op, TALL, like=lambda x: np.tril(x, 1), k=1, lower=True),
    one(N.triangle_op, TALL, like=lambda x: np.triu(x, -1), k=-1, lower=False),
]
