"""Complex numbers: the gradient of a real loss points where it rises fastest, however it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import DTypeError
from weft.transforms import checkpoint, custom_gradient, jacobian, jvp, vjp, vmap

rng = np.random.default_rng(6)
Z = rng.standard_normal(3) + 1j * rng.standard_normal(3)

LOSSES: dict[str, Any] = {
    "|z|²": lambda z: wf.real(z * wf.conj(z)).sum(),
    "re": lambda z: wf.real(wf.exp(z) * z).sum(),
    "im": lambda z: wf.imag(wf.tanh(z) / (z + 2)).sum(),
    "abs": lambda z: wf.abs(wf.sin(z) + 1j).prod(),
    "power": lambda z: wf.abs(z ** (1.5 + 0.5j)).sum() + wf.real(z**3).sum(),
    "matmul": lambda z: wf.abs((z[:, None] @ z[None] @ z).sum()),
    "scan": lambda z: wf.abs(wf.scan(lambda c, a: (c * a + a, c), z[0], z)[0]),
    "vmap": lambda z: vmap(lambda a: wf.abs(a * z.sum()))(z).sum(),
    "checkpoint": lambda z: wf.abs(checkpoint(wf.exp)(z)).sum(),
}


def numeric(f: Any, z: np.ndarray) -> np.ndarray:
    """∂f/∂a + i ∂f/∂b at z = a + ib, by central differences."""
    h, found = 1e-6, np.zeros_like(z)
    for k in range(z.size):
        for unit in (1, 1j):
            step = np.zeros_like(z)
            step[k] = unit * h
            ends = [float(f(wf.tensor(z + s * step))) for s in (1, -1)]
            found[k] += unit * (ends[0] - ends[1]) / (2 * h)
    return found


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_direction_of_steepest_ascent(name: str) -> None:
    f, expected = LOSSES[name], numeric(LOSSES[name], Z)
    z = wf.tensor(Z, requires_grad=True)
    np.testing.assert_allclose(wf.gradients(f(z), z).numpy(), expected, rtol=1e-6, atol=1e-8)
    for _ in range(2):  # the second pass is remembered
        f(z).backward()
    np.testing.assert_allclose(z.grad.numpy(), 2 * expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(wf.grad(f)(wf.tensor(Z)).numpy(), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(vjp(f, wf.tensor(Z))[1]().numpy(), expected, rtol=1e-6, atol=1e-8)


def test_gradients_of_gradients_keep_the_convention() -> None:
    def f(z: Any) -> Any:
        g = wf.grad(lambda z: wf.real(wf.exp(z) * z * wf.conj(z)).sum())(z)
        return (wf.real(g) ** 2 + 3 * wf.imag(g)).sum()

    np.testing.assert_allclose(wf.grad(f)(wf.tensor(Z)).numpy(), numeric(f, Z), rtol=1e-6)


def test_a_cotangent_is_paired_by_its_conjugate() -> None:
    """For f holomorphic and a cotangent c, the pullback is c · conj(f′): the gradient of Re(conj(c) f)."""
    c = Z[::-1].copy()
    _, pullback = vjp(wf.exp, wf.tensor(Z))
    np.testing.assert_allclose(pullback(wf.tensor(c)).numpy(), c * np.conj(np.exp(Z)), rtol=1e-12)
    z = wf.tensor(Z, requires_grad=True)
    np.testing.assert_allclose(
        wf.gradients(wf.exp(z), z, cotangents=wf.tensor(c)).numpy(), c * np.conj(np.exp(Z)), rtol=1e-12
    )
    wf.exp(z).backward(wf.tensor(c))
    np.testing.assert_allclose(z.grad.numpy(), c * np.conj(np.exp(Z)), rtol=1e-12)


def test_real_numbers_have_real_gradients_and_tangents_follow_the_derivative() -> None:
    a = wf.tensor(Z.real, requires_grad=True)
    g = wf.gradients(wf.abs(wf.exp(a * 1j) + a * (2 + 1j)).sum(), a)
    assert g.dtype is wf.float64
    np.testing.assert_allclose(
        g.numpy(), numeric(lambda z: wf.abs(wf.exp(wf.real(z) * 1j) + wf.real(z) * (2 + 1j)).sum(), Z).real, rtol=1e-6
    )
    _, t = jvp(wf.exp, (wf.tensor(Z),), (wf.tensor(1j * Z),))
    np.testing.assert_allclose(t.numpy(), 1j * Z * np.exp(Z), rtol=1e-12)
    _, t = jvp(wf.abs, (wf.tensor(Z),), (wf.tensor(1j * Z),))
    np.testing.assert_allclose(t.numpy(), np.zeros(3), atol=1e-12)  # around a circle
    j = jacobian(lambda a: wf.exp(a * 1j))(wf.tensor(Z.real))
    np.testing.assert_allclose(j.numpy(), np.diag(1j * np.exp(1j * Z.real)), rtol=1e-12)


def test_a_gradient_by_hand_speaks_the_same_convention() -> None:
    @custom_gradient
    def square(z: Any) -> Any:
        return z * z, lambda g: g * wf.conj(2 * z)

    f = lambda square: lambda z: wf.abs(square(z) + 1j).sum()
    np.testing.assert_allclose(
        wf.grad(f(square))(wf.tensor(Z)).numpy(), wf.grad(f(lambda z: z * z))(wf.tensor(Z)).numpy(), rtol=1e-12
    )


def test_a_complex_loss_is_refused() -> None:
    z = wf.tensor(Z, requires_grad=True)
    with pytest.raises(DTypeError, match="complex128") as caught:
        (z * z).sum().backward()
    assert "wf.abs(y)" in str(caught.value)
    with pytest.raises(DTypeError, match="imaginary"):
        jvp(lambda a: a * 2, (wf.tensor(Z.real),), (wf.tensor(Z),))
