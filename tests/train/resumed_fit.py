"""A fit in a process of its own, to be killed: ``python -m tests.train.resumed_fit FOLDER KIND``."""

import hashlib
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

import weft as wf
from weft import augment, nn, optim
from weft.train import loop

EPOCHS = {"small": 400, "large": 40, "streamed": 24}


class Wanderer(wf.Callback):
    """A callback whose state depends on all that it has seen."""

    digest = ""

    def after_epoch(self, loop):
        self.digest = hashlib.sha256(f"{self.digest}{loop.epoch}{loop.row}".encode()).hexdigest()


def data(kind):
    """Rows in memory, or read while training."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(420, 6)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + 0.5 * rng.normal(size=420) > 0).astype(np.int64)
    return (x, y) if kind != "streamed" else wf.data.mapped(x, y)


def trainer(kind):
    """A model with dropout and running statistics, and an optimizer with a schedule and averages."""
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
    adam = optim.AdamW(optim.Cosine(1e-2, steps=3000, warmup=20), clip_norm=1.0)
    callbacks = [wf.callbacks.Checkpoint(every=0), *([Wanderer()] if kind != "small" else [])]
    precision = "f16" if kind == "large" else "f32"
    return wf.Trainer(model, "cross_entropy", optim.EMA(adam, 0.99), ["accuracy"], callbacks, precision=precision)


def fit(kind, folder, epochs=None, resume=True):
    """Train to the end; from where a killed process was, if it left anything."""
    made = trainer(kind)
    with patch.object(loop, "SMALL", loop.SMALL if kind == "small" else 0):
        run = made.fit(
            data(kind),
            validation=0.25,
            epochs=epochs or EPOCHS[kind],
            batch_size=16,
            augment=[augment.GaussianNoise(0.1), augment.FeatureDropout(0.1)],
            pieces=2 if kind == "large" else 1,
            nonfinite="skip",
            keep="last",
            folder=folder,
            resume=resume,
            verbose=False,
        )
    return made, run


def outcome(made, run):
    """A hash of everything that training has made."""
    digest = hashlib.sha256()
    for name, value in sorted(made.model.state_dict().items()):
        digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
    for part in made.parts:
        for name, value in sorted(part.optimizer.state_dict(made.model, part.state).items()):
            digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
    for name, tensor in made.course.state().items():
        digest.update(name.encode() + np.ascontiguousarray(tensor.numpy()).tobytes())
    digest.update(np.array(run.history.rows, np.float64).tobytes())
    digest.update(repr([vars(c).get("digest") for c in run.callbacks]).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    place, chosen = Path(sys.argv[1]), sys.argv[2]
    (place / f"{chosen}.done").write_text(outcome(*fit(chosen, place)))
