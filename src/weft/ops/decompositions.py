"""Matrices as products of triangular and orthogonal ones: Cholesky and QR."""

from __future__ import annotations

from typing import Any, NamedTuple

from weft.errors import ArgumentError, GradientError
from weft.graph.function import zero_like
from weft.graph.op import Op, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.comparison import where
from weft.ops.creation import triangle_op
from weft.ops.engine import lax
from weft.ops.matrices import (
    adjoint,
    check_matrix,
    columns,
    conjugate,
    identity_mask,
    narrowed,
    precise,
    square_to,
    textbook,
)
from weft.ops.shape import concat_op
from weft.ops.solvers import triangular_op


class QRResult(NamedTuple):
    """x = Q R."""

    Q: Any
    R: Any


# ── Cholesky ────────────────────────────────────────────────────────────────────────────────────────────────


def _half(x: Any) -> Any:
    """The lower triangle, with half of the diagonal: what of a Hermitian matrix one factor takes."""
    return triangle_op(x, k=0, lower=True) * where(identity_mask(x.shape[-1]), 0.5, 1)


@textbook
def _cholesky_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    """(S + Sᴴ)/2 with S = L⁻ᴴ half(Lᴴ G) L⁻¹ (Murray 2016, arXiv:1602.07527)."""
    bar = conjugate(y)
    left = triangular_op(bar, _half(adjoint(y) @ g), lower=True, transpose=True, unit=False)
    s = triangular_op(bar, adjoint(left), lower=True, transpose=True, unit=False)
    return ((s + adjoint(s)) / 2,)


cholesky_op = Op(
    "cholesky",
    shape=square_to("cholesky", 0),
    takes=precise,
    lower=lambda x: lax.linalg.cholesky(x, symmetrize_input=True),
    vjp=_cholesky_vjp,
)


def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The lower triangle L of L Lᴴ = x (or the ``upper`` one Lᴴ), for positive definite matrices (…, n, n).

    What is decomposed is the Hermitian part (x + xᴴ)/2; one that is not positive definite gives NaN.

    >>> from weft import linalg
    >>> linalg.cholesky([[4.0, 2.0], [2.0, 5.0]]).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    x = tensor_like(x)
    factor = cholesky_op(x)
    return narrowed(adjoint(factor) if upper else factor, x)


# ── QR ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _qr(x: Spec, *, complete: bool) -> tuple[Spec, Spec]:
    check_matrix("qr", x)
    *batch, m, n = x.shape
    k = m if complete else min(m, n)
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


@textbook
def _qr_vjp(g: Any, _: Any, x: Any, *, complete: bool) -> tuple[Any]:
    m, n = x.shape[-2:]
    if complete and m > n:
        raise GradientError(
            f"the gradient of qr(mode='complete') of matrices of {m} rows and {n} columns",
            expected="mode='reduced': the last columns of a complete Q are not determined by the matrix",
            cure="wf.linalg.qr(x)",
        )
    q, r = qr_op(x, complete=False)
    gq, gr = (zero_like(y.node) if part is None else part for y, part in zip((q, r), g, strict=True))
    if m >= n:
        return (_tall_qr(gq, gr, q, r),)
    # x = (a b) with a square: q and the first part of r come from a alone, the rest of r is qᴴ b.
    b, gb = columns(x, m, n), columns(gr, m, n)
    ga = _tall_qr(gq + b @ adjoint(gb), columns(gr, 0, m), q, columns(r, 0, m))
    return (concat_op(ga, q @ gb, axis=x.ndim - 1),)


def _tall_qr(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """(G_Q + Q C) R⁻ᴴ where C is Hermitian with the upper triangle of R G_Rᴴ − G_Qᴴ Q mirrored from its lower one."""
    inner = r @ adjoint(gr) - adjoint(gq) @ q
    half = _half(inner)
    mirrored = half + adjoint(half)
    return adjoint(triangular_op(r, adjoint(gq + q @ mirrored), lower=False, transpose=False, unit=False))


qr_op: Op = Op(
    "qr",
    shape=_qr,
    takes=precise,
    lower=lambda x, *, complete: tuple(lax.linalg.qr(x, full_matrices=complete)),
    vjp=_qr_vjp,
)


def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """X = Q R with orthonormal columns in Q and an upper triangle R, for matrices (…, m, n).

    With k = min(m, n), ``mode="reduced"`` gives Q (…, m, k) and R (…, k, n); "complete" Q (…, m, m), R (…, m, n).
    The gradient needs the first k columns to be independent.

    >>> from weft import linalg
    >>> q, r = linalg.qr([[3.0, 0.0], [4.0, 5.0]])
    >>> abs(round(float(r[0, 0]), 3)), [n.shape for n in (q, r)]
    (5.0, [(2, 2), (2, 2)])
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr with mode={mode!r}", expected="'reduced' or 'complete'", where=whereabouts())
    x = tensor_like(x)
    return QRResult(*narrowed(qr_op(x, complete=mode == "complete"), x))
