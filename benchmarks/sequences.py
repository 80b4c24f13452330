"""A training step over sequences, compiled, against PyTorch eager: recurrent layers and a small Transformer."""

import time

import numpy as np
import torch

import weft as wf
from benchmarks.clock import alternate, table
from weft import nn, optim

RECURRENT = [(32, 16, 32, 64), (64, 32, 128, 128), (128, 4, 256, 256)]  # steps, batch, inputs, features
BATCH, STEPS, WIDTH, HEADS, LAYERS, TOKENS = 4, 128, 256, 4, 4, 256


def main():
    """Print the table: forward, backward and an Adam step."""
    rng = np.random.default_rng(0)
    rows = []
    for name in ("RNN", "GRU", "LSTM"):
        for steps, batch, inputs, features in RECURRENT:
            x = rng.normal(size=(steps, batch, inputs)).astype(np.float32)
            ours, theirs = recurrent(name, x, features)
            rows.append(row(f"{name} {inputs}-{features}, {batch}×{steps} steps", ours, theirs, 0.83))
    tokens = rng.integers(0, TOKENS, (BATCH, STEPS + 1))
    for how in ("eager", "torch.compile"):
        ours, theirs = transformer(tokens, how)
        rows.append(row(f"Transformer d={WIDTH}, {LAYERS} layers ({how})", ours, theirs, 1.0))
    table("a training step over sequences (forward, gradients, fused Adam), compiled", rows)


def row(what, ours, theirs, wanted):
    """One line of the table."""
    best = alternate({"weft": ours, "peer": theirs}, rounds=7, seconds=0.3)
    return what, best["weft"], best["peer"], wanted


def finished(step):
    """Call a step and wait for its loss, as PyTorch does."""
    return lambda: step().item()


def recurrent(name, x, features):
    """A step that fits the outputs of one recurrent layer to zero."""
    layer, opt = getattr(nn, name)(x.shape[-1], features), optim.Adam(1e-3)
    given = wf.tensor(x)

    @wf.compile
    def step():
        y, _ = layer(given)
        loss = (y * y).mean()
        opt.update(list(layer.parameters()), wf.gradients(loss, list(layer.parameters())))
        return loss

    peer = getattr(torch.nn, name)(x.shape[-1], features)
    adam = torch.optim.Adam(peer.parameters(), 1e-3, fused=True)
    same = torch.from_numpy(x)

    def theirs():
        y, _ = peer(same)
        loss = (y * y).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return finished(step), theirs


class Ours(nn.Module):
    """A causal language model: embeddings of tokens and places, encoder layers, a head."""

    def __init__(self):
        self.tokens, self.places = nn.Embedding(TOKENS, WIDTH), nn.Embedding(STEPS, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH))
        self.head = nn.Linear(WIDTH, TOKENS)

    def forward(self, x):
        return self.head(self.blocks(self.tokens(x) + self.places(wf.arange(STEPS)), is_causal=True))


class Theirs(torch.nn.Module):
    """The same in PyTorch."""

    def __init__(self):
        super().__init__()
        self.tokens, self.places = torch.nn.Embedding(TOKENS, WIDTH), torch.nn.Embedding(STEPS, WIDTH)
        layer = torch.nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = torch.nn.TransformerEncoder(layer, LAYERS, torch.nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = torch.nn.Linear(WIDTH, TOKENS)
        self.mask = torch.nn.Transformer.generate_square_subsequent_mask(STEPS)

    def forward(self, x):
        places = self.places(torch.arange(STEPS))
        return self.head(self.blocks(self.tokens(x) + places, mask=self.mask, is_causal=True))


def transformer(tokens, how="eager"):
    """A step of a language model's training; PyTorch's model eager, or by `torch.compile`."""
    model, opt = Ours(), optim.Adam(1e-3)
    x, y = wf.tensor(tokens[:, :-1]), wf.tensor(tokens[:, 1:].reshape(-1))

    @wf.compile
    def step():
        loss = nn.functional.cross_entropy(model(x).reshape(-1, TOKENS), y)
        opt.update(list(model.parameters()), wf.gradients(loss, list(model.parameters())))
        return loss

    peer = Theirs() if how == "eager" else torch.compile(Theirs())
    adam = torch.optim.Adam(peer.parameters(), 1e-3, fused=True)
    given, wanted = torch.from_numpy(tokens[:, :-1]), torch.from_numpy(tokens[:, 1:].reshape(-1))

    def theirs():
        loss = torch.nn.functional.cross_entropy(peer(given).reshape(-1, TOKENS), wanted)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return finished(step), theirs


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
