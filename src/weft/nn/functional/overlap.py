"""Losses of segmentation and of rare classes: overlap of areas, and cross-entropy that dwells on what is hard."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.nn.check import fraction, number, positive
from weft.nn.functional.binary import answer_costs
from weft.nn.functional.classification import check_ignored, class_axis, is_label
from weft.nn.functional.guards import check_predicted, check_probabilities, operands, refuse_activation, refuse_logits
from weft.nn.functional.labels import check_labels
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, labels_as_they_are, reduce, valid
from weft.nn.functional.regression import given
from weft.nn.functional.softmax import log_shares
from weft.ops.arithmetic import maximum
from weft.ops.comparison import where
from weft.ops.exponential import expm1, power, sigmoid
from weft.tensor import Tensor

TINY = 1e-37  # below it a share is 0 for every purpose, and its powers have no slope


# ── focal ───────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _binary_focal_loss(x: Any, target: Any, gamma: Any, *alpha: Any, reduction: str) -> Any:
    check_equal("binary_focal_loss_with_logits", x, target)
    missed = sigmoid(x) * (1 - target) + sigmoid(-x) * target  # the probability of what is not the case
    losses = power(maximum(missed, TINY), gamma) * answer_costs(x, target)
    if alpha:
        losses = losses * (alpha[0] * target + (1 - alpha[0]) * (1 - target))
    return reduce(losses, reduction)


def binary_focal_loss_with_logits(
    logits: Any, target: Any, *, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean"
) -> Tensor:
    """α (1 − p)^γ · (−log p), where p is the probability given to what is the case; Lin et al. 2017.

    Binary cross-entropy on logits, with less weight on examples that are right already; ``alpha`` weighs the positive
    ones and 1 − alpha the others (None: neither). ``gamma=0, alpha=None`` is binary cross-entropy.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> loss = F.binary_focal_loss_with_logits(wf.tensor([0.0]), wf.tensor([1.0]), alpha=None)
    >>> round(float(loss), 4)
    0.1733
    """
    name = "binary_focal_loss_with_logits"
    check_reduction(name, reduction)
    check_focal(name, gamma, alpha)
    x, t = operands(name, logits, target)
    refuse_activation(name, x, "sigmoid", "binary_cross_entropy(probabilities, target)")
    check_probabilities(name, t)
    factors = () if alpha is None else (float(alpha),)
    y: Tensor = _binary_focal_loss(x, t, float(gamma), *factors, reduction=reduction)
    return y


@function(takes=labels_as_they_are)
def _focal_loss(x: Any, target: Any, gamma: Any, *weight: Any, ignore_index: int, reduction: str) -> Any:
    axis = class_axis(x)
    classes = x.shape[axis]
    target = target.astype(int64)
    right, kept = is_label(target, x, axis), target != ignore_index
    cost = where(right, -log_shares(x, axis=axis), 0).sum(axis=axis)  # −log p of the label
    losses = power(maximum(-expm1(-cost), TINY), gamma) * cost
    each = weight[0].reshape(*(classes if k == axis else 1 for k in range(x.ndim))) if weight else 1
    share = where(kept, where(right, each, 0).sum(axis=axis), 0)
    losses = where(kept, valid(losses * share, target, classes), 0)
    if reduction != "mean":
        return reduce(losses, reduction)
    counted = share.astype(x.dtype).sum()
    return losses.sum() / where(counted == 0, 1, counted)


def focal_loss(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """(1 − p)^γ · (−log p), where p = softmax(logits)[target]: cross-entropy with less weight on what is right already.

    Shapes, ``weight`` and ``ignore_index`` as of `cross_entropy` with class numbers, which it is for ``gamma=0``.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.focal_loss(wf.tensor([[0.0, 0.0]]), wf.tensor([1]))), 4)
    0.1733
    """
    check_reduction("focal_loss", reduction)
    check_focal("focal_loss", gamma)
    check_ignored("focal_loss", ignore_index)
    x, t = operands("focal_loss", logits, target)
    refuse_activation("focal_loss", x, "softmax", "nll_loss(log(probabilities), target)")
    axis = class_axis(x)
    if x.ndim == 0 or t.dtype.is_differentiable or t.shape != x.shape[:axis] + x.shape[axis + 1 :]:
        raise ShapeError(
            f"focal_loss: a target {t.dtype.name} {t.shape} for logits {x.shape}",
            expected="logits (N, classes, …) and class numbers (N, …)",
            cure="target.argmax(axis=1)" if t.shape == x.shape else None,
        )
    check_labels(t, x.shape[axis], ignore_index, x.shape, axis, "focal_loss")
    factors = given(weight)
    if factors and factors[0].shape != (x.shape[axis],):
        raise ShapeError(
            f"focal_loss: weight of shape {factors[0].shape}", expected=f"one number per class: ({x.shape[axis]},)"
        )
    y: Tensor = _focal_loss(x, t, float(gamma), *factors, ignore_index=ignore_index, reduction=reduction)
    return y


def check_focal(name: str, gamma: Any, alpha: Any = None) -> None:
    """Refuse numbers outside their ranges."""
    number(name, 0, gamma=gamma)
    if alpha is not None:
        fraction(name, alpha=alpha)


# ── overlap ─────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _tversky_loss(p: Any, target: Any, alpha: Any, beta: Any, smooth: Any, *, name: str, reduction: str) -> Any:
    check_equal(name, p, target)
    axes = tuple(range(2, p.ndim)) or (p.ndim - 1,)
    both = (p * target).sum(axis=axes)
    only_p, only_t = (p * (1 - target)).sum(axis=axes), ((1 - p) * target).sum(axis=axes)
    return reduce(1 - (both + smooth) / (both + alpha * only_p + beta * only_t + smooth), reduction)


def tversky_loss(
    probability: Any,
    target: Any,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """1 − (TP + s) / (TP + α·FP + β·FN + s) with soft counts TP = Σ p·t, FP = Σ p(1 − t), FN = Σ (1 − p)t.

    Probabilities p and targets t of one shape: (N, C, …), where each class of each example has its own overlap over
    the axes after it, or (N, d), where each row has one. α = β = ½ is Dice's loss, α = β = 1 that of Jaccard (IoU);
    a larger β asks for fewer misses. ``smooth`` s > 0 makes two empty areas equal: the loss is 0.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.tversky_loss(wf.tensor([[1.0, 0.0]]), wf.tensor([[1.0, 1.0]]), beta=1.0, smooth=1e-9))
    0.5
    """
    return _overlap("tversky_loss", probability, target, alpha, beta, smooth, reduction)


def dice_loss(probability: Any, target: Any, *, smooth: float = 1.0, reduction: str = "mean") -> Tensor:
    """1 − (2·Σ p·t + s) / (Σ p + Σ t + s): how far two areas are from covering each other. Shapes as of `tversky_loss`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.dice_loss(wf.tensor([[1.0, 1.0]]), wf.tensor([[1.0, 1.0]])))
    0.0
    """
    check_overlap("dice_loss", smooth)
    return _overlap("dice_loss", probability, target, 0.5, 0.5, smooth / 2, reduction)


def iou_loss(probability: Any, target: Any, *, smooth: float = 1.0, reduction: str = "mean") -> Tensor:
    """1 − (Σ p·t + s) / (Σ p + Σ t − Σ p·t + s): intersection over union, softly. Shapes as of `tversky_loss`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.iou_loss(wf.tensor([[1.0, 0.0]]), wf.tensor([[1.0, 1.0]]), smooth=1e-9))
    0.5
    """
    return _overlap("iou_loss", probability, target, 1.0, 1.0, smooth, reduction)


def check_overlap(name: str, smooth: Any, **shares: Any) -> None:
    """Refuse numbers outside their ranges."""
    number(name, 0, **shares)
    positive(name, smooth=smooth)


def _overlap(
    name: str, probability: Any, target: Any, alpha: float, beta: float, smooth: float, reduction: str
) -> Tensor:
    check_reduction(name, reduction)
    check_overlap(name, smooth, alpha=alpha, beta=beta)
    p, t = operands(name, probability, target)
    if p.ndim < 2:
        raise ShapeError(f"{name}: a prediction of shape {p.shape}", expected="(N, d) or (N, C, …)")
    refuse_logits(name, p, "nn.Sigmoid() or nn.Softmax(1) as the last layer")
    check_probabilities(name, t)
    check_predicted(name, p)
    numbers = float(alpha), float(beta), float(smooth)
    y: Tensor = _tversky_loss(p, t, *numbers, name=name, reduction=reduction)
    return y
