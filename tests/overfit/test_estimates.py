"""A mean over folds, its standard error, and the predictions put together again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from weft.errors import ArgumentError, DataError, FileError
from weft.overfit import Estimate, estimate, out_of_fold


def test_five_folds_by_hand() -> None:
    found = estimate([0.8, 0.9, 0.85, 0.95, 0.75])
    s = math.sqrt(0.0250 / 4)
    assert found.mean == pytest.approx(0.85)
    assert found.se == pytest.approx(s * math.sqrt(1 / 5 + 1 / 4))
    independent = estimate([0.8, 0.9, 0.85, 0.95, 0.75], test_over_train=0)
    assert independent.se == pytest.approx(s / math.sqrt(5))
    low, high = independent.interval(0.95)
    assert (high - low) / 2 == pytest.approx(2.7764451 * independent.se)


def test_repeats_of_folds() -> None:
    scores = np.random.default_rng(0).normal(size=(10, 5))
    found = estimate(scores)
    assert found.se == pytest.approx(scores.std(ddof=1) * math.sqrt(1 / 50 + 1 / 4))
    assert "10 × 5 folds" in str(found)


def test_the_corrected_error_is_nearer_the_truth_than_the_plain_one() -> None:
    """Repeated 5-fold cross-validation of a mean: over new data sets its estimate varies more than s/√J says."""
    rng = np.random.default_rng(1)
    means, plain, corrected = [], [], []
    for _ in range(200):
        y = rng.exponential(size=50)
        scores = []
        for _ in range(4):
            order = rng.permutation(50)
            for test in np.split(order, 5):
                train = np.delete(y, test)
                scores.append(((y[test] - train.mean()) ** 2).mean())
        found = estimate(np.array(scores).reshape(4, 5))
        means.append(found.mean)
        corrected.append(found.se)
        plain.append(np.std(scores, ddof=1) / math.sqrt(20))
    truth = np.std(means, ddof=1)
    assert np.mean(plain) < 0.75 * truth
    assert abs(np.mean(corrected) - truth) < abs(np.mean(plain) - truth)


def test_an_undefined_fold_is_named() -> None:
    with pytest.raises(DataError, match="AUC is not finite in fold 2") as caught:
        estimate([0.9, math.nan, 0.8], name="AUC")
    assert "skip_undefined=True" in str(caught.value)
    found = estimate([[0.9, math.nan, 0.8], [0.7, 0.9, 0.8]], name="AUC", skip_undefined=True)
    assert found.left_out == ("repeat 1, fold 2",)
    assert found.mean == pytest.approx(0.82)
    assert found.se == pytest.approx(np.std([0.9, 0.8, 0.7, 0.9, 0.8], ddof=1) * math.sqrt(1 / 5 + 1 / 2))
    assert "repeat 1, fold 2" in str(found)


@pytest.mark.parametrize(
    ("scores", "options", "error", "lesson"),
    [
        ([0.9], {}, ArgumentError, "test_over_train"),
        ([0.9], {"test_over_train": 0.25}, DataError, "at least two"),
        ([math.nan, 1.0], {"skip_undefined": True}, DataError, "1 defined value"),
        ([0.9, 0.8], {"test_over_train": -1}, ArgumentError, "0 or more"),
        (np.zeros((2, 2, 2)), {}, DataError, "repeats, folds"),
    ],
)
def test_refusals(scores: Any, options: Any, error: Any, lesson: str) -> None:
    with pytest.raises(error, match=lesson):
        estimate(scores, **options)


def test_out_of_fold_restores_the_order() -> None:
    rng = np.random.default_rng(2)
    whole = rng.normal(size=(17, 3))
    folds = np.array_split(rng.permutation(17), 4)
    assert (out_of_fold([whole[f] for f in folds], folds) == whole).all()


@pytest.mark.parametrize(
    ("predictions", "rows", "lesson"),
    [
        ([[1.0, 2.0], [3.0]], [[0, 1], [1]], "more than once: 1; rows of 0 to 2 never predicted: 2"),
        ([[1.0, 2.0], [3.0]], [[0, 1], [3]], "never predicted: 2"),
        ([[1.0, 2.0]], [[0, 1], [2]], "1 folds of predictions and 2 of rows"),
        ([[1.0, 2.0], [3.0]], [[0, 1], [2, 3]], "fold 2"),
        ([[1.0], [2.0]], [[0.0], [1.0]], "type float64"),
        ([[1.0], [2.0]], [[-1], [0]], "row numbers"),
    ],
)
def test_out_of_fold_refuses(predictions: Any, rows: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        out_of_fold(predictions, rows)


def test_json_is_strict() -> None:
    found = estimate([0.5, 0.6, 0.7])
    assert Estimate.from_json(found.to_json()) == found
    for before, after, lesson in (
        ('"se":', '"sd":', "missing se, unknown 'sd'"),
        ('"folds": 3', '"folds": 3.5', "folds is 3.5"),
        ('"values": [', '"values": ["a", ', "values is 'a'"),
        ('"left_out": []', '"left_out": 1', "left_out is 1"),
        ("weft.estimate/1", "weft.estimate/2", "does not say what it is"),
    ):
        with pytest.raises(FileError, match=lesson):
            Estimate.from_json(found.to_json().replace(before, after))
