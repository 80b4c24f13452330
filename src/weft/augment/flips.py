"""Pictures mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from weft.augment.augmentation import PictureAugmentation, number
from weft.augment.draws import apart, uniform
from weft.graph.function import function
from weft.ops.comparison import where
from weft.ops.shape import flip_op
from weft.tensor import Tensor


@function(takes=apart)
def _random_flip(x: Any, keys: Any, p: Any, *, axis: int) -> Any:
    return where(uniform(keys, 0, (1, 1, 1)) < p, flip_op(x, axis=(axis,)), x)


@dataclass(frozen=True)
class HorizontalFlip(PictureAugmentation):
    """Left and right exchanged with probability ``p``.

    For photographs of nearly everything. Not for letters, digits, or anything else whose mirror image is another
    thing, or none.

    >>> import weft as wf
    >>> from weft.augment import HorizontalFlip, example_keys
    >>> x, _ = HorizontalFlip(p=1.0)(wf.tensor([[[[1.0, 2.0]]]]), None, example_keys(0, 0, [0]))
    >>> x.tolist()
    [[[[2.0, 1.0]]]]
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        number(self.name, "p", self.p, 0, 1)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _random_flip(x, keys, float(self.p), axis=3)
        return made


@dataclass(frozen=True)
class VerticalFlip(PictureAugmentation):
    """Top and bottom exchanged with probability ``p``: for what has no top, such as cells or the earth from above.

    >>> import weft as wf
    >>> from weft.augment import VerticalFlip, example_keys
    >>> x, _ = VerticalFlip(p=1.0)(wf.tensor([[[[1.0], [2.0]]]]), None, example_keys(0, 0, [0]))
    >>> x.tolist()
    [[[[2.0], [1.0]]]]
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        number(self.name, "p", self.p, 0, 1)

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        made: Tensor = _random_flip(x, keys, float(self.p), axis=2)
        return made
