"""The light of pictures, and what all augmentations of light and colours share.

Colours have limits: black is the lower, white the upper one, and a picture stays between. They are (0, 1) unless
said otherwise; pictures with mean 0 need ``limits=None`` (nothing is cut off, black is 0) or their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.augment.augmentation import PictureAugmentation, check_colour, number
from weft.augment.draws import apart, settle, uniform
from weft.errors import ArgumentError, DataError
from weft.graph.dtype import float32, int64
from weft.graph.function import function
from weft.ops.arithmetic import abs, clip, round
from weft.ops.comparison import where
from weft.ops.conversion import cast
from weft.ops.statistics import max, mean
from weft.tensor import Tensor

Limits = tuple[float, float] | None
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


@dataclass(frozen=True)
class ColourAugmentation(PictureAugmentation):
    """What the augmentations of colours share: limits, and the check of values against them."""

    strength: float
    limits: Limits = (0.0, 1.0)
    most = math.inf  # of the strength
    coloured = True  # whether it is for pictures with colours only

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "strength", self.strength, 0, self.most)
        check_limits(self.name, self.limits)

    def check(self, x: np.ndarray[Any, Any]) -> None:
        check_values(self.name, x, self.limits)

    def check_examples(self, x: Tensor) -> None:
        super().check_examples(x)
        if self.coloured:
            check_colour(self.name, x)

    @property
    def factors(self) -> tuple[float, float]:
        """The range of a factor around 1."""
        return (0.0 if self.strength > 1 else 1.0 - self.strength), 1.0 + self.strength


def check_limits(name: str, limits: Any) -> None:
    """Refuse limits that are not a pair in rising order."""
    if limits is not None and not (isinstance(limits, tuple | list) and len(limits) == 2 and limits[0] < limits[1]):
        raise ArgumentError(f"{name}: limits={limits!r}", expected="(black, white), black < white; or None")


def check_values(name: str, x: np.ndarray[Any, Any], limits: Limits) -> None:
    """Refuse pictures with values outside of the limits: they would be cut off."""
    if limits is None or x.size == 0:
        return
    low, high = float(x.min()), float(x.max())
    slack = (limits[1] - limits[0]) * 1e-3
    if low < limits[0] - slack or high > limits[1] + slack:
        raise DataError(
            f"{name}: pictures with values from {low:g} to {high:g}, which it would cut off at {limits}",
            expected=f"values from {limits[0]:g} to {limits[1]:g}",
            cure="x / 255" if high > 2 and low >= 0 else f"{name}(…, limits=None)",
        )


def ends(limits: Limits) -> tuple[float, float, float]:
    """Black, and between what the values stay."""
    return (0.0, -math.inf, math.inf) if limits is None else (float(limits[0]), float(limits[0]), float(limits[1]))


# ── what both kinds compute with ────────────────────────────────────────────────────────────────────────────


def factor(x: Any, keys: Any, low: Any, high: Any) -> Any:
    """One number for each picture, in its type."""
    return cast(uniform(keys, 0, (1, 1, 1), low, high), dtype=x.dtype)


def held(y: Any, least: Any, most: Any) -> Any:
    """``y`` cut off at the limits."""
    return clip(y, cast(least, dtype=y.dtype), cast(most, dtype=y.dtype))


@function(takes=apart)
def _brightness(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    dark = cast(black, dtype=x.dtype)
    return held((x - dark) * factor(x, keys, low, high) + dark, least, most)


def grey(x: Any) -> Any:
    """The lightness (B, 1, H, W) of colours, or the mean of other channels."""
    if x.shape[1] == 1:
        return x
    if x.shape[1] != 3:
        return mean(x, axis=1, keepdims=True)
    red, green, blue = (x[:, k : k + 1] for k in range(3))
    return red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]


def _mean(x: Any, keys: Any) -> Any:
    """The mean of each example (B, 1, 1, 1), in whole numbers: their sum does not depend on its order.

    That of floating-point numbers does, and the order on the size of the batch. The largest element is 2³⁰.
    """
    wide = cast(x, dtype=float32)
    unit = max(abs(wide), axis=(1, 2, 3), keepdims=True) * 2.0**-30
    unit = where(unit > 0, unit, 1)
    total = cast(round(wide / unit), dtype=int64).sum(axis=(1, 2, 3), keepdims=True)
    return settle(cast(cast(total, dtype=float32) * unit / math.prod(x.shape[1:]), dtype=x.dtype), keys)


@function(takes=apart)
def _contrast(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    middle = _mean(grey(x), keys)
    return held((x - middle) * factor(x, keys, low, high) + middle, least, most)


@dataclass(frozen=True)
class Brightness(ColourAugmentation):
    """Every value times one factor for each picture, drawn from [max(0, 1 − strength), 1 + strength].

    y = black + (x − black) · factor, held within ``limits`` = (black, white).

    >>> import weft as wf
    >>> from weft.augment import Brightness, example_keys
    >>> x, _ = Brightness(0.5)(wf.full((1, 3, 2, 2), 0.5), None, example_keys(0, 0, [0]))
    >>> 0.25 <= float(x.min()) == float(x.max()) <= 0.75
    True
    """

    coloured = False

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _brightness(x, keys, *self.factors, *ends(self.limits))
        return made


@dataclass(frozen=True)
class Contrast(ColourAugmentation):
    """The distance of every value from the picture's mean lightness times a factor around 1.

    y = m + (x − m) · factor, with the factor from [max(0, 1 − strength), 1 + strength] and m the mean of 0.299 R +
    0.587 G + 0.114 B, or of all channels where there are not three; held within ``limits``.

    >>> import weft as wf
    >>> from weft.augment import Contrast, example_keys
    >>> x, _ = Contrast(0.5)(wf.tensor([[[[0.4, 0.6]]]]), None, example_keys(0, 0, [0]))
    >>> bool(wf.allclose(x.mean(), 0.5))
    True
    """

    coloured = False

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _contrast(x, keys, *self.factors, *ends(self.limits))
        return made
