"""Arithmetic and functions of each element."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import DTypeError
from weft.graph.dtype import DType, complex64, complex128, dtype, float32, float64
from weft.graph.op import Op, alike, floating, set_conversions, unchanged
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax, special
from weft.ops.rules import broadcast, broadcast_shapes, refusing, same, truth

_REAL = {complex64: float32, complex128: float64}
_numbers = refusing("bool", rule=same)
_number_pair = refusing("bool", rule=broadcast)
_reals = refusing("bool", "complex", rule=same)
_real_pair = refusing("bool", "complex", rule=broadcast)


def _to(x: Spec, *, dtype: DType) -> Spec:
    if x.dtype.kind == "complex" and dtype.kind not in ("complex", "bool"):
        raise DTypeError(
            f"{x.dtype.name} as {dtype.name}, which would drop the imaginary part", cure="x.real, or wf.abs(x)"
        )
    return Spec(x.shape, dtype)


# ── conversion ──────────────────────────────────────────────────────────────────────────────────────────────

cast = Op(
    "cast",
    shape=_to,
    lower=lambda x, *, dtype: (x != 0) if dtype.kind == "bool" else x.astype(dtype.numpy),
    vjp=lambda g, y, x, *, dtype: (g,),
)

set_conversions(cast=lambda x, to: cast(x, dtype=to))

detach = Op("detach", shape=same, lower=lambda x: x)  # no rule: this is where gradients stop

# ── arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────

add = Op("add", shape=broadcast, lower=jnp.add, vjp=lambda g, y, a, b: (g, g))
subtract = Op("subtract", shape=_number_pair, lower=jnp.subtract, vjp=lambda g, y, a, b: (g, -g))
multiply = Op("multiply", shape=broadcast, lower=jnp.multiply, vjp=lambda g, y, a, b: (g * b, g * a))
divide = Op("divide", shape=broadcast, takes=floating, lower=jnp.divide, vjp=lambda g, y, a, b: (g / b, -g * y / b))
negative = Op("negative", shape=_numbers, lower=jnp.negative, vjp=lambda g, y, x: (-g,))
positive = Op("positive", shape=same, lower=lambda x: x, vjp=lambda g, y, x: (g,))
floor_divide = Op("floor_divide", shape=_real_pair, lower=jnp.floor_divide)
remainder = Op("remainder", shape=_real_pair, lower=jnp.remainder, vjp=lambda g, y, a, b: (g, -g * floor(a / b)))
reciprocal = Op("reciprocal", shape=same, takes=floating, lower=jnp.reciprocal, vjp=lambda g, y, x: (-g * y * y,))
square = Op("square", shape=_numbers, lower=jnp.square, vjp=lambda g, y, x: (2 * g * x,))


def _pow_vjp(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # At a = 0 the derivative by a is b·0^(b-1), which the formula gives, and that by b is 0, which log does not.
    safe = where(a == 0, 1, a)
    return g * b * pow(a, where(b == 0, 1, b) - 1), where(a == 0, 0, g * y * log(safe))


pow = Op("pow", shape=_number_pair, lower=jnp.power, vjp=_pow_vjp)


def _integer_pow(x: Spec, *, exponent: int) -> Spec:
    if exponent < 0 and x.dtype.is_integer:
        raise DTypeError(
            f"an {x.dtype.name} tensor to the power of {exponent}",
            expected="a floating type, as the result is not whole",
            cure="x.astype(wf.float32)",
        )
    return _numbers(x)


integer_pow: Op = Op(
    "integer_pow",
    shape=_integer_pow,
    lower=lambda x, *, exponent: lax.integer_pow(x, exponent),
    vjp=lambda g, y, x, *, exponent: (g * exponent * integer_pow(x, exponent=exponent - 1) if exponent else None,),
)

# ── exponentials and roots ──────────────────────────────────────────────────────────────────────────────────

exp = Op("exp", shape=same, takes=floating, lower=jnp.exp, vjp=lambda g, y, x: (g * y,))
expm1 = Op("expm1", shape=same, takes=floating, lower=jnp.expm1, vjp=lambda g, y, x: (g * (y + 1),))
exp2 = Op("exp2", shape=same, takes=floating, lower=jnp.exp2, vjp=lambda g, y, x: (g * y * math.log(2),))
log = Op("log", shape=same, takes=floating, lower=jnp.log, vjp=lambda g, y, x: (g / x,))
log1p = Op("log1p", shape=same, takes=floating, lower=jnp.log1p, vjp=lambda g, y, x: (g / (x + 1),))
log2 = Op("log2", shape=same, takes=floating, lower=jnp.log2, vjp=lambda g, y, x: (g / (x * math.log(2)),))
log10 = Op("log10", shape=same, takes=floating, lower=jnp.log10, vjp=lambda g, y, x: (g / (x * math.log(10)),))
sqrt = Op("sqrt", shape=same, takes=floating, lower=jnp.sqrt, vjp=lambda g, y, x: (g / (2 * y),))
rsqrt = Op("rsqrt", shape=same, takes=floating, lower=lax.rsqrt, vjp=lambda g, y, x: (g * y / (-2 * x),))
logaddexp = Op(
    "logaddexp",
    shape=broadcast,
    takes=floating,
    lower=jnp.logaddexp,
    vjp=lambda g, y, a, b: (g * exp(a - y), g * exp(b - y)),
)
hypot = Op(
    "hypot",
    shape=refusing("complex", rule=broadcast),
    takes=floating,
    lower=jnp.hypot,
    vjp=lambda g, y, a, b: (g * a / y, g * b / y),
)

# ── trigonometry ────────────────────────────────────────────────────────────────────────────────────────────

sin = Op("sin", shape=same, takes=floating, lower=jnp.sin, vjp=lambda g, y, x: (g * cos(x),))
cos: Op = Op("cos", shape=same, takes=floating, lower=jnp.cos, vjp=lambda g, y, x: (-g * sin(x),))
tan = Op("tan", shape=same, takes=floating, lower=jnp.tan, vjp=lambda g, y, x: (g * (1 + y * y),))
asin = Op("asin", shape=same, takes=floating, lower=jnp.arcsin, vjp=lambda g, y, x: (g * rsqrt(1 - x * x),))
acos = Op("acos", shape=same, takes=floating, lower=jnp.arccos, vjp=lambda g, y, x: (-g * rsqrt(1 - x * x),))
atan = Op("atan", shape=same, takes=floating, lower=jnp.arctan, vjp=lambda g, y, x: (g / (1 + x * x),))
atan2 = Op(
    "atan2",
    shape=broadcast,
    takes=floating,
    lower=jnp.arctan2,
    vjp=lambda g, y, a, b: (g * b / (a * a + b * b), -g * a / (a * a + b * b)),
)
sinh = Op("sinh", shape=same, takes=floating, lower=jnp.sinh, vjp=lambda g, y, x: (g * cosh(x),))
cosh: Op = Op("cosh", shape=same, takes=floating, lower=jnp.cosh, vjp=lambda g, y, x: (g * sinh(x),))
tanh = Op("tanh", shape=same, takes=floating, lower=jnp.tanh, vjp=lambda g, y, x: (g * (1 - y * y),))
asinh = Op("asinh", shape=same, takes=floating, lower=jnp.arcsinh, vjp=lambda g, y, x: (g * rsqrt(x * x + 1),))
acosh = Op("acosh", shape=same, takes=floating, lower=jnp.arccosh, vjp=lambda g, y, x: (g * rsqrt(x * x - 1),))
atanh = Op("atanh", shape=same, takes=floating, lower=jnp.arctanh, vjp=lambda g, y, x: (g / (1 - x * x),))

# ── what networks are made of ───────────────────────────────────────────────────────────────────────────────

sigmoid = Op("sigmoid", shape=same, takes=floating, lower=lambda x: _sigmoid(x), vjp=lambda g, y, x: (g * y * (1 - y),))
relu = Op("relu", shape=_reals, lower=lambda x: jnp.maximum(x, 0), vjp=lambda g, y, x: (where(x > 0, g, 0),))
softplus = Op(
    "softplus", shape=same, takes=floating, lower=lambda x: jnp.logaddexp(x, 0), vjp=lambda g, y, x: (g * sigmoid(x),)
)
erf = Op(
    "erf",
    shape=refusing("complex", rule=same),
    takes=floating,
    lower=special.erf,
    vjp=lambda g, y, x: (g * (2 / math.sqrt(math.pi)) * exp(-x * x),),
)


def _sigmoid(x: Any) -> Any:
    # tanh neither overflows nor divides; 1 / (1 + exp(-x)) does both at large negative x.
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


# ── size, sign and rounding ─────────────────────────────────────────────────────────────────────────────────


def _as_real(x: Spec) -> Spec:
    return Spec(x.shape, _REAL.get(x.dtype, x.dtype))


def _whole(name: str) -> Op:
    """A rounding, which leaves integers as they are."""
    rounded = getattr(jnp, name)
    return Op(name, shape=_reals, lower=lambda x: rounded(x) if dtype(x.dtype).is_floating else x)


abs = Op("abs", shape=_as_real, lower=jnp.abs, vjp=lambda g, y, x: (g * conj(sign(x)),))
sign: Op = Op("sign", shape=_numbers, lower=jnp.sign)
floor: Op = _whole("floor")
ceil: Op = _whole("ceil")
trunc: Op = _whole("trunc")
round = Op("round", shape=_numbers, lower=jnp.round)


def _share(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # Where the operands are equal, each takes half: the sub-gradient that treats them alike.
    share = where(a == b, 0.5, 1)
    return where(a == y, g * share, 0), where(b == y, g * share, 0)


maximum = Op("maximum", shape=broadcast, lower=jnp.maximum, vjp=_share)
minimum = Op("minimum", shape=broadcast, lower=jnp.minimum, vjp=_share)

# ── comparison and selection ────────────────────────────────────────────────────────────────────────────────

equal = Op("equal", shape=truth, lower=jnp.equal)
not_equal = Op("not_equal", shape=truth, lower=jnp.not_equal)
less = Op("less", shape=truth, lower=jnp.less)
less_equal = Op("less_equal", shape=truth, lower=jnp.less_equal)
greater = Op("greater", shape=truth, lower=jnp.greater)
greater_equal = Op("greater_equal", shape=truth, lower=jnp.greater_equal)
isnan = Op("isnan", shape=truth, lower=jnp.isnan)
isinf = Op("isinf", shape=truth, lower=jnp.isinf)
isfinite = Op("isfinite", shape=truth, lower=jnp.isfinite)
logical_and = Op("logical_and", shape=truth, lower=jnp.logical_and)
logical_or = Op("logical_or", shape=truth, lower=jnp.logical_or)
logical_xor = Op("logical_xor", shape=truth, lower=jnp.logical_xor)
logical_not = Op("logical_not", shape=truth, lower=jnp.logical_not)


def _where_takes(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    return (dtype(bool), *alike(kinds[1:]))


where: Op = Op(
    "where",
    shape=lambda condition, a, b: Spec(broadcast_shapes(condition.shape, a.shape, b.shape), a.dtype),
    takes=_where_takes,
    lower=jnp.where,
    vjp=lambda g, y, condition, a, b: (None, where(condition, g, 0), where(condition, 0, g)),
)


def _clip_vjp(g: Any, y: Any, x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    above, below = maximum(x, low) > high, x < low  # where high is below low, high wins
    return where(above | below, 0, g), where(below & ~above, g, 0), where(above, g, 0)


clip = Op("clip", shape=refusing("bool", "complex", rule=broadcast), lower=jnp.clip, vjp=_clip_vjp)

# ── bits ────────────────────────────────────────────────────────────────────────────────────────────────────

bitwise_and = Op("bitwise_and", shape=broadcast, lower=jnp.bitwise_and)
bitwise_or = Op("bitwise_or", shape=broadcast, lower=jnp.bitwise_or)
bitwise_xor = Op("bitwise_xor", shape=broadcast, lower=jnp.bitwise_xor)
bitwise_invert = Op("bitwise_invert", shape=same, lower=jnp.bitwise_not)
bitwise_left_shift = Op("bitwise_left_shift", shape=broadcast, lower=jnp.left_shift)
bitwise_right_shift = Op("bitwise_right_shift", shape=broadcast, lower=jnp.right_shift)

# ── complex numbers ─────────────────────────────────────────────────────────────────────────────────────────


real = Op("real", shape=_as_real, takes=unchanged, lower=jnp.real, vjp=lambda g, y, x: (g,))
imag = Op("imag", shape=_as_real, takes=unchanged, lower=jnp.imag, vjp=lambda g, y, x: (g * -1j,))
conj: Op = Op(
    "conj", shape=same, lower=lambda x: jnp.conj(x) if x.dtype.kind == "c" else x, vjp=lambda g, y, x: (conj(g),)
)

# ── the function that people call ───────────────────────────────────────────────────────────────────────────

_STATIC_EXPONENTS = (-2, -1, 1, 2, 3, 4)  # few enough that a new exponent is not a new program without end


def power(x: Any, exponent: Any, /) -> Any:
    """``x`` to the power of ``exponent``; small whole exponents multiply, others are arguments of the program."""
    if isinstance(exponent, int) and exponent in _STATIC_EXPONENTS and hasattr(x, "dtype"):
        if exponent == 2:
            return square(x)
        if exponent > 0 or x.dtype.is_differentiable:
            return integer_pow(x, exponent=exponent)
    return sqrt(x) if isinstance(exponent, float) and exponent == 0.5 else pow(x, exponent)
