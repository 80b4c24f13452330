"""Pictures, signals and volumes at another size: the last axes of (N, channels, *spatial) resampled."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType, float32, float64
from weft.graph.function import function
from weft.graph.op import Casts, Kind
from weft.nn.check import choice, spread
from weft.nn.functional.adaptive_pooling import adaptive_average_pool
from weft.nn.functional.convolution import Sizes
from weft.ops.assembling import repeat
from weft.ops.conversion import cast
from weft.ops.interpolation import cubic_weights, linear_weights, mix_op, nearest, smooth_weights
from weft.ops.pooling import sum_pool
from weft.ops.shape import slice_op
from weft.tensor import Tensor, as_tensor

_AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
MODES = ("nearest", "nearest-exact", *_AXES, "area")

# ── the functions as ops ────────────────────────────────────────────────────────────────────────────────────
# Operands: what is resampled, then for each axis that changes the distance of the new elements.


def _weighted(kinds: tuple[Kind, ...]) -> Casts:
    first = kinds[0]
    to = first if isinstance(first, DType) and first.is_differentiable else float32
    return (to, *(float64 for _ in kinds[1:]))


@function(takes=_weighted)
def _resample(x: Any, *steps: Any, axes: Sizes, size: Sizes, kind: str, align_corners: bool, antialias: bool) -> Any:
    # Places and weights keep 32 bits where x has fewer.
    exact = float64 if x.dtype.bits >= 64 and x.dtype.name != "complex64" else float32
    for axis, n, step in zip(axes, size, steps, strict=True):
        given = (x.shape[axis], n, cast(step, dtype=exact), align_corners)
        if antialias:
            weights = smooth_weights(*given, kind)
        else:
            weights = cubic_weights(*given) if kind == "cubic" else linear_weights(*given)
        x = mix_op(x, cast(weights, dtype=x.dtype), axis=axis)
    return x


def _sum_of_each(g: Any, y: Any, x: Any, *, factors: Sizes) -> tuple[Any]:
    return (sum_pool(g, window=factors),)


@function(vjp=_sum_of_each)
def _repeated(x: Any, *, factors: Sizes) -> Any:
    """Each element ``factors`` times along the last axes; its gradient as pooling is half as dear as a sum."""
    for axis, factor in enumerate(factors, x.ndim - len(factors)):
        x = repeat(x, factor, axis=axis) if factor > 1 else x
    return x


@function(takes=lambda kinds: (None, *(float64 for _ in kinds[1:])))
def _nearest(x: Any, *steps: Any, axes: Sizes, size: Sizes, whole: Sizes, middle: bool) -> Any:
    many = dict(zip(axes, whole, strict=True))
    if max(whole) > 0:  # so many new elements for each old one
        x = _repeated(x, factors=tuple(max(1, many.get(axis, 1)) for axis in range(2, x.ndim)))
    for axis, n, step, factor in zip(axes, size, steps, whole, strict=True):
        if factor > 0:
            continue
        if factor < 0:  # one of so many old ones
            first = -factor // 2 if middle else 0
            cut = (first, first - factor * (n - 1) + 1, -factor)
            x = slice_op(x, bounds=tuple(cut if a == axis else (0, m, 1) for a, m in enumerate(x.shape)))
        else:
            x = nearest(x, n, cast(step, dtype=float32), axis=axis, middle=middle)
    return x


# ── the function that people call ───────────────────────────────────────────────────────────────────────────


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    recompute_scale_factor: bool = False,
    antialias: bool = False,
) -> Tensor:
    """The input (N, C, *spatial) resampled to ``size``, or to its own size times ``scale_factor``, rounded down.

    ``mode``: "nearest" and "nearest-exact" take the element in which the new one begins, or in which its middle
    lies; "linear", "bilinear", "trilinear" (1, 2, 3 axes) and "bicubic" weigh neighbours; "area" averages. The edges
    of the outer elements stay where they are; with ``align_corners`` their centres do. ``antialias`` widens the
    weights of "bilinear" and "bicubic" where a picture shrinks. ``recompute_scale_factor`` measures distances by
    the rounded size. Whole numbers become float32 where they are weighed.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.interpolate(wf.tensor([[[1.0, 3.0]]]), 4, mode="linear").tolist()
    [[[1.0, 1.5, 2.5, 3.0]]]
    """
    x = as_tensor(x)
    choice("interpolate", "mode", mode, MODES)
    axes = x.ndim - 2
    if axes not in (1, 2, 3) or _AXES.get(mode, axes) != axes or 0 in x.shape[1:]:
        count = _AXES.get(mode, "1 to 3")
        raise ShapeError(
            f"interpolate: an input of shape {x.shape} with mode={mode!r}",
            expected=f"(N, channels, *spatial) with {count} spatial axes, not empty",
            cure={1: 'mode="linear"', 2: 'mode="bilinear"', 3: 'mode="trilinear"'}.get(axes),
        )
    if align_corners and mode not in _AXES:
        raise ArgumentError(f"interpolate: align_corners with mode={mode!r}", expected='a "…linear" mode or "bicubic"')
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(f"interpolate: antialias with mode={mode!r}", expected='"bilinear" or "bicubic"')
    wanted, steps = _sizes(x.shape[2:], size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return adaptive_average_pool(x, wanted)
    changed = [k for k in range(axes) if wanted[k] != x.shape[k + 2] or steps[k] != 1]
    if not changed:
        return x.astype(float32) if mode in _AXES and not x.dtype.is_differentiable else x
    given = {"axes": tuple(k + 2 for k in changed), "size": tuple(wanted[k] for k in changed)}
    distances = [float(steps[k]) for k in changed]
    if mode in _AXES:
        kind = "cubic" if mode == "bicubic" else "linear"
        y: Tensor = _resample(x, *distances, **given, kind=kind, align_corners=align_corners, antialias=antialias)
    else:
        whole = tuple(_whole(x.shape[k + 2], wanted[k], steps[k]) for k in changed)
        y = _nearest(x, *distances, **given, whole=whole, middle=mode == "nearest-exact")
    return y


def _sizes(spatial: Sizes, size: Any, factor: Any, recompute: bool) -> tuple[Sizes, list[float]]:
    """The new sizes, and how far apart the new elements are, measured in old ones."""
    axes = len(spatial)
    if (size is None) == (factor is None):
        raise ArgumentError(f"interpolate: size={size!r} and scale_factor={factor!r}", expected="one of the two")
    if factor is None:
        if recompute:
            raise ArgumentError("interpolate: recompute_scale_factor with a size", expected="a scale_factor")
        wanted = spread("interpolate", "size", size, axes)
        return wanted, [n / k for n, k in zip(spatial, wanted, strict=True)]
    each = tuple(factor) if isinstance(factor, tuple | list) else (factor,) * axes
    if len(each) != axes or not all(isinstance(f, int | float) and 0 < f < math.inf for f in each):
        raise ArgumentError(f"interpolate: scale_factor={factor!r}", expected=f"a number above 0, or {axes} of them")
    wanted = tuple(int(n * f) for n, f in zip(spatial, each, strict=True))
    if min(wanted) < 1:
        raise ShapeError(f"interpolate: scale_factor={factor!r} of {spatial}", expected="at least one element left")
    return wanted, [n / k if recompute else 1 / f for n, k, f in zip(spatial, wanted, each, strict=True)]


def _whole(n: int, size: int, step: float) -> int:
    """How often each element is repeated, minus of how many one is taken, or 0 if neither is a whole number."""
    if size % n == 0 and step == n / size:
        return size // n
    return -(n // size) if n % size == 0 and step == n / size else 0
