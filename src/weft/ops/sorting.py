"""Order: sorting, and where a value would stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.op import Op, tensor_like
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.indexing import put_along_op, take_along_op
from weft.ops.rules import normalize_axis, refusing

_ordered = refusing("complex", rule=lambda x, **_: x)

# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────


def _order(x: Any, axis: int, descending: bool) -> tuple[Any, Any]:
    """The sorted elements and their positions."""
    if descending:  # sorted backwards, so that equal elements keep their order
        values, places = _order(jnp.flip(x, axis), axis, False)
        return jnp.flip(values, axis), x.shape[axis] - 1 - jnp.flip(places, axis)
    places = lax.broadcasted_iota("int32" if x.shape[axis] < 2**31 else "int64", x.shape, axis)
    values, places = lax.sort((x, places), dimension=axis, is_stable=True, num_keys=1)
    return values, places.astype("int64")


def _host_order(x: Any, axis: int, descending: bool) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")  # so that equal elements keep their order
    return x.shape[axis] - 1 - np.flip(backwards, axis)


argsort_op = Op(
    "argsort",
    shape=lambda x, *, axis, descending: Spec(_ordered(x).shape, int64),
    lower=lambda x, *, axis, descending: _order(x, axis, descending)[1],
    host=lambda x, *, axis, descending: _host_order(x, axis, descending),
    exact="whole",
)
sort_op: Op = Op(
    "sort",
    shape=lambda x, *, axis, descending: _ordered(x),
    lower=lambda x, *, axis, descending: jnp.sort(x, axis=axis, descending=descending, stable=True),
    host=lambda x, *, axis, descending: np.take_along_axis(x, _host_order(x, axis, descending), axis),
    vjp=lambda g, y, x, *, axis, descending: (
        put_along_op(g, argsort_op(x, axis=axis, descending=descending), axis=axis, size=x.shape[axis]),
    ),
    exact="whole",
)


def _places(x: Spec, values: Spec, *, side: str) -> Spec:
    return Spec(_ordered(values).shape, int64)


searchsorted_op = Op(
    "searchsorted",
    shape=_places,
    lower=lambda x, values, *, side: jnp.searchsorted(x, values, side=side).astype("int64"),
    exact="whole",
)

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """``x`` with its elements in order along ``axis``, NaN as the largest; equal ones keep theirs, ``stable`` or not.

    >>> import weft as wf
    >>> wf.sort(wf.tensor([3, 1, 2]), descending=True).tolist()
    [3, 2, 1]
    """
    x = tensor_like(x)
    at = _axis(x, axis, "sort")
    if x.node.tracked and context.tracking:  # the way back needs the positions, so that one sort must give both
        return take_along_op(x, argsort_op(x, axis=at, descending=descending), axis=at)
    return sort_op(x, axis=at, descending=descending)


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that sort ``x`` along ``axis``; equal elements keep their order, ``stable`` or not.

    >>> import weft as wf
    >>> wf.argsort(wf.tensor([3, 1, 2])).tolist()
    [1, 2, 0]
    """
    x = tensor_like(x)
    return argsort_op(x, axis=_axis(x, axis, "argsort"), descending=descending)


def _axis(x: Any, axis: int, name: str) -> int:
    if x.ndim == 0:
        raise ShapeError(f"{name} of a tensor without axes", expected="at least one axis")
    return normalize_axis(axis, x.ndim)


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where each element of ``x2`` would stand in the sorted vector ``x1``: before ("left") or after equal ones.

    >>> import weft as wf
    >>> wf.searchsorted(wf.tensor([1, 3, 5]), wf.tensor([3, 4])).tolist()
    [1, 2]
    """
    x1 = tensor_like(x1)
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted in a tensor of shape {x1.shape}", expected="one axis, in order")
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted with side={side!r}", expected='"left" or "right"')
    if sorter is not None:
        order = tensor_like(sorter)
        if not order.dtype.is_integer:
            raise DTypeError(f"a sorter of type {order.dtype.name}", expected="integers: wf.argsort(x1)")
        x1 = take_along_op(x1, order, axis=0)
    return searchsorted_op(x1, x2, side=side)
