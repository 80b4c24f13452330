"""Eigenvalues and eigenvectors: of Hermitian matrices, and of any."""

from __future__ import annotations

from typing import Any, NamedTuple

from weft.errors import DeviceError
from weft.graph.dtype import complex64, complex128, float32, float64
from weft.graph.lowering import lowering
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.comparison import where
from weft.ops.conversion import as_real, real
from weft.ops.engine import jnp
from weft.ops.matrices import (
    adjoint,
    as_column,
    as_row,
    conjugate,
    diagonal_op,
    identity_mask,
    lay_diagonal_op,
    narrowed,
    precise,
    square_to,
    textbook,
)
from weft.ops.solvers import solve_op

_COMPLEX = {float32: complex64, float64: complex128}


class EighResult(NamedTuple):
    """Eigenvalues, rising, and eigenvectors in the columns, of Hermitian matrices."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues, in no order, and eigenvectors in the columns."""

    eigenvalues: Any
    eigenvectors: Any


def _gaps(w: Any) -> Any:
    """λⱼ − λᵢ at row i and column j, and 1 on the diagonal."""
    return where(identity_mask(w.shape[-1]), 1, as_row(w) - as_column(w))


def _lay(d: Any) -> Any:
    return lay_diagonal_op(d, offset=0, shape=(d.shape[-1], d.shape[-1]))


def _without_diagonal(x: Any) -> Any:
    return where(identity_mask(x.shape[-1]), 0, x)


# ── Hermitian matrices ──────────────────────────────────────────────────────────────────────────────────────


@textbook
def _eigh_vjp(g: Any, _: Any, x: Any) -> tuple[Any]:
    """V (diag(g) + (Vᴴ G) / gaps) Vᴴ, and of that the Hermitian part, as only that of x counts."""
    gw, gv = g
    w, v = eigh_op(x)
    inner = None if gw is None else _lay(gw)
    if gv is not None:
        turning = _without_diagonal(adjoint(v) @ gv) / _gaps(w)
        inner = turning if inner is None else turning + inner
    found = v @ inner @ adjoint(v)
    return ((found + adjoint(found)) / 2,)


def _eigh(x: Spec) -> tuple[Spec, Spec]:
    values, vectors = square_to("eigh", 1, 0)(x)
    return as_real(values), vectors


eigh_op: Op = Op("eigh", shape=_eigh, takes=precise, lower=lambda x: tuple(jnp.linalg.eigh(x)), vjp=_eigh_vjp)


@textbook
def _eigvalsh_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    v = eigh_op(x)[1]
    return (v * as_row(g) @ adjoint(v),)


eigvalsh_op = Op(
    "eigvalsh",
    shape=lambda x: as_real(square_to("eigvalsh", 1)(x)),
    takes=precise,
    lower=jnp.linalg.eigvalsh,
    vjp=_eigvalsh_vjp,
)


def eigh(x: Any, /) -> EighResult:
    """Eigenvalues w, rising, and orthonormal eigenvectors V of Hermitian matrices (…, n, n): x V = V diag(w).

    What is decomposed is the Hermitian part (x + xᴴ)/2. Vectors are determined up to a sign (a phase): their
    gradient is right for what does not depend on that, and needs eigenvalues that differ.

    >>> from weft import linalg
    >>> linalg.eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues.tolist()
    [1.0, 2.0]
    """
    x = tensor_like(x)
    return EighResult(*narrowed(eigh_op(x), x))


def eigvalsh(x: Any, /) -> Any:
    """The eigenvalues of Hermitian matrices (…, n, n), rising; their gradient needs no gaps between them.

    >>> from weft import linalg
    >>> linalg.eigvalsh([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [1.0, 2.0]
    """
    x = tensor_like(x)
    return narrowed(eigvalsh_op(x), x)


# ── any square matrices ─────────────────────────────────────────────────────────────────────────────────────


def _complex(spec: Spec) -> Spec:
    return Spec(spec.shape, _COMPLEX.get(spec.dtype, spec.dtype))


def _eig(x: Spec) -> tuple[Spec, Spec]:
    values, vectors = square_to("eig", 1, 0)(x)
    return _complex(values), _complex(vectors)


def _where_possible(name: str) -> Any:
    def lower(x: Any) -> Any:
        if lowering.platform not in ("cpu", "gpu"):
            raise DeviceError(
                f"{name} of matrices on the {lowering.platform}",
                expected="the CPU: no other device has general eigenvalues",
                cure='x.to("cpu"), or wf.linalg.eigh for Hermitian matrices',
            )
        found = getattr(jnp.linalg, name)(x)
        return tuple(found) if name == "eig" else found

    return lower


@textbook
def _eig_vjp(g: Any, _: Any, x: Any) -> tuple[Any]:
    """V⁻ᴴ (diag(g) + (Vᴴ G − Vᴴ V diag(Re Vᴴ G)) / conj(gaps)) Vᴴ, for vectors of length 1 (Boeddeker 2017)."""
    gw, gv = g
    w, v = eig_op(x)
    inner = None if gw is None else _lay(gw)
    if gv is not None:
        along = adjoint(v) @ gv
        lengths = as_row(real(diagonal_op(along, offset=0)))
        turning = _without_diagonal(along - adjoint(v) @ (v * lengths)) / conjugate(_gaps(w))
        inner = turning if inner is None else turning + inner
    return (solve_op(conjugate(v), inner @ adjoint(v), transpose=True),)


@textbook
def _eigvals_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    v = eig_op(x)[1]
    return (solve_op(conjugate(v), as_column(g) * adjoint(v), transpose=True),)


eig_op: Op = Op("eig", shape=_eig, takes=precise, lower=_where_possible("eig"), vjp=_eig_vjp)
eigvals_op = Op(
    "eigvals",
    shape=lambda x: _complex(square_to("eigvals", 1)(x)),
    takes=precise,
    lower=_where_possible("eigvals"),
    vjp=_eigvals_vjp,
)


def eig(x: Any, /) -> EigResult:
    """Eigenvalues w and eigenvectors V of length 1 of square matrices (…, n, n): x V = V diag(w); both complex.

    On the CPU, and on a GPU where its driver library has it. The gradient needs eigenvalues that differ, and is
    right for what does not depend on the phases of the vectors.

    >>> from weft import linalg
    >>> sorted(linalg.eig([[0.0, 1.0], [-1.0, 0.0]]).eigenvalues.imag.tolist())
    [-1.0, 1.0]
    """
    return EigResult(*eig_op(tensor_like(x)))


def eigvals(x: Any, /) -> Any:
    """The eigenvalues of square matrices (…, n, n), complex and in no order.

    >>> from weft import linalg
    >>> sorted(linalg.eigvals([[0.0, 1.0], [-1.0, 0.0]]).imag.tolist())
    [-1.0, 1.0]
    """
    return eigvals_op(tensor_like(x))
