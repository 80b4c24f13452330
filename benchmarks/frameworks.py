"""``fit`` against Keras 3 on JAX, PyTorch with its DataLoader, Lightning and scikit-learn.

Each contestant is a process of its own, so that nobody's settings touch another's; they work in turns. Every one trains
the same layers on the same rows with Adam, in new random batches each epoch, with what it does by default: `weft.fit`
also measures the training loss at the end of each epoch. ``QUICK=1`` takes fewer rows and rounds: to see that it
runs, not for its numbers.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

QUICK = bool(os.environ.get("QUICK"))
SECONDS, ROUNDS = (0.1, 1) if QUICK else (0.3, 3)  # of one measurement of a fast network, and how many
TOKENS, STEPS, WIDTH, HEADS, LAYERS = 256, 32, 64, 4, 2  # of the small Transformer
COLD, WARM = "weft, empty program cache", "weft, programs on disk"
PEERS = {"keras": "Keras 3", "torch": "PyTorch", "lightning": "Lightning", "sklearn": "scikit-learn"}


@dataclass(frozen=True)
class Case:
    """What is trained: a network (sizes of dense layers, or a name), how, and how many times faster than PyTorch."""

    title: str
    network: tuple | str
    batch_size: int
    epochs: int  # of the time to a trained model
    wanted: float = 1.0
    slow: bool = False  # an epoch takes seconds

    @property
    def contestants(self):
        """Who takes part: scikit-learn has dense layers alone."""
        return ["weft", *(name for name in PEERS if name != "sklearn" or not isinstance(self.network, str))]


CASES = {
    "iris": Case("iris MLP 4-16-3, batch 16", (4, 16, 3), 16, 100, 20.0),
    "digits": Case("digits MLP 64-128-10, batch 32", (64, 128, 10), 32, 20, 20.0),
    "mnist": Case("MNIST-shaped MLP 784-512-256-10, batch 128", (784, 512, 256, 10), 128, 2, slow=True),
    "cnn": Case("CNN 32-64 3×3, 28×28, batch 64", "cnn", 64, 2, slow=True),
    "transformer": Case(f"Transformer d={WIDTH}, {LAYERS} layers, {STEPS} tokens, batch 32", "transformer", 32, 3),
}


def main(*names):
    """Print the tables of training, of all cases or of those named, and of whole processes."""
    # More than the benchmarks before this one: others work here too. PyTorch's threads wait busily, so it suffers most.
    if (load := os.getloadavg()[0]) > 1 + (os.cpu_count() or 1):
        print(f"\nload {load:.1f} on {os.cpu_count()} cores before this began: the ratios below are not to be trusted")
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        print("\nfit: an epoch without compilation; and from all imported to trained, with an empty program cache")
        for name in names or CASES:
            report(CASES[name], *measured(name, CASES[name], folder))
        if not names:
            whole_processes(folder)


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_data(folder):
    """The rows of every case as files, so that nobody pays for another's loader."""
    from sklearn.datasets import load_digits, load_iris

    rng = np.random.default_rng(0)
    count = {"mnist": 60_000, "cnn": 6_400, "transformer": 1_600}
    if QUICK:
        count = {"mnist": 2_560, "cnn": 320, "transformer": 320}
    labels = lambda name: rng.integers(0, 10, count[name])
    iris, digits = load_iris(), load_digits()
    rows = {
        "iris": (iris.data, iris.target),
        "digits": (digits.data / 16, digits.target),
        "mnist": (rng.random((count["mnist"], 784), np.float32), labels("mnist")),
        "cnn": (rng.random((count["cnn"], 1, 28, 28), np.float32), labels("cnn")),
        "transformer": (rng.integers(0, TOKENS, (count["transformer"], STEPS)), labels("transformer")),
    }
    for name, (x, y) in rows.items():
        np.savez(folder / f"{name}.npz", x=x if x.dtype.kind == "i" else x.astype(np.float32), y=y.astype(np.int64))


def read_data(folder, name):
    """Inputs and labels of a case."""
    with np.load(Path(folder) / f"{name}.npz") as held:
        return held["x"], held["y"]


# ── measuring ───────────────────────────────────────────────────────────────────────────────────────────────────


