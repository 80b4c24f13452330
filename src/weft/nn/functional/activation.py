"""Functions of each element, and softmax: each is one entry of a recording, and so is its gradient."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError
from weft.graph.function import function
from weft.graph.op import floating
from weft.ops.elementwise import clip, detach, erf, exp, expm1, where
from weft.ops.elementwise import relu as relu_op
from weft.ops.elementwise import sigmoid as sigmoid_op
from weft.ops.elementwise import softplus as softplus_op
from weft.ops.elementwise import tanh as tanh_op
from weft.ops.rules import normalize_axis
from weft.tensor import Tensor, as_tensor

# ── what bends at zero ──────────────────────────────────────────────────────────────────────────────────────


@function
def _where_positive(g: Any, x: Any) -> Any:
    return where(x > 0, g, 0)


@function(vjp=lambda g, y, x: (_where_positive(g, x),))
def _relu(x: Any) -> Any:
    return relu_op(x)


@function(takes=floating)
def _leaky_relu(x: Any, *, slope: float) -> Any:
    return where(x > 0, x, slope * x)


@function(takes=floating)
def _elu(x: Any, *, alpha: float, scale: float) -> Any:
    # expm1 of positive numbers overflows, and an infinity that is not chosen still spoils the gradient.
    return where(x > 0, x, alpha * expm1(where(x > 0, 0, x))) * scale


@function
def _hardtanh(x: Any, *, low: float, high: float) -> Any:
    return clip(x, low, high)


def relu(x: Any) -> Tensor:
    """max(x, 0).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.relu(wf.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    y: Tensor = _relu(x)
    return y


def leaky_relu(x: Any, slope: float = 0.01) -> Tensor:
    """The identity where x is positive, ``slope``·x elsewhere."""
    y: Tensor = _leaky_relu(x, slope=float(slope))
    return y


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """The identity where x is positive, ``alpha``·(exp(x) − 1) elsewhere."""
    y: Tensor = _elu(x, alpha=float(alpha), scale=1.0)
    return y


def selu(x: Any) -> Tensor:
    """ELU with the two constants that keep mean 0 and variance 1: Klambauer et al. 2017."""
    y: Tensor = _elu(x, alpha=1.6732632423543772, scale=1.0507009873554805)
    return y


def hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Clipping: x held between ``low`` and ``high``."""
    y: Tensor = _hardtanh(x, low=float(low), high=float(high))
    return y


# ── smooth ones ─────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _gelu(x: Any) -> Any:
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


@function(takes=floating)
def _gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + tanh_op(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


@function(takes=floating)
def _silu(x: Any) -> Any:
    return x * sigmoid_op(x)


@function(takes=floating)
def _softplus(x: Any, *, beta: float) -> Any:
    return softplus_op(x) if beta == 1 else softplus_op(beta * x) / beta


_GELU = {"none": _gelu, "tanh": _gelu_tanh}


def gelu_form(approximate: str) -> Any:
    """The op of a form of GELU."""
    if approximate not in _GELU:
        raise ArgumentError(f"gelu: approximate={approximate!r}", expected='"none" or "tanh"')
    return _GELU[approximate]


def gelu(x: Any, approximate: str = "none") -> Tensor:
    """x·Φ(x) with Φ the normal distribution function: Hendrycks and Gimpel 2016."""
    y: Tensor = gelu_form(approximate)(x)
    return y


def silu(x: Any) -> Tensor:
    """x·sigmoid(x), also called swish."""
    y: Tensor = _silu(x)
    return y


def softplus(x: Any, beta: float = 1.0) -> Tensor:
    """log(1 + exp(βx)) / β."""
    y: Tensor = _softplus(x, beta=float(beta))
    return y


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(−x)), without overflow."""
    y: Tensor = sigmoid_op(x)
    return y


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    y: Tensor = tanh_op(x)
    return y


# ── softmax ─────────────────────────────────────────────────────────────────────────────────────────────────


@function
def _softmax_gradient(g: Any, y: Any, *, axis: int) -> Any:
    return y * (g - (g * y).sum(axis=axis, keepdims=True))


@function(takes=floating, vjp=lambda g, y, x, *, axis: (_softmax_gradient(g, y, axis=axis),))
def _softmax(x: Any, *, axis: int) -> Any:
    # Shifted by the maximum, which changes nothing and cannot overflow.
    shifted = exp(x - detach(x.max(axis=axis, keepdims=True)))
    return shifted / shifted.sum(axis=axis, keepdims=True)


@function
def _log_softmax_gradient(g: Any, y: Any, *, axis: int) -> Any:
    return g - exp(y) * g.sum(axis=axis, keepdims=True)


@function(takes=floating, vjp=lambda g, y, x, *, axis: (_log_softmax_gradient(g, y, axis=axis),))
def _log_softmax(x: Any, *, axis: int) -> Any:
    return x - x.logsumexp(axis=axis, keepdims=True)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) / Σ exp(x) along ``axis``: positive numbers that sum to 1.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.softmax(wf.tensor([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    x = as_tensor(x)
    y: Tensor = _softmax(x, axis=normalize_axis(axis, x.ndim))
    return y


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """The logarithm of `softmax`: x − log Σ exp(x), without overflow."""
    x = as_tensor(x)
    y: Tensor = _log_softmax(x, axis=normalize_axis(axis, x.ndim))
    return y
