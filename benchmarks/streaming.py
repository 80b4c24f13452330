"""What reading while training costs against rows in memory, and what ``fit`` costs where it launches each batch alone.

``QUICK=1`` takes fewer rows and rounds.
"""

import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

import weft as wf
from weft import nn, optim

QUICK = bool(os.environ.get("QUICK"))
ROWS, FEATURES, BATCH, GROUP = (6_000 if QUICK else 60_000), 784, 128, 8_192  # GROUP: rows of a row group
BATCHES = 500  # of an epoch, where each is launched alone
WITHIN = 1.10  # of the time with rows in memory
OVERHEAD = 60e-6  # seconds a batch, at most


def main():
    """Print the table of Parquet files and the one of single batches."""
    from_parquet()
    by_batch()


# ── rows from files ─────────────────────────────────────────────────────────────────────────────────────────────


def from_parquet():
    """An epoch of the MLP with rows from Parquet files, against the same rows in memory.

    The files (193 and 266 MB) are read once and kept, which is the default, or read again in each epoch.
    """
    rng = np.random.default_rng(0)
    x, y = rng.random((ROWS, FEATURES), np.float32), rng.integers(0, 10, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        sources = {"memory": (x, y)}
        for name, columns in (("list", listed(x)), ("columns", {f"p{k}": x[:, k] for k in range(FEATURES)})):
            path = written(Path(folder) / f"{name}.parquet", columns, y)
            sources[name] = wf.data.parquet(path, "y")
            sources[f"{name} again"] = wf.data.parquet(path, "y", cache=0)
        best = epochs_of(sources, rounds=1 if QUICK else 3)
    print(f"\nan epoch of the MLP 784-512-256-10, {ROWS:,} rows, batch {BATCH}, shuffled: files against memory")
    print(f"  {'rows in memory':<46}{best['memory']:>8.3f} s")
    lists, columns = "Parquet, one column of lists", f"Parquet, {FEATURES} columns"
    for name, what in (
        ("list", lists),
        ("columns", columns),
        ("list again", f"{lists}, cache=0"),
        ("columns again", f"{columns}, cache=0"),
    ):
        ratio = best[name] / best["memory"]
        mark = "" if ratio <= WITHIN else "  missed"
        print(f"  {what:<46}{best[name]:>8.3f} s{ratio:>7.2f}x  wanted <= {WITHIN:.2f}x{mark}", flush=True)


def epochs_of(sources, rounds):
    """The least seconds of one epoch from each source, taken in turns after one that compiles.

    An epoch counts from its beginning to its end, evaluation included, as a callback sees it: what a fit does before
    the first epoch (it looks at all rows in memory) is left out on both sides.
    """
    clocks = {name: Clock() for name in sources}
    trainers = {name: trainer(FEATURES, 512, 256, 10, callbacks=[clocks[name]]) for name in sources}
    best = {}
    for turn in range(rounds + 1):
        for name, source in list(sources.items())[:: -1 if turn % 2 else 1]:
            run = trainers[name].fit(source, epochs=1, batch_size=BATCH, keep="last", verbose=False)
            best[name] = run.callbacks[0].took if turn <= 1 else min(best[name], run.callbacks[0].took)
    return best


class Clock(wf.Callback):
    """How long the last epoch took."""

    def __init__(self):
        self.began = self.took = 0.0

    def before_epoch(self, loop):
        self.began = time.perf_counter()

    def after_epoch(self, loop):
        self.took = time.perf_counter() - self.began


def listed(x):
    """Rows as one column of lists of equal length."""
    import pyarrow as pa

    return {"x": pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), x.shape[1])}


def written(path, columns, y):
    """A Parquet file of these columns and the labels."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns | {"y": y}), path, row_group_size=GROUP)
    return path


# ── one batch at a time ─────────────────────────────────────────────────────────────────────────────────────────


class EachBatch(wf.Callback):
    """Wants to see every batch, and how long they take, from the end of an epoch's first one to that of its last."""

    def __init__(self):
        self.began = self.took = 0.0

    def after_batch(self, loop):
        if loop.batch == 1:
            self.began = time.perf_counter()
        elif loop.batch == BATCHES:
            self.took = time.perf_counter() - self.began


def by_batch():
    """``fit`` with a callback on every batch, against the bare compiled step on the same rows."""
    rng = np.random.default_rng(0)
    print("\nfit that launches one batch at a time (a callback with after_batch), against the bare compiled step")
    print(f"{'':44}{'fit':>9}{'step':>10}{'added':>10}")
    for what, sizes, batch_size in (
        ("iris MLP 4-16-3, batch 16", (4, 16, 3), 16),
        ("digits MLP 64-128-10, batch 32", (64, 128, 10), 32),
    ):
        n = BATCHES * batch_size
        x, y = rng.random((n, sizes[0]), np.float32), rng.integers(0, sizes[-1], n)
        fitted, step = each(sizes, x, y, batch_size), bare(sizes, x, y, batch_size)
        fitted(), step()  # these compile
        fit, alone = map(min, zip(*((fitted(), step()) for _ in range(1 if QUICK else 15)), strict=True))
        mark = "" if fit - alone <= OVERHEAD else "  missed"
        times = f"{fit * 1e6:>7.0f}us{alone * 1e6:>8.0f}us{(fit - alone) * 1e6:>8.0f}us"
        print(f"{what:<44}{times}  wanted <= {OVERHEAD * 1e6:.0f}us{mark}", flush=True)


def each(sizes, x, y, batch_size):
    """A function that trains an epoch and gives the seconds of a batch."""
    made = trainer(*sizes, callbacks=[EachBatch()])

    def run():
        trained = made.fit((x, y), epochs=1, batch_size=batch_size, verbose=False)
        return trained.callbacks[0].took / (BATCHES - 1)

    return run


def bare(sizes, x, y, batch_size):
    """A function that runs compiled steps and gives the seconds of one: rows chosen, gradients, Adam, loss fetched."""
    model, opt = mlp(*sizes), optim.Adam(1e-3)
    parameters = list(model.parameters())
    data, labels = wf.tensor(x), wf.tensor(y)
    order = wf.tensor(np.random.default_rng(0).permutation(len(x)).astype(np.int32).reshape(BATCHES, batch_size))

    @wf.compile
    def step(k):
        rows = order[k]
        loss = nn.functional.cross_entropy(model(data[rows]), labels[rows])
        opt.update(parameters, wf.gradients(loss, parameters))
        return loss

    def run():
        started = time.perf_counter()
        for k in range(BATCHES):
            step(k).item()
        return (time.perf_counter() - started) / BATCHES

    return run


def trainer(*sizes, callbacks=()):
    """A trainer of dense layers of these sizes."""
    return wf.Trainer(mlp(*sizes), "cross_entropy", optim.Adam(1e-3), callbacks=callbacks)


def mlp(*sizes):
    """Linear layers of these sizes with ReLU in between."""
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
