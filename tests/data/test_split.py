import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import DataWarning, as_dataset, iris, open_table, split
from weft.errors import ArgumentError, DataError


def rows(n, y=None):
    return as_dataset((np.arange(n, dtype=np.float32)[:, None], y))


def assert_partition(chosen, n):
    both = np.concatenate([chosen.train, chosen.validation])
    assert both.dtype == np.int64
    assert np.array_equal(np.sort(both), np.arange(n))
    assert len(chosen.train) > 0
    assert len(chosen.validation) > 0


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 2**64), st.sampled_from(["random", "tail"]))
def test_parts_are_disjoint_complete_and_of_the_size_asked(n, fraction, seed, policy):
    chosen = split(rows(n), fraction, policy=policy, seed=seed)
    assert_partition(chosen, n)
    assert abs(len(chosen.validation) - n * fraction) <= 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(10, 60), min_size=2, max_size=5), st.floats(0.2, 0.8), st.integers(0, 99))
def test_every_class_has_its_share_within_one(counts, fraction, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    chosen = split(rows(len(y), y), fraction, seed=seed)
    assert_partition(chosen, len(y))
    assert chosen.stratified
    share = len(chosen.validation) / len(y)
    assert np.all(np.abs(np.bincount(y[chosen.validation]) - share * np.array(counts)) <= 1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=12, max_size=60).filter(lambda g: len(set(g)) > 1), st.integers(0, 99))
def test_groups_stay_together(groups, seed):
    chosen = split(rows(len(groups)), 0.3, policy="group", groups=groups, seed=seed)
    assert_partition(chosen, len(groups))
    keys = np.array(groups)
    assert not set(keys[chosen.train]) & set(keys[chosen.validation])


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=40).filter(lambda t: len(set(t)) > 1), st.floats(0.01, 0.99))
def test_validation_is_later_than_training(times, fraction):
    chosen = split(rows(len(times)), fraction, policy="time", groups=times)
    assert_partition(chosen, len(times))
    assert np.array(times)[chosen.train].max() < np.array(times)[chosen.validation].min()


def test_the_seed_decides():
    data = iris()
    first, again, other = split(data, 0.2, seed=1), split(data, 0.2, seed=1), split(data, 0.2, seed=2)
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_described_in_one_line():
    y = [0.0, 1.0, 2.0, 3.0]
    data = rows(4, y)
    assert split(iris(), 0.2, seed=7).describe() == (
        "120 rows for training, 30 for validation: at random (seed 7), the same share of every class"
    )
    assert split(data, 0.5).describe() == "2 rows for training, 2 for validation: at random (seed 0)"
    assert split(data, 0.25, policy="tail").describe().endswith("the last rows, not shuffled")
    assert split(data, 0.25, policy="time", groups=y).describe().endswith("the latest rows")
    assert split(data, 0.5, policy="group", groups=[1, 1, 2, 2]).describe().endswith("whole groups at random (seed 0)")
    assert split(data, rows(2, [0.0, 1.0])).describe().endswith("a set of its own")


def test_a_class_of_one_is_named_with_the_cure():
    with pytest.raises(DataError) as caught:
        split(as_dataset((np.ones((5, 1)), ["cat", "cat", "dog", "cat", "cat"])), 0.4)
    assert caught.value.received == "class 'dog' has 1 example"
    assert "stratify=False" in caught.value.cure


def test_too_few_validation_rows_for_the_classes():
    with pytest.raises(DataError, match=r"5 classes, but one side of the split has 2 rows: class '0' with 2 examples"):
        split(rows(10, [0, 1, 2, 3, 4] * 2), 0.2)


def test_a_class_missing_from_one_side_is_said():
    with pytest.warns(DataWarning) as told:
        split(iris(), 1 / 3, policy="tail")
    train, validation = (str(warning.message) for warning in told)
    assert train.startswith("1 class missing from the training part: 'virginica'")
    assert validation.startswith("2 classes missing from the validation part: 'setosa', 'versicolor'")
    assert all(warning.filename == __file__ for warning in told)
    with pytest.warns(DataWarning, match="'1'"):
        split(rows(5, [0, 0, 1, 0, 0]), 0.4, stratify=False)


def test_a_class_too_small_for_its_share_is_said():
    y = np.array([0] * 98 + [1, 1])
    with pytest.warns(DataWarning, match="missing from the validation part: '1'"):
        split(rows(100, y), 0.1)


def test_quantities_are_not_stratified():
    assert not split(rows(6, np.arange(6.0)), 0.5).stratified
    with pytest.raises(ArgumentError, match="does not hold one class a row"):
        split(rows(6, np.arange(6.0)), 0.5, stratify=True)


