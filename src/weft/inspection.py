"""Questions about data types and about the library itself, as the Array API standard asks them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import ml_dtypes

from weft.errors import ArgumentError, DTypeError
from weft.graph.dtype import ALL, DType, dtype, promote, promote_number
from weft.graph.node import Handle
from weft.graph.op import tensor_like
from weft.runtime import devices

_NUMBERS = (bool, int, float, complex)
_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int",),
    "unsigned integer": ("uint",),
    "integral": ("int", "uint"),
    "real floating": ("float",),
    "complex floating": ("complex",),
    "numeric": ("int", "uint", "float", "complex"),
}


@dataclass(frozen=True)
class FloatInfo:
    """The limits of a floating-point type; of a complex one, those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """The limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: DType


def _type_of(of: Any) -> DType:
    return of.node.spec.dtype if isinstance(of, Handle) else dtype(of)


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating-point type: bits, eps, max, min, smallest_normal.

    >>> import weft as wf
    >>> wf.finfo(wf.float32).bits, wf.finfo(wf.float16).max
    (32, 65504.0)
    """
    found = _type_of(type)
    if not found.is_differentiable:
        raise DTypeError(f"finfo of {found.name}", expected="a floating-point type", cure="wf.iinfo")
    real = dtype(f"float{found.bits // 2}") if found.kind == "complex" else found
    limits = ml_dtypes.finfo(real.numpy)
    eps, high, low, normal = map(float, (limits.eps, limits.max, limits.min, limits.smallest_normal))
    return FloatInfo(real.bits, eps, high, low, normal, real)


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer type: bits, max, min.

    >>> import weft as wf
    >>> wf.iinfo(wf.int8).min
    -128
    """
    found = _type_of(type)
    if not found.is_integer:
        raise DTypeError(f"iinfo of {found.name}", expected="an integer type", cure="wf.finfo")
    bits = found.bits - (found.kind == "int")
    return IntegerInfo(found.bits, 2**bits - 1, -(2**bits) if found.kind == "int" else 0, found)


def isdtype(dtype: DType, kind: Any) -> bool:
    """Whether a data type is of a kind: "bool", "integral", "real floating", …, a type, or one of a tuple of these.

    >>> import weft as wf
    >>> wf.isdtype(wf.float32, "real floating"), wf.isdtype(wf.int8, ("bool", wf.int16))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, DType):
        return dtype is kind
    if kind not in _KINDS:
        raise ArgumentError(f"isdtype of the kind {kind!r}", expected="a data type, or one of " + ", ".join(_KINDS))
    return dtype.kind in _KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The type to which tensors, types and Python numbers promote together.

    >>> import weft as wf
    >>> wf.result_type(wf.int8, wf.uint8), wf.result_type(wf.float16, 1.5)
    (weft.int16, weft.float16)
    """
    numbers: list[Any] = [type(x) for x in arrays_and_dtypes if type(x) in _NUMBERS]
    types = [_type_of(x) for x in arrays_and_dtypes if type(x) not in _NUMBERS]
    if not types:
        raise ArgumentError("result_type without a tensor or a data type", expected="at least one")
    found = reduce(promote, types)
    for number in numbers:
        found = promote_number(found, number)
    return found


def can_cast(from_: Any, to: DType, /) -> bool:
    """Whether promotion can lead from one type (or a tensor's) to another.

    >>> import weft as wf
    >>> wf.can_cast(wf.int8, wf.int32), wf.can_cast(wf.float32, wf.int32)
    (True, False)
    """
    source, target = _type_of(from_), dtype(to)
    try:
        return promote(source, target) is target
    except DTypeError:
        return False


def astype(x: Any, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Any:
    """``x`` in another data type, as a tensor of its own unless ``copy=False`` and ``x`` has that type already.

    >>> import weft as wf
    >>> wf.astype(wf.tensor([1.7, -1.7]), wf.int64).tolist()
    [1, -1]
    """
    made: Any = tensor_like(x).astype(dtype)
    made = made if device is None else made.to_device(device)
    return made.copy() if copy and made is x else made


class NamespaceInfo:
    """What the standard lets programs ask of this namespace."""

    def capabilities(self) -> dict[str, Any]:
        """What may depend on values, and how many axes a tensor can have: as many as the NumPy array of its value."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> devices.Place:
        """The device of new tensors."""
        return devices.default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The types of what does not say its own."""
        names = {
            "real floating": "float32",
            "complex floating": "complex64",
            "integral": "int64",
            "indexing": "int64",
        }
        return {kind: dtype(name) for kind, name in names.items()}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The data types, all of them or those of a kind."""
        found = {t.name: t for t in ALL if t.name not in ("float16", "bfloat16")}  # which the standard does not know
        return {name: t for name, t in found.items() if kind is None or isdtype(t, kind)}

    def devices(self) -> list[devices.Device]:
        """The devices of this machine."""
        return list(devices.devices())


def __array_namespace_info__() -> NamespaceInfo:  # noqa: N807  # the standard's name
    """What the standard lets programs ask of this namespace.

    >>> import weft as wf
    >>> wf.__array_namespace_info__().default_dtypes()["integral"]
    weft.int64
    """
    return NamespaceInfo()
