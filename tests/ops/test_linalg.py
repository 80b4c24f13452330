"""`weft.linalg` has the standard's signatures, NumPy's values, and refuses by name what cannot be."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import weft as wf
from weft import linalg
from weft.errors import GradientError
from weft.graph.dtype import ALL, dtype
from weft.graph.function import interpret, record
from weft.ops.linalg import dot, matmul

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line, many structures
rng = np.random.default_rng(3)


def normal(*shape: int, like: type = float) -> np.ndarray:
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if like is complex else 0)


# ── the standard ────────────────────────────────────────────────────────────────────────────────────────────

STANDARD = [
    *("cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power"),
    *("matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot"),
    *("trace", "vecdot", "vector_norm"),
    *("eig", "eigvals"),  # of 2025.12
]


@pytest.mark.parametrize("name", STANDARD)
def test_signatures_are_the_standards(name: str) -> None:
    strict = pytest.importorskip("array_api_strict._linalg")

    def shape(f: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    assert shape(getattr(linalg, name)) == shape(getattr(strict, name))


def test_results_of_several_parts_have_the_standards_names() -> None:
    x = wf.eye(2)
    assert linalg.eigh(x)._fields == linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.qr(x)._fields == ("Q", "R")
    assert linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert linalg.svd(x)._fields == ("U", "S", "Vh")


# ── values: recorded here for one program, computed when the first is read ──────────────────────────────────


def cases(like: type) -> dict[str, tuple[Any, Any]]:
    A, B, v = normal(2, 3, 3, like=like), normal(3, 2, like=like), normal(3, like=like)
    T, W = normal(2, 4, 3, like=like), normal(5, 1, 3, 2, like=like)
    a, b, t, vector = wf.tensor(A), wf.tensor(B), wf.tensor(T), wf.tensor(v)
    P = A @ A.conj().mT + np.eye(3)
    lower, unit = np.tril(A), np.triu(A, 1) + np.eye(3)
    found: dict[str, tuple[Any, Any]] = {
        "cholesky": (linalg.cholesky(P), np.linalg.cholesky(P)),
        "cholesky upper": (linalg.cholesky(P, upper=True), np.linalg.cholesky(P, upper=True)),
        "inv": (linalg.inv(a), np.linalg.inv(A)),
        "det": (linalg.det(a), np.linalg.det(A)),
        "sign": (linalg.slogdet(a).sign, np.linalg.slogdet(A)[0]),
        "logabsdet": (linalg.slogdet(a).logabsdet, np.linalg.slogdet(A)[1]),
        "solve": (linalg.solve(a, b), np.linalg.solve(A, B)),
        "solve a vector": (linalg.solve(a, vector), np.linalg.solve(A, v[:, None])[..., 0]),
        "solve broadcast": (linalg.solve(a, wf.tensor(W)), np.linalg.solve(A, W)),
        "solve_triangular": (linalg.solve_triangular(a, b), np.linalg.solve(lower, B)),
        "solve_triangular transposed": (
            linalg.solve_triangular(a, vector, transpose=True),
            np.linalg.solve(lower.mT, v[:, None])[..., 0],
        ),
        "solve_triangular from the right": (
            linalg.solve_triangular(a, b.mT, left=False, upper=True, unit_diagonal=True),
            B.T @ np.linalg.inv(unit),
        ),
        "solve_triangular a vector from the right, transposed": (
            linalg.solve_triangular(a, vector, left=False, transpose=True),
            v @ np.linalg.inv(lower.mT),
        ),
        "eigvalsh": (linalg.eigvalsh(P), np.linalg.eigvalsh(P)),
        "eigenvalues": (linalg.eigh(P).eigenvalues, np.linalg.eigvalsh(P)),
        "svdvals": (linalg.svdvals(t), np.linalg.svdvals(T)),
        "pinv": (linalg.pinv(t), np.linalg.pinv(T)),
        "pinv rtol": (linalg.pinv(t, rtol=np.array([0.5, 0.01])), np.linalg.pinv(T, rcond=np.array([0.5, 0.01]))),
        "matrix_rank": (linalg.matrix_rank(np.stack([T[0], 0 * T[0]])), np.array([3, 0])),
        "matrix_rank rtol": (
            linalg.matrix_rank(t, rtol=wf.tensor([2.0, 1e-9], "float64")),
            np.array([0, 3]),
        ),
        "lstsq": (linalg.lstsq(t[0], T[0, :, 0]).solution, np.array([1.0, 0, 0])),
        "residuals": (linalg.lstsq(t[0], T[1]).residuals, np.linalg.lstsq(T[0], T[1])[1]),
        "expm": (linalg.expm(a * 4), scipy.linalg.expm(A * 4)),
        "cross": (linalg.cross(a, vector), np.cross(A, v)),
        "cross along rows": (linalg.cross(a, a[0], axis=-2), np.cross(A, A[:1], axis=-2)),
        "vecdot": (linalg.vecdot(a, vector), np.vecdot(A, v)),
        "vecdot along rows": (linalg.vecdot(a, b[:, :1], axis=-2), np.vecdot(A, B[:, :1], axis=-2)),
        "vecdot, axis from the front": (linalg.vecdot(a, a, axis=1), np.vecdot(A, A, axis=1)),
        "diagonal": (linalg.diagonal(t, offset=-2), np.diagonal(T, -2, -2, -1)),
        "diagonal outside": (linalg.diagonal(t, offset=9), np.diagonal(T, 9, -2, -1)),
        "trace": (linalg.trace(t, offset=1), np.trace(T, 1, -2, -1)),
    }
    for n in (0, 1, 5, -3):
        found[f"matrix_power {n}"] = (linalg.matrix_power(a, n), np.linalg.matrix_power(A, n))
    for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        found[f"matrix_norm {p}"] = (linalg.matrix_norm(t, ord=p), np.linalg.matrix_norm(T, ord=p))
    for p in (0, 1, 2, 3, 2.5, 0.5, -1, -2.5, math.inf, -math.inf):
        ours, numpys = linalg.vector_norm(t, ord=p, axis=(0, -1)), np.linalg.vector_norm(T, ord=p, axis=(0, -1))
        found[f"vector_norm {p}"] = (ours, numpys)
    keep = {"axis": 1, "keepdims": True}
    found["vector_norm of all"] = (linalg.vector_norm(t, ord=1), np.linalg.vector_norm(T, ord=1))
    found["vector_norm keepdims"] = (linalg.vector_norm(t, **keep), np.linalg.vector_norm(T, **keep))
    found["matrix_norm keepdims"] = (
        linalg.matrix_norm(t, ord=2, keepdims=True),
        np.linalg.matrix_norm(T, ord=2, keepdims=True),
    )
    return found


CASES = {(like.__name__, name): case for like in (float, complex) for name, case in cases(like).items()}


@pytest.mark.parametrize("key", CASES, ids=" ".join)
def test_values_are_numpys(key: Any) -> None:
    found, expected = CASES[key]
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-10)


def test_factors_multiply_to_the_matrix() -> None:
    T = normal(2, 4, 3, like=complex)
    for x in (T, T.mT):
        q, r = linalg.qr(x, mode="complete")
        u, s, vh = linalg.svd(x)
        np.testing.assert_allclose((q @ r).numpy(), x, atol=1e-12)
        k = s.shape[-1]
        np.testing.assert_allclose(((u[..., :k] * s[:, None, :]) @ vh[..., :k, :]).numpy(), x, atol=1e-12)
        for basis in (q, u, vh.mT):
            gram = (basis.numpy().conj().mT @ basis.numpy()) - np.eye(basis.shape[-1])
            assert abs(gram).max() < 1e-12


# ── data types ──────────────────────────────────────────────────────────────────────────────────────────────

FLOATING = [t for t in ALL if t.is_differentiable]
REAL = {"complex64": "float32", "complex128": "float64"}


@pytest.mark.parametrize("to", FLOATING, ids=str)
def test_results_have_the_type_of_the_matrix_or_its_real_one(to: Any) -> None:
    x, real = wf.eye(3, dtype=to), dtype(REAL.get(to.name, to.name))
    same = [linalg.cholesky(x), linalg.inv(x), linalg.det(x), linalg.solve(x, x), linalg.pinv(x), *linalg.qr(x)]
    same += [linalg.slogdet(x).sign, linalg.eigh(x).eigenvectors, linalg.svd(x).U, linalg.svd(x).Vh, linalg.expm(x)]
    same += [linalg.matrix_power(x, 2), linalg.cross(x, x), linalg.vecdot(x, x), linalg.trace(x), linalg.diagonal(x)]
    same += [linalg.solve_triangular(x, x), linalg.lstsq(x, x).solution, linalg.matrix_power(x, 0)]
    reals = [linalg.slogdet(x).logabsdet, *linalg.eigh(x)[:1], linalg.eigvalsh(x), linalg.svd(x).S, linalg.svdvals(x)]
    reals += [linalg.matrix_norm(x, ord=p) for p in ("fro", "nuc", 1, 2)] + [linalg.lstsq(x, x).residuals]
    reals += [linalg.vector_norm(x, ord=p) for p in (0, 1, 2, 3.5, math.inf)]
    assert {y.dtype for y in same} == {to}
    assert {y.dtype for y in reals} == {real}
    assert linalg.matrix_rank(x).dtype is wf.int64


def test_operands_promote() -> None:
    single, double = wf.eye(2), wf.eye(2, dtype="float64")
    assert linalg.solve(single, double).dtype is wf.float64
    assert linalg.solve(double, wf.eye(2, dtype="complex64")).dtype is wf.complex128
    assert linalg.cross(wf.ones(3, dtype="int8"), wf.ones(3, dtype="int16")).dtype is wf.int16
    assert linalg.eig(single).eigenvalues.dtype is linalg.eigvals(single).dtype is wf.complex64


@pytest.mark.parametrize("to", ["int8", "uint8", "int32", "uint64"])
def test_products_of_integers_keep_their_type(to: str) -> None:
    a, b = (rng.integers(0, 50, shape).astype(to) for shape in ((2, 3), (3, 4)))
    x, y = wf.tensor(a), wf.tensor(b)
    for found, expected in (
        (matmul(x, y), a @ b),
        (linalg.tensordot(x, y, axes=1), a @ b),
        (linalg.vecdot(x, x), np.vecdot(a, a)),
        (linalg.outer(x[0], x[1]), np.outer(a[0], a[1])),
    ):
        assert found.dtype is dtype(to)
        np.testing.assert_array_equal(found.numpy(), expected)


def test_traces_of_integers_are_wide_unless_a_type_is_named() -> None:
    x = wf.tensor(np.full((2, 2), 100, "uint8"))
    assert (linalg.trace(x).dtype, int(linalg.trace(x))) == (wf.uint64, 200)
    assert linalg.trace(x, dtype=wf.float32).dtype is wf.float32
    assert linalg.trace(wf.ones((2, 2)), dtype=wf.float64).dtype is wf.float64
    assert linalg.trace(x.astype("int8"), dtype=wf.int8).dtype is wf.int8


def test_halves_are_computed_in_single_precision_and_keep_their_gradient() -> None:
    x = wf.tensor([[4.0, 2.0], [2.0, 5.0]], "float16", requires_grad=True)
    y = linalg.inv(x)
    np.testing.assert_allclose(y.numpy(), np.linalg.inv(x.numpy().astype("float32")), rtol=1e-3)
    assert wf.gradients(y.sum(), x).dtype is wf.float16
    big = wf.tensor([300.0, 400.0], "float16")  # whose squares overflow
    assert float(linalg.vector_norm(big)) == 500.0


# ── no elements ─────────────────────────────────────────────────────────────────────────────────────────────


def test_of_nothing() -> None:
    empty, none, flat = wf.zeros((0, 0)), wf.zeros((0, 3, 3)), wf.zeros((2, 0, 3))
    assert float(linalg.det(empty)) == 1.0
    assert [float(y) for y in linalg.slogdet(empty)] == [1.0, 0.0]
    assert linalg.svd(flat).Vh.shape == (2, 3, 3)
    assert linalg.qr(flat, mode="complete").R.shape == (2, 0, 3)
    assert linalg.pinv(flat).shape == (2, 3, 0)
    assert linalg.matrix_rank(flat).tolist() == [0, 0]
    for p in ("fro", "nuc", 1, 2, math.inf):
        assert linalg.matrix_norm(flat, ord=p).tolist() == [0.0, 0.0]
    assert float(linalg.vector_norm(wf.zeros(0))) == float(linalg.vector_norm(wf.zeros(0), ord=math.inf)) == 0.0
    for f in (linalg.inv, linalg.cholesky, linalg.expm, lambda x: linalg.matrix_power(x, -2)):
        assert [f(x).numpy().shape for x in (empty, none)] == [(0, 0), (0, 3, 3)]
    assert linalg.solve(empty, wf.zeros((4, 0, 2))).numpy().shape == (4, 0, 2)
    assert linalg.eigh(none).eigenvectors.numpy().shape == (0, 3, 3)
    assert linalg.eig(none).eigenvalues.numpy().shape == (0, 3)
    assert matmul(wf.zeros((2, 0, 3)), wf.zeros((3, 4))).numpy().shape == (2, 0, 4)


# ── gradients at the edges; those at ordinary points are checked for every op by the contract ───────────────


def slope(f: Callable[[Any], Any], x: Any) -> np.ndarray:
    t = wf.tensor(np.asarray(x, "float64"), requires_grad=True)
    return wf.gradients(f(t), t).numpy()


@pytest.mark.parametrize("p", [2, 1, 3, 0.5, -1, math.inf])
def test_norms_of_zero_have_the_gradient_zero(p: float) -> None:
    assert slope(lambda x: linalg.vector_norm(x, ord=p), [0.0, 0.0]).tolist() == [0.0, 0.0]
    second = slope(lambda x: wf.gradients(linalg.vector_norm(x, ord=p), x).sum(), [0.0, 0.0])
    assert second.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("p", ["fro", "nuc", 2, 1])
def test_norms_of_zero_matrices_have_the_gradient_zero(p: Any) -> None:
    assert not slope(lambda x: linalg.matrix_norm(x, ord=p), np.zeros((2, 2))).any()


def test_a_zero_among_others_has_no_slope() -> None:
    np.testing.assert_allclose(slope(lambda x: linalg.vector_norm(x, ord=0.5), [0.0, 4.0]), [0.0, 1.0])
    np.testing.assert_allclose(slope(lambda x: linalg.vector_norm(x, ord=3), [0.0, -2.0]), [0.0, -1.0])


def test_equal_eigenvalues_and_singular_values_have_gradients() -> None:
    g = slope(lambda x: (linalg.eigvalsh(x) ** 2).sum(), np.eye(3))  # tr x²
    np.testing.assert_allclose(g, 2 * np.eye(3), atol=1e-12)
    g = slope(lambda x: (linalg.svd(x).S ** 2).sum(), np.eye(3))
    np.testing.assert_allclose(g, 2 * np.eye(3), atol=1e-12)


def test_det_of_a_singular_matrix_has_its_cofactors_as_gradient() -> None:
    np.testing.assert_allclose(slope(linalg.det, [[1.0, 2.0], [2.0, 4.0]]), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)
    assert abs(slope(linalg.det, np.zeros((3, 3)))).max() < 1e-12


def test_a_power_of_zero_depends_on_nothing_but_has_a_gradient() -> None:
    assert not slope(lambda x: linalg.matrix_power(x, 0).sum(), np.eye(2)).any()


def test_what_is_symmetric_has_a_symmetric_gradient() -> None:
    x = np.array([[4.0, 1.0], [1.0, 3.0]])
    for f in (lambda x: linalg.cholesky(x)[1, 0], lambda x: linalg.eigh(x).eigenvectors[0, 0]):
        g = slope(f, x)
        np.testing.assert_allclose(g, g.T, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        (lambda x: linalg.qr(x, mode="complete").Q.sum(), "mode='reduced'"),
        (lambda x: linalg.svd(x).U.sum(), "full_matrices=False"),
    ],
)
def test_bases_beyond_the_columns_have_no_gradient(f: Any, advice: str) -> None:
    with pytest.raises(GradientError, match=advice):
        slope(f, np.eye(3, 2))


def test_singular_values_and_the_determined_vectors_of_a_full_svd_have_gradients() -> None:
    x = normal(3, 2)
    np.testing.assert_allclose(slope(lambda x: (linalg.svd(x).S ** 2).sum(), x), 2 * x, rtol=1e-9)
    assert np.isfinite(slope(lambda x: (linalg.svd(x).Vh[0] ** 4).sum(), x)).all()


# ── the matrix product is fast on the CPU: its leading axes stay together, also on the way back ─────────────


def products(f: Any, *shapes: tuple[int, ...]) -> list[str]:
    """The products of a function's program, as XLA gets it."""
    import jax

    graph, _ = record("f", f, tuple(wf.zeros(s).node.spec for s in shapes), {})
    text = jax.jit(lambda *xs: interpret(graph, xs)).lower(*(np.zeros(s, "float32") for s in shapes)).as_text()
    return [line for line in text.splitlines() if "stablehlo.dot_general" in line]


