"""Layers that rearrange: other shapes, channels and pixels exchanged, other sizes, patches as columns."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError, is_whole
from weft.nn import functional
from weft.nn.check import choice, positive, sizes, spread
from weft.nn.functional.interpolation import MODES
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.manipulation import flatten
from weft.ops.rules import normalize_axis
from weft.tensor import Tensor

# ── other shapes ────────────────────────────────────────────────────────────────────────────────────────────


@register
class Identity(Module):
    """y = x."""

    def forward(self, x: Any) -> Any:
        return x


@register
class Flatten(Module):
    """The axes from ``start`` to ``stop`` joined into one: by default all but the first, the batch.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Flatten()(wf.zeros((8, 3, 4))).shape
    (8, 12)
    """

    def __init__(self, start: int = 1, stop: int = -1) -> None:
        if not is_whole(start) or not is_whole(stop):
            raise ArgumentError(f"Flatten: start={start!r}, stop={stop!r}", expected="axes: whole numbers")
        self.start, self.stop = start, stop

    def forward(self, x: Any) -> Tensor:
        y: Tensor = flatten(x, self.start, self.stop)
        return y

    def extra_repr(self) -> str:
        return f"start={self.start}, stop={self.stop}"


@register
class Unflatten(Module):
    """One axis laid out as several: ``Unflatten(1, (3, 4))`` takes (8, 12) to (8, 3, 4); one size may be -1."""

    def __init__(self, axis: int, sizes: tuple[int, ...]) -> None:
        given = tuple(sizes) if isinstance(sizes, tuple | list) else (sizes,)
        if not is_whole(axis) or not given or any(not is_whole(n, -1) for n in given) or given.count(-1) > 1:
            raise ArgumentError(
                f"Unflatten: axis={axis!r}, sizes={sizes!r}", expected="an axis, and sizes ≥ 0 of which one may be -1"
            )
        self.axis, self.sizes = axis, given

    def forward(self, x: Any) -> Tensor:
        axis = normalize_axis(self.axis, x.ndim)
        known = math.prod(n for n in self.sizes if n != -1)
        if x.shape[axis] % max(known, 1) if -1 in self.sizes else known != x.shape[axis]:
            raise ShapeError(
                f"axis {axis} of size {x.shape[axis]} as {self.sizes}",
                expected=f"sizes whose product is {x.shape[axis]}",
            )
        made = (x.shape[axis] // max(known, 1) if n == -1 else n for n in self.sizes)
        y: Tensor = x.reshape(*x.shape[:axis], *made, *x.shape[axis + 1 :])
        return y

    def extra_repr(self) -> str:
        return f"axis={self.axis}, sizes={self.sizes}"


# ── channels and pixels ─────────────────────────────────────────────────────────────────────────────────────


@register
class PixelShuffle(Module):
    """(…, C·r², H, W) to (…, C, H·r, W·r): channels become pixels between the pixels; Shi et al. 2016."""

    def __init__(self, factor: int) -> None:
        sizes("PixelShuffle", 1, factor=factor)
        self.factor = factor

    def forward(self, x: Any) -> Tensor:
        return functional.pixel_shuffle(x, self.factor)

    def extra_repr(self) -> str:
        return f"factor={self.factor}"


@register
class PixelUnshuffle(Module):
    """(…, C, H·r, W·r) to (…, C·r², H, W): the inverse of `PixelShuffle`."""

    def __init__(self, factor: int) -> None:
        sizes("PixelUnshuffle", 1, factor=factor)
        self.factor = factor

    def forward(self, x: Any) -> Tensor:
        return functional.pixel_unshuffle(x, self.factor)

    def extra_repr(self) -> str:
        return f"factor={self.factor}"


@register
class ChannelShuffle(Module):
    """The channels of (N, C, *spatial) dealt out: the first of each group, then the second, …; Zhang et al. 2018."""

    def __init__(self, groups: int) -> None:
        sizes("ChannelShuffle", 1, groups=groups)
        self.groups = groups

    def forward(self, x: Any) -> Tensor:
        return functional.channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


# ── other sizes ─────────────────────────────────────────────────────────────────────────────────────────────


@register
class Upsample(Module):
    """The input (N, C, *spatial) resampled to ``size`` or by ``scale_factor``, as `functional.interpolate` does.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Upsample(scale_factor=2)(wf.tensor([[[1.0, 3.0]]])).tolist()
    [[[1.0, 1.0, 3.0, 3.0]]]
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool = False,
        recompute_scale_factor: bool = False,
    ) -> None:
        _check_target("Upsample", size, scale_factor)
        choice("Upsample", "mode", mode, MODES)
        self.size, self.scale_factor, self.mode = plain(size), plain(scale_factor), mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        how = (self.mode, self.align_corners, self.recompute_scale_factor)
        return functional.interpolate(x, self.size, self.scale_factor, *how)

    def extra_repr(self) -> str:
        return _target(self) + f", mode={self.mode!r}" + (", align_corners=True" if self.align_corners else "")


