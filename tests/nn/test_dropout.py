"""What is dropped, what stands in its place, and that the gradient makes the same choice."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.nn import functional as F

ONES = np.ones((40, 30, 2, 2), np.float32)


def values(layer, x=ONES, seed=0):
    wf.random.seed(seed)
    return layer(wf.tensor(x)).numpy()


@pytest.mark.parametrize(
    ("layer", "shared"),
    [
        (nn.Dropout(0.3), ()),
        (nn.Dropout2d(0.3), (2, 3)),
        (nn.DropPath(0.3), (1, 2, 3)),
        (nn.AlphaDropout(0.3), ()),
        (nn.FeatureAlphaDropout(0.3), (2, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_choice_is_made_for_each_part_with_the_probability_and_its_gradient(layer, shared):
    y = values(layer)
    low, high = np.unique(y) if y.min() < y.max() else (0.0, 0.0)
    dropped = np.isclose(y, low)
    for axis in shared:
        assert (dropped == np.take(dropped, [0], axis)).all()
    parts = dropped.size // int(np.prod([y.shape[a] for a in shared]))
    assert abs(dropped.mean() - 0.3) < 4 * (0.21 / parts) ** 0.5
    wf.random.seed(0)
    x = wf.tensor(ONES, requires_grad=True)
    layer(x).sum().backward()
    slope = 1 / 0.7 if low == 0 else high - values(layer, 0 * ONES).max()
    np.testing.assert_allclose(x.grad.numpy(), np.where(dropped, 0, slope), rtol=1e-5)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(p):
    x = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    y = values(nn.AlphaDropout(p), x)
    assert abs(y.mean()) < 0.02
    assert y.std() == pytest.approx(1.0, abs=0.02)


def test_everything_and_nothing_dropped():
    for layer in (nn.Dropout(1.0), nn.DropPath(1.0), nn.AlphaDropout(1.0)):
        assert (values(layer) == 0).all()
    for layer in (nn.Dropout(0.0), nn.Dropout1d(0.0), nn.GaussianNoise(0.0)):
        assert (values(layer, ONES[..., 0]) == 1).all()


def test_noise_has_its_spread_and_passes_the_gradient():
    layer = nn.GaussianNoise(0.5)
    assert (values(layer) - 1).std() == pytest.approx(0.5, rel=0.05)
    x = wf.tensor(ONES, requires_grad=True)
    layer(x).sum().backward()
    assert (x.grad.numpy() == 1).all()


def test_the_same_key_chooses_the_same_and_a_new_probability_compiles_nothing():
    key = wf.random.Generator(3).key()
    x = wf.tensor(np.ones(50, np.float32))
    first = F.dropout(x, wf.tensor(0.5), key).numpy()
    before = wf.explain().count
    np.testing.assert_array_equal(F.dropout(x, wf.tensor(0.5), key).numpy(), first)
    F.dropout(x, wf.tensor(0.25), key).numpy()
    assert wf.explain().count == before


@pytest.mark.parametrize("p", [1.5, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(p):
    for drop in (F.dropout, F.alpha_dropout):
        with pytest.raises(wf.errors.ArgumentError, match=r"0 ≤ p ≤ 1"):
            drop(wf.ones(3), p)


def test_sixteen_bits_do_not_coarsen_the_probability():
    y = values(nn.Dropout(0.001), np.ones((1000, 1000), np.float16))
    assert (y == 0).mean() == pytest.approx(0.001, rel=0.15)


def test_one_example_without_the_axis_of_examples():
    y = values(nn.Dropout3d(0.5), np.ones((50, 2, 2, 2), np.float32))
    assert set(np.unique(y.reshape(50, -1).std(axis=1))) == {0.0}
