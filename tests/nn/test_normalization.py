"""Running statistics over several batches, and numbers at the edges of their types, as in PyTorch."""

from functools import partial

import numpy as np
import pytest

import weft as wf
from tests.ops.contract import check_shapes, check_values, one
from weft import nn
from weft.nn import functional as F
from weft.nn.functional.standardization import BATCH, EXAMPLE, standardized

BATCHES = [np.random.default_rng(k).normal(k, k + 1, (6, 4, 5)).astype(np.float32) for k in range(3)]


@pytest.mark.parametrize(
    "norm",
    [
        lambda x: F.layer_norm(x, (8,)),
        lambda x: F.rms_norm(x, (8,)),
        lambda x: F.group_norm(x, 2),
        lambda x: F.batch_norm(x),
        lambda x: F.instance_norm(x.reshape(2, 2, 16)).reshape(8, 8),
    ],
)
def test_squares_beyond_the_range_of_sixteen_bits(norm):
    x = (np.arange(64, dtype=np.float32).reshape(8, 8) - 20) * 512
    wide = norm(wf.tensor(x)).numpy()
    half = norm(wf.tensor(x.astype(np.float16)))
    assert half.dtype is wf.float16
    np.testing.assert_allclose(half.numpy(), wide, rtol=2e-3, atol=2e-3)


def test_an_empty_batch_changes_nothing():
    layer = nn.BatchNorm1d(4)
    assert layer(wf.zeros((0, 4))).shape == (0, 4)
    assert layer.running_mean.tolist() == [0.0] * 4
    assert layer.running_var.tolist() == [1.0] * 4


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm1d(3), lambda: nn.SpectralNorm(nn.Linear(3, 3))])
def test_looking_at_a_loss_changes_no_gradient_of_layers_with_running_state(make):
    x = wf.tensor([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0], [0.0, 1.0, 5.0]])
    found = []
    for look in (False, True):
        model = nn.Sequential(make(), nn.Linear(3, 1)).initialize(0)
        y = model(x) * model(x + 1)  # the state moves twice
        if look:
            str(y)
        loss = (y * y).mean()
        if look:
            float(loss)
        loss.backward()
        found.append([p.grad.numpy() for p in model.parameters()])
    for before, after in zip(*found, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


def test_a_frozen_running_average_in_a_compiled_step_is_state():
    layer = nn.BatchNorm1d(4)
    step = wf.compile(lambda x: layer(x).sum())
    for batch in BATCHES:
        step(batch)
    other = nn.BatchNorm1d(4)
    for batch in BATCHES:
        other(wf.tensor(batch))
    np.testing.assert_allclose(layer.running_var.numpy(), other.running_var.numpy(), rtol=1e-5)
    assert int(layer.num_batches_tracked) == 3


def reference(x, *affine, view, axes, eps):
    wide = x.reshape(view)
    y = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + eps)
    for k, t in enumerate(affine):
        y = y + t.reshape(1, *view[1:3], 1) if k else y * t.reshape(1, *view[1:3], 1)
    return (y.reshape(x.shape),)


@pytest.mark.parametrize("given", [0, 2])
@pytest.mark.parametrize(
    ("view", "axes"),
    [
        ((3, 1, 4, 1), EXAMPLE),
        ((3, 2, 2, 2), EXAMPLE),
        ((3, 4, 1, 2), EXAMPLE),
        ((3, 4, 1, 2), BATCH),
        ((3, 4, 1, 1), BATCH),
    ],
)
def test_the_closed_gradient_and_its_own_gradient(view, axes, given):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((view[0], view[1] * view[2], view[3])) + 5
    affine = [rng.standard_normal(x.shape[1]) for _ in range(given)]
    sample = one(
        standardized,
        x,
        *affine,
        like=partial(reference, view=view, axes=axes, eps=1e-3),
        view=view,
        axes=axes,
        eps=1e-3,
    )
    check_shapes(sample)
    check_values(sample)


@pytest.mark.parametrize("norm", [lambda x: F.layer_norm(x, (16,)), lambda x: F.group_norm(x, 2), F.batch_norm])
def test_an_offset_costs_no_more_digits_than_its_own_rounding(norm):
    rng = np.random.default_rng(4)
    x = (rng.standard_normal((4, 8, 16)) + 1e4).astype(np.float32)
    g = rng.standard_normal(x.shape).astype(np.float32)
    found = []
    for dtype in (np.float32, np.float64):
        p = nn.Parameter(x.astype(dtype))
        y = norm(p)
        found.append([y, *wf.gradients([y], [p], cotangents=[wf.tensor(g.astype(dtype))])])
    for ours, exact in zip(*found, strict=True):
        np.testing.assert_allclose(ours.numpy(), exact.numpy(), atol=5e-3)


def test_gradients_of_an_empty_batch_are_zero():
    for layer in (nn.BatchNorm1d(4), nn.LayerNorm(4), nn.GroupNorm(2, 4)):
        y = layer(wf.zeros((0, 4)))
        for g in wf.gradients([y], list(layer.parameters()), cotangents=[y]):
            assert g.tolist() == [0.0] * 4
