"""The light and the colours of pictures.

Colours have limits: black is the lower, white the upper one, and a picture stays between. They are (0, 1) unless
said otherwise; pictures with mean 0 need ``limits=None`` (nothing is cut off, black is 0) or their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.augment.augmentation import PictureAugmentation, check_colour, number
from weft.augment.draws import apart, fold, settle, uniform
from weft.errors import ArgumentError, DataError
from weft.graph.dtype import float32, int64
from weft.graph.function import function
from weft.ops.arithmetic import abs, clip, floor, maximum, minimum, round
from weft.ops.assembling import concat
from weft.ops.comparison import equal, greater, where
from weft.ops.conversion import cast
from weft.ops.manipulation import broadcast_to
from weft.ops.statistics import max, mean
from weft.tensor import Tensor

Limits = tuple[float, float] | None
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


@dataclass(frozen=True)
class _Colour(PictureAugmentation):
    """What the augmentations of colours share: limits, and the check of values against them."""

    strength: float
    limits: Limits = (0.0, 1.0)
    most = math.inf  # of the strength
    coloured = True  # whether it is for pictures with colours only

    def __post_init__(self) -> None:
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


def _ends(limits: Limits) -> tuple[float, float, float]:
    """Black, and between what the values stay."""
    return (0.0, -math.inf, math.inf) if limits is None else (float(limits[0]), float(limits[0]), float(limits[1]))


# ── light ───────────────────────────────────────────────────────────────────────────────────────────────────


def _factor(x: Any, keys: Any, low: Any, high: Any) -> Any:
    return cast(uniform(keys, 0, (1, 1, 1), low, high), dtype=x.dtype)


def _held(y: Any, least: Any, most: Any) -> Any:
    return clip(y, cast(least, dtype=y.dtype), cast(most, dtype=y.dtype))


@function(takes=apart)
def _brightness(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    dark = cast(black, dtype=x.dtype)
    return _held((x - dark) * _factor(x, keys, low, high) + dark, least, most)


def grey(x: Any) -> Any:
    """The lightness (B, 1, H, W) of colours, or the mean of other channels."""
    if x.shape[1] == 1:
        return x
    if x.shape[1] != 3:
        return mean(x, axis=1, keepdims=True)
    red, green, blue = (x[:, k : k + 1] for k in range(3))
    return red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]


def _mean(x: Any, keys: Any) -> Any:
    """The mean of each example (B, 1, 1, 1), in whole numbers: their sum has no rounding that depends on its order,
    and so on the size of the batch. The largest element is 2³⁰.
    """
    unit = max(abs(x), axis=(1, 2, 3), keepdims=True) * 2.0**-30
    unit = where(unit > 0, cast(unit, dtype=float32), 1)
    total = cast(round(cast(x, dtype=float32) / unit), dtype=int64).sum(axis=(1, 2, 3), keepdims=True)
    return settle(cast(cast(total, dtype=float32) * unit / math.prod(x.shape[1:]), dtype=x.dtype), keys)


@function(takes=apart)
def _contrast(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    middle = _mean(grey(x), keys)
    return _held((x - middle) * _factor(x, keys, low, high) + middle, least, most)


@dataclass(frozen=True)
class Brightness(_Colour):
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
        made: Tensor = _brightness(x, keys, *self.factors, *_ends(self.limits))
        return made


@dataclass(frozen=True)
class Contrast(_Colour):
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
        made: Tensor = _contrast(x, keys, *self.factors, *_ends(self.limits))
        return made


# ── colours ─────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=apart)
def _saturation(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    plain = grey(x)
    return _held((x - plain) * _factor(x, keys, low, high) + plain, least, most)


@function(takes=apart)
def _hue(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    """The hue is an angle, here in sixths of a turn; lightest and darkest channel stay what they are."""
    red, green, blue = (x[:, k : k + 1] for k in range(3))
    value = maximum(maximum(red, green), blue)
    chroma = value - minimum(minimum(red, green), blue)
    safe = where(greater(chroma, 0), chroma, 1)
    hue = where(
        equal(value, red),
        (green - blue) / safe,
        where(equal(value, green), (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    turned = hue + _factor(x, keys, low, high)
    channels = []
    for place in (5, 3, 1):
        at = turned + place
        at = at - floor(at / 6) * 6
        channels.append(value - chroma * clip(minimum(at, 4 - at), 0, 1))
    return _held(concat(channels, axis=1), least, most)


@function(takes=apart)
def _random_grey(x: Any, keys: Any, p: Any) -> Any:
    return where(uniform(keys, 0, (1, 1, 1)) < p, broadcast_to(grey(x), x.shape), x)


@dataclass(frozen=True)
class Saturation(_Colour):
    """The distance of every colour from grey times a factor around 1: 0 is a grey picture.

    y = g + (x − g) · factor, with g = 0.299 R + 0.587 G + 0.114 B of the pixel; held within ``limits``.

    >>> import weft as wf
    >>> from weft.augment import Saturation, example_keys
    >>> x, _ = Saturation(1.0)(wf.full((1, 3, 2, 2), 0.5), None, example_keys(0, 0, [0]))
    >>> bool(wf.allclose(x, wf.full((1, 3, 2, 2), 0.5)))  # grey stays grey
    True
    """

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _saturation(x, keys, *self.factors, *_ends(self.limits))
        return made


@dataclass(frozen=True)
class Hue(_Colour):
    """Every colour turned on the colour circle by one angle for each picture, in ±``strength`` turns, at most ½.

    The colours are taken apart into hue, saturation and value (HSV); the latter two stay.

    >>> import weft as wf
    >>> from weft.augment import Hue, example_keys
    >>> x, _ = Hue(0.5)(wf.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1), None, example_keys(0, 0, [0]))
    >>> float(x.max()), float(x.min())
    (1.0, 0.0)
    """

    most = 0.5

    @property
    def factors(self) -> tuple[float, float]:
        return -6.0 * self.strength, 6.0 * self.strength  # in sixths of a turn

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _hue(x, keys, *self.factors, *_ends(self.limits))
        return made


@dataclass(frozen=True)
class Grayscale(PictureAugmentation):
    """Colours replaced by their lightness 0.299 R + 0.587 G + 0.114 B in all channels, with probability ``p``.

    >>> import weft as wf
    >>> from weft.augment import Grayscale, example_keys
    >>> x, _ = Grayscale(p=1.0)(wf.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1), None, example_keys(0, 0, [0]))
    >>> bool(wf.allclose(x, 0.299))
    True
    """

    p: float = 0.1

    def __post_init__(self) -> None:
        number(self.name, "p", self.p, 0, 1)

    def check_examples(self, x: Tensor) -> None:
        super().check_examples(x)
        check_colour(self.name, x)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _random_grey(x, keys, float(self.p))
        return made


@dataclass(frozen=True)
class ColorJitter(PictureAugmentation):
    """Brightness, contrast, saturation and hue, each with its strength and in this order; one of 0 is left out.

    >>> import weft as wf
    >>> from weft.augment import ColorJitter, example_keys
    >>> x, _ = ColorJitter(0.4, 0.4, 0.4, 0.1)(wf.full((2, 3, 4, 4), 0.5), None, example_keys(0, 0, [0, 1]))
    >>> x.shape
    (2, 3, 4, 4)
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    limits: Limits = (0.0, 1.0)
    settles = False

    def __post_init__(self) -> None:
        self.parts()

    def parts(self) -> list[tuple[int, _Colour]]:
        """The augmentations of which it consists, and the number of each."""
        kinds: tuple[Any, ...] = (Brightness, Contrast, Saturation, Hue)
        strengths = (self.brightness, self.contrast, self.saturation, self.hue)
        made = [kind(strength, self.limits) for kind, strength in zip(kinds, strengths, strict=True)]
        return [(k, part) for k, part in enumerate(made) if part.strength]

    def check(self, x: np.ndarray[Any, Any]) -> None:
        if self.parts():
            check_values(self.name, x, self.limits)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        for k, part in self.parts():
            x = part(x, None, fold(keys, k))[0]
        return x
