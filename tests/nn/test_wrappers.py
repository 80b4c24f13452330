"""Wrappers compute what PyTorch's parametrizations do, in states of the same names; frozen layers stay as they are."""

import threading
import time

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError

ROWS = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
IMAGE = np.random.default_rng(0).normal(size=(2, 4, 5, 5)).astype(np.float32)


def test_spectral_norm_starts_with_the_largest_singular_value():
    layer = nn.SpectralNorm(nn.Linear(20, 10)).eval()
    assert np.linalg.norm(layer.weight.numpy(), 2) == pytest.approx(1.0, abs=0.05)
    layer.initialize(3)
    assert np.linalg.norm(layer.weight.numpy(), 2) == pytest.approx(1.0, abs=0.05)


def test_a_wrapped_layer_waits_for_its_size_and_begins_as_the_plain_one():
    layer = nn.WeightNorm(nn.Linear(3))
    assert layer(wf.tensor(ROWS)).shape == (5, 3)
    np.testing.assert_allclose(layer.weight.numpy(), layer.v.numpy(), rtol=1e-5)
    layer.initialize(9)
    np.testing.assert_allclose(layer.weight.numpy(), layer.v.numpy(), rtol=1e-5)


@pytest.mark.parametrize("wrap", [nn.WeightNorm, nn.SpectralNorm, lambda layer: nn.LoRA(layer, 2)])
def test_merging_gives_the_plain_layer_that_computes_the_same(wrap):
    layer = wrap(nn.Linear(4, 3)).eval()
    if isinstance(layer, nn.LoRA):
        layer.lora_B.assign(np.ones((3, 2), np.float32))
    plain = layer.merge()
    assert type(plain) is nn.Linear
    assert all(p.requires_grad for p in plain.parameters())
    np.testing.assert_allclose(plain(ROWS).numpy(), layer(ROWS).numpy(), rtol=1e-5, atol=1e-6)


def test_lora_of_a_convolution_changes_its_weight():
    layer = nn.LoRA(nn.Conv2d(4, 3, 3), rank=2, alpha=2.0)
    layer.lora_B.assign(np.ones((3, 2), np.float32))
    np.testing.assert_allclose(layer.merge()(IMAGE).numpy(), layer(IMAGE).numpy(), rtol=1e-4, atol=1e-5)


def test_frozen_layers_pass_gradients_keep_evaluation_mode_and_do_not_train():
    inner = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model = nn.Sequential(nn.Linear(4, 4), nn.Frozen(inner), nn.Linear(4, 2)).train()
    assert not any(m.training for m in inner.modules())
    assert model[1].training
    before = inner.state_dict()
    model(ROWS).sum().backward()
    assert model[0].weight.grad is not None
    assert inner[0].weight.grad is None
    model.requires_grad_(True)
    assert not any(p.requires_grad for p in inner.parameters())
    wf.fit(model, (ROWS, np.zeros((5, 2), np.float32)), "mse", epochs=2, verbose=False)
    for name, value in inner.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert "1.0.weight" in model.state_dict()


class Slow(nn.Linear):
    def forward(self, x):
        time.sleep(1e-3)
        return super().forward(x)


def test_threads_do_not_see_the_weight_of_each_other():
    layer, wrong = nn.WeightNorm(Slow(3, 2)), []

    def predict():
        for _ in range(5):
            try:
                layer(wf.ones((1, 3))).tolist()
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert "weight" not in vars(layer.layer)


def test_what_cannot_be_wrapped_is_refused():
    with pytest.raises(ArgumentError, match="no parameter 'weight'"):
        nn.WeightNorm(nn.ReLU())
    with pytest.raises(ArgumentError, match="two axes"):
        nn.SpectralNorm(nn.LayerNorm(4))
    with pytest.raises(ArgumentError, match="axis=5"):
        nn.WeightNorm(nn.Linear(4, 3), axis=5)
    with pytest.raises(ArgumentError, match="rank=0"):
        nn.LoRA(nn.Linear(4, 3), rank=0)
