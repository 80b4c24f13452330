"""Losses of numbers: squared, absolute, and Huber's between them."""

from __future__ import annotations

from typing import Any

from weft.graph.function import function
from weft.nn.check import number, positive
from weft.nn.functional.guards import operands
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, reduce
from weft.ops.arithmetic import abs
from weft.ops.comparison import where
from weft.tensor import Tensor, as_tensor


@function(takes=as_prediction)
def _mse_loss(prediction: Any, target: Any, *weight: Any, reduction: str) -> Any:
    check_equal("mse_loss", prediction, target)
    error = prediction - target
    return _weighed("mse_loss", error * error, weight, reduction)


@function(takes=as_prediction)
def _l1_loss(prediction: Any, target: Any, *weight: Any, reduction: str) -> Any:
    check_equal("l1_loss", prediction, target)
    return _weighed("l1_loss", abs(prediction - target), weight, reduction)


@function(takes=as_prediction)
def _huber_loss(prediction: Any, target: Any, delta: Any, scale: Any, *weight: Any, reduction: str) -> Any:
    check_equal("huber_loss", prediction, target)
    error = prediction - target
    size = abs(error)
    # Held at δ before the square, which could overflow where it is not used.
    inner = where(size < delta, error, 0)
    losses = where(size < delta, 0.5 * inner * inner, delta * (size - 0.5 * delta)) * scale
    if weight:
        check_equal("huber_loss", prediction, weight[0], "weight")
        losses = losses * weight[0]
    return reduce(losses, reduction)


def _weighed(name: str, losses: Any, weight: tuple[Any, ...], reduction: str) -> Any:
    if not weight:
        return reduce(losses, reduction)
    check_equal(name, losses, weight[0], "weight")
    total = losses * weight[0]
    return total.sum() / weight[0].sum() if reduction == "mean" else reduce(total, reduction)


def given(weight: Any) -> tuple[Tensor, ...]:
    """An optional operand as operands."""
    return () if weight is None else (as_tensor(weight),)


def mse_loss(prediction: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Tensor:
    """(prediction − target)², the squared error; both of one shape.

    ``weight``, of the same shape, multiplies each error; the mean is then divided by the sum of the weights.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.mse_loss(wf.tensor([1.0, 2.0]), wf.tensor([1.0, 4.0])))
    2.0
    """
    check_reduction("mse_loss", reduction)
    y: Tensor = _mse_loss(*operands("mse_loss", prediction, target), *given(weight), reduction=reduction)
    return y


def l1_loss(prediction: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Tensor:
    """|prediction − target|, the absolute error; both of one shape. ``weight`` as of `mse_loss`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.l1_loss(wf.tensor([1.0, 2.0]), wf.tensor([1.0, 4.0])))
    1.0
    """
    check_reduction("l1_loss", reduction)
    y: Tensor = _l1_loss(*operands("l1_loss", prediction, target, real=False), *given(weight), reduction=reduction)
    return y


def huber_loss(
    prediction: Any, target: Any, *, delta: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """e²/2 where |e| < δ, δ(|e| − δ/2) elsewhere: squared for small errors, absolute for large ones.

    ``weight``, of the same shape, multiplies each loss before the mean, as in PyTorch.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.huber_loss(wf.tensor([0.5, 3.0]), wf.zeros(2), reduction="none").tolist()
    [0.125, 2.5]
    """
    check_reduction("huber_loss", reduction)
    positive("huber_loss", delta=delta)
    p, t = operands("huber_loss", prediction, target)
    y: Tensor = _huber_loss(p, t, float(delta), 1.0, *given(weight), reduction=reduction)
    return y


def smooth_l1_loss(prediction: Any, target: Any, *, beta: float = 1.0, reduction: str = "mean") -> Tensor:
    """e²/(2β) where |e| < β, |e| − β/2 elsewhere: Huber's loss divided by β; β = 0 is the absolute error.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.smooth_l1_loss(wf.tensor([0.25, 3.0]), wf.zeros(2), beta=0.5, reduction="none").tolist()
    [0.0625, 2.75]
    """
    check_reduction("smooth_l1_loss", reduction)
    number("smooth_l1_loss", 0, beta=beta)
    p, t = operands("smooth_l1_loss", prediction, target)
    if not beta:
        return l1_loss(p, t, reduction=reduction)
    y: Tensor = _huber_loss(p, t, float(beta), 1 / beta, reduction=reduction)
    return y
