"""Smooth functions of each element: each is one entry of a recording, and so is its gradient."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.functional.standardization import widened
from weft.nn.lookup import find
from weft.ops.arithmetic import abs
from weft.ops.assembling import split
from weft.ops.comparison import where
from weft.ops.exponential import erf
from weft.ops.exponential import relu as relu_op
from weft.ops.exponential import sigmoid as sigmoid_op
from weft.ops.exponential import softplus as softplus_op
from weft.ops.rules import normalize_axis
from weft.ops.trigonometry import tanh as tanh_op
from weft.tensor import Tensor, as_tensor

# ── sigmoids ────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _logsigmoid(x: Any) -> Any:
    return -softplus_op(-x)


@function(takes=floating)
def _softsign(x: Any) -> Any:
    return x / (1 + abs(x))


@function(takes=floating)
def _tanhshrink(x: Any) -> Any:
    return x - tanh_op(x)


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(−x)), without overflow."""
    y: Tensor = sigmoid_op(x)
    return y


def logsigmoid(x: Any) -> Tensor:
    """The logarithm of the sigmoid: −log(1 + exp(−x)), without overflow.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.logsigmoid(wf.tensor([-1000.0])).tolist()
    [-1000.0]
    """
    y: Tensor = _logsigmoid(x)
    return y


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    y: Tensor = tanh_op(x)
    return y


def tanhshrink(x: Any) -> Tensor:
    """What tanh takes away: x − tanh(x).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.tanhshrink(wf.tensor([0.0, 30.0])).tolist()
    [0.0, 29.0]
    """
    y: Tensor = _tanhshrink(x)
    return y


def softsign(x: Any) -> Tensor:
    """Into (−1, 1), more slowly than tanh: x / (1 + |x|).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.softsign(wf.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    y: Tensor = _softsign(x)
    return y


# ── smooth rectifiers ───────────────────────────────────────────────────────────────────────────────────────


def wide(body: Callable[..., Any]) -> Callable[..., Any]:
    """The body in at least 32 bits, its derivative too: sums such as 1 + erf(x) lose small values in sixteen."""

    @functools.wraps(body)
    def computed(x: Any, *rest: Any) -> Any:
        return body(*widened(x, *rest)).astype(x.dtype)

    return computed


@function(takes=floating)
@wide
def _gelu(x: Any) -> Any:
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


@function(takes=floating)
@wide
def _gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + tanh_op(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


@function(takes=floating)
@wide
def _silu(x: Any) -> Any:
    return x * sigmoid_op(x)


@function(takes=floating)
@wide
def _mish(x: Any) -> Any:
    return x * tanh_op(softplus_op(x))


@function(takes=floating)
def _softplus(x: Any, beta: Any, *threshold: Any) -> Any:
    y = softplus_op(beta * x) / beta
    return where(beta * x > threshold[0], x, y) if threshold else y


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


def mish(x: Any) -> Tensor:
    """x·tanh(softplus(x)): Misra 2019.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.mish(wf.tensor([0.0, 30.0])).tolist()
    [0.0, 30.0]
    """
    y: Tensor = _mish(x)
    return y


def softplus(x: Any, beta: float = 1.0, threshold: float | None = None) -> Tensor:
    """log(1 + exp(βx)) / β, without overflow; x itself where βx exceeds ``threshold``, if one is given."""
    if beta == 0:
        raise ArgumentError("softplus: beta=0", expected="a number that is not 0")
    if threshold is None and beta == 1:
        y: Tensor = softplus_op(x)
    else:
        y = _softplus(x, float(beta), *(() if threshold is None else (float(threshold),)))
    return y


# ── a gate ──────────────────────────────────────────────────────────────────────────────────────────────────

_GATES = {"sigmoid": sigmoid_op, "silu": _silu, "gelu": _gelu, "relu": relu_op, "identity": lambda x: x}


def gate_of(activation: str) -> Any:
    """The op of a gate's activation."""
    return find(_GATES, activation, "gate")


@function(takes=floating)
def _glu(x: Any, *, axis: int, activation: str) -> Any:
    value, gate = split(x, 2, axis=axis)
    return value * gate_of(activation)(gate)


def glu(x: Any, axis: int = -1, activation: str = "sigmoid") -> Tensor:
    """a·σ(b) for x = (a, b), two halves along ``axis``: a gated linear unit; Dauphin et al. 2016.

    ``activation`` is σ: "sigmoid", "silu" (SwiGLU), "gelu" (GEGLU), "relu" (ReGLU) or "identity"; Shazeer 2020.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.glu(wf.tensor([2.0, 0.0])).tolist()
    [1.0]
    """
    x = as_tensor(x)
    gate_of(activation)
    at = normalize_axis(axis, x.ndim)
    if x.shape[at] % 2:
        raise ShapeError(f"glu of an input of shape {x.shape} along axis {at}", expected="an even size there")
    y: Tensor = _glu(x, axis=at, activation=activation)
    return y
