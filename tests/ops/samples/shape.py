"""Ops that move elements."""

from __future__ import annotations

import numpy as np

from weft.ops import shape as S

from ..contract import one
from .numbers import (
    TALL,
    X,
    Z,
    laid,
)

SAMPLES = [
    one(S.reshape_op, TALL, like=lambda x: x.reshape(4, 6), shape=(4, -1)),
    one(S.broadcast_to_op, Z, like=lambda x: np.broadcast_to(x, (4, 2, 3)), shape=(4, 2, 3)),
    one(S.permute_op, TALL, like=lambda x: x.transpose(2, 0, 1), axes=(2, 0, 1)),
    one(S.concat_op, X, Z, X, like=lambda *xs: np.concatenate(xs, 1), axis=1),
    one(S.slice_op, TALL, like=lambda x: x[0:2, 2:3, 0:4:3], bounds=((0, 2, 1), (2, 3, 1), (0, 4, 3))),
    one(
        S.unslice_op,
        X,
        like=lambda x: laid(np.zeros((4, 6)), np.s_[1:3, 0:5:2], x),
        bounds=((1, 3, 1), (0, 5, 2)),
        shape=(4, 6),
    ),
    one(S.pad_op, X, 0.5, like=lambda x, v: np.pad(x, ((1, 0), (2, 1)), constant_values=v), widths=((1, 0), (2, 1))),
    one(S.flip_op, TALL, like=lambda x: np.flip(x, (0, 2)), axis=(0, 2)),
    one(S.roll_op, TALL, like=lambda x: np.roll(x, (1, -2), (0, 2)), shift=(1, -2), axis=(0, 2)),
]
