import numpy as np
import pandas as pd
import pytest

from weft.data import DataWarning, as_dataset, check_finite, check_labels, check_scaled, open_table
from weft.errors import ArgumentError, DataError, DTypeError


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_names_count_row_and_column(value):
    x = np.ones((4, 3), np.float32)
    x[2, 1] = x[3, 0] = value
    with pytest.raises(DataError) as caught:
        check_finite(x, "x", ["age", "height", "weight"])
    assert "2 of 12 values of x are not finite" in str(caught.value)
    assert f"{value} in row 2, column 1 ('height')" in caught.value.where


def test_not_finite_in_pictures_and_in_targets():
    x = np.zeros((2, 1, 3, 3), np.float32)
    x[1, 0, 2, 1] = np.nan
    with pytest.raises(DataError, match=r"row 1, position \(0, 2, 1\)"):
        check_finite(x, "x")
    with pytest.raises(DataError, match="nan in row 1\n"):
        check_finite(np.array([0.0, np.nan]), "y")


def test_the_cure_for_nan_runs():
    x = np.array([[1.0, 2.0], [np.nan, 1.0]])
    with pytest.raises(DataError) as caught:
        check_finite(x, "x")
    kept = eval(caught.value.cure.split(" keeps")[0], {"x": x, "np": np})
    assert kept.tolist() == [[1.0, 2.0]]


def test_finite_data_passes():
    assert check_finite(np.ones((3, 2)), "x") is None
    assert check_finite(np.arange(3), "x") is None


@pytest.mark.parametrize(
    ("labels", "told", "cure"),
    [
        ([0, 1, 3], "label 3 at index 2", "at least 4 outputs"),
        ([-1, 1, 1], "label -1 at index 0", "(y + 1) // 2"),
        ([1, 2, 3], "label 3 at index 2", "y - 1"),
        ([0, -100, 2], "label -100 at index 1", "negative labels"),
    ],
)
def test_labels_out_of_range(labels, told, cure):
    with pytest.raises(DataError) as caught:
        check_labels(np.array(labels), 3, source="the model's last layer")
    assert told in caught.value.received
    assert caught.value.expected == "0 to 2: 3 classes, from the model's last layer"
    assert cure in caught.value.cure


def test_labels_in_two_axes_say_the_whole_index():
    with pytest.raises(DataError, match=r"label 9 at index \(1, 0\)"):
        check_labels([[0, 1], [9, 1]], 2)


def test_labels_must_be_integers_and_classes_positive():
    with pytest.raises(DTypeError, match="float64"):
        check_labels([0.0, 1.0], 2)
    with pytest.raises(ArgumentError, match="classes=0"):
        check_labels([0], 0)
    assert check_labels([0, 1, 2], 3) is None


def test_pixels_are_noticed():
    pictures = np.random.default_rng(0).integers(0, 256, (20, 1, 8, 8), dtype=np.uint8)
    assert check_scaled(pictures) == "x looks like pixels of 0–255 (whole numbers up to 255): train on x / 255"
    assert "x / 255" in check_scaled(pictures.reshape(20, 64).astype(np.float32))
    assert check_scaled(pictures / 255) is None


def test_features_of_unlike_scale_are_named():
    x = np.array([[0.1, 1.0, 1000.0], [0.2, 1.0, 9000.0]])
    assert check_scaled(x).startswith("column 2 varies 80000 times as much as column 0")
    assert "column 2 ('income')" in check_scaled(x, ["share", "constant", "income"])
    assert check_scaled(x[:, :2]) is None
    assert check_scaled(np.empty((0, 2))) is None


def test_advice_looks_at_few_rows():
    x = np.zeros((10_000, 2), np.float32)
    x[::3] = (1.0, 5000.0)
    assert "varies 5000 times" in check_scaled(x)


def test_a_constant_does_not_vary():
    assert check_scaled([[0.1, i] for i in range(10)]) is None


def test_columns_that_float32_merges_are_told():
    times = 1.7e9 + np.arange(9.0)[:, None]
    with pytest.warns(DataWarning, match=r"column 0 varies by 8 about 1.7e\+09, where float32 has steps of 128"):
        as_dataset(times)
    with pytest.warns(DataWarning, match="column 0 \\('t'\\)"):
        open_table(pd.DataFrame({"t": times[:, 0], "y": np.arange(9) / 2}), "y").dataset()
    as_dataset(np.concatenate([times * 0 + 1.7e9, times * 1e3, np.arange(9.0)[:, None]], 1)[:, [0, 2]])
    as_dataset(times, keep_float64=True)
