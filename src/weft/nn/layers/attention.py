"""Multi-head attention."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.nn import functional
from weft.nn.check import fraction, sizes
from weft.nn.functional.attention import attend, causal_mask
from weft.nn.layers.linear import Linear
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.assembling import concat, split
from weft.ops.comparison import logical_and, logical_not, where
from weft.ops.creation import zeros
from weft.tensor import Tensor, as_tensor


@register
class MultiheadAttention(Module):
    """Attention in ``num_heads`` subspaces, whose results are joined and mapped: Vaswani et al. 2017.

    Parameters and arguments are PyTorch's. Shapes: query (steps, batch, embed_dim), key (others, batch, kdim), value
    (others, batch, vdim), or batch first, or without batch. The result is the output, shaped as the query, and the
    weights (batch, steps, others), averaged over the heads unless ``average_attn_weights`` is False, or None without
    ``need_weights``, which is faster.

    ``key_padding_mask`` (batch, others) and ``attn_mask`` (steps, others) or (batch · heads, steps, others) are true
    where nobody may look — the opposite of `functional.scaled_dot_product_attention`, as in PyTorch — or numbers
    that are added to the scores. A step that may look nowhere gets zeros, with and without ``need_weights``.

    >>> import weft as wf
    >>> from weft import nn
    >>> x = wf.zeros((2, 5, 8))
    >>> y, weights = nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> y.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        sizes("MultiheadAttention", 1, embed_dim=embed_dim, num_heads=num_heads)
        sizes("MultiheadAttention", 1, optional=True, kdim=kdim, vdim=vdim)
        fraction("MultiheadAttention", dropout=dropout)
        if embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: embed_dim={embed_dim} with {num_heads} heads",
                expected="heads that divide embed_dim",
                cure=f"embed_dim={embed_dim - embed_dim % num_heads or num_heads}",
            )
        self.embed_dim, self.num_heads, self.dropout, self.bias = embed_dim, num_heads, dropout, bias
        self.add_bias_kv, self.add_zero_attn, self.batch_first = add_bias_kv, add_zero_attn, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self._declare()

    def _declare(self) -> None:
        n = self.embed_dim
        self._joined = self.kdim == self.vdim == n
        if self._joined:
            self.in_proj_weight = Parameter.drawn((3 * n, n), "xavier_uniform")
        else:
            self.q_proj_weight = Parameter.drawn((n, n), "xavier_uniform")
            self.k_proj_weight = Parameter.drawn((n, self.kdim), "xavier_uniform")
            self.v_proj_weight = Parameter.drawn((n, self.vdim), "xavier_uniform")
        self.in_proj_bias = Parameter.drawn((3 * n,), "zeros") if self.bias else None
        self.bias_k = Parameter.drawn((1, 1, n), "xavier_normal") if self.add_bias_kv else None
        self.bias_v = Parameter.drawn((1, 1, n), "xavier_normal") if self.add_bias_kv else None
        self.out_proj = Linear(n, n, bias=self.bias, bias_init="zeros")

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The output, and the weights or None; ``is_causal`` lets step i look at 0 … i only, besides the masks."""
        self._check(query, key, value)
        alone, last = query.ndim == 2, query.ndim == 3 and not self.batch_first
        q, k, v = self._projected(*(x.reshape(1, *x.shape) if alone else x for x in (query, key, value)))
        if last:
            q, k, v = (x.swapaxes(0, 1) for x in (q, k, v))
        k, v, more = self._extended(k, v)
        mask = self._mask(attn_mask, key_padding_mask, q.shape[:2], k.shape[1], more, is_causal)
        dropped = self.dropout if self.training else 0.0
        causal = is_causal and not more
        q, k, v = (self._split(x) for x in (q, k, v))
        made = attend(q, k, v, mask, dropped, causal, shares=need_weights)
        y, shares = made if need_weights else (made, None)
        y = y.swapaxes(1, 2).reshape(*y.shape[::2], self.embed_dim)
        y = self.out_proj(y.swapaxes(0, 1) if last else y)
        if shares is not None:
            shares = shares.mean(axis=1) if average_attn_weights else shares
            shares = shares[0] if alone else shares
        return (y[0] if alone else y), shares

    # ── its parts ───────────────────────────────────────────────────────────────────────────────────────────

    def _check(self, query: Any, key: Any, value: Any) -> None:
        wanted = {"query": self.embed_dim, "key": self.kdim, "value": self.vdim}
        for (name, size), x in zip(wanted.items(), (query, key, value), strict=True):
            if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
                raise ShapeError(
                    f"MultiheadAttention: a {name} of shape {x.shape}",
                    expected=f"the last axis of size {size}, and two axes (steps, {size}) or three, as many in all",
                )
        at = slice(0, -2) if self.batch_first else slice(1, -1)
        steps = -2 if self.batch_first or query.ndim == 2 else 0
        if query.ndim == 3 and not query.shape[at] == key.shape[at] == value.shape[at]:
            raise ShapeError(
                f"MultiheadAttention: batches of {query.shape}, {key.shape} and {value.shape}",
                expected="equal sizes of axis " + ("0" if self.batch_first else "1, or batch_first=True"),
            )
        if key.shape[steps] != value.shape[steps]:
            raise ShapeError(
                f"MultiheadAttention: {key.shape[steps]} keys and {value.shape[steps]} values",
                expected="a value for each key",
            )

    def _projected(self, query: Any, key: Any, value: Any) -> tuple[Any, ...]:
        """Queries, keys and values; one product where all three come from the same tensor."""
        n, bias = self.embed_dim, self.in_proj_bias
        if self._joined and query is key is value:
            return split(functional.linear(query, self.in_proj_weight, bias), 3, axis=-1)
        if self._joined:
            weights = split(self.in_proj_weight, 3, axis=0)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = [None] * 3 if bias is None else split(bias, (n, n, n))
        return tuple(functional.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))

    def _extended(self, k: Any, v: Any) -> tuple[Any, Any, int]:
        """Keys and values with the trained pair and the zero pair at their end, and how many these are."""
        one = (k.shape[0], 1, self.embed_dim)
        more = []
        if self.bias_k is not None and self.bias_v is not None:
            more.append((self.bias_k.broadcast_to(one), self.bias_v.broadcast_to(one)))
        if self.add_zero_attn:
            more.append((zeros(one, dtype=k.dtype),) * 2)
        if not more:
            return k, v, 0
        return concat([k, *(a for a, _ in more)], axis=1), concat([v, *(b for _, b in more)], axis=1), len(more)

    def _split(self, x: Any) -> Any:
        """(batch, steps, embed_dim) as (batch, heads, steps, features)."""
        return x.reshape(*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads).swapaxes(1, 2)

    def _mask(self, attn_mask: Any, padding: Any, shape: tuple[int, ...], others: int, more: int, causal: bool) -> Any:
        """Both masks as one: where a step may look, or what is added to its scores; the added pairs are seen by all."""
        batch, steps = shape
        others -= more
        parts = []
        if attn_mask is not None:
            mask = as_tensor(attn_mask)
            if mask.shape not in ((steps, others), (batch * self.num_heads, steps, others)):
                raise ShapeError(
                    f"MultiheadAttention: attn_mask of shape {mask.shape}",
                    expected=f"({steps}, {others}) or ({batch * self.num_heads}, {steps}, {others})",
                )
            parts.append(mask.reshape(*((1, 1) if mask.ndim == 2 else (batch, self.num_heads)), steps, others))
        if padding is not None:
            mask = as_tensor(padding)
            if mask.shape not in ((batch, others), *(((others,),) if batch == 1 else ())):
                raise ShapeError(
                    f"MultiheadAttention: key_padding_mask of shape {mask.shape}", expected=f"({batch}, {others})"
                )
            parts.append(mask.reshape(batch, 1, 1, others))
        if causal and more:
            parts.append(logical_not(causal_mask(steps, others)).reshape(1, 1, steps, others))
        return _all(parts, more)


def _all(parts: list[Any], more: int) -> Any:
    """The masks of PyTorch's sense as one of attention's, with ``more`` columns that are open."""
    for mask in parts:
        if not (mask.dtype.is_floating or mask.dtype.kind == "bool"):
            raise DTypeError(
                f"MultiheadAttention: a mask of {mask.dtype.name}",
                expected="truth values (true where nobody may look), or floating-point numbers to add to the scores",
                cure="mask.astype(wf.bool)",
            )
    if not parts:
        return None
    if any(mask.dtype.is_floating for mask in parts):
        numbers = [m if m.dtype.is_floating else where(m, -float("inf"), 0.0) for m in parts]
        total = reduce(add, numbers)
    else:
        total = reduce(logical_and, map(logical_not, parts))
    if more:
        fill = zeros((*total.shape[:-1], more), dtype=total.dtype)
        total = concat([total, fill if total.dtype.is_floating else logical_not(fill)], axis=-1)
    return total
