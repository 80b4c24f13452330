"""Recurrent layers, attention and the Transformer."""

from __future__ import annotations

from typing import Any

import torch

from weft import nn

from .bridge import Mapped, Sample, noise

BY_NAME = {torch.nn.functional.relu: "relu", torch.nn.functional.gelu: "gelu"}


def transformer(cls: type[nn.Module]) -> Any:
    """The constructor of a part of the Transformer, for PyTorch's arguments."""

    def make(*arguments: Any, activation: Any = "relu", device: Any = None, dtype: Any = None, **options: Any) -> Any:
        *arguments, activation = (*arguments, activation) if len(arguments) < 5 else arguments
        if len(arguments) == 4:
            return cls(*arguments, BY_NAME.get(activation, activation), **options)
        return cls(*arguments, activation=BY_NAME.get(activation, activation), **options)

    return make


def encoder(layer: torch.nn.TransformerEncoderLayer, num_layers: int, **options: Any) -> nn.Module:
    """A stack of layers as PyTorch's ``layer`` is."""
    ours = nn.TransformerEncoderLayer(
        layer.linear1.in_features,
        layer.self_attn.num_heads,
        layer.linear1.out_features,
        layer.dropout.p,
        BY_NAME[layer.activation],
        layer.norm1.eps,
        layer.self_attn.batch_first,
        layer.norm_first,
        layer.linear1.bias is not None,
    )
    return nn.TransformerEncoder(ours, num_layers)


def decoder(layer: torch.nn.TransformerDecoderLayer, num_layers: int, **options: Any) -> nn.Module:
    """A stack of layers as PyTorch's ``layer`` is."""
    ours = nn.TransformerDecoderLayer(
        layer.linear1.in_features, layer.self_attn.num_heads, layer.linear1.out_features, layer.dropout.p
    )
    return nn.TransformerDecoder(ours, num_layers)


def apply(layer: nn.Module, *inputs: Any, **named: Any) -> Any:
    """PyTorch calls the input of some layers ``input``."""
    return layer(*inputs, *([named.pop("input")] if "input" in named else []), **named)


MODULES = {
    "RNN": Mapped(nn.RNN, apply),
    "LSTM": Mapped(nn.LSTM, apply),
    "GRU": Mapped(nn.GRU, apply),
    "RNNCell": Mapped(nn.RNNCell, apply),
    "LSTMCell": Mapped(nn.LSTMCell, apply),
    "GRUCell": Mapped(nn.GRUCell, apply),
    "MultiheadAttention": Mapped(nn.MultiheadAttention, apply),
    "TransformerEncoderLayer": Mapped(transformer(nn.TransformerEncoderLayer), apply),
    "TransformerDecoderLayer": Mapped(transformer(nn.TransformerDecoderLayer), apply),
    "TransformerEncoder": Mapped(encoder, apply),
    "TransformerDecoder": Mapped(decoder, apply),
    "Transformer": Mapped(transformer(nn.Transformer), apply),
}

SAMPLES = {  # of a class that the database lacks
    "TransformerDecoder": [
        Sample((torch.nn.TransformerDecoderLayer(4, 2, 8, 0.0), 2), {}, (noise(3, 2, 4), noise(5, 2, 4, at=1))),
    ],
}
