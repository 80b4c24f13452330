"""Losses that ask for a margin: a prediction that is right by enough costs nothing."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.nn.check import number
from weft.nn.functional.classification import is_label
from weft.nn.functional.guards import check_signs, operands
from weft.nn.functional.labels import check_labels
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, labels_as_they_are, reduce, valid
from weft.nn.functional.regression import given
from weft.ops.accumulation import cumulative_sum
from weft.ops.comparison import where
from weft.ops.creation import iota_op
from weft.ops.exponential import relu, softplus
from weft.tensor import Tensor, as_tensor

# ── two classes, as −1 and 1 ────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _hinge_loss(x: Any, target: Any, *, power: int, reduction: str) -> Any:
    check_equal("hinge_loss" if power == 1 else "squared_hinge_loss", x, target)
    short = relu(1 - target * x)
    return reduce(short * short if power == 2 else short, reduction)


def hinge_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """max(0, 1 − target · prediction) for targets −1 and 1: the loss of support vector machines.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.hinge_loss(wf.tensor([2.0, 0.25]), wf.tensor([1, 1]), reduction="none").tolist()
    [0.0, 0.75]
    """
    return _hinge("hinge_loss", prediction, target, 1, reduction)


def squared_hinge_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The square of `hinge_loss`, which is smooth where the margin begins.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.squared_hinge_loss(wf.tensor([2.0, 0.5]), wf.tensor([1, 1]), reduction="none").tolist()
    [0.0, 0.25]
    """
    return _hinge("squared_hinge_loss", prediction, target, 2, reduction)


def _hinge(name: str, prediction: Any, target: Any, power: int, reduction: str) -> Tensor:
    check_reduction(name, reduction)
    x, t = operands(name, prediction, target)
    check_signs(name, t)
    y: Tensor = _hinge_loss(x, t, power=power, reduction=reduction)
    return y


@function(takes=as_prediction)
def _soft_margin_loss(x: Any, target: Any, *, reduction: str) -> Any:
    check_equal("soft_margin_loss", x, target)
    return reduce(softplus(-target * x), reduction)


def soft_margin_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """log(1 + exp(−target · prediction)) for targets −1 and 1: binary cross-entropy on logits in other words.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.soft_margin_loss(wf.tensor([0.0]), wf.tensor([-1]))), 4)
    0.6931
    """
    check_reduction("soft_margin_loss", reduction)
    x, t = operands("soft_margin_loss", prediction, target)
    check_signs("soft_margin_loss", t)
    y: Tensor = _soft_margin_loss(x, t, reduction=reduction)
    return y


@function(takes=as_prediction)
def _hinge_embedding_loss(x: Any, target: Any, margin: Any, *, reduction: str) -> Any:
    check_equal("hinge_embedding_loss", x, target)
    return reduce(where(target == -1, relu(margin - x), 0) + where(target == 1, x, 0), reduction)


def hinge_embedding_loss(distance: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """X where the target is 1, max(0, margin − x) where it is −1, for distances x of pairs that are alike or not.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.hinge_embedding_loss(wf.tensor([0.25, 0.25]), wf.tensor([1, -1]), reduction="none").tolist()
    [0.25, 0.75]
    """
    check_reduction("hinge_embedding_loss", reduction)
    number("hinge_embedding_loss", margin=margin)
    x, t = operands("hinge_embedding_loss", distance, target)
    check_signs("hinge_embedding_loss", t)
    y: Tensor = _hinge_embedding_loss(x, t, float(margin), reduction=reduction)
    return y


@function(takes=as_prediction)
def _margin_ranking_loss(first: Any, second: Any, target: Any, margin: Any, *, reduction: str) -> Any:
    check_equal("margin_ranking_loss", first, second, "second prediction")
    check_equal("margin_ranking_loss", first, target)
    return reduce(relu(margin - target * (first - second)), reduction)


def margin_ranking_loss(
    first: Any, second: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, margin − target · (first − second)): the first should rank higher where the target is 1, lower at −1.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.margin_ranking_loss(wf.tensor([1.0]), wf.tensor([3.0]), wf.tensor([1])))
    2.0
    """
    check_reduction("margin_ranking_loss", reduction)
    number("margin_ranking_loss", margin=margin)
    x, t = operands("margin_ranking_loss", first, target)
    check_signs("margin_ranking_loss", t)
    y: Tensor = _margin_ranking_loss(x, as_tensor(second), t, float(margin), reduction=reduction)
    return y


# ── one of several classes ──────────────────────────────────────────────────────────────────────────────────


@function(takes=labels_as_they_are)
def _multi_margin_loss(x: Any, target: Any, margin: Any, *weight: Any, p: int, reduction: str) -> Any:
    classes = x.shape[-1]
    target = target.astype(int64)
    right = is_label(target, x, x.ndim - 1)
    score = where(right, x, 0).sum(axis=-1, keepdims=True)
    short = relu(margin - score + x)
    short = short * short if p == 2 else short
    if weight:
        short = short * where(right, weight[0], 0).sum(axis=-1, keepdims=True)
    return reduce(valid(where(right, 0, short).sum(axis=-1) / classes, target, classes), reduction)


def multi_margin_loss(
    prediction: Any, target: Any, *, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Σ max(0, margin − x[target] + x[j])ᵖ / classes over the other classes j.

    Scores x (N, classes) or (classes,), class numbers (N,) or (); ``p`` is 1 or 2, ``weight`` (classes,) weighs the
    class of the target.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.multi_margin_loss(wf.tensor([[0.0, 1.0]]), wf.tensor([0])))
    1.0
    """
    check_reduction("multi_margin_loss", reduction)
    number("multi_margin_loss", margin=margin)
    if p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: p={p!r}", expected="1 or 2")
    x, t = _classes("multi_margin_loss", prediction, target)
    factors = given(weight)
    if factors and factors[0].shape != x.shape[-1:]:
        raise ShapeError(
            f"multi_margin_loss: weight of shape {factors[0].shape}", expected=f"one number per class: {x.shape[-1:]}"
        )
    y: Tensor = _multi_margin_loss(x, t, float(margin), *factors, p=int(p), reduction=reduction)
    return y


