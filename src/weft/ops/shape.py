"""Ops that move elements without changing them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.rules import broadcast_shapes


def resolve_shape(shape: Any, size: int) -> tuple[int, ...]:
    """``shape`` with its -1, if any, replaced so that it has ``size`` elements."""
    wanted = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if wanted.count(-1) > 1 or any(n < -1 for n in wanted):
        raise ShapeError(f"reshape to {wanted}", expected="sizes ≥ 0 and at most one -1, which is inferred")
    rest = math.prod(n for n in wanted if n != -1)
    if not rest and -1 in wanted:
        raise ShapeError(f"reshape to {wanted}", expected="no -1 next to a 0: any size would fill such a shape")
    result = tuple((size // rest if rest else 0) if n == -1 else n for n in wanted)
    if math.prod(result) != size:
        raise ShapeError(f"{size} elements do not fill the shape {wanted}", expected=f"a shape of {size} elements")
    return result


def _reshape(x: Spec, *, shape: tuple[int, ...]) -> Spec:
    return Spec(resolve_shape(shape, x.size), x.dtype)


reshape_op: Op = Op(
    "reshape",
    shape=_reshape,
    lower=lambda x, *, shape: jnp.reshape(x, resolve_shape(shape, x.size)),
    exact="moves",
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
    exact="moves",
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
    exact="moves",
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


concat_op = Op(
    "concat", shape=_concat, lower=lambda *xs, axis: jnp.concatenate(xs, axis), vjp=_concat_vjp, exact="moves"
)

Bounds = tuple[tuple[int, int, int], ...]  # per axis: start, stop (exclusive), step ≥ 1


def _slice(x: Spec, *, bounds: Bounds) -> Spec:
    return Spec(tuple(max(0, -(-(stop - start) // step)) for start, stop, step in bounds), x.dtype)


slice_op = Op(
    "slice",
    shape=_slice,
    lower=lambda x, *, bounds: lax.slice(x, *map(list, zip(*bounds, strict=True))) if bounds else x,
    host=lambda x, *, bounds: x[tuple(slice(*b) for b in bounds)],
    exact="part",
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
    host=lambda x, value, *, widths: np.pad(x, widths, constant_values=value),
    exact="moves",
    vjp=_pad_vjp,
)
flip_op: Op = Op(
    "flip",
    shape=lambda x, *, axis: x,
    lower=lambda x, *, axis: jnp.flip(x, axis),
    exact="moves",
    vjp=lambda g, y, x, *, axis: (flip_op(g, axis=axis),),
)
roll_op: Op = Op(
    "roll",
    shape=lambda x, *, shift, axis: x,
    lower=lambda x, *, shift, axis: jnp.roll(x, shift, axis),
    exact="moves",
    vjp=lambda g, y, x, *, shift, axis: (roll_op(g, shift=tuple(-s for s in shift), axis=axis),),
)
