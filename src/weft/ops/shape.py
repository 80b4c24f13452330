"""Ops that move elements without changing them."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.rules import broadcast_shapes, normalize_axis


def resolve_shape(shape: Any, size: int) -> tuple[int, ...]:
    """``shape`` with its -1, if any, replaced so that it has ``size`` elements."""
    wanted = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if wanted.count(-1) > 1 or any(n < -1 for n in wanted):
        raise ShapeError(f"reshape to {wanted}", expected="sizes ≥ 0 and at most one -1, which is inferred")
    rest = math.prod(n for n in wanted if n != -1)
    result = tuple((size // rest if rest else 0) if n == -1 else n for n in wanted)
    if math.prod(result) != size:
        raise ShapeError(f"{size} elements do not fill the shape {wanted}", expected=f"a shape of {size} elements")
    return result


def _reshape(x: Spec, *, shape: tuple[int, ...]) -> Spec:
    return Spec(resolve_shape(shape, x.size), x.dtype)


reshape_op: Op = Op(
    "reshape",
    shape=_reshape,
    lower=lambda x, *, shape: jnp.reshape(x, shape),
    vjp=lambda g, y, x, *, shape: (reshape_op(g, shape=x.shape),),
)


def _broadcast_to(x: Spec, *, shape: tuple[int, ...]) -> Spec:
    if broadcast_shapes(x.shape, shape) != shape:
        raise ShapeError(f"a tensor of shape {x.shape} does not broadcast to {shape}")
    return Spec(shape, x.dtype)


broadcast_to_op = Op(
    "broadcast_to",
    shape=_broadcast_to,
    lower=lambda x, *, shape: jnp.broadcast_to(x, shape),
    vjp=lambda g, y, x, *, shape: (g,),  # the walker sums what was repeated
)


def _permute(x: Spec, *, axes: tuple[int, ...]) -> Spec:
    if sorted(axes) != list(range(x.ndim)):
        raise ArgumentError(f"axes={axes} for a tensor with {x.ndim} axes", expected="each axis exactly once")
    return Spec(tuple(x.shape[a] for a in axes), x.dtype)


permute_op: Op = Op(
    "permute_dims",
    shape=_permute,
    lower=lambda x, *, axes: jnp.transpose(x, axes),
    vjp=lambda g, y, x, *, axes: (permute_op(g, axes=tuple(sorted(range(len(axes)), key=axes.__getitem__))),),
)


def _concat(*xs: Spec, axis: int) -> Spec:
    first = xs[0]
    for k, x in enumerate(xs[1:], 1):
        if x.ndim != first.ndim or any(
            a != b for i, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if i != axis
        ):
            raise ShapeError(
                f"concat along axis {axis}: tensor 0 has shape {first.shape}, tensor {k} has {x.shape}",
                expected="equal sizes on every other axis",
            )
    sizes = list(first.shape)
    sizes[axis] = sum(x.shape[axis] for x in xs)
    return Spec(tuple(sizes), first.dtype)


def _concat_vjp(g: Any, y: Any, *xs: Any, axis: int) -> tuple[Any, ...]:
    parts, start = [], 0
    for x in xs:
        stop = start + x.shape[axis]
        parts.append(
            slice_op(g, bounds=tuple((start, stop, 1) if k == axis else (0, n, 1) for k, n in enumerate(g.shape)))
        )
        start = stop
    return tuple(parts)


concat_op = Op("concat", shape=_concat, lower=lambda *xs, axis: jnp.concatenate(xs, axis), vjp=_concat_vjp)

Bounds = tuple[tuple[int, int, int], ...]  # per axis: start, stop (exclusive), step ≥ 1


def _slice(x: Spec, *, bounds: Bounds) -> Spec:
    return Spec(tuple(max(0, -(-(stop - start) // step)) for start, stop, step in bounds), x.dtype)


slice_op = Op(
    "slice",
    shape=_slice,
    lower=lambda x, *, bounds: lax.slice(x, *map(list, zip(*bounds, strict=True))) if bounds else x,
    vjp=lambda g, y, x, *, bounds: (unslice_op(g, bounds=bounds, shape=x.shape),),
)


def _unslice_lower(x: Any, *, bounds: Bounds, shape: tuple[int, ...]) -> Any:
    padding = [
        (start, size - (start + (n - 1) * step + 1 if n else start), step - 1)
        for n, size, (start, _, step) in zip(x.shape, shape, bounds, strict=True)
    ]
    return lax.pad(x, jnp.zeros((), x.dtype), padding)


unslice_op: Op = Op(  # the transpose of slice: zeros of ``shape`` with ``x`` at the bounds
    "unslice",
    shape=lambda x, *, bounds, shape: Spec(shape, x.dtype),
    lower=_unslice_lower,
    vjp=lambda g, y, x, *, bounds, shape: (slice_op(g, bounds=bounds),),
)


def _pad_vjp(g: Any, y: Any, x: Any, value: Any, *, widths: tuple[tuple[int, int], ...]) -> tuple[Any, Any]:
    bounds = tuple((before, before + n, 1) for n, (before, _) in zip(x.shape, widths, strict=True))
    inner = slice_op(g, bounds=bounds)
    return inner, g - unslice_op(inner, bounds=bounds, shape=g.shape)


pad_op = Op(
    "pad",
    shape=lambda x, value, *, widths: Spec(
        tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)), x.dtype
    ),
    lower=lambda x, value, *, widths: lax.pad(x, value, [(before, after, 0) for before, after in widths]),
    vjp=_pad_vjp,
)
flip_op: Op = Op(
    "flip",
    shape=lambda x, *, axis: x,
    lower=lambda x, *, axis: jnp.flip(x, axis),
    vjp=lambda g, y, x, *, axis: (flip_op(g, axis=axis),),
)
roll_op: Op = Op(
    "roll",
    shape=lambda x, *, shift, axis: x,
    lower=lambda x, *, shift, axis: jnp.roll(x, shift, axis),
    vjp=lambda g, y, x, *, shift, axis: (roll_op(g, shift=tuple(-s for s in shift), axis=axis),),
)

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The same elements in row-major order with another shape; one size may be -1.

    >>> import weft as wf
    >>> wf.reshape(wf.arange(6), (2, -1)).shape
    (2, 3)
    """
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    return reshape_op(x, shape=wanted)


