"""Decompositions, solvers and determinants: real, and complex as functions of real and imaginary parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from weft import linalg
from weft.graph.function import make
from weft.graph.op import Op
from weft.ops import decompositions, determinants, eigen, matrices, powers, pseudoinverse, singular, solvers
from weft.ops.conversion import conj, imag, real

from ..contract import Sample, one

rng = np.random.default_rng(23)  # its own: a badly conditioned matrix has no accurate differences


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


SQUARE, TALL, WIDE = normal(3, 3) + 2 * np.eye(3), normal(2, 4, 3), normal(2, 3)
HERMITIAN = SQUARE + SQUARE.T + 5 * np.eye(3)
BATCH, RIGHT = normal(2, 3, 3) + 3 * np.eye(3), normal(3, 2)
SINGULAR = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.5, -1.0, 3.0]])

# ── complex functions as functions of real numbers, so that all their partial derivatives are checked ───────


def parts(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each array a real part, which it is, and a random imaginary one."""
    return tuple(part for x in arrays for part in (x, normal(*x.shape)))


def _joined(values: Any) -> list[Any]:
    return [re + 1j * im for re, im in zip(values[::2], values[1::2], strict=True)]


def _split(values: Any, real_of: Any, imag_of: Any) -> tuple[Any, ...]:
    split = []
    for y in values if isinstance(values, tuple) else (values,):
        split += [real_of(y), imag_of(y)] if y.dtype.kind in ("complex", "c") else [y]
    return tuple(split)


def in_parts(name: str, f: Callable[..., Any], like: Callable[..., Any], *arrays: np.ndarray) -> Sample:
    """``f`` of complex numbers as an op that takes and gives real and imaginary parts."""
    op: Op = make(f"{name} in parts", lambda *values: _split(f(*_joined(values)), real, imag))
    return one(op, *arrays, like=lambda *values: _split(like(*_joined(values)), np.real, np.imag))


# ── what is compared ────────────────────────────────────────────────────────────────────────────────────────
# Of eigenvectors and singular vectors, only what does not depend on their signs is a function of the matrix.


def cofactor(x: np.ndarray) -> np.ndarray:
    """By minors, so also for singular matrices."""

    def minor(i: int, j: int) -> float:
        return (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1))

    return np.array([[minor(i, j) for j in range(len(x))] for i in range(len(x))])


def rebuilt(x: np.ndarray) -> Callable[..., tuple[bool, ...]]:
    """A check that the factors multiply to ``x``; a vector among them is a diagonal."""

    def check(*factors: np.ndarray) -> tuple[bool, ...]:
        product = factors[0]
        for f in factors[1:]:
            product = product * f[..., None, :] if f.ndim < product.ndim else product[..., : f.shape[-2]] @ f
        np.testing.assert_allclose(product, x, atol=1e-12)
        return (True,) * len(factors)

    return check


def check_eigen(w: np.ndarray, v: np.ndarray) -> tuple[bool, bool]:
    np.testing.assert_allclose((v * w) @ v.T, HERMITIAN, atol=1e-12)
    return True, True


def check_eig(w: np.ndarray, v: np.ndarray) -> tuple[bool, bool]:
    np.testing.assert_allclose(SQUARE @ v, v * w, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(v, axis=0), 1)
    return True, True


def check_eigvals(w: np.ndarray) -> bool:
    return np.allclose(np.poly(w), np.poly(SQUARE), rtol=1e-12)


def unordered(values: Any, w: Any, v: Any) -> tuple[Any, Any]:
    """What of eigenvalues and eigenvectors does not depend on their order."""
    return (values**3).sum(), (v * w**2).sum(axis=-1)


def hermitian(x: np.ndarray) -> np.ndarray:
    return (x + x.conj().T) / 2


def sizes(pair: Any) -> tuple[Any, Any]:
    """Eigenvalues, and the squared sizes of the elements of eigenvectors."""
    w, v = pair
    return w, real(v * conj(v))


def sizes_like(pair: Any) -> tuple[np.ndarray, np.ndarray]:
    return pair[0], np.abs(pair[1]) ** 2


def turned(x: Any) -> tuple[Any, Any]:
    """The singular values, and U S² Vᴴ."""
    u, s, vh = singular.svd_op(x, full=False)
    return s, (u * matrices.as_row(s * s)) @ vh


