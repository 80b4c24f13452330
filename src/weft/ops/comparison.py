"""Comparison, logic, selection and bits: what asks about elements."""

from __future__ import annotations

from weft.graph.dtype import bool_
from weft.graph.op import Casts, Kind, Op, alike
from weft.graph.spec import Spec
from weft.ops.engine import jnp
from weft.ops.rules import broadcast, broadcast_shapes, refusing, same, truth

X, PAIR = "x", "x1 x2"  # the standard's names of operands
_ordered = refusing("complex", rule=truth)  # complex numbers have no order

# ── comparison ──────────────────────────────────────────────────────────────────────────────────────────────

equal = Op(
    "equal",
    shape=truth,
    lower=jnp.equal,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 = x2, element by element; NaN equals nothing.",
    example=("[1, 2]; [1, 3]", "[True, False]"),
)
not_equal = Op(
    "not_equal",
    shape=truth,
    lower=jnp.not_equal,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 ≠ x2, element by element.",
    example=("[1, 2]; [1, 3]", "[False, True]"),
)
less = Op(
    "less",
    shape=_ordered,
    lower=jnp.less,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 < x2, element by element.",
    example=("[1, 2]; [2, 2]", "[True, False]"),
)
less_equal = Op(
    "less_equal",
    shape=_ordered,
    lower=jnp.less_equal,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 ≤ x2, element by element.",
    example=("[1, 3]; [1, 2]", "[True, False]"),
)
greater = Op(
    "greater",
    shape=_ordered,
    lower=jnp.greater,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 > x2, element by element.",
    example=("[1, 2]; [1, 1]", "[False, True]"),
)
greater_equal = Op(
    "greater_equal",
    shape=_ordered,
    lower=jnp.greater_equal,
    exact="whole",
    operands=PAIR,
    doc="Whether x1 ≥ x2, element by element.",
    example=("[1, 0]; [1, 1]", "[True, False]"),
)
isnan = Op(
    "isnan",
    shape=truth,
    lower=jnp.isnan,
    exact="moves",
    operands=X,
    doc="Whether each element is not a number.",
    example=("[1.0, float('nan')]", "[False, True]"),
)
isinf = Op(
    "isinf",
    shape=truth,
    lower=jnp.isinf,
    exact="moves",
    operands=X,
    doc="Whether each element is infinite.",
    example=("[1.0, float('inf')]", "[False, True]"),
)
isfinite = Op(
    "isfinite",
    shape=truth,
    lower=jnp.isfinite,
    exact="moves",
    operands=X,
    doc="Whether each element is neither infinite nor NaN.",
    example=("[1.0, float('inf')]", "[True, False]"),
)
signbit = Op(
    "signbit",
    shape=refusing("bool", "int", "uint", "complex", rule=truth),
    lower=jnp.signbit,
    operands=X,
    doc="Whether the sign bit of each element is set: true for −0.0 as well.",
    example=("[-1.0, 0.0]", "[True, False]"),
)

# ── logic ───────────────────────────────────────────────────────────────────────────────────────────────────

logical_and = Op(
    "logical_and",
    shape=truth,
    lower=jnp.logical_and,
    exact="whole",
    operands=PAIR,
    doc="Whether both elements are true (not zero).",
    example=("[True, True]; [True, False]", "[True, False]"),
)
logical_or = Op(
    "logical_or",
    shape=truth,
    lower=jnp.logical_or,
    exact="whole",
    operands=PAIR,
    doc="Whether either element is true (not zero).",
    example=("[True, False]; [False, False]", "[True, False]"),
)
logical_xor = Op(
    "logical_xor",
    shape=truth,
    lower=jnp.logical_xor,
    exact="whole",
    operands=PAIR,
    doc="Whether exactly one of the two elements is true (not zero).",
    example=("[True, True]; [True, False]", "[False, True]"),
)
logical_not = Op(
    "logical_not",
    shape=truth,
    lower=jnp.logical_not,
    exact="whole",
    operands=X,
    doc="Whether each element is false (zero).",
    example=("[True, False]", "[False, True]"),
)

# ── selection ───────────────────────────────────────────────────────────────────────────────────────────────


def _where_takes(kinds: tuple[Kind, ...]) -> Casts:
    return (bool_, *alike(kinds[1:]))


where: Op = Op(
    "where",
    shape=lambda condition, a, b: Spec(broadcast_shapes(condition.shape, a.shape, b.shape), a.dtype),
    takes=_where_takes,
    lower=jnp.where,
    vjp=lambda g, y, condition, a, b: (None, where(condition, g, 0), where(condition, 0, g)),
    exact="moves",
    operands="condition x1 x2",
    doc="The element of ``x1`` where ``condition`` is true, else that of ``x2``.",
    example=("[True, False]; [1, 2]; [10, 20]", "[1, 20]"),
)

# ── bits ────────────────────────────────────────────────────────────────────────────────────────────────────

_bits = refusing("float", "complex", rule=broadcast)
_shifts = refusing("bool", "float", "complex", rule=broadcast)

bitwise_and = Op(
    "bitwise_and",
    shape=_bits,
    lower=jnp.bitwise_and,
    exact="whole",
    operands=PAIR,
    doc="The bits set in both.",
    example=("[6]; [3]", "[2]"),
)
bitwise_or = Op(
    "bitwise_or",
    shape=_bits,
    lower=jnp.bitwise_or,
    exact="whole",
    operands=PAIR,
    doc="The bits set in either.",
    example=("[6]; [3]", "[7]"),
)
bitwise_xor = Op(
    "bitwise_xor",
    shape=_bits,
    lower=jnp.bitwise_xor,
    exact="whole",
    operands=PAIR,
    doc="The bits set in one only.",
    example=("[6]; [3]", "[5]"),
)
bitwise_invert = Op(
    "bitwise_invert",
    shape=refusing("float", "complex", rule=same),
    lower=jnp.bitwise_not,
    exact="whole",
    operands=X,
    doc="Each bit of each element turned over.",
    example=("[0, 5]", "[-1, -6]"),
)
bitwise_left_shift = Op(
    "bitwise_left_shift",
    shape=_shifts,
    lower=jnp.left_shift,
    operands=PAIR,
    doc="The bits of ``x1`` moved up by ``x2`` places: x1 · 2^x2.",
    example=("[1, 3]; [2, 1]", "[4, 6]"),
)
bitwise_right_shift = Op(
    "bitwise_right_shift",
    shape=_shifts,
    lower=jnp.right_shift,
    operands=PAIR,
    doc="The bits of ``x1`` moved down by ``x2`` places, keeping the sign: ⌊x1 / 2^x2⌋.",
    example=("[8, 5]; [2, 1]", "[2, 2]"),
)