def test_leading_axes_are_one_in_products_and_their_gradients() -> None:
    def step(x: Any, w: Any) -> Any:
        return tuple(wf.gradients(matmul(x, w).sum(), [x, w]))

    found = products(step, (7, 2, 3), (3, 4)) + products(matmul, (7, 2, 3), (3, 4))
    assert found
    assert not [line for line in found if "batching_dims" in line or "x2x" in line]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.data())
def test_products_broadcast_as_in_numpy(data: st.DataObject) -> None:
    batch = st.sampled_from([(), (1,), (2,), (3, 1), (3, 2)])
    a, b = normal(*data.draw(batch), 2, 3), normal(*data.draw(batch), 3, 4)
    flags = {"ta": data.draw(st.booleans()), "tb": data.draw(st.booleans())}
    left, right = a.mT if flags["ta"] else a, b.mT if flags["tb"] else b
    np.testing.assert_allclose(dot(wf.tensor(left), wf.tensor(right), **flags).numpy(), a @ b, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_solution_solves(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(2, 3, 3))
    right = np.random.default_rng(seed + 1).normal(size=(2, 3, 1))
    found = linalg.solve(wf.tensor(x), wf.tensor(right)).numpy()
    scale = abs(x).max() * abs(found).max() + abs(right).max()
    np.testing.assert_allclose(x @ found, right, atol=1e-13 * scale)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.data())
