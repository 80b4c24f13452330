"""What rests on singular values that count as zero: the pseudo-inverse, least squares and the rank."""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes

from weft.errors import ShapeError
from weft.graph.dtype import DType, int64
from weft.graph.op import Casts, Kind, Op, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.conversion import REAL, conj, real
from weft.ops.creation import zeros
from weft.ops.engine import jnp, lax
from weft.ops.matrices import adjoint, as_column, check_matrix, narrowed, precise, textbook
from weft.ops.reduction import sum_op
from weft.ops.rules import broadcast_shapes
from weft.ops.shape import reshape_op, slice_op
from weft.ops.singular import svdvals_op


class LstsqResult(NamedTuple):
    """Least squares: the solution, ‖b − a·x‖² of each right side, and what is known of ``a``."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def default_rtol(shape: tuple[int, ...], dtype: DType) -> float:
    """The share of the largest singular value below which one counts as zero: max(m, n) · ε."""
    return max(shape[-2:]) * float(ml_dtypes.finfo(dtype.numpy).eps)


def _takes(kinds: tuple[Kind, ...]) -> Casts:
    (wide,) = precise(kinds[:1])
    return (wide, REAL.get(wide, wide))  # type: ignore[arg-type]


def _pinv(x: Spec, rtol: Spec) -> Spec:
    check_matrix("pinv", x)
    *batch, m, n = x.shape
    if broadcast_shapes(tuple(batch), rtol.shape) != tuple(batch):
        raise ShapeError(
            f"pinv of matrices of shape {x.shape} with rtol of shape {rtol.shape}",
            expected=f"one number, or one for each matrix: {tuple(batch)}",
            where=whereabouts(),
        )
    return Spec((*batch, n, m), x.dtype)


def _pinv_lower(x: Any, rtol: Any) -> Any:
    u, s, vh = lax.linalg.svd(x, full_matrices=False)
    large = s > rtol[..., None] * jnp.max(s, axis=-1, keepdims=True, initial=0)
    inverse = jnp.where(large, 1 / jnp.where(large, s, 1), 0).astype(x.dtype)
    left = jnp.swapaxes(jnp.conj(vh), -1, -2) * inverse[..., None, :]
    return jnp.matmul(left, jnp.swapaxes(jnp.conj(u), -1, -2), precision="highest")


@textbook
def _pinv_vjp(g: Any, y: Any, x: Any, rtol: Any) -> tuple[Any, None]:
    """−Pᴴ G Pᴴ + (1 − X P) Gᴴ P Pᴴ + Pᴴ P Gᴴ (1 − P X): where the rank stays (Golub & Pereyra 1973)."""
    p, gh = adjoint(y), adjoint(g)
    outside = gh @ y @ p
    inside = p @ y @ gh
    return (outside - x @ (y @ outside)) + (inside - inside @ y @ x) - p @ g @ p, None


pinv_op = Op("pinv", shape=_pinv, takes=_takes, lower=_pinv_lower, vjp=_pinv_vjp)


def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """The pseudo-inverse (…, n, m) of matrices (…, m, n): of all X that make x·X nearest to 1, the smallest.

    Singular values below ``rtol`` times the largest count as zero, by default max(m, n) · ε. The gradient holds
    as long as the rank stays what it is.

    >>> from weft import linalg
    >>> linalg.pinv([[2.0, 0.0], [0.0, 0.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    x = tensor_like(x)
    check_matrix("pinv", x.node.spec)
    return narrowed(pinv_op(x, default_rtol(x.shape, x.dtype) if rtol is None else rtol), x)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """How many singular values of each matrix (…, m, n) exceed ``rtol`` times the largest, as int64.

    >>> from weft import linalg
    >>> int(linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    x = tensor_like(x)
    check_matrix("matrix_rank", x.node.spec)
    return _rank(svdvals_op(x), default_rtol(x.shape, x.dtype) if rtol is None else rtol)


def _rank(values: Any, rtol: Any) -> Any:
    if values.shape[-1] == 0:
        return zeros(values.shape[:-1], dtype=int64)
    largest = slice_op(values, bounds=(*((0, n, 1) for n in values.shape[:-1]), (0, 1, 1)))
    share = rtol if isinstance(rtol, float | int) else as_column(tensor_like(rtol))
    return sum_op(values > largest * share, axis=(values.ndim - 1,), keepdims=False)


def lstsq(a: Any, b: Any, /, *, rtol: Any = None) -> LstsqResult:
    """The smallest x that makes ‖a·x − b‖² least, for any matrices a (…, m, n) and b one vector (m,) or (…, m, k).

    By the pseudo-inverse of ``a``, whose small singular values count as zero as in `pinv`.

    >>> from weft import linalg
    >>> x = linalg.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0]).solution
    >>> [round(n, 4) for n in x.tolist()]
    [1.0, 2.0]
    """
    a, b = tensor_like(a), tensor_like(b)
    check_matrix("lstsq", a.node.spec)
    vector = b.ndim == 1
    right = as_column(b) if vector else b
    if right.ndim < 2 or right.shape[-2] != a.shape[-2]:
        raise ShapeError(
            f"lstsq of matrices of shape {a.shape} and a right side of shape {b.shape}",
            expected=f"right sides of shape (m,) or (…, m, k), here with m = {a.shape[-2]}",
            where=whereabouts(),
        )
    share = default_rtol(a.shape, a.dtype) if rtol is None else rtol
    x = pinv_op(a, share) @ right
    rest = right - a @ x
    residuals = sum_op(real(conj(rest) * rest), axis=(rest.ndim - 2,), keepdims=False)
    if vector:
        x, residuals = (reshape_op(t, shape=t.shape[:-1]) for t in (x, residuals))
    values = svdvals_op(a)
    x, residuals = narrowed((x, residuals), a, b)
    return LstsqResult(x, residuals, _rank(values, share), narrowed(values, a))
