"""Lengths, distances and angles of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.ops.arithmetic import maximum
from weft.ops.comparison import where
from weft.ops.exponential import sqrt
from weft.ops.indexing import gather_op
from weft.ops.norms import vector_norm
from weft.ops.rules import broadcast_shapes, normalize_axis
from weft.tensor import Tensor, as_tensor


def _check_order(name: str, p: Any) -> float:
    if isinstance(p, bool) or not isinstance(p, int | float) or not p >= 0:
        raise ArgumentError(f"{name}: p={p!r}", expected="p ≥ 0, such as 2 or math.inf")
    return float(p)


@function(takes=floating)
def _normalize(x: Any, eps: Any, *, p: float, axis: int) -> Any:
    return x / maximum(vector_norm(x, axis=axis, keepdims=True, ord=p), eps)


def normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Tensor:
    """Vectors of length 1: x / max(‖x‖ₚ, ε) along ``axis``.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.normalize(wf.tensor([[3.0, 4.0]]), eps=1e-9).numpy().round(3).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    x = as_tensor(x)
    y: Tensor = _normalize(x, float(eps), p=float(p), axis=normalize_axis(axis, x.ndim))
    return y


@function(takes=floating)
def _cosine_similarity(a: Any, b: Any, eps: Any, *, axis: int) -> Any:
    lengths = [maximum(vector_norm(x, axis=axis, keepdims=True), eps) for x in (a, b)]
    return ((a / lengths[0]) * (b / lengths[1])).sum(axis=axis)


def cosine_similarity(a: Any, b: Any, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of an angle: a · b / (max(‖a‖, ε) max(‖b‖, ε)) along ``axis``; the other axes broadcast.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.cosine_similarity(wf.tensor([[1.0, 0.0]]), wf.tensor([[0.0, 2.0]])).tolist()
    [0.0]
    """
    a, b = as_tensor(a), as_tensor(b)
    shape = broadcast_shapes(a.shape, b.shape)
    at = normalize_axis(axis, len(shape))
    y: Tensor = _cosine_similarity(a.broadcast_to(shape), b.broadcast_to(shape), float(eps), axis=at)
    return y


@function(takes=floating)
def _pairwise_distance(a: Any, b: Any, eps: Any, *, p: float, keepdims: bool) -> Any:
    return vector_norm(a - b + eps, axis=-1, keepdims=keepdims, ord=p)


def pairwise_distance(a: Any, b: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Tensor:
    """‖a − b + ε‖ₚ over the last axis; the other axes broadcast.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.pairwise_distance(wf.tensor([[3.0, 0.0]]), wf.tensor([[0.0, 4.0]]), eps=0.0).tolist()
    [5.0]
    """
    y: Tensor = _pairwise_distance(as_tensor(a), as_tensor(b), float(eps), p=float(p), keepdims=keepdims)
    return y


# ── all pairs ───────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _cdist(a: Any, b: Any, *, p: float, by_product: bool) -> Any:
    if not by_product:
        left, right = a.reshape(*a.shape[:-1], 1, a.shape[-1]), b.reshape(*b.shape[:-2], 1, *b.shape[-2:])
        return vector_norm(left - right, axis=-1, ord=p)
    # ‖a‖² + ‖b‖² − 2 a·b, one matrix product; what rounding leaves below 0 is 0, where the root has no slope.
    squares = [(x * x).sum(axis=-1, keepdims=True) for x in (a, b)]
    total = squares[0] + squares[1].mT - 2 * (a @ b.mT)
    positive = total > 0
    return where(positive, sqrt(where(positive, total, 1)), 0)


def cdist(a: Any, b: Any, p: float = 2.0, *, by_product: bool = False) -> Tensor:
    """The distances ‖aᵢ − bⱼ‖ₚ of all pairs of rows: (…, n, d) and (…, m, d) give (…, n, m).

    Where two rows are equal the gradient is 0. ``by_product`` uses one matrix product for Euclid's distance: faster
    for many rows, but distances that are small against the lengths of the rows lose digits.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.cdist(wf.tensor([[0.0, 0.0]]), wf.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[5.0, 1.0]]
    """
    a, b = as_tensor(a), as_tensor(b)
    order = _check_order("cdist", p)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"cdist of shapes {a.shape} and {b.shape}", expected="(…, n, d) and (…, m, d)")
    if by_product and order != 2:
        raise ArgumentError(f"cdist: by_product with p={p!r}", expected="p=2")
    y: Tensor = _cdist(a, b, p=order, by_product=by_product)
    return y


def pdist(x: Any, p: float = 2.0) -> Tensor:
    """The distances ‖xᵢ − xⱼ‖ₚ of the rows of a matrix (n, d) for i < j, in row-major order: (n(n−1)/2,).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.pdist(wf.tensor([[0.0], [1.0], [3.0]])).tolist()
    [1.0, 3.0, 2.0]
    """
    x = as_tensor(x)
    order = _check_order("pdist", p)
    if x.ndim != 2:
        raise ShapeError(f"pdist of a tensor of shape {x.shape}", expected="a matrix (n, d)")
    first, second = np.triu_indices(x.shape[0], 1)
    return _pdist(x, as_tensor(first), as_tensor(second), p=order)


@function(takes=lambda kinds: (*floating(kinds[:1]), None, None))
def _pdist(x: Any, first: Any, second: Any, *, p: float) -> Any:
    rows = [gather_op(x, at, pattern=(True, False)) for at in (first, second)]
    return vector_norm(rows[0] - rows[1], axis=-1, ord=p)


# ── bounded lengths ─────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _renorm(x: Any, most: Any, *, p: float, axis: int) -> Any:
    length = vector_norm(x, axis=tuple(a for a in range(x.ndim) if a != axis), keepdims=True, ord=p)
    return x * where(length > most, most / (length + 1e-7), 1)


def renorm(x: Any, p: float, axis: int, maxnorm: float) -> Tensor:
    """The tensor with every slice along ``axis`` whose p-norm exceeds ``maxnorm`` scaled down to it.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.renorm(wf.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0).numpy().round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.30000001192092896, 0.4000000059604645]]
    """
    x = as_tensor(x)
    if _check_order("renorm", p) == 0 or not maxnorm >= 0 or x.ndim < 2:
        raise ArgumentError(
            f"renorm of shape {x.shape} with p={p!r}, maxnorm={maxnorm!r}", expected="two axes, p > 0, maxnorm ≥ 0"
        )
    y: Tensor = _renorm(x, float(maxnorm), p=float(p), axis=normalize_axis(axis, x.ndim))
    return y