def broadcast_to(x: Any, /, shape: Any) -> Any:
    """``x`` repeated along axes of size 1, and along new leading axes, to ``shape``."""
    return broadcast_to_op(x, shape=(shape,) if isinstance(shape, int) else tuple(shape))


def broadcast_tensors(*xs: Any) -> tuple[Any, ...]:
    """The tensors, each broadcast to the common shape."""
    shape = broadcast_shapes(*(x.shape for x in xs))
    return tuple(broadcast_to(x, shape) for x in xs)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """``x`` with its axes in another order."""
    return permute_op(x, axes=tuple(normalize_axis(a, x.ndim) for a in axes))


def moveaxis(x: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Any:
    """``x`` with the axes ``source`` moved to the places ``destination``; the others keep their order."""
    sources = [normalize_axis(a, x.ndim) for a in ((source,) if isinstance(source, int) else source)]
    targets = [normalize_axis(a, x.ndim) for a in ((destination,) if isinstance(destination, int) else destination)]
    order = [a for a in range(x.ndim) if a not in sources]
    for target, a in sorted(zip(targets, sources, strict=True)):
        order.insert(target, a)
    return permute_op(x, axes=tuple(order))


def matrix_transpose(x: Any, /) -> Any:
    """``x`` with its last two axes exchanged."""
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose of a tensor of shape {x.shape}", expected="at least two axes")
    return permute_op(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def expand_dims(x: Any, /, *, axis: int = 0) -> Any:
    """``x`` with a new axis of size 1 at ``axis``."""
    at = normalize_axis(axis, x.ndim + 1)
    return reshape_op(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: Any, /, axis: int | tuple[int, ...] | None = None) -> Any:
    """``x`` without the axes ``axis``, which must have size 1 (by default all that do)."""
    names = tuple(k for k, n in enumerate(x.shape) if n == 1) if axis is None else axis
    axes = {normalize_axis(a, x.ndim) for a in ((names,) if isinstance(names, int) else names)}
    if wrong := [a for a in axes if x.shape[a] != 1]:
        raise ShapeError(f"squeeze of axis {wrong[0]}, which has size {x.shape[wrong[0]]}", expected="size 1")
    return reshape_op(x, shape=tuple(n for k, n in enumerate(x.shape) if k not in axes))


def flatten(x: Any, /, start: int = 0, stop: int = -1) -> Any:
    """``x`` with the axes from ``start`` to ``stop`` (inclusive) joined into one."""
    if x.ndim == 0:
        return reshape_op(x, shape=(1,))
    first, last = normalize_axis(start, x.ndim), normalize_axis(stop, x.ndim)
    return reshape_op(x, shape=(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def concat(xs: Any, /, *, axis: int | None = 0) -> Any:
    """The tensors joined along the existing axis ``axis``; None flattens them first."""
    tensors = list(xs)
    if not tensors:
        raise ArgumentError("concat of no tensors", expected="at least one")
    if axis is None:
        return concat_op(*(reshape_op(x, shape=(-1,)) for x in tensors), axis=0)
    return concat_op(*tensors, axis=normalize_axis(axis, tensors[0].ndim))


def stack(xs: Any, /, *, axis: int = 0) -> Any:
    """The tensors, all of one shape, joined along a new axis."""
    tensors = list(xs)
    if len({x.shape for x in tensors}) != 1:
        raise ShapeError(f"stack of shapes {[x.shape for x in tensors]}", expected="one shape for all")
    return concat([expand_dims(x, axis=axis) for x in tensors], axis=axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of ``x`` along ``axis``, without that axis."""
    at = normalize_axis(axis, x.ndim)
    return tuple(squeeze(part, at) for part in split(x, x.shape[at], axis=at))


def split(x: Any, /, parts: int, *, axis: int = 0) -> tuple[Any, ...]:
    """``x`` cut into ``parts`` pieces of equal size along ``axis``."""
    at = normalize_axis(axis, x.ndim)
    size, rest = divmod(x.shape[at], parts) if parts else (0, 1)
    if rest:
        raise ShapeError(f"axis {at} of size {x.shape[at]} does not split into {parts} equal parts")

    def part(k: int) -> Any:
        bounds = tuple((k * size, (k + 1) * size, 1) if a == at else (0, n, 1) for a, n in enumerate(x.shape))
        return slice_op(x, bounds=bounds)

    return tuple(part(k) for k in range(parts))


def pad(x: Any, widths: Any, value: float = 0) -> Any:
    """``x`` with ``widths`` = ((before, after), …) elements of ``value`` around each axis."""
    pairs = tuple((int(a), int(b)) for a, b in widths)
    if len(pairs) != x.ndim:
        raise ArgumentError(f"{len(pairs)} pairs of widths for a tensor with {x.ndim} axes", expected="one per axis")
    return pad_op(x, value, widths=pairs)


def flip(x: Any, /, *, axis: int | tuple[int, ...] | None = None) -> Any:
    """``x`` with the order of its elements reversed along ``axis`` (by default along all)."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return flip_op(x, axis=tuple(normalize_axis(a, x.ndim) for a in axes))


def roll(x: Any, /, shift: int | tuple[int, ...], *, axis: int | tuple[int, ...] | None = None) -> Any:
    """``x`` shifted along ``axis``; what leaves at one end comes in at the other."""
    if axis is None:
        return reshape_op(roll(reshape_op(x, shape=(-1,)), shift, axis=0), shape=x.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    return roll_op(x, shift=shifts, axis=tuple(normalize_axis(a, x.ndim) for a in axes))


def repeat(x: Any, repeats: int, /, *, axis: int | None = None) -> Any:
    """``x`` with each element repeated ``repeats`` times along ``axis``."""
    if axis is None:
        return repeat(reshape_op(x, shape=(-1,)), repeats, axis=0)
    at = normalize_axis(axis, x.ndim)
    wide = broadcast_to(expand_dims(x, axis=at + 1), (*x.shape[: at + 1], repeats, *x.shape[at + 1 :]))
    return flatten(wide, at, at + 1)


def tile(x: Any, repetitions: tuple[int, ...], /) -> Any:
    """``x`` repeated as a whole ``repetitions`` times along each axis."""
    rank = max(x.ndim, len(repetitions))
    times = (1,) * (rank - len(repetitions)) + tuple(repetitions)
    shape = (1,) * (rank - x.ndim) + x.shape
    pairs = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
    wide = broadcast_to(reshape(x, tuple(size for n in shape for size in (1, n))), pairs)
    return reshape(wide, tuple(t * n for t, n in zip(times, shape, strict=True)))
