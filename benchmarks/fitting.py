"""``fit`` against a loop in PyTorch's eager mode: seconds per training step, compilation left out on both sides."""

import time

import numpy as np

import weft as wf
from benchmarks import peer
from benchmarks.clock import alternate, table
from weft import nn, optim


def fitted(model, x, y, batch_size, epochs):
    """A function that trains ``epochs`` epochs more, and the number of steps that it takes."""
    trainer = wf.Trainer(model, "cross_entropy", optim.Adam(1e-3))
    run = lambda: trainer.fit((x, y), epochs=epochs, batch_size=batch_size, verbose=False)
    run()
    return run, epochs * -(-len(x) // batch_size)


def main():
    """Print the table of ``fit``."""
    rng = np.random.default_rng(0)
    rows = []
    for what, wanted, ours, theirs, (x, y), batch_size, epochs in cases(rng):
        run, steps = fitted(ours, x, y, batch_size, epochs)
        step = peer.stepper(theirs, x, y, batch_size)
        many = 1 if steps > 200 else 10
        best = alternate({"weft": run, "peer": lambda step=step, many=many: [step() for _ in range(many)]}, rounds=5)
        rows.append((what, best["weft"] / steps, best["peer"] / many, wanted))
    table("fit, one training step (evaluation of the training loss at each epoch's end included)", rows)


def cases(rng):
    """What is trained: name, wanted ratio, our model, theirs, data, batch size, epochs of one measurement."""
    iris = wf.data.iris()
    pixels = rng.random((6400, 784), np.float32)
    labels = rng.integers(0, 10, 6400)
    images = pixels[:1280].reshape(-1, 1, 28, 28)
    yield (
        "iris MLP 4-16-3, batch 16",
        20,
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)),
        peer.mlp(4, 16, 3),
        (iris.x, iris.y),
        16,
        500,
    )
    yield (
        "MNIST-shaped MLP 784-512-256-10, batch 128",
        1.1,
        nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)),
        peer.mlp(784, 512, 256, 10),
        (pixels, labels),
        128,
        2,
    )
    ours = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 10),
    )
    yield "CNN 32-64 3×3, 28×28, batch 64", 1.0, ours, peer.cnn(), (images, labels[:1280]), 64, 1


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
