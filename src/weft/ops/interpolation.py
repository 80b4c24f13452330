"""Resampling along an axis: each new element is a weighted sum of the old ones, so an axis is a matrix product.

The matrices here hold a row of weights for each new element. ``step`` is the distance of two new elements measured
in old ones, a number of the program's arguments: another factor of the same sizes compiles nothing.
"""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import DType, int64
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.arithmetic import abs, clip, floor, maximum
from weft.ops.comparison import logical_and, where
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.engine import jnp
from weft.ops.indexing import gather_op
from weft.ops.linalg import dot
from weft.ops.manipulation import moveaxis
from weft.ops.shape import permute_op, reshape_op

# ── the op ──────────────────────────────────────────────────────────────────────────────────────────────────


def _mix(x: Spec, w: Spec, *, axis: int) -> Spec:
    if w.ndim != 2 or w.shape[1] != x.shape[axis]:
        raise ShapeError(
            f"weights of shape {w.shape} for axis {axis} of shape {x.shape}",
            expected=f"(new size, {x.shape[axis]})",
        )
    return Spec((*x.shape[:axis], w.shape[0], *x.shape[axis + 1 :]), x.dtype)


def _mix_lower(x: Any, w: Any, *, axis: int) -> Any:
    # Pixels are data, not features: no platform may round them to fewer digits.
    return jnp.moveaxis(jnp.tensordot(x, w, ((axis,), (1,)), precision="highest"), -1, axis)


def _rows(x: Any, axis: int) -> Any:
    moved = moveaxis(x, axis, -1)
    return reshape_op(moved, shape=(moved.node.spec.size // max(moved.shape[-1], 1), moved.shape[-1]))


mix_op: Op = Op(  # Σᵢ w[o, i] · x[…, i, …] along ``axis``
    "mix",
    shape=_mix,
    lower=_mix_lower,
    vjp=lambda g, y, x, w, *, axis: (
        mix_op(g, permute_op(w, axes=(1, 0)), axis=axis),
        dot(_rows(g, axis), _rows(x, axis), ta=True, tb=False),
    ),
)

# ── weights ─────────────────────────────────────────────────────────────────────────────────────────────────


def _count(n: int, axis: int, dtype: DType) -> Any:
    """0 … n − 1 as a column (axis 0) or a row (axis 1)."""
    return iota_op(shape=(n, 1) if axis == 0 else (1, n), axis=axis, dtype=dtype)


def centres(n: int, size: int, step: Any, align_corners: bool) -> Any:
    """Where among ``n`` old elements each of ``size`` new ones lies, as a column in the type of ``step``.

    The corners of the outer elements meet; with ``align_corners`` their centres do.
    """
    new = _count(size, 0, step.dtype)
    if align_corners:
        return new * ((n - 1) / (size - 1)) if size > 1 else new
    return (new + 0.5) * step - 0.5


def linear_weights(n: int, size: int, step: Any, align_corners: bool) -> Any:
    """Weights that fall to 0 at a distance of one element; beyond the ends the last element counts."""
    at = clip(centres(n, size, step, align_corners), 0, n - 1)
    return maximum(1 - abs(at - _count(n, 1, step.dtype)), 0)


def cubic_weights(n: int, size: int, step: Any, align_corners: bool) -> Any:
    """Weights of Keys's cubic with a = −3/4 on four elements; beyond the ends the last element counts again."""
    at = centres(n, size, step, align_corners)
    first, old = floor(at), _count(n, 1, step.dtype)
    total: Any = None
    for tap in (-1, 0, 1, 2):
        here = where(clip(first + tap, 0, n - 1) == old, cubic(at - first - tap, -0.75), 0)
        total = here if total is None else total + here
    return total


def cubic(distance: Any, a: float) -> Any:
    """Keys's cubic convolution kernel of 1981, which reaches two elements far.

    >>> import weft as wf
    >>> from weft.ops.interpolation import cubic
    >>> cubic(wf.tensor([0.0, 1.0, 1.5, 2.0]), -0.75).tolist()
    [1.0, 0.0, -0.09375, 0.0]
    """
    d = abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return where(d <= 1, near, where(d < 2, far, 0))


def smooth_weights(n: int, size: int, step: Any, align_corners: bool, kind: str) -> Any:
    """Linear or cubic weights, widened where the new elements are farther apart than the old: no aliasing."""
    if align_corners:
        step = step * 0 + ((n - 1) / (size - 1) if size > 1 else 0)
    wide = maximum(step, 1)
    at = (_count(size, 0, step.dtype) + 0.5) * step
    distance = (_count(n, 1, step.dtype) + 0.5 - at) / wide
    weights = cubic(distance, -0.5) if kind == "cubic" else maximum(1 - abs(distance), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def area_weights(n: int, size: int, dtype: DType) -> Any:
    """Equal weights on the elements from ⌊i·n/size⌋ to ⌈(i+1)·n/size⌉, for the i-th new element."""
    new, old = _count(size, 0, int64), _count(n, 1, int64)
    start, stop = new * n // size, -(-(new + 1) * n // size)
    return cast(logical_and(old >= start, old < stop), dtype=dtype) / cast(stop - start, dtype=dtype)


# ── the nearest element ─────────────────────────────────────────────────────────────────────────────────────


def nearest(x: Any, size: int, step: Any, *, axis: int, middle: bool) -> Any:
    """The old element in which each new one begins or, with ``middle``, in which its middle lies."""
    n = x.shape[axis]
    new = iota_op(shape=(size,), axis=0, dtype=step.dtype)
    at = clip(floor((new + 0.5 if middle else new) * step), 0, n - 1)
    return gather_op(x, cast(at, dtype=int64), pattern=tuple(a == axis for a in range(x.ndim)))
