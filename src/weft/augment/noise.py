"""Noise and gaps, for examples of any form: tables as well as pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from weft.augment.augmentation import Augmentation, Pair, number
from weft.augment.draws import apart, normal, uniform
from weft.errors import ArgumentError, AxisError
from weft.graph.function import function
from weft.ops.comparison import where
from weft.ops.conversion import cast
from weft.tensor import Tensor


@function(takes=apart)
def _noise(x: Any, keys: Any, std: Any) -> Any:
    return x + cast(normal(keys, 0, x.shape[1:]) * std, dtype=x.dtype)


@dataclass(frozen=True)
class GaussianNoise(Augmentation):
    """x + std · ε with ε ~ N(0, 1) for every element, of examples of any form.

    ``std`` is in the units of x: of scaled data 0.1 is a tenth of a standard deviation.

    >>> import weft as wf
    >>> from weft.augment import GaussianNoise, example_keys
    >>> x, _ = GaussianNoise(0.1)(wf.zeros((100, 50)), None, example_keys(0, 0, range(100)))
    >>> 0.09 < float(x.std()) < 0.11
    True
    """

    std: float = 0.1

    def __post_init__(self) -> None:
        number(self.name, "std", self.std, 0)

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        return _noise(x, keys, float(self.std)), y


@function(takes=apart)
def _feature_dropout(x: Any, keys: Any, p: Any, value: Any, *, axis: int) -> Any:
    shape = tuple(n if a == axis else 1 for a, n in enumerate(x.shape))[1:]
    return where(uniform(keys, 0, shape) < p, cast(value, dtype=x.dtype), x)


@dataclass(frozen=True)
class FeatureDropout(Augmentation):
    """Each feature of each example replaced by ``value`` with probability ``p``; the others stay as they are.

    The features of a table (B, features) are its columns: of scaled data the value 0 is their mean, so the model
    learns to do without a column. ``axis`` is where the features lie: all else of a feature is masked with it, such
    as all times of (B, times, features), or all pixels of a channel of (B, C, H, W) with ``axis=1``.

    >>> import weft as wf
    >>> from weft.augment import FeatureDropout, example_keys
    >>> x, _ = FeatureDropout(0.25)(wf.ones((100, 50)), None, example_keys(0, 0, range(100)))
    >>> 0.73 < float(x.mean()) < 0.77
    True
    """

    p: float = 0.1
    value: float = 0.0
    axis: int = -1

    def __post_init__(self) -> None:
        number(self.name, "p", self.p, 0, 1)
        number(self.name, "value", self.value, -math.inf)
        if isinstance(self.axis, bool) or not isinstance(self.axis, int) or self.axis == 0:
            raise ArgumentError(f"{self.name}: axis={self.axis!r}", expected="a whole number; 0 is that of examples")

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        axis = self.axis + x.ndim if self.axis < 0 else self.axis
        if not 1 <= axis < x.ndim:
            raise AxisError(
                f"{self.name}: axis={self.axis} of examples of shape {x.shape}",
                expected=f"1 ≤ axis < {x.ndim}" if x.ndim > 1 else "an axis of features: (B, features)",
                cure="x[:, None] for a table of one column" if x.ndim == 1 else None,
            )
        return _feature_dropout(x, keys, float(self.p), float(self.value), axis=axis), y
