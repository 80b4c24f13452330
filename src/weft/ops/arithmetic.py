"""Arithmetic, size, sign and rounding."""

from __future__ import annotations

from typing import Any

from weft.graph.dtype import dtype
from weft.graph.function import zero_like
from weft.graph.op import Op, floating, tensor_like
from weft.ops.comparison import PAIR, X, greater, isnan, less, where
from weft.ops.complexes import size
from weft.ops.conversion import as_real, conj, real
from weft.ops.engine import jnp
from weft.ops.rules import broadcast, refusing, same

numbers = refusing("bool", rule=same)
_number_pair = refusing("bool", rule=broadcast)
reals = refusing("bool", "complex", rule=same)
real_pair = refusing("bool", "complex", rule=broadcast)
_float_pair = refusing("bool", "int", "uint", "complex", rule=broadcast)


def flat(g: Any, y: Any, *xs: Any) -> tuple[Any, ...]:
    """The gradient of what is constant but for jumps: zero, also at the jumps."""
    return tuple(zero_like(x.node) for x in xs)


# ── arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────

add = Op(
    "add",
    shape=broadcast,
    lower=jnp.add,
    vjp=lambda g, y, a, b: (g, g),
    exact="whole",
    operands=PAIR,
    doc="The sum x1 + x2; of truth values, whether either is true.",
    example=("[1, 2]; [10, 20]", "[11, 22]"),
)
subtract = Op(
    "subtract",
    shape=_number_pair,
    lower=jnp.subtract,
    vjp=lambda g, y, a, b: (g, -g),
    exact="whole",
    operands=PAIR,
    doc="The difference x1 − x2.",
    example=("[5, 7]; [1, 2]", "[4, 5]"),
)
multiply = Op(
    "multiply",
    shape=broadcast,
    lower=jnp.multiply,
    vjp=lambda g, y, a, b: (g * b, g * a),
    exact="whole",
    operands=PAIR,
    doc="The product x1 · x2, element by element.",
    example=("[2, 3]; [10, 10]", "[20, 30]"),
)
divide = Op(
    "divide",
    shape=broadcast,
    takes=floating,
    lower=jnp.divide,
    vjp=lambda g, y, a, b: (g / b, -g * y / b),
    operands=PAIR,
    doc="The quotient x1 / x2; integers become floating-point numbers.",
    example=("[1, 3]; [2, 2]", "[0.5, 1.5]"),
)
negative = Op(
    "negative",
    shape=numbers,
    lower=jnp.negative,
    vjp=lambda g, y, x: (-g,),
    exact="whole",
    operands=X,
    doc="−x.",
    example=("[1, -2]", "[-1, 2]"),
)
positive = Op(
    "positive",
    shape=numbers,
    lower=lambda x: x,
    vjp=lambda g, y, x: (g,),
    exact="moves",
    operands=X,
    doc="x itself.",
    example=("[1, -2]", "[1, -2]"),
)


def _floor_divide(a: Any, b: Any) -> Any:
    quotient = jnp.floor_divide(a, b)
    if not dtype(quotient.dtype).is_floating:
        return quotient
    # The standard's ∞ // b = ±∞ and a // ∞ = ±0, the floor of the quotient; Python's values there are NaN and −1.
    ratio = a / b
    return jnp.where(jnp.isinf(a) | jnp.isinf(b), jnp.floor(ratio), jnp.copysign(quotient, ratio))


def _remainder(a: Any, b: Any) -> Any:
    rest = jnp.remainder(a, b)
    return jnp.copysign(rest, b) if dtype(rest.dtype).is_floating else rest  # −0.0 for 0 % −1


