"""Powers, exponentials, logarithms, and the curves that networks make of them."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import DTypeError
from weft.graph.op import Op, floating, tensor_like
from weft.graph.spec import Spec
from weft.ops import complexes
from weft.ops.arithmetic import abs, numbers, reals, square
from weft.ops.comparison import PAIR, X, where
from weft.ops.engine import jnp, lax, special
from weft.ops.rules import broadcast, refusing, same

# ── powers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _pow_vjp(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # At a = 0 the derivative by a is b·0^(b-1), which the formula gives, and that by b is 0, which log does not.
    safe = where(a == 0, 1, a)
    return g * b * pow(a, where(b == 0, 1, b) - 1), where(a == 0, 0, g * y * log(safe))


pow = Op("pow", shape=refusing("bool", rule=broadcast), lower=jnp.power, vjp=_pow_vjp)


def _integer_pow(x: Spec, *, exponent: int) -> Spec:
    if exponent < 0 and x.dtype.is_integer:
        raise DTypeError(
            f"an {x.dtype.name} tensor to the power of {exponent}",
            expected="a floating type, as the result is not whole",
            cure="x.astype(wf.float32)",
        )
    return numbers(x)


integer_pow: Op = Op(
    "integer_pow",
    shape=_integer_pow,
    lower=lambda x, *, exponent: lax.integer_pow(x, exponent),
    vjp=lambda g, y, x, *, exponent: (g * exponent * integer_pow(x, exponent=exponent - 1) if exponent else None,),
)
sqrt = Op(
    "sqrt",
    shape=same,
    takes=floating,
    lower=complexes.sqrt,
    vjp=lambda g, y, x: (g / (2 * y),),
    operands=X,
    doc="√x; NaN for negative real numbers.",
    example=("[4.0, 9.0]", "[2.0, 3.0]"),
)
rsqrt = Op(
    "rsqrt",
    shape=same,
    takes=floating,
    lower=lax.rsqrt,
    vjp=lambda g, y, x: (g * y / (-2 * x),),
    operands=X,
    doc="1 / √x.",
    example=("[4.0]", "[0.5]"),
)
cbrt = Op(
    "cbrt",
    shape=refusing("complex", rule=same),
    takes=floating,
    lower=jnp.cbrt,
    vjp=lambda g, y, x: (g / (3 * y * y),),
    operands=X,
    doc="The cube root, with the sign of x.",
    example=("[8.0]", "[2.0]"),
)
hypot = Op(
    "hypot",
    shape=refusing("complex", rule=broadcast),
    takes=floating,
    lower=jnp.hypot,
    vjp=lambda g, y, a, b: (g * a / y, g * b / y),
    operands=PAIR,
    doc="√(x1² + x2²), without overflow.",
    example=("[3.0]; [4.0]", "[5.0]"),
)

# ── exponentials and logarithms ─────────────────────────────────────────────────────────────────────────────

exp = Op(
    "exp",
    shape=same,
    takes=floating,
    lower=complexes.exp,
    vjp=lambda g, y, x: (g * y,),
    operands=X,
    doc="e to the power x.",
    example=("[0.0]", "[1.0]"),
)
expm1 = Op(
    "expm1",
    shape=same,
    takes=floating,
    lower=complexes.expm1,
    vjp=lambda g, y, x: (g * (y + 1),),
    operands=X,
    doc="eˣ − 1, exact near 0.",
    example=("[0.0]", "[0.0]"),
)
exp2 = Op(
    "exp2",
    shape=same,
    takes=floating,
    lower=jnp.exp2,
    vjp=lambda g, y, x: (g * y * math.log(2),),
    operands=X,
    doc="2 to the power x.",
    example=("[0.0, 3.0]", "[1.0, 8.0]"),
)
log = Op(
    "log",
    shape=same,
    takes=floating,
    lower=complexes.log,
    vjp=lambda g, y, x: (g / x,),
    operands=X,
    doc="The natural logarithm; −∞ at 0, NaN for negative real numbers.",
    example=("[1.0]", "[0.0]"),
)
log1p = Op(
    "log1p",
    shape=same,
    takes=floating,
    lower=complexes.log1p,
    vjp=lambda g, y, x: (g / (x + 1),),
    operands=X,
    doc="log(1 + x), exact near 0.",
    example=("[0.0]", "[0.0]"),
)
log2 = Op(
    "log2",
    shape=same,
    takes=floating,
    lower=complexes.log2,
    vjp=lambda g, y, x: (g / (x * math.log(2)),),
    operands=X,
    doc="The logarithm to base 2.",
    example=("[8.0]", "[3.0]"),
)
log10 = Op(
    "log10",
    shape=same,
    takes=floating,
    lower=complexes.log10,
    vjp=lambda g, y, x: (g / (x * math.log(10)),),
    operands=X,
    doc="The logarithm to base 10.",
    example=("[1.0]", "[0.0]"),
)


def _logaddexp_vjp(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # Two that are equally infinite share; a − y would be NaN.
    same_infinity = (a == b) & (abs(a) == math.inf)
    first, second = (g * where(same_infinity, 0.5, exp(where(x == y, 0, x - y))) for x in (a, b))
    return first, second


logaddexp = Op(
    "logaddexp",
    shape=refusing("complex", rule=broadcast),
    takes=floating,
    lower=jnp.logaddexp,
    vjp=_logaddexp_vjp,
    operands=PAIR,
    doc="log(exp(x1) + exp(x2)), without overflow.",
    example=("[float('-inf')]; [2.0]", "[2.0]"),
)

# ── the curves that networks are made of ────────────────────────────────────────────────────────────────────


def _sigmoid_lower(x: Any) -> Any:
    # In float16 e⁻ˣ overflows from −11 on, where the result is still a number.
    wide = x.astype("float32") if x.dtype == "float16" else x
    return lax.logistic(wide).astype(x.dtype)


sigmoid = Op(
    "sigmoid",
    shape=same,
    takes=floating,
    lower=_sigmoid_lower,
    vjp=lambda g, y, x: (g * y * (1 - y),),
    operands=X,
    doc="1 / (1 + e⁻ˣ): from 0 to 1.",
    example=("[0.0]", "[0.5]"),
)
relu = Op(
    "relu",
    shape=reals,
    lower=lambda x: jnp.maximum(x, 0),
    vjp=lambda g, y, x: (where(x > 0, g, 0),),
    operands=X,
    doc="max(x, 0); its gradient at 0 is 0.",
    example=("[-1.0, 2.0]", "[0.0, 2.0]"),
)
softplus = Op(
    "softplus",
    shape=same,
    takes=floating,
    lower=lambda x: jnp.logaddexp(x, 0),
    vjp=lambda g, y, x: (g * sigmoid(x),),
    operands=X,
    doc="log(1 + eˣ): a smooth max(x, 0).",
    example=("[0.0]", "[0.6931...]"),
)
erf = Op(
    "erf",
    shape=refusing("complex", rule=same),
    takes=floating,
    lower=special.erf,
    vjp=lambda g, y, x: (g * (2 / math.sqrt(math.pi)) * exp(-x * x),),
    operands=X,
    doc="The error function 2/√π ∫₀ˣ exp(−t²) dt.",
    example=("[0.0]", "[0.0]"),
)

# ── the function that people call ───────────────────────────────────────────────────────────────────────────

_STATIC_EXPONENTS = (-2, -1, 1, 2, 3, 4)  # few enough that a new exponent is not a new program without end


def power(x1: Any, x2: Any, /) -> Any:
    """``x1`` to the power of ``x2``; small whole exponents multiply, others are arguments of the program.

    >>> import weft as wf
    >>> wf.pow(wf.tensor([1.0, 2.0, 3.0]), 2).tolist()
    [1.0, 4.0, 9.0]
    """
    if type(x2) is int and x2 in _STATIC_EXPONENTS and hasattr(x1, "dtype"):
        if x2 == 2:
            return square(x1)
        if x2 > 0 or x1.dtype.is_differentiable:
            return integer_pow(x1, exponent=x2)
    return sqrt(x1) if type(x2) is float and x2 == 0.5 and hasattr(x1, "dtype") else pow(x1, x2)


def logaddexp2(x1: Any, x2: Any, /) -> Any:
    """log₂(2^x1 + 2^x2), without overflow.

    >>> import weft as wf
    >>> from weft.ops.exponential import logaddexp2
    >>> logaddexp2(wf.tensor(3.0), wf.tensor(3.0)).item()
    4.0
    """
    a, b = (x if x.dtype.is_differentiable else x.astype("float32") for x in map(tensor_like, (x1, x2)))
    return logaddexp(a * math.log(2), b * math.log(2)) / math.log(2)


def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1 · 2^x2.

    >>> import weft as wf
    >>> from weft.ops.exponential import ldexp
    >>> ldexp(wf.tensor(3.0), wf.tensor(2)).item()
    12.0
    """
    return tensor_like(x1) * exp2(x2)
