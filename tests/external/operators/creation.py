"""Tensors from nothing, and conversions between types."""

from __future__ import annotations

from typing import Any

import weft as wf

from .bridge import Mapped
from .words import scalar


def plain(kwargs: dict[str, Any]) -> dict[str, Any]:
    """What PyTorch can be asked that is not about numbers left out."""
    return {k: v for k, v in kwargs.items() if k not in ("device", "layout", "memory_format", "pin_memory")}


def arange(*bounds: Any, end: Any = None, start: Any = None, step: Any = None, **kwargs: Any) -> Any:
    bounds = (*bounds, *(b for b in (start, end, step) if b is not None))
    return wf.arange(*bounds, **plain(kwargs))


def like(f: Any) -> Any:
    return lambda x, *value, **kwargs: f(x, *value, **{k: v for k, v in plain(kwargs).items() if k == "dtype"})


def new(f: Any) -> Any:
    """Of another tensor these take the type."""
    return lambda x, shape, *value, **kwargs: f(tuple(shape), *value, **{"dtype": x.dtype} | plain(kwargs))


def sized(f: Any) -> Any:
    def call(*shape: Any, **kwargs: Any) -> Any:
        return f(tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape, **plain(kwargs))

    return call


def linspace(start: Any, end: Any, steps: int, **kwargs: Any) -> Any:
    return wf.linspace(scalar(start), scalar(end), steps, **plain(kwargs))


def eye(n: int, m: Any = None, **kwargs: Any) -> Any:
    return wf.eye(n, m, **{k: v for k, v in plain(kwargs).items() if k == "dtype"})


def triangle(lower: bool) -> Any:
    def call(rows: int, columns: int, offset: int = 0, **_: Any) -> Any:
        full = wf.ones((rows, columns), dtype=wf.bool)
        return wf.stack(wf.nonzero(wf.tril(full, k=offset) if lower else wf.triu(full, k=offset)))

    return call


def as_type(dtype: Any) -> Any:
    return lambda x, *_, **__: x.astype(dtype)


def to(x: Any, *args: Any, **kwargs: Any) -> Any:
    dtype = next((a for a in (*args, *kwargs.values()) if isinstance(a, wf.DType)), None)
    other = next((a for a in args if isinstance(a, wf.Tensor)), None)
    return x.astype(dtype or (other.dtype if other is not None else x.dtype))


SIGNLESS = {"negative numbers as unsigned ones, which C++ leaves undefined": lambda x, **_: bool((x < 0).any())}
LARGE = {"numbers out of the range of the type": lambda x, **_: bool((x.abs() > 127).any())}

OPERATORS = {
    "arange": arange,
    "linspace": linspace,
    "linspace.tensor_overload": linspace,
    "zeros": sized(wf.zeros),
    "ones": sized(wf.ones),
    "full": lambda shape, value, **kwargs: wf.full(tuple(shape), value, **plain(kwargs)),
    "eye": eye,
    "zeros_like": like(wf.zeros_like),
    "ones_like": like(wf.ones_like),
    "full_like": like(wf.full_like),
    "new_zeros": new(wf.zeros),
    "new_ones": new(wf.ones),
    "new_full": new(wf.full),
    "scalar_tensor": lambda value, **kwargs: wf.full((), value, **plain(kwargs)),
    "fill": lambda x, value: wf.full_like(x, 1) * value,
    "triu_indices": Mapped(triangle(lower=False), dtype="int64"),
    "tril_indices": Mapped(triangle(lower=True), dtype="int64"),
    "item": lambda x: x.item(),
    "to": to,
    "bool": as_type(wf.bool),
    "byte": Mapped(as_type(wf.uint8), skip=SIGNLESS),
    "char": Mapped(as_type(wf.int8), skip=LARGE),
    "short": as_type(wf.int16),
    "int": as_type(wf.int32),
    "long": as_type(wf.int64),
    "half": as_type(wf.float16),
    "float": as_type(wf.float32),
    "double": as_type(wf.float64),
    "cfloat": as_type(wf.complex64),
    "cdouble": as_type(wf.complex128),
}
