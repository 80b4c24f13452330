"""Softmax and its relatives: each is one entry of a recording, and so is its gradient."""

from __future__ import annotations

from typing import Any

from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import positive
from weft.ops.comparison import isfinite, where
from weft.ops.conversion import detach
from weft.ops.exponential import exp, log
from weft.ops.rules import normalize_axis
from weft.ops.searching import one_hot
from weft.random import gumbel
from weft.tensor import Tensor, as_tensor


@function
def _softmax_gradient(g: Any, y: Any, *, axis: int) -> Any:
    return y * (g - (g * y).sum(axis=axis, keepdims=True))


@function(takes=floating, vjp=lambda g, y, x, *, axis: (_softmax_gradient(g, y, axis=axis),))
def _softmax(x: Any, *, axis: int) -> Any:
    if x.shape[axis] == 0:
        return x
    # Shifted by the maximum, which changes nothing and cannot overflow.
    shifted = exp(x - detach(x.max(axis=axis, keepdims=True)))
    return shifted / shifted.sum(axis=axis, keepdims=True)


@function
def _log_softmax_gradient(g: Any, y: Any, *, axis: int) -> Any:
    return g - exp(y) * g.sum(axis=axis, keepdims=True)


@function(takes=floating, vjp=lambda g, y, x, *, axis: (_log_softmax_gradient(g, y, axis=axis),))
def _log_softmax(x: Any, *, axis: int) -> Any:
    return log_shares(x, axis=axis)


def log_shares(x: Any, *, axis: int) -> Any:
    """Log softmax for the bodies of ops: (x − max) − log Σ exp(x − max).

    The maximum goes first: x − log Σ exp(x) would round at the size of the largest logit, not at that of the result.
    """
    if x.shape[axis] == 0:
        return x
    top = detach(x.max(axis=axis, keepdims=True))
    shifted = x - where(isfinite(top), top, 0)
    return shifted - log(exp(shifted).sum(axis=axis, keepdims=True))


def _operand(x: Any, axis: int, dtype: Any) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if x.ndim == 0 and axis in (0, -1):  # one number is a row of one
        x = x.reshape(1)
    return x if dtype is None else x.astype(dtype), normalize_axis(axis, x.ndim)


def softmax(x: Any, axis: int = -1, dtype: Any = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``axis``: positive numbers that sum to 1. With ``dtype``, x becomes that first.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.softmax(wf.tensor([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    row, at = _operand(x, axis, dtype)
    y: Tensor = _softmax(row, axis=at)
    return y.reshape(()) if as_tensor(x).ndim == 0 else y


def softmin(x: Any, axis: int = -1, dtype: Any = None) -> Tensor:
    """`softmax` of −x: the smallest number has the largest share.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.softmin(wf.tensor([0.0, 1000.0])).tolist()
    [1.0, 0.0]
    """
    return softmax(-as_tensor(x), axis, dtype)


def log_softmax(x: Any, axis: int = -1, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, without overflow or cancellation. With ``dtype``, x becomes that first.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.log_softmax(wf.tensor([0.0, -1000.0])).tolist()
    [0.0, -1000.0]
    """
    row, at = _operand(x, axis, dtype)
    y: Tensor = _log_softmax(row, axis=at)
    return y.reshape(()) if as_tensor(x).ndim == 0 else y


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, axis: int = -1) -> Tensor:
    """softmax((logits + Gumbel noise) / τ): a differentiable draw from categories; Jang et al. 2017.

    With ``hard`` the value is one-hot, and the gradient that of the soft one.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.gumbel_softmax(wf.zeros((2, 3)), hard=True).sum(axis=-1).tolist()
    [1.0, 1.0]
    """
    positive("gumbel_softmax", tau=tau)
    logits = as_tensor(logits)
    at = normalize_axis(axis, logits.ndim)
    y = softmax((logits + gumbel(logits.shape).astype(logits.dtype)) / tau, at)
    if not hard:
        return y
    chosen: Tensor = one_hot(y.argmax(axis=at), y.shape[at], dtype=y.dtype)
    return chosen.moveaxis(-1, at) - y.detach() + y
