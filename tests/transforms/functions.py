"""The table of functions on which the transforms are compared with each other, and points for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import weft as wf
from weft.nn import functional as F
from weft.transforms import checkpoint, custom_gradient, vmap

rng = np.random.default_rng(5)


class Case(NamedTuple):
    f: Any
    args: tuple[Any, ...]


def point(*shape: int) -> Any:
    return wf.tensor(rng.uniform(0.2, 1.5, shape))


@custom_gradient
def doubled(x: Any, w: Any) -> Any:
    """x · w with its own gradient, written by hand."""
    return x * w, lambda g: (g * w, (g * x).sum(axis=0))


def looped(x: Any, w: Any) -> Any:
    """h ← tanh(h w + x) over the rows of x, whose steps also come out."""
    return wf.scan(lambda h, row: (wf.tanh(h * w + row), h * row), w, x)


def branched(x: Any, w: Any) -> Any:
    return wf.cond(x.sum() > 0, lambda x, w: wf.sin(x) * w, lambda x, w: x + w, x, w)


def mixed(x: Any, w: Any) -> Any:
    """A structure as the argument's and the result's."""
    return {"sum": (x * w).sum(), "rows": [wf.exp(x[0]) * w, x.max(axis=0)]}


X, W = point(4, 3), point(3)
SQUARE = point(3, 3)
CASES: dict[str, Case] = {
    "arithmetic": Case(lambda x, w: x / w - w * x**2 + 1 / (x + w), (X, W)),
    "elementary": Case(lambda x, w: wf.log(x) * wf.cos(w) + wf.sqrt(x) ** w, (X, W)),
    "reductions": Case(lambda x, w: (x * w).mean(axis=0) * x.logsumexp() + x.prod() + x.std(axis=1).sum(), (X, W)),
    "matmul": Case(lambda x, a: (x @ a) @ a.mT, (X, SQUARE)),
    "einsum": Case(lambda x, a: wf.einsum("ij,jk,ik->k", x, a, x), (X, SQUARE)),
    "softmax": Case(lambda x, w: F.softmax(x * w, axis=-1), (X, W)),
    "convolution": Case(lambda x, k: F.conv(x, k, padding=1), (point(2, 2, 5), point(3, 2, 3))),
    "indexing": Case(lambda x, w: x[wf.tensor([2, 0, 2])] * w[::-1] + wf.concat([x[1:], x[:1]])[0], (X, W)),
    "sorting": Case(lambda x, w: x[:, 0][wf.argsort(x[:, 1])].sum() * wf.maximum(x[0], w), (X, W)),
    "scan": Case(looped, (X, W)),
    "cond": Case(branched, (X, W)),
    "compiled": Case(wf.compile(lambda x, w: wf.exp(x * w).sum(axis=0)), (X, W)),
    "structures": Case(mixed, (X, W)),
    "custom gradient": Case(doubled, (X, W)),
    "checkpoint": Case(checkpoint(lambda x, w: wf.exp(wf.sin(x * w))), (X, W)),
    "vmap": Case(vmap(lambda row, w: (wf.exp(row * w), row.max()), in_axes=(0, None)), (X, W)),
}
