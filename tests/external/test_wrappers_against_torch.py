"""WeightNorm, SpectralNorm and LoRA compared with PyTorch's parametrizations."""

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations

import weft as wf
from tests.nn.test_wrappers import IMAGE, ROWS
from weft import nn

PAIRS = {
    "Linear": (lambda: nn.Linear(4, 3), lambda: torch.nn.Linear(4, 3), ROWS),
    "Conv2d": (lambda: nn.Conv2d(4, 3, 3), lambda: torch.nn.Conv2d(4, 3, 3), IMAGE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 3, 3), lambda: torch.nn.ConvTranspose2d(4, 3, 3), IMAGE),
    "Embedding": (lambda: nn.Embedding(6, 3), lambda: torch.nn.Embedding(6, 3), np.array([[1, 5, 1]])),
}


def same_as(ours, theirs, data, steps=2):
    """Both with the same state: results, gradients and buffers over a few calls in training mode, then evaluation."""
    ours.load_state_dict(theirs.state_dict())
    assert set(ours.state_dict()) == set(theirs.state_dict())
    x, tx = wf.tensor(data), torch.tensor(data)
    for _ in range(steps):
        y, ty = ours(x), theirs(tx)
        np.testing.assert_allclose(y.numpy(), ty.detach().numpy(), rtol=1e-4, atol=1e-5)
    (y * y).sum().backward()
    (ty * ty).sum().backward()
    given = dict(theirs.named_parameters())
    assert {name for name, _ in ours.named_parameters()} == set(given)
    for name, p in ours.named_parameters():
        np.testing.assert_allclose(p.grad.numpy(), given[name].grad.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value, theirs.state_dict()[name].numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(ours.eval()(x).numpy(), theirs.eval()(tx).detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_weight_norm_is_pytorchs(name):
    ours, theirs, data = PAIRS[name]
    same_as(nn.WeightNorm(ours()), parametrizations.weight_norm(theirs()), data, steps=1)


def test_weight_norm_along_another_axis_and_of_the_whole():
    same_as(nn.WeightNorm(nn.Linear(4, 3), axis=1), parametrizations.weight_norm(torch.nn.Linear(4, 3), dim=1), ROWS, 1)
    whole = nn.WeightNorm(nn.Linear(4, 3), axis=None)
    assert whole.g.shape == ()
    np.testing.assert_allclose(whole.weight.numpy(), whole.v.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_spectral_norm_is_pytorchs(name):
    ours, theirs, data = PAIRS[name]
    same_as(nn.SpectralNorm(ours()), parametrizations.spectral_norm(theirs()), data)


def test_lora_begins_as_the_layer_and_trains_only_its_own():
    base = nn.Linear(4, 3)
    expected = base(ROWS).numpy()
    layer = nn.LoRA(base, rank=2, alpha=4.0)
    np.testing.assert_array_equal(layer(ROWS).numpy(), expected)
    layer(ROWS).sum().backward()
    assert layer.layer.weight.grad is None
    assert layer.lora_B.grad is not None
    assert list(layer.state_dict()) == ["lora_A", "lora_B", "weight", "bias"]
    nn.Sequential(layer).unfreeze()
    assert not layer.layer.weight.requires_grad
    fresh = nn.LoRA(nn.Linear(4, 3), rank=2)
    fresh.load_state_dict(torch.nn.Linear(4, 3).state_dict(), strict=False)
