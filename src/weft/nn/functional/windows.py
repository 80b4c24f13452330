"""Patches of pictures as columns (im2col), and columns added back to pictures (col2im)."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.function import function
from weft.nn.check import spread
from weft.nn.functional.convolution import Sizes
from weft.nn.functional.pooling import one_batch, unbatched
from weft.ops.padding import pad
from weft.ops.patches import window_count
from weft.ops.windows import overlap_add_op, span, windows_op
from weft.tensor import Tensor, as_tensor


@function
def _unfold(x: Any, *, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Any:
    x = pad(x, ((0, 0), (0, 0), *((p, p) for p in padding))) if any(padding) else x
    x = windows_op(x, axis=2, size=kernel_size[0], step=stride[0], dilation=dilation[0])
    x = windows_op(x, axis=4, size=kernel_size[1], step=stride[1], dilation=dilation[1])
    n, c, rows, k, columns, m = x.shape
    return x.permute_dims(0, 1, 3, 5, 2, 4).reshape(n, c * k * m, rows * columns)


@function
def _fold(
    x: Any, *, size: Sizes, counts: Sizes, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Any:
    channels = x.shape[1] // math.prod(kernel_size)
    x = x.reshape(x.shape[0], channels, *kernel_size, *counts).permute_dims(0, 1, 4, 2, 5, 3)
    whole = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    x = overlap_add_op(x, axis=4, length=whole[1], step=stride[1], dilation=dilation[1])
    x = overlap_add_op(x, axis=2, length=whole[0], step=stride[0], dilation=dilation[0])
    return x[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]


def _checked(
    layer: str, size: Sizes, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[dict[str, Any], Sizes]:
    """The arguments with an entry for each axis, and how many windows fit along each."""
    given = {
        "kernel_size": spread(layer, "kernel_size", kernel_size, 2),
        "dilation": spread(layer, "dilation", dilation, 2),
        "padding": spread(layer, "padding", padding, 2, least=0),
        "stride": spread(layer, "stride", stride, 2),
    }
    each = zip(size, *given.values(), strict=True)
    counts = tuple(window_count(n, window=span(k, d), stride=s, padding=(p, p)) for n, k, d, p, s in each)
    if min(counts) < 1:
        raise ShapeError(
            f"{layer}: a kernel of {given['kernel_size']}, dilated by {given['dilation']}, does not fit {size} "
            f"padded by {given['padding']}",
            expected="a picture at least as large as the kernel",
        )
    return given, counts


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Every patch of (N, C, height, width) or (C, height, width) as a column: (N, C·∏kernel, patches).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.unfold(wf.arange(9.0).reshape(1, 3, 3), 2)[:, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    x, single = one_batch("unfold", x, 2)
    given, _ = _checked("unfold", x.shape[2:], kernel_size, dilation, padding, stride)
    y: Tensor = unbatched(_unfold(x, **given), single)
    return y


def fold(x: Any, size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The transpose of `unfold`: columns (N, C·∏kernel, patches) added up to pictures (N, C, *size).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.fold(wf.ones((1, 4, 4)), (3, 3), 2)[0, 0].tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    x = as_tensor(x)
    size = spread("fold", "size", size, 2)
    given, counts = _checked("fold", size, kernel_size, dilation, padding, stride)
    area, patches = math.prod(given["kernel_size"]), math.prod(counts)
    if x.ndim not in (2, 3) or x.shape[-1] != patches or x.shape[-2] % area:
        raise ShapeError(
            f"fold: columns of shape {x.shape} for pictures of {size}",
            expected=f"(N, channels · {area}, {patches}), or without N",
        )
    single = x.ndim == 2
    y: Tensor = unbatched(_fold(x.reshape(1, *x.shape) if single else x, size=size, counts=counts, **given), single)
    return y
