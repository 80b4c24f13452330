"""Tables of vectors: Embedding, and EmbeddingBag, which sums up the vectors of a bag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from weft.errors import ArgumentError, is_whole
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.graph.recording import context
from weft.nn import functional, init
from weft.nn.check import choice, positive, sizes
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.comparison import where
from weft.ops.creation import full
from weft.ops.norms import vector_norm
from weft.ops.segments import segment_sum
from weft.tensor import Tensor, as_tensor


class Table(Module):
    """What both have in common: the table, the row that means "nothing", and the bound on the length of rows."""

    weight: Parameter

    def declare(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
    ) -> None:
        """Keep the arguments, refused where they make no sense."""
        layer = type(self).__name__
        sizes(layer, 1, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not is_whole(padding_idx, -num_embeddings, num_embeddings - 1):
            raise ArgumentError(
                f"{layer}: padding_idx={padding_idx!r}",
                expected=f"{-num_embeddings} ≤ padding_idx < {num_embeddings}, or None",
            )
        if max_norm is not None:
            positive(layer, max_norm=max_norm)
        positive(layer, norm_type=norm_type)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx if padding_idx is None or padding_idx >= 0 else num_embeddings + padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq

    def draw(self, weight_init: str | Callable[..., Tensor], dtype: Any) -> None:
        """Make the table; the row that means "nothing" begins at zero."""
        self.weight_init, self.dtype = weight_init, data_type(dtype)
        start: Any = weight_init if self.padding_idx is None else ZeroRow(weight_init, self.padding_idx)
        self.weight = Parameter.drawn((self.num_embeddings, self.embedding_dim), start, dtype=dtype)

    def shorten(self, x: Any) -> None:
        """Scale the rows that are looked up down to a length of ``max_norm``; they keep that, as in PyTorch."""
        if self.max_norm is None:
            return
        with context.set(tracking=False):
            at = as_tensor(x).reshape(-1)
            used = segment_sum(full(at.shape, 1), at, count=self.num_embeddings) > 0
            length = vector_norm(self.weight, axis=1, ord=float(self.norm_type))
            long = (used & (length > self.max_norm)).reshape(-1, 1)
            scale = where(long, self.max_norm / (length.reshape(-1, 1) + 1e-7), 1)
            self.weight.assign((self.weight * scale).astype(self.weight.dtype))

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, usual in (
            ("padding_idx", None),
            ("max_norm", None),
            ("norm_type", 2.0),
            ("scale_grad_by_freq", False),
        ):
            value = getattr(self, name)
            text += "" if value == usual else f", {name}={value}"
        return text


class ZeroRow:
    """An initialisation with zeros in one row."""

    def __init__(self, of: str | Callable[..., Tensor], row: int) -> None:
        self.of, self.row = init.initializer(of), row

    def __call__(self, *args: Any, **fans: Any) -> Tensor:
        drawn = np.array(as_tensor(self.of(*args, **fans)).numpy())
        drawn[self.row] = 0
        return Tensor(drawn)


@register
class Embedding(Table):
    """A vector of ``embedding_dim`` trained numbers for each of ``num_embeddings`` whole numbers, from 0.

    ``padding_idx``         the number whose row begins at zero and gets no gradient
    ``max_norm``            rows that are looked up are first scaled down to this length (by the ``norm_type``-norm),
                            which is an assignment: gradients are to be taken before the table is used again
    ``scale_grad_by_freq``  divide a row's gradient by how often it is looked up in the call

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
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        weight_init: str | Callable[..., Tensor] = "normal",
        dtype: Any = float32,
    ) -> None:
        self.declare(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        self.draw(weight_init, dtype)

    def forward(self, x: Any) -> Tensor:
        self.shorten(x)
        return functional.embedding(x, self.weight, self.padding_idx, scale_grad_by_freq=self.scale_grad_by_freq)


@register
class EmbeddingBag(Table):
    """The sum, mean or largest of the vectors of each bag of whole numbers: (bags, embedding_dim).

    Called with x (bags, size), or with x (n,) and ``offsets`` (bags,), at which each bag begins; with
    ``include_last_offset`` the last offset is the end of all. ``per_sample_weights``, in the shape of x, multiply the
    vectors in mode "sum". Numbers equal to ``padding_idx`` do not count, and a bag of none gives zeros. The other
    arguments are those of `Embedding`.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.EmbeddingBag(10, 3, mode="sum")(wf.tensor([1, 2, 4, 5, 4]), wf.tensor([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        weight_init: str | Callable[..., Tensor] = "normal",
        dtype: Any = float32,
    ) -> None:
        self.declare(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        choice("EmbeddingBag", "mode", mode, ("sum", "mean", "max"))
        if mode == "max" and scale_grad_by_freq:
            raise ArgumentError("EmbeddingBag: scale_grad_by_freq with mode='max'", expected="mode 'sum' or 'mean'")
        self.mode, self.include_last_offset = mode, include_last_offset
        self.draw(weight_init, dtype)

    def forward(self, x: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        self.shorten(x)
        return functional.embedding_bag(
            x,
            self.weight,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            padding_idx=self.padding_idx,
            include_last_offset=self.include_last_offset,
            scale_grad_by_freq=self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"