floor_divide = Op(
    "floor_divide",
    shape=real_pair,
    lower=_floor_divide,
    vjp=flat,
    operands=PAIR,
    doc="⌊x1 / x2⌋: the quotient rounded down; its gradient is 0.",
    example=("[7, -7]; [2, 2]", "[3, -4]"),
)
remainder = Op(
    "remainder",
    shape=real_pair,
    lower=_remainder,
    vjp=lambda g, y, a, b: (g, -g * floor(a / b)),
    operands=PAIR,
    doc="x1 − x2 · ⌊x1 / x2⌋: what division leaves, with the sign of ``x2``.",
    example=("[7, -7]; [3, 3]", "[1, 2]"),
)
fmod = Op(
    "fmod",
    shape=real_pair,
    lower=jnp.fmod,
    vjp=lambda g, y, a, b: (g, -g * trunc(a / b)),
    operands=PAIR,
    doc="What division leaves, with the sign of ``x1``.",
    example=("[7.0, -7.0]; [3.0, 3.0]", "[1.0, -1.0]"),
)
reciprocal = Op(
    "reciprocal",
    shape=same,
    takes=floating,
    lower=jnp.reciprocal,
    vjp=lambda g, y, x: (-g * y * y,),
    operands=X,
    doc="1 / x.",
    example=("[2.0, 4.0]", "[0.5, 0.25]"),
)
square = Op(
    "square",
    shape=numbers,
    lower=jnp.square,
    vjp=lambda g, y, x: (2 * g * x,),
    exact="whole",
    operands=X,
    doc="x².",
    example=("[3.0, -2.0]", "[9.0, 4.0]"),
)

# ── size and sign ───────────────────────────────────────────────────────────────────────────────────────────

abs = Op(
    "abs",
    shape=refusing("bool", rule=as_real),
    lower=size,
    vjp=lambda g, y, x: (g * conj(sign(x)),),
    exact="whole",
    operands=X,
    doc="The size |x| of each element; its gradient at 0 is 0.",
    example=("[-2.0, 3.0]", "[2.0, 3.0]"),
)


def _sign_vjp(g: Any, y: Any, x: Any) -> tuple[Any]:
    if x.node.spec.dtype.kind != "complex":
        return (zero_like(x.node),)
    # s = x / |x| turns with x and does not grow: the part of g along s is lost.
    size = abs(x)
    return (where(size == 0, 0, (g - real(g * y) * conj(y)) / where(size == 0, 1, size)),)


sign: Op = Op(
    "sign",
    shape=numbers,
    lower=lambda x: jnp.sign(x) if dtype(x.dtype).is_integer else jnp.where(x == 0, 0, jnp.sign(x)),  # 0 for −0.0
    vjp=_sign_vjp,
    exact="whole",
    operands=X,
    doc="−1, 0 or 1 by the sign of each element, x / |x| for complex numbers; the gradient of real ones is 0.",
    example=("[-3.0, 0.0, 2.0]", "[-1.0, 0.0, 1.0]"),
)
copysign = Op(
    "copysign",
    shape=_float_pair,
    lower=jnp.copysign,
    vjp=lambda g, y, a, b: (g * where(a == 0, 0, sign(a) * sign(y)), zero_like(b.node)),
    operands=PAIR,
    doc="The size of ``x1`` with the sign of ``x2`` (also that of −0.0).",
    example=("[1.0, 2.0]; [-3.0, 3.0]", "[-1.0, 2.0]"),
)
nextafter = Op(
    "nextafter",
    shape=_float_pair,
    lower=jnp.nextafter,
    vjp=lambda g, y, a, b: (g, zero_like(b.node)),
    operands=PAIR,
    doc="The floating-point number after ``x1`` in the direction of ``x2``.",
    example=("[0.0]; [0.0]", "[0.0]"),
)


