"""Linear, and the layers that only rearrange: Identity, Flatten, Unflatten."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import sizes
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.manipulation import flatten
from weft.tensor import Tensor


@register
class Linear(Module):
    """y = x Wᵀ + b: ``Linear(4, 16)`` takes 4 features to 16; ``Linear(16)`` learns the 4 from its first input.

    Shapes: x (…, in_features), weight (out_features, in_features), bias (out_features,), y (…, out_features).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Linear(4, 16)(wf.zeros((8, 4))).shape
    (8, 16)
    """

    def __init__(
        self,
        *features: int,
        bias: Any = True,
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        if len(features) not in (1, 2):
            raise ArgumentError(
                f"Linear{features}", expected="one or two sizes", cure="nn.Linear(4, 16), or nn.Linear(16)"
            )
        sizes("Linear", 1, features=features)
        self.in_features = features[0] if len(features) == 2 else None
        self.out_features = features[-1]
        self.weight_init, self.bias_init, self.dtype = weight_init, bias_init, data_type(dtype)
        self.weight = Parameter.drawn(None, weight_init, dtype=dtype)
        self.bias = Parameter.drawn(None, bias_init, dtype=dtype) if bias else None
        self._sized = self.in_features is not None
        if self.in_features is not None:
            self._shape(self.in_features)

    @property
    def features(self) -> tuple[int, ...]:
        """The sizes as the constructor takes them."""
        return (self.out_features,) if self.in_features is None else (self.in_features, self.out_features)

    def infer(self, x: Tensor) -> None:
        if x.ndim == 0:
            raise ShapeError("a scalar as the input of Linear", expected="(…, features)", cure="x.reshape(1, 1)")
        self.in_features = x.shape[-1]
        self._shape(x.shape[-1])

    def _shape(self, in_features: int) -> None:
        self.weight.shaped((self.out_features, in_features))
        if self.bias is not None:
            self.bias.shaped((self.out_features,), fan_in=in_features)

    def forward(self, x: Any) -> Tensor:
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        known = "?" if self.in_features is None else self.in_features
        return f"in_features={known}, out_features={self.out_features}, bias={self.bias is not None}"


@register
class Identity(Module):
    """y = x."""

    def forward(self, x: Any) -> Any:
        return x


@register
class Flatten(Module):
    """The axes from ``start`` to ``stop`` joined into one: by default all but the first, the batch.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Flatten()(wf.zeros((8, 3, 4))).shape
    (8, 12)
    """

    def __init__(self, start: int = 1, stop: int = -1) -> None:
        self.start, self.stop = start, stop

    def forward(self, x: Any) -> Tensor:
        y: Tensor = flatten(x, self.start, self.stop)
        return y

    def extra_repr(self) -> str:
        return f"start={self.start}, stop={self.stop}"


@register
class Unflatten(Module):
    """One axis laid out as several: ``Unflatten(1, (3, 4))`` takes (8, 12) to (8, 3, 4)."""

    def __init__(self, axis: int, sizes: tuple[int, ...]) -> None:
        self.axis, self.sizes = axis, tuple(sizes)

    def forward(self, x: Any) -> Tensor:
        axis = self.axis % x.ndim
        if math.prod(self.sizes) != x.shape[axis] and -1 not in self.sizes:
            raise ShapeError(
                f"axis {axis} of size {x.shape[axis]} as {self.sizes}",
                expected=f"sizes whose product is {x.shape[axis]}",
            )
        y: Tensor = x.reshape(*x.shape[:axis], *self.sizes, *x.shape[axis + 1 :])
        return y

    def extra_repr(self) -> str:
        return f"axis={self.axis}, sizes={self.sizes}"
