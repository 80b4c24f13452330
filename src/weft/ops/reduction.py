"""Ops that reduce axes: sums, extremes, and where the extremes are."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import DType, bool_, dtype, int64, uint64
from weft.graph.op import Op, floating
from weft.graph.spec import Spec
from weft.ops.elementwise import cast, exp, sqrt
from weft.ops.engine import jnp, special
from weft.ops.rules import Axes, normalize_axes, normalize_axis, reduced, reduction
from weft.ops.shape import broadcast_to_op, flip_op, pad_op, permute_op, reshape_op, slice_op


def spread(g: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """A reduction's result laid back over the axes that it reduced."""
    return broadcast_to_op(reshape_op(g, shape=reduced(x.shape, axis, keepdims=True)), shape=x.shape)


def _wide(dtype: DType) -> DType:
    """Sums of integers are 64 bits wide, as the Array API asks; floating types stay what they are."""
    return {"bool": int64, "int": int64, "uint": uint64}.get(dtype.kind, dtype)


sum_op = Op(
    "sum",
    shape=reduction(_wide),
    lower=lambda x, *, axis, keepdims: jnp.sum(x, axis=axis, keepdims=keepdims, dtype=_wide(dtype(x.dtype)).numpy),
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
    shape=reduction(_wide),
    lower=lambda x, *, axis, keepdims: jnp.prod(x, axis=axis, keepdims=keepdims, dtype=_wide(dtype(x.dtype)).numpy),
    vjp=_prod_vjp,
)


def _extreme_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Any]:
    # Elements that share the extreme share its gradient equally.
    chosen = cast(x == spread(y, x, axis), dtype=x.dtype)
    return (spread(g, x, axis) * chosen / sum_op(chosen, axis=axis, keepdims=True),)


def _extreme(x: Spec, *, axis: tuple[int, ...], keepdims: bool) -> Spec:
    if 0 in (x.shape[a] for a in axis):
        raise ShapeError(f"the extreme of no elements: shape {x.shape} along {axis}", expected="at least one element")
    return Spec(reduced(x.shape, axis, keepdims), x.dtype)


max_op = Op(
    "max",
    shape=_extreme,
    lower=lambda x, *, axis, keepdims: jnp.max(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp,
)
min_op = Op(
    "min",
    shape=_extreme,
    lower=lambda x, *, axis, keepdims: jnp.min(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp,
)
logsumexp_op = Op(
    "logsumexp",
    shape=reduction(),
    takes=floating,
    lower=lambda x, *, axis, keepdims: special.logsumexp(x, axis=axis, keepdims=keepdims),
    vjp=lambda g, y, x, *, axis, keepdims: (spread(g, x, axis) * exp(x - spread(y, x, axis)),),
)
any_op = Op(
    "any",
    shape=reduction(lambda _: bool_),
    lower=lambda x, *, axis, keepdims: jnp.any(x, axis=axis, keepdims=keepdims),
)
all_op = Op(
    "all",
    shape=reduction(lambda _: bool_),
    lower=lambda x, *, axis, keepdims: jnp.all(x, axis=axis, keepdims=keepdims),
)


def _position(x: Spec, *, axis: int, keepdims: bool) -> Spec:
    if x.shape[axis] == 0:
        raise ShapeError(f"the position of the extreme of no elements: shape {x.shape}", expected="at least one")
    return Spec(reduced(x.shape, (axis,), keepdims), int64)


argmax_op = Op(
    "argmax",
    shape=_position,
    lower=lambda x, *, axis, keepdims: jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int64"),
)
argmin_op = Op(
    "argmin",
    shape=_position,
    lower=lambda x, *, axis, keepdims: jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int64"),
)
cumulative_sum_op = Op(
    "cumulative_sum",
    shape=lambda x, *, axis: Spec(x.shape, _wide(x.dtype)),
    lower=lambda x, *, axis: jnp.cumsum(x, axis=axis, dtype=_wide(dtype(x.dtype)).numpy),
    vjp=lambda g, y, x, *, axis: (_reversed_sum(g, axis),),
)
argsort_op = Op(
    "argsort",
    shape=lambda x, *, axis, descending: Spec(x.shape, int64),
    lower=lambda x, *, axis, descending: jnp.argsort(x, axis=axis, descending=descending, stable=True).astype("int64"),
)


def _reversed_sum(g: Any, axis: int) -> Any:
    return g.flip(axis=axis).cumulative_sum(axis=axis).flip(axis=axis)


# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def sum(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis`` (by default over all); integers sum in 64 bits.

    >>> import weft as wf
    >>> wf.sum(wf.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    """
    return sum_op(_as(x, dtype), axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def prod(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over ``axis``."""
    return prod_op(_as(x, dtype), axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def _as(x: Any, to: Any) -> Any:
    return x if to is None else x.astype(to)


def mean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The arithmetic mean over ``axis``."""
    return mean_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def var(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance over ``axis``: Σ (x − mean)² / (n − correction)."""
    axes = normalize_axes(axis, x.ndim)
    deviation = x - mean_op(x, axis=axes, keepdims=True)
    n = 1
    for a in axes:
        n *= x.shape[a]
    return sum_op(deviation * deviation, axis=axes, keepdims=keepdims) / (n - correction)


def std(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The standard deviation over ``axis``."""
    return sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def max(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The largest element over ``axis``; ties share the gradient."""
    return max_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def min(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The smallest element over ``axis``; ties share the gradient."""
    return min_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def logsumexp(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The logarithm of Σ exp(x) over ``axis``, without overflow."""
    return logsumexp_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def any(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether any element over ``axis`` is true (not zero)."""
    return any_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def all(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether all elements over ``axis`` are true (not zero)."""
    return all_op(x, axis=normalize_axes(axis, x.ndim), keepdims=keepdims)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) largest element along ``axis``, or in the flattened tensor."""
    return _flat(argmax_op, x, axis, keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the (first) smallest element along ``axis``, or in the flattened tensor."""
    return _flat(argmin_op, x, axis, keepdims)


def _flat(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    if axis is not None:
        return op(x, axis=normalize_axis(axis, x.ndim), keepdims=keepdims)
    found = op(reshape_op(x, shape=(-1,)), axis=0, keepdims=False)
    return reshape_op(found, shape=(1,) * x.ndim) if keepdims else found


def cumulative_sum(x: Any, /, *, axis: int | None = None) -> Any:
    """The running sum along ``axis``, which may be left out for a tensor with one axis."""
    if axis is None and x.ndim != 1:
        raise ShapeError(f"cumulative_sum of a tensor of shape {x.shape} without axis", cure="axis=0")
    return cumulative_sum_op(x, axis=normalize_axis(axis or 0, x.ndim))


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False) -> Any:
    """The order that sorts ``x`` along ``axis``; equal elements keep theirs."""
    return argsort_op(x, axis=normalize_axis(axis, x.ndim), descending=descending)
