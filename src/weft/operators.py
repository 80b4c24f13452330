"""Python's operators and the functions that are also methods: what a tensor has because ops exist."""

from __future__ import annotations

from typing import Any

from weft.graph.node import Handle
from weft.graph.op import operand
from weft.ops import elementwise, indexing, linalg, reduction
from weft.ops import shape as shaping


class Operators(Handle):
    """The part of a tensor that only passes on to ops."""

    __slots__ = ()
    __hash__ = object.__hash__

    # ── operators ───────────────────────────────────────────────────────────────────────────────────────────

    def __add__(self, other: Any) -> Any:
        return elementwise.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return elementwise.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return elementwise.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return elementwise.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return elementwise.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return elementwise.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return elementwise.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return elementwise.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return elementwise.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return elementwise.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return elementwise.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return elementwise.remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return elementwise.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return elementwise.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return linalg.matmul(self, operand(other))

    def __rmatmul__(self, other: Any) -> Any:
        return linalg.matmul(operand(other), self)

    def __neg__(self) -> Any:
        return elementwise.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return elementwise.abs(self)

    def __invert__(self) -> Any:
        return (elementwise.logical_not if self.node.spec.dtype.kind == "bool" else elementwise.bitwise_invert)(self)

    def __and__(self, other: Any) -> Any:
        return elementwise.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return elementwise.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return elementwise.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __eq__(self, other: object) -> Any:
        return elementwise.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return elementwise.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return elementwise.less(self, other)

    def __le__(self, other: Any) -> Any:
        return elementwise.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return elementwise.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return elementwise.greater_equal(self, other)

    def __getitem__(self, key: Any) -> Any:
        return indexing.getitem(self, key)

    # ── functions as methods ────────────────────────────────────────────────────────────────────────────────

    def reshape(self, *sizes: Any) -> Any:
        return shaping.reshape(self, sizes[0] if len(sizes) == 1 else sizes)

    def permute_dims(self, *axes: Any) -> Any:
        return shaping.permute_dims(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes)

    sum, mean, prod, var, std = reduction.sum, reduction.mean, reduction.prod, reduction.var, reduction.std
    max, min, any, all = reduction.max, reduction.min, reduction.any, reduction.all
    argmax, argmin, argsort = reduction.argmax, reduction.argmin, reduction.argsort
    cumulative_sum, logsumexp = reduction.cumulative_sum, reduction.logsumexp
    flatten, squeeze, flip, broadcast_to = shaping.flatten, shaping.squeeze, shaping.flip, shaping.broadcast_to
    expand_dims, moveaxis, roll, repeat = shaping.expand_dims, shaping.moveaxis, shaping.roll, shaping.repeat

    def exp(self) -> Any:
        return elementwise.exp(self)

    def log(self) -> Any:
        return elementwise.log(self)

    def sqrt(self) -> Any:
        return elementwise.sqrt(self)

    def abs(self) -> Any:
        return elementwise.abs(self)

    def round(self) -> Any:
        return elementwise.round(self)