@register
class UpsamplingNearest2d(Module):
    """`Upsample` of (N, C, height, width) with the nearest pixel."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        _check_target("UpsamplingNearest2d", size, scale_factor)
        self.size, self.scale_factor = plain(size), plain(scale_factor)

    def forward(self, x: Any) -> Tensor:
        return functional.interpolate(_pictures(self, x), self.size, self.scale_factor)

    def extra_repr(self) -> str:
        return _target(self)


@register
class UpsamplingBilinear2d(Module):
    """`Upsample` of (N, C, height, width) with four weighted neighbours, the centres of the corners kept in place."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        _check_target("UpsamplingBilinear2d", size, scale_factor)
        self.size, self.scale_factor = plain(size), plain(scale_factor)

    def forward(self, x: Any) -> Tensor:
        return functional.interpolate(_pictures(self, x), self.size, self.scale_factor, "bilinear", align_corners=True)

    def extra_repr(self) -> str:
        return _target(self)


def _check_target(layer: str, size: Any, factor: Any) -> None:
    if (size is None) == (factor is None):
        raise ArgumentError(f"{layer}: size={size!r} and scale_factor={factor!r}", expected="one of the two")
    sizes(layer, 1, optional=size is None, size=size)
    for each in factor if isinstance(factor, tuple | list) else (factor,):
        if each is not None:
            positive(layer, scale_factor=each)


def _target(layer: Any) -> str:
    return f"size={layer.size}" if layer.size is not None else f"scale_factor={layer.scale_factor}"


def _pictures(layer: Module, x: Any) -> Any:
    if x.ndim != 4:
        raise ShapeError(f"{type(layer).__name__}: an input of shape {x.shape}", expected="(N, C, height, width)")
    return x


def plain(value: Any) -> Any:
    """Sizes as a tuple, which is the same before and after a file."""
    return tuple(value) if isinstance(value, list) else value


# ── patches as columns ──────────────────────────────────────────────────────────────────────────────────────


class Patches(Module):
    """What Unfold and Fold have in common: patches of pictures, as PyTorch's classes describe them."""

    def patches_of(self, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> None:
        """Keep the arguments with an entry for each axis."""
        layer = type(self).__name__
        self.kernel_size = spread(layer, "kernel_size", kernel_size, 2)
        self.dilation = spread(layer, "dilation", dilation, 2)
        self.padding = spread(layer, "padding", padding, 2, least=0)
        self.stride = spread(layer, "stride", stride, 2)

    def extra_repr(self) -> str:
        names = ("kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


@register
class Unfold(Patches):
    """Every patch of (N, C, height, width) as a column: (N, C·∏kernel, patches).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Unfold(2)(wf.zeros((1, 3, 4, 4))).shape
    (1, 12, 9)
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        self.patches_of(kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Tensor:
        return functional.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


@register
class Fold(Patches):
    """The transpose of `Unfold`: columns (N, C·∏kernel, patches) added up to pictures (N, C, *size)."""

    def __init__(self, size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        self.size = spread("Fold", "size", size, 2)
        self.patches_of(kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Tensor:
        return functional.fold(x, self.size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"size={self.size}, {super().extra_repr()}"
