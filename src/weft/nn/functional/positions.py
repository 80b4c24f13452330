"""Where a step stands in its sequence, as sines and cosines."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.dtype import float32
from weft.graph.function import function
from weft.graph.op import Casts, Kind, floating
from weft.nn.check import positive
from weft.ops.assembling import concat, split, stack
from weft.ops.creation import arange
from weft.ops.exponential import exp
from weft.ops.trigonometry import cos, sin
from weft.tensor import Tensor, as_tensor


def _angles(positions: Any, features: int, base: Any) -> Any:
    """The angles positions / base^(2i / features) for i < features / 2, along a new last axis."""
    rate = exp(arange(0, features, 2).astype(float32) * (-math.log(base) / features))
    return positions.reshape(*positions.shape, 1).astype(float32) * rate


@function(takes=lambda kinds: (None,) * len(kinds))
def _sinusoids(positions: Any, *, features: int, base: float) -> Any:
    angles = _angles(positions, features + features % 2, base)
    pairs = stack([sin(angles), cos(angles)], axis=-1)
    return pairs.reshape(*positions.shape, angles.shape[-1] * 2)[..., :features]


def sinusoidal_positions(positions: Any, features: int, *, base: float = 10000.0) -> Tensor:
    """sin(p / base^(2i/features)) in feature 2i and the cosine in 2i + 1: Vaswani et al. 2017.

    Shapes: positions (…), the result (…, features) in float32.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.sinusoidal_positions(wf.arange(2), 4)[0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    positive("sinusoidal_positions", base=base)
    y: Tensor = _sinusoids(as_tensor(positions), features=features, base=float(base))
    return y


def _takes(kinds: tuple[Kind, ...]) -> Casts:
    return (floating(kinds[:1])[0], None)


@function(takes=_takes)
def _rotary(x: Any, positions: Any, *, base: float) -> Any:
    angles = _angles(positions, x.shape[-1], base)
    c, s = cos(angles).astype(x.dtype), sin(angles).astype(x.dtype)
    first, second = split(x, 2, axis=-1)
    return concat([first * c - second * s, second * c + first * s], axis=-1)


def rotary(x: Any, positions: Any = None, *, base: float = 10000.0) -> Tensor:
    """Turn pairs of features by angles that grow with the position: Su et al. 2021.

    Feature i of the first half and feature i of the second are a pair (as in Llama and GPT-NeoX; not neighbours
    2i, 2i + 1), turned by position / base^(2i/features). The product of two turned vectors then depends on their
    distance only. Shapes: x (…, steps, features); ``positions`` (steps,), or what broadcasts to (…, steps), are
    0, 1, … unless they are given.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.rotary(wf.tensor([[1.0, 0.0]]), wf.tensor([0])).tolist()
    [[1.0, 0.0]]
    """
    positive("rotary", base=base)
    x = as_tensor(x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(f"rotary of shape {x.shape}", expected="(…, steps, features) with an even number of features")
    at = arange(x.shape[-2]) if positions is None else as_tensor(positions)
    if at.ndim == 0 or at.shape[-1] not in (1, x.shape[-2]) or at.ndim >= x.ndim:
        raise ShapeError(
            f"rotary of shape {x.shape} at positions of shape {at.shape}",
            expected=f"({x.shape[-2]},), one for each step",
        )
    y: Tensor = _rotary(x, at, base=float(base))
    return y
