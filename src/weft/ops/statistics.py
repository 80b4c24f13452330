"""Sums, means and extremes over axes, as people call them."""

from __future__ import annotations

import math
from typing import Any

from weft.graph.dtype import DType
from weft.graph.op import Op, tensor_like
from weft.ops.arithmetic import abs
from weft.ops.comparison import not_equal
from weft.ops.exponential import sqrt
from weft.ops.reduction import (
    all_op,
    any_op,
    argmax_op,
    argmin_op,
    logsumexp_op,
    max_op,
    mean_op,
    min_op,
    prod_op,
    sum_op,
)
from weft.ops.rules import Axes, normalize_axes, normalize_axis
from weft.ops.shape import reshape_op


def sum(x: Any, /, *, axis: Axes = None, dtype: DType | None = None, keepdims: bool = False) -> Any:
    """The sum over ``axis`` (by default over all); integers sum in 64 bits.

    >>> import weft as wf
    >>> wf.sum(wf.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    """
    return _accumulated(sum_op, x, axis, dtype, keepdims)


def prod(x: Any, /, *, axis: Axes = None, dtype: DType | None = None, keepdims: bool = False) -> Any:
    """The product over ``axis`` (by default over all); integers multiply in 64 bits.

    >>> import weft as wf
    >>> wf.prod(wf.tensor([1, 2, 3])).item()
    6
    """
    return _accumulated(prod_op, x, axis, dtype, keepdims)


def _accumulated(op: Op, x: Any, axis: Axes, to: Any, keepdims: bool) -> Any:
    x = tensor_like(x)
    made = op(x if to is None else x.astype(to), axis=normalize_axes(axis, x.ndim), keepdims=keepdims)
    return made if to is None else made.astype(to)  # small integers were widened


def mean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The arithmetic mean over ``axis`` (by default over all).

    >>> import weft as wf
    >>> wf.mean(wf.tensor([1.0, 2.0, 6.0])).item()
    3.0
    """
    x = tensor_like(x)
    return mean_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def var(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance over ``axis``: Σ |x − mean|² / (n − correction); a correction of 1 estimates without bias.

    >>> import weft as wf
    >>> wf.var(wf.tensor([1.0, 2.0, 3.0]), correction=1).item()
    1.0
    """
    x = tensor_like(x)
    axes = normalize_axes(axis, x.ndim)
    deviation = x - mean_op(x, axis=axes, keepdims=True)
    if deviation.dtype.kind == "complex":
        deviation = abs(deviation)
    n = math.prod(x.shape[a] for a in axes)
    freedom = n - correction if n > correction else 0.0
    return sum_op(deviation * deviation, axis=axes, keepdims=keepdims) / freedom


def std(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The standard deviation over ``axis``: the square root of the variance.

    >>> import weft as wf
    >>> wf.std(wf.tensor([1.0, 2.0, 3.0]), correction=1).item()
    1.0
    """
    return sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def max(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The largest element over ``axis``, NaN if there is one; ties share the gradient.

    >>> import weft as wf
    >>> wf.max(wf.tensor([[1, 5], [3, 2]]), axis=1).tolist()
    [5, 3]
    """
    x = tensor_like(x)
    return max_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def min(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The smallest element over ``axis``, NaN if there is one; ties share the gradient.

    >>> import weft as wf
    >>> wf.min(wf.tensor([[1, 5], [3, 2]]), axis=1).tolist()
    [1, 2]
    """
    x = tensor_like(x)
    return min_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def logsumexp(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Log Σ exp(x) over ``axis``, without overflow.

    >>> import weft as wf
    >>> round(wf.logsumexp(wf.tensor([1000.0, 1000.0])).item(), 3)
    1000.693
    """
    x = tensor_like(x)
    return logsumexp_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def any(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether any element over ``axis`` is true (not zero).

    >>> import weft as wf
    >>> wf.any(wf.tensor([[0, 1], [0, 0]]), axis=1).tolist()
    [True, False]
    """
    x = tensor_like(x)
    return any_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def all(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether all elements over ``axis`` are true (not zero).

    >>> import weft as wf
    >>> wf.all(wf.tensor([[1, 1], [0, 1]]), axis=1).tolist()
    [True, False]
    """
    x = tensor_like(x)
    return all_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def count_nonzero(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """How many elements over ``axis`` are not zero.

    >>> import weft as wf
    >>> wf.count_nonzero(wf.tensor([0, 3, 5])).item()
    2
    """
    return sum(not_equal(tensor_like(x), 0), axis=axis, keepdims=keepdims)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) largest element along ``axis``, or in the flattened tensor.

    >>> import weft as wf
    >>> wf.argmax(wf.tensor([[1, 5], [3, 2]]), axis=1).tolist()
    [1, 0]
    """
    return _position(argmax_op, x, axis, keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) smallest element along ``axis``, or in the flattened tensor.

    >>> import weft as wf
    >>> wf.argmin(wf.tensor([4, 2, 2])).item()
    1
    """
    return _position(argmin_op, x, axis, keepdims)


def _position(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = tensor_like(x)
    if axis is not None:
        return op(x, axis=normalize_axis(axis, x.ndim), keepdims=keepdims)
    found = op(reshape_op(x, shape=(-1,)), axis=0, keepdims=False)
    return reshape_op(found, shape=(1,) * x.ndim) if keepdims else found
