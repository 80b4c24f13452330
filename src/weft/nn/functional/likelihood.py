"""Losses that are the negative logarithm of a likelihood, or a divergence of distributions."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.function import function
from weft.nn.check import positive
from weft.nn.functional.guards import check_not_negative, operands, refuse_probabilities
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, reduce
from weft.ops.arithmetic import maximum
from weft.ops.comparison import where
from weft.ops.conversion import detach
from weft.ops.exponential import exp, log
from weft.tensor import Tensor, as_tensor

# ── the divergence of Kullback and Leibler ──────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _kl_div(x: Any, target: Any, *, reduction: str, log_target: bool) -> Any:
    check_equal("kl_div", x, target)
    if log_target:
        losses = exp(target) * (target - x)
    else:
        # t (log t − x) → 0 as t → 0, also where x is −∞.
        none = target == 0
        losses = where(none, 0, target * (log(where(none, 1, target)) - x))
    if reduction == "batchmean":
        return losses.sum() / (x.shape[0] if x.ndim else 1)
    return reduce(losses, reduction)


def kl_div(log_probabilities: Any, target: Any, *, log_target: bool = False, reduction: str = "mean") -> Tensor:
    """T · (log t − log p), the divergence of Kullback and Leibler from logarithms of probabilities p.

    ``target`` t are probabilities, or with ``log_target`` their logarithms; both of one shape. The divergence of
    distributions is ``reduction="batchmean"``, the sum divided by the number of rows; "mean" divides by the number of
    all elements, as in PyTorch.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> p, t = wf.tensor([[0.5, 0.5]]), wf.tensor([[1.0, 0.0]])
    >>> round(float(F.kl_div(wf.log(p), t, reduction="batchmean")), 4)
    0.6931
    """
    check_reduction("kl_div", reduction, batchmean=True)
    x, t = operands("kl_div", log_probabilities, target)
    refuse_probabilities("kl_div", x)
    if not log_target:
        check_not_negative("kl_div", "a target", t, "log_target=True if these are logarithms of probabilities")
    y: Tensor = _kl_div(x, t, reduction=reduction, log_target=log_target)
    return y


# ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _poisson_nll_loss(x: Any, target: Any, eps: Any, *, log_input: bool, full: bool, reduction: str) -> Any:
    check_equal("poisson_nll_loss", x, target)
    losses = exp(x) - target * x if log_input else x - target * log(x + eps)
    if full:
        # Stirling's approximation of log target!, for targets above 1.
        large = target > 1
        t = where(large, target, 1)
        losses = losses + where(large, t * log(t) - t + 0.5 * log(2 * math.pi * t), 0)
    return reduce(losses, reduction)


def poisson_nll_loss(
    prediction: Any,
    target: Any,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """λ − target · log λ for counts that are Poisson distributed with mean λ; both of one shape.

    The prediction is log λ, or with ``log_input=False`` λ itself (then log(λ + ε)). ``full`` adds log target! by
    Stirling's approximation, which does not depend on the prediction.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.poisson_nll_loss(wf.tensor([0.0]), wf.tensor([3.0])))
    1.0
    """
    check_reduction("poisson_nll_loss", reduction)
    positive("poisson_nll_loss", eps=eps)
    x, t = operands("poisson_nll_loss", prediction, target)
    check_not_negative("poisson_nll_loss", "a target", t, "counts: whole numbers from 0")
    y: Tensor = _poisson_nll_loss(x, t, float(eps), log_input=log_input, full=full, reduction=reduction)
    return y


# ── numbers with a variance ─────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _gaussian_nll_loss(x: Any, target: Any, var: Any, eps: Any, *, full: bool, reduction: str) -> Any:
    check_equal("gaussian_nll_loss", x, target)
    held = var + detach(maximum(var, eps) - var)  # the gradient passes, so that a variance below ε can grow again
    error = x - target
    losses = 0.5 * (log(held) + error * error / held)
    return reduce(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def gaussian_nll_loss(
    prediction: Any, target: Any, var: Any, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log var + (prediction − target)² / var) / 2 for numbers that are normal with a predicted variance.

    ``var`` ≥ 0 is one number, of the shape of the prediction (or 1 on some axes), or of that without its last axis;
    it is held at ``eps`` or above. ``full`` adds log(2π)/2.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.gaussian_nll_loss(wf.tensor([1.0]), wf.tensor([3.0]), wf.tensor([1.0])))
    2.0
    """
    check_reduction("gaussian_nll_loss", reduction)
    positive("gaussian_nll_loss", eps=eps)
    x, t = operands("gaussian_nll_loss", prediction, target)
    check_equal("gaussian_nll_loss", x, t)
    v = as_tensor(var)
    check_not_negative("gaussian_nll_loss", "a variance", v, "nn.Softplus() after the layer that gives the variance")
    v = v.reshape(*v.shape, 1) if x.ndim and v.shape == x.shape[:-1] and v.ndim else v
    fits = v.ndim == x.ndim and all(n in (1, m) for n, m in zip(v.shape, x.shape, strict=True))
    if v.ndim and not fits:
        raise ShapeError(
            f"gaussian_nll_loss: a variance of shape {as_tensor(var).shape} for a prediction of shape {x.shape}",
            expected=f"{x.shape}, {x.shape[:-1]} or one number",
        )
    y: Tensor = _gaussian_nll_loss(x, t, v.broadcast_to(x.shape), float(eps), full=full, reduction=reduction)
    return y
