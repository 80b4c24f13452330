"""Augmentations together, for tables, and what they refuse."""

import re

import numpy as np
import pytest

import weft as wf
from weft import augment
from weft.augment import (
    Affine,
    Augmentation,
    Brightness,
    ColorJitter,
    Compose,
    Cutout,
    FeatureDropout,
    GaussianNoise,
    HorizontalFlip,
    LabelSmoothing,
    MixUp,
    RandomCrop,
    RandomErasing,
    Rotate,
    Saturation,
    Sometimes,
    as_augmentation,
    example_keys,
    fold,
    plot,
    preview,
)
from weft.errors import ArgumentError, AxisError, DataError, DTypeError, ShapeError
from weft.random import wrap_key
from weft.train.course import keys_for

B = 8
X = np.random.default_rng(0).uniform(size=(B, 3, 8, 8)).astype(np.float32)
TABLE = np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32)
KEYS, TABLE_KEYS = example_keys(0, 0, np.arange(B)), example_keys(0, 0, np.arange(500))


# ── together ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_is_a_composition_in_this_order():
    assert as_augmentation([HorizontalFlip(), [Cutout(3)]]) == Compose([HorizontalFlip(), Compose([Cutout(3)])])
    made = Compose([RandomCrop(0, size=4), Cutout(2)])(X, None, KEYS)[0].numpy()
    by_hand, _ = RandomCrop(0, size=4)(X, None, fold(KEYS, 0))
    by_hand, _ = Cutout(2)(by_hand, None, fold(KEYS, 1))
    assert np.array_equal(made, by_hand.numpy())
    assert np.array_equal(Compose([])(X, None, KEYS)[0].numpy(), X)


def test_twice_the_same_augmentation_draws_twice():
    once = GaussianNoise(1.0)(TABLE * 0, None, TABLE_KEYS)[0].numpy()
    twice = Compose([GaussianNoise(1.0), GaussianNoise(1.0)])(TABLE * 0, None, TABLE_KEYS)[0].numpy()
    assert abs(once.std() - 1) < 0.05
    assert abs(twice.std() - np.sqrt(2)) < 0.05


def test_sometimes_is_sometimes():
    made = Sometimes(0.3, [GaussianNoise(1.0)])(TABLE, None, TABLE_KEYS)[0].numpy()
    changed = (made != TABLE).all(1)
    assert np.array_equal(changed, (made != TABLE).any(1))
    assert 0.23 < changed.mean() < 0.37
    assert np.array_equal(Sometimes(0.0, GaussianNoise(1.0))(TABLE, None, TABLE_KEYS)[0].numpy(), TABLE)


def test_specifications_are_frozen_equal_and_readable():
    chain = Compose([HorizontalFlip(0.3), MixUp(0.2)])
    assert repr(chain) == "Compose(augmentations=(HorizontalFlip(p=0.3), MixUp(alpha=0.2, classes=None)))"
    assert chain == Compose([HorizontalFlip(0.3), MixUp(0.2)])
    assert hash(chain) == hash(Compose([HorizontalFlip(0.3), MixUp(0.2)]))
    assert hash(Affine(scale=[0.8, 1.2])) == hash(Affine(scale=(0.8, 1.2)))
    with pytest.raises(AttributeError):
        chain.augmentations[0].p = 1.0


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_noise_has_its_deviation_in_every_column():
    made = GaussianNoise(0.2)(TABLE, None, TABLE_KEYS)[0].numpy() - TABLE
    assert np.abs(made.std(0) - 0.2).max() < 0.03
    assert np.abs(np.corrcoef(made.T) - np.eye(6)).max() < 0.2