def turned_like(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return s, (u * (s * s)[..., None, :]) @ vh


def full(u: Any, s: Any, vh: Any) -> tuple[bool, ...]:
    return rebuilt(TALL)(u[..., :3], s, vh)


SAMPLES = [
    one(matrices.diagonal_op, TALL, like=lambda x: np.diagonal(x, -1, -2, -1), offset=-1),
    one(
        matrices.lay_diagonal_op,
        WIDE,
        like=lambda x: np.stack([np.diag(row, -1)[:, :3] for row in x]),
        offset=-1,
        shape=(4, 3),
    ),
    one(
        solvers.triangular_op,
        BATCH,
        RIGHT,
        like=lambda a, b: np.linalg.solve(np.tril(a), b),
        lower=True,
        transpose=False,
        unit=False,
    ),
    one(
        solvers.triangular_op,
        SQUARE,
        normal(2, 3, 2),
        like=lambda a, b: np.linalg.solve((np.triu(a, 1) + np.eye(3)).T, b),
        lower=False,
        transpose=True,
        unit=True,
    ),
    one(solvers.solve_op, BATCH, RIGHT, like=np.linalg.solve, transpose=False),
    one(solvers.solve_op, SQUARE, normal(2, 3, 2), like=lambda a, b: np.linalg.solve(a.T, b), transpose=True),
    one(solvers.inv_op, SQUARE, like=np.linalg.inv),
    in_parts("solve", linalg.solve, np.linalg.solve, *parts(SQUARE, RIGHT)),
    one(determinants.det_op, BATCH, like=np.linalg.det),
    one(determinants.cofactor_op, SQUARE, like=cofactor),
    one(determinants.cofactor_op, SINGULAR, like=cofactor, smooth=False),
    one(determinants.slogdet_op, SQUARE, like=np.linalg.slogdet),
    in_parts(
        "det",
        lambda x: (linalg.det(x), *linalg.slogdet(x)),
        lambda x: (np.linalg.det(x), *np.linalg.slogdet(x)),
        *parts(SQUARE),
    ),
    one(decompositions.cholesky_op, HERMITIAN, like=np.linalg.cholesky),
    in_parts("cholesky", linalg.cholesky, lambda x: np.linalg.cholesky(hermitian(x)), *parts(HERMITIAN)),
    one(decompositions.qr_op, TALL, like=rebuilt(TALL), verify=True, complete=False),
    one(decompositions.qr_op, WIDE, like=rebuilt(WIDE), verify=True, complete=True),
    one(decompositions.qr_op, TALL, like=rebuilt(TALL), verify=True, complete=True, smooth=False),
    in_parts("qr", lambda x: tuple(linalg.qr(x)), lambda x: tuple(np.linalg.qr(x)), *parts(TALL[0])),
    one(singular.svd_op, TALL, like=full, verify=True, full=True, smooth=False),
    one(make("svd turned", turned), TALL, like=turned_like),
    one(make("svd turned", turned), WIDE, like=turned_like),
    in_parts("svd", turned, turned_like, *parts(WIDE.T)),
    one(singular.svdvals_op, TALL, like=lambda x: np.linalg.svd(x, compute_uv=False)),
    one(eigen.eigh_op, HERMITIAN, like=check_eigen, verify=True, smooth=False),
    one(make("eigh sizes", lambda x: sizes(eigen.eigh_op(x))), HERMITIAN, like=lambda x: sizes_like(np.linalg.eigh(x))),
    one(eigen.eigvalsh_op, HERMITIAN, like=np.linalg.eigvalsh),
    in_parts(
        "eigh",
        lambda x: sizes(linalg.eigh(x)),
        lambda x: sizes_like(np.linalg.eigh(hermitian(x))),
        *parts(HERMITIAN),
    ),
    one(eigen.eig_op, SQUARE, like=check_eig, verify=True, smooth=False),
    one(eigen.eigvals_op, SQUARE, like=check_eigvals, verify=True, smooth=False),
    in_parts(
        "eig",
        lambda x: unordered(linalg.eigvals(x), *sizes(linalg.eig(x))),
        lambda x: unordered(np.linalg.eigvals(x), *sizes_like(np.linalg.eig(x))),
        *parts(SQUARE),
    ),
    one(pseudoinverse.pinv_op, TALL, 1e-9, like=lambda x, _: np.linalg.pinv(x)),
    one(pseudoinverse.pinv_op, SINGULAR, 0.5, like=lambda x, _: np.linalg.pinv(x, 0.5), smooth=False),
    in_parts("pinv", linalg.pinv, np.linalg.pinv, *parts(WIDE)),
    one(powers.matrix_power_op, SQUARE, like=lambda x: np.linalg.matrix_power(x, -2), n=-2),
    one(powers.matrix_power_op, SQUARE, like=lambda x: np.eye(3), n=0),
    one(powers.expm_op, SQUARE, like=scipy.linalg.expm),
]
