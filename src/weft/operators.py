"""Python's operators: what a tensor has because ops exist."""

from __future__ import annotations

from typing import Any

from weft.graph.node import Handle
from weft.graph.op import tensor_like
from weft.ops import arithmetic, comparison, exponential, linalg, subscript


class Operators(Handle):
    """The part of a tensor that only passes on to ops; in-place operators are in `weft.tensor`, where names live."""

    __slots__ = ()
    __hash__ = object.__hash__

    # ── operators ───────────────────────────────────────────────────────────────────────────────────────────

    def __add__(self, other: Any) -> Any:
        return arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return arithmetic.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return arithmetic.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return arithmetic.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return arithmetic.remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return exponential.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return exponential.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return linalg.matmul(self, tensor_like(other))

    def __rmatmul__(self, other: Any) -> Any:
        return linalg.matmul(tensor_like(other), self)

    def __neg__(self) -> Any:
        return arithmetic.negative(self)

    def __pos__(self) -> Any:
        return arithmetic.positive(self)

    def __abs__(self) -> Any:
        return arithmetic.abs(self)

    def __invert__(self) -> Any:
        return comparison.bitwise_invert(self)

    def __lshift__(self, other: Any) -> Any:
        return comparison.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return comparison.bitwise_left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return comparison.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return comparison.bitwise_right_shift(other, self)

    def __divmod__(self, other: Any) -> Any:
        return arithmetic.floor_divide(self, other), arithmetic.remainder(self, other)

    def __and__(self, other: Any) -> Any:
        return comparison.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return comparison.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return comparison.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __eq__(self, other: object) -> Any:
        return comparison.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return comparison.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return comparison.less(self, other)

    def __le__(self, other: Any) -> Any:
        return comparison.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return comparison.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return comparison.greater_equal(self, other)

    def __getitem__(self, key: Any) -> Any:
        return subscript.getitem(self, key)
