"""Singular values and vectors."""

from __future__ import annotations

from typing import Any, NamedTuple

from weft.errors import GradientError
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.comparison import where
from weft.ops.conversion import as_real, imag
from weft.ops.engine import lax
from weft.ops.matrices import (
    adjoint,
    as_column,
    as_row,
    check_matrix,
    columns,
    diagonal_op,
    identity_mask,
    lay_diagonal_op,
    narrowed,
    precise,
    textbook,
)


class SVDResult(NamedTuple):
    """x = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


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
    u = columns(u, 0, k)
    v = columns(adjoint(vh), 0, k)
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


def _values(x: Spec) -> Spec:
    check_matrix("svdvals", x)
    return as_real(Spec((*x.shape[:-2], min(x.shape[-2:])), x.dtype))


@textbook
def _svdvals_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    u, s, vh = svd_op(x, full=False)
    return (u * as_row(where(s == 0, 0, g)) @ vh,)  # |s| has a kink at 0: there the sub-gradient 0


svdvals_op = Op(
    "svdvals",
    shape=_values,
    takes=precise,
    lower=lambda x: lax.linalg.svd(x, compute_uv=False),
    vjp=_svdvals_vjp,
)


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
