"""Counting: how often each whole number occurs, and how many numbers lie in each interval."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import float32, int64
from weft.graph.op import tensor_like
from weft.ops.comparison import logical_and, where
from weft.ops.conversion import cast
from weft.ops.creation import full, iota_op
from weft.ops.indexing import scatter_add_op
from weft.ops.reduction import max_op, min_op, sum_op
from weft.ops.shape import reshape_op, slice_op
from weft.ops.sorting import searchsorted


class Histogram(NamedTuple):
    """How many numbers lie in each interval (or their weights, or a density), and the bounds of the intervals."""

    counts: Any
    edges: Any


def bincount(x: Any, /, *, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, … occurs in the vector ``x``, or the sum of its weights; needs the values of ``x``.

    >>> import weft as wf
    >>> from weft.ops.counting import bincount
    >>> bincount(wf.tensor([1, 3, 1])).tolist()
    [0, 2, 0, 1]
    """
    x = tensor_like(x)
    if not x.dtype.is_integer:
        raise DTypeError(f"bincount of {x.dtype.name} numbers", expected="whole numbers", cure="x.astype(wf.int64)")
    if x.ndim != 1:
        raise ShapeError(f"bincount of a tensor of shape {x.shape}", expected="a vector", cure="x.reshape(-1)")
    if minlength < 0:
        raise ArgumentError(f"bincount with minlength={minlength}", expected="0 or more")
    values = np.asarray(x.numpy())
    if values.size and values.min() < 0:
        raise ArgumentError(f"bincount of {values.min()}", expected="numbers of at least 0")
    each = _weights(weights, x) if weights is not None else full(x.shape, 1, dtype=int64)
    size = max(minlength, int(values.max(initial=-1)) + 1)
    return scatter_add_op(each, x, pattern=(True,), shape=(size,))


def _weights(weights: Any, x: Any) -> Any:
    weights = tensor_like(weights)
    if weights.shape != x.shape:
        raise ShapeError(f"weights of shape {weights.shape} for numbers of shape {x.shape}", expected="equal shapes")
    return weights if weights.dtype.is_floating else weights.astype("float64")


def histogram(
    x: Any,
    bins: Any = 10,
    /,
    *,
    range: tuple[float, float] | None = None,
    weights: Any = None,
    density: bool = False,
) -> Histogram:
    """How many elements of ``x`` lie in each of ``bins`` equal intervals of ``range``, by default from min to max.

    ``bins`` may also be the increasing bounds themselves. The last interval includes its upper bound; what lies
    outside is not counted. ``density`` divides by the width of each interval and the total.

    >>> import weft as wf
    >>> from weft.ops.counting import histogram
    >>> histogram(wf.tensor([1.0, 2.0, 2.0, 5.0]), 2).counts.tolist()
    [3.0, 1.0]
    """
    x = tensor_like(x)
    if x.dtype.kind == "complex":
        raise DTypeError(f"histogram of {x.dtype.name} numbers, which have no order", cure="x.real or wf.abs(x)")
    each = None if weights is None else reshape_op(_weights(weights, x), shape=(math.prod(x.shape),))
    flat = reshape_op(x, shape=(math.prod(x.shape),))
    flat = flat if flat.dtype.is_floating else cast(flat, dtype=float32)
    edges = _edges(flat, bins, range)
    count = edges.shape[0] - 1
    at = searchsorted(edges, flat, side="right") - 1
    first, last = (reshape_op(_element(edges, k), shape=()) for k in (0, count))
    inside = logical_and(flat >= first, flat <= last)
    at = where(inside, where(flat == last, count - 1, at), count)  # what lies outside is put past the end and cut
    each = full(flat.shape, 1, dtype=flat.dtype) if each is None else each
    counts = scatter_add_op(each, at, pattern=(True,), shape=(count + 1,))
    counts = slice_op(counts, bounds=((0, count, 1),))
    if density:
        widths = slice_op(edges, bounds=((1, count + 1, 1),)) - slice_op(edges, bounds=((0, count, 1),))
        counts = counts / sum_op(counts, axis=(0,), keepdims=True) / widths
    return Histogram(counts, edges)


def _element(x: Any, k: int) -> Any:
    return slice_op(x, bounds=((k, k + 1, 1),))


def _edges(x: Any, bins: Any, range: tuple[float, float] | None) -> Any:
    if not isinstance(bins, int) or isinstance(bins, bool):
        edges = tensor_like(bins)
        if edges.ndim != 1 or edges.shape[0] < 2 or range is not None:
            raise ArgumentError(
                f"histogram with bounds of shape {edges.shape} and range={range!r}",
                expected="at least two increasing bounds, and then no range",
            )
        return edges if edges.dtype.is_floating else cast(edges, dtype=x.dtype)
    if bins < 1:
        raise ArgumentError(f"histogram with {bins} intervals", expected="1 or more")
    if range is not None:
        low, high = range
        if not low <= high or math.isinf(high - low):
            raise ArgumentError(f"histogram with range={range!r}", expected="(low, high), finite, low ≤ high")
        ends = (full((), float(low), dtype=x.dtype), full((), float(high), dtype=x.dtype))
    elif x.shape[0]:
        ends = (min_op(x, axis=(0,), keepdims=False), max_op(x, axis=(0,), keepdims=False))
    else:
        ends = (full((), 0.0, dtype=x.dtype), full((), 1.0, dtype=x.dtype))
    # Bounds that are one number lie half a unit to its sides.
    half = where(ends[0] == ends[1], 0.5, 0.0)
    low, high = ends[0] - half, ends[1] + half
    share = cast(iota_op(shape=(bins + 1,), axis=0, dtype=int64), dtype=x.dtype) / bins
    return where(share < 0.5, low + share * (high - low), high - (1 - share) * (high - low))


def bucketize(x: Any, boundaries: Any, /, *, right: bool = False) -> Any:
    """The number of the interval between increasing ``boundaries`` in which each element of ``x`` lies.

    An element that equals a boundary belongs to the interval below it or, with ``right``, above it.

    >>> import weft as wf
    >>> from weft.ops.counting import bucketize
    >>> bucketize(wf.tensor([1, 3, 9]), wf.tensor([1, 3, 5])).tolist()
    [0, 1, 3]
    """
    return searchsorted(boundaries, x, side="right" if right else "left")
