"""Pooling to a given size: as many windows as are wanted, all of the axis, or windows at random places."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import sizes, spread
from weft.nn.functional.convolution import Sizes
from weft.nn.functional.pooling import one_batch, unbatched
from weft.ops import pooling
from weft.ops.adaptive import even_means, even_windows, max_over, random_windows
from weft.random import uniform
from weft.tensor import Tensor, as_tensor

# ── as many windows as are wanted ───────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _adaptive_average_pool(x: Any, *, size: Sizes) -> Any:
    return even_means(x, size)


@function
def _adaptive_max_pool(x: Any, *, size: Sizes) -> Any:
    return _divided(x, size) or max_over(x, tuple(even_windows(n, k) for n, k in zip(x.shape[2:], size, strict=True)))


def _divided(x: Any, size: Sizes) -> Any:
    """The maxima and their positions where windows are equally long and side by side."""
    spatial = x.shape[2:]
    if any(n % k for n, k in zip(spatial, size, strict=True)):
        return None
    window = tuple(n // k for n, k in zip(spatial, size, strict=True))
    return pooling.max_pool(x, window=window), pooling.max_positions(x, window=window)


def _wanted(layer: str, x: Tensor, size: Any, axes: int) -> Sizes:
    """A size for each spatial axis; None stands for the size that it has."""
    each = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
    if len(each) != axes:
        raise ArgumentError(f"{layer}: size={size!r}", expected=f"one number, or {axes} of them")
    sizes(layer, 1, optional=True, size=each)
    if 0 in x.shape[2:]:
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected="spatial axes that are not empty")
    return tuple(n if k is None else k for n, k in zip(x.shape[2:], each, strict=True))


def adaptive_average_pool(x: Any, size: Any = 1) -> Tensor:
    """The mean of windows so large that ``size`` of them fill each spatial axis of (N, C, *spatial).

    Window i of k over n elements goes from ⌊i·n/k⌋ to ⌈(i+1)·n/k⌉. A size of None leaves an axis as it is.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.adaptive_average_pool(wf.tensor([[[1.0, 2.0, 3.0]]]), 2).tolist()
    [[[1.5, 2.5]]]
    """
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"adaptive_average_pool: an input of shape {x.shape}", expected="(N, channels, *spatial)")
    return adaptive_average_over(x.ndim - 2, x, size)


def adaptive_average_over(axes: int, x: Any, size: Any) -> Tensor:
    """What `adaptive_avg_pool1d` and its relatives do, over ``axes`` axes."""
    layer = f"adaptive_avg_pool{axes}d"
    x, single = one_batch(layer, x, axes)
    y: Tensor = unbatched(_adaptive_average_pool(x, size=_wanted(layer, x, size, axes)), single)
    return y


def adaptive_max_over(axes: int, x: Any, size: Any, return_indices: bool) -> Any:
    """What `adaptive_max_pool1d` and its relatives do, over ``axes`` axes."""
    layer = f"adaptive_max_pool{axes}d"
    x, single = one_batch(layer, x, axes)
    y, at = _adaptive_max_pool(x, size=_wanted(layer, x, size, axes))
    return (unbatched(y, single), unbatched(at, single)) if return_indices else unbatched(y, single)


def adaptive_avg_pool1d(x: Any, size: Any) -> Tensor:
    """`adaptive_average_pool` of (N, C, length) or (C, length)."""
    return adaptive_average_over(1, x, size)


def adaptive_avg_pool2d(x: Any, size: Any) -> Tensor:
    """`adaptive_average_pool` of (N, C, height, width) or (C, height, width).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.adaptive_avg_pool2d(wf.ones((2, 3, 7, 5)), (3, None)).shape
    (2, 3, 3, 5)
    """
    return adaptive_average_over(2, x, size)


def adaptive_avg_pool3d(x: Any, size: Any) -> Tensor:
    """`adaptive_average_pool` of (N, C, depth, height, width), or without N."""
    return adaptive_average_over(3, x, size)


def adaptive_max_pool1d(x: Any, size: Any, return_indices: bool = False) -> Any:
    """The largest element of ``size`` windows that fill the axis of (N, C, length) or (C, length).

    With ``return_indices`` also where they are; of equal elements the first, which takes the gradient.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.adaptive_max_pool1d(wf.tensor([[1.0, 5.0, 2.0]]), 2).tolist()
    [[5.0, 5.0]]
    """
    return adaptive_max_over(1, x, size, return_indices)


def adaptive_max_pool2d(x: Any, size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool1d` over two axes; positions are those in the flattened height × width."""
    return adaptive_max_over(2, x, size, return_indices)


