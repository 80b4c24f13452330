"""Augmentations of pictures against formulas of NumPy, SciPy and the standard library."""

import colorsys

import numpy as np
import pytest
from scipy import ndimage

import weft as wf
from weft.augment import (
    Affine,
    Brightness,
    ColorJitter,
    Contrast,
    Cutout,
    Grayscale,
    HorizontalFlip,
    Hue,
    RandomCrop,
    RandomErasing,
    Rotate,
    Saturation,
    VerticalFlip,
    example_keys,
    fold,
    uniform,
)

B, H, W = 32, 12, 10
X = np.random.default_rng(0).uniform(size=(B, 3, H, W)).astype(np.float32)
KEYS = example_keys(0, 0, np.arange(B))
LUMA = np.array([0.299, 0.587, 0.114]).reshape(3, 1, 1)


def augmented(augmentation, x=X):
    made, y = augmentation(x, None, KEYS)
    assert y is None
    assert made.dtype.numpy == x.dtype
    return made.numpy()


@pytest.mark.parametrize(("kind", "axis"), [(HorizontalFlip, -1), (VerticalFlip, -2)])
def test_flips(kind, axis):
    assert np.array_equal(augmented(kind(p=1.0)), np.flip(X, axis))
    assert np.array_equal(augmented(kind(p=0.0)), X)
    made, flipped = augmented(kind()), uniform(KEYS, 0).numpy() < 0.5
    assert 5 < flipped.sum() < B - 5
    assert np.array_equal(made, np.where(flipped.reshape(B, 1, 1, 1), np.flip(X, axis), X))


@pytest.mark.parametrize(("mode", "name"), [("zeros", "constant"), ("reflect", "reflect"), ("edge", "edge")])
@pytest.mark.parametrize(("padding", "size"), [((3, 2), None), (0, (7, 10))])
def test_a_crop_is_a_window_of_the_padded_picture(mode, name, padding, size):
    made = augmented(RandomCrop(padding, mode, size))
    high, wide = size or (H, W)
    assert made.shape == (B, 3, high, wide)
    down, right = padding or (0, 0)
    padded = np.pad(X, ((0, 0), (0, 0), (down, down), (right, right)), mode=name)
    places = [
        [
            (i, j)
            for i in range(padded.shape[2] - high + 1)
            for j in range(padded.shape[3] - wide + 1)
            if np.array_equal(made[n], padded[n, :, i : i + high, j : j + wide])
        ]
        for n in range(B)
    ]
    assert all(len(p) == 1 for p in places)
    found = np.array([p[0] for p in places])
    assert found.min(0).tolist() == [0, 0]
    assert found.max(0).tolist() == [padded.shape[2] - high, padded.shape[3] - wide]


def test_a_quarter_turn_is_rot90():
    square = X[..., :W, :]
    for quarter in (-1, 1, 2):
        made = augmented(Rotate((90 * quarter, 90 * quarter)), square)
        np.testing.assert_allclose(made, np.rot90(square, quarter, axes=(2, 3)), atol=1e-5)


def test_no_turn_is_the_identity():
    np.testing.assert_allclose(augmented(Rotate(0.0)), X, atol=1e-5)


def resampled(x, forward, moved, mode="grid-constant"):
    """SciPy's: every pixel read where the inverse of the map, about the middle, puts it; rows before columns."""
    middle = (np.array(x.shape[-2:]) - 1) / 2
    inverse = np.linalg.inv(forward)
    offset = middle - inverse @ (middle + moved)
    return np.stack([ndimage.affine_transform(c.astype(float), inverse, offset, order=1, mode=mode) for c in x])


@pytest.mark.parametrize(("mode", "name"), [("zeros", "grid-constant"), ("reflect", "mirror"), ("edge", "nearest")])
def test_affine_maps_are_scipys(mode, name):
    augmentation = Affine(degrees=40, translate=(0.2, 0.3), scale=(0.7, 1.4), shear=20, mode=mode)
    made = augmented(augmentation)
    low, high = np.array([[-40, -0.2 * H, -0.3 * W, 0.7, -20], [40, 0.2 * H, 0.3 * W, 1.4, 20]])
    drawn = uniform(KEYS, 0, 5).numpy() * (high - low) + low
    assert np.ptp(drawn[:, 0]) > 40
    for n in range(B):
        angle, down, right, scale, shear = drawn[n]
        c, s, t = np.cos(np.radians(angle)), np.sin(np.radians(angle)), np.tan(np.radians(shear))
        # In (row, column) with rows downwards: against the clock takes a column step to a step up.
        forward = np.array([[c, -s], [s, c]]) @ np.array([[1, 0], [t, 1]]) * scale
        np.testing.assert_allclose(made[n], resampled(X[n], forward, (down, right), name), atol=2e-5)


