"""Layers that tell a network where in the sequence it is."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import positive, sizes
from weft.nn.layers.dropout import Dropout
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.creation import arange
from weft.tensor import Tensor, as_tensor


@register
class PositionalEncoding(Module):
    """x + sines and cosines of each step's position, then dropout: Vaswani et al. 2017.

    Shapes: x (steps, batch, d_model), or (batch, steps, d_model) with ``batch_first``, or (steps, d_model). There
    is no longest sequence.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.PositionalEncoding(4).eval()(wf.zeros((1, 4))).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    def __init__(self, d_model: int, dropout: float = 0.1, base: float = 10000.0, batch_first: bool = False) -> None:
        sizes("PositionalEncoding", 1, d_model=d_model)
        positive("PositionalEncoding", base=base)
        self.d_model, self.dropout, self.base, self.batch_first = d_model, dropout, base, batch_first
        self.drop = Dropout(dropout)

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        if x.ndim < 2 or x.shape[-1] != self.d_model:
            raise ShapeError(
                f"PositionalEncoding: x of shape {x.shape}", expected=f"the last axis of size d_model={self.d_model}"
            )
        first = x.ndim > 2 and not self.batch_first
        steps = x.shape[0 if first else -2]
        table = functional.sinusoidal_positions(arange(steps), self.d_model, base=self.base).astype(x.dtype)
        y: Tensor = self.drop(x + (table.reshape(steps, *(1,) * (x.ndim - 2), self.d_model) if first else table))
        return y

    def extra_repr(self) -> str:
        return f"{self.d_model}, dropout={self.dropout}, batch_first={self.batch_first}"


@register
class RotaryEmbedding(Module):
    """`functional.rotary` of queries and keys (…, steps, features): pairs are a feature of each half.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.RotaryEmbedding(4)(wf.ones((2, 3, 4)))[0, 0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, features: int, base: float = 10000.0) -> None:
        sizes("RotaryEmbedding", 2, features=features)
        positive("RotaryEmbedding", base=base)
        if features % 2:
            raise ArgumentError(f"RotaryEmbedding: features={features}", expected="an even number: they turn in pairs")
        self.features, self.base = features, base

    def forward(self, x: Any, positions: Any = None) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != self.features:
            raise ShapeError(f"RotaryEmbedding: x of shape {x.shape}", expected=f"(…, steps, {self.features})")
        return functional.rotary(x, positions, base=self.base)

    def extra_repr(self) -> str:
        return f"{self.features}, base={self.base}"
