"""The same example in the same epoch looks the same in every batch, in every kind of program."""

import numpy as np
import pytest

import weft as wf
from weft.augment import (
    Affine,
    Brightness,
    ColorJitter,
    Compose,
    Contrast,
    Cutout,
    FeatureDropout,
    GaussianNoise,
    Grayscale,
    HorizontalFlip,
    Hue,
    LabelSmoothing,
    RandomCrop,
    RandomErasing,
    Rotate,
    Saturation,
    Sometimes,
    VerticalFlip,
    example_keys,
)

pytestmark = pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")
N = 12
RNG = np.random.default_rng(1)
X = RNG.uniform(size=(N, 3, 9, 8)).astype(np.float32)
Y = np.arange(N) % 5
CHAIN = Compose(
    [
        HorizontalFlip(),
        RandomCrop(2, "edge"),
        Rotate(20),
        ColorJitter(0.4, 0.4, 0.4, 0.1),
        Sometimes(0.5, [GaussianNoise(0.1), LabelSmoothing(0.1, 5)]),
        Cutout(3),
    ]
)
AUGMENTATIONS = [
    HorizontalFlip(),
    VerticalFlip(),
    RandomCrop(2),
    RandomCrop(2, "reflect", size=7),
    Rotate(30),
    Affine(20, 0.1, (0.8, 1.2), 10, "reflect"),
    Cutout(4),
    RandomErasing(),
    Brightness(0.4),
    Contrast(0.4),
    Saturation(0.4),
    Hue(0.2),
    Grayscale(0.5),
    GaussianNoise(0.1),
    FeatureDropout(0.3, axis=1),
    CHAIN,
]


def ids(augmentation):
    return augmentation.name


def augmented(augmentation, numbers, seed=0, epoch=0):
    """Examples and targets of a batch of these numbers."""
    one = wf.compile(lambda x, y, keys: augmentation(x, y, keys))
    x, y = one(wf.tensor(X[numbers]), wf.tensor(Y[numbers]), example_keys(seed, epoch, numbers))
    return x.numpy(), y.numpy()


@pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=ids)
def test_how_a_batch_is_composed_makes_no_difference(augmentation):
    whole = augmented(augmentation, np.arange(N))
    assert not np.array_equal(whole[0], X)
    for numbers in (RNG.permutation(N), np.array([7, 2, 5]), np.array([4])):
        for part, all_of_them in zip(augmented(augmentation, numbers), whole, strict=True):
            assert np.array_equal(part, all_of_them[numbers]), numbers


def test_seed_and_epoch_decide():
    numbers = np.arange(N)
    first = augmented(CHAIN, numbers, seed=3, epoch=1)[0]
    assert np.array_equal(first, augmented(CHAIN, numbers, seed=3, epoch=1)[0])
    for other in (augmented(CHAIN, numbers, seed=3, epoch=2)[0], augmented(CHAIN, numbers, seed=4, epoch=1)[0]):
        assert (first != other).any((1, 2, 3)).all()


def test_it_is_part_of_every_kind_of_program():
    x, y, numbers = wf.tensor(X), wf.tensor(Y), np.arange(N)
    keys = example_keys(0, 0, numbers)
    expected, targets = (t.numpy() for t in CHAIN(x, y, keys))
    per_batch = lambda t: t.reshape(3, 4, *t.shape[1:])
    flat = lambda t: t.numpy().reshape(N, *t.shape[2:])

    _, scanned = wf.scan(lambda c, b: (c, CHAIN(*b)), wf.zeros(()), (per_batch(x), per_batch(y), per_batch(keys)))
    assert np.array_equal(flat(scanned[0]), expected)
    assert np.array_equal(flat(scanned[1]), targets)

    mapped, mapped_targets = wf.vmap(CHAIN)(per_batch(x), per_batch(y), per_batch(keys))
    np.testing.assert_allclose(flat(mapped), expected, atol=1e-5)
    np.testing.assert_allclose(flat(mapped_targets), targets, atol=1e-6)

    def epochs(state):
        epoch, _ = state
        return epoch + 1, CHAIN(x, None, example_keys(0, epoch, numbers))[0]

    _, last = wf.while_loop(lambda s: s[0] < 3, epochs, (wf.tensor(0), x))
    assert np.array_equal(last.numpy(), CHAIN(x, None, example_keys(0, 2, numbers))[0].numpy())


def test_gradients_pass_through():
    x = wf.tensor(X, requires_grad=True)
    chain = [HorizontalFlip(), RandomCrop(2), Brightness(0.2, limits=None), GaussianNoise(0.1)]
    made, _ = Compose(chain)(x, None, example_keys(0, 0, np.arange(N)))
    made.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.numpy().max() > 0.5


def test_another_strength_makes_no_new_program():
    keys = wf.tensor(example_keys(0, 0, np.arange(N)).numpy())
    for first, second in (
        (HorizontalFlip(0.25), HorizontalFlip(0.75)),
        (GaussianNoise(0.1), GaussianNoise(0.3)),
        (Affine(20, 0.1, (0.8, 1.2)), Affine(25, 0.2, (0.9, 1.1))),
        (Hue(0.1), Hue(0.2)),
        (Cutout(2, p=0.5), Cutout((3, 4), p=0.25)),
    ):
        first(X, None, keys)[0].numpy()
        before = wf.explain().count
        second(X, None, keys)[0].numpy()
        assert wf.explain().count == before, second


def test_a_chain_does_not_compute_everything_again_for_each_pixel():
    import time

    x, keys = wf.tensor(np.zeros((64, 3, 32, 32), np.float32)), example_keys(0, 0, np.arange(64))

    def seconds(augmentation):
        one = wf.compile(lambda x, keys: augmentation(x, None, keys)[0])
        one(x, keys).numpy()
        times = []
        for _ in range(5):
            start = time.perf_counter()
            one(x, keys).numpy()
            times.append(time.perf_counter() - start)
        return min(times)

    # Without `settle` the chain takes some hundred times as long as its parts.
    alone = seconds(Hue(0.1))
    assert seconds(ColorJitter(0.1, 0.0, 0.1, 0.1)) < 30 * alone + 0.01
