import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import generator, permutation
from weft.data.order import whole_batches
from weft.errors import ArgumentError

GOLDEN = [4, 1, 3, 6, 0, 5, 2, 7]
SEEDS = st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(st.integers(0, 300), SEEDS, st.integers(0, 10_000))
def test_permutation_is_one_and_depends_on_its_arguments_only(n, seed, epoch):
    np.random.seed(n)  # noqa: NPY002 - the global generator must not matter
    first = permutation(n, seed, epoch)
    permutation(n, seed, epoch + 1)
    assert first.dtype == np.int32
    assert np.array_equal(np.sort(first), np.arange(n))
    assert np.array_equal(first, permutation(n, seed, epoch))


def test_epochs_and_seeds_give_different_orders():
    orders = [permutation(100, seed, epoch).tolist() for seed in range(4) for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == 16


def test_the_order_of_a_resumed_run_is_the_same_in_another_process_and_version():
    assert permutation(8, 0, 0).tolist() == GOLDEN
    code = "from weft.data.order import permutation; print(permutation(8, 0, 0).tolist())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(GOLDEN)


def test_purposes_draw_different_numbers():
    assert generator(0, 0, 0).random() != generator(0, 0, 1).random()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 500))
def test_batches_cover_everything(n, size):
    full, last = whole_batches(n, size)
    assert full * size + last == n
    assert 0 <= last < size


@pytest.mark.parametrize("size", [0, -1])
def test_batch_size_below_one(size):
    with pytest.raises(ArgumentError, match=f"batch_size={size}"):
        whole_batches(10, size)


@pytest.mark.parametrize(("arguments", "name"), [((-1, 0, 0), "n"), ((1, -2, 0), "seed"), ((1, 0, -3), "epoch")])
def test_negative_arguments_are_named(arguments, name):
    with pytest.raises(ArgumentError, match=rf"{name}=-\d"):
        permutation(*arguments)
