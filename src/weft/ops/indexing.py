"""The ops that read and replace parts of a tensor.

Where a part begins is an argument of the program, never part of it: ``x[i]`` for a new ``i`` compiles nothing.
Sizes are part of it. A position from a tensor that is out of range reads NaN (or the smallest integer), and is
dropped when it writes; one that is known on the host is refused before (`weft.ops.subscript`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import AxisError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.op import Casts, Kind, Op
from weft.graph.spec import Spec
from weft.ops.comparison import where
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.engine import jax, jnp, lax
from weft.ops.rules import broadcast_shapes, refusing

Pattern = tuple[bool, ...]  # for each axis of the operand: whether an index tensor chooses along it


def _starts(kinds: tuple[Kind, ...]) -> Casts:
    return (None, *(int64 for _ in kinds[1:]))


def _full_starts(starts: Any, axes: tuple[int, ...], ndim: int) -> list[Any]:
    given = dict(zip(axes, starts, strict=True))
    return [given.get(a, jnp.zeros((), "int64")) for a in range(ndim)]


def _window(x: Spec, *starts: Spec, axes: tuple[int, ...], sizes: tuple[int, ...], drop: tuple[int, ...]) -> Spec:
    new = dict(zip(axes, sizes, strict=True))
    return Spec(tuple(new.get(a, n) for a, n in enumerate(x.shape) if a not in drop), x.dtype)


def _window_lower(x: Any, *starts: Any, axes: Any, sizes: Any, drop: Any) -> Any:
    new = dict(zip(axes, sizes, strict=True))
    shape = [new.get(a, n) for a, n in enumerate(x.shape)]
    return lax.squeeze(lax.dynamic_slice(x, _full_starts(starts, axes, x.ndim), shape), drop)


def _window_host(x: Any, *starts: Any, axes: Any, sizes: Any, drop: Any) -> Any:
    key: list[Any] = [slice(None)] * x.ndim
    for a, size, start in zip(axes, sizes, starts, strict=True):
        first = min(max(int(start), 0), x.shape[a] - size)  # as the engine does: the block stays inside
        key[a] = first if a in drop else slice(first, first + size)
    return x[tuple(key)]


window_op = Op(  # the block of ``sizes`` along ``axes`` that begins at ``starts``, without the axes ``drop``
    "window",
    shape=_window,
    takes=_starts,
    lower=_window_lower,
    host=_window_host,
    exact="part",
    vjp=lambda g, y, x, *starts, axes, sizes, drop: (
        place_op(g, *starts, axes=axes, drop=drop, shape=x.shape),
        *(None for _ in starts),
    ),
)


def _place_lower(x: Any, *starts: Any, axes: Any, drop: Any, shape: Any) -> Any:
    block = lax.expand_dims(x, drop)
    return lax.dynamic_update_slice(jnp.zeros(shape, x.dtype), block, _full_starts(starts, axes, len(shape)))


place_op: Op = Op(  # the transpose of window: zeros of ``shape`` with ``x`` at ``starts``
    "place",
    shape=lambda x, *starts, axes, drop, shape: Spec(shape, x.dtype),
    takes=_starts,
    lower=_place_lower,
    vjp=lambda g, y, x, *starts, axes, drop, shape: (
        window_op(g, *starts, axes=axes, drop=drop, sizes=_sizes_of(x, axes, drop)),
        *(None for _ in starts),
    ),
)


def _sizes_of(x: Any, axes: tuple[int, ...], drop: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes along ``axes`` of a block from which the axes ``drop`` were taken away."""
    sizes = list(x.shape)
    for a in sorted(drop):
        sizes.insert(a, 1)
    return tuple(sizes[a] for a in axes)


def _update(x: Spec, value: Spec, *starts: Spec, axes: tuple[int, ...]) -> Spec:
    return x


update_op: Op = Op(  # ``x`` with the block of value's shape that begins at ``starts`` replaced by ``value``
    "update",
    shape=_update,
    takes=lambda kinds: (None, None, *(int64 for _ in kinds[2:])),
    lower=lambda x, value, *starts, axes: lax.dynamic_update_slice(x, value, _full_starts(starts, axes, x.ndim)),
    host=lambda x, value, *starts, axes: _update_host(x, value, dict(zip(axes, starts, strict=True))),
    exact="moves",
    vjp=lambda g, y, x, value, *starts, axes: (
        update_op(g, cast(value * 0, dtype=g.dtype), *starts, axes=axes),
        window_op(g, *starts, axes=axes, sizes=tuple(value.shape[a] for a in axes), drop=()),
        *(None for _ in starts),
    ),
)


