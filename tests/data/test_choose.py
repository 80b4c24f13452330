import numpy as np
import pytest

from weft.data.choose import at_random, by_group, by_time, class_name, count
from weft.errors import DataError


@pytest.mark.parametrize(("n", "fraction", "size"), [(10, 0.2, 2), (10, 0.01, 1), (10, 0.99, 9), (2, 0.5, 1)])
def test_count_leaves_one_row_on_each_side(n, fraction, size):
    assert count(n, fraction) == size


def test_seeds_beyond_32_bits_differ():
    orders = {tuple(at_random(50, 0.5, seed)[1].tolist()) for seed in (1, 1 + 2**32, 1 + 2**63)}
    assert len(orders) == 3


def test_labels_keep_their_share():
    labels = np.array([0] * 80 + [1] * 20)
    train, validation = at_random(100, 0.25, 0, labels, ("many", "few"))
    assert np.bincount(labels[train]).tolist() == [60, 15]
    assert np.bincount(labels[validation]).tolist() == [20, 5]
    with pytest.raises(DataError, match="class 'few' has 1 example"):
        at_random(100, 0.25, 0, np.array([0] * 99 + [1]), ("many", "few"))


def test_the_fraction_counts_groups():
    keys = np.repeat(["a", "b", "c", "d"], [1, 10, 2, 7])
    train, validation = by_group(keys, 0.25, 0)
    assert len(set(keys[validation])) == 1
    assert len(set(keys[train])) == 3


def test_equal_times_stay_together():
    train, validation = by_time(np.array([1, 1, 1, 2]), 0.75)
    assert (train.tolist(), validation.tolist()) == ([0, 1, 2], [3])
    days = np.array(["2021-01-02", "2021-01-01", "2021-01-03"], "datetime64[D]")
    assert by_time(days, 0.3)[1].tolist() == [2]


def test_names_of_classes():
    assert (class_name(("a",), 0), class_name(("a",), 3), class_name((), -1)) == ("a", "3", "-1")