def rectangle(hidden):
    """The first pixel and the size of the only rectangle of hidden pixels."""
    rows, columns = np.flatnonzero(hidden.any(1)), np.flatnonzero(hidden.any(0))
    assert hidden[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert hidden.sum() == len(rows) * len(columns)
    return len(rows), len(columns)


def test_cutout_covers_one_rectangle():
    made = augmented(Cutout((5, 4), value=2.0))
    sizes = [rectangle((made[n] == 2).all(0)) for n in range(B)]
    assert np.array_equal(np.where(made == 2, X, made), X)
    assert max(sizes) == (5, 4)
    assert all(2 <= h <= 5 and 2 <= w <= 4 for h, w in sizes)  # its middle lies inside
    assert len(set(sizes)) > 2


def test_erasing_covers_the_share_and_form_that_are_asked_for():
    x = np.zeros((B, 1, 40, 40), np.float32)
    made = augmented(RandomErasing(1.0, scale=(0.1, 0.2), ratio=(0.5, 2.0), value=1.0), x)
    sizes = np.array([rectangle(made[n, 0] == 1) for n in range(B)])
    shares, forms = sizes.prod(1) / 1600, sizes[:, 0] / sizes[:, 1]
    assert 0.085 < shares.min() < 0.12 < 0.18 < shares.max() < 0.215
    assert 0.45 < forms.min() < 0.8 < 1.25 < forms.max() < 2.2
    some = augmented(RandomErasing(0.5, value=1.0), x).any((1, 2, 3))
    assert 8 < some.sum() < 24


def factors(low, high):
    return (uniform(KEYS, 0).numpy().astype(float) * (high - low) + low).reshape(B, 1, 1, 1)


def test_brightness_contrast_and_saturation_are_their_formulas():
    f = factors(0.4, 1.6)
    grey = (X * LUMA).sum(1, keepdims=True)
    mean = grey.mean((1, 2, 3), keepdims=True)
    for kind, expected in (
        (Brightness, X * f),
        (Contrast, (X - mean) * f + mean),
        (Saturation, (X - grey) * f + grey),
    ):
        np.testing.assert_allclose(augmented(kind(0.6)), np.clip(expected, 0, 1), atol=2e-6)
        np.testing.assert_allclose(augmented(kind(0.6, limits=None)), expected, atol=2e-6)


def test_black_may_be_another_number():
    made = augmented(Brightness(0.6, limits=(-1, 1)), X * 2 - 1)
    np.testing.assert_allclose(made, np.clip(X * factors(0.4, 1.6), 0, 1) * 2 - 1, atol=2e-6)


def test_contrast_of_grey_pictures_and_of_none():
    grey = X[:, :1]
    mean = grey.mean((1, 2, 3), keepdims=True)
    made = augmented(Contrast(0.3), grey)
    np.testing.assert_allclose(made, np.clip((grey - mean) * factors(0.7, 1.3) + mean, 0, 1), atol=2e-6)
    assert not augmented(Contrast(0.3), grey * 0).any()


def test_hue_turns_as_in_colorsys():
    made = augmented(Hue(0.5))
    turns = uniform(KEYS, 0).numpy() - 0.5
    for n in range(0, B, 7):
        for i, j in ((0, 0), (3, 4), (11, 9)):
            h, s, v = colorsys.rgb_to_hsv(*X[n, :, i, j].astype(float))
            expected = colorsys.hsv_to_rgb((h + turns[n]) % 1, s, v)
            np.testing.assert_allclose(made[n, :, i, j], expected, atol=3e-6)
    grey = np.broadcast_to(X[:, :1], X.shape).copy()
    np.testing.assert_allclose(augmented(Hue(0.5), grey), grey, atol=1e-6)


def test_grayscale_replaces_some_pictures():
    made, chosen = augmented(Grayscale(0.5)), (uniform(KEYS, 0).numpy() < 0.5).reshape(B, 1, 1, 1)
    grey = np.broadcast_to((X * LUMA).sum(1, keepdims=True), X.shape)
    np.testing.assert_allclose(made, np.where(chosen, grey, X), atol=1e-6)
    assert 5 < chosen.sum() < B - 5


def test_colour_jitter_is_its_parts_in_their_order():
    made = augmented(ColorJitter(0.4, 0.3, 0.0, 0.1))
    x = wf.tensor(X)
    for k, part in ((0, Brightness(0.4)), (1, Contrast(0.3)), (3, Hue(0.1))):
        x, _ = part(x, None, fold(KEYS, k))
    np.testing.assert_allclose(made, x.numpy(), atol=1e-6)


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-5), ("float16", 4e-3), ("bfloat16", 3e-2)])
def test_pictures_keep_their_type(dtype, atol):
    x = wf.tensor(X).astype(dtype)
    for augmentation in (HorizontalFlip(), RandomCrop(2), Rotate(10), Cutout(3), Contrast(0.3), Hue(0.1)):
        made, _ = augmentation(x, None, KEYS)
        assert made.dtype is x.dtype
        expected, _ = augmentation(x.astype("float32"), None, KEYS)
        np.testing.assert_allclose(made.astype("float32").numpy(), expected.numpy(), atol=atol)
