"""Products, decompositions, norms."""

from __future__ import annotations

from typing import Any

import weft as wf
from weft import linalg

from .bridge import Mapped
from .words import as_axis, as_row


def scaled_sum(product: Any) -> Any:
    """beta · x + alpha · product(a, b)."""

    def call(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        made = product(a, b) * alpha if alpha != 1 else product(a, b)
        return made + x * beta if beta != 0 else made + wf.zeros_like(x)

    return call


def matrix_norm(x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    x = x if dtype is None else x.astype(dtype)
    dim = tuple(d % x.ndim for d in dim)
    made = linalg.matrix_norm(wf.moveaxis(x, dim, (-2, -1)), ord=ord)
    for d in sorted(dim) if keepdim else ():
        made = wf.expand_dims(made, axis=d)
    return made


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    x = x if dtype is None else x.astype(dtype)
    if x.ndim == 0:
        return linalg.vector_norm(as_row(x), ord=ord)
    return linalg.vector_norm(x, axis=as_axis(dim), keepdims=keepdim, ord=ord)


def norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """PyTorch's linalg.norm: of vectors or matrices, by what is asked."""
    dim = (dim,) if isinstance(dim, int) else dim
    if ord is None and dim is None:
        return vector_norm(x, 2, None, keepdim, dtype=dtype)
    dim = tuple(range(x.ndim)) if dim is None else tuple(dim)
    if len(dim) == 2 and ord is not None:
        return matrix_norm(x, ord, dim, keepdim, dtype=dtype)
    return vector_norm(x, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def old_norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if p == "nuc":
        return matrix_norm(x, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(x, 2 if p == "fro" else p, dim, keepdim, dtype=dtype)


def symmetric(x: Any) -> Any:
    """Samples of hermitian operators are not; which half counts is a convention."""
    return (x + x.mT.conj()) / 2


def triangular(a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """PyTorch also broadcasts the stacks of matrices."""
    lead = wf.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (wf.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    return linalg.solve_triangular(a, b, upper=upper, unit_diagonal=unitriangular, left=left)


def solve(a: Any, b: Any, *, left: bool = True) -> Any:
    """PyTorch lets a stack of vectors pass, and solves from the right."""
    vectors = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    columns = wf.expand_dims(b, axis=-1) if vectors else b
    if not left:
        return linalg.solve(a.mT, columns.mT).mT if not vectors else linalg.solve(a.mT, columns)[..., 0]
    made = linalg.solve(a, columns)
    return made[..., 0] if vectors else made


def cholesky(x: Any, upper: bool = False) -> Any:
    return linalg.cholesky(x, upper=upper)


def cholesky_solve(b: Any, u: Any, upper: bool = False) -> Any:
    if upper:
        return triangular(u, triangular(wf.conj(u.mT), b, upper=False), upper=True)
    return triangular(wf.conj(u.mT), triangular(u, b, upper=False), upper=True)


def multi_dot(xs: Any) -> Any:
    made = xs[0]
    for x in xs[1:]:
        made = made @ x
    return made


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    return wf.tensordot(a, b, axes=dims)


def abs_of(*places: int) -> Any:
    def see(result: Any) -> Any:
        return tuple(abs(part) if k in places else part for k, part in enumerate(tuple(result)))

    return see


def cross(a: Any, b: Any, dim: Any = None) -> Any:
    if dim is None:
        dim = next(k for k, n in enumerate(a.shape) if n == 3)
    rank = max(a.ndim, b.ndim)
    return linalg.cross(a, b, axis=dim if dim < 0 else dim - rank)


def svd(x: Any, full_matrices: bool = True, **_: Any) -> Any:
    return tuple(linalg.svd(x, full_matrices=full_matrices))


def rank(x: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    return linalg.matrix_rank(x, rtol=rtol)


FULL = {
    "the gradient of a full basis, part of which the matrix does not determine: refused": lambda x, *a, **k: (
        x.shape[-1] != x.shape[-2] and (k.get("full_matrices", True) if "some" not in k else not k["some"])
    )
}
ABSOLUTE = {
    "a rank by an absolute tolerance: Weft's is relative, as the Array API's": lambda x, *a, **k: (
        bool(a) or k.get("atol") is not None
    )
}

OPERATORS = {
    "addmm": scaled_sum(wf.matmul),
    "addmm.decomposed": scaled_sum(wf.matmul),
    "addmv": scaled_sum(wf.matmul),
    "addr": scaled_sum(wf.outer),
    "baddbmm": scaled_sum(wf.matmul),
    "addbmm": scaled_sum(lambda a, b: wf.sum(a @ b, axis=0)),
    "bmm": wf.matmul,
    "dot": lambda a, b: wf.tensordot(a, b, axes=1),
    "vdot": wf.vecdot,
    "mm": wf.matmul,
    "mv": wf.matmul,
    "matmul": wf.matmul,
    "outer": wf.outer,
    "inner": lambda a, b: a * b if a.ndim == 0 or b.ndim == 0 else wf.tensordot(a, b, axes=((-1,), (-1,))),
    "tensordot": Mapped(
        tensordot, skip={"axes of size 1 that PyTorch stretches": lambda a, b, dims=2: a.shape == (1, 1, 1)}
    ),
    "einsum": lambda operands, equation: wf.einsum(equation, *operands),
    "cross": cross,
    "linalg.cross": lambda a, b, *, dim=-1: cross(a, b, dim),
    "linalg.vecdot": lambda a, b, *, dim=-1: wf.vecdot(a, b, axis=dim if dim < 0 else dim - max(a.ndim, b.ndim)),
    "linalg.multi_dot": multi_dot,
    "trace": linalg.trace,
    "linalg.det": linalg.det,
    "logdet": lambda x: wf.where(linalg.slogdet(x)[0] < 0, wf.nan, linalg.slogdet(x)[1]),
    "linalg.slogdet": lambda x: tuple(linalg.slogdet(x)),
    "linalg.inv": linalg.inv,
    "linalg.inv_ex": Mapped(lambda x, *, check_errors=False: (linalg.inv(x),), see=(None, lambda r: (r[0],))),
    "linalg.solve": solve,
    "linalg.solve_ex": Mapped(
        lambda a, b, *, left=True, check_errors=False: (solve(a, b, left=left),), see=(None, lambda r: (r[0],))
    ),
    "linalg.solve_triangular": triangular,
    "triangular_solve": Mapped(
        lambda b, a, upper=True, transpose=False, unitriangular=False: (
            triangular(a.mT if transpose else a, b, upper=upper != transpose, unitriangular=unitriangular),
        ),
        see=(None, lambda r: (r[0],)),
    ),
    "cholesky": Mapped(cholesky, prepare=symmetric),
    "linalg.cholesky": Mapped(lambda x, *, upper=False: cholesky(x, upper), prepare=symmetric),
    "linalg.cholesky_ex": Mapped(
        lambda x, *, upper=False, check_errors=False: (cholesky(x, upper),),
        see=(None, lambda r: (r[0],)),
        prepare=symmetric,
    ),
    # PyTorch's gradients also fill the triangle that is not read.
    "cholesky_solve": Mapped(cholesky_solve, gradients=False),
    "cholesky_inverse": Mapped(
        lambda x, upper=False: cholesky_solve(wf.eye(x.shape[-1], dtype=x.dtype), x, upper), gradients=False
    ),
    "linalg.matrix_power": linalg.matrix_power,
    "matrix_exp": Mapped(linalg.expm, dtype="float64"),  # elements of 1e4 next to 1e-1 leave float32 two digits
    "linalg.matrix_norm": matrix_norm,
    "linalg.vector_norm": vector_norm,
    "linalg.norm": norm,
    "linalg.norm.subgradients_at_zero": Mapped(
        norm,
        skip={
            "norms of singular values at 0, which have many subgradients": lambda x, *a, **_: (
                a[:1] in (("nuc",), (2,), (-2,)) and (x.ndim == 2 or isinstance(a[-1], tuple))
            )
        },
    ),
    "norm": old_norm,
    "norm.nuc": old_norm,
    "norm.fro": old_norm,
    "norm.inf": old_norm,
    "dist": lambda x, y, p=2: linalg.vector_norm(x - y, ord=p),
    "linalg.pinv": lambda x, *a, **k: linalg.pinv(x),
    "linalg.pinv.hermitian": Mapped(lambda x, *a, **k: linalg.pinv(x), prepare=symmetric),
    "pinverse": lambda x, rcond=1e-15: linalg.pinv(x, rtol=rcond),
    "linalg.matrix_rank": Mapped(rank, skip=ABSOLUTE),
    "linalg.matrix_rank.hermitian": Mapped(rank, prepare=symmetric, skip=ABSOLUTE),
    "linalg.svdvals": lambda x, **_: linalg.svdvals(x),
    "linalg.eigvalsh": Mapped(lambda x, UPLO="L": linalg.eigvalsh(x), prepare=symmetric),
    "linalg.eigh": Mapped(lambda x, UPLO="L": tuple(linalg.eigh(x)), see=abs_of(1), prepare=symmetric),
    "linalg.eigvals": Mapped(
        lambda x: linalg.eigvals(x), gradients=False, see=(lambda v: wf.sort(wf.abs(v)), lambda v: v.abs().sort(-1)[0])
    ),
    "linalg.eig": Mapped(
        lambda x: linalg.eig(x)[0],
        gradients=False,
        see=(lambda v: wf.sort(wf.abs(v)), lambda r: r[0].abs().sort(-1)[0]),
    ),
    "linalg.svd": Mapped(svd, see=abs_of(0, 2), skip=FULL),
    "svd": Mapped(
        lambda x, some=True, compute_uv=True: svd(x, full_matrices=not some) if compute_uv else (linalg.svdvals(x),),
        see=(lambda r: tuple(abs(p) for p in r), lambda r: (r[0].abs(), r[1].abs(), r[2].mH.abs())),
        skip=FULL,
    ),
    "linalg.qr": Mapped(lambda x, mode="reduced": tuple(linalg.qr(x, mode=mode)), see=abs_of(0, 1)),
    "qr": Mapped(lambda x, some=True: tuple(linalg.qr(x, mode="reduced" if some else "complete")), see=abs_of(0, 1)),
    "linalg.lstsq": Mapped(lambda a, b, driver=None: (linalg.lstsq(a, b)[0],), see=(None, lambda r: (r[0],))),
    "linalg.lstsq.grad_oriented": Mapped(
        lambda a, b, driver=None: (linalg.lstsq(a, b)[0],), see=(None, lambda r: (r[0] if isinstance(r, tuple) else r,))
    ),
}
