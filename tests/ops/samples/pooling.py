"""Pooling over one axis, and its transposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.ops import pooling as P

from ..contract import Sample, one
from .numbers import (
    apart,
    normal,
    transposed,
)


def _windows(x: np.ndarray, window: int, stride: int, padding: tuple[int, int], dilation: int, fill: float) -> Any:
    """The windows over the last axis, stacked on a new one."""
    x = np.pad(x, (*((0, 0) for _ in x.shape[1:]), padding), constant_values=fill)
    reach = dilation * (window - 1) + 1
    return np.stack([x[..., s : s + reach : dilation] for s in range(0, x.shape[-1] - reach + 1, stride)], -2)


def _chosen(c: np.ndarray, x: np.ndarray, *window: Any) -> np.ndarray:
    at = _windows(x, *window, -np.inf).argmax(-1)[..., None]
    return np.take_along_axis(_windows(c, *window, 0), at, -1)[..., 0]


def _poolings(size: int, *window: Any) -> list[Sample]:
    x = apart(2, size)
    params = {"axis": 1, **dict(zip(("window", "stride", "padding", "dilation"), window, strict=True))}
    g = normal(*_windows(x, *window, 0).shape[:-1])
    return [
        one(P.max_pool_op, x, like=lambda x: _windows(x, *window, -np.inf).max(-1), **params),
        one(
            P.max_unpool_op, g, x, like=lambda g, x: transposed(lambda c: _chosen(c, x, *window), x.shape, g), **params
        ),
        one(P.max_choose_op, normal(2, size), x, like=lambda c, x: _chosen(c, x, *window), **params),
        one(P.sum_pool_op, x, like=lambda x: _windows(x, *window, 0).sum(-1), **params),
        one(
            P.sum_unpool_op,
            g,
            like=lambda g: transposed(lambda x: _windows(x, *window, 0).sum(-1), x.shape, g),
            size=size,
            **params,
        ),
    ]


SAMPLES = [
    *_poolings(7, 2, 2, (0, 0), 1),
    *_poolings(6, 3, 1, (1, 1), 1),
    *_poolings(7, 2, 3, (1, 0), 1),
    *_poolings(8, 2, 2, (1, 2), 3),
    *_poolings(40, 35, 3, (2, 1), 1),
]