class Contestant:
    """A process that has imported its framework and trains when it is asked to."""

    def __init__(self, framework, case, folder):
        self.framework, self.cache = framework, tempfile.TemporaryDirectory()
        self.said = Path(folder) / f"{framework}-{case}.txt"
        with self.said.open("w") as errors:
            self.process = subprocess.Popen(
                command("contest", framework, case, folder), env=os.environ | {"WEFT_CACHE": self.cache.name},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def answer(self):
        """The numbers after the next line's "="; what else a framework prints is passed over."""
        for line in self.process.stdout:
            if line.startswith("= "):
                return tuple(map(float, line[2:].split()))
        raise RuntimeError(f"{self.framework} stopped:\n{self.said.read_text()[-2000:]}")

    def train(self, epochs, how="together"):
        """The seconds that ``epochs`` epochs more take; and the last of them, where ``how`` is "each"."""
        time.sleep(0.1)  # for threads of the one before to stop waiting busily
        self.process.stdin.write(f"{epochs} {how}\n")
        self.process.stdin.flush()
        return self.answer()

    def total(self, epochs):
        """The seconds that ``epochs`` epochs more take, with what a fit does once."""
        return self.train(epochs)[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.cache.cleanup()


def command(*arguments):
    """The command line of a process of this file."""
    return [sys.executable, "-m", "benchmarks.frameworks", *arguments]


def measured(name, case, folder):
    """Seconds per epoch and seconds to the case's number of epochs, by contestant."""
    contestants = {who: Contestant(who, name, folder) for who in case.contestants}
    for contestant in contestants.values():
        contestant.answer()
    how = "each" if case.slow else "together"
    first = {who: contestant.train(case.epochs, how) for who, contestant in contestants.items()}
    best = slow(contestants, first) if case.slow else fast(contestants)
    for contestant in contestants.values():
        contestant.close()
    return best, {who: total for who, (total, _) in first.items()}


def slow(contestants, first):
    """The least seconds of the last epoch of a fit: of the first fit, and of one more in turns."""
    again = {who: contestants[who].train(2, "each") for who in reversed(contestants)}
    return {who: min(first[who][1], again[who][1]) for who in contestants}


def fast(contestants):
    """The least seconds of one epoch among many, without what a fit does once: that of one epoch is taken off."""
    counts = {who: calibrated(contestant) for who, contestant in contestants.items()}
    one, many = dict.fromkeys(contestants, np.inf), dict.fromkeys(contestants, np.inf)
    for turn in range(ROUNDS):
        for who in list(contestants)[:: -1 if turn % 2 else 1]:
            one[who] = min(one[who], contestants[who].total(1))
            many[who] = min(many[who], contestants[who].total(1 + counts[who]))
    return {who: (many[who] - one[who]) / counts[who] for who in contestants}


def calibrated(contestant):
    """How many epochs more than one take long enough."""
    one, count = contestant.total(1), 1
    while (took := contestant.total(1 + count) - one) < SECONDS / 2 and count < 1 << 14:
        count = int(np.ceil(count * np.clip(SECONDS / max(took, 1e-9), 2, 64)))
    return count


def report(case, best, first):
    """Print the lines of a case: how many times longer each of the others takes."""
    to = f"{case.epochs} epoch{'s' if case.epochs > 1 else ''}"
    print(f"\n{case.title:<58}{'epoch':>10}{'ratio':>8}{'wanted':>8}{to:>17}{'ratio':>8}")
    print(f"  {'weft':<56}{best['weft'] * 1e3:>8.2f}ms{'':>16}{first['weft']:>16.2f}s")
    for who in case.contestants[1:]:
        wanted = case.wanted if who == "torch" else 1.0
        ratio, first_ratio = best[who] / best["weft"], first[who] / first["weft"]
        line = f"  {PEERS[who]:<56}{best[who] * 1e3:>8.2f}ms{ratio:>7.2f}x{wanted:>7.1f}x{first[who]:>16.2f}s"
        print(f"{line}{first_ratio:>7.2f}x{'' if ratio >= wanted else '  missed'}", flush=True)


def whole_processes(folder):
    """Print how long a process takes from its start to a trained model: import, rows, 20 epochs, accuracy."""
    rounds = 1 if QUICK else 2
    print(f"\ndigits MLP, whole process: import, rows, 20 epochs, accuracy printed; the least of {rounds}")
    contestants = {COLD: "weft", WARM: "weft", **{title: name for name, title in PEERS.items()}}
    found = dict.fromkeys(contestants, (np.inf, 0.0))
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for label, framework in contestants.items():
                found[label] = min(found[label], whole_process(framework, folder, cache))
    print(f"{'':<34}{'seconds':>9}{'accuracy':>10}{'ratio, empty':>14}{'on disk':>9}{'wanted':>8}")
    for label, (seconds, accuracy) in found.items():
        line = f"  {label:<32}{seconds:>8.2f}s{accuracy:>10.3f}"
        if label not in (COLD, WARM):
            ratios = [seconds / found[ours][0] for ours in (COLD, WARM)]
            line += f"{ratios[0]:>13.2f}x{ratios[1]:>8.2f}x"
            if label != PEERS["sklearn"]:  # which has nothing to compile
                line += f"{1:>7.1f}x{'' if min(ratios) >= 1 else '  missed'}"
        print(line, flush=True)


def whole_process(framework, folder, cache):
    """Seconds of a process that trains on the digits, and the accuracy that it prints."""
    started = time.perf_counter()
    ended = subprocess.run(
        command("whole", framework, "digits", folder),
        env=os.environ | {"WEFT_CACHE": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, float(ended.stdout.split("= ")[-1])


# ── the contestants ─────────────────────────────────────────────────────────────────────────────────────────────
# Each imports its framework and gives a function of (case, x, y), which makes a function that trains so many epochs
# more, and calls ``mark`` after each if it is given, and a function that gives classes.


def weft():
    import jax  # noqa: F401 (Weft imports it at the first computation)

    import weft as wf
    from weft import nn, optim

    class Transformer(nn.Module):
        def __init__(self):
            self.tokens, self.places = nn.Embedding(TOKENS, WIDTH), nn.Embedding(STEPS, WIDTH)
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
            self.blocks, self.head = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH)), nn.Linear(WIDTH, 10)

        def forward(self, x):
            return self.head(self.blocks(self.tokens(x) + self.places(wf.arange(STEPS))).mean(axis=1))

    def network(what):
        if what == "transformer":
            return Transformer()
        if what == "cnn":
            return nn.Sequential(
                nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
            )  # fmt: skip
        layers = [layer for a, b in pairwise(what) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*layers[:-1])

    def start(case, x, y):
        trainer = wf.Trainer(network(case.network), "cross_entropy", optim.Adam(1e-3))

        def train(epochs, mark):
            trainer.fit((x, y), epochs=epochs, batch_size=case.batch_size, on_epoch=mark, verbose=False)

        return train, trainer.predict

    return start


def keras():
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["KERAS_HOME"] = tempfile.gettempdir()  # nobody's own settings
    import keras
    from keras import layers

    def dense(sizes):
        hidden = [layers.Dense(n, activation="relu") for n in sizes[1:-1]]
        return keras.Sequential([keras.Input((sizes[0],)), *hidden, layers.Dense(sizes[-1])])

    def cnn():
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),  # channels last, which is what Keras takes on a CPU
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(64, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )

    def transformer():
        x = given = keras.Input((STEPS,), dtype="int32")
        places = layers.Embedding(STEPS, WIDTH)(keras.ops.arange(STEPS))
        x = layers.Embedding(TOKENS, WIDTH)(x) + places
        for _ in range(LAYERS):
            z = layers.LayerNormalization(epsilon=1e-5)(x)
            x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(z, z)
            z = layers.LayerNormalization(epsilon=1e-5)(x)
            x = x + layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(z))
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-5)(x))
        return keras.Model(given, layers.Dense(10)(x))

    def start(case, x, y):
        made = {"cnn": cnn, "transformer": transformer}
        model = made[case.network]() if case.network in made else dense(case.network)
        laid = lambda x: x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        given = np.ascontiguousarray(laid(x))

        def train(epochs, mark):
            callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=mark)] if mark else []
            model.fit(given, y, case.batch_size, epochs, verbose=0, callbacks=callbacks)

        return train, lambda x: model.predict(laid(x), verbose=0).argmax(axis=1)

    return start


