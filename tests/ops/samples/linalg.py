"""Products."""

from __future__ import annotations

import numpy as np

from weft.ops import linalg as L

from ..contract import one
from .numbers import (
    TALL,
    X,
    Y,
    normal,
)

SAMPLES = [
    one(L.dot, X, normal(3, 4), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, TALL, normal(4, 5), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, TALL, normal(5, 3), like=lambda a, b: a.mT @ b.T, ta=True, tb=True),
    one(L.dot, X, normal(2, 3, 5), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, normal(3, 2), normal(4, 1, 3, 5), like=lambda a, b: a.T @ b, ta=True, tb=False),
    one(L.dot, normal(4, 1, 2, 3), normal(5, 4, 3), like=lambda a, b: a @ b.mT, ta=False, tb=True),
    one(L.einsum_op, TALL, normal(4, 2), like=lambda a, b: np.einsum("bij,jk->bki", a, b), equation="bij,jk->bki"),
    one(L.einsum_op, TALL, like=lambda a: np.einsum("bij->j", a), equation="bij->j"),
    one(L.einsum_op, X, Y, normal(2), like=lambda *xs: np.einsum("ij,j,i->", *xs), equation="ij,j,i->"),
]
