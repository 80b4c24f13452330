import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weft.data import DataWarning, Scaler, Stream
from weft.data.scale import StreamedMedian
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


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=5), METHODS)
def test_a_fit_by_blocks_is_the_fit_of_the_whole(blocks, method):
    blocks = [block[:, :1] for block in blocks]
    streamed, whole = Scaler.fit_blocks(iter(blocks), method), Scaler.fit(np.concatenate(blocks), method)
    size = max(1.0, *(float(np.abs(block).max()) for block in blocks))
    np.testing.assert_allclose(streamed.shift, whole.shift, rtol=1e-12, atol=1e-12 * size)
    np.testing.assert_allclose(streamed.scale, whole.scale, rtol=1e-9, atol=1e-8 * size)


def test_blocks_of_a_stream_and_of_pictures():
    x = np.random.default_rng(0).normal(1e6, 1.0, (100, 3, 4, 5))
    stream = Stream(list(x)).blocks(7, seed=0, epoch=0)
    np.testing.assert_allclose(Scaler.fit_blocks(stream).shift, Scaler.fit(x.astype(np.float32)).shift, rtol=1e-13)
    streamed, whole = Scaler.fit_blocks(np.split(x, 10)), Scaler.fit(x)
    np.testing.assert_allclose(streamed.scale, whole.scale, rtol=1e-10)  # at a distance of 10⁶


def test_a_feature_that_is_constant_in_all_blocks_is_only_shifted():
    assert Scaler.fit_blocks([np.full((3, 1), 0.1), np.full((4, 1), 0.1)]) == Scaler("standard", (0.1,), (1.0,))
    assert Scaler.fit_blocks([np.full((3, 1), 1.0), np.full((3, 1), 3.0)]) == Scaler("standard", (2.0,), (1.0,))


def test_blocks_that_do_not_fit():
    with pytest.raises(ShapeError, match="a block of 2 features"):
        Scaler.fit_blocks([np.ones((2, 3)), np.ones((2, 2))])
    with pytest.raises(DataError, match="no block of rows"):
        Scaler.fit_blocks([])
    with pytest.raises(DataError, match="not finite"):
        Scaler.fit_blocks([np.ones((2, 3)), np.full((2, 3), np.nan)])
    with pytest.raises(ArgumentError, match="method='z'"):
        Scaler.fit_blocks([np.ones((2, 3))], "z")


@pytest.mark.parametrize("n", [1, 2, 7, 99, 100, 150, 199])
def test_medians_of_few_numbers_are_exact(n):
    numbers = np.random.default_rng(n).normal(size=n)
    median = StreamedMedian(keep=100)
    for part in np.array_split(numbers, 5):
        median.add(part)
    assert median.value() == np.median(numbers)


def test_medians_of_many_numbers_are_close_in_rank():
    n, keep = 100_000, 1000
    for numbers in (np.random.default_rng(0).permutation(n), np.arange(n), -np.arange(n)):
        median = StreamedMedian(keep)
        for part in np.array_split(numbers.astype(float), 333):
            median.add(part)
        assert abs(median.value() - np.median(numbers)) / n < np.log2(n / keep) / keep


def test_large_numbers_are_scaled_before_they_are_rounded():
    x = 1e9 + np.arange(1000.0)[:, None]
    wanted = (x - x.mean()) / x.std()
    for numbers in (x, x.astype(np.int64)):
        scaler = Scaler.fit(numbers)
        assert scaler.apply(numbers).dtype == np.float32
        np.testing.assert_allclose(scaler.apply(numbers), wanted, rtol=1e-6, atol=1e-6)
    exact = scaler.apply(x, keep_float64=True)
    assert exact.dtype == np.float64
    np.testing.assert_allclose(scaler.invert(exact, keep_float64=True), x, rtol=1e-15)


def test_features_of_sequences_are_along_the_last_axis():
    x = np.random.default_rng(0).random((10, 4, 3)) * [1, 10, 100]
    scaler = Scaler.fit(x, axis=-1)
    assert len(scaler.shift) == 3
    np.testing.assert_allclose(scaler.apply(x).std(axis=(0, 1)), 1, rtol=1e-5)
    assert scaler.apply(x[:, :2]).shape == (10, 2, 3)
    assert Scaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler
    with pytest.warns(DataWarning, match="axis=-1"):
        assert len(Scaler.fit(x).shift) == 4
    with pytest.raises(ArgumentError, match="axis=3"):
        Scaler.fit(x, axis=3)
