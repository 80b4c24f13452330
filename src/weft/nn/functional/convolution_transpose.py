"""Transposed convolutions: what spreads each element over a kernel, as the gradient of a convolution does."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import spread
from weft.nn.functional.convolution import (
    Pads,
    Sizes,
    batched,
    check_groups,
    check_input,
    kernel_of,
    pads,
    with_bias,
)
from weft.ops import convolution
from weft.ops.manipulation import squeeze
from weft.ops.padding import pad
from weft.ops.windows import span
from weft.tensor import Tensor, as_tensor


@function(takes=floating)
def _conv_transpose(
    x: Any, weight: Any, *bias: Any, stride: Sizes, padding: Pads, more: Sizes, dilation: Sizes, groups: int
) -> Any:
    check_input(x.shape, weight.shape, weight.shape[0])
    each = zip(x.shape[2:], weight.shape[2:], stride, dilation, padding, strict=True)
    spatial = tuple((n - 1) * s + span(k, d) - sum(pair) for n, k, s, d, pair in each)
    if min(n + m for n, m in zip(spatial, more, strict=True)) < 1:
        raise ShapeError(
            f"a transposed convolution of {x.shape[2:]} with a kernel of {weight.shape[2:]} and padding={padding}",
            expected="less padding: it is taken away from the result, of which nothing is left",
        )
    y = convolution.conv_input_gradient(
        x, weight, spatial=spatial, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    if any(more):  # where the result reaches past all kernels, only the bias is
        y = pad(y, ((0, 0), (0, 0), *((0, m) for m in more)))
    return with_bias(y, bias)


def conv_transpose_over(
    axes: int,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Tensor:
    """What `conv_transpose1d` and its relatives do over ``axes`` axes."""
    layer = f"conv_transpose{axes}d"
    w = kernel_of(layer, weight, axes)
    stride, dilation = spread(layer, "stride", stride, axes), spread(layer, "dilation", dilation, axes)
    check_groups(layer, groups, w.shape[0])
    if isinstance(padding, str):
        raise ArgumentError(f"{layer}: padding={padding!r}", expected="a number ≥ 0, or one or a pair for each axis")
    around = pads(layer, padding, w.shape[2:], stride, dilation)
    extra = check_output_padding(layer, output_padding, stride, dilation)
    # What comes after is cut by so much less; what that cannot give are zeros.
    cut = tuple((before, max(after - e, 0)) for (before, after), e in zip(around, extra, strict=True))
    more = tuple(max(e - after, 0) for (_, after), e in zip(around, extra, strict=True))
    x, single = batched(as_tensor(x), axes)
    y: Tensor = _conv_transpose(
        *((x, w) if bias is None else (x, w, bias)),
        stride=stride,
        padding=cut,
        more=more,
        dilation=dilation,
        groups=groups,
    )
    return squeeze(y, 0) if single else y


def check_output_padding(layer: str, output_padding: Any, stride: Sizes, dilation: Sizes) -> Sizes:
    """How much longer the result is along each axis, refused where a further element would fit instead."""
    extra = spread(layer, "output_padding", output_padding, len(stride), least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(
            f"{layer}: output_padding={output_padding!r} with stride={stride}, dilation={dilation}",
            expected="less than the stride or the dilation",
        )
    return extra


def output_padding_for(
    layer: str, spatial: Sizes, size: Any, kernel: Sizes, *, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Sizes:
    """The output padding with which an input of the sizes ``spatial`` becomes one of ``size``."""
    axes = len(kernel)
    wanted = spread(layer, "output_size", size if isinstance(size, int) else tuple(size)[-axes:], axes)
    each = zip(spatial, kernel, stride, padding, dilation, strict=True)
    least = tuple((n - 1) * s + span(k, d) - 2 * p for n, k, s, p, d in each)
    if any(not low <= n < low + s for n, low, s in zip(wanted, least, stride, strict=True)):
        most = tuple(low + s - 1 for low, s in zip(least, stride, strict=True))
        raise ShapeError(
            f"{layer}: output_size={size!r} for an input of {tuple(spatial)}", expected=f"from {least} to {most}"
        )
    return tuple(n - low for n, low in zip(wanted, least, strict=True))


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of `conv1d`, which spreads each element over a kernel: weight (C, O/groups, kernel).

    Along the axis, (size − 1)·stride − 2·padding + dilation·(kernel − 1) + 1 + output_padding positions.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv_transpose1d(wf.tensor([[1.0, 2.0]]), wf.ones((1, 1, 2)), stride=2).tolist()
    [[1.0, 1.0, 2.0, 2.0]]
    """
    return conv_transpose_over(1, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of `conv2d`: x (N, C, height, width) or without N, weight (C, O/groups, *kernel).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv_transpose2d(wf.ones((1, 2, 4, 4)), wf.ones((2, 3, 3, 3)), stride=2, padding=1, output_padding=1).shape
    (1, 3, 8, 8)
    """
    return conv_transpose_over(2, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of `conv3d`: x (N, C, depth, height, width) or without N, weight (C, O/groups, *kernel)."""
    return conv_transpose_over(3, x, weight, bias, stride, padding, output_padding, groups, dilation)
