"""Subscripts: what ``x[key]``, ``x[key] = value`` and ``x.at[key]`` mean, said in the ops of `weft.ops.indexing`.

A key is made of whole numbers, slices, None, …, integer tensors and boolean masks, as in NumPy; a whole number drops
its axis before index tensors choose, as in PyTorch. A mask chooses as many elements as are true: its value is needed.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from weft.errors import ArgumentError, AxisError, DTypeError, ShapeError
from weft.graph.dtype import check_whole, promote, promote_number
from weft.graph.node import Handle
from weft.graph.op import tensor_like
from weft.graph.recording import whereabouts
from weft.ops.conversion import cast
from weft.ops.creation import arange
from weft.ops.indexing import gather_op, scatter_op, update_op, window_op
from weft.ops.shape import broadcast_to_op, flip_op, reshape_op, slice_op

_NUMBERS = (bool, int, float, complex)
_NEW = object()  # in a key: a new axis of size 1

# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``."""
    x, keys = _basic(*_unmasked(x, _expand(key, x)))
    tensors = [(axis, k) for axis, k in enumerate(keys) if k is not None]
    if not tensors:
        return x
    for axis, k in tensors:
        check_positions(k, x.shape[axis], axis)
    return gather_op(x, *(k for _, k in tensors), pattern=tuple(k is not None for k in keys))


