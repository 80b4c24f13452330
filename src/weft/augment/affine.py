"""Pictures turned, moved, scaled and sheared: each pixel is read between four of the old ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.augment.augmentation import PictureAugmentation, number, span
from weft.augment.draws import apart, settle, uniform
from weft.errors import ArgumentError
from weft.graph.dtype import float32
from weft.graph.function import function
from weft.nn.check import choice
from weft.nn.functional import grid_sample
from weft.ops.assembling import stack
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.trigonometry import cos, sin, tan
from weft.tensor import Tensor

MODES = {"zeros": "zeros", "reflect": "reflection", "edge": "border"}  # in the words of `grid_sample`
RADIAN = math.pi / 180


def _middle(n: int, axis: int) -> Any:
    """The places of n pixels, counted from their middle, along ``axis`` of (B, H, W)."""
    shape = tuple(n if a == axis else 1 for a in range(3))
    return iota_op(shape=shape, axis=axis, dtype=float32) - (n - 1) / 2


@function(takes=apart)
def _random_affine(x: Any, keys: Any, ranges: Any, *, mode: str) -> Any:
    """``ranges`` (2, 5) holds the ends of angle, pixels down and right, scale and shear."""
    drawn = uniform(keys, 0, ranges.shape[1], ranges[0], ranges[1])
    angle, down, right, scale, shear = (drawn[:, k].reshape(-1, 1, 1) for k in range(ranges.shape[1]))
    high, wide = x.shape[2:]
    across, along = _middle(wide, 2) - right, _middle(high, 1) - down
    # Where the pixel was: the maps undone in the opposite order. Rows count downwards, so + is against the clock.
    c, s, t = cos(angle * RADIAN) / scale, sin(angle * RADIAN) / scale, tan(shear * RADIAN)
    row = settle(across * s, keys) + settle(along * c, keys)
    column = settle(across * settle(c - t * s, keys), keys) - settle(along * settle(s + t * c, keys), keys)
    places = [at * (2 / max(n - 1, 1)) for at, n in ((column, wide), (row, high))]
    # Settled again and again: where the compiler joins a product and a sum, it rounds once instead of twice.
    grid = settle(cast(stack(places, axis=-1), dtype=x.dtype if x.dtype.itemsize >= 4 else float32), keys)
    return cast(grid_sample(x, grid, padding_mode=MODES[mode], align_corners=True), dtype=x.dtype)


@dataclass(frozen=True)
class Affine(PictureAugmentation):
    """Pictures turned, moved, scaled and sheared about their middle, each by an amount of its own.

    ``degrees`` against the clock and ``shear`` (degrees, horizontal) are ranges (low, high), or numbers for ±;
    ``translate`` is a share of the picture's size, ± for both directions or (vertical, horizontal); ``scale`` is a
    range. The picture is sheared and scaled first, then turned, then moved. What comes in from outside is, by
    ``mode``, "zeros", the picture mirrored at its outermost pixels ("reflect"), or those again ("edge").

    >>> import weft as wf
    >>> from weft.augment import Affine, example_keys
    >>> x, _ = Affine(degrees=20, translate=0.1, scale=(0.9, 1.1), mode="edge")(
    ...     wf.ones((2, 1, 8, 8)), None, example_keys(0, 0, [0, 1])
    ... )
    >>> bool(wf.allclose(x, wf.ones((2, 1, 8, 8))))
    True
    """

    degrees: float | tuple[float, float] = 0.0
    translate: float | tuple[float, float] = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shear: float | tuple[float, float] = 0.0
    mode: str = "zeros"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ranges()
        choice(self.name, "mode", self.mode, tuple(MODES))

    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ends of what is drawn: angle, moves down and right as shares of the size, scale, shear."""
        moves = self.translate if isinstance(self.translate, tuple | list) else (self.translate,) * 2
        if len(moves) != 2:
            raise ArgumentError(
                f"{self.name}: translate={self.translate!r}", expected="a number, or (vertical, horizontal)"
            )
        for move in moves:
            number(self.name, "translate", move, 0, 1)
        if not isinstance(self.scale, tuple | list):
            raise ArgumentError(f"{self.name}: scale={self.scale!r}", expected="a pair (low, high)")
        scale = span(self.name, "scale", self.scale, 0)
        number(self.name, "scale", scale[0], 0, open=True)
        shear = span(self.name, "shear", self.shear, -80, 80)
        return span(self.name, "degrees", self.degrees), *((-float(m), float(m)) for m in moves), scale, shear

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        angle, down, right, scale, shear = self.ranges()
        moves = [(low * n, high * n) for (low, high), n in zip((down, right), x.shape[2:], strict=True)]
        ranges = np.array([angle, *moves, scale, shear], np.float32).T
        made: Tensor = _random_affine(x, keys, Tensor(ranges), mode=self.mode)
        return made


@dataclass(frozen=True)
class Rotate(PictureAugmentation):
    """Pictures turned about their middle by an angle in ±``degrees``, or in a range (low, high), against the clock.

    ``mode`` says what comes in at the corners, as in `Affine`.

    >>> import weft as wf
    >>> from weft.augment import Rotate, example_keys
    >>> x, _ = Rotate((90, 90))(wf.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), None, example_keys(0, 0, [0]))
    >>> x.round().tolist()
    [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    degrees: float | tuple[float, float] = 15.0
    mode: str = "zeros"

    def __post_init__(self) -> None:
        super().__post_init__()
        span(self.name, "degrees", self.degrees)
        choice(self.name, "mode", self.mode, tuple(MODES))

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        return Affine(self.degrees, mode=self.mode).pictures(x, keys)
