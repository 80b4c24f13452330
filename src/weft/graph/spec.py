"""What is known of a tensor before it has a value: its shape and its data type."""

from __future__ import annotations

import math
from typing import Any, Final

from weft.graph.dtype import DType


class Spec:
    """Shape and data type; interned, so that equal specs are the same object and compare by identity."""

    __slots__ = ("dtype", "nbytes", "shape")
    shape: Final[tuple[int, ...]]  # type: ignore[misc]  # assigned in __new__
    dtype: Final[DType]  # type: ignore[misc]
    nbytes: Final[int]  # type: ignore[misc]

    _interned: dict[tuple[tuple[int, ...], DType], Spec] = {}

    def __new__(cls, shape: tuple[int, ...], dtype: DType) -> Spec:
        """The one spec of this shape and type."""
        key = (shape, dtype)
        found = cls._interned.get(key)
        if found is None:
            found = object.__new__(cls)
            object.__setattr__(found, "shape", shape)
            object.__setattr__(found, "dtype", dtype)
            object.__setattr__(found, "nbytes", math.prod(shape) * dtype.itemsize)
            found = cls._interned.setdefault(key, found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a Spec is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return (Spec, (self.shape, self.dtype))

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"


_scalars: dict[DType, Spec] = {}


def scalar(dtype: DType) -> Spec:
    """The spec of one number: `Spec` without making its key, for what every Python number in an expression asks."""
    found = _scalars.get(dtype)
    if found is None:
        found = _scalars[dtype] = Spec((), dtype)
    return found
