"""Ops that reduce axes."""

from __future__ import annotations

import numpy as np
import scipy.special

from weft.ops import reduction as D

from ..contract import one
from .numbers import (
    TALL,
    TRUTH,
    X,
    apart,
)

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
    one(D.cumulative_sum_op, TALL, like=lambda x: x.cumsum(1), axis=1),
    one(D.argsort_op, TALL, like=lambda x: x.argsort(2), axis=2, descending=False),
    one(D.argsort_op, TALL, like=lambda x: (-x).argsort(1), axis=1, descending=True),
]
