"""Determinants, and cofactors, which are their derivative."""

from __future__ import annotations

from typing import Any, NamedTuple

from weft.graph.function import zero_like
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.conversion import as_real, imag
from weft.ops.engine import jnp, lax
from weft.ops.matrices import as_scalar, narrowed, precise, square_to, transposed
from weft.ops.reduction import sum_op
from weft.ops.solvers import inv_op


class SlogdetResult(NamedTuple):
    """A determinant as sign · exp(logabsdet)."""

    sign: Any
    logabsdet: Any


def _pivots(x: Any) -> tuple[Any, Any]:
    """The diagonal of U and the sign of P, for P x = L U."""
    factors, exchanges, _ = lax.linalg.lu(x)
    swaps = jnp.sum(exchanges != jnp.arange(x.shape[-1], dtype=exchanges.dtype), axis=-1)
    return jnp.diagonal(factors, 0, -2, -1), (1 - 2 * (swaps % 2)).astype(x.dtype)


def _det_lower(x: Any) -> Any:
    pivots, sign = _pivots(x)
    return jnp.prod(pivots, axis=-1) * sign


def _slogdet_lower(x: Any) -> tuple[Any, Any]:
    pivots, sign = _pivots(x)
    return jnp.prod(jnp.sign(pivots), axis=-1) * sign, jnp.sum(jnp.log(jnp.abs(pivots)), axis=-1)


def _cofactor_lower(x: Any) -> Any:
    """det(x) · x⁻ᵀ. A pivot that is 0 counts as tiny: the product is finite, and right up to rounding."""
    factors, _, order = lax.linalg.lu(x)
    pivots, sign = _pivots(x)
    size = jnp.max(jnp.abs(pivots), axis=-1, keepdims=True, initial=0)
    tiny = jnp.finfo(x.dtype).eps * jnp.where(size == 0, 1, size)
    filled = jnp.where(pivots == 0, tiny.astype(x.dtype), pivots)
    n = x.shape[-1]
    factors = jnp.where(jnp.eye(n, dtype="bool"), filled[..., None, :], factors)
    # x⁻ᵀ = Pᵀ L⁻ᵀ U⁻ᵀ, and the rows of what Pᵀ multiplies go back to their places.
    kind = {"left_side": True, "transpose_a": True}
    y = jnp.broadcast_to(jnp.eye(n, dtype=x.dtype), x.shape)
    y = lax.linalg.triangular_solve(factors, y, lower=False, **kind)
    y = lax.linalg.triangular_solve(factors, y, lower=True, unit_diagonal=True, **kind)
    y = jnp.take_along_axis(y, jnp.argsort(order)[..., None], -2)
    return y * (jnp.prod(filled, axis=-1) * sign)[..., None, None]


def _cofactor_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    inverse = transposed(inv_op(x))
    along = sum_op(g * y, axis=(x.ndim - 2, x.ndim - 1), keepdims=True)
    return (along * inverse - inverse @ transposed(g) @ y,)


def _slogdet_vjp(g: Any, _: Any, x: Any) -> tuple[Any]:
    """The logarithm moves by tr(x⁻¹ dx): the real part is that of the size, the imaginary one turns the sign."""
    of_sign, of_log = g
    total = of_log
    if of_sign is not None and x.dtype.kind == "complex":
        turn = imag(of_sign * slogdet_op(x)[0]) * 1j
        total = turn if of_log is None else turn + of_log
    return (zero_like(x.node) if total is None else as_scalar(total) * transposed(inv_op(x)),)


def _sign_and_size(x: Spec) -> tuple[Spec, Spec]:
    sign = square_to("slogdet", 2)(x)
    return sign, as_real(sign)


cofactor_op: Op = Op(
    "cofactor", shape=square_to("cofactor", 0), takes=precise, lower=_cofactor_lower, vjp=_cofactor_vjp
)
det_op = Op(
    "det",
    shape=square_to("det", 2),
    takes=precise,
    lower=_det_lower,
    vjp=lambda g, y, x: (as_scalar(g) * cofactor_op(x),),
)
slogdet_op: Op = Op("slogdet", shape=_sign_and_size, takes=precise, lower=_slogdet_lower, vjp=_slogdet_vjp)


def det(x: Any, /) -> Any:
    """The determinant of square matrices (…, n, n).

    Its gradient is the matrix of cofactors, det(x) · x⁻ᵀ where there is an inverse; a singular matrix has that
    gradient too, but no second one: NaN.

    >>> from weft import linalg
    >>> float(linalg.det([[2.0, 1.0], [1.0, 3.0]]))
    5.0
    """
    x = tensor_like(x)
    return narrowed(det_op(x), x)


def slogdet(x: Any, /) -> SlogdetResult:
    """The sign of a determinant and the logarithm of its size, which neither overflows nor underflows.

    The sign of a complex determinant is det / |det|; a singular matrix gives 0 and −∞.

    >>> from weft import linalg
    >>> sign, size = linalg.slogdet([[0.0, 1.0], [1.0, 0.0]])
    >>> float(sign), float(size)
    (-1.0, 0.0)
    """
    x = tensor_like(x)
    return SlogdetResult(*narrowed(slogdet_op(x), x))