def torch():
    import torch

    torch.optim.Adam([torch.zeros(1)])  # the first optimizer imports the rest of PyTorch

    def start(case, x, y):
        model, loader = torch_network(case.network), torch_loader(case, x, y)
        optimizer, loss_of = torch.optim.Adam(model.parameters(), 1e-3, fused=True), torch.nn.CrossEntropyLoss()

        def train(epochs, mark):
            model.train()
            for _ in range(epochs):
                for rows, wanted in loader:
                    optimizer.zero_grad()
                    loss_of(model(rows), wanted).backward()
                    optimizer.step()
                if mark:
                    mark()

        return train, lambda x: torch_predict(model, x)

    return start


def lightning():
    import logging
    import warnings

    import lightning
    import torch

    warnings.simplefilter("ignore")  # advice to use more processes for loading
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self, network):
            super().__init__()
            self.network, self.loss_of = network, torch.nn.CrossEntropyLoss()

        def training_step(self, batch, _):
            rows, wanted = batch
            return self.loss_of(self.network(rows), wanted)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-3, fused=True)

    def start(case, x, y):
        module, loader = Module(torch_network(case.network)), torch_loader(case, x, y)

        def train(epochs, mark):
            callbacks = [lightning.pytorch.callbacks.LambdaCallback(on_train_epoch_end=mark)] if mark else []
            trainer = lightning.Trainer(
                accelerator="cpu", devices=1, max_epochs=epochs, logger=False, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False, callbacks=callbacks,
            )  # fmt: skip
            trainer.fit(module, loader)

        return train, lambda x: torch_predict(module.network, x)

    return start


