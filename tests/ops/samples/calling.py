"""Closed graphs applied: as they stand, recomputed, with a gradient of their own, for every example."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.graph import dtype as dt
from weft.graph.function import record
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.ops import calling as C

from ..contract import one
from .numbers import X, Y, between


def _graph(body: Any, *shapes: tuple[int, ...]) -> Graph:
    return record("body", body, tuple(Spec(shape, dt.float64) for shape in shapes), {})[0]


PRODUCT = _graph(lambda x, y: x * y.exp(), (2, 3), (3,))
PULLBACK = _graph(lambda x, y, g: (g * y.exp(), (g * x * y.exp()).sum(axis=0)), (2, 3), (3,), (2, 3))

SAMPLES = [
    one(C.call_op, X, Y, like=lambda x, y: x * np.exp(y), graph=PRODUCT),
    one(C.checkpoint_op, X, Y, like=lambda x, y: x * np.exp(y), graph=PRODUCT),
    one(C.barrier_op, X, Y, like=lambda x, y: (x, y)),
    one(
        C.custom_op,
        X,
        Y,
        like=lambda x, y: x * np.exp(y),
        graph=PRODUCT,
        pullback=PULLBACK,
        wanted=(True, True),
    ),
    one(
        C.vmap_op,
        between(-1, 1, 4, 2),
        between(-1, 1, 2),
        like=lambda x, y: (np.exp(x * y), (x * y).sum(axis=1)),
        graph=_graph(lambda x, y: ((x * y).exp(), (x * y).sum()), (2,), (2,)),
        mapped=(True, False),
        size=4,
    ),
]
