"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import DTypeError
from weft.graph.op import Op, floating, tensor_like
from weft.ops import complexes
from weft.ops.comparison import PAIR, X, isnan, where
from weft.ops.conversion import imag, real
from weft.ops.engine import jnp
from weft.ops.exponential import rsqrt
from weft.ops.rules import broadcast, refusing, same

sin = Op(
    "sin",
    shape=same,
    takes=floating,
    lower=complexes.sin,
    vjp=lambda g, y, x: (g * cos(x),),
    operands=X,
    doc="The sine of an angle in radians.",
    example=("[0.0]", "[0.0]"),
)
cos: Op = Op(
    "cos",
    shape=same,
    takes=floating,
    lower=complexes.cos,
    vjp=lambda g, y, x: (-g * sin(x),),
    operands=X,
    doc="The cosine of an angle in radians.",
    example=("[0.0]", "[1.0]"),
)
tan = Op(
    "tan",
    shape=same,
    takes=floating,
    lower=complexes.tan,
    vjp=lambda g, y, x: (g * (1 + y * y),),
    operands=X,
    doc="The tangent of an angle in radians.",
    example=("[0.0]", "[0.0]"),
)
asin = Op(
    "asin",
    shape=same,
    takes=floating,
    lower=complexes.asin,
    vjp=lambda g, y, x: (g * rsqrt(1 - x * x),),
    operands=X,
    doc="The angle in [−π/2, π/2] whose sine is x; NaN outside of [−1, 1].",
    example=("[0.0]", "[0.0]"),
)
acos = Op(
    "acos",
    shape=same,
    takes=floating,
    lower=complexes.acos,
    vjp=lambda g, y, x: (-g * rsqrt(1 - x * x),),
    operands=X,
    doc="The angle in [0, π] whose cosine is x; NaN outside of [−1, 1].",
    example=("[1.0]", "[0.0]"),
)
atan = Op(
    "atan",
    shape=same,
    takes=floating,
    lower=complexes.atan,
    vjp=lambda g, y, x: (g / (1 + x * x),),
    operands=X,
    doc="The angle in [−π/2, π/2] whose tangent is x.",
    example=("[0.0]", "[0.0]"),
)
atan2 = Op(
    "atan2",
    shape=refusing("complex", rule=broadcast),
    takes=floating,
    lower=jnp.arctan2,
    vjp=lambda g, y, a, b: (g * b / (a * a + b * b), -g * a / (a * a + b * b)),
    operands=PAIR,
    doc="The angle in [−π, π] of the point with ordinate ``x1`` and abscissa ``x2``.",
    example=("[0.0]; [1.0]", "[0.0]"),
)
# ── hyperbolic ──────────────────────────────────────────────────────────────────────────────────────────────

sinh = Op(
    "sinh",
    shape=same,
    takes=floating,
    lower=complexes.sinh,
    vjp=lambda g, y, x: (g * cosh(x),),
    operands=X,
    doc="The hyperbolic sine (eˣ − e⁻ˣ) / 2.",
    example=("[0.0]", "[0.0]"),
)
cosh: Op = Op(
    "cosh",
    shape=same,
    takes=floating,
    lower=complexes.cosh,
    vjp=lambda g, y, x: (g * sinh(x),),
    operands=X,
    doc="The hyperbolic cosine (eˣ + e⁻ˣ) / 2.",
    example=("[0.0]", "[1.0]"),
)
tanh = Op(
    "tanh",
    shape=same,
    takes=floating,
    lower=complexes.tanh,
    vjp=lambda g, y, x: (g * (1 - y * y),),
    operands=X,
    doc="The hyperbolic tangent: from −1 to 1.",
    example=("[0.0]", "[0.0]"),
)
asinh = Op(
    "asinh",
    shape=same,
    takes=floating,
    lower=complexes.asinh,
    vjp=lambda g, y, x: (g * rsqrt(x * x + 1),),
    operands=X,
    doc="The number whose hyperbolic sine is x.",
    example=("[0.0]", "[0.0]"),
)
acosh = Op(
    "acosh",
    shape=same,
    takes=floating,
    lower=complexes.acosh,
    vjp=lambda g, y, x: (g * rsqrt(x - 1) * rsqrt(x + 1),),  # for complex x not that of the product
    operands=X,
    doc="The number whose hyperbolic cosine is x; NaN for real x below 1.",
    example=("[1.0]", "[0.0]"),
)
atanh = Op(
    "atanh",
    shape=same,
    takes=floating,
    lower=complexes.atanh,
    vjp=lambda g, y, x: (g / (1 - x * x),),
    operands=X,
    doc="The number whose hyperbolic tangent is x; NaN outside of [−1, 1].",
    example=("[0.0]", "[0.0]"),
)

# ── angles ──────────────────────────────────────────────────────────────────────────────────────────────────


def _real(x: Any, name: str) -> Any:
    x = tensor_like(x)
    if x.dtype.kind in ("bool", "complex"):
        raise DTypeError(f"{name} of a {x.dtype.name} tensor", expected="real numbers")
    return x


def deg2rad(x: Any, /) -> Any:
    """Degrees as radians: x · π / 180.

    >>> import weft as wf
    >>> from weft.ops.trigonometry import deg2rad
    >>> round(deg2rad(wf.tensor(180.0)).item(), 4)
    3.1416
    """
    return _real(x, "deg2rad") * (math.pi / 180)


def rad2deg(x: Any, /) -> Any:
    """Radians as degrees: x · 180 / π.

    >>> import weft as wf
    >>> from weft.ops.trigonometry import rad2deg
    >>> round(rad2deg(wf.tensor(wf.pi)).item(), 3)
    180.0
    """
    return _real(x, "rad2deg") * (180 / math.pi)


def angle(x: Any, /) -> Any:
    """The angle of each complex number in radians, in (−π, π]; π for negative real numbers.

    >>> import weft as wf
    >>> from weft.ops.trigonometry import angle
    >>> [round(a, 4) for a in angle(wf.tensor([1 + 1j, -1j])).tolist()]
    [0.7854, -1.5708]
    """
    x = tensor_like(x)
    if x.dtype.kind == "complex":
        return atan2(imag(x), real(x))
    x = x if x.dtype.is_floating else x.astype("float32")
    return where(x < 0, math.pi, where(isnan(x), x, 0.0))  # x says how many digits π has
