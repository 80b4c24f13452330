"""Weighted sums along an axis."""

from __future__ import annotations

import numpy as np

from weft.ops import interpolation as I

from ..contract import one
from .numbers import normal

SAMPLES = [
    one(
        I.mix_op,
        normal(2, 3, 4),
        normal(5, 3),
        like=lambda x, w: np.einsum("aic,oi->aoc", x, w),
        axis=1,
    )
]
