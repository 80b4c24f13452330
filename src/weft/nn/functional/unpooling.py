"""Unpooling: maxima back at the places where they were found, zeros elsewhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import DataError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.graph.recording import whereabouts
from weft.nn.check import spread
from weft.nn.functional.convolution import Sizes
from weft.nn.functional.pooling import check_window, one_batch, unbatched
from weft.ops.conversion import cast
from weft.ops.creation import full_op, iota_op
from weft.ops.indexing import scatter_op
from weft.tensor import Tensor, as_tensor


@function(takes=lambda kinds: (None, None))
def _max_unpool(x: Any, indices: Any, *, size: Sizes) -> Any:
    places, planes = math.prod(size), x.shape[0] * x.shape[1]
    plane = iota_op(shape=(planes, 1), axis=0, dtype=int64)
    count = math.prod(x.shape[2:])
    at = cast(indices, dtype=int64).reshape(planes, count) + plane * places
    zeros = full_op(0, shape=(planes * places,), dtype=x.dtype)
    return scatter_op(zeros, x.reshape(planes * count), at.reshape(planes * count), mode="set").reshape(
        *x.shape[:2], *size
    )


def unpool_over(axes: int, x: Any, indices: Any, window: Any, stride: Any, padding: Any, size: Any) -> Tensor:
    """What `max_unpool1d` and its relatives do, over ``axes`` axes."""
    layer = f"max_unpool{axes}d"
    x, single = one_batch(layer, x, axes)
    at, _ = one_batch(layer, indices, axes)
    if at.shape != x.shape:
        raise ShapeError(f"{layer}: values of shape {x.shape} with indices of shape {at.shape}", expected="one shape")
    if not at.dtype.is_integer:
        raise DTypeError(f"{layer}: indices of type {at.dtype.name}", expected="those that max_pool… returns")
    given = check_window(layer, spread(layer, "window", window, axes), stride, padding)
    each = zip(x.shape[2:], given["window"], given["stride"], given["padding"], strict=True)
    usual = tuple((n - 1) * s + w - sum(pair) for n, w, s, pair in each)
    wanted = (
        usual if size is None else spread(layer, "size", size if isinstance(size, int) else tuple(size)[-axes:], axes)
    )
    if any(not u - s < k < u + s for k, u, s in zip(wanted, usual, given["stride"], strict=True)):
        raise ShapeError(
            f"{layer}: size={size!r} for an input of shape {x.shape}", expected=f"less than a stride from {usual}"
        )
    _check_places(layer, as_tensor(indices), wanted)
    y: Tensor = unbatched(_max_unpool(x, at, size=wanted), single)
    return y


def _check_places(layer: str, at: Tensor, size: Sizes) -> None:
    """Refuse places outside the result, where they are known."""
    if at.node.data is None or not at.size:
        return
    values = np.asarray(at.node.data)
    if values.min() < 0 or values.max() >= math.prod(size):
        raise DataError(
            f"{layer}: positions from {values.min()} to {values.max()} in a result of {size}",
            expected=f"0 ≤ position < {math.prod(size)}",
            where=whereabouts(),
            cure="size=… of what was pooled",
        )


def max_unpool1d(x: Any, indices: Any, window: Any, stride: Any = None, padding: Any = 0, size: Any = None) -> Tensor:
    """The partial inverse of `max_pool1d`: x at the positions that it returned, 0 elsewhere.

    The result has (n − 1)·stride − 2·padding + window elements, or ``size`` if it is given.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> y, at = F.max_pool1d(wf.tensor([[1.0, 3.0, 4.0, 2.0]]), 2, return_indices=True)
    >>> F.max_unpool1d(y, at, 2).tolist()
    [[0.0, 3.0, 4.0, 0.0]]
    """
    return unpool_over(1, x, indices, window, stride, padding, size)


def max_unpool2d(x: Any, indices: Any, window: Any, stride: Any = None, padding: Any = 0, size: Any = None) -> Tensor:
    """The partial inverse of `max_pool2d`: x at the positions in height × width that it returned, 0 elsewhere."""
    return unpool_over(2, x, indices, window, stride, padding, size)


def max_unpool3d(x: Any, indices: Any, window: Any, stride: Any = None, padding: Any = 0, size: Any = None) -> Tensor:
    """The partial inverse of `max_pool3d`: x at the positions in the flattened space that it returned, 0 elsewhere."""
    return unpool_over(3, x, indices, window, stride, padding, size)
