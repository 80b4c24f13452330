"""Reading and writing at positions."""

from __future__ import annotations

from typing import Any

import numpy as np

import weft as wf
from weft.ops import segments

from .bridge import Mapped
from .words import as_row


def _grid(index: Any, dim: int) -> tuple[Any, ...]:
    """The key of the places that PyTorch's gather and scatter mean: ``index`` along ``dim``."""
    shape = index.shape
    key = [wf.arange(n).reshape([-1 if a == k else 1 for a in range(len(shape))]) for k, n in enumerate(shape)]
    key[dim % len(shape)] = index
    return tuple(key)


def _cut(x: Any, index: Any) -> Any:
    return x[tuple(slice(0, n) for n in index.shape)]


def gather(x: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    if x.ndim == 0:
        return as_row(x)[index]
    if index.size == 0:
        return wf.zeros(index.shape, dtype=x.dtype) + 0 * wf.sum(x)
    dim %= x.ndim
    rest = x[tuple(slice(None) if a == dim else slice(0, n) for a, n in enumerate(index.shape))]
    return wf.take_along_axis(rest, index, axis=dim)


def _written(x: Any, dim: int, index: Any, source: Any, mode: str) -> Any:
    if x.ndim == 0:
        return _written(
            as_row(x), 0, as_row(index), as_row(source) if isinstance(source, wf.Tensor) else source, mode
        ).reshape(())
    if index.size == 0:
        return x.clone()
    source = _cut(source, index) if isinstance(source, wf.Tensor) else source
    return getattr(x.at[_grid(index, dim)], mode)(source)


def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None) -> Any:
    source = value if src is None else src
    if reduce == "multiply":
        return _scattered(x, dim, index, source, segments.segment_prod, wf.multiply, 1)
    return _written(x, dim, index, source, {None: "set", "add": "add"}[reduce])


def _scattered(
    x: Any, dim: int, index: Any, source: Any, reduce: Any, combine: Any, identity: Any, include_self: bool = True
) -> Any:
    """PyTorch's scatter with a reduction, as segments: the places are numbers of the flattened tensor."""
    if x.ndim == 0:
        return _scattered(as_row(x), 0, as_row(index), as_row(source), reduce, combine, identity, include_self).reshape(
            ()
        )
    if index.size == 0:
        return x.clone()
    places = wf.arange(x.size).reshape(x.shape)[_grid(index, dim)]
    source = _cut(source, index) if isinstance(source, wf.Tensor) else wf.full(index.shape, source, dtype=x.dtype)
    flat, at = x.reshape(-1), places.reshape(-1)
    found = reduce(source.reshape(-1), at, count=x.size)
    hit = wf.zeros(x.size, dtype=wf.bool).at[at].set(True)
    both = combine(flat, found) if include_self else found
    return wf.where(hit, both, flat).reshape(x.shape)


