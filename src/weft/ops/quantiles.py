"""Quantiles, medians and the largest elements: statistics of the sorted tensor."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from weft.errors import ArgumentError, DTypeError
from weft.graph.node import Handle
from weft.graph.op import tensor_like
from weft.ops.arithmetic import ceil, clip, floor, round
from weft.ops.comparison import isnan, where
from weft.ops.indexing import take_along_op
from weft.ops.manipulation import moveaxis
from weft.ops.rules import Axes, normalize_axes, normalize_axis, reduced
from weft.ops.shape import broadcast_to_op, permute_op, reshape_op, slice_op
from weft.ops.sorting import argsort_op, sort_op
from weft.ops.statistics import sum

METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


def quantile(x: Any, q: Any, /, *, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The value below which the part ``q`` of the elements over ``axis`` lies; NaN if there is one among them.

    Between two elements ``method`` decides: "linear", "lower", "higher", "nearest" or "midpoint". The axes of ``q``
    come first in the result.

    >>> import weft as wf
    >>> from weft.ops.quantiles import quantile
    >>> quantile(wf.tensor([1.0, 2.0, 4.0, 8.0]), [0.5, 1.0]).tolist()
    [3.0, 8.0]
    """
    return _quantile(x, q, axis, method, keepdims, skip=False)


def nanquantile(x: Any, q: Any, /, *, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The quantile ``q`` of the elements that are not NaN; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.quantiles import nanquantile
    >>> nanquantile(wf.tensor([1.0, wf.nan, 3.0]), 0.5).item()
    2.0
    """
    return _quantile(x, q, axis, method, keepdims, skip=True)


def median(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The middle element over ``axis``, or the mean of the two in the middle; NaN if there is one among them.

    >>> import weft as wf
    >>> from weft.ops.quantiles import median
    >>> median(wf.tensor([5.0, 1.0, 3.0])).item()
    3.0
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, skip=False)


def nanmedian(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The median of the elements that are not NaN; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.quantiles import nanmedian
    >>> nanmedian(wf.tensor([5.0, wf.nan, 3.0])).item()
    4.0
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, skip=True)


def _quantile(x: Any, q: Any, axis: Axes, method: str, keepdims: bool, *, skip: bool) -> Any:
    x = tensor_like(x)
    if x.dtype.kind in ("bool", "complex"):
        raise DTypeError(f"a quantile of a {x.dtype.name} tensor", expected="real numbers")
    if method not in METHODS:
        raise ArgumentError(f"method={method!r} of a quantile", expected="one of " + ", ".join(map(repr, METHODS)))
    x = x if x.dtype.is_floating else x.astype("float32")
    axes = normalize_axes(axis, x.ndim)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    n = math.prod(x.shape[a] for a in axes)
    if not n:
        raise ArgumentError(f"a quantile of no elements: shape {x.shape} along {axes}", expected="at least one")
    shape = tuple(x.shape[a] for a in kept)
    rows = sort_op(reshape_op(permute_op(x, axes=(*kept, *axes)), shape=(*shape, n)), axis=len(shape), descending=False)
    q = _parts(q, x.dtype)
    found = _interpolated(rows, reshape_op(q, shape=(-1,)), method, skip)
    if not skip:
        last = slice_op(rows, bounds=(*((0, m, 1) for m in shape), (n - 1, n, 1)))  # NaN is sorted to the end
        found = where(isnan(last), math.nan, found)
    found = moveaxis(found, -1, 0)
    return reshape_op(found, shape=(*q.shape, *(reduced(x.shape, axes, keepdims) if keepdims else shape)))


def _parts(q: Any, dtype: Any) -> Any:
    """The wanted parts as a tensor, from 0 to 1."""
    if not isinstance(q, Handle):
        given = [float(part) for part in (q if isinstance(q, list | tuple) else tensor_like(q).reshape(-1).tolist())]
        if wrong := [part for part in given if not 0 <= part <= 1]:
            raise ArgumentError(f"the quantile {wrong[0]}", expected="0 ≤ q ≤ 1")
    return tensor_like(q).astype(dtype)


def _interpolated(rows: Any, q: Any, method: str, skip: bool) -> Any:
    """What stands at the places of the quantiles of sorted ``rows``, or between."""
    n = rows.shape[-1]
    if skip:
        counts = sum(~isnan(rows), axis=-1, keepdims=True)
        place = q * clip(counts - 1, min=0).astype(q.dtype)
    else:
        place = q * (n - 1)
    if method in ("lower", "higher", "nearest"):
        return _at(rows, {"lower": floor, "higher": ceil, "nearest": round}[method](place))
    below, above = _at(rows, floor(place)), _at(rows, ceil(place))
    part = place - floor(place) if method == "linear" else 0.5
    return below + part * (above - below)


def _at(rows: Any, place: Any) -> Any:
    """The elements of each row at ``place``."""
    places = broadcast_to_op(place, shape=(*rows.shape[:-1], place.shape[-1])).astype("int64")
    return take_along_op(rows, places, axis=rows.ndim - 1)


class TopK(NamedTuple):
    """What `topk` finds."""

    values: Any
    indices: Any


def topk(x: Any, k: int, /, *, axis: int = -1, largest: bool = True) -> TopK:
    """The ``k`` largest (or smallest) elements along ``axis`` in order, and their positions; of equal ones the first.

    >>> import weft as wf
    >>> from weft.ops.quantiles import topk
    >>> found = topk(wf.tensor([3, 9, 5]), 2)
    >>> found.values.tolist(), found.indices.tolist()
    ([9, 5], [1, 2])
    """
    x = tensor_like(x)
    at = normalize_axis(axis, x.ndim)
    if not 0 <= k <= x.shape[at]:
        raise ArgumentError(f"the {k} largest along axis {at} of size {x.shape[at]}", expected=f"0 … {x.shape[at]}")
    order = argsort_op(x, axis=at, descending=largest)
    first = slice_op(order, bounds=tuple((0, k if a == at else n, 1) for a, n in enumerate(x.shape)))
    return TopK(take_along_op(x, first, axis=at), first)
