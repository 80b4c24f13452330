"""What single examples draw: the right distributions, and nothing that depends on anything but the key."""

import numpy as np
import pytest
from scipy import stats

import weft as wf
from weft.augment import beta, bits, example_keys, fold, normal, uniform
from weft.augment.draws import settle
from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.ops.random import fold_in
from weft.random import wrap_key

MANY = 4096
KEYS = example_keys(0, 0, np.arange(MANY))


def mixed(h):
    """The finalizer of MurmurHash3, in whole numbers of Python."""
    h ^= h >> 16
    h = h * 0x85EBCA6B % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def expected_bits(key, purpose, place):
    golden = 0x9E3779B9
    first = mixed(mixed((key[0] + (purpose + 1) * golden) % 2**32) ^ key[1])
    second = mixed(((mixed((key[1] + golden) % 2**32) ^ first) + key[0]) % 2**32)
    return mixed(mixed((place * golden + first) % 2**32) ^ second)


def test_bits_are_the_hash_that_is_documented():
    keys = [[0, 0], [1, 0], [0, 1], [2**32 - 1, 12345]]
    found = bits(wf.tensor(np.array(keys, np.uint32)), 3, (2, 3)).numpy()
    assert found.shape == (4, 2, 3)
    assert found.reshape(4, 6).tolist() == [[expected_bits(k, 3, j) for j in range(6)] for k in keys]


def test_keys_are_those_of_the_training_loop():
    key = wrap_key(np.array([7, 9], np.uint32))
    found = example_keys(key, 3, [5, 11]).numpy()
    assert found.tolist() == [fold_in(fold_in(key, 3), n).tolist() for n in (5, 11)]


@pytest.mark.parametrize("keys", [KEYS, wf.tensor(np.stack([np.zeros(MANY), np.arange(MANY)], 1).astype(np.uint32))])
def test_uniform_numbers_are_uniform_and_independent(keys):
    u = uniform(keys, 0, 16).numpy()
    assert u.dtype == np.float32
    assert 0 <= u.min() < u.max() < 1
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(u[:, 0], "uniform").pvalue > 1e-3
    others = {
        "the next purpose": uniform(keys, 1, 16).numpy(),
        "other keys": uniform(fold(keys, 0), 0, 16).numpy(),
        "the next example": np.roll(u, 1, axis=0),
        "the next place": np.roll(u, 1, axis=1),
    }
    for name, other in others.items():
        assert abs(np.corrcoef(u.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(u.size), name
    # Of 8 × 8 squares, pairs of neighbours fill all alike.
    counts = np.histogram2d(u[:, 0], u[:, 1], bins=8, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_every_bit_is_fair():
    words = bits(KEYS, 0, 16).numpy().ravel()
    shares = [(words >> k & 1).mean() for k in range(32)]
    assert np.abs(np.array(shares) - 0.5).max() < 5 * 0.5 / np.sqrt(len(words))


def test_normal_numbers_are_normal():
    z = normal(KEYS, 0, 16, 2.0, 3.0).numpy().ravel()
    assert np.isfinite(z).all()
    assert stats.kstest(z, "norm", args=(2, 3)).pvalue > 1e-3


@pytest.mark.parametrize(("a", "b"), [(0.2, 0.2), (1.0, 1.0), (0.05, 0.05), (4.0, 4.0), (2.0, 5.0)])
def test_beta_numbers_follow_the_beta_distribution(a, b):
    drawn = beta(KEYS, 0, a, b).numpy()
    assert drawn.shape == (MANY,)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    if a >= 0.2:
        assert stats.kstest(drawn, "beta", args=(a, b)).pvalue > 1e-3
    else:  # many are 0 or 1 in float32
        assert stats.kstest(np.clip(drawn, 1e-6, 1 - 1e-6)[(drawn > 1e-3) & (drawn < 0.999)], "beta", args=(a, b))
        assert abs((drawn < 0.5).mean() - 0.5) < 0.03


def test_other_numbers_make_no_new_program():
    keys = wf.tensor(KEYS[:4].numpy())
    beta(keys, 0, 0.3, 0.4).numpy(), uniform(keys, 0, 2, -1.5, 2.5).numpy()
    before = wf.explain().count
    beta(keys, 0, 0.7, 0.1).numpy(), uniform(keys, 0, 2, -3.5, 0.5).numpy()
    assert wf.explain().count == before


def test_seed_epoch_and_number_decide():
    u = lambda seed, epoch: uniform(example_keys(seed, epoch, [3, 4]), 0, 4).numpy()
    assert np.array_equal(u(1, 2), u(1, 2))
    assert not np.isin(u(1, 2), u(1, 3)).any()
    assert not np.isin(u(1, 2), u(2, 2)).any()
    assert not np.isin(u(1, 2)[0], u(1, 2)[1]).any()


def test_settle_is_the_identity_and_so_is_its_gradient():
    x = wf.tensor([1.0, 2.0], requires_grad=True)
    keys = KEYS[:2]
    (settle(x, keys) * wf.tensor([3.0, 5.0])).sum().backward()
    assert settle(x, keys).tolist() == [1, 2]
    assert x.grad.tolist() == [3, 5]
    assert settle(wf.zeros((0, 3)), keys[:0]).shape == (0, 3)
    assert wf.vmap(settle)(wf.tensor([[1.0], [2.0]]), wf.stack([keys, keys])).tolist() == [[1], [2]]


def test_wrong_keys_are_lessons():
    with pytest.raises(DTypeError, match="example_keys"):
        uniform(wf.zeros((3, 2)), 0)
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        uniform(wf.zeros(2, dtype="uint32"), 0)
    with pytest.raises(ArgumentError, match="purpose=-1"):
        uniform(KEYS, -1)
    with pytest.raises(ArgumentError, match=r"number=1\.5"):
        fold(KEYS, 1.5)
    with pytest.raises(ShapeError, match="whole numbers"):
        example_keys(0, 0, [1.5])
    with pytest.raises(ArgumentError, match="seed=-1"):
        example_keys(-1, 0, [1])
    assert example_keys(np.int64(3), 0, [1]).tolist() == example_keys(3, 0, [1]).tolist()
    with pytest.raises(ArgumentError, match=r"b=-1\.0"):
        beta(KEYS, 0, 1.0, -1.0)
