"""Running sums, running products, and the linear recurrence that both come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType, dtype
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.assembling import concat
from weft.ops.engine import jnp, lax
from weft.ops.reduction import wide
from weft.ops.rules import normalize_axis, refusing
from weft.ops.shape import slice_op, unslice_op

# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────

cumulative_sum_op: Op = Op(  # from the end with ``reverse``
    "cumulative_sum",
    shape=lambda x, *, axis, reverse: Spec(x.shape, wide(x.dtype)),
    lower=lambda x, *, axis, reverse: lax.cumsum(x.astype(wide(dtype(x.dtype)).numpy), axis, reverse),
    host=lambda x, *, axis, reverse: _host_sum(np.flip(x, axis) if reverse else x, axis, reverse),
    vjp=lambda g, y, x, *, axis, reverse: (cumulative_sum_op(g, axis=axis, reverse=not reverse),),
    exact="whole",
)


def _host_sum(x: Any, axis: int, reverse: bool) -> Any:
    made = np.cumsum(x, axis=axis, dtype=wide(dtype(x.dtype)).numpy)
    return np.flip(made, axis) if reverse else made


def _combine(first: Any, second: Any) -> Any:
    """The composition of h ↦ a·h + b with a later one."""
    return first[0] * second[0], second[0] * first[1] + second[1]


def _recurrence_vjp(g: Any, y: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> tuple[Any, Any]:
    # What arrives at step t is its own part and that of the next step, brought back by its factor.
    towards = recurrence_op(_shifted(a, axis, not reverse), g, axis=axis, reverse=not reverse)
    return towards * _shifted(y, axis, reverse), towards


recurrence_op: Op = Op(  # h[t] = a[t] · h[t − 1] + b[t] along ``axis``, from h = 0; from the end with ``reverse``
    "recurrence",
    shape=refusing("bool", rule=lambda a, b, *, axis, reverse: a),
    lower=lambda a, b, *, axis, reverse: lax.associative_scan(_combine, (a, b), reverse=reverse, axis=axis)[1],
    vjp=_recurrence_vjp,
)


def _shifted(x: Any, axis: int, back: bool) -> Any:
    """``x`` one step later along ``axis`` (or earlier), with 0 coming in."""
    n = x.shape[axis]
    take, put = ((1, n, 1), (0, n - 1, 1)) if back else ((0, n - 1, 1), (1, n, 1))
    full = [(0, m, 1) for m in x.shape]
    taken = slice_op(x, bounds=tuple(take if k == axis else s for k, s in enumerate(full)))
    return unslice_op(taken, bounds=tuple(put if k == axis else s for k, s in enumerate(full)), shape=x.shape)


def _product_vjp(g: Any, y: Any, x: Any, *, axis: int) -> tuple[Any]:
    # Σ_{j ≥ i} g_j Π_{k ≤ j, k ≠ i} x_k: what comes before i as a product, what comes after as a recurrence, so that
    # nothing is divided by an element, which may be 0.
    if not x.shape[axis]:
        return (g,)
    before = _shifted(y, axis, False) + _first(x, axis)
    after = recurrence_op(_shifted(x, axis, True), g, axis=axis, reverse=True)
    return (before * after,)


def _first(x: Any, axis: int) -> Any:
    """1 at the first position along ``axis``, 0 elsewhere."""
    from weft.ops.creation import iota_op

    return (iota_op(shape=x.shape, axis=axis, dtype=dtype("int64")) == 0).astype(x.dtype)


cumulative_prod_op = Op(
    "cumulative_prod",
    shape=lambda x, *, axis: Spec(x.shape, wide(x.dtype)),
    lower=lambda x, *, axis: jnp.cumprod(x, axis=axis, dtype=wide(dtype(x.dtype)).numpy),
    vjp=_product_vjp,
    exact="whole",
)

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Any:
    """The running sum along ``axis``, which may be left out for one axis; ``include_initial`` begins with a 0.

    >>> import weft as wf
    >>> wf.cumulative_sum(wf.tensor([1, 2, 3]), include_initial=True).tolist()
    [0, 1, 3, 6]
    """
    return _running(cumulative_sum_op, x, axis, dtype, 0 if include_initial else None, reverse=False)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Any:
    """The running product along ``axis``, which may be left out for one axis; ``include_initial`` begins with a 1.

    >>> import weft as wf
    >>> wf.cumulative_prod(wf.tensor([1, 2, 3])).tolist()
    [1, 2, 6]
    """
    return _running(cumulative_prod_op, x, axis, dtype, 1 if include_initial else None)


def _running(op: Op, x: Any, axis: int | None, to: Any, initial: int | None, **options: Any) -> Any:
    from weft.ops.creation import full

    x = tensor_like(x)
    if x.ndim == 0 or (axis is None and x.ndim != 1):
        raise ShapeError(
            f"{op.name} of a tensor of shape {x.shape} without axis", cure="axis=0" if x.ndim else "x.reshape(1)"
        )
    at = normalize_axis(axis or 0, x.ndim)
    made = op(x if to is None else x.astype(to), axis=at, **options)
    made = made if to is None else made.astype(to)
    if initial is None:
        return made
    first = full((*x.shape[:at], 1, *x.shape[at + 1 :]), initial, dtype=made.dtype)
    return concat([first, made], axis=at)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along ``axis``, taken ``n`` times; of truth values, whether they differ.

    >>> import weft as wf
    >>> wf.diff(wf.tensor([1, 4, 9])).tolist()
    [3, 5]
    """
    x = tensor_like(x)
    if x.ndim == 0:
        raise ShapeError("diff of a tensor without axes", expected="at least one axis")
    if n < 0:
        raise ArgumentError(f"diff taken {n} times", expected="n ≥ 0")
    at = normalize_axis(axis, x.ndim)
    if n == 0:
        return x
    parts = [tensor_like(t) for t in (prepend, x, append) if t is not None]
    x = concat(parts, axis=at) if len(parts) > 1 else x
    for _ in range(n):
        m = max(x.shape[at], 1)
        later, earlier = (
            slice_op(x, bounds=tuple(bound if k == at else (0, size, 1) for k, size in enumerate(x.shape)))
            for bound in ((min(1, x.shape[at]), x.shape[at], 1), (0, m - 1, 1))
        )
        x = later != earlier if x.dtype.kind == "bool" else later - earlier
    return x


