"""Numbers that a loss is given have a range, in the function and in the constructor; what is predicted has one, too."""

import math

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DataError, DTypeError
from weft.nn import functional as F

ROWS = wf.tensor([[1.0, 2.0], [3.0, 4.0]])
LABELS = wf.tensor([0, 1])
SHARES = wf.tensor([[0.5, 0.25]])


@pytest.mark.parametrize(
    ("name", "layer", "arguments"),
    [
        ("cross_entropy", "CrossEntropyLoss", {"label_smoothing": "0.1"}),
        ("cross_entropy", "CrossEntropyLoss", {"ignore_index": 1.5}),
        ("nll_loss", "NLLLoss", {"ignore_index": None}),
        ("focal_loss", "FocalLoss", {"gamma": "2"}),
        ("focal_loss", "FocalLoss", {"gamma": math.inf}),
        ("focal_loss", "FocalLoss", {"ignore_index": 0.5}),
        ("multi_margin_loss", "MultiMarginLoss", {"margin": "1"}),
        ("binary_focal_loss_with_logits", "BinaryFocalLossWithLogits", {"alpha": 2}),
        ("hinge_embedding_loss", "HingeEmbeddingLoss", {"margin": math.nan}),
        ("smooth_l1_loss", "SmoothL1Loss", {"beta": -1.0}),
        ("dice_loss", "DiceLoss", {"smooth": 0}),
        ("iou_loss", "IoULoss", {"smooth": "1"}),
        ("tversky_loss", "TverskyLoss", {"alpha": -1.0}),
    ],
)
def test_a_number_out_of_range_is_refused_by_the_function_and_the_constructor(name, layer, arguments):
    option = next(iter(arguments))
    with pytest.raises(ArgumentError, match=f"{name}: {option}="):
        getattr(F, name)(ROWS, LABELS, **arguments)
    with pytest.raises(ArgumentError, match=f"{layer}: {option}="):
        getattr(nn, layer)(**arguments)


@pytest.mark.parametrize(
    ("layer", "inputs", "arguments"),
    [
        ("MarginRankingLoss", (ROWS, ROWS, ROWS), {"margin": None}),
        ("CosineEmbeddingLoss", (ROWS, ROWS, LABELS), {"margin": 2.0}),
        ("TripletMarginLoss", (ROWS, ROWS, ROWS), {"p": -1.0}),
        ("TripletMarginLoss", (ROWS, ROWS, ROWS), {"eps": math.nan}),
        ("CTCLoss", (wf.zeros((3, 1, 4)), wf.tensor([[1]]), [3], [1]), {"blank": 1.5}),
    ],
)
def test_so_it_is_where_more_than_two_tensors_are_compared(layer, inputs, arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        getattr(nn, layer)(**arguments)
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        getattr(nn, layer).function(*inputs, **arguments)


@pytest.mark.parametrize("loss", [F.dice_loss, F.iou_loss, F.tversky_loss, F.binary_cross_entropy])
def test_predictions_outside_0_and_1_are_no_probabilities(loss):
    with pytest.raises(DataError, match="a prediction of 5") as caught:
        loss(wf.tensor([[5.0, -3.0]]), wf.tensor([[1.0, 0.0]]))
    assert "sigmoid" in str(caught.value)
    assert np.isfinite(float(loss(SHARES, wf.tensor([[1.0, 0.0]]))))


@pytest.mark.parametrize("loss", [F.mse_loss, F.kl_div, F.poisson_nll_loss])
def test_a_complex_prediction_has_an_absolute_error_only(loss):
    z = wf.tensor(np.array([3.0 + 4.0j]))
    with pytest.raises(DTypeError, match="real numbers"):
        loss(z, wf.zeros(1))
    assert float(F.l1_loss(z, wf.zeros(1))) == 5.0


def test_smooth_l1_without_a_smooth_part_is_the_absolute_error():
    x = wf.tensor([0.0, 0.25, -3.0], requires_grad=True)
    loss = nn.SmoothL1Loss(beta=0.0, reduction="sum")
    (g,) = wf.gradients(loss(x, wf.zeros(3)), [x])
    assert float(loss(x, wf.zeros(3))) == 3.25
    assert g.tolist() == [0.0, 1.0, -1.0]
    assert nn.SmoothL1Loss(beta=0.0).baseline(np.array([0.0, 2.0])) == 1.0


def test_a_distance_is_a_function():
    with pytest.raises(ArgumentError, match="a function of two tensors"):
        F.triplet_margin_with_distance_loss(ROWS, ROWS, ROWS, distance_function="l2")
