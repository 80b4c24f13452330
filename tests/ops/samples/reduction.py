"""Ops that reduce axes."""

from __future__ import annotations

import numpy as np
import scipy.special

from weft.ops import accumulation as A
from weft.ops import reduction as D
from weft.ops import sorting as O

from ..contract import one
from .numbers import (
    INTEGERS,
    TALL,
    TRUTH,
    X,
    apart,
)


def _recurrence(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    h = np.zeros_like(b)
    for t in range(b.shape[1]):
        h[:, t] = a[:, t] * (h[:, t - 1] if t else 0) + b[:, t]
    return h


SAMPLES = [
    one(D.sum_op, TALL, like=lambda x: x.sum((0, 2)), axis=(0, 2), keepdims=False),
    one(D.sum_op, TRUTH, like=lambda x: x.sum(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.mean_op, TALL, like=lambda x: x.mean(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.prod_op, TALL, like=lambda x: x.prod(2), axis=(2,), keepdims=False),
    one(D.prod_op, np.array([[0.0, 2.0, 3.0], [1.5, 2.0, 3.0]]), like=lambda x: x.prod(1), axis=(1,), keepdims=False),
    one(D.max_op, apart(2, 3, 4), like=lambda x: x.max((0, 2)), axis=(0, 2), keepdims=False),
    one(D.min_op, apart(2, 3, 4), like=lambda x: x.min(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.logsumexp_op, TALL, like=lambda x: scipy.special.logsumexp(x, 2), axis=(2,), keepdims=False),
    one(D.any_op, TRUTH, like=lambda x: x.any(0), axis=(0,), keepdims=False),
    one(D.all_op, TRUTH, like=lambda x: x.all(1), axis=(1,), keepdims=False),
    one(D.any_op, X, like=lambda x: x.any(0), axis=(0,), keepdims=False),
    one(D.all_op, X, like=lambda x: x.all(1), axis=(1,), keepdims=False),
    one(D.argmax_op, TALL, like=lambda x: x.argmax(1, keepdims=True), axis=1, keepdims=True),
    one(D.argmin_op, TALL, like=lambda x: x.argmin(2), axis=2, keepdims=False),
    one(A.cumulative_sum_op, TALL, like=lambda x: x.cumsum(1), axis=1, reverse=False),
    one(A.cumulative_sum_op, INTEGERS, like=lambda x: x[:, ::-1].cumsum(1)[:, ::-1], axis=1, reverse=True),
    one(O.argsort_op, TALL, like=lambda x: x.argsort(2), axis=2, descending=False),
    one(O.argsort_op, TALL, like=lambda x: (-x).argsort(1), axis=1, descending=True),
    one(A.cumulative_prod_op, TALL, like=lambda x: x.cumprod(1), axis=1),
    one(A.cumulative_prod_op, np.array([[0.5, 0.0, 2.0, 0.0]]), like=lambda x: x.cumprod(1), axis=1),
    one(A.cumulative_prod_op, INTEGERS, like=lambda x: x.cumprod(0), axis=0),
    one(A.recurrence_op, X, X[::-1], like=lambda a, b: _recurrence(a, b), axis=1, reverse=False),
    one(
        A.recurrence_op,
        X,
        X[::-1],
        like=lambda a, b: _recurrence(a[:, ::-1], b[:, ::-1])[:, ::-1],
        axis=1,
        reverse=True,
    ),
    one(O.sort_op, apart(2, 3, 4), like=lambda x: np.sort(x, 1), axis=1, descending=False),
    one(O.sort_op, apart(2, 3), like=lambda x: -np.sort(-x, 1), axis=1, descending=True),
    one(O.sort_op, INTEGERS, like=lambda x: np.sort(x, 1), axis=1, descending=False),
    one(O.argsort_op, INTEGERS, like=lambda x: x.argsort(1), axis=1, descending=False),
    one(O.searchsorted_op, np.array([1.0, 2.0, 2.0, 5.0]), [2.0, 6.0], like=np.searchsorted, side="left"),
    one(O.searchsorted_op, [1, 2, 2, 5], [2, 6], like=lambda x, v: np.searchsorted(x, v, "right"), side="right"),
    one(D.sum_op, INTEGERS, like=lambda x: x.sum(1), axis=(1,), keepdims=False),
    one(D.max_op, INTEGERS, like=lambda x: x.max(1), axis=(1,), keepdims=False),
    one(D.argmax_op, INTEGERS, like=lambda x: x.argmax(1), axis=1, keepdims=False),
]
