"""Mirrored elements beyond both ends of an axis, and their transpose, which folds them back onto their origins."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ShapeError
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.rules import refusing


def _longer(x: Spec, *, axis: int, before: int, after: int) -> Spec:
    n = x.shape[axis]
    if max(before, after) > max(0, n - 1):
        raise ShapeError(
            f"reflect: {(before, after)} elements beyond axis {axis}, which has size {n}",
            expected=f"at most {max(0, n - 1)}: the outermost element is the mirror",
        )
    return Spec((*x.shape[:axis], before + n + after, *x.shape[axis + 1 :]), x.dtype)


def _shorter(g: Spec, *, axis: int, before: int, after: int) -> Spec:
    return Spec((*g.shape[:axis], g.shape[axis] - before - after, *g.shape[axis + 1 :]), g.dtype)


def _reflect_lower(x: Any, *, axis: int, before: int, after: int) -> Any:
    # Positions known beforehand: on the CPU half the time of joining slices, which are written out first.
    n = x.shape[axis]
    at = np.concatenate([np.arange(before, 0, -1), np.arange(n), np.arange(n - 2, n - 2 - after, -1)])
    return jnp.take(x, at.astype(np.int32), axis, mode="clip")


def _unreflect_lower(g: Any, *, axis: int, before: int, after: int) -> Any:
    n, zero = g.shape[axis] - before - after, jnp.zeros((), g.dtype)
    total = lax.slice_in_dim(g, before, before + n, 1, axis)
    for start, size, place in ((0, before, 1), (before + n, after, n - 1 - after)):
        if size:
            part = jnp.flip(lax.slice_in_dim(g, start, start + size, 1, axis), axis)
            around = (place, n - place - size, 0)
            total = total + lax.pad(part, zero, [around if a == axis else (0, 0, 0) for a in range(g.ndim)])
    return total


reflect_op: Op = Op(
    "reflect",
    shape=_longer,
    lower=_reflect_lower,
    vjp=lambda g, y, x, **ends: (unreflect_op(g, **ends),),
)
unreflect_op: Op = Op(  # the transpose of reflect
    "unreflect",
    shape=refusing("bool", rule=_shorter),
    lower=_unreflect_lower,
    vjp=lambda c, y, g, **ends: (reflect_op(c, **ends),),
)


def reflected(x: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    """``x`` with (before, after) mirrored elements around each axis, the last one first: then its gradient goes
    through the rows before it goes through their elements, in half the time.
    """
    for axis, (before, after) in reversed(list(enumerate(widths))):
        if before or after:
            x = reflect_op(x, axis=axis, before=before, after=after)
    return x
