"""Groups of parameters and clipping compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weft as wf
from tests.optim.test_groups import two_layers
from weft import optim

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def test_groups_equal_pytorchs_parameter_groups() -> None:
    model = two_layers()
    theirs = {name: torch.nn.Parameter(torch.tensor(v)) for name, v in model.state_dict().items()}
    vectors = [p for n, p in theirs.items() if p.ndim < 2 and n != "2.bias"]
    reference = torch.optim.AdamW(
        [
            {"params": [p for p in theirs.values() if p.ndim > 1]},
            {"params": vectors, "weight_decay": 0.0},
            {"params": [theirs["2.bias"]], "weight_decay": 0.0, "lr": 0.05},
        ],
        lr=0.01, weight_decay=0.1,
    )  # fmt: skip
    opt = optim.AdamW(0.01, weight_decay=0.1, decay="matrices", groups={"2.bias": {"learning_rate": 0.05}})
    rng = np.random.default_rng(0)
    for _ in range(5):
        gradients = {name: rng.normal(size=p.shape).astype(np.float32) for name, p in theirs.items()}
        for name, p in theirs.items():
            p.grad = torch.tensor(gradients[name])
        reference.step()
        opt.update(list(model.parameters()), [wf.tensor(gradients[name]) for name, _ in model.named_parameters()])
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, theirs[name].detach().numpy(), rtol=1e-5, atol=1e-7, err_msg=name)


def test_clipping_equals_pytorchs_and_its_bound_may_change() -> None:
    rng = np.random.default_rng(0)
    w, opt = wf.tensor(np.zeros((3, 4), np.float32)), optim.SGD(0.1, 0.9, clip_norm=0.5)
    v = torch.nn.Parameter(torch.zeros(3, 4))
    reference = torch.optim.SGD([v], 0.1, 0.9)
    for most in (0.5, 0.5, 2.0, 100.0):
        g = rng.normal(size=(3, 4)).astype(np.float32)
        opt.clip_norm = most
        v.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([v], most)
        reference.step()
        opt.update([w], [wf.tensor(g)])
    np.testing.assert_allclose(w.numpy(), v.detach().numpy(), rtol=1e-5)
