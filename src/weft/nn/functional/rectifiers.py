"""Activations that bend at a point: rectifiers, bounded ones, and those that shrink what is small."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import positive
from weft.nn.functional.activation import wide
from weft.ops.comparison import logical_and, where
from weft.ops.exponential import expm1
from weft.ops.exponential import relu as relu_op
from weft.random import uniform
from weft.tensor import Tensor, as_tensor

# ── what lets the positive half through ─────────────────────────────────────────────────────────────────────


@function
def _where_positive(g: Any, x: Any) -> Any:
    return where(x > 0, g, 0)


@function(vjp=lambda g, y, x: (_where_positive(g, x),))
def _relu(x: Any) -> Any:
    return relu_op(x)


@function(takes=floating)
def _leaky_relu(x: Any, slope: Any) -> Any:
    return where(x > 0, x, slope * x)


@function(takes=floating)
@wide
def _elu(x: Any, alpha: Any, scale: Any) -> Any:
    # expm1 of positive numbers overflows, and an infinity that is not chosen still spoils the gradient.
    return where(x > 0, x, alpha * expm1(where(x > 0, 0, x))) * scale


@function(takes=floating)
@wide
def _celu(x: Any, alpha: Any) -> Any:
    return where(x > 0, x, alpha * expm1(where(x > 0, 0, x) / alpha))


@function(takes=floating)
def _threshold(x: Any, threshold: Any, value: Any) -> Any:
    return where(x <= threshold, value, x)


def relu(x: Any) -> Tensor:
    """max(x, 0); its gradient at 0 is 0.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.relu(wf.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    y: Tensor = _relu(x)
    return y


def leaky_relu(x: Any, slope: float = 0.01) -> Tensor:
    """The identity where x is positive, ``slope``·x elsewhere.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.leaky_relu(wf.tensor([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    y: Tensor = _leaky_relu(x, float(slope))
    return y


def prelu(x: Any, weight: Any) -> Tensor:
    """`leaky_relu` with a learned slope: one number, or one for each channel (axis 1) of x; He et al. 2015.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.prelu(wf.tensor([[-1.0, -2.0]]), wf.tensor([0.5, 0.25])).tolist()
    [[-0.5, -0.5]]
    """
    x, weight = as_tensor(x), as_tensor(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(
            f"prelu: a weight of shape {weight.shape} for an input of shape {x.shape}",
            expected=f"(1,) or ({channels},)",
        )
    each = weight.reshape(()) if weight.size == 1 else weight.reshape(-1, *(1,) * (x.ndim - 2))
    y: Tensor = _leaky_relu(x, each)
    return y


def rrelu(x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`leaky_relu` with slopes drawn from [lower, upper) in training, with their mean otherwise; Xu et al. 2015.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.rrelu(wf.tensor([-1.0, 2.0]), 0.25, 0.75).tolist()
    [-0.5, 2.0]
    """
    if not lower <= upper:
        raise ArgumentError(f"rrelu: lower={lower!r}, upper={upper!r}", expected="lower ≤ upper")
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    x = as_tensor(x)
    slope = uniform(x.shape, low=lower, high=upper).astype(x.dtype if x.dtype.is_floating else "float32")
    y: Tensor = _leaky_relu(x, slope)
    return y


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """The identity where x is positive, ``alpha``·(exp(x) − 1) elsewhere: Clevert et al. 2015."""
    y: Tensor = _elu(x, float(alpha), 1.0)
    return y


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """The identity where x is positive, ``alpha``·(exp(x/alpha) − 1) elsewhere: ELU without a kink; Barron 2017.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.celu(wf.tensor([-1000.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha=0", expected="a number that is not 0")
    y: Tensor = _celu(x, float(alpha))
    return y


def selu(x: Any) -> Tensor:
    """ELU with the two constants that keep mean 0 and variance 1: Klambauer et al. 2017."""
    y: Tensor = _elu(x, 1.6732632423543772, 1.0507009873554805)
    return y


def threshold(x: Any, threshold: float, value: float) -> Tensor:
    """The identity above ``threshold``, ``value`` elsewhere.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.threshold(wf.tensor([0.5, 2.0]), 1.0, -7.0).tolist()
    [-7.0, 2.0]
    """
    y: Tensor = _threshold(x, float(threshold), float(value))
    return y


# ── what is bounded ─────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _hardtanh(x: Any, low: Any, high: Any) -> Any:
    return where(x <= low, low, where(x >= high, high, x))


@function(takes=floating)
def _hardsigmoid(x: Any) -> Any:
    return where(x <= -3, 0, where(x >= 3, 1, x / 6 + 0.5))


@function(takes=floating)
@wide
def _hardswish(x: Any) -> Any:
    return where(x <= -3, 0, where(x >= 3, x, x * (x + 3) / 6))


def hardtanh(x: Any, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Clipping: x held between ``low`` and ``high``; on the bounds the gradient is 0."""
    if not low <= high:
        raise ArgumentError(f"hardtanh: low={low!r}, high={high!r}", expected="low ≤ high")
    y: Tensor = _hardtanh(x, float(low), float(high))
    return y


def relu6(x: Any) -> Tensor:
    """ReLU with a ceiling: x held between 0 and 6.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.relu6(wf.tensor([-1.0, 5.0, 7.0])).tolist()
    [0.0, 5.0, 6.0]
    """
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Tensor:
    """x/6 + 1/2 held between 0 and 1: three straight lines like a sigmoid.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.hardsigmoid(wf.tensor([-4.0, 0.0, 1.5])).tolist()
    [0.0, 0.5, 0.75]
    """
    y: Tensor = _hardsigmoid(x)
    return y


def hardswish(x: Any) -> Tensor:
    """x·hardsigmoid(x): Howard et al. 2019.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.hardswish(wf.tensor([-4.0, 0.0, 6.0])).tolist()
    [0.0, 0.0, 6.0]
    """
    y: Tensor = _hardswish(x)
    return y


# ── what shrinks small numbers ──────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _hardshrink(x: Any, size: Any) -> Any:
    return where(logical_and(x >= -size, x <= size), 0, x)


@function(takes=floating)
def _softshrink(x: Any, size: Any) -> Any:
    return where(x > size, x - size, where(x < -size, x + size, 0 * x))


def hardshrink(x: Any, size: float = 0.5) -> Tensor:
    """0 where |x| ≤ ``size``, the identity elsewhere.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.hardshrink(wf.tensor([0.25, -2.0])).tolist()
    [0.0, -2.0]
    """
    y: Tensor = _hardshrink(x, float(size))
    return y


def softshrink(x: Any, size: float = 0.5) -> Tensor:
    """0 where |x| ≤ ``size``, x moved towards 0 by ``size`` elsewhere.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.softshrink(wf.tensor([0.25, -2.0])).tolist()
    [0.0, -1.5]
    """
    if size:
        positive("softshrink", size=size)
    y: Tensor = _softshrink(x, float(size))
    return y