def adaptive_max_pool3d(x: Any, size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool1d` over three axes; positions are those in the flattened depth × height × width."""
    return adaptive_max_over(3, x, size, return_indices)


# ── all of it ───────────────────────────────────────────────────────────────────────────────────────────────


def global_average_pool(x: Any) -> Tensor:
    """The mean over all spatial axes: (N, C, *spatial) to (N, C)."""
    x = _spatial("global_average_pool", x)
    y: Tensor = x.mean(axis=tuple(range(2, x.ndim)))
    return y


def global_max_pool(x: Any) -> Tensor:
    """The largest element of all spatial axes: (N, C, *spatial) to (N, C); the first of equal ones has the gradient.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.global_max_pool(wf.tensor([[[1.0, 5.0, 2.0]]])).tolist()
    [[5.0]]
    """
    x = _spatial("global_max_pool", x)
    y, _ = _adaptive_max_pool(x.reshape(*x.shape[:2], math.prod(x.shape[2:])), size=(1,))
    most: Tensor = y.reshape(x.shape[:2])
    return most


def _spatial(layer: str, x: Any) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 3 or 0 in x.shape[2:]:
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected="(N, channels, *spatial), not empty")
    return x


# ── windows at random places ────────────────────────────────────────────────────────────────────────────────


@function(takes=lambda kinds: (None, None))
def _fractional_max_pool(x: Any, samples: Any, *, window: Sizes, size: Sizes) -> Any:
    places, axes = [], len(size)
    for k, (n, w, count) in enumerate(zip(x.shape[2:], window, size, strict=True)):
        which = 1 - k if axes == 2 else k  # PyTorch draws for the width first in two dimensions, last in three
        places.append(random_windows(samples[:, :, which], n, count, w))
    return max_over(x, tuple(places))


def check_ratio(layer: str, ratio: Any, axes: int) -> tuple[float, ...]:
    """The share of each axis that is left, between 0 and 1."""
    each = tuple(ratio) if isinstance(ratio, tuple | list) else (ratio,) * axes
    if len(each) != axes or not all(isinstance(r, float) and 0 < r < 1 for r in each):
        raise ArgumentError(f"{layer}: ratio={ratio!r}", expected=f"0 < ratio < 1, one or {axes} of them")
    return each


def fractional_over(axes: int, x: Any, window: Any, size: Any, ratio: Any, samples: Any, return_indices: bool) -> Any:
    """What `fractional_max_pool2d` and its relative do, over ``axes`` axes."""
    layer = f"fractional_max_pool{axes}d"
    x, single = one_batch(layer, x, axes)
    window = spread(layer, "window", window, axes)
    if (size is None) == (ratio is None):
        raise ArgumentError(f"{layer}: size={size!r} and ratio={ratio!r}", expected="one of the two")
    if ratio is not None:
        each = check_ratio(layer, ratio, axes)
        size = tuple(int(n * r) for n, r in zip(x.shape[2:], each, strict=True))
    size = spread(layer, "size", size, axes)
    if any(k + w - 1 > n for n, k, w in zip(x.shape[2:], size, window, strict=True)):
        raise ShapeError(
            f"{layer}: {size} windows of {window} over {x.shape[2:]}", expected="size + window − 1 ≤ the input's size"
        )
    drawn = uniform((*x.shape[:2], axes)) if samples is None else as_tensor(samples)
    if drawn.shape != (*x.shape[:2], axes):
        raise ShapeError(f"{layer}: samples of shape {drawn.shape}", expected=f"{(*x.shape[:2], axes)}")
    y, at = _fractional_max_pool(x, drawn, window=window, size=size)
    return (unbatched(y, single), unbatched(at, single)) if return_indices else unbatched(y, single)


def fractional_max_pool2d(
    x: Any, window: Any, *, size: Any = None, ratio: Any = None, samples: Any = None, return_indices: bool = False
) -> Any:
    """The largest element of windows at random places, which overlap by random amounts: Graham 2014.

    ``size`` says how many, or ``ratio`` the share of the input's sizes. ``samples`` (N, C, 2) in [0, 1) decide the
    places, width first, and are drawn where they are not given.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.fractional_max_pool2d(wf.ones((1, 2, 8, 8)), 2, ratio=0.7).shape
    (1, 2, 5, 5)
    """
    return fractional_over(2, x, window, size, ratio, samples, return_indices)


def fractional_max_pool3d(
    x: Any, window: Any, *, size: Any = None, ratio: Any = None, samples: Any = None, return_indices: bool = False
) -> Any:
    """`fractional_max_pool2d` over three axes; ``samples`` (N, C, 3) are for depth, height and width."""
    return fractional_over(3, x, window, size, ratio, samples, return_indices)
