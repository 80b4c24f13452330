"""Pictures moved, and parts of them covered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from weft.augment.augmentation import PictureAugmentation, both, number, span
from weft.augment.draws import apart, settle, uniform
from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import float32, int64
from weft.graph.function import function
from weft.nn.check import choice
from weft.ops.arithmetic import clip, floor, round
from weft.ops.assembling import concat
from weft.ops.comparison import greater_equal, less, logical_and, where
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.exponential import exp, sqrt
from weft.ops.indexing import window_op
from weft.ops.padding import pad
from weft.tensor import Tensor
from weft.transforms import vmap

Size = int | tuple[int, int]
MODES = {"zeros": "constant", "reflect": "reflect", "edge": "edge"}  # in the words of `weft.pad`


# ── moved ───────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=apart)
def _random_crop(x: Any, keys: Any, *, padding: tuple[int, int], mode: str, size: tuple[int, int]) -> Any:
    padded = pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)), mode=MODES[mode])
    if mode != "zeros":  # it is made of several pieces, which would be searched for every pixel
        padded = settle(padded, keys)
    # A picture of n has n − size + 1 windows; u < 1 times that stays below it, in float32 too.
    places = uniform(keys, 0, 2)
    starts = [
        cast(floor(places[:, k] * (n - s + 1)), dtype=int64)
        for k, (n, s) in enumerate(zip(padded.shape[2:], size, strict=True))
    ]
    return vmap(lambda p, top, left: window_op(p, top, left, axes=(1, 2), sizes=size, drop=()))(padded, *starts)


@dataclass(frozen=True)
class RandomCrop(PictureAugmentation):
    """A window of ``size`` at any place of the picture with ``padding`` more pixels around it.

    ``size`` is the picture's own if it is not given: then the picture moves by up to ``padding`` pixels. Sizes are
    for both directions, or (vertical, horizontal). Around it are, by ``mode``, "zeros", the picture mirrored at its
    outermost pixels ("reflect"), or those pixels again ("edge").

    >>> import weft as wf
    >>> from weft.augment import RandomCrop, example_keys
    >>> x, _ = RandomCrop(padding=2, mode="edge")(wf.ones((5, 3, 8, 8)), None, example_keys(0, 0, range(5)))
    >>> x.shape, float(x.min())
    ((5, 3, 8, 8), 1.0)
    """

    padding: Size = 4
    mode: str = "zeros"
    size: Size | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        both(self.name, "padding", self.padding)
        choice(self.name, "mode", self.mode, tuple(MODES))
        if self.size is not None:
            both(self.name, "size", self.size, 1)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        padding = both(self.name, "padding", self.padding)
        shape = (x.shape[2], x.shape[3])
        size = both(self.name, "size", self.size) if self.size is not None else shape
        padded = tuple(n + 2 * p for n, p in zip(shape, padding, strict=True))
        if size[0] > padded[0] or size[1] > padded[1]:
            raise ShapeError(
                f"{self.name}: a window of {size} from pictures of {shape} with padding={self.padding}",
                expected=f"size ≤ {padded}",
            )
        if self.mode == "reflect" and any(p >= n for n, p in zip(shape, padding, strict=True)):
            raise ShapeError(
                f'{self.name}: padding={self.padding} with mode="reflect" of pictures of {shape}',
                expected="padding < size of the picture",
                cure='mode="edge"',
            )
        made: Tensor = _random_crop(x, keys, padding=padding, mode=self.mode, size=size)
        return made


# ── covered ─────────────────────────────────────────────────────────────────────────────────────────────────


def box(shape: tuple[int, ...], top: Any, left: Any, height: Any, width: Any) -> Any:
    """Whether each pixel (B, 1, H, W) lies in the rectangle of its example; all four are whole, (B, 1, 1, 1)."""
    inside = []
    for axis, first, length in ((2, top, height), (3, left, width)):
        place = iota_op(shape=tuple(n if a == axis else 1 for a, n in enumerate(shape)), axis=axis, dtype=float32)
        inside.append(logical_and(greater_equal(place, first), less(place, first + length)))
    return logical_and(*inside)


def drawn(keys: Any, purpose: int, count: int) -> list[Any]:
    """Uniform numbers, each (B, 1, 1, 1)."""
    numbers = uniform(keys, purpose, (count, 1, 1, 1))
    return [numbers[:, k] for k in range(count)]


def centred(place: Any, n: int, length: Any) -> Any:
    """The first pixel of a stretch of this length whose middle may lie on any of n pixels: part may be outside."""
    return floor(place * n) - floor(length / 2)


@function(takes=apart)
def _cutout(x: Any, keys: Any, height: Any, width: Any, p: Any, value: Any) -> Any:
    down, right, chance = drawn(keys, 0, 3)
    top, left = centred(down, x.shape[2], height), centred(right, x.shape[3], width)
    hidden = logical_and(box(x.shape, top, left, height, width), chance < p)
    return where(hidden, cast(value, dtype=x.dtype), x)


@dataclass(frozen=True)
class Cutout(PictureAugmentation):
    """A rectangle of ``size`` covered with ``value``, its middle anywhere in the picture: DeVries and Taylor 2017.

    With probability ``p``. At the border, part of the rectangle lies outside. ``size`` is for both directions, or
    (vertical, horizontal).

    >>> import weft as wf
    >>> from weft.augment import Cutout, example_keys
    >>> x, _ = Cutout(1)(wf.ones((2, 1, 4, 4)), None, example_keys(0, 0, [0, 1]))
    >>> x.sum(axis=(1, 2, 3)).tolist()
    [15.0, 15.0]
    """

    size: Size
    p: float = 1.0
    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        both(self.name, "size", self.size, 1)
        number(self.name, "p", self.p, 0, 1)
        number(self.name, "value", self.value, -math.inf)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        height, width = both(self.name, "size", self.size)
        made: Tensor = _cutout(x, keys, float(height), float(width), float(self.p), float(self.value))
        return made


@function(takes=apart)
def _random_erasing(x: Any, keys: Any, p: Any, small: Any, large: Any, flat: Any, tall: Any, value: Any) -> Any:
    high, wide = x.shape[2:]
    area, form, down, right, chance = drawn(keys, 0, 5)
    side = sqrt((area * (large - small) + small) * (high * wide))
    root = exp((form * (tall - flat) + flat) / 2)  # of height to width
    height, width = clip(round(side * root), 1, high), clip(round(side / root), 1, wide)
    sizes = settle(concat([height, width], axis=1), keys)
    height, width = sizes[:, :1], sizes[:, 1:]
    top, left = floor(down * (high - height + 1)), floor(right * (wide - width + 1))
    hidden = logical_and(box(x.shape, top, left, height, width), chance < p)
    return where(hidden, cast(value, dtype=x.dtype), x)


@dataclass(frozen=True)
class RandomErasing(PictureAugmentation):
    """With probability ``p`` a rectangle of random size and form covered with ``value``: Zhong et al. 2017.

    ``scale`` is the range of its share of the picture, ``ratio`` that of its height to its width, on a logarithmic
    scale. It lies inside of the picture, whose sizes bound its own.

    >>> import weft as wf
    >>> from weft.augment import RandomErasing, example_keys
    >>> x, _ = RandomErasing(p=1.0, scale=(0.25, 0.25))(wf.ones((1, 1, 16, 16)), None, example_keys(0, 0, [0]))
    >>> 0.65 < float(x.mean()) < 0.85
    True
    """

    p: float = 0.5
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        number(self.name, "p", self.p, 0, 1)
        number(self.name, "value", self.value, -math.inf)
        for argument, value, most in (("scale", self.scale, 1.0), ("ratio", self.ratio, math.inf)):
            ends = span(self.name, argument, value if isinstance(value, tuple | list) else (value, value), 0, most)
            if ends[0] <= 0:
                raise ArgumentError(f"{self.name}: {argument}={value!r}", expected=f"0 < low ≤ high ≤ {most:g}")
            object.__setattr__(self, argument, ends)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        flat, tall = map(math.log, self.ratio)
        made: Tensor = _random_erasing(x, keys, float(self.p), *self.scale, flat, tall, float(self.value))
        return made
