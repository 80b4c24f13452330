"""Norms of vectors and matrices. Where a norm has a kink, at zero, its gradient is the sub-gradient 0."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from weft.errors import ArgumentError
from weft.graph.dtype import float32
from weft.graph.op import tensor_like
from weft.graph.recording import whereabouts
from weft.ops.arithmetic import abs
from weft.ops.comparison import where
from weft.ops.conversion import cast, conj, real
from weft.ops.creation import zeros
from weft.ops.exponential import sqrt
from weft.ops.matrices import HALVES, check_floating, check_matrix, narrowed
from weft.ops.reduction import max_op, min_op, sum_op
from weft.ops.rules import Axes, normalize_axes, reduced
from weft.ops.shape import reshape_op
from weft.ops.singular import svdvals_op

_INFINITE = (math.inf, -math.inf)


def _wide(x: Any) -> Any:
    """16-bit numbers as float32: their squares would overflow."""
    return cast(x, dtype=float32) if x.dtype in HALVES else x


def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Any:
    """(Σ |xᵢ|ᵖ)^(1/p) with p = ``ord``, over ``axis`` (by default over all elements).

    ``ord`` may be any number: inf gives the largest size |xᵢ|, −inf the smallest, 0 how many are not zero.

    >>> from weft import linalg
    >>> float(linalg.vector_norm([3.0, 4.0])), float(linalg.vector_norm([3.0, -4.0], ord=1))
    (5.0, 7.0)
    """
    x = tensor_like(x)
    check_floating("vector_norm", x.node.spec)
    p = _order("vector_norm", ord)
    axes = normalize_axes(axis, x.ndim)
    return narrowed(_norm(_wide(x), p, axes, keepdims), x)


def _order(name: str, ord: Any) -> float:
    if isinstance(ord, bool) or not isinstance(ord, Real) or ord != ord:
        raise ArgumentError(
            f"{name} with ord={ord!r}",
            expected="a number, inf or -inf" + (", 'fro' or 'nuc': of 1, 2 and inf" if name == "matrix_norm" else ""),
            where=whereabouts(),
        )
    return float(ord)


def _norm(x: Any, p: float, axes: tuple[int, ...], keepdims: bool) -> Any:
    if p == 2:
        squares = real(conj(x) * x) if x.dtype.kind == "complex" else x * x
        return _root(sum_op(squares, axis=axes, keepdims=keepdims), 0, sqrt)
    size = abs(x)
    if p in _INFINITE:
        return _extreme(size, axes, keepdims, largest=p > 0)
    if p == 0:
        return cast(sum_op(x != 0, axis=axes, keepdims=keepdims), dtype=size.dtype)
    if p == 1:
        return sum_op(size, axis=axes, keepdims=keepdims)
    # A zero has power 0, or ∞ where p < 0, and no slope.
    empty = 0.0 if p > 0 else math.inf
    powers = where(size == 0, empty, where(size == 0, 1, size) ** p)
    return _root(sum_op(powers, axis=axes, keepdims=keepdims), empty, lambda total: total ** (1 / p))


def _root(total: Any, empty: float, root: Any) -> Any:
    """The root of a sum of powers, 0 and without slope where the sum is that of zeros."""
    nothing = total == empty
    return where(nothing, 0, root(where(nothing, 1, total)))


def _extreme(size: Any, axes: tuple[int, ...], keepdims: bool, *, largest: bool) -> Any:
    """The largest size, which is 0 if there is none, or the smallest."""
    if largest and any(size.shape[a] == 0 for a in axes):
        return zeros(reduced(size.shape, axes, keepdims), dtype=size.dtype)
    return (max_op if largest else min_op)(size, axis=axes, keepdims=keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of matrices (…, m, n): "fro" √Σ|xᵢⱼ|², "nuc" the sum of singular values, 2 the largest, −2 the smallest.

    1 is the largest column sum of sizes, inf the largest row sum; −1 and −inf are the smallest ones.

    >>> from weft import linalg
    >>> float(linalg.matrix_norm([[3.0, 0.0], [0.0, 4.0]])), float(linalg.matrix_norm([[3.0, 0.0], [0.0, 4.0]], ord=2))
    (5.0, 4.0)
    """
    x = tensor_like(x)
    check_matrix("matrix_norm", x.node.spec)
    if ord is None or ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord != "nuc" and _order("matrix_norm", ord) not in (1, -1, 2, -2, *_INFINITE):
        raise ArgumentError(
            f"matrix_norm with ord={ord!r}", expected="'fro', 'nuc', 1, -1, 2, -2, inf or -inf", where=whereabouts()
        )
    rows, columns = x.ndim - 2, x.ndim - 1
    if ord in ("nuc", 2, -2):
        values = svdvals_op(x)
        last = (values.ndim - 1,)
        found = (
            sum_op(values, axis=last, keepdims=False)
            if ord == "nuc"
            else _extreme(values, last, False, largest=ord > 0)
        )
        found = reshape_op(found, shape=(*found.shape, 1, 1)) if keepdims else found
    else:
        inner, outer = (columns, rows) if ord in _INFINITE else (rows, columns)
        sums = sum_op(abs(_wide(x)), axis=(inner,), keepdims=True)
        found = _extreme(sums, (outer,), True, largest=ord > 0)
        found = found if keepdims else reshape_op(found, shape=x.shape[:-2])
    return narrowed(found, x)
