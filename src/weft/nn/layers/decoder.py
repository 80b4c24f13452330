"""A language model's decoder: blocks that look back only, with a cache of keys and values for step-by-step decoding."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import float32, int64
from weft.nn import functional
from weft.nn.check import fraction, positive, sizes
from weft.nn.functional.attention import attend
from weft.nn.layers.collections import ModuleList
from weft.nn.layers.dropout import Dropout
from weft.nn.layers.embedding import Embedding
from weft.nn.layers.linear import Linear
from weft.nn.layers.normalization import RMSNorm
from weft.nn.mode import evaluation_mode
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.assembling import concat
from weft.ops.comparison import where
from weft.ops.creation import arange, zeros
from weft.ops.indexing import update_op
from weft.random import categorical
from weft.runtime.compiled import compile
from weft.tensor import Tensor, as_tensor


class Cache:
    """Keys and values of the steps so far, with room for ``length`` of them; the block that is called fills it.

    ``keys``, ``values`` (batch, heads, length, features); ``position`` is how many steps are in it, a run-time
    value, so that all steps are one program.
    """

    def __init__(self, batch: int, heads: int, length: int, features: int, dtype: Any = float32) -> None:
        sizes("cache", 1, batch=batch, length=length)
        self.length = length
        self.keys, self.values = (Tensor(zeros((batch, heads, length, features), dtype=dtype)) for _ in range(2))
        self.position = Tensor(zeros((), dtype=int64))

    def extend(self, k: Any, v: Any) -> tuple[Any, Any, Any]:
        """Put in keys and values of new steps: all of them, and where each new step may look."""
        steps = k.shape[-2]
        if not k.dtype is v.dtype is self.keys.dtype:
            raise DTypeError(
                f"keys of type {k.dtype.name} and values of type {v.dtype.name} for a cache of {self.keys.dtype.name}",
                expected="one type",
                cure=f"block.cache(batch, length, wf.{k.dtype.name})",
            )
        if k.shape[:2] != self.keys.shape[:2] or k.shape[-1] != self.keys.shape[-1]:
            batch, heads, _, features = self.keys.shape
            raise ShapeError(
                f"keys of shape {k.shape} for a cache of {batch} sequences, {heads} heads and {features} features",
                expected=f"({batch}, {heads}, steps, {features})",
                cure=f"block.cache({k.shape[0]}, {self.length}), of the block or model that is called",
            )
        known = self.position.node.data
        if steps > self.length or (known is not None and int(known) + steps > self.length):
            before = "some" if known is None else int(known)
            raise ShapeError(
                f"{steps} steps after {before} in a cache of length {self.length}",
                expected=f"{self.length} steps in all",
                cure="block.cache(batch, length) with room for all steps",
            )
        at = self.position
        keys, values = (update_op(old, new, at, axes=(2,)) for old, new in ((self.keys, k), (self.values, v)))
        # Where the position is not known yet, what does not fit must not become a number.
        fits = at + steps <= self.length
        seen = arange(self.length) <= at + arange(steps).reshape(steps, 1)
        self.keys.assign(keys)
        self.values.assign(values)
        self.position.assign(at + steps)
        return where(fits, keys, float("nan")), values, seen


@register
class CausalDecoderBlock(Module):
    """x + attention(norm(x)), then x + SwiGLU(norm(x)): a block of a Llama-like decoder.

    The attention looks back only, turns queries and keys by their positions (`functional.rotary`), and lets groups
    of ``num_heads / kv_heads`` queries share their keys: Ainslie et al. 2023. SwiGLU is down(silu(gate x) ⊙ up x):
    Shazeer 2020; its width ``hidden`` is 8/3 · d_model rounded up to a multiple of 8 unless it is given.

    Shapes: x (batch, steps, d_model) and y alike. With a cache, the steps continue those in it:

    >>> import weft as wf
    >>> from weft import nn
    >>> block = nn.CausalDecoderBlock(8, 2)
    >>> cache = block.cache(batch=1, length=16)
    >>> block(wf.zeros((1, 3, 8)), cache).shape, block(wf.zeros((1, 1, 8)), cache).shape
    ((1, 3, 8), (1, 1, 8))
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        kv_heads: int | None = None,
        hidden: int | None = None,
        dropout: float = 0.0,
        eps: float = 1e-6,
        base: float = 10000.0,
    ) -> None:
        name = "CausalDecoderBlock"
        sizes(name, 1, d_model=d_model, num_heads=num_heads)
        sizes(name, 1, optional=True, kv_heads=kv_heads, hidden=hidden)
        fraction(name, dropout=dropout)
        positive(name, eps=eps, base=base)
        self.d_model, self.num_heads, self.kv_heads = d_model, num_heads, kv_heads or num_heads
        if d_model % num_heads or d_model // num_heads % 2 or num_heads % self.kv_heads:
            raise ArgumentError(
                f"{name}: d_model={d_model}, num_heads={num_heads}, kv_heads={self.kv_heads}",
                expected="heads that divide d_model into even numbers of features, kv_heads that divide the heads",
            )
        self.hidden = hidden or -(-8 * d_model // 24) * 8
        self.dropout, self.eps, self.base = dropout, eps, base
        self.features = d_model // num_heads
        narrow = self.kv_heads * self.features
        self.norm1, self.norm2 = RMSNorm(d_model, eps), RMSNorm(d_model, eps)
        self.q_proj, self.o_proj = (Linear(d_model, d_model, bias=False) for _ in range(2))
        self.k_proj, self.v_proj = (Linear(d_model, narrow, bias=False) for _ in range(2))
        self.gate, self.up = (Linear(d_model, self.hidden, bias=False) for _ in range(2))
        self.down = Linear(self.hidden, d_model, bias=False)
        self.drop = Dropout(dropout)

    def cache(self, batch: int, length: int, dtype: Any = None) -> Cache:
        """An empty cache for ``batch`` sequences of up to ``length`` steps, by default in the type of the block."""
        own = next(self.k_proj.parameters()).known_dtype
        return Cache(batch, self.kv_heads, length, self.features, own if dtype is None else dtype)

    def forward(self, x: Any, cache: Cache | None = None) -> Tensor:
        if x.ndim != 3 or x.shape[-1] != self.d_model:
            raise ShapeError(
                f"CausalDecoderBlock: x of shape {x.shape}", expected=f"(batch, steps, {self.d_model}): d_model"
            )
        x = x + self.drop(self._look(self.norm1(x), cache))
        z = self.norm2(x)
        y: Tensor = x + self.drop(self.down(functional.silu(self.gate(z)) * self.up(z)))
        return y

    def _look(self, x: Any, cache: Cache | None) -> Any:
        """Attention of each step to itself and those before."""
        batch, steps, _ = x.shape

        def split(y: Any) -> Any:
            return y.reshape(batch, steps, y.shape[-1] // self.features, self.features).swapaxes(1, 2)

        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        at = arange(steps) if cache is None else cache.position + arange(steps)
        q, k = (functional.rotary(y, at, base=self.base) for y in (q, k))
        seen = None
        if cache is not None:
            k, v, seen = cache.extend(k, v)
        y = attend(q, k, v, seen, causal=cache is None)
        return self.o_proj(y.swapaxes(1, 2).reshape(batch, steps, self.d_model))

    def extra_repr(self) -> str:
        return f"{self.d_model}, num_heads={self.num_heads}, kv_heads={self.kv_heads}, hidden={self.hidden}"


@register
class CausalDecoder(Module):
    """A small language model: an embedding, `CausalDecoderBlock`s, a norm, and the embedding again as the head.

    Shapes: tokens (batch, steps) of whole numbers, the logits of each next token (batch, steps, vocabulary).

    >>> import weft as wf
    >>> from weft import nn
    >>> model = nn.CausalDecoder(11, 8, num_heads=2, num_layers=1)
    >>> model(wf.tensor([[1, 2, 3]])).shape, model.generate([[1, 2, 3]], 4).shape
    ((1, 3, 11), (1, 7))
    """

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        kv_heads: int | None = None,
        hidden: int | None = None,
        dropout: float = 0.0,
        eps: float = 1e-6,
        base: float = 10000.0,
    ) -> None:
        sizes("CausalDecoder", 1, vocabulary=vocabulary, num_layers=num_layers)
        self.vocabulary, self.d_model, self.num_heads, self.num_layers = vocabulary, d_model, num_heads, num_layers
        self.kv_heads, self.hidden, self.dropout, self.eps, self.base = kv_heads, hidden, dropout, eps, base
        # The head is the embedding, so its rows begin as those of a linear map.
        self.embedding = Embedding(vocabulary, d_model, weight_init="fan_uniform")
        self.blocks = ModuleList(
            CausalDecoderBlock(d_model, num_heads, kv_heads, hidden, dropout, eps, base) for _ in range(num_layers)
        )
        self.norm = RMSNorm(d_model, eps)

    def cache(self, batch: int, length: int, dtype: Any = None) -> tuple[Cache, ...]:
        """An empty cache for each block, by default in the type of the model."""
        return tuple(block.cache(batch, length, dtype) for block in self.blocks)

    def forward(self, tokens: Any, cache: tuple[Cache, ...] | None = None) -> Tensor:
        if tokens.ndim != 2:
            raise ShapeError(f"CausalDecoder: tokens of shape {tokens.shape}", expected="(batch, steps)")
        if cache is not None and (not isinstance(cache, tuple | list) or len(cache) != len(self.blocks)):
            given = f"{len(cache)} caches" if isinstance(cache, tuple | list) else repr(cache)
            raise ArgumentError(
                f"CausalDecoder: {given} for {len(self.blocks)} blocks",
                expected="one cache for each block",
                cure="model.cache(batch, length)",
            )
        x = self.embedding(tokens)
        for k, block in enumerate(self.blocks):
            x = block(x, None if cache is None else cache[k])
        return functional.linear(self.norm(x), self.embedding.weight)

    def generate(self, tokens: Any, steps: int, temperature: float = 0.0) -> Tensor:
        """``tokens`` (batch, begun) and ``steps`` more: the likeliest each time, or drawn from softmax(logits / T).

        The numbers drawn are those of `weft.random`. The steps are one compiled program, whatever their number.
        """
        sizes("generate", 1, steps=steps)
        begun = as_tensor(tokens)
        if not begun.dtype.is_integer or begun.ndim != 2 or 0 in begun.shape:
            raise DTypeError(f"generate from {begun!r}", expected="whole numbers (batch, steps), one step at least")
        if not 0 <= temperature < math.inf:
            raise ArgumentError(f"generate: temperature={temperature!r}", expected="0 (the likeliest) or more")
        cache = self.cache(begun.shape[0], begun.shape[1] + steps)

        def following(seen: Any, temperature: float) -> Any:
            logits = self(seen, cache)[:, -1]
            chosen = categorical(logits / temperature) if drawn else logits.argmax(axis=-1)
            return chosen.astype(begun.dtype).reshape(-1, 1)

        drawn = temperature > 0
        follow = compile(following)
        with evaluation_mode(self):
            made = [begun, follow(begun, float(temperature))]
            while len(made) <= steps:
                made.append(follow(made[-1], float(temperature)))
        y: Tensor = concat(made, axis=1)
        return y
