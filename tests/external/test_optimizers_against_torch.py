"""Every configuration of PyTorch's optimizer database: twenty steps from the same weights with the same gradients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.common_optimizers import optim_db

import weft as wf
from tests.external.optimizers.mapping import ours

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
UNMAPPED = {
    tuple(line.split(": ")[:2])
    for line in (Path(__file__).parent / "optimizers" / "unmapped.txt").read_text().splitlines()
    if not line.startswith("#")
}
STEPS = 20
SHAPES = {"a matrix": (5, 3), "a vector": (4,), "a scalar": ()}


def configurations() -> Iterator[Any]:
    for info in optim_db:
        name = info.optim_cls.__name__
        for given in info.optim_inputs_func(device="cpu"):
            if (name, given.desc) not in UNMAPPED:
                yield pytest.param(info.optim_cls, given.kwargs, id=f"{name}: {given.desc}")


def test_all_that_is_not_compared_is_listed() -> None:
    known = {(i.optim_cls.__name__, g.desc) for i in optim_db for g in i.optim_inputs_func(device="cpu")}
    assert known >= UNMAPPED
    assert len(list(configurations())) == len(known) - len(UNMAPPED) == 87


@pytest.fixture(autouse=True)
def default_type() -> Iterator[None]:
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("theirs", "given"), list(configurations()))
def test_twenty_steps(
    theirs: Any, given: dict[str, Any], dtype: Any, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    name = theirs.__name__
    rng = np.random.default_rng(0)
    # Theirs orthogonalises in bfloat16, whatever the type of the parameters: here it computes as ours does.
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    # Theirs keeps scalars, and takes a learning rate that is a tensor, in single precision.
    given = {k: v.to(torch.tensor(dtype(0)).dtype) if isinstance(v, torch.Tensor) else v for k, v in given.items()}
    torch.set_default_dtype(torch.tensor(dtype(0)).dtype)
    shapes = [SHAPES["a matrix"], (3, 5)] if name == "Muon" else list(SHAPES.values())
    start = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    a = [wf.tensor(w, requires_grad=True) for w in start]
    b = [torch.nn.Parameter(torch.tensor(w)) for w in start]
    optimizer, reference = ours(name, given), theirs(b, **given)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype is np.float32 else {"rtol": 1e-9, "atol": 1e-12}
    if name == "LBFGS":
        minimize(optimizer, reference, a, b, tolerance, record_property)
        return
    for step in range(STEPS):
        gradients = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
        for p, g in zip(b, gradients, strict=True):
            p.grad = torch.tensor(g)
        reference.step()
        optimizer.update(a, [wf.tensor(g) for g in gradients])
        for p, q in zip(a, b, strict=True):
            np.testing.assert_allclose(p.numpy(), q.detach().numpy(), **tolerance, err_msg=f"{name}, step {step}")
    record_property("optimizer steps", STEPS)


def minimize(optimizer: Any, reference: Any, a: Any, b: Any, tolerance: Any, record_property: Any) -> None:
    """Twenty steps down a bowl that is not quadratic, with a closure."""
    rng = np.random.default_rng(1)
    goals = [rng.standard_normal(p.shape).astype(p.dtype.numpy) for p in a]

    def bowl() -> Any:
        return sum(((p - g) ** 2 + 0.1 * (p - g) ** 4).sum() for p, g in zip(a, goals, strict=True))

    def closure() -> Any:
        reference.zero_grad()
        loss = sum(
            ((p - torch.tensor(g)) ** 2 + 0.1 * (p - torch.tensor(g)) ** 4).sum() for p, g in zip(b, goals, strict=True)
        )
        loss.backward()
        return loss

    for _ in range(STEPS):
        optimizer.step(a, bowl)
        reference.step(closure)
        for p, q in zip(a, b, strict=True):
            np.testing.assert_allclose(p.numpy(), q.detach().numpy(), **tolerance)
    record_property("optimizer steps", STEPS)
