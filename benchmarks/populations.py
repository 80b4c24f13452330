"""Populations against one model after the other: bootstrap replicas, cross-validation, and what a diagnosis costs.

``QUICK=1`` takes fewer members and epochs.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

import weft as wf
from benchmarks import peer
from weft import nn, optim

QUICK = bool(os.environ.get("QUICK"))
MEMBERS, EPOCHS, BATCH = (10, 4, 32) if QUICK else (100, 20, 32)
TIMED = {"PyTorch": 3, "scikit-learn": 6}  # members; the time of all of them is in proportion
CURVES = 50  # epochs of a run that is diagnosed


def main():
    """Print the tables, in a process of its own: nothing has been compiled before, here or on disk."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "benchmarks.populations", "tables"]
        sys.stdout.flush()
        subprocess.run(command, env=os.environ | {"WEFT_CACHE": cache}, check=True)


def tables():
    """Print the tables of bootstrap replicas, of cross-validation and of the diagnosis."""
    digits = wf.data.digits()
    x, y = (digits.x / 16).astype(np.float32), digits.y
    bootstrap(x, y)
    cross_validation(x, y)
    diagnosis(x, y)


def network():
    """The digits MLP."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def seconds(run):
    """How long a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


# ── bootstrap replicas ──────────────────────────────────────────────────────────────────────────────────────────


def bootstrap(x, y):
    """Replicas trained as one population, as loops in PyTorch, and by scikit-learn on two cores.

    All draw from the same four fifths of the rows; the population alone also measures itself after each epoch.
    """
    population = wf.Population(network, "cross_entropy", optim.Adam(1e-3))
    how = {"epochs": EPOCHS, "batch_size": BATCH, "rows": "bootstrap", "verbose": False}
    ours = lambda: population.fit((x, y), MEMBERS, validation=0.2, **how)
    first = seconds(ours)
    train = wf.data.split((x, y), 0.2).train
    given = x[train], y[train]
    peers = {"PyTorch": lambda: in_torch(*given), "scikit-learn": lambda: in_sklearn(*given)}
    wanted = {"PyTorch": 6.0, "scikit-learn": 3.0}
    again, best = np.inf, dict.fromkeys(peers, np.inf)
    for name in peers:
        peers[name]()  # threads and processes start
    for _ in range(1 if QUICK else 3):
        again = min(again, seconds(ours))
        best = {name: min(best[name], seconds(run) * MEMBERS / TIMED[name]) for name, run in peers.items()}
    print(f"\n{MEMBERS} bootstrap replicas of the digits MLP 64-128-10, {EPOCHS} epochs, batch {BATCH}")
    print(f"  {'weft, a population':<50}{again:>8.2f} s   (the first time, compilation included: {first:.2f} s)")
    for name, kind in (("PyTorch", "eager loop"), ("scikit-learn", "joblib, 2 processes")):
        what = f"{name}, {kind}: {TIMED[name]} timed, × {MEMBERS}/{TIMED[name]}"
        ratio, mark = best[name] / again, "" if best[name] / again >= wanted[name] else "  missed"
        line = f"  {what:<50}{best[name]:>8.2f} s{ratio:>7.2f}x{wanted[name]:>7.1f}x{mark}"
        print(f"{line}   ({best[name] / first:.2f}x with compilation)", flush=True)


def resamples(count, n):
    """Rows drawn with replacement."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, n, n) for _ in range(count)]


def in_torch(x, y):
    """A few replicas by a loop over batches of row numbers, which is faster than with a DataLoader."""
    for rows in resamples(TIMED["PyTorch"], len(x)):
        step = peer.stepper(peer.mlp(64, 128, 10), x[rows], y[rows], BATCH)
        for _ in range(EPOCHS * -(-len(x) // BATCH)):
            step()


def in_sklearn(x, y):
    """A few replicas by MLPClassifier in two processes."""
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(classifier)(x[rows], y[rows]) for rows in resamples(TIMED["scikit-learn"], len(x)))


def classifier(x, y):
    """One replica in scikit-learn."""
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so many epochs are not all it could do
        made = MLPClassifier((128,), alpha=0.0, batch_size=BATCH, max_iter=EPOCHS, tol=0.0, n_iter_no_change=10**9)
        return made.fit(x, y)


# ── cross-validation ────────────────────────────────────────────────────────────────────────────────────────────


def cross_validation(x, y, folds=5, epochs=10 if QUICK else 200, wanted=1.5):
    """All folds as one population against the pure compute of a `Trainer.fit` for each, after one that compiles."""
    from sklearn.model_selection import StratifiedKFold

    how = {"epochs": epochs, "batch_size": BATCH, "verbose": False}
    ours = lambda: wf.cross_validate(
        network, (x, y), folds, loss="cross_entropy", optimizer=optim.Adam(1e-3), metrics=["accuracy"], **how
    )
    first = seconds(ours)
    trainers = [wf.Trainer(network(), "cross_entropy", optim.Adam(1e-3), ["accuracy"]) for _ in range(folds)]
    rows = list(StratifiedKFold(folds, shuffle=True, random_state=0).split(x, y))

    def alone():
        for trainer, (train, held) in zip(trainers, rows, strict=True):
            trainer.fit((x[train], y[train]), (x[held], y[held]), **how)

    alone()
    again = pure = np.inf
    for _ in range(1 if QUICK else 3):
        again, pure = min(again, seconds(ours)), min(pure, seconds(alone))
    print(f"\n{folds}-fold cross-validation of the digits MLP, {epochs} epochs")
    print(f"  {f'{folds} × Trainer.fit, compiled before':<50}{pure:>8.2f} s")
    for what, took in (("cross_validate", again), ("cross_validate, compilation included", first)):
        mark = "" if took / pure <= wanted else "  missed"
        print(f"  {what:<50}{took:>8.2f} s{took / pure:>7.2f}x  wanted <= {wanted}x{mark}", flush=True)


# ── the diagnosis ───────────────────────────────────────────────────────────────────────────────────────────────


def diagnosis(x, y, wanted=5.0):
    """What a diagnosis takes (copies among the rows, evidence, verdict), against the fit that it is of."""
    from weft.overfit import diagnose
    from weft.train.gathering import gather
    from weft.train.preparation import found_leakage

    made = wf.Trainer(network(), "cross_entropy", optim.Adam(1e-3), ["accuracy"])
    fit = lambda: made.fit((x, y), 0.2, epochs=CURVES, batch_size=BATCH, verbose=False)
    run = fit()
    standing, prepared = made.standing, made.prepared
    parts = {
        "fit": fit,
        "copies among the rows": lambda: found_leakage(prepared.training, prepared.held_out, None, run.split),
        "evidence": lambda: gather(made.course, prepared, run.history, made.loss, made.metrics, standing.initial),
        "verdict": lambda: diagnose(run.evidence),
    }
    best = {name: min(seconds(part) for _ in range(2 if QUICK else 5)) for name, part in parts.items()}
    print(f"\nthe diagnosis of a fit of {CURVES} epochs on the digits, which takes {best['fit'] * 1e3:.0f} ms")
    parts.pop("fit")
    share = 100 * sum(best[name] for name in parts) / best["fit"]
    each = ", ".join(f"{name} {best[name] * 1e3:.2f} ms" for name in parts)
    print(f"  {each}: {share:.1f} %  wanted < {wanted:.0f} %{'' if share < wanted else '  missed'}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["tables"]:
        tables()
    else:
        started = time.perf_counter()
        main()
        print(f"{time.perf_counter() - started:.0f} s")
