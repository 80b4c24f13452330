"""Jacobians and Hessians: both modes agree, shapes and structures, and what they refuse."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, DTypeError, GradientError
from weft.transforms import hessian, hvp, jacobian

A = np.random.default_rng(1).standard_normal((2, 3))
X = np.array([0.3, 0.7, 1.1])


def x64(value: Any) -> Any:
    return wf.tensor(np.asarray(value, np.float64))


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_a_linear_map_has_its_matrix_as_jacobian(mode: str | None) -> None:
    j = jacobian(lambda x: x64(A) @ x, mode=mode)(x64(X))
    np.testing.assert_allclose(j.numpy(), A, rtol=1e-12)
    assert not j.node.tracked


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_axes_of_the_result_come_before_those_of_the_argument(mode: str) -> None:
    m = x64(A)
    j = jacobian(lambda m: wf.stack([m.sum(axis=1), (m * m).sum(axis=1)]), mode=mode)(m)
    assert j.shape == (2, 2, 2, 3)
    expected = np.einsum("ij,jk->ijk", np.eye(2), np.ones((2, 3)))
    np.testing.assert_allclose(j.numpy()[0], expected, rtol=1e-12)
    np.testing.assert_allclose(j.numpy()[1], 2 * A * expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_structures_stand_in_each_other(mode: str) -> None:
    def f(p: Any, k: Any) -> Any:
        return {"y": p["w"] * p["b"] * k, "z": p["b"] ** 2, "constant": x64([7.0, 7.0])}

    j = jacobian(f, argnums=(0, 1), mode=mode)({"w": x64(X), "b": x64(2.0)}, x64(3.0))
    np.testing.assert_allclose(j["y"][0]["w"].numpy(), 6 * np.eye(3), rtol=1e-12)
    np.testing.assert_allclose(j["y"][0]["b"].numpy(), 3 * X, rtol=1e-12)
    np.testing.assert_allclose(j["y"][1].numpy(), 2 * X, rtol=1e-12)
    assert (j["z"][0]["w"].tolist(), float(j["z"][0]["b"]), float(j["z"][1])) == ([0, 0, 0], 4.0, 0.0)
    assert j["constant"][0]["w"].numpy().tolist() == np.zeros((2, 3)).tolist()


def test_the_hessian_is_symmetric_and_agrees_with_products() -> None:
    def f(x: Any) -> Any:
        return (wf.exp(x[0] * x[1]) + wf.sin(x).sum() * x[2] ** 2) ** 2

    h, v = hessian(f)(x64(X)).numpy(), np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(h, h.T, rtol=1e-12)
    np.testing.assert_allclose(hvp(f, x64(X), x64(v)).numpy(), h @ v, rtol=1e-12)
    assert np.abs(h).min() > 0


def test_blocks_of_a_hessian_and_of_a_function_with_several_results() -> None:
    blocks = hessian(lambda a, b: (a * b).sum() * b[0], argnums=(0, 1))(x64([1.0, 2.0]), x64([3.0, 4.0]))
    assert blocks[0][0].tolist() == [[0, 0], [0, 0]]
    assert blocks[0][1].tolist() == [[6, 0], [4, 3]]
    assert blocks[1][0].tolist() == [[6, 4], [0, 3]]
    assert hessian(lambda x: x**3)(x64([1.0, 2.0])).tolist() == [[[6, 0], [0, 0]], [[0, 0], [0, 12]]]


def test_a_jacobian_can_be_differentiated_compiled_and_taken_for_every_example() -> None:
    def determinant(x: Any) -> Any:
        j = jacobian(lambda x: wf.stack([x[0] * x[1], x[0] + x[1] ** 2]))(x)
        return j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]  # 2 x₁² − x₀

    x = x64([2.0, 3.0])
    assert wf.grad(determinant)(x).tolist() == [-1.0, 12.0]
    assert float(wf.compile(determinant)(x)) == 16.0
    assert wf.transforms.vmap(determinant)(x64([[2.0, 3.0], [1.0, 1.0]])).tolist() == [16.0, 1.0]


def test_forward_mode_goes_where_reverse_mode_cannot() -> None:
    def doubled(x: Any) -> Any:
        return wf.while_loop(lambda v: v.sum() < 100, lambda v: v * 2, x)

    assert jacobian(doubled, mode="forward")(x64([1.0, 2.0])).tolist() == [[64, 0], [0, 64]]
    with pytest.raises(GradientError, match="mode='forward'"):
        jacobian(doubled, mode="reverse")(x64([1.0, 2.0]))


def test_empty_tensors_and_single_numbers() -> None:
    assert jacobian(lambda x: x * 2)(x64([])).shape == (0, 0)
    assert float(jacobian(lambda x: x * x)(3.0)) == 6.0
    assert jacobian(lambda x: x.sum())(x64(X)).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: jacobian(wf.sin, mode="both"), ArgumentError, "mode='both'"),
        (lambda x: jacobian(lambda x: x > 0)(x), DTypeError, "bool"),
        (lambda x: jacobian(lambda z: z * z)(x.astype("complex128")), GradientError, "complex"),
        (lambda x: jacobian(lambda x: x * 1j, mode="reverse")(x), GradientError, "mode='forward'"),
    ],
)
def test_what_has_no_jacobian_is_refused(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        wrong(x64(X))
    assert re.search(says, str(caught.value)), str(caught.value)
