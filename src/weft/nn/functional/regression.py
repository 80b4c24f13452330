"""Losses of numbers: squared, absolute, and Huber's between them."""

from __future__ import annotations

from typing import Any

from weft.graph.function import function
from weft.nn.check import positive
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, reduce
from weft.ops.arithmetic import abs
from weft.ops.comparison import where
from weft.tensor import Tensor


@function(takes=as_prediction)
def _mse_loss(prediction: Any, target: Any, *, reduction: str) -> Any:
    check_equal("mse_loss", prediction, target)
    check_reduction("mse_loss", reduction)
    error = prediction - target
    return reduce(error * error, reduction)


@function(takes=as_prediction)
def _l1_loss(prediction: Any, target: Any, *, reduction: str) -> Any:
    check_equal("l1_loss", prediction, target)
    check_reduction("l1_loss", reduction)
    return reduce(abs(prediction - target), reduction)


@function(takes=as_prediction)
def _huber_loss(prediction: Any, target: Any, *, delta: float, scale: float, reduction: str) -> Any:
    check_equal("huber_loss", prediction, target)
    check_reduction("huber_loss", reduction)
    error = prediction - target
    size = abs(error)
    return reduce(where(size < delta, 0.5 * error * error, delta * (size - 0.5 * delta)) * scale, reduction)


def mse_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """(prediction − target)², the squared error; both of one shape.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.mse_loss(wf.tensor([1.0, 2.0]), wf.tensor([1.0, 4.0])))
    2.0
    """
    y: Tensor = _mse_loss(prediction, target, reduction=reduction)
    return y


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """|prediction − target|, the absolute error; both of one shape."""
    y: Tensor = _l1_loss(prediction, target, reduction=reduction)
    return y


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """e²/2 where |e| < δ, δ(|e| − δ/2) elsewhere: squared for small errors, absolute for large ones."""
    positive("huber_loss", delta=delta)
    y: Tensor = _huber_loss(prediction, target, delta=float(delta), scale=1.0, reduction=reduction)
    return y


def smooth_l1_loss(prediction: Any, target: Any, *, beta: float = 1.0, reduction: str = "mean") -> Tensor:
    """e²/(2β) where |e| < β, |e| − β/2 elsewhere: Huber's loss divided by β."""
    positive("smooth_l1_loss", beta=beta)
    y: Tensor = _huber_loss(prediction, target, delta=float(beta), scale=1 / beta, reduction=reduction)
    return y