def trapezoid(y: Any, x: Any = None, /, *, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral along ``axis`` by the trapezoidal rule, Σ (xᵢ₊₁ − xᵢ)(yᵢ₊₁ + yᵢ) / 2, with steps ``dx`` or at ``x``.

    >>> import weft as wf
    >>> from weft.ops.accumulation import trapezoid
    >>> trapezoid(wf.tensor([1.0, 2.0, 3.0])).item()
    4.0
    """
    from weft.ops.statistics import sum

    return sum(_strips(y, x, dx, axis), axis=axis)


def cumulative_trapezoid(y: Any, x: Any = None, /, *, dx: float = 1.0, axis: int = -1) -> Any:
    """The running integral along ``axis`` by the trapezoidal rule, one element shorter than ``y``.

    >>> import weft as wf
    >>> from weft.ops.accumulation import cumulative_trapezoid
    >>> cumulative_trapezoid(wf.tensor([1.0, 2.0, 3.0])).tolist()
    [1.5, 4.0]
    """
    strips = _strips(y, x, dx, axis)
    return cumulative_sum(strips, axis=normalize_axis(axis, strips.ndim))


def _strips(y: Any, x: Any, dx: Any, axis: int) -> Any:
    """The areas between neighbours along ``axis``."""
    y = tensor_like(y)
    at = normalize_axis(axis, y.ndim)
    whole, n = [slice(None)] * y.ndim, y.shape[at]
    later, earlier = ((*whole[:at], part) for part in (slice(min(1, n), None), slice(0, max(n - 1, 0))))
    width = dx
    if x is not None:
        x = tensor_like(x)
        if x.ndim == 1 and x.shape[0] != n:
            raise ShapeError(f"trapezoid of {n} numbers at {x.shape[0]} places", expected="as many places as numbers")
        width = diff(x.reshape([-1 if a == at else 1 for a in range(y.ndim)]) if x.ndim == 1 else x, axis=axis)
    return width * (y[later] + y[earlier]) / 2