def _update_host(x: Any, value: Any, starts: dict[int, Any]) -> Any:
    made = np.array(x)
    at = [min(max(int(starts.get(a, 0)), 0), n - m) for a, (n, m) in enumerate(zip(x.shape, value.shape, strict=True))]
    made[tuple(slice(first, first + m) for first, m in zip(at, value.shape, strict=True))] = value
    return made


def _index(pattern: Pattern, indices: Any) -> tuple[Any, ...]:
    rest = iter(indices)
    return tuple(next(rest) if chosen else slice(None) for chosen in pattern)


def _gather(x: Spec, *indices: Spec, pattern: Pattern) -> Spec:
    for index in indices:
        if not index.dtype.is_integer:
            raise DTypeError(f"an index of type {index.dtype.name}", expected="integers", cure="index.astype(wf.int64)")
    chosen = broadcast_shapes(*(i.shape for i in indices))
    axes = [a for a, c in enumerate(pattern) if c]
    together = axes == list(range(axes[0], axes[-1] + 1))
    rest = [n for a, n in enumerate(x.shape) if a not in axes]
    at = axes[0] if together else 0
    return Spec((*rest[:at], *chosen, *rest[at:]), x.dtype)


def _gather_lower(x: Any, *indices: Any, pattern: Pattern) -> Any:
    return jnp.asarray(x).at[_index(pattern, indices)].get(mode="fill")


def _gather_host(x: Any, *indices: Any, pattern: Pattern) -> Any:
    sizes = [n for n, chosen in zip(x.shape, pattern, strict=True) if chosen]
    for k, n in zip(indices, sizes, strict=True):
        if k.size and not (-n <= k.min() and k.max() < n):
            raise AxisError(f"a position between {k.min()} and {k.max()} along an axis of size {n}", expected=f"< {n}")
    return x[_index(pattern, indices)]


gather_op = Op(  # x[indices]: index tensors choose along the axes of ``pattern``
    "gather",
    shape=_gather,
    takes=lambda kinds: (None,) * len(kinds),
    lower=_gather_lower,
    host=_gather_host,
    exact="part",
    vjp=lambda g, y, x, *indices, pattern: (
        scatter_add_op(g, *indices, pattern=pattern, shape=x.shape),
        *(None for _ in indices),
    ),
)
scatter_add_op: Op = Op(  # the transpose of gather: zeros of ``shape`` with ``g`` added at the indices
    "scatter_add",
    shape=refusing("bool", rule=lambda g, *indices, pattern, shape: Spec(shape, g.dtype)),
    takes=lambda kinds: (None,) * len(kinds),
    lower=lambda g, *indices, pattern, shape: (
        jnp.zeros(shape, g.dtype).at[_index(pattern, indices)].add(g, mode="drop")
    ),
    vjp=lambda g, y, x, *indices, pattern, shape: (
        gather_op(g, *indices, pattern=pattern),
        *(None for _ in indices),
    ),
)


# ── writing at positions of the flattened tensor ────────────────────────────────────────────────────────────


def _scatter(x: Spec, values: Spec, positions: Spec, *, mode: str) -> Spec:
    if mode in ("min", "max") and x.dtype.kind == "complex":
        raise DTypeError(f"at[…].{mode} of {x.dtype.name} numbers, which have no order", cure="x.real or wf.abs(x)")
    if mode == "add" and x.dtype.kind == "bool":
        raise DTypeError("at[…].add of truth values", expected="numbers", cure="x.astype(wf.int64)")
    return x


def _scatter_vjp(g: Any, y: Any, x: Any, values: Any, positions: Any, *, mode: str) -> tuple[Any, Any, None]:
    there = gather_op(g, positions, pattern=(True,))
    if mode == "add":
        return g, there, None
    if mode == "set":
        return (
            scatter_op(g, cast(values * 0, dtype=g.dtype), positions, mode="set"),
            _lasting(there, positions, y),
            None,
        )
    # Of all that share the extreme, each takes the same part.
    mine = cast(x == y, dtype=y.dtype)
    theirs = cast(values == gather_op(y, positions, pattern=(True,)), dtype=y.dtype)
    part = g / scatter_op(mine, theirs, positions, mode="add")
    return part * mine, gather_op(part, positions, pattern=(True,)) * theirs, None