def _classes(name: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Scores (…, classes) and checked class numbers (…)."""
    x, t = operands(name, prediction, target)
    if t.dtype.is_differentiable:
        raise DTypeError(
            f"{name}: class numbers of type {t.dtype.name}",
            expected="whole numbers",
            cure="target.argmax(axis=-1) if these are one-hot" if t.shape == x.shape else "target.astype(wf.int64)",
        )
    if x.ndim not in (1, 2) or t.shape != x.shape[:-1]:
        raise ShapeError(
            f"{name}: labels of shape {t.shape} for scores of shape {x.shape}",
            expected="scores (N, classes) and labels (N,)",
            cure="target.squeeze(-1)" if t.shape == (*x.shape[:-1], 1) else None,
        )
    check_labels(t, x.shape[-1], -1 << 62, x.shape, x.ndim - 1, name)
    return x, t


@function(takes=labels_as_they_are)
def _categorical_hinge_loss(x: Any, target: Any, *, reduction: str) -> Any:
    if target.ndim == x.ndim - 1 and not target.dtype.is_differentiable:  # class numbers
        target = target.astype(int64)
        losses = _short(x, is_label(target, x, x.ndim - 1).astype(x.dtype))
        return reduce(valid(losses, target, x.shape[-1]), reduction)
    check_equal("categorical_hinge_loss", x, target)
    return reduce(_short(x, target.astype(x.dtype)), reduction)


def _short(x: Any, share: Any) -> Any:
    """By how much the score of the right class misses that of every other one plus 1."""
    return relu(1 + ((1 - share) * x).max(axis=-1) - (share * x).sum(axis=-1))


def categorical_hinge_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """max(0, 1 + max (1 − t)·x − Σ t·x) for scores x (N, classes) and one-hot targets t, as in Keras.

    Class numbers (N,) are taken as well.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.categorical_hinge_loss(wf.tensor([[2.0, 0.5]]), wf.tensor([0])))
    0.0
    """
    check_reduction("categorical_hinge_loss", reduction)
    x, t = operands("categorical_hinge_loss", prediction, target)
    if not t.dtype.is_differentiable and t.ndim == x.ndim - 1:
        x, t = _classes("categorical_hinge_loss", x, t)
    y: Tensor = _categorical_hinge_loss(x, t, reduction=reduction)
    return y


# ── several classes at once ─────────────────────────────────────────────────────────────────────────────────


@function(takes=labels_as_they_are)
def _multilabel_margin_loss(x: Any, target: Any, *, reduction: str) -> Any:
    classes, target = x.shape[-1], target.astype(int64)
    listed = cumulative_sum((target < 0).astype(int64), axis=-1) == 0  # what stands before the first −1
    number = iota_op(shape=(*x.shape, classes), axis=x.ndim, dtype=int64)
    places = (number == target.expand_dims(axis=-1)) & listed.expand_dims(axis=-1)  # (…, place, class)
    right = places.any(axis=-2)
    scores = where(places, x.expand_dims(axis=-2), 0).sum(axis=-1)  # of each place
    short = relu(1 - scores.expand_dims(axis=-1) + x.expand_dims(axis=-2))
    counted = listed.expand_dims(axis=-1) & ~right.expand_dims(axis=-2)
    losses = where(counted, short, 0).sum(axis=(-2, -1)) / classes
    known = ((target >= -1) & (target < classes)).all(axis=-1)
    return reduce(where(known, losses, math.nan), reduction)


def multilabel_margin_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Σ max(0, 1 − (x[i] − x[j])) / classes over right classes i and wrong classes j.

    Scores x (N, classes) or (classes,); ``target``, of the same shape, lists the right classes of each row, and the
    first −1 ends the list.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.multilabel_margin_loss(wf.tensor([[2.0, 0.0]]), wf.tensor([[0, -1]])))
    0.0
    """
    check_reduction("multilabel_margin_loss", reduction)
    x, t = operands("multilabel_margin_loss", prediction, target)
    if t.dtype.is_differentiable:
        raise DTypeError(
            f"multilabel_margin_loss: class numbers of type {t.dtype.name}",
            expected="whole numbers, −1 after the last",
            cure="multilabel_soft_margin_loss if these are 0 and 1 for each class",
        )
    check_equal("multilabel_margin_loss", x, t)
    if x.ndim not in (1, 2):
        raise ShapeError(f"multilabel_margin_loss of shape {x.shape}", expected="(N, classes) or (classes,)")
    check_labels(t, x.shape[-1], -1, x.shape, x.ndim - 1, "multilabel_margin_loss")
    y: Tensor = _multilabel_margin_loss(x, t, reduction=reduction)
    return y
