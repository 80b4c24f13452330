"""Reading and replacing parts of a tensor.

Where a part begins is an argument of the program, never part of it: ``x[i]`` for a new ``i`` compiles nothing.
Sizes are part of it. A position from a tensor that is out of range reads NaN (or the smallest integer), and is
dropped when it writes; one from a Python number is refused.
"""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import DType, int64
from weft.graph.node import Handle
from weft.graph.op import Casts, Kind, Op
from weft.graph.spec import Spec
from weft.ops.elementwise import where
from weft.ops.engine import jax, jnp, lax
from weft.ops.rules import broadcast_shapes, normalize_axis, refusing
from weft.ops.shape import expand_dims, flip, reshape_op, slice_op

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


window_op = Op(  # the block of ``sizes`` along ``axes`` that begins at ``starts``, without the axes ``drop``
    "window",
    shape=_window,
    takes=_starts,
    lower=_window_lower,
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


gather_op = Op(  # x[indices]: index tensors choose along the axes of ``pattern``
    "gather",
    shape=_gather,
    takes=lambda kinds: (None,) * len(kinds),
    lower=_gather_lower,
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


def _one_hot_lower(x: Any, *, classes: int, dtype: Any) -> Any:
    return jax.nn.one_hot(x, classes, dtype=dtype.numpy)


one_hot_op = Op(
    "one_hot",
    shape=lambda x, *, classes, dtype: Spec((*x.shape, classes), dtype),
    lower=_one_hot_lower,
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
    vjp=lambda g, y, x, indices, *, axis: (put_along_op(g, indices, axis=axis, size=x.shape[axis]), None),
)


def _put_along_lower(g: Any, indices: Any, *, axis: int, size: int) -> Any:
    shape = tuple(size if a == axis else n for a, n in enumerate(g.shape))
    at = list(jnp.indices(g.shape, dtype="int64"))
    at[axis] = indices
    return jnp.zeros(shape, g.dtype).at[tuple(at)].add(g, mode="drop")


def _put_along(g: Spec, indices: Spec, *, axis: int, size: int) -> Spec:
    return Spec(tuple(size if a == axis else n for a, n in enumerate(g.shape)), g.dtype)


put_along_op: Op = Op(  # the transpose of take_along_axis
    "put_along_axis",
    shape=refusing("bool", rule=_put_along),
    takes=_starts,
    lower=_put_along_lower,
    vjp=lambda g, y, x, indices, *, axis, size: (take_along_op(g, indices, axis=axis), None),
)

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The slices of ``x`` along ``axis`` at the positions ``indices``."""
    if axis is None and x.ndim != 1:
        raise ShapeError(f"take from a tensor of shape {x.shape} without axis", cure="axis=0")
    at = normalize_axis(axis or 0, x.ndim)
    return gather_op(x, indices, pattern=tuple(a == at for a in range(x.ndim)))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """For each position of ``indices``, the element of ``x`` there with that index along ``axis``."""
    return take_along_op(x, indices, axis=normalize_axis(axis, x.ndim))


def one_hot(x: Any, classes: int, dtype: Any = "float32") -> Any:
    """A new last axis with 1 at the position that each element of ``x`` names and 0 elsewhere.

    >>> import weft as wf
    >>> wf.one_hot(wf.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    from weft.graph.dtype import dtype as data_type

    return one_hot_op(x, classes=classes, dtype=data_type(dtype))


def getitem(x: Any, key: Any) -> Any:
    """``x[key]`` for integers, slices, None, …, integer tensors and boolean masks, as in NumPy.

    An integer drops its axis before index tensors choose, as in PyTorch.
    """
    keys = _expand(key, x.ndim)
    if any(_is_mask(k) for k in keys):
        keys = _unmask(keys)
    x, keys = _basic(x, keys)
    tensors = [(axis, k) for axis, k in enumerate(keys) if k is not None]
    if not tensors:
        return x
    pattern = tuple(k is not None for k in keys)
    return gather_op(x, *(k for _, k in tensors), pattern=pattern)


def _expand(key: Any, ndim: int) -> list[Any]:
    """The parts of a key, with … replaced by the full slices that it stands for."""
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = [_to_index(part) for part in parts]
    used = sum(_consumed(part) for part in parts)
    if used > ndim:
        raise ShapeError(f"{used} indices for a tensor with {ndim} axes", expected=f"at most {ndim}")
    full = [slice(None)] * (ndim - used)
    if (dots := sum(part is Ellipsis for part in parts)) > 1:
        raise ArgumentError("an index with more than one …", expected="at most one")
    if dots:
        at = next(k for k, part in enumerate(parts) if part is Ellipsis)
        return [*parts[:at], *full, *parts[at + 1 :]]
    return [*parts, *full]


def _to_index(part: Any) -> Any:
    import numpy as np

    if part is None or part is Ellipsis or isinstance(part, slice | Handle):
        return part
    if isinstance(part, bool | np.bool_):
        raise DTypeError("an index that is a single truth value", cure="wf.where(condition, x, y)")
    if isinstance(part, int | np.integer):
        return int(part)
    from weft.graph import op

    return op.convert(np.asarray(part))


def _consumed(part: Any) -> int:
    """How many axes of the operand a part of a key stands for."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if _is_mask(part) else 1


def _is_mask(part: Any) -> bool:
    return isinstance(part, Handle) and part.node.spec.dtype.kind == "bool"


def _unmask(keys: list[Any]) -> list[Any]:
    """Masks replaced by the positions where they are true, which needs their values."""
    import numpy as np

    from weft.graph import op

    result: list[Any] = []
    for k in keys:
        result += [op.convert(found) for found in np.nonzero(k.numpy())] if _is_mask(k) else [k]
    return result


def _basic(x: Any, keys: list[Any]) -> tuple[Any, list[Any]]:
    """Apply what is not a tensor; what is left are the index tensors, one place per axis of the new operand."""
    starts: list[Any] = []
    axes: list[int] = []
    sizes: list[int] = []
    drop: list[int] = []
    strided: dict[int, slice] = {}
    rest: list[Any] = []
    axis = 0
    for k in keys:
        if k is None:
            rest.append("new")
            continue
        n = x.shape[axis]
        if isinstance(k, int):
            starts.append(_checked(k, n, axis))
            axes.append(axis)
            sizes.append(1)
            drop.append(axis)
        elif isinstance(k, slice):
            start, stop, step = k.indices(n)
            if step != 1:
                strided[axis] = k
            elif (start, stop) != (0, n):
                starts.append(start)
                axes.append(axis)
                sizes.append(max(0, stop - start))
            rest.append(None)
        else:
            rest.append(k)
        axis += 1
    for at, k in strided.items():
        x = _stride(x, at, k)
    if axes:
        x = window_op(x, *starts, axes=tuple(axes), sizes=tuple(sizes), drop=tuple(drop))
    for at, k in enumerate(rest):
        if isinstance(k, str):
            x = expand_dims(x, axis=at)
    return x, [None if isinstance(k, str) else k for k in rest]


def _checked(k: int, n: int, axis: int) -> int:
    if not -n <= k < n:
        raise IndexError(f"index {k} is out of range for axis {axis} of size {n}")
    return k % n


def _stride(x: Any, axis: int, k: slice) -> Any:
    start, stop, step = k.indices(x.shape[axis])
    length = len(range(start, stop, step))
    if step < 0:
        x = flip(x, axis=axis)
        start, step = x.shape[axis] - 1 - start, -step
    bounds = tuple(
        (start, start + (length - 1) * step + 1 if length else start, step) if a == axis else (0, n, 1)
        for a, n in enumerate(x.shape)
    )
    return slice_op(x, bounds=bounds)


def replaced(x: Any, key: Any, value: Any) -> Any:
    """A tensor like ``x`` with ``x[key]`` replaced by ``value``, which broadcasts."""
    from weft.ops.creation import arange, full

    size = x.node.spec.size
    positions = getitem(reshape_op(arange(size), shape=x.shape), key)
    flat = reshape_op(positions, shape=(-1,))
    values = reshape_op(_as_values(value, x.dtype).broadcast_to(positions.shape), shape=(-1,))
    put = scatter_set_op(values, flat, size=size)
    times = scatter_add_op(full(flat.shape, 1, dtype=int64), flat, pattern=(True,), shape=(size,))
    return where(reshape_op(times, shape=x.shape) > 0, reshape_op(put, shape=x.shape), x)


def _as_values(value: Any, dtype: DType) -> Any:
    from weft.graph import op
    from weft.ops.creation import full

    if isinstance(value, bool | int | float | complex):
        return full((), value, dtype=dtype)
    found: Any = value if isinstance(value, Handle) else op.convert(value)
    return found.astype(dtype)


scatter_set_op = Op(  # zeros with ``values`` written at the positions ``indices``; of equal ones the last wins
    "scatter_set",
    shape=lambda values, indices, *, size: Spec((size,), values.dtype),
    takes=lambda kinds: (None,) * len(kinds),
    lower=lambda values, indices, *, size: jnp.zeros((size,), values.dtype).at[indices].set(values, mode="drop"),
    vjp=lambda g, y, values, indices, *, size: (gather_op(g, indices, pattern=(True,)), None),
)