def torch_network(what):
    from torch import arange, nn

    from benchmarks import peer

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(TOKENS, WIDTH), nn.Embedding(STEPS, WIDTH)
            layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
            self.blocks = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
            self.head = nn.Linear(WIDTH, 10)

        def forward(self, x):
            return self.head(self.blocks(self.tokens(x) + self.places(arange(STEPS))).mean(dim=1))

    made = {"cnn": peer.cnn, "transformer": Transformer}
    return made[what]() if what in made else peer.mlp(*what)


def torch_loader(case, x, y):
    from torch import from_numpy
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(from_numpy(x), from_numpy(y)), case.batch_size, shuffle=True, num_workers=0)


def torch_predict(model, x):
    from torch import from_numpy, no_grad

    model.eval()
    with no_grad():
        return model(from_numpy(x)).argmax(dim=1).numpy()


def sklearn():
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)

    def start(case, x, y):
        model = MLPClassifier(
            case.network[1:-1], alpha=0.0, batch_size=case.batch_size, learning_rate_init=1e-3, tol=0.0,
            n_iter_no_change=10**9, warm_start=True,
        )  # fmt: skip
        return lambda epochs, _: model.set_params(max_iter=epochs).fit(x, y), model.predict

    return start


# ── the other side of the processes ─────────────────────────────────────────────────────────────────────────────


def contest(framework, name, folder):
    """Import, read, and train so many epochs more for each line of the input.

    The answer is how many seconds that took, and how many the last epoch, where that is asked for and can be told.
    """
    start = globals()[framework]()
    x, y = read_data(folder, name)
    train = None
    print("= 0", flush=True)
    for line in sys.stdin:
        epochs, how = line.split()
        marks = []
        mark = (lambda *_, marks=marks: marks.append(time.perf_counter())) if how == "each" else None
        began = time.perf_counter()
        if train is None:
            train, _ = start(CASES[name], x, y)
        train(int(epochs), mark)
        took = time.perf_counter() - began
        print(f"= {took} {marks[-1] - marks[-2] if len(marks) > 1 else took / int(epochs)}", flush=True)


def whole(framework, name, folder):
    """Train on four fifths of the rows and print the accuracy on the others."""
    start = globals()[framework]()
    x, y = read_data(folder, name)
    n = len(x) * 4 // 5
    train, predict = start(CASES[name], x[:n], y[:n])
    train(CASES[name].epochs, None)
    print(f"= {np.mean(predict(x[n:]) == y[n:])}")


if __name__ == "__main__":
    started = time.perf_counter()
    if sys.argv[1:2] in (["contest"], ["whole"]):
        globals()[sys.argv[1]](*sys.argv[2:])
    else:
        main(*sys.argv[1:])
        print(f"{time.perf_counter() - started:.0f} s")
