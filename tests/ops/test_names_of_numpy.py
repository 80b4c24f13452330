"""Functions under NumPy's names compute what NumPy's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, ShapeError
from weft.nn import functional as F
from weft.ops import accumulation, arithmetic, covariance, exponential, joining, matrices, missing, trigonometry

X = np.array([[1.5, -2.0, np.nan, np.inf], [0.0, 3.0, -np.inf, -1.0]])
Y = np.array([[1.5, np.nan, 2.0, np.inf], [0.5, -3.0, -np.inf, 7.0]])
A, V = np.arange(12.0).reshape(3, 4) ** 2, np.array([3.0, 1.0, 2.0])
CASES: dict[str, tuple[Any, Any, tuple[Any, ...], dict[str, Any]]] = {
    "nan_to_num": (missing.nan_to_num, np.nan_to_num, (X,), {}),
    "isposinf": (missing.isposinf, np.isposinf, (X,), {}),
    "isneginf": (missing.isneginf, np.isneginf, (X,), {}),
    "isreal": (missing.isreal, np.isreal, (np.array([1 + 0j, 1j]),), {}),
    "nansum": (missing.nansum, np.nansum, (np.abs(X),), {"axis": 0}),
    "nanmean": (missing.nanmean, np.nanmean, (np.abs(X),), {"axis": 1}),
    "fmax": (missing.fmax, np.fmax, (X, Y), {}),
    "fmin": (missing.fmin, np.fmin, (X, Y), {}),
    "isclose": (missing.isclose, np.isclose, (X, Y), {"equal_nan": True}),
    "atleast_3d": (joining.atleast_3d, np.atleast_3d, (V,), {}),
    "hstack": (lambda a, b: joining.hstack([a, b]), lambda a, b: np.hstack([a, b]), (A, A), {}),
    "vstack": (lambda a, b: joining.vstack([a, b]), lambda a, b: np.vstack([a, b]), (V, V), {}),
    "dstack": (lambda a, b: joining.dstack([a, b]), lambda a, b: np.dstack([a, b]), (A, A), {}),
    "column_stack": (lambda a, b: joining.column_stack([a, b]), lambda a, b: np.column_stack([a, b]), (V, A), {}),
    "rot90": (lambda a: joining.rot90(a, 3), lambda a: np.rot90(a, 3), (A,), {}),
    "kron": (joining.kron, np.kron, (A, V), {}),
    "deg2rad": (trigonometry.deg2rad, np.deg2rad, (V,), {}),
    "rad2deg": (trigonometry.rad2deg, np.rad2deg, (V,), {}),
    "angle": (trigonometry.angle, np.angle, (np.array([1 + 1j, -1, -2j]),), {}),
    "logaddexp2": (exponential.logaddexp2, np.logaddexp2, (V, V[::-1].copy()), {}),
    "heaviside": (arithmetic.heaviside, np.heaviside, (X, np.float64(0.5)), {}),
    "trapezoid": (accumulation.trapezoid, np.trapezoid, (A, np.array([0.0, 1.0, 1.5, 4.0])), {}),
    "diag": (matrices.diag, np.diag, (V,), {"k": -1}),
    "diag of a matrix": (matrices.diag, np.diag, (A,), {"k": 1}),
    "cov": (covariance.cov, np.cov, (A + V[:, None] * A[0],), {}),
    "corrcoef": (covariance.corrcoef, np.corrcoef, (A + V[:, None] * A[0],), {}),
    "pad edge": (wf.pad, np.pad, (A, ((2, 0), (1, 3))), {"mode": "edge"}),
    "pad reflect": (wf.pad, np.pad, (A, ((2, 0), (1, 3))), {"mode": "reflect"}),
    "pad symmetric": (wf.pad, np.pad, (A, ((2, 0), (1, 4))), {"mode": "symmetric"}),
    "pad wrap": (wf.pad, np.pad, (A, ((2, 0), (1, 4))), {"mode": "wrap"}),
    "diff of no order": (wf.diff, np.diff, (V,), {"n": 0, "prepend": V}),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_numpys(name: str) -> None:
    ours, theirs, operands, options = CASES[name]
    found = ours(*operands, **options).numpy()
    expected = theirs(*operands, **options)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_array_split_is_numpys() -> None:
    for parts in (2, 3, 5, [1, 3], [2, 1], [-1, 9]):
        found = [t.tolist() for t in joining.array_split(A, parts, axis=1)]
        assert found == [t.tolist() for t in np.array_split(A, parts, axis=1)]


def test_negative_widths_cut_off() -> None:
    x = wf.tensor(A, requires_grad=True)
    y = wf.pad(x, ((-1, 1), (0, -2)), 7)
    np.testing.assert_array_equal(y.numpy(), np.pad(A, ((0, 1), (0, 0)), constant_values=7)[1:, :2])
    expected = np.zeros((3, 4))
    expected[1:, :2] = 1
    np.testing.assert_array_equal(wf.gradients(y.sum(), x).numpy(), expected)


def test_only_the_value_that_stays_has_a_gradient() -> None:
    x, v = wf.tensor(np.zeros(3), requires_grad=True), wf.tensor(V, requires_grad=True)
    y = x.at[wf.tensor(np.array([1, 1, 0]))].set(v)
    dx, dv = wf.gradients((y * wf.tensor(V)).sum(), [x, v])
    assert (dx.tolist(), dv.tolist()) == ([0.0, 0.0, 2.0], [0.0, 1.0, 3.0])


def test_a_bias_alone_shifts_a_normalisation() -> None:
    found = F.layer_norm(wf.tensor([[1.0, 3.0]]), 2, None, wf.tensor([5.0, 7.0]), eps=0.0)
    assert found.tolist() == [[4.0, 8.0]]


def test_what_no_number_says_is_refused() -> None:
    with pytest.raises(ShapeError, match="reshape"):
        wf.reshape(wf.zeros((0, 5)), (0, -1))
    with pytest.raises(ShapeError, match="no axes"):
        F.layer_norm(wf.zeros(3), ())
    for call in (
        lambda: wf.arange(0, wf.inf),
        lambda: missing.isclose(V, V, rtol=-1.0),
        lambda: wf.pad(V, ((4, 0),), mode="reflect"),
        lambda: wf.pad(V, ((1, 0),), mode="mirror"),
        lambda: covariance.cov(A, aweights=np.array([1.0, -1.0, 1.0, 1.0])),
    ):
        with pytest.raises(ArgumentError):
            call()
