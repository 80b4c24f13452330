"""Embedding: a table of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import sizes
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


@register
class Embedding(Module):
    """A vector of ``embedding_dim`` trained numbers for each of ``num_embeddings`` whole numbers, from 0.

    Shapes: x (…) of whole numbers, weight (num_embeddings, embedding_dim), y (…, embedding_dim).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Embedding(10, 3)(wf.tensor([[1, 2]])).shape
    (1, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        weight_init: str | Callable[..., Tensor] = "normal",
        dtype: Any = float32,
    ) -> None:
        sizes("Embedding", 1, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight_init, self.dtype = weight_init, data_type(dtype)
        self.weight = Parameter.drawn((num_embeddings, embedding_dim), weight_init, dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        return functional.embedding(x, self.weight)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"
