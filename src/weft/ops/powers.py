"""Powers and the exponential of matrices."""

from __future__ import annotations

from operator import index
from typing import Any

from weft.errors import ArgumentError
from weft.graph.function import make, zero_like
from weft.graph.op import Op, tensor_like
from weft.graph.recording import whereabouts
from weft.ops.creation import eye
from weft.ops.engine import jnp, lax
from weft.ops.matrices import check_matrix, narrowed, precise, square_to, transposed
from weft.ops.shape import broadcast_to_op, concat_op, slice_op
from weft.ops.solvers import inv_op

# ── whole powers ────────────────────────────────────────────────────────────────────────────────────────────


def _power(x: Any, *, n: int) -> Any:
    """By squaring: about 2·log₂ n products."""
    check_matrix("matrix_power", x.node.spec, square=True)
    if n == 0:
        return broadcast_to_op(eye(x.shape[-1], dtype=x.dtype), shape=x.shape)
    square, n = (x, n) if n > 0 else (inv_op(x), -n)
    result = None
    while n:
        if n & 1:
            result = square if result is None else result @ square
        n >>= 1
        square = square @ square if n else square
    return result


matrix_power_op = make("matrix_power", _power, takes=precise)


def matrix_power(x: Any, n: int, /) -> Any:
    """The product of ``n`` square matrices x (…, k, k); for a negative n of their inverses, for 0 the identity.

    >>> from weft import linalg
    >>> linalg.matrix_power([[1.0, 1.0], [0.0, 1.0]], 5).tolist()
    [[1.0, 5.0], [0.0, 1.0]]
    """
    x = tensor_like(x)
    try:
        whole = index(n)
    except TypeError:
        raise ArgumentError(f"matrix_power with n={n!r}", expected="a whole number", where=whereabouts()) from None
    return narrowed(matrix_power_op(x, n=whole), x)


# ── the exponential ─────────────────────────────────────────────────────────────────────────────────────────

_DEGREE = 13
_REACH = 5.37  # up to this 1-norm the approximation of degree 13 is exact to rounding (Higham 2005)


def _pade() -> list[float]:
    """The coefficients of the [13/13] Padé approximant's numerator, the last one 1."""
    coefficients = [1.0]
    for k in range(_DEGREE, 0, -1):
        coefficients.insert(0, coefficients[0] * k * (2 * _DEGREE - k + 1) / (_DEGREE - k + 1))
    return coefficients


def _expm_lower(x: Any) -> Any:
    """Scale to a small norm, approximate by a quotient of polynomials, square back."""

    def times(a: Any, b: Any) -> Any:
        return jnp.matmul(a, b, precision="highest")

    norm = jnp.max(jnp.sum(jnp.abs(x), axis=-2), axis=-1, initial=0)
    squarings = jnp.clip(jnp.ceil(jnp.log2(norm / _REACH)), 0, 1100).astype("int32")[..., None, None]
    x = x * jnp.exp2(-squarings.astype(norm.dtype)).astype(x.dtype)
    c = _pade()
    one = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    x2 = times(x, x)
    x4 = times(x2, x2)
    x6 = times(x4, x2)
    odd = times(x6, c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one
    even = times(x6, c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
    u = times(x, odd)
    start = jnp.linalg.solve(even - u, even + u)

    def square(k: Any, y: Any) -> Any:
        return jnp.where(k < squarings, times(y, y), y)

    return lax.fori_loop(0, jnp.max(squarings, initial=0), square, start)


def _expm_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    """∫ exp(s xᵀ) g exp((1 − s) xᵀ) ds: a block of the exponential of [[xᵀ, g], [0, xᵀ]] (Van Loan 1978)."""
    n, turned = x.shape[-1], transposed(x)
    rows, columns = x.ndim - 2, x.ndim - 1
    upper = concat_op(turned, g, axis=columns)
    lower = concat_op(zero_like(g.node), turned, axis=columns)
    both = expm_op(concat_op(upper, lower, axis=rows))
    block = ((0, n, 1), (n, 2 * n, 1))
    return (slice_op(both, bounds=(*((0, m, 1) for m in x.shape[:-2]), *block)),)


expm_op: Op = Op("expm", shape=square_to("expm", 0), takes=precise, lower=_expm_lower, vjp=_expm_vjp)


def expm(x: Any, /) -> Any:
    """The exponential Σ xᵏ / k! of square matrices (…, n, n), by scaling, a Padé approximant and squaring.

    >>> from weft import linalg
    >>> linalg.expm([[0.0, 1.0], [0.0, 0.0]]).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    x = tensor_like(x)
    return narrowed(expm_op(x), x)
