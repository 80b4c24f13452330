"""Loops and branches over small bodies."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.graph import dtype as dt
from weft.graph.function import record
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.ops import control as C

from ..contract import one
from .numbers import (
    X,
    Y,
    between,
)


def _graph(body: Any, *shapes: tuple[int, ...]) -> Graph:
    return record("body", body, tuple(Spec(shape, dt.float64) for shape in shapes), {})[0]


STEP = _graph(lambda h, x, w: ((h * w).exp() * 0.5 + x, h * x), (2,), (2,), (2,))


def _scanned(h: np.ndarray, w: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = []
    for x in xs:
        kept.append(h * x)
        h = np.exp(h * w) * 0.5 + x
    return h, np.array(kept)


SAMPLES = [
    one(
        C.scan_op,
        between(-0.5, 0.5, 2),
        between(-0.5, 0.5, 2),
        between(-0.5, 0.5, 3, 2),
        like=_scanned,
        body=STEP,
        carried=1,
        constants=1,
        length=3,
        reverse=False,
    ),
    one(
        C.while_op,
        1.0,
        1.3,
        like=lambda x, r: next(x * r**k for k in range(99) if x * r**k >= 10),
        smooth=False,  # forward mode alone: tests/transforms/test_forward.py
        condition=_graph(lambda x, r: x < 10, (), ()),
        body=_graph(lambda x, r: x * r, (), ()),
        carried=1,
    ),
    one(
        C.cond_op,
        True,
        X,
        Y,
        like=lambda c, x, y: x * y,
        yes=_graph(lambda x, y: x * y, (2, 3), (3,)),
        no=_graph(lambda x, y: (x + y).exp(), (2, 3), (3,)),
    ),
    one(
        C.cond_op,
        False,
        X,
        Y,
        like=lambda c, x, y: np.exp(x + y),
        yes=_graph(lambda x, y: x * y, (2, 3), (3,)),
        no=_graph(lambda x, y: (x + y).exp(), (2, 3), (3,)),
    ),
]