@pytest.mark.parametrize("fraction", [0, 1, 0.0, 1.0, -0.2, 2, True, "0.2", None, float("nan")])
def test_fractions_out_of_range(fraction):
    with pytest.raises(ArgumentError, match="a fraction between 0 and 1"):
        split(rows(4), fraction)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"policy": "tial"}, 'policy="tail"'),
        ({"policy": "group"}, "groups=persons"),
        ({"policy": "time"}, "groups=times"),
        ({"groups": [1, 1, 2, 2]}, "does not look at them"),
        ({"policy": "tail", "stratify": True}, "stratify=True with"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": None}, "seed=None"),
        ({"seed": 1.5}, "seed=1.5"),
    ],
)
def test_arguments_that_do_not_fit(options, told):
    with pytest.raises(ArgumentError, match=told):
        split(rows(4), 0.5, **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"policy": "group", "groups": [1, 1, 1, 1]}, "all rows are of one group"),
        ({"policy": "time", "groups": [1, 1, 1, 1]}, "all rows have one time"),
        ({"policy": "time", "groups": [1.0, np.nan, 2.0, 3.0]}, "groups hold no value in row 1"),
        ({"policy": "time", "groups": np.array(["NaT"] * 4, "datetime64[s]")}, "groups hold no value in row 0"),
        ({"policy": "group", "groups": [1, 2]}, r"groups of shape \(2,\) for 4 rows"),
    ],
)
def test_groups_that_cannot_be_split(options, told):
    with pytest.raises(DataError, match=told):
        split(rows(4), 0.5, **options)


def test_one_row_cannot_be_split():
    with pytest.raises(DataError, match="1 row cannot be split"):
        split(rows(1), 0.5)


def test_a_validation_set_of_its_own():
    train = as_dataset((np.zeros((3, 2)), ["cat", "dog", "emu"]))
    with pytest.warns(DataWarning, match="missing from the validation part: 'dog'"):
        chosen = split(train, (np.ones((2, 2)), ["emu", "cat"]))
    assert (chosen.policy, chosen.seed, chosen.train.tolist()) == ("given", None, [0, 1, 2])
    fitted, validation = chosen.apply(train)
    assert len(fitted) == 3
    assert validation.y.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ((np.ones((2, 3)), [0, 1]), r"validation rows of shape \(3,\)"),
        (np.ones((2, 2)), "only one of the two sets has targets"),
        ((np.ones((2, 2)), ["a", "b"]), "not known: 'a', 'b'"),
    ],
)
def test_a_validation_set_that_does_not_fit(other, told):
    with pytest.raises(DataError, match=told):
        split(as_dataset((np.ones((2, 2)), ["cat", "dog"])), other)


def test_columns_in_another_order_are_refused():
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    with pytest.raises(DataError, match="validation features 'b', 'a'"):
        split((frame, [1.0, 2.0]), (frame[["b", "a"]], [1.0, 2.0]))


def test_targets_of_another_kind_on_the_two_sides_are_refused():
    with pytest.raises(DataError, match="validation targets that are texts: 'a', 'b'"):
        split(as_dataset((np.ones((2, 2)), [0.5, 1.5])), (np.ones((2, 2)), ["a", "b"]))


@pytest.mark.parametrize("how", [{"policy": "tail"}, {"groups": [0, 1]}, {"stratify": True}, {"policy": "no policy"}])
def test_how_to_split_is_refused_where_nothing_is_split(how):
    data = as_dataset((np.ones((2, 2)), [0.5, 1.5]))
    with pytest.raises(ArgumentError, match=f"{next(iter(how))}= with a validation set of its own"):
        split(data, data, **how)


def test_parts_take_their_rows_and_impute_from_the_training_part():
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 3.0, None, 1000.0], "y": [0.1, 0.2, 0.3, 0.4]})
    data = open_table(frame, "y", missing="impute").dataset()
    assert data.x.ravel().tolist() == [1.0, 3.0, 3.0, 1000.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train, validation = split(data, 0.5, policy="tail").apply(data)
    assert train.x.ravel().tolist() == [1.0, 3.0]
    assert validation.x.ravel().tolist() == [2.0, 1000.0]
    assert validation.table.columns[0].fill == 2.0


def test_times_that_are_texts_sort_as_dates_or_not_at_all():
    with pytest.raises(DataError, match="'9/1/2024', which sort by their letters"):
        split(rows(2), 0.5, policy="time", groups=["9/1/2024", "10/1/2024"])
    chosen = split(rows(2), 0.5, policy="time", groups=["2024-02-01", "2024-01-31"])
    assert chosen.validation.tolist() == [0]


@pytest.mark.parametrize("policy", ["group", "time"])
@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_a_group_that_is_missing_says_its_row(policy, gap):
    with pytest.raises(DataError, match="no value in row 1"):
        split(rows(3), 0.5, policy=policy, groups=pd.Series(["2024-01-01", gap, "2024-01-03"], dtype=object))


def test_a_class_that_is_lost_at_random_gets_advice_that_helps():
    with pytest.warns(DataWarning, match="a larger part for validation"):
        split(rows(100, [0] * 98 + [1] * 2), 0.1)
