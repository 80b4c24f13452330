"""Quantiles and medians: elements by their rank, or between two of them."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType, float32, float64, int64
from weft.graph.function import function
from weft.graph.op import Casts, Kind, tensor_like
from weft.ops.arithmetic import ceil, clip, floor, round
from weft.ops.comparison import isnan, logical_not, where
from weft.ops.conversion import cast
from weft.ops.creation import full
from weft.ops.indexing import take_along_op
from weft.ops.manipulation import moveaxis
from weft.ops.reduction import any_op, sum_op
from weft.ops.rules import Axes, normalize_axes, reduced
from weft.ops.shape import broadcast_to_op, permute_op, reshape_op
from weft.ops.sorting import sort_op

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")

# ── quantiles ───────────────────────────────────────────────────────────────────────────────────────────────


def _apart(kinds: tuple[Kind, ...]) -> Casts:
    """Each operand becomes floating for itself."""
    return tuple(kind if isinstance(kind, DType) and kind.is_floating else float32 for kind in kinds)


@function(takes=_apart)
def _quantile(x: Any, q: Any, *, method: str, skip: bool) -> Any:
    """Of each row of ``x`` (…, n) the quantiles ``q`` (k,): (…, k)."""
    n, last = x.shape[-1], x.ndim - 1
    row = sort_op(x, axis=last, descending=False)
    missing = isnan(x)
    # NaN is last in order, so the numbers of a row are the first so many.
    count = sum_op(cast(logical_not(missing), dtype=q.dtype), axis=(last,), keepdims=True) if skip else n
    rank = q * (count - 1)
    rank = round(rank) if method == "nearest" else rank
    below, above = (_at(row, f(rank), n) for f in (floor, ceil))
    share = 0.5 if method == "midpoint" else cast(rank - floor(rank), dtype=x.dtype)
    # Where the rank is whole, below and above are one element; were it infinite, their difference would be NaN.
    between = where(rank == floor(rank), below, below + share * (above - below))
    y = {"lower": below, "higher": above}.get(method, between)
    lost = count < 1 if skip else any_op(missing, axis=(last,), keepdims=True)
    return where(lost, math.nan, y)


def _at(row: Any, rank: Any, n: int) -> Any:
    places = broadcast_to_op(cast(clip(rank, 0, n - 1), dtype=int64), shape=(*row.shape[:-1], rank.shape[-1]))
    return take_along_op(row, places, axis=row.ndim - 1)


def quantile(x: Any, q: Any, /, *, axis: Axes = None, keepdims: bool = False, method: str = "linear") -> Any:
    """The element of ``x`` below which the share ``q`` of all lies, over ``axis`` (by default over all); NaN if any is.

    Between two elements, ``method`` weighs them ("linear"), takes the "lower", the "higher", the "nearest", or
    their "midpoint". A vector ``q`` gives a new first axis. Gradients go to the elements that were taken.

    >>> import weft as wf
    >>> from weft.ops.quantiles import quantile
    >>> quantile(wf.tensor([1.0, 2.0, 4.0]), 0.75).item(), quantile(wf.tensor([1.0, 2.0]), [0.0, 1.0]).tolist()
    (3.0, [1.0, 2.0])
    """
    return _over("quantile", x, q, axis, keepdims, method, skip=False)


def nanquantile(x: Any, q: Any, /, *, axis: Axes = None, keepdims: bool = False, method: str = "linear") -> Any:
    """`quantile` of the elements that are not NaN; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.quantiles import nanquantile
    >>> nanquantile(wf.tensor([1.0, wf.nan, 3.0]), 0.5).item()
    2.0
    """
    return _over("nanquantile", x, q, axis, keepdims, method, skip=True)


def median(x: Any, /, *, axis: Axes = None, keepdims: bool = False, method: str = "midpoint") -> Any:
    """The middle element over ``axis``, NaN if any is; of two their mean or, with ``method`` "lower", the lower one.

    >>> import weft as wf
    >>> from weft.ops.quantiles import median
    >>> median(wf.tensor([3.0, 1.0, 7.0])).item(), median(wf.tensor([1.0, 2.0]), method="lower").item()
    (3.0, 1.0)
    """
    return _over("median", x, 0.5, axis, keepdims, method, skip=False)


def nanmedian(x: Any, /, *, axis: Axes = None, keepdims: bool = False, method: str = "midpoint") -> Any:
    """`median` of the elements that are not NaN; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.quantiles import nanmedian
    >>> nanmedian(wf.tensor([3.0, wf.nan, 1.0, 7.0])).item()
    3.0
    """
    return _over("nanmedian", x, 0.5, axis, keepdims, method, skip=True)


def _over(name: str, x: Any, q: Any, axis: Axes, keepdims: bool, method: str, skip: bool) -> Any:
    x = tensor_like(x)
    if method not in METHODS:
        raise ArgumentError(f"{name} with method={method!r}", expected="one of " + ", ".join(map(repr, METHODS)))
    axes = normalize_axes(axis, x.ndim)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    count = math.prod(x.shape[a] for a in axes)
    if count == 0:
        raise ShapeError(f"{name} of no elements: shape {x.shape} over {axes}", expected="at least one element")
    kept = tuple(x.shape[a] for a in rest)
    rows = reshape_op(permute_op(x, axes=(*rest, *axes)), shape=(*kept, count))
    shares, single = _shares(name, q)
    found = moveaxis(_quantile(rows, shares, method=method, skip=skip), -1, 0)
    shape = reduced(x.shape, axes, keepdims)
    return reshape_op(found, shape=shape if single else (*shares.shape, *shape))


def _shares(name: str, q: Any) -> tuple[Any, bool]:
    """``q`` as a vector, and whether it was one number."""
    if isinstance(q, bool | int | float):
        if not 0 <= q <= 1:
            raise ArgumentError(f"{name} with q={q!r}", expected="0 ≤ q ≤ 1")
        return reshape_op(full((), float(q), dtype=float64), shape=(1,)), True
    shares = tensor_like(q)
    if shares.ndim > 1:
        raise ShapeError(f"{name}: q of shape {shares.shape}", expected="a number or a vector")
    if shares.node.data is not None and not all(0 <= float(share) <= 1 for share in shares.numpy().reshape(-1)):
        raise ArgumentError(f"{name} with q={shares.tolist()}", expected="0 ≤ q ≤ 1")
    return (shares, False) if shares.ndim else (reshape_op(shares, shape=(1,)), True)