def _share(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # Where the operands are equal, each takes half: the sub-gradient that treats them alike.
    share = where(a == b, 0.5, 1)
    return where(a == y, g * share, 0), where(b == y, g * share, 0)


_order_pair = refusing("complex", rule=broadcast)
maximum = Op(
    "maximum",
    shape=_order_pair,
    lower=jnp.maximum,
    vjp=_share,
    exact="whole",
    operands=PAIR,
    doc="The larger of x1 and x2, NaN if either is; where they are equal each takes half of the gradient.",
    example=("[1, 5]; [3, 2]", "[3, 5]"),
)
minimum = Op(
    "minimum",
    shape=_order_pair,
    lower=jnp.minimum,
    vjp=_share,
    exact="whole",
    operands=PAIR,
    doc="The smaller of x1 and x2, NaN if either is; where they are equal each takes half of the gradient.",
    example=("[1, 5]; [3, 2]", "[1, 2]"),
)


def _clip_vjp(g: Any, y: Any, x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    above, below = maximum(x, low) > high, x < low  # where high is below low, high wins
    return where(above | below, 0, g), where(below & ~above, g, 0), where(above, g, 0)


gcd = Op(
    "gcd",
    shape=refusing("bool", "float", "complex", rule=broadcast),
    lower=jnp.gcd,
    operands=PAIR,
    doc="The greatest common divisor of whole numbers.",
    example=("[12, 7]; [18, 3]", "[6, 1]"),
)
lcm = Op(
    "lcm",
    shape=refusing("bool", "float", "complex", rule=broadcast),
    lower=jnp.lcm,
    operands=PAIR,
    doc="The least common multiple of whole numbers.",
    example=("[4, 3]; [6, 5]", "[12, 15]"),
)

clip_op = Op("clip", shape=refusing("bool", "complex", rule=broadcast), lower=jnp.clip, vjp=_clip_vjp, exact="whole")


def _passed(beyond: Any, bound: Any) -> Any:
    """Where the bound replaces x: where x is ``beyond`` it, and where it is NaN."""
    known = isinstance(bound, (int, float)) and bound == bound
    return beyond if known else beyond | isnan(bound)


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """``x`` with what is below ``min`` or above ``max`` brought to that bound; either may be left out.
    Where a bound is NaN so is the result.

    The gradient goes to ``x`` where it lies between the bounds or on one of them, else to the bound.

    >>> import weft as wf
    >>> wf.clip(wf.tensor([-2, 1, 5]), 0, 3).tolist()
    [0, 1, 3]
    """
    x = tensor_like(x)
    if min is not None and max is not None:
        return clip_op(x, min, max)
    if min is not None:
        return where(_passed(less(x, min), min), min, x)
    return positive(x) if max is None else where(_passed(greater(x, max), max), max, x)


def heaviside(x1: Any, x2: Any, /) -> Any:
    """The step from 0 to 1: 0 where x1 < 0, 1 where x1 > 0, and ``x2`` where x1 is 0; its gradient by ``x1`` is 0.

    >>> import weft as wf
    >>> from weft.ops.arithmetic import heaviside
    >>> heaviside(wf.tensor([-2.0, 0.0, 3.0]), 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    x = tensor_like(x1)
    return where(x == 0, x2, where(x != x, x, where(x > 0, 1, 0)))


# ── rounding ────────────────────────────────────────────────────────────────────────────────────────────────


def _rounding(name: str, doc: str, example: tuple[str, str]) -> Op:
    """A rounding to whole numbers, which leaves integers as they are; its gradient is 0."""
    rounded = getattr(jnp, name)
    return Op(
        name,
        shape=reals,
        lower=lambda x: rounded(x) if dtype(x.dtype).is_floating else x,
        vjp=flat,
        exact="whole",
        operands=X,
        doc=doc + "; its gradient is 0.",
        example=example,
    )


floor: Op = _rounding("floor", "⌊x⌋: the largest whole number that is not above x", ("[1.8, -1.2]", "[1.0, -2.0]"))
ceil: Op = _rounding("ceil", "⌈x⌉: the smallest whole number that is not below x", ("[1.2, -1.2]", "[2.0, -1.0]"))
trunc: Op = _rounding("trunc", "x without its digits after the point", ("[1.8, -1.8]", "[1.0, -1.0]"))
round: Op = Op(
    "round",
    shape=numbers,
    lower=lambda x: x if dtype(x.dtype).is_integer else jnp.round(x),
    vjp=flat,
    exact="whole",
    operands=X,
    doc="The nearest whole number, the even one of two; its gradient is 0.",
    example=("[0.5, 1.5, 2.6]", "[0.0, 2.0, 3.0]"),
)
