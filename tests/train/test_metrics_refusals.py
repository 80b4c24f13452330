"""Metrics refuse what is no number, no weight and no probability, and have a value only where something was weighed."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from weft.errors import ArgumentError, DataError, DTypeError, ShapeError
from weft.train import metrics as M


@pytest.mark.parametrize(
    ("prediction", "target", "error", "says"),
    [
        ([1j, 2.0], [1.0, 2.0], DTypeError, "complex128"),
        ([1.0, 2.0], [1j, 2.0], DTypeError, "real numbers"),
        (["cat", "dog"], ["cat", "cat"], DTypeError, "return_inverse"),
        ([None, 1.0], [1.0, 1.0], DTypeError, "such as None"),
        ([[1.0], [1.0, 2.0]], [1.0, 1.0], ShapeError, "different lengths"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(prediction, target, error, says):
    with pytest.raises(error, match=says):
        M.MeanSquaredError()(prediction, target)


@pytest.mark.parametrize("weight", [math.nan, math.inf, -1.0])
def test_a_weight_is_finite_and_not_negative(weight):
    with pytest.raises(DataError, match="finite weights ≥ 0"):
        M.Accuracy()([0, 1], [0, 1], weights=[1.0, weight])


def test_one_weight_for_all_and_a_mask_of_shares_are_refused():
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        M.Accuracy()([0, 1], [0, 1], weights=2.0)
    with pytest.raises(DataError, match="True and False"):
        M.Accuracy()([0, 1], [0, 1], mask=[0.5, 1.0])


def test_an_infinite_label_is_no_class():
    with pytest.raises(DataError, match="the label inf"):
        M.Accuracy()([0, 1], [0.0, math.inf])


@pytest.mark.parametrize("make", [M.LogLoss, M.BrierScore, M.CalibrationError])
def test_probabilities_of_classes_sum_to_one(make):
    with pytest.raises(DataError, match=r"sum to 1\.4"):
        make()([[0.1, 0.9], [0.5, 0.9]], [1, 0])
    half = np.full((1, 1000), 1e-3, np.float16)
    assert np.isfinite(make()(half, [3]))


@pytest.mark.parametrize(
    "make",
    [
        M.Accuracy,
        M.BalancedAccuracy,
        M.CohenKappa,
        M.CalibrationError,
        M.ROCAUC,
        M.LogLoss,
        M.R2,
        M.MeanSquaredError,
        lambda: M.FBeta("macro"),
        lambda: M.FBeta("micro"),
        M.IoU,
    ],
)
def test_nothing_weighed_is_not_defined(make):
    metric = make()
    assert math.isnan(metric([0.2, 0.9], [0, 1], weights=[0.0, 0.0]))
    assert metric.note


def test_classes_of_a_vocabulary_need_no_confusion_matrix():
    rng = np.random.default_rng(0)
    y, chosen = rng.integers(0, 100_000, (2, 500))
    chosen[:200] = y[:200]
    assert M.FBeta("macro")(chosen, y) == pytest.approx(sk.f1_score(y, chosen, average="macro"), abs=1e-12)
    assert M.Precision("micro")(chosen, y) == pytest.approx(0.4)
    with pytest.raises(DataError, match="without gaps"):
        M.ConfusionMatrix()(chosen, y)
    with pytest.raises(DataError, match="Recall: the class"):
        M.Recall("macro")([2**62, 1], [0, 1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: M.ConfusionMatrix(classes=0),
        lambda: M.ConfusionMatrix(classes=2.5),
        lambda: M.ConfusionMatrix(threshold=math.nan),
        lambda: M.Accuracy(threshold="0"),
        lambda: M.Accuracy(top=True),
        lambda: M.CalibrationError(bins=0),
        lambda: M.Recall("macro", classes="3"),
        lambda: M.Recall(undefined="warn"),
        lambda: M.FBeta(beta="2"),
        lambda: M.FBeta(beta=math.inf),
    ],
)
def test_options_have_their_range(make):
    with pytest.raises(ArgumentError, match="expected"):
        make()


def test_what_is_no_state_is_not_merged():
    metric = M.Accuracy().update([0, 1], [0, 0])
    for other in ({"sum": np.array(1.0)}, 3):
        with pytest.raises(ArgumentError, match="total, weight"):
            metric.merge(other)
    with pytest.raises(ShapeError, match="3 columns after one of 2"):
        M.R2().update(np.eye(2), np.eye(2)).update(np.eye(3), np.eye(3))
    assert metric.compute() == 0.5
