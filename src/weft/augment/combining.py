"""Augmentations one after the other, and now and then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.augment.augmentation import Augmentation, Pair, number
from weft.augment.draws import apart, fold, uniform
from weft.augment.mixing import probabilities
from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.ops.comparison import where
from weft.tensor import Tensor


def as_augmentation(given: Any) -> Augmentation:
    """An augmentation as it is, and a list of them as one after the other.

    >>> from weft.augment import HorizontalFlip, as_augmentation
    >>> as_augmentation([HorizontalFlip()])
    Compose(augmentations=(HorizontalFlip(p=0.5),))
    """
    if isinstance(given, Augmentation):
        return given
    if isinstance(given, list | tuple):
        return Compose(given)
    name = getattr(given, "__name__", None)
    made = isinstance(given, type) and issubclass(given, Augmentation)
    raise ArgumentError(
        f"an augmentation that is {given!r}",
        expected="an augmentation such as wf.augment.HorizontalFlip(), or a list of them",
        cure=f"wf.augment.{name}()" if made else None,
    )


@dataclass(frozen=True)
class Compose(Augmentation):
    """Augmentations one after the other, in this order; each draws numbers of its own, twice the same one too.

    Wherever an augmentation is taken, a plain list of them will do.

    >>> import weft as wf
    >>> from weft.augment import Compose, HorizontalFlip, RandomCrop, example_keys
    >>> augment = Compose([HorizontalFlip(), RandomCrop(1)])
    >>> augment(wf.ones((2, 1, 4, 4)), None, example_keys(0, 0, [0, 1]))[0].shape
    (2, 1, 4, 4)
    """

    augmentations: Iterable[Any] = ()
    settles = False

    def __post_init__(self) -> None:
        if isinstance(self.augmentations, Augmentation | str | bytes) or not isinstance(self.augmentations, Iterable):
            raise ArgumentError(
                f"{self.name}: augmentations={self.augmentations!r}",
                expected="a list of augmentations",
                cure=f"{self.name}([{self.augmentations!r}])",
            )
        object.__setattr__(self, "augmentations", tuple(map(as_augmentation, self.augmentations)))

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        for k, augmentation in enumerate(self.augmentations):
            x, y = augmentation(x, y, fold(keys, k))
        return x, y

    def with_classes(self, classes: int) -> Augmentation:
        return replace(self, augmentations=tuple(a.with_classes(classes) for a in self.augmentations))

    def check(self, x: np.ndarray[Any, Any]) -> None:
        for augmentation in self.augmentations:
            augmentation.check(x)


@function(takes=apart)
def _sometimes(keys: Any, p: Any, *pairs: Any) -> Any:
    """Of each pair (with, without) one or the other, the same way for all pairs of an example."""
    chosen = uniform(keys, 0) < p
    return tuple(
        where(chosen.reshape(-1, *(1,) * (new.ndim - 1)), new, old)
        for new, old in zip(pairs[::2], pairs[1::2], strict=True)
    )


@dataclass(frozen=True)
class Sometimes(Augmentation):
    """The augmentation, or the list of them, with probability ``p`` for each example; else the example as it is.

    It computes both and chooses, so it costs as much as always.

    >>> import weft as wf
    >>> from weft.augment import GaussianNoise, Sometimes, example_keys
    >>> x, _ = Sometimes(0.3, GaussianNoise(1.0))(wf.zeros((1000, 1)), None, example_keys(0, 0, range(1000)))
    >>> 0.25 < float((x != 0).astype("float32").mean()) < 0.35
    True
    """

    p: float
    augmentation: Any

    def __post_init__(self) -> None:
        number(self.name, "p", self.p, 0, 1)
        object.__setattr__(self, "augmentation", as_augmentation(self.augmentation))

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        x_new, y_new = self.augmentation(x, y, fold(keys, 0))
        if x_new.shape != x.shape:
            raise ShapeError(
                f"{self.name}: {self.augmentation.name} makes {x_new.shape} of examples of shape {x.shape}",
                expected="examples of one shape, with or without it",
                cure=f"{self.augmentation.name} itself, outside of {self.name}",
            )
        if y is None:
            return _sometimes(keys, float(self.p), x_new, x)[0], None
        if y_new.ndim > y.ndim:  # it has made probabilities of labels
            y = probabilities(self.name, y, y_new.shape[-1])
        made = _sometimes(keys, float(self.p), x_new, x, y_new, y)
        return made[0], made[1]

    def with_classes(self, classes: int) -> Augmentation:
        return replace(self, augmentation=self.augmentation.with_classes(classes))

    def check(self, x: np.ndarray[Any, Any]) -> None:
        self.augmentation.check(x)
