"""Windows along an axis, and their transpose."""

from __future__ import annotations

import numpy as np

from weft.ops import windows as W

from ..contract import Sample, one
from .numbers import normal, transposed


def _windows(x: np.ndarray, size: int, step: int, dilation: int) -> np.ndarray:
    reach = dilation * (size - 1) + 1
    return np.stack([x[:, s : s + reach : dilation] for s in range(0, x.shape[1] - reach + 1, step)], 1)


def _pair(length: int, size: int, step: int, dilation: int) -> list[Sample]:
    x = normal(2, length, 3)
    windows = lambda x: _windows(x, size, step, dilation)
    g = normal(*windows(x).shape)
    params = {"axis": 1, "step": step, "dilation": dilation}
    return [
        one(W.windows_op, x, like=windows, size=size, **params),
        one(W.overlap_add_op, g, like=lambda g: transposed(windows, x.shape, g), length=length, **params),
    ]


SAMPLES = [*_pair(7, 2, 2, 1), *_pair(7, 3, 1, 2), *_pair(6, 1, 4, 1), *_pair(40, 35, 2, 1), *_pair(40, 34, 34, 1)]
