"""Matrices as products of simpler ones: Cholesky, QR and singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

from weft.errors import ArgumentError, GradientError
from weft.graph.function import zero_like
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.comparison import where
from weft.ops.conversion import as_real, imag
from weft.ops.creation import triangle_op
from weft.ops.engine import lax
from weft.ops.matrices import (
    adjoint,
    as_column,
    as_row,
    check_matrix,
    conjugate,
    diagonal_op,
    here,
    identity_mask,
    lay_diagonal_op,
    narrowed,
    precise,
    square_to,
    textbook,
)
from weft.ops.shape import concat_op, slice_op
from weft.ops.solvers import triangular_op


class QRResult(NamedTuple):
    """x = Q R."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """x = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


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


def _columns(x: Any, start: int, stop: int) -> Any:
    return slice_op(x, bounds=(*((0, n, 1) for n in x.shape[:-1]), (start, stop, 1)))


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
    b, gb = _columns(x, m, n), _columns(gr, m, n)
    ga = _tall_qr(gq + b @ adjoint(gb), _columns(gr, 0, m), q, _columns(r, 0, m))
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
        raise ArgumentError(f"qr with mode={mode!r}", expected="'reduced' or 'complete'", where=here())
    x = tensor_like(x)
    return QRResult(*narrowed(qr_op(x, complete=mode == "complete"), x))


# ── singular values ─────────────────────────────────────────────────────────────────────────────────────────


def _svd(x: Spec, *, full: bool) -> tuple[Spec, Spec, Spec]:
    check_matrix("svd", x)
    *batch, m, n = x.shape
    k = min(m, n)
    values = as_real(Spec((*batch, k), x.dtype))
    return Spec((*batch, m, m if full else k), x.dtype), values, Spec((*batch, n if full else k, n), x.dtype)


@textbook
def _svd_vjp(g: Any, _: Any, x: Any, *, full: bool) -> tuple[Any]:
    gu, gs, gvh = g
    m, n = x.shape[-2:]
    k = min(m, n)
    if full and ((gu is not None and m > n) or (gvh is not None and n > m)):
        raise GradientError(
            f"the gradient of the vectors of svd(full_matrices=True) of matrices of {m} rows and {n} columns",
            expected="full_matrices=False: the last vectors of a full basis are not determined by the matrix",
            cure="wf.linalg.svd(x, full_matrices=False)",
        )
    u, s, vh = svd_op(x, full=full)
    u = _columns(u, 0, k)
    v = _columns(adjoint(vh), 0, k)
    gv = None if gvh is None else adjoint(gvh)
    total = None if gs is None else lay_diagonal_op(gs, offset=0, shape=(k, k))
    total = _add(total, _turning(u, s, v, gu, gv))
    found = u @ total @ adjoint(v)
    if gu is not None and m > k:  # the part of gu outside of the columns of u
        found = found + (gu - u @ (adjoint(u) @ gu)) / as_row(s) @ adjoint(v)
    if gv is not None and n > k:
        found = found + u @ adjoint((gv - v @ (adjoint(v) @ gv)) / as_row(s))
    return (found,)


def _turning(u: Any, s: Any, v: Any, gu: Any, gv: Any) -> Any:
    """What the cotangents of the vectors give, in the basis of the vectors (Townsend 2016)."""
    if gu is None and gv is None:
        return None
    off = identity_mask(s.shape[-1])
    squares = s * s
    gaps = where(off, 1, as_row(squares) - as_column(squares))
    total = None
    if gu is not None:
        total = _add(total, _skew(adjoint(u) @ gu) / gaps * as_row(s))
    if gv is not None:
        total = _add(total, as_column(s) * (_skew(adjoint(v) @ gv) / gaps))
    if gu is not None and gu.dtype.kind == "complex":
        phase = imag(diagonal_op(adjoint(u) @ gu, offset=0)) / s * 1j
        total = total + lay_diagonal_op(phase, offset=0, shape=off.shape)
    return total


def _skew(x: Any) -> Any:
    """X − xᴴ without its diagonal."""
    return where(identity_mask(x.shape[-1]), 0, x - adjoint(x))


def _add(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


svd_op: Op = Op(
    "svd",
    shape=_svd,
    takes=precise,
    lower=lambda x, *, full: tuple(lax.linalg.svd(x, full_matrices=full)),
    vjp=_svd_vjp,
)


@textbook
def _svdvals_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    u, s, vh = svd_op(x, full=False)
    return (u * as_row(where(s == 0, 0, g)) @ vh,)  # |s| has a kink at 0: there the sub-gradient 0


svdvals_op = Op(
    "svdvals",
    shape=lambda x: _values(x),
    takes=precise,
    lower=lambda x: lax.linalg.svd(x, compute_uv=False),
    vjp=_svdvals_vjp,
)


def _values(x: Spec) -> Spec:
    check_matrix("svdvals", x)
    return as_real(Spec((*x.shape[:-2], min(x.shape[-2:])), x.dtype))


def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """X = U diag(S) Vh with orthonormal columns in U and rows in Vh, S ≥ 0 and falling, for matrices (…, m, n).

    U is (…, m, m) and Vh (…, n, n), without ``full_matrices`` (…, m, k) and (…, k, n) with k = min(m, n).
    Vectors are determined up to a sign (a phase): the gradient is right for what does not depend on that, and
    needs singular values that differ. Where they may be equal, `svdvals` has a gradient nevertheless.

    >>> from weft import linalg
    >>> linalg.svd([[0.0, 2.0], [3.0, 0.0]]).S.tolist()
    [3.0, 2.0]
    """
    x = tensor_like(x)
    return SVDResult(*narrowed(svd_op(x, full=full_matrices), x))


def svdvals(x: Any, /) -> Any:
    """The singular values of matrices (…, m, n), in falling order.

    >>> from weft import linalg
    >>> linalg.svdvals([[0.0, 2.0], [3.0, 0.0]]).tolist()
    [3.0, 2.0]
    """
    x = tensor_like(x)
    return narrowed(svdvals_op(x), x)
