import numpy as np
import pandas as pd
import pytest

from weft.data.target import encode_target, recognise_target
from weft.errors import ArgumentError, DataError


def series(cells):
    return pd.Series(list(cells), name="y")


@pytest.mark.parametrize(
    ("cells", "task", "classes", "reason"),
    [
        (["b", "a"], "classification", ("a", "b"), "target 'y' has 2 different texts: classification"),
        ([True, False], "classification", ("False", "True"), "target 'y' has 2 different texts: classification"),
        (
            [2, 10, 2, 10],
            "classification",
            ("2", "10"),
            "target 'y' has 2 different whole numbers in 4 rows: classification",
        ),
        ([1.0, 0.0] * 2, "classification", ("0", "1"), None),
        ([0.5, 1.5] * 9, "regression", (), "target 'y' has 2 different numbers: regression"),
        (range(312), "regression", (), "target 'y' has 312 different numbers: regression"),
        ([1, 2, 3], "regression", (), None),
    ],
)
def test_the_task_is_recognised_and_said(cells, task, classes, reason):
    found = recognise_target(series(cells))
    assert found[:2] == (task, classes)
    assert reason is None or found[2] == reason


def test_the_task_can_be_asked_for():
    assert recognise_target(series([1, 2, 1, 2]), "regression") == (
        "regression",
        (),
        "target 'y' has 2 different values: regression, as asked",
    )
    assert recognise_target(series([1, 2, 3]), "classification")[1] == ("1", "2", "3")
    with pytest.raises(ArgumentError, match="holds texts"):
        recognise_target(series(["a", "b"]), "regression")
    with pytest.raises(ArgumentError, match="task='ranking'"):
        recognise_target(series([1, 2]), "ranking")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([1.0, None, 2.0], "target 'y' is missing in 1 row"),
        (["a", "a"], "the same value in every row: 'a'"),
        ([f"t{i}" for i in range(60)], "60 different texts in 60 rows"),
        ([*map(str, range(20)), "?"], "numeric but for 1 cell: '?'"),
    ],
)
def test_targets_that_teach_nothing(cells, told):
    with pytest.raises(DataError) as caught:
        recognise_target(series(cells))
    assert told in str(caught.value)


def test_encoding():
    labels = encode_target(series(["b", "a"]), ("a", "b"))
    assert (labels.tolist(), labels.dtype) == ([1, 0], np.int64)
    assert encode_target(series([10.0, 2.0]), ("2", "10")).tolist() == [1, 0]
    numbers = encode_target(series(["1.5", "2"]), ())
    assert (numbers.tolist(), numbers.dtype) == ([1.5, 2.0], np.float32)


def test_an_unknown_class_and_texts_for_numbers():
    with pytest.raises(DataError) as caught:
        encode_target(series(["yes", "Yes"]), ("no", "yes"))
    assert "class 'Yes'" in caught.value.received
    assert (caught.value.where, caught.value.cure) == ("row 1, column 'y'", "is 'yes' meant?")
    with pytest.raises(DataError, match="holds texts"):
        encode_target(series(["a", "b", "c"]), ())
