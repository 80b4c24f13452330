"""The colours of pictures: saturation, hue, and none at all; `weft.augment.light` says what limits are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.augment.augmentation import PictureAugmentation, check_colour, number
from weft.augment.draws import apart, fold, uniform
from weft.augment.light import (
    Brightness,
    ColourAugmentation,
    Contrast,
    Limits,
    check_values,
    ends,
    factor,
    grey,
    held,
)
from weft.graph.dtype import float32
from weft.graph.function import function
from weft.ops.arithmetic import clip, floor, maximum, minimum
from weft.ops.assembling import concat
from weft.ops.comparison import equal, greater, where
from weft.ops.manipulation import broadcast_to
from weft.tensor import Tensor


@function(takes=apart)
def _saturation(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    plain = grey(x)
    return held((x - plain) * factor(x, keys, low, high) + plain, least, most)


@function(takes=apart)
def _hue(x: Any, keys: Any, low: Any, high: Any, black: Any, least: Any, most: Any) -> Any:
    """The hue is an angle, here in sixths of a turn; lightest and darkest channel stay what they are."""
    kind = x.dtype
    x = x if kind.itemsize >= 4 else x.astype(float32)  # an angle needs more digits than a colour
    red, green, blue = (x[:, k : k + 1] for k in range(3))
    value = maximum(maximum(red, green), blue)
    chroma = value - minimum(minimum(red, green), blue)
    safe = where(greater(chroma, 0), chroma, 1)
    hue = where(
        equal(value, red),
        (green - blue) / safe,
        where(equal(value, green), (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    turned = hue + factor(x, keys, low, high)
    channels = []
    for place in (5, 3, 1):
        at = turned + place
        at = at - floor(at / 6) * 6
        channels.append(value - chroma * clip(minimum(at, 4 - at), 0, 1))
    return held(concat(channels, axis=1).astype(kind), least, most)


@function(takes=apart)
def _random_grey(x: Any, keys: Any, p: Any) -> Any:
    return where(uniform(keys, 0, (1, 1, 1)) < p, broadcast_to(grey(x), x.shape), x)


@dataclass(frozen=True)
class Saturation(ColourAugmentation):
    """The distance of every colour from grey times a factor around 1: 0 is a grey picture.

    y = g + (x − g) · factor, with g = 0.299 R + 0.587 G + 0.114 B of the pixel; held within ``limits``.

    >>> import weft as wf
    >>> from weft.augment import Saturation, example_keys
    >>> x, _ = Saturation(1.0)(wf.full((1, 3, 2, 2), 0.5), None, example_keys(0, 0, [0]))
    >>> bool(wf.allclose(x, wf.full((1, 3, 2, 2), 0.5)))  # grey stays grey
    True
    """

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _saturation(x, keys, *self.factors, *ends(self.limits))
        return made


@dataclass(frozen=True)
class Hue(ColourAugmentation):
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
        made: Tensor = _hue(x, keys, *self.factors, *ends(self.limits))
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
        super().__post_init__()
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
        super().__post_init__()
        self.parts()

    def parts(self) -> list[tuple[int, ColourAugmentation]]:
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
