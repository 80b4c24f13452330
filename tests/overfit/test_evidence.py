import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import DataError, FileError
from weft.overfit import Evidence

from .golden import FALLING, GOLDEN, make

anything = st.floats(allow_nan=True, allow_infinity=True)


def same(a: Evidence, b: Evidence) -> bool:
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(Evidence)]
    return all(
        x is y or x == y if isinstance(x, str | None) else np.array_equal(x, y, equal_nan=True) for x, y in pairs
    )


@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=9), anything, st.none() | anything)
def test_json_round_trip(curves: list[tuple[float, float]], start: float, probe: float | None) -> None:
    train, val = np.array(curves).T
    run = Evidence(
        train,
        val,
        baseline=0.1,
        n_train=9,
        n_val=3,
        train_size=2,
        initial_train_loss=start,
        probe_gain=probe,
        val_examples_best=val[[0, 0, 0]],
        val_correct_last=np.array([True, False, True]),
    )
    text = run.to_json()
    json.loads(text, parse_constant=pytest.fail)
    assert same(Evidence.from_json(text), run)


@pytest.mark.parametrize("verdict", GOLDEN)
def test_golden_round_trip(verdict: str) -> None:
    assert same(Evidence.from_json(GOLDEN[verdict].to_json()), GOLDEN[verdict])


def change(**fields: Any) -> str:
    return json.dumps(json.loads(GOLDEN["good fit"].to_json()) | fields)


MALFORMED = {
    "empty": "",
    "not an object": "[]",
    "another format": change(format="weft.model/1"),
    "cut short": GOLDEN["good fit"].to_json()[:-40],
    "unknown field": change(extra=1),
    "not standard": change().replace('"baseline": 1.0', '"baseline": NaN'),
    "out of range": change().replace('"baseline": 1.0', '"baseline": 1e999'),
    "digits": change().replace('"baseline": 1.0', '"baseline": 1' + 400 * "0"),
    "twice": change().replace('"baseline": 1.0', '"baseline": 1.0, "baseline": 2.0'),
    "boolean for a number": change(baseline=True),
    "text for a number": change(baseline="one"),
    "number for a list": change(train_loss=3),
    "text in a list": change(train_loss=["a"]),
    "numbers for booleans": change(val_correct_best=[1, 0]),
    "fraction for a count": change(n_val=2.5),
    "null curve": change(val_loss=None),
    "null count": change(n_val=None),
    "unequal": change(train_loss=[1.0]),
    "no epochs": change(train_loss=[], val_loss=[]),
    "percentage": change(duplicates_percent=101),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_json_is_a_file_error(kind: str) -> None:
    with pytest.raises(FileError):
        Evidence.from_json(MALFORMED[kind])


def test_a_missing_field_is_named() -> None:
    fields = json.loads(change())
    del fields["n_val"]
    with pytest.raises(FileError, match="missing n_val"):
        Evidence.from_json(json.dumps(fields))


def test_a_file_of_before_the_later_fields_is_still_read() -> None:
    fields = json.loads(change())
    for name in ("probe_val_gain", "chance_duplicates", "kept"):
        del fields[name]
    read = Evidence.from_json(json.dumps(fields))
    assert (read.probe_val_gain, read.chance_duplicates, read.kept) == (None, 0.0, "best")


def test_evidence_keeps_its_own_copy() -> None:
    train = FALLING.copy()
    run = make(train, FALLING)
    train[0] = 99
    assert run.train_loss[0] == FALLING[0]
    with pytest.raises(ValueError, match="read-only"):
        run.val_loss[0] = 1


@pytest.mark.parametrize(
    ("train", "val", "n_val", "lesson"),
    [
        ([], [], 10, "no epoch was trained"),
        ([1.0], [], 0, "no validation data"),
        ([1.0], [], 10, "validation=0.2"),
        ([1.0, 2.0], [1.0], 10, "2 epochs and val_loss covers 1"),
        ([[1.0]], [1.0], 10, "one axis"),
        (["a"], [1.0], 10, "an array of numbers"),
    ],
)
def test_insufficient_evidence(train: Any, val: Any, n_val: int, lesson: str) -> None:
    with pytest.raises(DataError) as caught:
        Evidence(train, val, baseline=1.0, n_train=20, n_val=n_val, train_size=10)
    assert lesson in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "lesson"),
    [
        ({"baseline": math.nan}, "baseline"),
        ({"train_size": 401}, "train_size"),
        ({"val_examples_best": np.ones(3)}, "val_examples_best has 3 values"),
        ({"train_examples_best": np.ones(3)}, "train_size = 300"),
        ({"duplicates_percent": math.nan}, "duplicates_percent"),
        ({"shared_groups": -1}, "shared_groups"),
        ({"chance_duplicates": math.nan}, "chance_duplicates"),
        ({"kept": "first"}, "kept is 'first'"),
        ({"val_correct_best": np.linspace(0, 1, 300)}, "neither true nor false"),
    ],
)
def test_contradictions(fields: dict[str, Any], lesson: str) -> None:
    with pytest.raises(ValueError, match=lesson):
        make(FALLING, FALLING, **fields)