def _lasting(g: Any, positions: Any, y: Any) -> Any:
    """``g`` where a value stayed, 0 where another one was put over it at an equal position."""
    number = iota_op(shape=g.shape, axis=0, dtype=int64)
    stayed = scatter_op(iota_op(shape=y.shape, axis=0, dtype=int64), number, positions, mode="set")
    return where(gather_op(stayed, positions, pattern=(True,)) == number, g, 0)


def _scatter_host(x: Any, values: Any, positions: Any, *, mode: str) -> Any:
    made = np.array(x)
    if mode == "set":
        made[positions] = values
    else:
        {"add": np.add, "min": np.minimum, "max": np.maximum}[mode].at(made, positions, values)
    return made


scatter_op: Op = Op(  # the vector ``x`` with ``values`` put at ``positions``; set: of equal positions the last wins
    "scatter",
    shape=_scatter,
    takes=lambda kinds: (None, None, int64),
    lower=lambda x, values, positions, *, mode: getattr(jnp.asarray(x).at[positions], mode)(values, mode="drop"),
    host=_scatter_host,
    exact="whole",
    vjp=_scatter_vjp,
)

# ── one position along an axis ──────────────────────────────────────────────────────────────────────────────


def _one_hot_lower(x: Any, *, classes: int, dtype: Any) -> Any:
    return jax.nn.one_hot(x, classes, dtype=dtype.numpy)


one_hot_op = Op(
    "one_hot",
    shape=lambda x, *, classes, dtype: Spec((*x.shape, classes), dtype),
    lower=_one_hot_lower,
    host=lambda x, *, classes, dtype: (x[..., None] == np.arange(classes)).astype(dtype.numpy),
    exact="whole",
)


def _take_along(x: Spec, indices: Spec, *, axis: int) -> Spec:
    expected = tuple(indices.shape[a] if a == axis else n for a, n in enumerate(x.shape))
    if indices.shape != expected:
        raise ShapeError(
            f"take_along_axis: indices of shape {indices.shape} for a tensor of shape {x.shape}",
            expected=f"equal sizes on every axis but {axis}",
        )
    return Spec(indices.shape, x.dtype)


take_along_op = Op(
    "take_along_axis",
    shape=_take_along,
    takes=_starts,
    lower=lambda x, indices, *, axis: jnp.take_along_axis(x, indices, axis, mode="fill"),
    host=lambda x, indices, *, axis: np.take_along_axis(x, indices, axis),
    exact="moves",
    vjp=lambda g, y, x, indices, *, axis: (put_along_op(g, indices, axis=axis, size=x.shape[axis]), None),
)


def _put_along_lower(g: Any, indices: Any, *, axis: int, size: int) -> Any:
    # Along one axis of the flattened result: an index of one number is a third of the work of one for each axis.
    shape = tuple(size if a == axis else n for a, n in enumerate(g.shape))
    kind = "int32" if math.prod(shape) < 2**31 else "int64"
    at = jnp.where((indices < 0) & (indices >= -size), indices + size, indices)
    place = at.astype(kind) * math.prod(shape[axis + 1 :])
    for a in range(g.ndim):
        if a != axis:
            place = place + lax.broadcasted_iota(kind, g.shape, a) * math.prod(shape[a + 1 :])
    place = jnp.where((at >= 0) & (at < size), place, math.prod(shape))  # beyond the end, where it is dropped
    flat = jnp.zeros((math.prod(shape),), g.dtype).at[place.reshape(-1)].add(g.reshape(-1), mode="drop")
    return flat.reshape(shape)


def _put_along(g: Spec, indices: Spec, *, axis: int, size: int) -> Spec:
    return Spec(tuple(size if a == axis else n for a, n in enumerate(g.shape)), g.dtype)


put_along_op: Op = Op(  # the transpose of take_along_axis
    "put_along_axis",
    shape=refusing("bool", rule=_put_along),
    takes=_starts,
    lower=_put_along_lower,
    vjp=lambda g, y, x, indices, *, axis, size: (take_along_op(g, indices, axis=axis), None),
)
