"""The transforms compute what PyTorch's torch.func and autograd do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import weft as wf
from weft import nn
from weft.transforms import hessian, hvp, jacobian, jvp, vjp, vmap

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning"),  # one line runs every function
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),  # PyTorch's own forward mode uses it
]

rng = np.random.default_rng(0)
X, W = rng.uniform(0.2, 1.5, (4, 3)), rng.uniform(0.2, 1.5, (3,))
# Functions that both libraries read: f(lib, x, w).
FUNCTIONS: dict[str, Any] = {
    "rational": lambda lib, x, w: x / w - w * x**2 + 1 / (x + w),
    "elementary": lambda lib, x, w: lib.log(x) * lib.cos(w) + lib.sqrt(x) ** w,
    "matmul": lambda lib, x, w: lib.tanh(x @ w) * w.sum(),
    "extremes": lambda lib, x, w: lib.maximum(x, w) * lib.abs(x - 1) + lib.exp(x).sum(),
}
EVERY = pytest.mark.parametrize("name", FUNCTIONS)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-12)


def pair(name: str) -> tuple[Any, Any]:
    f = FUNCTIONS[name]
    return lambda x, w: f(wf, x, w), lambda x, w: f(torch, x, w)


def points() -> tuple[Any, Any]:
    return (wf.tensor(X), wf.tensor(W)), (torch.tensor(X), torch.tensor(W))


@EVERY
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians(name: str, mode: str) -> None:
    (ours, theirs), (mine, yours) = pair(name), points()
    found = jacobian(ours, argnums=(0, 1), mode=mode)(*mine)
    for a, b in zip(found, torch.func.jacrev(theirs, argnums=(0, 1))(*yours), strict=True):
        close(a, b)


@EVERY
def test_hessians_and_their_products(name: str) -> None:
    (ours, theirs), (mine, yours) = pair(name), points()
    v = rng.standard_normal(X.shape)
    close(
        hessian(lambda x: ours(x, mine[1]).sum())(mine[0]),
        torch.func.hessian(lambda x: theirs(x, yours[1]).sum())(yours[0]),
    )
    _, expected = torch.autograd.functional.hvp(lambda x: theirs(x, yours[1]).sum(), yours[0], torch.tensor(v))
    close(hvp(lambda x: ours(x, mine[1]).sum(), mine[0], wf.tensor(v)), expected)


@EVERY
def test_products_with_vectors(name: str) -> None:
    (ours, theirs), (mine, yours) = pair(name), points()
    y, t = jvp(ours, mine, mine)
    yy, tt = torch.func.jvp(theirs, yours, yours)
    close(y, yy)
    close(t, tt)
    _, pullback = vjp(ours, *mine)
    _, their_pullback = torch.func.vjp(theirs, *yours)
    for a, b in zip(pullback(y), their_pullback(yy), strict=True):
        close(a, b)


@EVERY
def test_a_gradient_for_every_example(name: str) -> None:
    (ours, theirs), (mine, yours) = pair(name), points()
    found = vmap(wf.grad(lambda x, w: ours(x, w).sum(), argnums=(0, 1)), in_axes=(0, None))(*mine)
    expected = torch.func.vmap(torch.func.grad(lambda x, w: theirs(x, w).sum(), argnums=(0, 1)), in_dims=(0, None))(
        *yours
    )
    for a, b in zip(found, expected, strict=True):
        close(a, b)


def test_a_gradient_for_every_example_of_a_model() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    x = X.astype(np.float32)
    model(wf.tensor(x))
    parameters = list(model.parameters())
    twin = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    with torch.no_grad():
        for p, q in zip(twin.parameters(), parameters, strict=True):
            p.copy_(torch.tensor(q.numpy().T if p.shape != q.shape else q.numpy()))
    each = vmap(lambda row: wf.gradients((model(row) ** 2).sum(), parameters))(wf.tensor(x))
    state = {k: v.detach() for k, v in twin.named_parameters()}
    loss = lambda p, row: (torch.func.functional_call(twin, p, row) ** 2).sum()
    expected = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(state, torch.tensor(x))
    for a, b in zip(each, expected.values(), strict=True):
        theirs = b.numpy() if a.shape == tuple(b.shape) else b.mT.numpy()
        np.testing.assert_allclose(a.numpy(), theirs, rtol=2e-4, atol=1e-5)


Z = rng.standard_normal(3) + 1j * rng.standard_normal(3)
COMPLEX: dict[str, Any] = {
    "holomorphic": lambda lib, z: lib.abs(lib.exp(z) * lib.sin(z) / (z + 2)).sum(),
    "parts": lambda lib, z: (lib.real(z) * lib.imag(z**3)).sum() + lib.abs(lib.conj(z) * z + z).prod(),
    "power": lambda lib, z: lib.abs(z ** (1.5 + 0.5j) + lib.sqrt(z) * lib.log(z)).sum(),
    "matmul": lambda lib, z: lib.abs(z[:, None] @ lib.tanh(z)[None]).sum(),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients_of_both_orders(name: str) -> None:
    f = COMPLEX[name]
    z, zz = wf.tensor(Z, requires_grad=True), torch.tensor(Z, requires_grad=True)
    g, gg = wf.gradients(f(wf, z), z), torch.autograd.grad(f(torch, zz), zz, create_graph=True)[0]
    close(g, gg)
    second = wf.gradients((wf.abs(g) ** 2 + wf.real(g)).sum(), z)
    close(second, torch.autograd.grad((torch.abs(gg) ** 2 + gg.real).sum(), zz)[0])
    f(wf, z).backward()
    close(z.grad, gg)
