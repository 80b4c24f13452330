"""What has been met so far along an axis: where the extreme is, and log Σ exp."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import dtype, int64
from weft.graph.op import Op, floating, tensor_like
from weft.graph.spec import Spec
from weft.ops.accumulation import recurrence_op
from weft.ops.comparison import where
from weft.ops.engine import jnp, lax
from weft.ops.exponential import exp
from weft.ops.rules import normalize_axis, refusing, same
from weft.ops.shape import concat_op, slice_op

_ordered = refusing("complex", rule=lambda x, **_: x)

# ── extremes ────────────────────────────────────────────────────────────────────────────────────────────────

running_max_op = Op(
    "running_max", shape=refusing("bool", rule=_ordered), lower=lambda x, *, axis: lax.cummax(x, axis=axis)
)


def _position_so_far(x: Any, *, axis: int, largest: bool) -> Any:
    x = x.astype("uint8") if dtype(x.dtype).kind == "bool" else x
    extreme = lax.cummax(x, axis=axis) if largest else lax.cummin(x, axis=axis)
    hit = (x == extreme) | (x != x)
    number = lax.broadcasted_iota(int, x.shape, axis)
    return lax.cummax(jnp.where(hit, number, jnp.zeros_like(number)), axis=axis).astype("int64")


extreme_so_far_op = Op(  # where the (last) largest or smallest element up to each place is
    "extreme_so_far", shape=lambda x, *, axis, largest: Spec(_ordered(x).shape, int64), lower=_position_so_far
)

# ── log Σ exp so far ────────────────────────────────────────────────────────────────────────────────────────


def _neighbour(y: Any, axis: int) -> Any:
    """What comes after each place along ``axis``; after the last, the last again."""
    n = y.shape[axis]
    rest, last = (
        slice_op(y, bounds=tuple((first, n, 1) if a == axis else (0, m, 1) for a, m in enumerate(y.shape)))
        for first in (1, n - 1)
    )
    return concat_op(rest, last, axis=axis)


def _ratio(part: Any, whole: Any) -> Any:
    """exp(part − whole) for part ≤ whole, also where both are infinite."""
    return where(part == -math.inf, 0, exp(where(part == whole, 0, part - whole)))


def _logsumexp_vjp(g: Any, y: Any, x: Any, *, axis: int) -> tuple[Any]:
    # Σ_{j ≥ i} g_j exp(x_i − y_j), summed from the end by ratios of neighbours, none of which is above 1.
    if x.shape[axis] == 0:
        return (g,)
    behind = recurrence_op(_ratio(y, _neighbour(y, axis)), g, axis=axis, reverse=True)
    return (behind * _ratio(x, y),)


cumulative_logsumexp_op = Op(
    "cumulative_logsumexp",
    shape=refusing("complex", rule=lambda x, *, axis: same(x)),
    takes=floating,
    lower=lambda x, *, axis: lax.cumlogsumexp(x, axis=axis),
    vjp=_logsumexp_vjp,
)


def cumulative_logsumexp(x: Any, /, *, axis: int | None = None) -> Any:
    """The logarithm of Σ exp(x) up to each place along ``axis``, which may be left out for one axis; without overflow.

    >>> import weft as wf
    >>> from weft.ops.running import cumulative_logsumexp
    >>> [round(y, 3) for y in cumulative_logsumexp(wf.tensor([1000.0, 1000.0])).tolist()]
    [1000.0, 1000.693]
    """
    x = tensor_like(x)
    if x.ndim == 0 or (axis is None and x.ndim != 1):
        raise ShapeError(
            f"cumulative_logsumexp of a tensor of shape {x.shape} without axis",
            cure="axis=0" if x.ndim else "x.reshape(1)",
        )
    return cumulative_logsumexp_op(x, axis=normalize_axis(axis or 0, x.ndim))
