"""Tensors from nothing: constants, ranges, identity."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError
from weft.graph.dtype import DType, dtype, float32, int64
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.elementwise import cast, where
from weft.ops.engine import jnp, lax

iota_op = Op(  # 0, 1, 2, … along ``axis`` of a tensor of ``shape``
    "iota",
    shape=lambda *, shape, axis, dtype: Spec(shape, dtype),
    lower=lambda *, shape, axis, dtype: lax.broadcasted_iota(dtype.numpy, shape, axis),
)


def _full(value: Spec, *, shape: tuple[int, ...], dtype: DType) -> Spec:
    return Spec(shape, cast.shape(value, dtype=dtype).dtype)  # type: ignore[union-attr]  # one result


full_op = Op(
    "full",
    shape=_full,
    lower=lambda value, *, shape, dtype: jnp.broadcast_to(cast.lower(value, dtype=dtype), shape),
    vjp=lambda g, y, value, *, shape, dtype: (g,),
)
triangle_op: Op = Op(  # ``x`` with zeros above (lower=True) or below the k-th diagonal
    "triangle",
    shape=lambda x, *, k, lower: x,
    lower=lambda x, *, k, lower: jnp.tril(x, k) if lower else jnp.triu(x, k),
    vjp=lambda g, y, x, *, k, lower: (triangle_op(g, k=k, lower=lower),),
)


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)


def full(shape: Any, value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of ``shape`` filled with ``value``, in the type of the value unless ``dtype`` says otherwise."""
    result = full_op(value, shape=_shape(shape), dtype=_type_of(value) if dtype is None else _dtype(dtype))
    return result.requires_grad_() if requires_grad else result


def _type_of(value: Any) -> DType:
    return dtype(type(value)) if isinstance(value, bool | int | float | complex) else value.dtype


def _dtype(of: Any) -> DType:
    return dtype(of)


def zeros(shape: Any, *, dtype: Any = float32, requires_grad: bool = False) -> Any:
    """A tensor of zeros.

    >>> import weft as wf
    >>> wf.zeros((2, 2)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return full(shape, 0.0, dtype=dtype, requires_grad=requires_grad)


def ones(shape: Any, *, dtype: Any = float32, requires_grad: bool = False) -> Any:
    """A tensor of ones."""
    return full(shape, 1.0, dtype=dtype, requires_grad=requires_grad)


def zeros_like(x: Any, /, *, dtype: Any = None) -> Any:
    """Zeros in the shape and type of ``x``."""
    return zeros(x.shape, dtype=dtype or x.dtype)


def ones_like(x: Any, /, *, dtype: Any = None) -> Any:
    """Ones in the shape and type of ``x``."""
    return ones(x.shape, dtype=dtype or x.dtype)


def full_like(x: Any, /, value: Any, *, dtype: Any = None) -> Any:
    """``value`` in the shape and type of ``x``."""
    return full(x.shape, value, dtype=dtype or x.dtype)


def arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Any:
    """start, start + step, … below ``stop``; with one argument from 0 to it.

    >>> import weft as wf
    >>> wf.arange(2, 8, 3).tolist()
    [2, 5]
    """
    if step == 0:
        raise ArgumentError("arange with step 0", expected="a step that is not zero")
    first, last = (0, start) if stop is None else (start, stop)
    whole = all(isinstance(n, int) for n in (first, last, step))
    kind = (int64 if whole else float32) if dtype is None else _dtype(dtype)
    length = max(0, math.ceil((last - first) / step))
    steps = iota_op(shape=(length,), axis=0, dtype=kind)
    return steps if (first, step) == (0, 1) else (steps * step + first).astype(kind)


def linspace(start: float, stop: float, /, num: int, *, dtype: Any = float32, endpoint: bool = True) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which is one of them if ``endpoint``."""
    gaps = num - 1 if endpoint else num
    steps = iota_op(shape=(num,), axis=0, dtype=_dtype(dtype))
    if gaps <= 0:
        return steps * 0 + start
    fraction = steps / gaps
    # Two-sided, so that both ends are met exactly.
    return where(fraction <= 0.5, start + fraction * (stop - start), stop - (1 - fraction) * (stop - start))


def eye(rows: int, columns: int | None = None, /, *, k: int = 0, dtype: Any = float32) -> Any:
    """Ones on the ``k``-th diagonal, zeros elsewhere."""
    shape = (rows, rows if columns is None else columns)
    at = iota_op(shape=shape, axis=0, dtype=int64) + k == iota_op(shape=shape, axis=1, dtype=int64)
    return at.astype(_dtype(dtype))


def tril(x: Any, /, *, k: int = 0) -> Any:
    """``x`` with zeros above its ``k``-th diagonal."""
    return triangle_op(x, k=k, lower=True)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """``x`` with zeros below its ``k``-th diagonal."""
    return triangle_op(x, k=k, lower=False)
