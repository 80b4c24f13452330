"""The layers of the Transformer: an encoder's, which looks at its own sequence, and a decoder's, at another's too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import fraction, positive, sizes
from weft.nn.layers.attention import MultiheadAttention
from weft.nn.layers.dropout import Dropout
from weft.nn.layers.linear import Linear
from weft.nn.layers.normalization import LayerNorm
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor

Activation = str | Callable[[Any], Any]
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "tanh": functional.tanh,
}


class Block(Module, ABC):
    """What the layers of encoder and decoder have in common: sub-layers with a shortcut and a normalisation each.

    y = norm(x + f(x)), or x + f(norm(x)) with ``norm_first``, which trains deep stacks without a warm-up.
    """

    drop0: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        layer = type(self).__name__
        sizes(layer, 1, d_model=d_model, nhead=nhead, dim_feedforward=dim_feedforward)
        fraction(layer, dropout=dropout)
        positive(layer, layer_norm_eps=layer_norm_eps)
        self.d_model, self.nhead, self.dim_feedforward, self.dropout = d_model, nhead, dim_feedforward, dropout
        self.activation = named(activation)
        self.layer_norm_eps, self.batch_first = layer_norm_eps, batch_first
        self.norm_first, self.bias = norm_first, bias
        self.self_attn = self._attention()
        self._parts()

    @abstractmethod
    def _parts(self) -> None:
        """Make the rest of the sub-layers."""

    def _attention(self) -> MultiheadAttention:
        return MultiheadAttention(self.d_model, self.nhead, self.dropout, self.bias, batch_first=self.batch_first)

    def _feedforward(self, norms: int) -> None:
        self.linear1 = Linear(self.d_model, self.dim_feedforward, bias=self.bias)
        self.linear2 = Linear(self.dim_feedforward, self.d_model, bias=self.bias)
        for k in range(1, norms + 1):
            setattr(self, f"norm{k}", LayerNorm(self.d_model, self.layer_norm_eps, bias=self.bias))
        for k in range(norms + 1):
            setattr(self, f"drop{k}", Dropout(self.dropout))

    def _map(self, x: Any) -> Any:
        """The two linear maps, the same for every step."""
        apply = self.activation if callable(self.activation) else ACTIVATIONS[self.activation]
        return self.linear2(self.drop0(apply(self.linear1(x))))

    def _sublayer(self, k: int, x: Any, f: Callable[[Any], Any]) -> Any:
        """Sub-layer number ``k`` with its shortcut."""
        norm, drop = getattr(self, f"norm{k}"), getattr(self, f"drop{k}")
        return x + drop(f(norm(x))) if self.norm_first else norm(x + drop(f(x)))

    def _fits(self, what: str, x: Any) -> None:
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            layout = "(batch, steps, {})" if self.batch_first else "(steps, batch, {})"
            raise ShapeError(
                f"{type(self).__name__}: {what} of shape {x.shape}",
                expected=f"{layout.format(self.d_model)} or (steps, {self.d_model}): d_model={self.d_model}",
            )

    def extra_repr(self) -> str:
        return f"{self.d_model}, nhead={self.nhead}, dropout={self.dropout}, norm_first={self.norm_first}"


def named(activation: Activation) -> Activation:
    """The name of an activation, by which it can be saved; another function stays what it is."""
    if isinstance(activation, str):
        find(ACTIVATIONS, activation, "activation")
        return activation
    if not callable(activation):
        raise ArgumentError(f"activation={activation!r}", expected="a name or a function of a tensor")
    return next((name for name, f in ACTIVATIONS.items() if f is activation), activation)


@register
class TransformerEncoderLayer(Block):
    """Self-attention, then two linear maps with an activation in between, each with its shortcut.

    Shapes: src (steps, batch, d_model), or batch first, or without batch; the result alike. Masks as in
    `MultiheadAttention`: true where nobody may look.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)(wf.zeros((2, 5, 8))).shape
    (2, 5, 8)
    """

    def _parts(self) -> None:
        self._feedforward(norms=2)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        """The layer applied; ``is_causal`` lets step i look at 0 … i, with or without a mask."""
        self._fits("src", src)
        options = {"need_weights": False, "is_causal": is_causal}
        look = lambda x: self.self_attn(x, x, x, src_key_padding_mask, attn_mask=src_mask, **options)[0]
        y: Tensor = self._sublayer(2, self._sublayer(1, src, look), self._map)
        return y


@register
class TransformerDecoderLayer(Block):
    """Self-attention, attention to what an encoder made, then two linear maps, each with its shortcut.

    Shapes: tgt (steps, batch, d_model) and memory (others, batch, d_model), or batch first, or without batch.

    >>> import weft as wf
    >>> from weft import nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(wf.zeros((2, 5, 8)), wf.zeros((2, 7, 8)), tgt_is_causal=True).shape
    (2, 5, 8)
    """

    def _parts(self) -> None:
        self.multihead_attn = self._attention()
        self._feedforward(norms=3)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The layer applied."""
        self._fits("tgt", tgt)
        self._fits("memory", memory)
        own = {"need_weights": False, "is_causal": tgt_is_causal, "attn_mask": tgt_mask}
        other = {"need_weights": False, "is_causal": memory_is_causal, "attn_mask": memory_mask}
        look = lambda x: self.self_attn(x, x, x, tgt_key_padding_mask, **own)[0]
        remember = lambda x: self.multihead_attn(x, memory, memory, memory_key_padding_mask, **other)[0]
        y: Tensor = self._sublayer(3, self._sublayer(2, self._sublayer(1, tgt, look), remember), self._map)
        return y
