"""Mirrored elements beyond the ends of an axis, and their transpose."""

from __future__ import annotations

import numpy as np

from weft.ops import reflection as R

from ..contract import Sample, one
from .numbers import normal, transposed


def _pair(axis: int, before: int, after: int) -> list[Sample]:
    x, ends = normal(3, 4, 2), {"axis": axis, "before": before, "after": after}
    widths = [(before, after) if a == axis else (0, 0) for a in range(3)]
    reflect = lambda x: np.pad(x, widths, mode="reflect")
    g = normal(*reflect(x).shape)
    return [
        one(R.reflect_op, x, like=reflect, **ends),
        one(R.unreflect_op, g, like=lambda g: transposed(reflect, x.shape, g), **ends),
    ]


SAMPLES = [*_pair(1, 2, 3), *_pair(0, 0, 2), *_pair(2, 1, 0)]
