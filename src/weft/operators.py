"""Python's operators: what a tensor has because ops exist."""

from __future__ import annotations

from typing import Any

from weft.graph.node import Handle
from weft.graph.op import tensor_like
from weft.ops import arithmetic, comparison, exponential, linalg, subscript

# Bound once: an operator is the commonest way to record, and each look-up costs a twentieth of it.
_abs = arithmetic.abs.__call__
_add = arithmetic.add.__call__
_divide = arithmetic.divide.__call__
_floor_divide = arithmetic.floor_divide.__call__
_multiply = arithmetic.multiply.__call__
_negative = arithmetic.negative.__call__
_positive = arithmetic.positive.__call__
_remainder = arithmetic.remainder.__call__
_subtract = arithmetic.subtract.__call__
_bitwise_and = comparison.bitwise_and.__call__
_bitwise_invert = comparison.bitwise_invert.__call__
_bitwise_left_shift = comparison.bitwise_left_shift.__call__
_bitwise_or = comparison.bitwise_or.__call__
_bitwise_right_shift = comparison.bitwise_right_shift.__call__
_bitwise_xor = comparison.bitwise_xor.__call__
_equal = comparison.equal.__call__
_greater = comparison.greater.__call__
_greater_equal = comparison.greater_equal.__call__
_less = comparison.less.__call__
_less_equal = comparison.less_equal.__call__
_not_equal = comparison.not_equal.__call__


class Operators(Handle):
    """The part of a tensor that only passes on to ops; in-place operators are in `weft.tensor`, where names live."""

    __slots__ = ()
    __hash__ = object.__hash__

    # ── operators ───────────────────────────────────────────────────────────────────────────────────────────

    def __add__(self, other: Any) -> Any:
        return _add(self, other)

    def __radd__(self, other: Any) -> Any:
        return _add(other, self)

    def __sub__(self, other: Any) -> Any:
        return _subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return _multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return _remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return exponential.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return exponential.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return linalg.matmul(self, tensor_like(other))

    def __rmatmul__(self, other: Any) -> Any:
        return linalg.matmul(tensor_like(other), self)

    def __neg__(self) -> Any:
        return _negative(self)

    def __pos__(self) -> Any:
        return _positive(self)

    def __abs__(self) -> Any:
        return _abs(self)

    def __invert__(self) -> Any:
        return _bitwise_invert(self)

    def __lshift__(self, other: Any) -> Any:
        return _bitwise_left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return _bitwise_left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return _bitwise_right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return _bitwise_right_shift(other, self)

    def __divmod__(self, other: Any) -> Any:
        return _floor_divide(self, other), _remainder(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return _floor_divide(other, self), _remainder(other, self)

    def __and__(self, other: Any) -> Any:
        return _bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return _bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return _bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __eq__(self, other: object) -> Any:
        return _equal(self, other)

    def __ne__(self, other: object) -> Any:
        return _not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return _less(self, other)

    def __le__(self, other: Any) -> Any:
        return _less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return _greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return _greater_equal(self, other)

    def __getitem__(self, key: Any) -> Any:
        return subscript.getitem(self, key)
