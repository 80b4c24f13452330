import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import iris, leakage
from weft.errors import DataError, ShapeError

SMALL = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20)


@settings(deadline=None)
@given(SMALL, SMALL)
def test_counts_what_a_loop_counts(train, val):
    found = leakage(np.array(train), np.array(val))
    assert found.duplicates == sum(row in train for row in val)
    assert found.percent == pytest.approx(100 * found.duplicates / len(val))
    assert all(train[i] == val[j] for i, j in found.rows)
    assert bool(found) == (found.duplicates > 0)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (5,), (1, 8, 8), (3, 5, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
def test_any_rank_and_type(shape, dtype):
    train = np.random.default_rng(0).integers(0, 200, (40, *shape)).astype(dtype) * 100
    val = np.concatenate([train[[7]], train[[9]] + dtype(1)])
    found = leakage(train, val)
    if shape not in ((), (1,)):  # single numbers may repeat by chance
        assert (found.duplicates, found.rows) == (1, ((7, 0),))
    assert found.duplicates >= 1


def test_rows_that_differ_in_the_highest_bits_only_are_different():
    train = np.array([[2.0**k, 0.0] for k in range(-60, 60)], np.float32)
    assert not leakage(train, -train)
    assert leakage(train, train[::-1]).duplicates == 120


def test_negative_zero_is_zero_and_types_are_brought_together():
    assert leakage(np.array([[0.0, 1.0]]), np.array([[-0.0, 1.0]])).duplicates == 1
    assert leakage(np.array([[1, 2]], np.uint8), np.array([[1.0, 2.0]], np.float32)).duplicates == 1


def test_iris_has_one_flower_twice():
    data = iris()
    assert leakage(data.x[:142], data.x[142:]).rows == ((101, 0),)


def test_only_the_first_pairs_are_listed():
    found = leakage(np.arange(50)[:, None], np.arange(50)[:, None])
    assert (found.duplicates, found.percent) == (50, 100.0)
    assert found.rows == tuple((i, i) for i in range(5))


def test_shared_groups_and_the_sentence():
    found = leakage([[1]], [[2]], groups_train=["ann", "bob"], groups_val=["bob", "cid"])
    assert found.shared_groups == ("bob",)
    assert found.describe() == "1 group on both sides: 'bob'"
    assert leakage([[1]], [[2]]).describe() == "no validation row occurs in the training part"
    assert leakage([[5], [1]], [[2], [1]]).describe() == (
        "1 validation row (50.0 %) also in the training part: validation row 1 is training row 1"
    )


def test_no_rows_and_other_shapes():
    assert leakage(np.empty((0, 2)), np.ones((3, 2))).duplicates == 0
    assert leakage(np.ones((3, 2)), np.empty((0, 2))).percent == 0.0
    with pytest.raises(ShapeError, match=r"\(2,\), validation rows of shape \(3,\)"):
        leakage(np.ones((1, 2)), np.ones((1, 3)))


def test_fast_enough_to_be_always_on():
    x = np.random.default_rng(0).random((20_000, 784), dtype=np.float32)
    start = time.perf_counter()
    assert leakage(x[:16_000], x[15_999:]).duplicates == 1
    assert time.perf_counter() - start < 5.0  # 0.2 s on an idle core


def test_copies_by_chance_are_counted_in_tables_of_categories_and_not_in_measurements():
    rng = np.random.default_rng(0)
    table = np.stack([rng.integers(0, k, 900) for k in (3, 3, 5, 9)], axis=1)
    found = leakage(table[:700], table[700:])
    assert found.duplicates == pytest.approx(found.by_chance, rel=0.1)
    assert leakage(np.ones((5, 2)), np.ones((3, 2))).by_chance == 3
    flowers = np.concatenate([iris().x, iris().y[:, None]], axis=1)[rng.permutation(150)]
    planted = leakage(flowers[:120], np.concatenate([flowers[120:], flowers[:3]]))
    assert planted.duplicates >= 3
    assert planted.by_chance < 0.5  # without the copies there is one such pair in the whole table


def test_columns_that_depend_on_each_other_through_the_class_are_no_leak():
    rng, copies, chance = np.random.default_rng(1), [], []
    for _ in range(10):
        flowers = np.concatenate([iris().x[:, 2:], iris().y[:, None]], axis=1)[rng.permutation(150)]
        found = leakage(flowers[:105], flowers[105:])
        copies.append(found.duplicates)
        chance.append(found.by_chance)
    assert np.mean(copies) == pytest.approx(np.mean(chance), rel=0.3)  # 17 and 20; 4 without the classes


def test_a_group_that_is_missing_is_a_lesson():
    with pytest.raises(DataError, match="no value in row 1"):
        leakage([[1], [2]], [[3]], ["ann", None], ["bob"])
