"""Ops that reduce axes: sums, extremes, and where the extremes are."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import DType, bool_, dtype, int64, uint64
from weft.graph.op import Op, floating
from weft.graph.spec import Spec
from weft.ops.comparison import isfinite, where
from weft.ops.conversion import cast, detach, real
from weft.ops.engine import jnp
from weft.ops.exponential import exp
from weft.ops.rules import reduced, reduction, refusing
from weft.ops.shape import broadcast_to_op, flip_op, pad_op, permute_op, reshape_op, slice_op


def spread(g: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """A reduction's result laid back over the axes that it reduced."""
    return broadcast_to_op(reshape_op(g, shape=reduced(x.shape, axis, keepdims=True)), shape=x.shape)


def wide(dtype: DType) -> DType:
    """Sums of integers are 64 bits wide, as the Array API asks; floating types stay what they are."""
    return {"bool": int64, "int": int64, "uint": uint64}.get(dtype.kind, dtype)


sum_op = Op(
    "sum",
    shape=reduction(wide),
    exact="whole",
    lower=lambda x, *, axis, keepdims: jnp.sum(x, axis=axis, keepdims=keepdims, dtype=wide(dtype(x.dtype)).numpy),
    vjp=lambda g, y, x, *, axis, keepdims: (spread(g, x, axis),),
)
mean_op = Op(
    "mean",
    shape=reduction(),
    takes=floating,
    lower=lambda x, *, axis, keepdims: jnp.mean(x, axis=axis, keepdims=keepdims),
    vjp=lambda g, y, x, *, axis, keepdims: (spread(g * (_count(y) / _count(x)), x, axis),),
)


def _count(x: Any) -> int:
    return x.node.spec.size or 1


def _prod_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Any]:
    if x.node.spec.size == 0:
        return (spread(g, x, axis),)
    order = (*(a for a in range(x.ndim) if a not in axis), *axis)
    moved = permute_op(x, axes=order)
    rows = reshape_op(moved, shape=(*moved.shape[: x.ndim - len(axis)], -1))
    back = tuple(order.index(a) for a in range(x.ndim))
    return (spread(g, x, axis) * permute_op(reshape_op(_others(rows), shape=moved.shape), axes=back),)


def _others(x: Any) -> Any:
    """For each element the product of the others along the last axis; exact also where some are zero."""
    n = x.shape[-1]
    if n == 1:
        return x * 0 + 1
    if n % 2:
        x = pad_op(x, 1, widths=((0, 0),) * (x.ndim - 1) + ((0, 1),))
    pairs = reshape_op(x, shape=(*x.shape[:-1], -1, 2))
    rest = _others(prod_op(pairs, axis=(x.ndim,), keepdims=False))
    both = flip_op(pairs, axis=(x.ndim,)) * reshape_op(rest, shape=(*rest.shape, 1))
    flat = reshape_op(both, shape=x.shape)
    return slice_op(flat, bounds=tuple((0, m, 1) for m in (*x.shape[:-1], n)))


prod_op = Op(
    "prod",
    shape=reduction(wide),
    exact="whole",
    lower=lambda x, *, axis, keepdims: jnp.prod(x, axis=axis, keepdims=keepdims, dtype=wide(dtype(x.dtype)).numpy),
    vjp=_prod_vjp,
)


def _extreme_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Any]:
    # Elements that share the extreme share its gradient equally.
    chosen = cast(x == spread(y, x, axis), dtype=x.dtype)
    return (spread(g / sum_op(chosen, axis=axis, keepdims=keepdims), x, axis) * chosen,)


_ordered = refusing("complex", rule=lambda x: x)


def _extreme(x: Spec, *, axis: tuple[int, ...], keepdims: bool) -> Spec:
    if 0 in (x.shape[a] for a in axis):
        raise ShapeError(f"the extreme of no elements: shape {x.shape} along {axis}", expected="at least one element")
    return Spec(reduced(x.shape, axis, keepdims), _ordered(x).dtype)


max_op = Op(
    "max",
    shape=_extreme,
    exact="whole",
    lower=lambda x, *, axis, keepdims: jnp.max(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp,
)
min_op = Op(
    "min",
    shape=_extreme,
    exact="whole",
    lower=lambda x, *, axis, keepdims: jnp.min(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp,
)


def _logsumexp_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Any]:
    # In the terms of the lowering, which the compiler then computes once: one exponential instead of two.
    powers, total = _powers(x, axis)
    share = reshape_op(g, shape=total.shape) / where(total == 0, 1, total)
    return (share * powers,)


def _powers(x: Any, axis: tuple[int, ...]) -> tuple[Any, Any]:
    """exp(x − max) and its sum; where all is −∞, zeros."""
    size = real(x) if x.dtype.kind == "complex" else x
    top = detach(max_op(size, axis=axis, keepdims=True))  # any number would do: it cancels
    powers = exp(x - where(isfinite(top), top, 0))
    return powers, sum_op(powers, axis=axis, keepdims=True)


def _logsumexp_lower(x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    top = jnp.max(jnp.real(x), axis=axis, keepdims=True, initial=-math.inf)
    top = jnp.where(jnp.isfinite(top), top, jnp.zeros((), top.dtype)).astype(x.dtype)
    made = jnp.log(jnp.sum(jnp.exp(x - top), axis=axis, keepdims=True)) + top
    return made if keepdims else jnp.squeeze(made, axis)


logsumexp_op = Op(
    "logsumexp",
    shape=reduction(),
    takes=floating,
    lower=_logsumexp_lower,
    vjp=_logsumexp_vjp,
)


def _true(x: Any) -> Any:
    """Whether each element is not zero; the engine's own conversion looks at real parts alone."""
    return x if x.dtype.kind == "b" else x != 0


any_op = Op(
    "any",
    exact="whole",
    shape=reduction(lambda _: bool_),
    lower=lambda x, *, axis, keepdims: jnp.any(_true(x), axis=axis, keepdims=keepdims),
)
all_op = Op(
    "all",
    exact="whole",
    shape=reduction(lambda _: bool_),
    lower=lambda x, *, axis, keepdims: jnp.all(_true(x), axis=axis, keepdims=keepdims),
)


def _position(x: Spec, *, axis: int, keepdims: bool) -> Spec:
    _ordered(x)
    if x.shape[axis] == 0:
        raise ShapeError(f"the position of the extreme of no elements: shape {x.shape}", expected="at least one")
    return Spec(reduced(x.shape, (axis,), keepdims), int64)


argmax_op = Op(
    "argmax",
    shape=_position,
    lower=lambda x, *, axis, keepdims: jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int64"),
    exact="whole",
)
argmin_op = Op(
    "argmin",
    shape=_position,
    lower=lambda x, *, axis, keepdims: jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int64"),
    exact="whole",
)
