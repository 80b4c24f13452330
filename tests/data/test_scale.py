import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weft.data import Scaler
from weft.errors import ArgumentError, DataError, FileError, ShapeError

VALUES = arrays(np.float32, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.floats(-1e4, 1e4, width=32))
METHODS = st.sampled_from(["standard", "minmax", "none"])


@settings(deadline=None)
@given(VALUES, METHODS)
def test_inverse_of_apply_is_the_identity(x, method):
    scaler = Scaler.fit(x, method)
    back = scaler.invert(scaler.apply(x))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, x, rtol=1e-5, atol=1e-6 * max(1.0, float(np.abs(x).max())))


@settings(deadline=None)
@given(VALUES)
def test_minmax_reaches_from_zero_to_one(x):
    scaled = Scaler.fit(x, "minmax").apply(x)
    assert scaled.min() >= 0
    assert scaled.max() <= 1 + 1e-6


def test_standard_has_mean_zero_and_deviation_one():
    x = np.random.default_rng(0).normal(50, [1, 20, 300], (500, 3))
    scaled = Scaler.fit(x).apply(x)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-4)


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_constant_columns_become_zero(method):
    x = np.full((1000, 1), 0.1, np.float32)
    scaler = Scaler.fit(x, method)
    assert scaler.scale == (1.0,)
    assert not scaler.apply(x).any()
    assert scaler.apply(x + 1).ravel()[0] == pytest.approx(1.0)


def test_channels_of_pictures_share_one_scale():
    x = np.random.default_rng(0).integers(0, 256, (10, 3, 4, 5), dtype=np.uint8)
    scaler = Scaler.fit(x)
    assert len(scaler.shift) == 3
    assert scaler.shift[1] == pytest.approx(x[:, 1].mean())
    np.testing.assert_allclose(scaler.apply(x).mean(axis=(0, 2, 3)), 0, atol=1e-5)


def test_targets_of_one_axis():
    scaler = Scaler.fit([10.0, 20.0, 30.0], "minmax")
    assert scaler.apply([15.0]).tolist() == [0.25]
    assert scaler.invert([0.25]).tolist() == [15.0]


def test_numbers_come_from_the_training_part_only():
    scaler = Scaler.fit([[0.0], [10.0]], "minmax")
    assert scaler.apply([[20.0]]).tolist() == [[2.0]]


def test_none_leaves_the_values():
    x = np.array([[1.5, -2.0]], np.float32)
    assert np.array_equal(Scaler.fit(x, "none").apply(x), x)


@pytest.mark.parametrize(
    ("x", "method", "error", "told"),
    [
        ([[1.0]], "robust", ArgumentError, "method='robust'"),
        (np.empty((0, 2)), "standard", DataError, "is empty"),
        ([[np.nan]], "standard", DataError, "not finite"),
    ],
)
def test_what_cannot_be_fitted(x, method, error, told):
    with pytest.raises(error, match=told):
        Scaler.fit(x, method)


def test_another_number_of_features():
    with pytest.raises(ShapeError, match=r"x of shape \(1, 3\) has 3 features\n  expected: 2 features"):
        Scaler.fit([[1.0, 2.0]]).apply([[1.0, 2.0, 3.0]])


@settings(deadline=None)
@given(VALUES, METHODS)
def test_json_round_trip_is_exact(x, method):
    scaler = Scaler.fit(x, method)
    assert Scaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler


GOOD = {"method": "minmax", "shift": [0.0], "scale": [2.0]}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {**GOOD, "extra": 1},
        {**GOOD, "method": "robust"},
        {**GOOD, "method": ["minmax"]},
        {**GOOD, "shift": [0.0, 1.0]},
        {**GOOD, "shift": ["0"]},
        {**GOOD, "scale": [0.0]},
        {**GOOD, "scale": [float("nan")]},
        {**GOOD, "scale": [True]},
        {**GOOD, "shift": [], "scale": []},
    ],
)
def test_a_bad_file_is_refused(bad):
    with pytest.raises(FileError, match=r"Scaler\.to_json"):
        Scaler.from_json(bad)
