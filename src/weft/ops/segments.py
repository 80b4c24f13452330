"""Sums, means, extremes and products of segments: the rows of a tensor that share a number.

Row i belongs to segment ``segments[i]``. How many segments there are is structure: it must be given. A number out of
range is refused where it is known, and its row dropped where it is not.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from weft.errors import ArgumentError, AxisError, DTypeError, ShapeError
from weft.graph.dtype import DType, int64
from weft.graph.op import tensor_like
from weft.ops.accumulation import recurrence_op
from weft.ops.comparison import not_equal, where
from weft.ops.conversion import cast
from weft.ops.creation import full, iota_op
from weft.ops.indexing import gather_op, scatter_add_op, scatter_op
from weft.ops.shape import broadcast_to_op, reshape_op, slice_op, unslice_op
from weft.ops.sorting import argsort_op, searchsorted_op


def _checked(name: str, values: Any, segments: Any, count: int) -> tuple[Any, Any]:
    values, segments = tensor_like(values), tensor_like(segments)
    if not segments.dtype.is_integer:
        raise DTypeError(
            f"{name}: segments of type {segments.dtype.name}",
            expected="whole numbers",
            cure="x.astype(wf.int64)",
        )
    if values.ndim == 0 or segments.shape != values.shape[:1]:
        raise ShapeError(
            f"{name}: values of shape {values.shape} in segments of shape {segments.shape}",
            expected="a segment number for each row of values",
        )
    if index(count) < 0:
        raise ArgumentError(f"{name}: count={count}", expected="0 or more segments")
    known = segments.node.data
    if known is not None and segments.shape[0]:
        low, high = int(np.min(known)), int(np.max(known))
        if low < 0 or high >= count:
            raise AxisError(
                f"{name}: a segment number of {low if low < 0 else high} for count={count}",
                expected=f"0 ≤ number < {count}",
                cure=f"count={high + 1}" if low >= 0 else None,
            )
    return values, segments


def _numeric(x: Any) -> Any:
    return cast(x, dtype=int64) if x.dtype.kind == "bool" else x


def _floating(x: Any) -> Any:
    return x if x.dtype.is_differentiable else x.astype("float32")


def _sums(values: Any, segments: Any, count: int) -> Any:
    pattern = (True, *(False for _ in values.shape[1:]))
    return scatter_add_op(values, segments, pattern=pattern, shape=(count, *values.shape[1:]))


def segment_sum(values: Any, segments: Any, /, *, count: int) -> Any:
    """The sum of the rows of each of ``count`` segments; 0 where there are none.

    >>> import weft as wf
    >>> from weft.ops.segments import segment_sum
    >>> segment_sum(wf.tensor([1.0, 2.0, 3.0]), wf.tensor([0, 2, 0]), count=3).tolist()
    [4.0, 0.0, 2.0]
    """
    values, segments = _checked("segment_sum", values, segments, count)
    return _sums(_numeric(values), segments, index(count))


def segment_mean(values: Any, segments: Any, /, *, count: int) -> Any:
    """The mean of the rows of each of ``count`` segments; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.segments import segment_mean
    >>> segment_mean(wf.tensor([1.0, 2.0, 3.0]), wf.tensor([0, 1, 0]), count=2).tolist()
    [2.0, 2.0]
    """
    values, segments = _checked("segment_mean", values, segments, count)
    values = _floating(values)
    sizes = _sums(full(segments.shape, 1, dtype=int64), segments, index(count))
    shape = (index(count), *(1 for _ in values.shape[1:]))
    return _sums(values, segments, index(count)) / reshape_op(cast(sizes, dtype=values.dtype), shape=shape)


def segment_max(values: Any, segments: Any, /, *, count: int) -> Any:
    """The largest of the rows of each of ``count`` segments, element by element; equal ones share the gradient.

    Where there are none it is −∞, or the smallest whole number.

    >>> import weft as wf
    >>> from weft.ops.segments import segment_max
    >>> segment_max(wf.tensor([1.0, 2.0, 3.0]), wf.tensor([0, 1, 0]), count=2).tolist()
    [3.0, 2.0]
    """
    return _extreme("max", values, segments, count)


def segment_min(values: Any, segments: Any, /, *, count: int) -> Any:
    """The smallest of the rows of each of ``count`` segments, element by element; equal ones share the gradient.

    Where there are none it is ∞, or the largest whole number.

    >>> import weft as wf
    >>> from weft.ops.segments import segment_min
    >>> segment_min(wf.tensor([1.0, 2.0, 3.0]), wf.tensor([0, 1, 0]), count=2).tolist()
    [1.0, 2.0]
    """
    return _extreme("min", values, segments, count)


def _extreme(which: str, values: Any, segments: Any, count: int) -> Any:
    values, segments = _checked(f"segment_{which}", values, segments, count)
    if values.dtype.kind == "complex":
        raise DTypeError(f"segment_{which} of {values.dtype.name} numbers, which have no order", cure="values.real")
    values = _numeric(values)
    width = math.prod(values.shape[1:])
    column = iota_op(shape=(values.shape[0], width), axis=1, dtype=int64)
    places = reshape_op(cast(segments, dtype=int64), shape=(-1, 1)) * width + column
    size = values.shape[0] * width
    start = full((index(count) * width,), _identity(which, values.dtype), dtype=values.dtype)
    made = scatter_op(start, reshape_op(values, shape=(size,)), reshape_op(places, shape=(size,)), mode=which)
    return reshape_op(made, shape=(index(count), *values.shape[1:]))


def _identity(which: str, dtype: DType) -> float:
    if dtype.is_floating:
        return -math.inf if which == "max" else math.inf
    limits = np.iinfo(dtype.numpy)
    return int(limits.min if which == "max" else limits.max)


def segment_prod(values: Any, segments: Any, /, *, count: int) -> Any:
    """The product of the rows of each of ``count`` segments; 1 where there are none.

    >>> import weft as wf
    >>> from weft.ops.segments import segment_prod
    >>> segment_prod(wf.tensor([5.0, 2.0, 3.0]), wf.tensor([0, 2, 0]), count=3).tolist()
    [15.0, 1.0, 2.0]
    """
    values, segments = _checked("segment_prod", values, segments, count)
    values, n = _numeric(values), values.shape[0]
    if n == 0:
        return full((index(count), *values.shape[1:]), 1, dtype=values.dtype)
    rows = (True, *(False for _ in values.shape[1:]))
    order = argsort_op(segments, axis=0, descending=False)
    number, factor = gather_op(segments, order, pattern=(True,)), gather_op(values, order, pattern=rows)
    # Products run along the sorted rows and begin anew with each segment, so that none is divided out.
    before, after = (slice_op(number, bounds=((k, n - 1 + k, 1),)) for k in (0, 1))
    same = unslice_op(cast(not_equal(before, after), dtype=int64) * -1 + 1, bounds=((1, n, 1),), shape=(n,)) == 1
    same = broadcast_to_op(reshape_op(same, shape=(n, *(1 for _ in rows[1:]))), shape=values.shape)
    running = recurrence_op(where(same, factor, 0), where(same, 0, factor), axis=0, reverse=False)
    wanted = iota_op(shape=(index(count),), axis=0, dtype=segments.dtype)
    first, stop = (searchsorted_op(number, wanted, side=side) for side in ("left", "right"))
    last = gather_op(running, where(stop > first, stop - 1, 0), pattern=rows)
    there = reshape_op(stop > first, shape=(index(count), *(1 for _ in rows[1:])))
    return where(there, last, 1)