def _expand(key: Any, x: Any) -> list[Any]:
    """The parts of a key, with … replaced by the full slices that it stands for."""
    parts = [_part(part) for part in (key if isinstance(key, tuple) else (key,))]
    used = sum(_consumed(part) for part in parts)
    if used > x.ndim:
        raise AxisError(f"{used} indices for a tensor of shape {x.shape}", expected=f"at most {x.ndim}")
    dots = [k for k, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1:
        raise AxisError("an index with more than one …", expected="at most one")
    full = [slice(None)] * (x.ndim - used)
    at = dots[0] if dots else len(parts)
    return [*parts[:at], *full, *parts[at + 1 :]]


def _part(part: Any) -> Any:
    """One part of a key: an int, a slice, None, … or a tensor of integers or truth values."""
    if part is None or part is Ellipsis or type(part) is int:
        return part
    if isinstance(part, slice):
        return slice(_bound(part.start), _bound(part.stop), _step(part.step))
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        return int(part)
    if isinstance(part, list) and not part:
        return tensor_like(np.zeros(0, np.int64))
    found = tensor_like(np.asarray(part) if isinstance(part, bool | list | tuple) else part)
    if found.dtype.kind not in ("bool", "int", "uint"):
        raise DTypeError(
            f"an index of type {found.dtype.name}", expected="integers, or truth values", cure="index.astype(wf.int64)"
        )
    return found


def _bound(n: Any) -> int | None:
    """Where a slice begins or ends; what is no whole number has no ``__index__``."""
    if n is not None and not hasattr(n, "__index__"):
        raise DTypeError(f"a slice with {n!r}", expected="whole numbers, or nothing", cure="int(n)")
    return None if n is None else index(n)


def _step(n: Any) -> int | None:
    step = _bound(n)
    if step == 0:
        raise ArgumentError(
            "a slice of step 0", expected="a step that is not zero", cure="x[::1], or x[::-1] backwards"
        )
    return step


def _consumed(part: Any) -> int:
    """How many axes of the operand a part of a key stands for."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if _is_mask(part) else 1


def _is_mask(part: Any) -> bool:
    return isinstance(part, Handle) and part.node.spec.dtype.kind == "bool"


def _unmasked(x: Any, keys: list[Any]) -> tuple[Any, list[Any]]:
    """Masks replaced by the positions where they are true, which needs their values."""
    result: list[Any] = []
    axis = 0
    for k in keys:
        if not _is_mask(k):
            result.append(k)
            axis += _consumed(k)
            continue
        mask = k.numpy()
        if mask.ndim == 0:  # it chooses along a new axis of size 1: all of it, or nothing
            mask, x = mask.reshape(1), reshape_op(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))
        sizes = x.shape[axis : axis + mask.ndim]
        if any(m not in (n, 0) for m, n in zip(mask.shape, sizes, strict=True)):  # of size 0 it chooses nothing
            raise AxisError(
                f"a mask of shape {mask.shape} for axes of sizes {sizes}",
                expected="a mask of the tensor's own shape, or of that of its first axes",
            )
        result += [tensor_like(found.astype(np.int64)) for found in np.nonzero(mask)]
        axis += mask.ndim
    return x, result


def _basic(x: Any, keys: list[Any]) -> tuple[Any, list[Any]]:
    """Apply what is not a tensor; what is left are the index tensors, one place per axis of the new operand."""
    window: dict[int, tuple[int, int]] = {}  # of an axis: where its block begins, and its size
    drop: list[int] = []
    rest: list[Any] = []
    axis = 0
    for k in keys:
        if k is None:
            rest.append(_NEW)
            continue
        if isinstance(k, int):
            window[axis] = (_checked(k, x.shape[axis], axis), 1)
            drop.append(axis)
        elif isinstance(k, slice):
            x = _strided(x, axis, k, window)
            rest.append(None)
        else:
            rest.append(k)
        axis += 1
    if window:
        axes = tuple(sorted(window))
        starts, sizes = zip(*(window[a] for a in axes), strict=True)
        x = window_op(x, *starts, axes=axes, sizes=sizes, drop=tuple(drop))
    if any(k is _NEW for k in rest):
        lengths = iter(x.shape)
        x = reshape_op(x, shape=tuple([1 if k is _NEW else next(lengths) for k in rest]))
    return x, [None if k is _NEW else k for k in rest]


def _checked(k: int, n: int, axis: int) -> int:
    if not -n <= k < n:
        raise AxisError(
            f"index {k} is out of range for axis {axis} of size {n}",
            expected=f"{-n} ≤ index < {n}" if n else "nothing: the axis is empty",
            where=whereabouts(),
        )
    return k % n


def check_positions(positions: Any, size: int, axis: int) -> None:
    """Refuse positions out of range where they are known without running anything."""
    data = positions.node.data
    if type(data) is not np.ndarray or not data.size:
        return
    low, high = data.min(), data.max()
    if low < -size or high >= size:
        _checked(int(high if high >= size else low), size, axis)


def _strided(x: Any, axis: int, k: slice, window: dict[int, tuple[int, int]]) -> Any:
    """Note a slice of step 1 in ``window``; take one of another step at once."""
    n = x.shape[axis]
    start, stop, step = k.indices(n)
    if step == 1:
        if (start, stop) != (0, n):
            window[axis] = (start, max(0, stop - start))
        return x
    length = len(range(start, stop, step))
    if step < 0:
        x, start, step = flip_op(x, axis=(axis,)), n - 1 - start, -step
    bounds = [(0, m, 1) for m in x.shape]
    bounds[axis] = (start, start + (length - 1) * step + 1 if length else start, step)
    return slice_op(x, bounds=tuple(bounds))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def setitem(x: Any, key: Any, value: Any) -> Any:
    """A tensor like ``x`` with ``x[key]`` replaced by ``value``, which broadcasts."""
    keys = _expand(key, x)
    if all(isinstance(k, int) or (isinstance(k, slice) and k.step in (None, 1)) for k in keys):
        return _replace_block(x, keys, value)
    return put(x, key, value, "set")


def _replace_block(x: Any, keys: list[Any], value: Any) -> Any:
    axes, starts, block, kept = [], [], list(x.shape), []
    for axis, (k, n) in enumerate(zip(keys, x.shape, strict=True)):
        start, stop = (_checked(k, n, axis),) * 2 if isinstance(k, int) else k.indices(n)[:2]
        block[axis] = 1 if isinstance(k, int) else max(0, stop - start)
        if not isinstance(k, int):
            kept.append(block[axis])
        if block[axis] != n:
            axes.append(axis)
            starts.append(start)
    values = reshape_op(_values(x, value, tuple(kept)), shape=tuple(block))
    return update_op(x, values, *starts, axes=tuple(axes)) if 0 not in block else x


def put(x: Any, key: Any, value: Any, mode: str) -> Any:
    """``x`` with ``value`` set, added, or compared (min, max) at ``x[key]``; positions may repeat."""
    size = x.node.spec.size
    positions = getitem(reshape_op(arange(size), shape=x.shape), key)
    values = reshape_op(_values(x, value, positions.shape), shape=(-1,))
    flat = reshape_op(x, shape=(-1,))
    return reshape_op(scatter_op(flat, values, reshape_op(positions, shape=(-1,)), mode=mode), shape=x.shape)


def _values(x: Any, value: Any, shape: tuple[int, ...]) -> Any:
    """What is to be written, in the type of ``x`` and the shape of the place."""
    dtype = x.node.spec.dtype
    kind: Any = type(value) if type(value) in _NUMBERS else None
    if kind is None:
        value = tensor_like(value)
    fits = promote_number(dtype, kind) if kind else promote(dtype, value.dtype)
    if fits is not dtype:
        raise DTypeError(
            f"{kind.__name__ if kind else value.dtype.name} values written into a {dtype.name} tensor",
            expected=f"values that {dtype.name} holds",
            where=whereabouts(),
            cure=f"x = x.astype(wf.{fits.name}) before, or value.astype(wf.{dtype.name})",
        )
    if kind is int:
        check_whole(value, dtype)
    if kind:
        value = tensor_like(np.array(value, dtype.numpy))
    value = cast(value, dtype=dtype) if value.dtype is not dtype else value
    lead = value.ndim - len(shape)
    if lead > 0 and all(n == 1 for n in value.shape[:lead]):  # as NumPy: leading axes of size 1 fall away
        value = reshape_op(value, shape=value.shape[lead:])
    try:
        return broadcast_to_op(value, shape=shape)
    except ShapeError:
        raise ShapeError(
            f"a value of shape {value.shape} for a place of shape {shape}",
            expected="a value that broadcasts to the place",
            where=whereabouts(),
        ) from None


class At:
    """``x.at``: with a key, the place where ``set``, ``add``, ``subtract``, ``min`` or ``max`` makes a new tensor."""

    def __init__(self, x: Any, key: Any = None, chosen: bool = False) -> None:
        self.x, self.key, self.chosen = x, key, chosen

    def __getitem__(self, key: Any) -> At:
        return At(self.x, key, True)

    def _put(self, value: Any, mode: str) -> Any:
        if not self.chosen:
            raise ArgumentError(f"x.at.{mode}(…) without a place", cure=f"x.at[key].{mode}(value)")
        return put(self.x, self.key, value, mode)

    def get(self) -> Any:
        """``x[key]``."""
        return getitem(self.x, self.key)

    def set(self, value: Any) -> Any:
        """A tensor like ``x`` with ``value`` at the place; where positions repeat, the last one counts."""
        return setitem(self.x, self.key, value) if self.chosen else self._put(value, "set")

    def add(self, value: Any) -> Any:
        """A tensor like ``x`` with ``value`` added at the place, as often as a position occurs."""
        return self._put(value, "add")

    def subtract(self, value: Any) -> Any:
        """A tensor like ``x`` with ``value`` subtracted at the place, as often as a position occurs."""
        return self._put(-value, "add")

    def min(self, value: Any) -> Any:
        """A tensor like ``x`` with the smaller of ``x`` and ``value`` at the place."""
        return self._put(value, "min")

    def max(self, value: Any) -> Any:
        """A tensor like ``x`` with the larger of ``x`` and ``value`` at the place."""
        return self._put(value, "max")