def test_feature_dropout_masks_whole_features():
    made = FeatureDropout(0.25, value=9.0)(TABLE, None, TABLE_KEYS)[0].numpy()
    assert np.array_equal(np.where(made == 9, TABLE, made), TABLE)
    assert np.abs((made == 9).mean(0) - 0.25).max() < 0.08
    channels = FeatureDropout(0.5, axis=1)(X, None, KEYS)[0].numpy()
    gone = (channels == 0).all((2, 3))
    assert np.array_equal(channels, X * ~gone[..., None, None])
    assert 0 < gone.sum() < 3 * B


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HorizontalFlip(1.5), r"HorizontalFlip: p=1\.5[\s\S]*0 ≤ p ≤ 1"),
        (lambda: HorizontalFlip("often"), "p='often'"),
        (lambda: RandomCrop(-1), "padding=-1"),
        (lambda: RandomCrop(4, "mirror"), "mode='mirror'"),
        (lambda: RandomCrop(4, size=(1, 2, 3)), r"size=\(1, 2, 3\)"),
        (lambda: Rotate((30, -30)), "low ≤ high"),
        (lambda: Affine(translate=2.0), r"translate=2\.0"),
        (lambda: Affine(translate=(0.1, 0.1, 0.1)), "vertical, horizontal"),
        (lambda: Affine(scale=1.2), r"a pair \(low, high\)"),
        (lambda: Affine(scale=(0.0, 1.0)), "0 < scale"),
        (lambda: Affine(shear=90), "shear=90"),
        (lambda: Cutout(0), "size=0"),
        (lambda: RandomErasing(scale=(0.0, 0.5)), "0 < low"),
        (lambda: RandomErasing(ratio=2), None),
        (lambda: Brightness(-0.1), r"strength=-0\.1"),
        (lambda: ColorJitter(hue=0.7), r"strength=0\.7[\s\S]*≤ 0\.5"),
        (lambda: Brightness(0.1, limits=(1, 0)), "black < white"),
        (lambda: GaussianNoise(float("nan")), "std=nan"),
        (lambda: FeatureDropout(0.1, axis=0), "axis=0"),
        (lambda: MixUp(0.0), "0 < alpha"),
        (lambda: MixUp(classes=1), "classes=1"),
        (lambda: LabelSmoothing(1.5), r"amount=1\.5"),
        (lambda: Sometimes(0.5, HorizontalFlip), r"wf\.augment\.HorizontalFlip\(\)"),
        (lambda: Compose(HorizontalFlip()), r"Compose\(\[HorizontalFlip\(p=0\.5\)\]\)"),
        (lambda: as_augmentation("flip"), "'flip'"),
    ],
)
def test_arguments_outside_of_their_range_are_lessons(make, words):
    if words is None:  # one number for both ends
        assert make().ratio == (2.0, 2.0)
        return
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    ("augmentation", "x", "error", "words"),
    [
        (HorizontalFlip(), (X * 255).astype(np.uint8), DTypeError, "x / 255"),
        (GaussianNoise(), TABLE.astype(np.int64), DTypeError, "float32"),
        (HorizontalFlip(), X[0], ShapeError, r"x\[None\]"),
        (HorizontalFlip(), X[:, 0], ShapeError, r"x\[:, None\]"),
        (Rotate(), TABLE, ShapeError, r"\(B, C, H, W\)"),
        (Saturation(0.5), X[:, :1], ShapeError, "leave Saturation out"),
        (Saturation(0.5), X.transpose(0, 2, 3, 1), ShapeError, r"permute_dims\(0, 3, 1, 2\)"),
        (RandomCrop(0, size=9), X, ShapeError, r"size ≤ \(8, 8\)"),
        (RandomCrop(8, "reflect"), X, ShapeError, 'mode="edge"'),
        (Sometimes(0.5, RandomCrop(0, size=4)), X, ShapeError, "one shape"),
        (FeatureDropout(axis=4), X, AxisError, "axis=4"),
        (FeatureDropout(), TABLE[:, 0], AxisError, r"x\[:, None\]"),
    ],
)
def test_wrong_examples_are_lessons(augmentation, x, error, words):
    with pytest.raises(error, match=words):
        augmentation(x, None, example_keys(0, 0, np.arange(len(x))))


def test_keys_and_examples_belong_together():
    with pytest.raises(ShapeError, match="for 8 examples"):
        HorizontalFlip()(X, None, KEYS[:3])


def test_values_outside_of_the_limits_are_found_before_training():
    chain = Compose([HorizontalFlip(), Sometimes(0.5, ColorJitter(0.2))])
    chain.check(X)
    with pytest.raises(DataError, match=r"x / 255"):
        chain.check(X * 255)
    with pytest.raises(DataError, match="limits=None"):
        chain.check(X - X.mean())
    Compose([ColorJitter(0.2, limits=None)]).check(X * 255)
    Compose([ColorJitter()]).check(X * 255)


# ── a look ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_of_numpy_are_numbers():
    assert Rotate(np.float32(15)) == Rotate(15.0)
    assert RandomCrop(np.int64(1))(X, None, KEYS)[0].shape == X.shape


def test_preview_shows_what_training_sees():
    chain = [HorizontalFlip(), RandomCrop(1), MixUp(0.2)]
    seen = preview(chain, X, np.arange(B), seed=5, epochs=3)
    assert seen.shape == (3, B, 3, 8, 8)
    for epoch in range(3):
        keys = example_keys(5, epoch, np.arange(B))
        np.testing.assert_allclose(seen[epoch], Compose(chain)(X, None, keys)[0].numpy(), atol=1e-6)
    of_a_fit = example_keys(wrap_key(keys_for(5)["augment_key"]), 2, np.arange(B))
    assert np.array_equal(keys.numpy(), of_a_fit.numpy())
    with pytest.raises(ArgumentError, match="epochs=0"):
        preview(chain, X, epochs=0)
    with pytest.raises(DataError):
        preview(Brightness(0.1), X * 255)


def test_plot_is_a_grid_of_pictures():
    figure = plot([HorizontalFlip(), MixUp(0.4)], X[:2], np.array([3, 1]), epochs=2)
    assert len(figure.axes) == 6
    assert [a.get_title() for a in figure.axes[:3]] == ["original", "epoch 0", "epoch 1"]
    assert figure.axes[0].get_xlabel() == "3"
    assert re.fullmatch(r"([13]: \d+ %(, )?){2}", figure.axes[1].get_xlabel())
    np.testing.assert_allclose(
        figure.axes[0].images[0].get_array(),
        (X[0].transpose(1, 2, 0) - X[:2].min()) / np.ptp(X[:2]),
        atol=1e-6,
    )
    with pytest.raises(ShapeError, match=r"\(B, C, H, W\)"):
        plot(GaussianNoise(), TABLE)


def test_what_is_public_is_documented():
    for name in augment.__all__:
        assert getattr(augment, name).__doc__, name


def test_one_of_your_own():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Negative(Augmentation):
        def apply(self, x, y, keys):
            return -x, y

    assert np.array_equal(as_augmentation([Negative()])(TABLE, None, TABLE_KEYS)[0].numpy(), -TABLE)
    with pytest.raises(NotImplementedError):
        Augmentation()(wf.zeros((1, 2)), None, KEYS[:1])
