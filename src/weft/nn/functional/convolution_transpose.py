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


def _transpose_over(
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Tensor:
    layer = f"conv_transpose{axes}d"
    w = kernel_of(layer, weight, axes)
    stride, dilation = spread(layer, "stride", stride, axes), spread(layer, "dilation", dilation, axes)
    check_groups(layer, groups, w.shape[0])
    if isinstance(padding, str):
        raise ArgumentError(f"{layer}: padding={padding!r}", expected="a number ≥ 0, or one or a pair for each axis")
    around = pads(layer, padding, w.shape[2:], stride, dilation)
    extra = spread(layer, "output_padding", output_padding, axes, least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(
            f"{layer}: output_padding={output_padding!r} with stride={stride}, dilation={dilation}",
            expected="less than the stride or the dilation",
        )
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
    return _transpose_over(1, x, weight, bias, stride, padding, output_padding, groups, dilation)


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
    return _transpose_over(2, x, weight, bias, stride, padding, output_padding, groups, dilation)


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
    return _transpose_over(3, x, weight, bias, stride, padding, output_padding, groups, dilation)