def scatter_reduce(x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    if reduce in ("amax", "amin"):
        f = segments.segment_max if reduce == "amax" else segments.segment_min
        joined = wf.maximum if reduce == "amax" else wf.minimum
        return _scattered(x, dim, index, src, f, joined, 0, include_self)
    if reduce == "prod":
        return _scattered(x, dim, index, src, segments.segment_prod, wf.multiply, 1, include_self)
    if reduce == "sum":
        if include_self:
            return _written(x, dim, index, src, "add")
        return _scattered(x, dim, index, src, segments.segment_sum, wf.add, 0, include_self)
    return _mean(x, dim, index, src, include_self)


def _mean(x: Any, dim: int, index: Any, src: Any, include_self: bool) -> Any:
    base = x if include_self else _written(x, dim, index, 0.0, "set")
    total = _written(base, dim, index, src, "add")
    count = _written(wf.full_like(x, 1.0), dim, index, 1.0, "add")
    count = count if include_self else wf.maximum(count - 1, 1)
    return total / count


def _at(x: Any, dim: int, index: Any) -> tuple[Any, ...]:
    return (slice(None),) * (dim % x.ndim) + (as_row(index),)


def index_select(x: Any, dim: int, index: Any) -> Any:
    if x.ndim == 0:
        return as_row(x)[as_row(index)].reshape(())
    return wf.take(x, as_row(index), axis=dim)


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    if x.ndim == 0:
        return x + source.reshape(()) * alpha
    return x.at[_at(x, dim, index)].add(source * alpha if alpha != 1 else source)


def index_copy(x: Any, dim: int, index: Any, source: Any) -> Any:
    if x.ndim == 0:
        return index_copy(as_row(x), 0, index, as_row(source)).reshape(())
    key = _at(x, dim, index)
    return x.at[key].set(source.reshape(x[key].shape))


def index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    if x.ndim == 0:
        return index_fill(as_row(x), 0, index, value).reshape(())
    return x.at[_at(x, dim, index)].set(value)


def index_reduce(x: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    if x.ndim == 0:
        return index_reduce(as_row(x), 0, as_row(index), as_row(source), reduce, include_self=include_self).reshape(())
    shape = [1] * x.ndim
    shape[dim % x.ndim] = -1
    grid = wf.broadcast_to(as_row(index).reshape(shape), source.shape)
    return scatter_reduce(x, dim, grid, source, reduce, include_self=include_self)


def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    place = x.at[tuple(indices)]
    return place.add(values) if accumulate else place.set(values)


def put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    if index.size == 0:
        return x.clone()
    flat = x.reshape(-1).at[index.reshape(-1)]
    source = source.reshape(-1)
    return (flat.add(source) if accumulate else flat.set(source)).reshape(x.shape)


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    return wf.where(mask, value, x)


def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    x, mask = wf.broadcast_arrays(x, mask)
    count = int(wf.count_nonzero(mask))
    return x.at[mask].set(source.reshape(-1)[:count])


def masked_select(x: Any, mask: Any) -> Any:
    x, mask = wf.broadcast_arrays(as_row(x), as_row(mask))
    return x[mask]


def select(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


def select_scatter(x: Any, src: Any, dim: int, index: int) -> Any:
    return x.at[(slice(None),) * (dim % x.ndim) + (index,)].set(src)


def slice_scatter(x: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x.at[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)].set(src)


def diagonal_scatter(x: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    moved = wf.moveaxis(x, (dim1, dim2), (-2, -1))
    n = src.shape[-1]
    rows = np.arange(n) - min(offset, 0)
    key = (..., wf.tensor(rows), wf.tensor(rows + offset))
    return wf.moveaxis(moved.at[key].set(src), (-2, -1), (dim1, dim2))


def take(x: Any, index: Any) -> Any:
    return x.reshape(-1)[index]


def take_along_dim(x: Any, index: Any, dim: Any = None) -> Any:
    if dim is None:
        return wf.take_along_axis(x.reshape(-1), index.reshape(-1), axis=0)
    return wf.take_along_axis(x, index, axis=dim)


def searchsorted(
    sequence: Any, values: Any, *, out_int32: bool = False, right: bool = False, side: Any = None, sorter: Any = None
) -> Any:
    """Weft's takes one vector to search in."""
    return wf.searchsorted(sequence, values, side=side or ("right" if right else "left"), sorter=sorter)


def unique(
    x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    found = wf.unique_all(x)
    results = [
        found.values,
        *([found.inverse_indices] if return_inverse else []),
        *([found.counts] if return_counts else []),
    ]
    return results[0] if len(results) == 1 else tuple(results)


def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    return wf.nonzero(x) if as_tuple else wf.stack(wf.nonzero(x), axis=1)


SCALARS = {"positions in a scalar, which has no axes: refused, as by the Array API": lambda x, **_: x.ndim == 0}

OPERATORS = {
    "gather": gather,
    "scatter": scatter,
    "scatter_add": lambda x, dim, index, src: _written(x, dim, index, src, "add"),
    **{f"scatter_reduce.{kind}": scatter_reduce for kind in ("sum", "prod", "mean", "amin", "amax")},
    "index_select": index_select,
    "index_add": index_add,
    "index_copy": index_copy,
    "index_fill": index_fill,
    **{f"index_reduce.{kind}": index_reduce for kind in ("prod", "mean", "amin", "amax")},
    "index_put": index_put,
    "put": put,
    "take": take,
    "take_along_dim": take_along_dim,
    "masked_fill": masked_fill,
    "masked_scatter": masked_scatter,
    "masked_select": masked_select,
    "select": select,
    "select_scatter": select_scatter,
    "slice_scatter": slice_scatter,
    "diagonal_scatter": diagonal_scatter,
    "__getitem__": lambda x, key: x[key],
    "nonzero": Mapped(nonzero, skip=SCALARS),
    "argwhere": Mapped(nonzero, skip=SCALARS),
    "searchsorted": Mapped(
        searchsorted,
        skip={"sequences in several rows: Weft, as NumPy, searches in one": lambda s, *a, **k: s.ndim != 1},
    ),
    "unique": Mapped(
        unique,
        skip={
            "unique slices along an axis: Weft, as the Array API, finds unique elements": lambda x, *a, **k: (
                k.get("dim") is not None
            )
        },
    ),
    "isin": lambda x, y, *, assume_unique=False, invert=False: wf.isin(x, y, invert=invert),
}
