"""Padding layers: a mode of `functional.pad` and a number of axes each."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.errors import ArgumentError
from weft.nn import functional
from weft.nn.functional.pooling import one_batch
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor


class Pad(Module):
    """Elements around the last ``axes`` axes of (N, C, *spatial), or without N.

    ``padding`` is one number for all ends, or (left, right, top, bottom, front, back), the last axis first; negative
    numbers cut elements off.
    """

    axes: ClassVar[int]
    mode: ClassVar[str]
    value: float = 0.0

    def __init__(self, padding: Any) -> None:
        self.padding = ends(type(self).__name__, padding, self.axes)

    def forward(self, x: Any) -> Tensor:
        one_batch(type(self).__name__, x, self.axes)
        return functional.pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


def ends(layer: str, padding: Any, axes: int) -> tuple[int, ...]:
    """A number for both ends of each axis, from one for all or from as many as there are ends."""
    each = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * (2 * axes)
    if len(each) != 2 * axes or not all(isinstance(n, int) and not isinstance(n, bool) for n in each):
        raise ArgumentError(f"{layer}: padding={padding!r}", expected=f"a whole number, or {2 * axes} of them")
    return each


class ConstantPad(Pad):
    """``value`` around the input."""

    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        self.padding, self.value = ends(type(self).__name__, padding, self.axes), value

    def extra_repr(self) -> str:
        return f"{self.padding}, value={self.value}"


class ZeroPad(Pad):
    """Zeros around the input."""

    mode = "constant"


class ReflectionPad(Pad):
    """The input mirrored at its outermost elements."""

    mode = "reflect"


class ReplicationPad(Pad):
    """The outermost elements again."""

    mode = "replicate"


class CircularPad(Pad):
    """Elements from the other end."""

    mode = "circular"


@register
class ConstantPad1d(ConstantPad):
    """``value`` at both ends of (N, C, length)."""

    axes = 1


@register
class ConstantPad2d(ConstantPad):
    """``value`` around the pictures of (N, C, height, width)."""

    axes = 2


@register
class ConstantPad3d(ConstantPad):
    """``value`` around the volumes of (N, C, depth, height, width)."""

    axes = 3


@register
class ZeroPad1d(ZeroPad):
    """Zeros at both ends of (N, C, length)."""

    axes = 1


@register
class ZeroPad2d(ZeroPad):
    """Zeros around the pictures of (N, C, height, width).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.ZeroPad2d((1, 2, 0, 0))(wf.ones((1, 1, 1, 1))).tolist()
    [[[[0.0, 1.0, 0.0, 0.0]]]]
    """

    axes = 2


@register
class ZeroPad3d(ZeroPad):
    """Zeros around the volumes of (N, C, depth, height, width)."""

    axes = 3


@register
class ReflectionPad1d(ReflectionPad):
    """(N, C, length) mirrored at both ends."""

    axes = 1


@register
class ReflectionPad2d(ReflectionPad):
    """(N, C, height, width) mirrored at all sides."""

    axes = 2


@register
class ReflectionPad3d(ReflectionPad):
    """(N, C, depth, height, width) mirrored at all sides."""

    axes = 3


@register
class ReplicationPad1d(ReplicationPad):
    """(N, C, length) with its ends repeated."""

    axes = 1


@register
class ReplicationPad2d(ReplicationPad):
    """(N, C, height, width) with its edges repeated."""

    axes = 2


@register
class ReplicationPad3d(ReplicationPad):
    """(N, C, depth, height, width) with its faces repeated."""

    axes = 3


@register
class CircularPad1d(CircularPad):
    """(N, C, length) closed to a circle."""

    axes = 1


@register
class CircularPad2d(CircularPad):
    """(N, C, height, width) closed to a torus."""

    axes = 2


@register
class CircularPad3d(CircularPad):
    """(N, C, depth, height, width) closed along each axis."""

    axes = 3
