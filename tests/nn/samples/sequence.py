"""Samples of recurrent layers, attention and the Transformer; those of several inputs or results are wrapped."""

from weft import nn

from .sample import Sample

SEQUENCE = (5, 2, 6)


@nn.register
class FirstOfPair(nn.Module):
    """The first result of a layer that has several."""

    def __init__(self, layer):
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


@nn.register
class GivenTimes(nn.Module):
    """A layer given the same input several times; of several results the first."""

    def __init__(self, layer, times):
        self.layer, self.times = layer, times

    def forward(self, x):
        y = self.layer(*[x * (k + 1) for k in range(self.times)])
        return y[0] if isinstance(y, tuple) else y


@nn.register
class TwoSteps(nn.Module):
    """A cell that takes two steps, as the first one does not see the weight of the state."""

    def __init__(self, cell):
        self.cell = cell

    def forward(self, x):
        y = self.cell(x, self.cell(x))
        return y[0] if isinstance(y, tuple) else y


SAMPLES: dict[str, Sample] = {
    "CausalDecoder": Sample(lambda: nn.CausalDecoder(7, 8, 2, 1, kv_heads=1, hidden=8), (2, 5), classes=7),
    "CausalDecoderBlock": Sample(lambda: nn.CausalDecoderBlock(8, 2, hidden=8), (2, 5, 8)),
    "GRU": Sample(lambda: FirstOfPair(nn.GRU(4, bidirectional=True)), SEQUENCE),
    "GRUCell": Sample(lambda: TwoSteps(nn.GRUCell(4)), (3, 6)),
    "LSTM": Sample(lambda: FirstOfPair(nn.LSTM(6, 4, batch_first=True, proj_size=3)), SEQUENCE),
    "LSTMCell": Sample(lambda: TwoSteps(nn.LSTMCell(6, 4)), (3, 6)),
    "MultiheadAttention": Sample(lambda: GivenTimes(nn.MultiheadAttention(6, 2, add_bias_kv=True), 3), SEQUENCE),
    "PositionalEncoding": Sample(lambda: nn.PositionalEncoding(6, dropout=0.0), SEQUENCE),
    "RNN": Sample(lambda: FirstOfPair(nn.RNN(6, 4, 2, "relu")), SEQUENCE),
    "RNNCell": Sample(lambda: TwoSteps(nn.RNNCell(6, 4)), (3, 6)),
    "RotaryEmbedding": Sample(lambda: nn.RotaryEmbedding(6), SEQUENCE),
    "Transformer": Sample(lambda: GivenTimes(nn.Transformer(6, 2, 1, 1, 8, 0.0), 2), SEQUENCE),
    "TransformerDecoder": Sample(
        lambda: GivenTimes(nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, 0.0), 1, nn.LayerNorm(6)), 2),
        SEQUENCE,
    ),
    "TransformerDecoderLayer": Sample(
        lambda: GivenTimes(nn.TransformerDecoderLayer(6, 2, 8, 0.0, norm_first=True), 2), SEQUENCE
    ),
    "TransformerEncoder": Sample(lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, 0.0), 2), SEQUENCE),
    "TransformerEncoderLayer": Sample(
        lambda: nn.TransformerEncoderLayer(6, 2, 8, 0.0, "gelu", batch_first=True), SEQUENCE
    ),
}
