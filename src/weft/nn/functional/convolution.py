"""Convolutions over the last axes of (N, channels, *spatial)."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import sizes, spread
from weft.ops import convolution
from weft.ops.manipulation import expand_dims, squeeze
from weft.tensor import Tensor, as_tensor

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

# ── arguments ───────────────────────────────────────────────────────────────────────────────────────────────


def pads(layer: str, padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pads:
    """(before, after) for each axis, from a number, one for each axis, pairs, "valid" (none), or "same".

    >>> pads("Conv2d", "same", (3, 4), (1, 1), (1, 1))
    ((1, 1), (1, 2))
    """
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(
                f'{layer}: padding="same" with stride={stride}', expected="stride 1", cure="padding=1, or stride=1"
            )
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ArgumentError(
            f"{layer}: padding={padding!r}", expected='a number ≥ 0, one or a pair for each axis, "same" or "valid"'
        )
    if isinstance(padding, tuple | list) and any(isinstance(pair, tuple | list) for pair in padding):
        if len(padding) != len(kernel) or not all(isinstance(p, tuple | list) and len(p) == 2 for p in padding):
            raise ArgumentError(f"{layer}: padding={padding!r}", expected=f"{len(kernel)} pairs (before, after)")
        sizes(layer, 0, padding=tuple(n for pair in padding for n in pair))
        return tuple((before, after) for before, after in padding)
    return tuple((n, n) for n in spread(layer, "padding", padding, len(kernel), least=0))


def check_rank(x: Sizes, axes: int, channels: int | str) -> None:
    """Refuse an input with another number of axes than batch, channels and ``axes`` spatial ones."""
    if len(x) != axes + 2:
        at = 1 if channels in (1, "channels") else 0
        raise ShapeError(
            f"an input of shape {x} with {len(x)} axes for a convolution over {axes}",
            expected=f"{axes + 2} axes: {layout(axes, channels)}",
            cure=f"wf.expand_dims(x, axis={at})" if len(x) == axes + 1 else None,
        )


def layout(axes: int, channels: int | str) -> str:
    """How the axes of an input are called: ``(N, 3, height, width)``."""
    return f"(N, {channels}, {', '.join(('depth', 'height', 'width')[-axes:] if axes > 1 else ('length',))})"


def check_input(x: Sizes, weight: Sizes, channels: int) -> None:
    """Refuse an input of another rank or number of channels than the weight is for."""
    check_rank(x, len(weight) - 2, channels)
    if x[1] != channels:
        last = tuple(range(1, len(x) - 1))
        raise ShapeError(
            f"an input of shape {x}: axis 1 has size {x[1]}, the layer takes {channels} channels",
            expected=layout(len(weight) - 2, channels),
            cure=f"wf.permute_dims(x, {(0, len(x) - 1, *last)}): channels come first"
            if x[-1] == channels
            else f"a layer for {x[1]} channels",
        )


def kernel_of(layer: str, weight: Any, axes: int | None) -> Tensor:
    w = as_tensor(weight)
    if not 3 <= w.ndim <= 5 or axes not in (None, w.ndim - 2):
        raise ShapeError(
            f"{layer}: a weight of shape {w.shape}",
            expected=f"{'3 to 5' if axes is None else axes + 2} axes: two of channels, then the kernel's",
        )
    return w


def check_groups(layer: str, groups: Any, channels: int) -> None:
    sizes(layer, 1, groups=groups)
    if channels % groups:
        raise ArgumentError(f"{layer}: groups={groups} with a weight for {channels} channels", expected="a divisor")


def with_bias(y: Any, bias: tuple[Any, ...]) -> Any:
    if not bias:
        return y
    if bias[0].shape != (y.shape[1],):
        raise ShapeError(f"a bias of shape {bias[0].shape} for {y.shape[1]} channels", expected=f"({y.shape[1]},)")
    return y + bias[0].reshape(1, -1, *(1,) * (y.ndim - 2))


# ── convolution ─────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _conv(x: Any, weight: Any, *bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    check_input(x.shape, weight.shape, weight.shape[1] * groups)
    y = convolution.conv(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return with_bias(y, bias)


def conv(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Cross-correlation of x (N, C, *spatial) with weight (O, C/groups, *kernel): (N, O, *positions).

    As many axes as the kernel has. Along each, (size + pads − dilation·(kernel − 1) − 1) // stride + 1 positions.
    ``padding`` is a number, one or a pair (before, after) for each axis, "same" or "valid". Whole numbers compute
    as float32.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv(wf.ones((1, 1, 3)), wf.ones((1, 1, 2))).tolist()
    [[[2.0, 2.0]]]
    """
    return _convolve("conv", None, x, weight, bias, stride, padding, dilation, groups)


def _convolve(
    layer: str, axes: int | None, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Tensor:
    w = kernel_of(layer, weight, axes)
    axes = w.ndim - 2
    stride, dilation = spread(layer, "stride", stride, axes), spread(layer, "dilation", dilation, axes)
    check_groups(layer, groups, w.shape[0])
    y: Tensor = _conv(
        *((x, w) if bias is None else (x, w, bias)),
        stride=stride,
        padding=pads(layer, padding, w.shape[2:], stride, dilation),
        dilation=dilation,
        groups=groups,
    )
    return y


def batched(x: Tensor, axes: int) -> tuple[Tensor, bool]:
    """``x`` with a batch axis, and whether it had none: (C, *spatial) is one example."""
    return (expand_dims(x, axis=0), True) if x.ndim == axes + 1 else (x, False)


def _conv_over(axes: int, x: Any, *arguments: Any) -> Tensor:
    x, single = batched(as_tensor(x), axes)
    y = _convolve(f"conv{axes}d", axes, x, *arguments)
    return squeeze(y, 0) if single else y


def conv1d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """`conv` over one axis: x (N, C, length) or (C, length), weight (O, C/groups, kernel).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv1d(wf.ones((1, 4)), wf.ones((1, 1, 3)), padding="same").tolist()
    [[2.0, 3.0, 3.0, 2.0]]
    """
    return _conv_over(1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """`conv` over two axes: x (N, C, height, width) or (C, height, width), weight (O, C/groups, *kernel).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.conv2d(wf.ones((2, 3, 8, 8)), wf.ones((4, 3, 3, 3)), stride=2, padding=1).shape
    (2, 4, 4, 4)
    """
    return _conv_over(2, x, weight, bias, stride, padding, dilation, groups)


def conv3d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """`conv` over three axes: x (N, C, depth, height, width) or without N, weight (O, C/groups, *kernel)."""
    return _conv_over(3, x, weight, bias, stride, padding, dilation, groups)
