"""Looking up rows of a table, alone or in bags."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, DataError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.graph.recording import whereabouts
from weft.nn.functional.labels import check_indices
from weft.ops import searching
from weft.ops.comparison import where
from weft.ops.creation import arange, full
from weft.ops.rules import normalize_axis
from weft.ops.segments import segment_max, segment_sum
from weft.ops.sorting import searchsorted
from weft.tensor import Tensor, as_tensor


@function(takes=lambda kinds: (None, kinds[0]), vjp=lambda g, y, x, share: (g * share, None))
def _with_share(x: Any, share: Any) -> Any:
    """``x``, of whose gradient only a share passes."""
    return x + 0 * share


def _index(name: str, indices: Any, weight: Any) -> Tensor:
    at = as_tensor(indices)
    if weight.ndim < 1:
        raise ShapeError(f"{name}: a weight without axes", expected="(rows, features)")
    if not at.dtype.is_integer:
        raise DTypeError(f"{name} of {at.dtype.name} numbers", expected="whole numbers", cure="x.astype(wf.int64)")
    check_indices(at, weight.shape[0])
    return at


def _padding(name: str, padding_idx: int | None, weight: Any) -> int | None:
    """The index that means "nothing", counted from the front."""
    if padding_idx is None:
        return None
    if isinstance(padding_idx, bool) or not isinstance(padding_idx, int):
        raise ArgumentError(f"{name}: padding_idx={padding_idx!r}", expected="a whole number, or None")
    if not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise ArgumentError(
            f"{name}: padding_idx={padding_idx} for a table of {weight.shape[0]} rows",
            expected=f"{-weight.shape[0]} ≤ padding_idx < {weight.shape[0]}",
        )
    return normalize_axis(padding_idx, weight.shape[0])


def _counts(at: Tensor, rows: int) -> Tensor:
    """How often each index occurs among all, at its own place."""
    flat = at.reshape(-1)
    found: Tensor = searching.take(segment_sum(full(flat.shape, 1, dtype=int64), flat, count=rows), at, axis=0)
    return found


def embedding(indices: Any, weight: Any, padding_idx: int | None = None, *, scale_grad_by_freq: bool = False) -> Tensor:
    """The rows of ``weight`` (rows, features) that the whole numbers ``indices`` (…) name: (…, features).

    The row ``padding_idx`` gets no gradient; with ``scale_grad_by_freq`` that of the others is divided by how often
    they are looked up here. An index out of range is refused where its value is known, and reads NaN where it is not.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.embedding(wf.tensor([1, 0]), wf.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    """
    at = _index("embedding", indices, weight)
    padding = _padding("embedding", padding_idx, weight)
    if at.node.data is None:  # not checked; counted from the end, −1 would be the last row
        at = where(at < 0, weight.shape[0], at.astype(int64))
    rows: Tensor = searching.take(weight, at, axis=0)
    if padding is None and not scale_grad_by_freq:
        return rows
    kept = full(at.shape, 1.0, dtype=rows.dtype) if padding is None else (at != padding).astype(rows.dtype)
    share = kept / _counts(at, weight.shape[0]).astype(rows.dtype) if scale_grad_by_freq else kept
    return _with_share(rows, share.reshape(*at.shape, *(1,) * (weight.ndim - 1)))


def embedding_bag(
    indices: Any,
    weight: Any,
    offsets: Any = None,
    *,
    mode: str = "mean",
    per_sample_weights: Any = None,
    padding_idx: int | None = None,
    include_last_offset: bool = False,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """The sum, mean or largest of the rows of each bag of indices: (bags, features).

    ``indices`` (bags, size) holds bags of one size; (n,) holds them one after the other, each beginning at its number
    of ``offsets``, of which the last is the end of all with ``include_last_offset``. ``per_sample_weights``, in the
    shape of the indices, multiply the rows before they are summed. Indices equal to ``padding_idx`` do not count, and
    a bag without indices gives zeros.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> table = wf.tensor([[1.0], [10.0], [100.0]])
    >>> F.embedding_bag(wf.tensor([0, 1, 2]), table, wf.tensor([0, 2]), mode="sum").tolist()
    [[11.0], [100.0]]
    """
    at = _index("embedding_bag", indices, weight)
    _check_bag(at, mode, per_sample_weights)
    padding = _padding("embedding_bag", padding_idx, weight)
    bags, segment = _bags(at, offsets, include_last_offset)
    flat = at.reshape(-1)
    rows = embedding(flat, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq)
    if per_sample_weights is not None:
        rows = rows * as_tensor(per_sample_weights).reshape(-1, 1)
    there = full(flat.shape, True) if padding is None else flat != padding
    counts = segment_sum(there.astype(int64), segment, count=bags).reshape(-1, 1)
    y: Tensor
    if mode == "max":
        lowest = where(there.reshape(-1, 1), rows, float("-inf"))
        y = where(counts > 0, segment_max(lowest, segment, count=bags), 0)
        return y
    y = segment_sum(where(there.reshape(-1, 1), rows, 0), segment, count=bags)
    return y / where(counts > 0, counts, 1).astype(y.dtype) if mode == "mean" else y


def _check_bag(at: Tensor, mode: str, weights: Any) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode={mode!r}", expected="one of 'sum', 'mean', 'max'")
    if weights is not None and mode != "sum":
        raise ArgumentError(f"embedding_bag: per_sample_weights with mode={mode!r}", expected="mode='sum'")
    if weights is not None and as_tensor(weights).shape != at.shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights of shape {as_tensor(weights).shape} for indices of shape {at.shape}",
            expected="equal shapes",
        )


def _bags(at: Tensor, offsets: Any, include_last: bool) -> tuple[int, Any]:
    """How many bags there are, and to which of them each index belongs."""
    if at.ndim == 2 and offsets is None:
        bags, size = at.shape
        return bags, arange(bags, dtype=int64).reshape(-1, 1).broadcast_to((bags, size)).reshape(-1)
    if at.ndim != 1 or offsets is None:
        raise ShapeError(
            f"embedding_bag: indices of shape {at.shape} {'without' if offsets is None else 'with'} offsets",
            expected="(bags, size), or (n,) with offsets (bags,)",
        )
    starts = as_tensor(offsets)
    _check_offsets(starts, at.shape[0], include_last)
    bags = starts.shape[0] - bool(include_last)
    place = arange(at.shape[0], dtype=starts.dtype)
    return bags, searchsorted(starts[:bags], place, side="right") - 1


def _check_offsets(offsets: Tensor, n: int, include_last: bool) -> None:
    if offsets.ndim != 1 or not offsets.dtype.is_integer or offsets.shape[0] < 1 + include_last:
        raise ShapeError(f"embedding_bag: offsets {offsets.node.spec!r}", expected="whole numbers of shape (bags,)")
    if offsets.node.data is None:
        return
    known = np.asarray(offsets.node.data)
    if known[0] != 0 or (np.diff(known) < 0).any() or known[-1] > n or (include_last and known[-1] != n):
        raise DataError(
            f"embedding_bag: offsets {known.tolist()} for {n} indices",
            expected=f"0 first, then numbers that do not fall, up to {n}" + " as the last" * include_last,
            where=whereabouts(),
        )
