"""Losses of two classes, or of several that do not exclude each other: a number in [0, 1] for each."""

from __future__ import annotations

from typing import Any

from weft.graph.dtype import float16
from weft.graph.function import function
from weft.graph.node import Node, wrap
from weft.nn.functional.guards import check_predicted, check_probabilities, operands, refuse_activation, refuse_logits
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, reduce, weigh
from weft.nn.functional.regression import given
from weft.ops.arithmetic import clip, maximum
from weft.ops.conversion import detach
from weft.ops.exponential import log, sigmoid, softplus
from weft.tensor import Tensor, as_tensor

WITH_LOGITS = "binary_cross_entropy_with_logits"


def _bce_each_vjp(g: Any, y: Any, p: Any, target: Any, hold: Any) -> tuple[Any, ...]:
    yes, no = _logarithms(p)
    return g * (p - target) / maximum(p * (1 - p), hold), g * (no - yes), None


@function(vjp=_bce_each_vjp)
def _bce_each(p: Any, target: Any, hold: Any) -> Any:
    yes, no = _logarithms(p)
    return -(target * yes + (1 - target) * no)


def _logarithms(p: Any) -> tuple[Any, Any]:
    """The logarithms of p and 1 − p, held at −100, so that a certain and wrong prediction has a finite loss."""
    yes, no = (clip(log(q), -100.0, float("inf")) for q in (p, 1 - p))
    return yes, no


@function(takes=as_prediction)
def _bce(p: Any, target: Any, hold: Any, *weight: Any, reduction: str) -> Any:
    check_equal("binary_cross_entropy", p, target)
    losses = _bce_each(p, target, hold)
    return reduce(weigh("binary_cross_entropy", losses, weight[0]) if weight else losses, reduction)


@function(takes=as_prediction)
def _bce_logits(x: Any, target: Any, *factors: Any, weighted: bool, reduction: str) -> Any:
    check_equal(WITH_LOGITS, x, target)
    rest = list(factors)
    weight = rest.pop(0) if weighted else None
    losses = answer_costs(x, target, weigh(WITH_LOGITS, target, rest[0], "pos_weight") if rest else target)
    return reduce(losses if weight is None else weigh(WITH_LOGITS, losses, weight), reduction)


def answer_costs(x: Any, target: Any, yes: Any = None) -> Any:
    """−t·log σ(x) − (1 − t)·log σ(−x) for the bodies of ops; ``yes`` stands for the t of the first part.

    Neither part cancels: softplus(x) − t·x would have no digit left where an answer is right and certain.
    """
    return (target if yes is None else yes) * softplus(-x) + (1 - target) * softplus(x)


def _logits(p: Node) -> Node | None:
    """What went into the sigmoid that made ``p``; also where no history is kept, so that losses are measured alike."""
    made = _before(p) if p.op is detach else p
    return _before(made) if made is not None and made.op is sigmoid else None


def _before(node: Node) -> Node | None:
    return node.inputs[0] if node.inputs else node.recording.before(node) if node.recording is not None else None


def binary_cross_entropy(probability: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Tensor:
    """−target·log(p) − (1 − target)·log(1 − p) for probabilities p in [0, 1]; all of one shape.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.binary_cross_entropy(wf.tensor([0.5]), wf.tensor([1.0]))), 4)
    0.6931
    """
    check_reduction("binary_cross_entropy", reduction)
    p, t = operands("binary_cross_entropy", probability, target)
    refuse_logits("binary_cross_entropy", p, f"{WITH_LOGITS}, or nn.Sigmoid() as the last layer")
    check_probabilities("binary_cross_entropy", t)
    logits = _logits(p.node)
    if logits is not None:
        # From what came before the sigmoid, where nothing is lost to rounding.
        return binary_cross_entropy_with_logits(wrap(logits), t, weight=weight, reduction=reduction)
    check_predicted("binary_cross_entropy", p)
    # The slope of a certain and wrong prediction is held at 10¹², as in PyTorch, or where float16 ends.
    hold = 1e-12 if p.dtype is not float16 else 1 / 60000
    y: Tensor = _bce(p, t, hold, *given(weight), reduction=reduction)
    return y


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """The same for p = sigmoid(logits), without overflow or cancellation.

    ``weight`` multiplies each loss, ``pos_weight`` the part of the positive targets.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.binary_cross_entropy_with_logits(wf.tensor([-1000.0]), wf.tensor([1.0])))
    1000.0
    """
    check_reduction(WITH_LOGITS, reduction)
    x, t = operands(WITH_LOGITS, logits, target)
    refuse_activation(WITH_LOGITS, x, "sigmoid", "binary_cross_entropy(probabilities, target)")
    check_probabilities(WITH_LOGITS, t)
    factors = [as_tensor(f) for f in (weight, pos_weight) if f is not None]
    y: Tensor = _bce_logits(x, t, *factors, weighted=weight is not None, reduction=reduction)
    return y


@function(takes=as_prediction)
def _multilabel_soft_margin_loss(x: Any, target: Any, *weight: Any, reduction: str) -> Any:
    check_equal("multilabel_soft_margin_loss", x, target)
    losses = answer_costs(x, target)
    return reduce(
        (weigh("multilabel_soft_margin_loss", losses, weight[0]) if weight else losses).mean(axis=-1), reduction
    )


def multilabel_soft_margin_loss(logits: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Tensor:
    """The mean over the last axis of binary cross-entropy on logits: one loss for each row of labels 0 and 1.

    Logits and targets (N, classes); ``weight`` (classes,) weighs the classes.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.multilabel_soft_margin_loss(wf.tensor([[0.0, 0.0]]), wf.tensor([[1, 0]]), reduction="none").numpy().round(4)
    array([0.6931], dtype=float32)
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    x, t = operands(name, logits, target)
    refuse_activation(name, x, "sigmoid", "binary_cross_entropy(probabilities, target)")
    check_probabilities(name, t)
    y: Tensor = _multilabel_soft_margin_loss(x, t, *given(weight), reduction=reduction)
    return y
