"""A training step written by hand, uncompiled and compiled, against PyTorch's eager step."""

import numpy as np

import weft as wf
from benchmarks import peer
from benchmarks.clock import alternate, table
from weft import nn, optim

TIMES = 500  # that an operation is recorded in a row
OPERATIONS = ("x * 1.01", "x * y", "exp(x)")


def main():
    """Print the table of hand-written steps."""
    rng = np.random.default_rng(0)
    x, y = rng.random((16, 4), np.float32), rng.integers(0, 3, 16)
    eager, compiled = by_hand(x, y), wf.compile(by_hand(x, y))
    theirs = peer.stepper(peer.mlp(4, 16, 3), x, y, 16)
    best = alternate({"eager": eager, "compiled": compiled, "peer": theirs}, rounds=15, seconds=0.1)
    table(
        "a hand-written step of the iris network (forward, gradients, fused Adam)",
        [
            ("as written", best["eager"], best["peer"], 2),
            ("compiled", best["compiled"], best["peer"], 5),
        ],
    )
    rows = []
    for text in OPERATIONS:
        record, run = recording(text)
        both = alternate({"weft": record, "peer": run}, rounds=15, seconds=0.05)
        rows.append((text, both["weft"] / TIMES, both["peer"] / TIMES, 0.67))
    table("recording one elementwise op (PyTorch: running it)", rows)


def by_hand(x, y):
    """The step, as a person writes it."""
    model, opt = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), optim.Adam(1e-3)
    x, y = wf.tensor(x), wf.tensor(y)

    def step():
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step(model)
        model.zero_grad()

    return step


def recording(text):
    """One operation after the other, recorded and thrown away; and as many run by PyTorch."""
    import torch

    from weft.graph.recording import context

    place = {}  # written as text, so that nothing is called but the operation
    exec(f"def repeat(x, y, exp):\n    for _ in range({TIMES}):\n        x = {text}", place)
    ours, theirs = wf.tensor(np.ones((4, 4), np.float32)), torch.ones(4, 4)

    def record():
        place["repeat"](ours, ours, wf.exp)
        context.recording.clear()

    return record, lambda: place["repeat"](theirs, theirs, torch.exp)


if __name__ == "__main__":
    main()
