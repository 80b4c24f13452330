"""The ops behind tensors from nothing: constants, ranges, the identity. `weft.creation` is what people call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import DType, complex64, complex128, dtype, float32, float64, int64
from weft.graph.node import Handle, wrap
from weft.graph.op import Op, tensor_like
from weft.graph.recording import context
from weft.graph.spec import Spec, scalar
from weft.ops.comparison import where
from weft.ops.conversion import cast
from weft.ops.engine import jnp, lax
from weft.ops.manipulation import sizes
from weft.ops.rules import whole

iota_op = Op(  # 0, 1, 2, … along ``axis`` of a tensor of ``shape``
    "iota",
    shape=lambda *, shape, axis, dtype: Spec(shape, dtype),
    lower=lambda *, shape, axis, dtype: lax.broadcasted_iota(dtype.numpy, shape, axis),
    host=lambda *, shape, axis, dtype: np.broadcast_to(
        np.arange(shape[axis], dtype=dtype.numpy).reshape([-1 if a == axis else 1 for a in range(len(shape))]), shape
    ),
    exact="moves",
)


def _full(value: Spec, *, shape: tuple[int, ...], dtype: DType) -> Spec:
    return Spec(shape, cast.shape(value, dtype=dtype).dtype)  # type: ignore[union-attr]  # one result


full_op = Op(
    "full",
    shape=_full,
    lower=lambda value, *, shape, dtype: jnp.broadcast_to(cast.lower(value, dtype=dtype), shape),
    vjp=lambda g, y, value, *, shape, dtype: (g,),
    exact="moves",
)


def _triangle(x: Spec, *, k: int, lower: bool) -> Spec:
    if x.ndim < 2:
        raise ShapeError(f"{'tril' if lower else 'triu'} of a tensor of shape {x.shape}", expected="at least two axes")
    return x


triangle_op: Op = Op(  # ``x`` with zeros above (lower=True) or below the k-th diagonal
    "triangle",
    shape=_triangle,
    lower=lambda x, *, k, lower: jnp.tril(x, k) if lower else jnp.triu(x, k),
    vjp=lambda g, y, x, *, k, lower: (triangle_op(g, k=k, lower=lower),),
    exact="moves",
)

_NUMBERS = (bool, int, float, complex)


def full(shape: Any, value: Any, *, dtype: Any = None) -> Any:
    """A tensor of ``shape`` filled with ``value``, in the type of the value unless ``dtype`` says otherwise."""
    if type(value) in _NUMBERS:
        to = data_type(dtype if dtype is not None else type(value))
        if isinstance(value, complex) and to.kind != "complex":
            raise DTypeError(f"a tensor of {to.name} filled with {value}", expected="a real number", cure="value.real")
        # As a number of that very type: a float64 must not pass through float32.
        value = wrap(context.recording.number(value, scalar(to)))
    else:
        value = tensor_like(value)
        to = value.dtype if dtype is None else data_type(dtype)
        if value.ndim:
            raise ShapeError(f"full with a value of shape {value.shape}", expected="a number", cure="wf.broadcast_to")
    return full_op(value, shape=_nonnegative(shape), dtype=to)


def data_type(of: Any) -> DType:
    return dtype(of)


def _nonnegative(shape: Any) -> tuple[int, ...]:
    wanted = sizes(shape)
    if any(n < 0 for n in wanted):
        raise ShapeError(f"a tensor of shape {wanted}", expected="sizes of at least 0")
    return wanted


def zeros(shape: Any, *, dtype: Any = float32) -> Any:
    """A tensor of zeros."""
    return full(shape, 0, dtype=dtype)


def ones(shape: Any, *, dtype: Any = float32) -> Any:
    """A tensor of ones."""
    return full(shape, 1, dtype=dtype)


def arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Any:
    """start, start + step, … below ``stop``; with one argument from 0 to it."""
    first, last = (0, start) if stop is None else (start, stop)
    first, last, step = (n.item() if isinstance(n, Handle | np.generic) else n for n in (first, last, step))
    if step == 0:
        raise ArgumentError("arange with step 0", expected="a step that is not zero")
    if not all(math.isfinite(n) for n in (first, last, step)):
        raise ArgumentError(f"arange from {first} to {last} with step {step}", expected="finite numbers")
    exact = all(isinstance(n, int) for n in (first, last, step))
    kind = (int64 if exact else float32) if dtype is None else data_type(dtype)
    # Whole numbers are counted without rounding.
    length = max(0, -(-(last - first) // step) if exact else math.ceil((last - first) / step))
    steps = iota_op(shape=(int(length),), axis=0, dtype=kind if exact or kind.is_floating else float64)
    return steps if (first, step) == (0, 1) else (steps * step + first).astype(kind)


def linspace(start: Any, stop: Any, /, num: int, *, dtype: Any = None, endpoint: bool = True) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which is one of them if ``endpoint``."""
    num = whole(num, "a number of numbers")
    if num < 0:
        raise ArgumentError(f"linspace of {num} numbers", expected="0 or more")
    mixed = isinstance(start, complex) or isinstance(stop, complex)
    kind = (complex64 if mixed else float32) if dtype is None else data_type(dtype)
    inner = {complex64: float32, complex128: float64}.get(kind, kind if kind.is_floating else float64)
    gaps = num - 1 if endpoint else num
    steps = iota_op(shape=(num,), axis=0, dtype=inner)
    if gaps <= 0:
        return full((num,), start, dtype=kind)
    # From the nearer end, whose distance counts in whole steps: an end is then exact, which n / n on a device is not.
    left, width = gaps - steps, stop - start
    spaced = where(steps <= left, start + steps / gaps * width, stop - left / gaps * width)
    return spaced.astype(kind)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = float32) -> Any:
    """Ones on the ``k``-th diagonal, zeros elsewhere."""
    shape = _nonnegative((n_rows, n_rows if n_cols is None else n_cols))
    at = iota_op(shape=shape, axis=0, dtype=int64) + k == iota_op(shape=shape, axis=1, dtype=int64)
    return at.astype(data_type(dtype))


def tril(x: Any, /, *, k: int = 0) -> Any:
    """``x`` with zeros above its ``k``-th diagonal.

    >>> import weft as wf
    >>> wf.tril(wf.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return triangle_op(tensor_like(x), k=k, lower=True)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """``x`` with zeros below its ``k``-th diagonal.

    >>> import weft as wf
    >>> wf.triu(wf.ones((2, 2)), k=1).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return triangle_op(tensor_like(x), k=k, lower=False)
