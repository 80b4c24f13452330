"""Examples mixed with each other: shares, partners and targets."""

import numpy as np
import pytest
from scipy import stats

import weft as wf
from weft.augment import Compose, CutMix, HorizontalFlip, LabelSmoothing, MixUp, Sometimes, example_keys
from weft.errors import ArgumentError, DTypeError, ShapeError

B, C = 64, 4
X = np.random.default_rng(0).uniform(size=(B, 3, 10, 12)).astype(np.float32)
Y = np.arange(B) % C
KEYS = example_keys(0, 0, np.arange(B))
column = lambda share: share.reshape(B, 1, 1, 1)


def shares(y):
    """λ of each example, from its probabilities: its label differs from its partner's."""
    return y[np.arange(B), Y]


def test_mixup_mixes_examples_and_targets_with_the_next():
    x, y = (t.numpy() for t in MixUp(0.4, C)(X, Y, KEYS))
    share = column(shares(y))
    np.testing.assert_allclose(x, share * X + (1 - share) * np.roll(X, -1, 0), atol=1e-6)
    eye = np.eye(C, dtype=np.float32)[Y]
    np.testing.assert_allclose(y, share[:, 0, 0] * eye + (1 - share[:, 0, 0]) * np.roll(eye, -1, 0), atol=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_the_share_is_of_the_beta_distribution(alpha):
    n = 4096
    x = (np.arange(n) == 0).astype(np.float32)[:, None] * 0 + 1.0
    x[1::2] = 0  # so that what is left of the ones is their share
    made = MixUp(alpha)(x, None, example_keys(1, 0, np.arange(n)))[0].numpy()[::2, 0]
    assert stats.kstest(made, "beta", args=(alpha, alpha)).pvalue > 1e-3


def test_the_share_depends_on_the_key_alone():
    whole = shares(MixUp(0.4, C)(X, Y, KEYS)[1].numpy())
    order = np.random.default_rng(2).permutation(B)
    y = np.zeros(B, np.float32)
    y[::2] = 1
    mixed = MixUp(0.4)(X[order], y, KEYS[wf.tensor(order)])[1].numpy()
    np.testing.assert_array_equal(mixed[::2], whole[order][::2])


def test_cutmix_lays_a_rectangle_of_the_next_picture():
    x, y = (t.numpy() for t in CutMix(1.0, C)(X, Y, KEYS))
    foreign = (x != X).all(1)
    assert np.array_equal(np.where(foreign[:, None], np.roll(X, -1, 0), X), x)
    np.testing.assert_allclose(shares(y), 1 - foreign.mean((1, 2)), atol=1e-6)
    for n in range(B):
        rows, columns = foreign[n].any(1), foreign[n].any(0)
        assert foreign[n].sum() == rows.sum() * columns.sum()
    assert 0.1 < np.median(shares(y)) < 0.95


@pytest.mark.parametrize("augmentation", [MixUp(0.4, C), CutMix(0.7, C), LabelSmoothing(0.2, C)])
def test_the_mass_of_labels_is_1(augmentation):
    y = augmentation(X, Y, KEYS)[1].numpy()
    assert y.shape == (B, C)
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)
    assert y.min() >= 0


def test_smoothing():
    x, y = LabelSmoothing(0.2, C)(X, Y, KEYS)
    assert np.array_equal(x.numpy(), X)
    np.testing.assert_allclose(y.numpy(), np.eye(C)[Y] * 0.8 + 0.05, atol=1e-6)
    again = LabelSmoothing(0.2)(X, y, KEYS)[1].numpy()
    np.testing.assert_allclose(again, y.numpy() * 0.8 + 0.05, atol=1e-6)


def test_floating_targets_are_mixed_as_they_are():
    amounts = np.arange(B, dtype=np.float32)[:, None]
    table = np.arange(2 * B, dtype=np.float32).reshape(B, 2)
    x, y = MixUp(0.4)(table, amounts, KEYS)
    np.testing.assert_allclose(y.numpy()[:, 0] * 2, x.numpy()[:, 0], rtol=1e-5)
    assert CutMix(1.0)(X, amounts, KEYS)[1].shape == (B, 1)


def test_an_example_alone_is_its_own_partner():
    x, y = MixUp(0.4, C)(X[:1], Y[:1], KEYS[:1])
    np.testing.assert_allclose(x.numpy(), X[:1], atol=1e-6)
    np.testing.assert_allclose(y.numpy(), np.eye(C)[Y[:1]], atol=1e-6)


def test_training_fills_in_the_classes():
    chain = Compose([HorizontalFlip(), Sometimes(0.5, MixUp(0.4)), LabelSmoothing(0.1)])
    knowing = chain.with_classes(C)
    assert chain.augmentations[2].classes is None
    assert knowing.augmentations[1].augmentation == MixUp(0.4, C)
    assert knowing.augmentations[2] == LabelSmoothing(0.1, C)
    y = knowing(X, Y, KEYS)[1].numpy()
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)


def test_targets_are_probabilities_whether_or_not_they_are_mixed():
    y = Sometimes(0.5, MixUp(1.0, C))(X, Y, KEYS)[1].numpy()
    sharp = (y.max(1) == 1).sum()
    assert B / 4 < sharp < 3 * B / 4
    np.testing.assert_array_equal(y[y.max(1) == 1], np.eye(C)[Y][y.max(1) == 1])


def test_a_label_that_is_no_class_is_nan_and_not_a_number():
    y = MixUp(0.4, C)(X[:3], np.array([0, C, 1]), KEYS[:3])[1].numpy()
    assert np.isnan(y[1]).all()


def test_wrong_targets_are_lessons():
    with pytest.raises(ArgumentError, match=r"classes=10\), or \.with_classes"):
        MixUp(0.4)(X, Y, KEYS)
    with pytest.raises(ShapeError, match=r"y\[:, 0\]"):
        MixUp(0.4, C)(X, Y[:, None], KEYS)
    with pytest.raises(ShapeError, match="int64"):
        LabelSmoothing(0.1)(X, Y.astype(np.float32), KEYS)
    with pytest.raises(ShapeError, match=r"\(B, 3\)"):
        LabelSmoothing(0.1, 3)(X, np.eye(C, dtype=np.float32)[Y], KEYS)
    with pytest.raises(DTypeError, match="complex"):
        MixUp(0.4, C)(X, Y.astype(np.complex64), KEYS)
    with pytest.raises(ArgumentError, match="classes=3, of a model"):
        MixUp(0.4, 3).with_classes(C)
    with pytest.raises(ArgumentError, match="whole number ≥ 2"):
        MixUp(0.4).with_classes(1)
    with pytest.raises(ShapeError, match="63"):
        MixUp(0.4, C)(X, Y[1:], KEYS)
