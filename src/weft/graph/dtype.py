"""Data types and how they promote.

Two tensors promote as the Array API standard says; where the standard leaves a mix open (integer with
floating point), the floating type wins, as in PyTorch. A Python number is *weak*: it takes the tensor's type
unless its kind is higher, and then the default type of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

from weft.errors import DTypeError


@dataclass(frozen=True, eq=False, repr=False)
class DType:
    """The type of a tensor's elements, such as ``weft.float32``; equal only to itself."""

    name: str
    kind: str  # "bool", "uint", "int", "float" or "complex"
    bits: int
    numpy: Any = field(default=None)

    @property
    def is_floating(self) -> bool:
        return self.kind == "float"

    @property
    def is_differentiable(self) -> bool:
        """Whether a derivative with respect to such numbers means something."""
        return self.kind in ("float", "complex")

    @property
    def is_integer(self) -> bool:
        return self.kind in ("int", "uint")

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.numpy.itemsize)

    def __repr__(self) -> str:
        return f"weft.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (dtype, (self.name,))


def _declare(name: str, kind: str, bits: int) -> DType:
    return DType(name, kind, bits, np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name))


bool_ = _declare("bool", "bool", 8)
uint8, uint16, uint32, uint64 = (_declare(f"uint{bits}", "uint", bits) for bits in (8, 16, 32, 64))
int8, int16, int32, int64 = (_declare(f"int{bits}", "int", bits) for bits in (8, 16, 32, 64))
float16, float32, float64 = (_declare(f"float{bits}", "float", bits) for bits in (16, 32, 64))
bfloat16 = _declare("bfloat16", "float", 16)
complex64, complex128 = (_declare(f"complex{bits}", "complex", bits) for bits in (64, 128))

ALL = (
    bool_,
    uint8,
    uint16,
    uint32,
    uint64,
    int8,
    int16,
    int32,
    int64,
    float16,
    bfloat16,
    float32,
    float64,
    complex64,
    complex128,
)
_BY_NUMPY = {dtype.numpy: dtype for dtype in ALL}
_BY_NAME = {dtype.name: dtype for dtype in ALL}
_BY_PYTHON = {bool: bool_, int: int64, float: float32, complex: complex64}
_RANK = {"bool": 0, "uint": 1, "int": 1, "float": 2, "complex": 3}


def dtype(of: Any) -> DType:
    """The data type that ``of`` names: a `DType`, its name, a NumPy type, or a Python number type.

    >>> dtype("float32"), dtype(int)
    (weft.float32, weft.int64)
    """
    if isinstance(of, DType):
        return of
    if isinstance(of, type) and of in _BY_PYTHON:
        return _BY_PYTHON[of]
    if isinstance(of, str) and of in _BY_NAME:
        return _BY_NAME[of]
    try:
        return _BY_NUMPY[np.dtype(of) if of is not None else None]  # NumPy would take None for float64
    except (TypeError, KeyError):
        raise DTypeError(
            f"{of!r} is not a data type of tensors", expected="one of " + ", ".join(_BY_NAME), cure="dtype=wf.float32"
        ) from None


@cache
def promote(a: DType, b: DType) -> DType:
    """The type of a result of two tensors of types ``a`` and ``b``.

    >>> promote(int64, float32), promote(uint8, int8), promote(float16, bfloat16)
    (weft.float32, weft.int16, weft.float32)
    """
    if a is b:
        return a
    low, high = sorted((a, b), key=lambda t: (_RANK[t.kind], t.bits))
    if low.kind == high.kind:
        return float32 if {a, b} == {float16, bfloat16} else high
    if {low.kind, high.kind} == {"int", "uint"}:
        return _mixed_signs(a, b)
    if high.kind == "complex" and low is float64:
        return complex128
    return high


def _mixed_signs(a: DType, b: DType) -> DType:
    signed, unsigned = (a, b) if a.kind == "int" else (b, a)
    bits = max(signed.bits, 2 * unsigned.bits)
    if bits > 64:
        raise DTypeError(
            f"no integer type holds both {a.name} and {b.name}",
            expected="types with a common one, such as int64 with uint32",
            cure=f"x.astype(wf.{signed.name})",
        )
    return _BY_NAME[f"int{bits}"]


@cache
def promote_number(tensor: DType, number: type) -> DType:
    """The type of a result of a tensor and a Python number: the tensor's, unless the number's kind is higher.

    >>> promote_number(float16, float), promote_number(int32, float), promote_number(float64, complex)
    (weft.float16, weft.float32, weft.complex128)
    """
    weak = _BY_PYTHON[number]
    if _RANK[weak.kind] <= _RANK[tensor.kind]:
        return tensor
    return complex128 if weak.kind == "complex" and tensor is float64 else weak


_LIMITS = {t: range(-(2 ** (t.bits - 1)), 2 ** (t.bits - 1)) for t in ALL if t.kind == "int"}
_LIMITS |= {t: range(2**t.bits) for t in ALL if t.kind == "uint"}


def check_whole(value: int, to: DType) -> None:
    """Refuse a whole number that a tensor's integer type does not hold."""
    limits = _LIMITS.get(to)
    if limits is not None and value not in limits:
        raise DTypeError(
            f"the number {value} with a {to.name} tensor",
            expected=f"{limits.start} … {limits.stop - 1}",
            cure="x.astype(wf.int64)",
        )
