"""Linear systems: triangular ones, square ones by LU with row exchanges, and inverses."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.op import Op, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.creation import triangle_op
from weft.ops.engine import jnp, lax
from weft.ops.matrices import as_column, check_matrix, narrowed, precise, square_to, transposed
from weft.ops.rules import broadcast_shapes
from weft.ops.shape import reshape_op


def _solved(name: str, a: Spec, b: Spec) -> Spec:
    check_matrix(name, a, square=True)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise ShapeError(
            f"{name} of matrices of shape {a.shape} and a right side of shape {b.shape}",
            expected=f"right sides of shape (n,) or (…, n, k), here with n = {a.shape[-1]}",
            where=whereabouts(),
            cure="b.mT, or wf.expand_dims(b, axis=-1) for a stack of vectors",
        )
    return Spec((*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)


def _triangular(a: Any, b: Any, *, lower: bool, transpose: bool, unit: bool) -> Any:
    """XLA's triangular solve, which wants equal leading axes."""
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (jnp.broadcast_to(t, (*batch, *t.shape[-2:])) for t in (a, b))
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower, transpose_a=transpose, unit_diagonal=unit)


# ── triangular systems ──────────────────────────────────────────────────────────────────────────────────────


def _triangular_vjp(g: Any, x: Any, a: Any, b: Any, *, lower: bool, transpose: bool, unit: bool) -> tuple[Any, Any]:
    gb = triangular_op(a, g, lower=lower, transpose=not transpose, unit=unit)
    ga = x @ transposed(gb) if transpose else gb @ transposed(x)
    return triangle_op(-ga, k=(-1 if lower else 1) * unit, lower=lower), gb


triangular_op: Op = Op(  # X of A X = B, or of Aᵀ X = B, for the lower or upper triangle A of ``a``
    "solve_triangular",
    shape=lambda a, b, **_: _solved("solve_triangular", a, b),
    takes=precise,
    lower=_triangular,
    vjp=_triangular_vjp,
)


def solve_triangular(
    a: Any, b: Any, /, *, upper: bool = False, unit_diagonal: bool = False, transpose: bool = False, left: bool = True
) -> Any:
    """X of A x = b, for the lower (or ``upper``) triangle A of ``a``; the rest of ``a`` is not read.

    With ``transpose`` of Aᵀ x = b, without ``left`` of x A = b; with ``unit_diagonal`` the diagonal counts as 1.
    ``a`` is (…, n, n); ``b`` is one vector (n,) or matrices (…, n, k), without ``left`` (…, k, n).

    >>> from weft import linalg
    >>> linalg.solve_triangular([[2.0, 0.0], [1.0, 4.0]], [2.0, 9.0]).tolist()
    [1.0, 2.0]
    """
    a, b = tensor_like(a), tensor_like(b)
    right = as_column(b) if b.ndim == 1 else b if left else _turned(b)
    # x A = b is Aᵀ xᵀ = bᵀ.
    x = triangular_op(a, right, lower=not upper, transpose=transpose == left, unit=unit_diagonal)
    return narrowed(reshape_op(x, shape=x.shape[:-1]) if b.ndim == 1 else x if left else transposed(x), a, b)


def _turned(b: Any) -> Any:
    return transposed(b) if b.ndim > 1 else b


# ── square systems ──────────────────────────────────────────────────────────────────────────────────────────


def _in_order(x: Any, order: Any) -> Any:
    """The rows of ``x`` in this order, leading axes broadcast."""
    batch = broadcast_shapes(order.shape[:-1], x.shape[:-2])
    x, order = jnp.broadcast_to(x, (*batch, *x.shape[-2:])), jnp.broadcast_to(order, (*batch, order.shape[-1]))
    return jnp.take_along_axis(x, order[..., None], -2)


def _solve_lower(a: Any, b: Any, *, transpose: bool) -> Any:
    """By P A = L U. A solve with A and one with Aᵀ in one program share the factors."""
    factors, _, order = lax.linalg.lu(a)
    if transpose:
        x = _triangular(factors, b, lower=False, transpose=True, unit=False)
        x = _triangular(factors, x, lower=True, transpose=True, unit=True)
        return _in_order(x, jnp.argsort(order))
    x = _triangular(factors, _in_order(b, order), lower=True, transpose=False, unit=True)
    return _triangular(factors, x, lower=False, transpose=False, unit=False)


def _solve_vjp(g: Any, x: Any, a: Any, b: Any, *, transpose: bool) -> tuple[Any, Any]:
    gb = solve_op(a, g, transpose=not transpose)
    return -(x @ transposed(gb) if transpose else gb @ transposed(x)), gb


solve_op: Op = Op(  # X of A X = B, or of Aᵀ X = B
    "solve",
    shape=lambda a, b, **_: _solved("solve", a, b),
    takes=precise,
    lower=_solve_lower,
    vjp=_solve_vjp,
)
inv_op = Op(
    "inv",
    shape=square_to("inv", 0),
    takes=precise,
    lower=lambda x: _solve_lower(x, jnp.eye(x.shape[-1], dtype=x.dtype), transpose=False),
    vjp=lambda g, y, x: (-(transposed(y) @ g @ transposed(y)),),
)


def solve(x1: Any, x2: Any, /) -> Any:
    """X of x1 · x = x2, for square matrices x1 (…, n, n) and x2 one vector (n,) or matrices (…, n, k).

    By LU with row exchanges; a singular matrix gives infinities or NaN.

    >>> from weft import linalg
    >>> linalg.solve([[2.0, 1.0], [1.0, 3.0]], [4.0, 7.0]).tolist()
    [1.0, 2.0]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    x = solve_op(a, as_column(b) if b.ndim == 1 else b, transpose=False)
    return narrowed(reshape_op(x, shape=x.shape[:-1]) if b.ndim == 1 else x, a, b)


def inv(x: Any, /) -> Any:
    """The inverse x⁻¹ of square matrices (…, n, n); a singular one gives infinities or NaN.

    To solve a system, `solve` is faster and more accurate than a product with the inverse.

    >>> from weft import linalg
    >>> linalg.inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    x = tensor_like(x)
    return narrowed(inv_op(x), x)
