"""The Transformer of Vaswani et al. 2017, in PyTorch's parts and names."""

from __future__ import annotations

import copy
from typing import Any

from weft.nn.check import sizes
from weft.nn.functional.attention import causal_mask
from weft.nn.init import fans, initializer
from weft.nn.layers.collections import ModuleList, checked
from weft.nn.layers.normalization import LayerNorm
from weft.nn.layers.transformer_layers import Activation, TransformerDecoderLayer, TransformerEncoderLayer, named
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.comparison import where
from weft.tensor import Tensor


class Stack(Module):
    """Copies of one layer, one after the other, and a normalisation at the end if one is given."""

    def _stack(self, layer: Any, num_layers: int, norm: Any) -> None:
        name = type(self).__name__
        sizes(name, 1, num_layers=num_layers)
        self.num_layers = num_layers
        self.layers = ModuleList(copy.deepcopy(checked(name, layer)) for _ in range(num_layers))
        for p in self.layers.parameters():
            p.forget()  # the copies begin alike, and each of these by its own name
        self.norm = None if norm is None else checked(name, norm)

    def _through(self, x: Any, *operands: Any, **options: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *operands, **options)
        return x if self.norm is None else self.norm(x)


@register
class TransformerEncoder(Stack):
    """``num_layers`` copies of an encoder layer, with first values of their own, and ``norm`` at the end.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)(wf.zeros((5, 2, 8))).shape
    (5, 2, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self._stack(encoder_layer, num_layers, norm)

    @property
    def encoder_layer(self) -> Module:
        """The layer, of which all are copies."""
        return self.layers.children[0]

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Tensor:
        """All layers applied, with the same masks."""
        y: Tensor = self._through(
            src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal)
        )
        return y


@register
class TransformerDecoder(Stack):
    """``num_layers`` copies of a decoder layer, with first values of their own, and ``norm`` at the end."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self._stack(decoder_layer, num_layers, norm)

    @property
    def decoder_layer(self) -> Module:
        """The layer, of which all are copies."""
        return self.layers.children[0]

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
        """All layers applied, with the same masks."""
        y: Tensor = self._through(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=bool(tgt_is_causal),
            memory_is_causal=bool(memory_is_causal),
        )
        return y


@register
class Transformer(Module):
    """An encoder of one sequence and a decoder of another that looks at it.

    Shapes: src (steps, batch, d_model), tgt (other steps, batch, d_model), or batch first, or without batch; the
    result is shaped as tgt. Matrices begin as PyTorch's do, uniform by Glorot's rule.

    >>> import weft as wf
    >>> from weft import nn
    >>> model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(wf.zeros((2, 5, 8)), wf.zeros((2, 3, 8)), tgt_is_causal=True).shape
    (2, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        self.d_model, self.nhead, self.dim_feedforward, self.dropout = d_model, nhead, dim_feedforward, dropout
        self.num_encoder_layers, self.num_decoder_layers = num_encoder_layers, num_decoder_layers
        self.activation = named(activation)
        self.layer_norm_eps, self.batch_first = layer_norm_eps, batch_first
        self.norm_first, self.bias = norm_first, bias
        self._custom = (custom_encoder is not None, custom_decoder is not None)
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*layer), num_encoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias)
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*layer), num_decoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias)
        )
        for p in self.parameters():
            if p.start is not None and p.start.shape is not None and len(p.start.shape) > 1:
                fan_in, fan_out = fans(p.start.shape)
                p.start = p.start._replace(init=initializer("xavier_uniform"), fan_in=fan_in, fan_out=fan_out)

    @property
    def custom_encoder(self) -> Module | None:
        """The encoder, if it was given."""
        return self.encoder if self._custom[0] else None

    @property
    def custom_decoder(self) -> Module | None:
        """The decoder, if it was given."""
        return self.decoder if self._custom[1] else None

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """What the decoder makes of tgt while it looks at what the encoder makes of src."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        y: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal,
            memory_is_causal,
        )
        return y

    @staticmethod
    def generate_square_subsequent_mask(sz: int) -> Tensor:
        """What is added to scores so that step i looks at 0 … i only: −∞ above the diagonal, 0 elsewhere.

        >>> from weft import nn
        >>> nn.Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        y: Tensor = where(causal_mask(sz), 0.0, -float("inf"))
        return y