def test_tensordot_is_numpys(data: st.DataObject) -> None:
    a, b = normal(2, 3, 4), normal(4, 3, 2)
    left = data.draw(st.permutations([0, 1, 2]))[: data.draw(st.integers(0, 3))]
    axes = (left, [2 - k for k in left])
    found = linalg.tensordot(wf.tensor(a), wf.tensor(b), axes=axes)
    np.testing.assert_allclose(found.numpy(), np.tensordot(a, b, axes), rtol=1e-9, atol=1e-12)


EQUATIONS: list[tuple[str, Any, tuple[tuple[int, ...], ...]]] = [
    ("implicit", "ij,jk", ((2, 3), (3, 4))),
    ("dots that broadcast", "...i,...i->...", ((4, 1, 3), (5, 3))),
    ("dots of size one on the left", "...ij,...jk->...ik", ((1, 2, 3), (6, 3, 2))),
    ("dots implicit", "...ij,...jk", ((2, 3), (7, 3, 2))),
    ("trace of a stack", "...ii->...", ((2, 3, 3),)),
    ("diagonal", "bii->bi", ((2, 3, 3),)),
    ("outer", "i,j->ji", ((2,), (3,))),
    ("three", "ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
    ("spaces", " i j , j -> i ", ((2, 3), (3,))),
]


@pytest.mark.parametrize(("equation", "shapes"), [e[1:] for e in EQUATIONS], ids=[e[0] for e in EQUATIONS])
def test_einsum_is_numpys(equation: str, shapes: Any) -> None:
    arrays = [normal(*s) for s in shapes]
    found = wf.einsum(equation, *map(wf.tensor, arrays))
    np.testing.assert_allclose(found.numpy(), np.einsum(equation, *arrays), rtol=1e-9, atol=1e-12)
