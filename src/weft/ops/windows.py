"""Windows along an axis, and their transpose: every element of every window added back where it was taken.

Window number k begins at k · step; its elements lie ``dilation`` apart. Pooling, im2col and frames are made of this.
"""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import Op, tensor_like
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.patches import window_count
from weft.ops.rules import normalize_axis, refusing
from weft.ops.shape import permute_op

Pair = tuple[int, int]
SLICES = 32  # up to so many elements a window is a slice for each of them; beyond, positions are gathered

# ── geometry ────────────────────────────────────────────────────────────────────────────────────────────────


def span(window: int, dilation: int) -> int:
    """How far a window of ``window`` elements reaches."""
    return dilation * (window - 1) + 1


def padded(x: Any, fill: Any, axis: int, padding: Pair) -> Any:
    """``x`` with ``fill`` before and after ``axis``."""
    if padding == (0, 0):
        return x
    return lax.pad(x, jnp.asarray(fill, x.dtype), [(*padding, 0) if a == axis else (0, 0, 0) for a in range(x.ndim)])


def slices(x: Any, *, axis: int, window: int, stride: int, dilation: int) -> list[Any]:
    """For each position within the window, the elements that all windows have there."""
    count = window_count(x.shape[axis], window=span(window, dilation), stride=stride, padding=(0, 0))
    reach = (count - 1) * stride + 1
    return [lax.slice_in_dim(x, k, k + reach, stride, axis) for k in range(0, dilation * window, dilation)]


def assemble(parts: list[Any], size: int, *, axis: int, stride: int, padding: Pair, dilation: int) -> Any:
    """The transpose of `slices` of a padded axis of ``size``: every element at its place, overlaps added."""
    zero = jnp.zeros((), parts[0].dtype)
    if stride == len(parts) and padding == (0, 0) and dilation == 1:  # side by side: far faster than sums
        return _side_by_side(jnp.stack(parts, axis + 1), size, axis)
    reach = (parts[0].shape[axis] - 1) * stride + 1
    total = None
    for k, part in enumerate(parts):
        before = k * dilation - padding[0]
        place = (before, size - before - reach, stride - 1)
        laid = lax.pad(part, zero, [place if a == axis else (0, 0, 0) for a in range(part.ndim)])
        total = laid if total is None else total + laid
    return total


def _side_by_side(windows: Any, size: int, axis: int) -> Any:
    count, window = windows.shape[axis : axis + 2]
    whole = windows.reshape(*windows.shape[:axis], count * window, *windows.shape[axis + 2 :])
    return padded(whole, 0, axis, (0, size - whole.shape[axis]))


def positions(count: int, size: int, step: int, dilation: int) -> Any:
    """The position of every element (columns) of every window (rows)."""
    return jnp.arange(count)[:, None] * step + jnp.arange(size) * dilation


def windows_of(x: Any, *, axis: int, size: int, step: int, dilation: int = 1) -> Any:
    """The array of windows: the number of the window stays at ``axis``, its elements follow."""
    count = window_count(x.shape[axis], window=span(size, dilation), stride=step, padding=(0, 0))
    if step == size and dilation == 1:
        x = lax.slice_in_dim(x, 0, count * size, 1, axis)
        return x.reshape(*x.shape[:axis], count, size, *x.shape[axis + 1 :])
    if size <= SLICES:
        return jnp.stack(slices(x, axis=axis, window=size, stride=step, dilation=dilation), axis + 1)
    return jnp.take(x, positions(count, size, step, dilation), axis)


def added_windows(g: Any, *, axis: int, length: int, step: int, dilation: int = 1) -> Any:
    """The transpose of `windows_of` for an axis of ``length``."""
    count, size = g.shape[axis : axis + 2]
    if step == size and dilation == 1:
        return _side_by_side(g, length, axis)
    if size <= SLICES:
        parts = [lax.index_in_dim(g, k, axis + 1, keepdims=False) for k in range(size)]
        return assemble(parts, length, axis=axis, stride=step, padding=(0, 0), dilation=dilation)
    at = (*(slice(None) for _ in range(axis)), positions(count, size, step, dilation))
    return jnp.zeros((*g.shape[:axis], length, *g.shape[axis + 2 :]), g.dtype).at[at].add(g)


# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────


def _windows(x: Spec, *, axis: int, size: int, step: int, dilation: int) -> Spec:
    count = window_count(x.shape[axis], window=span(size, dilation), stride=step, padding=(0, 0))
    if count < 1:
        raise ShapeError(
            f"windows of {size} elements, {dilation} apart, do not fit axis {axis} of shape {x.shape}",
            expected="an axis at least as long as a window",
            cure="a smaller window, or padding",
        )
    return Spec((*x.shape[:axis], count, size, *x.shape[axis + 1 :]), x.dtype)


def _added(g: Spec, *, axis: int, length: int, step: int, dilation: int) -> Spec:
    return Spec((*g.shape[:axis], length, *g.shape[axis + 2 :]), g.dtype)


windows_op: Op = Op(
    "windows",
    shape=_windows,
    lower=windows_of,
    vjp=lambda g, y, x, *, axis, size, **window: (overlap_add_op(g, axis=axis, length=x.shape[axis], **window),),
)
overlap_add_op: Op = Op(  # the transpose of windows
    "overlap_add",
    shape=refusing("bool", rule=_added),
    lower=added_windows,
    vjp=lambda c, y, g, *, axis, length, **window: (windows_op(c, axis=axis, size=g.shape[axis + 1], **window),),
)

# ── the function that people call ───────────────────────────────────────────────────────────────────────────


def sliding_windows(x: Any, /, size: int, *, axis: int = -1, step: int = 1) -> Any:
    """Every window of ``size`` neighbours along ``axis``, one each ``step``: its elements are a new last axis.

    >>> import weft as wf
    >>> from weft.ops.windows import sliding_windows
    >>> sliding_windows(wf.tensor([1, 2, 3, 4, 5]), 3, step=2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    x = tensor_like(x)
    if x.ndim == 0:
        raise ShapeError("sliding_windows of a tensor without axes", expected="at least one axis")
    if size < 1 or step < 1:
        raise ArgumentError(f"sliding_windows with size={size}, step={step}", expected="size ≥ 1 and step ≥ 1")
    at = normalize_axis(axis, x.ndim)
    y = windows_op(x, axis=at, size=size, step=step, dilation=1)
    return permute_op(y, axes=(*range(at + 1), *range(at + 2, y.ndim), at + 1))
