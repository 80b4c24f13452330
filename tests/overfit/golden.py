"""Evidence made by hand: curves of one kind each, and runs simulated with noise of a known size."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.overfit import Evidence

T = np.arange(1, 41)


def examples(mean: float, n: int, spread: float = 0.3) -> np.ndarray:
    """n losses with this mean exactly, a relative standard deviation of ``spread``."""
    z = np.linspace(-1, 1, n)
    return mean * (1 + spread * (z - z.mean()) / z.std())


def make(train: Any, val: Any, *, n_val: int = 300, n_train: int = 400, **fields: Any) -> Evidence:
    """Evidence with examples that agree with the curves; any field can be replaced."""
    train, val = np.asarray(train, float), np.asarray(val, float)
    best = int(np.nanargmin(val)) if np.isfinite(val).any() else 0
    chosen = {
        "baseline": 1.0,
        "train_size": min(n_train, n_val),
        "train_examples_best": examples(train[best], min(n_train, n_val)),
        "val_examples_best": examples(val[best], n_val),
        "val_examples_last": examples(val[-1], n_val),
        "initial_train_loss": 1.1,
    } | fields
    return Evidence(train, val, n_train=n_train, n_val=n_val, **chosen)


def correct(right: int, n: int = 300) -> np.ndarray:
    return np.arange(n) < right


FALLING = np.exp(-T / 10)
RISING_AFTER_14 = 0.4 + np.exp(-T / 4) + 0.01 * np.maximum(T - 12, 0)
FLAT = 0.3 + 0.7 * np.exp(-T / 3)

GOLDEN: dict[str, Evidence] = {
    "diverged": make(FALLING, np.where(T == 9, np.nan, RISING_AFTER_14)),
    "leakage": make(FALLING, FALLING + 0.01, duplicates_percent=12.5, shared_groups=3),
    "cannot tell": make(FALLING, RISING_AFTER_14, n_val=29),
    "not learning": make(np.full(40, 0.96), np.full(40, 0.98)),
    "over-confident": make(FALLING, RISING_AFTER_14, val_correct_best=correct(240), val_correct_last=correct(238)),
    "overfitting": make(FALLING, RISING_AFTER_14, val_correct_best=correct(240), val_correct_last=correct(200)),
    "still improving": make(1 / T**0.5, 1 / T**0.5 + 0.02),
    "large gap": make(FLAT - 0.25, FLAT + 0.05),
    "underfitting": make(FLAT, FLAT + 0.01, probe_gain=0.2),
    "validation easier": make(FLAT, FLAT - 0.05),
    "good fit": make(FLAT, FLAT + 0.01, probe_gain=0.01),
}


def simulated(
    seed: int, *, rise: float, epochs: int, n: int, wobble: float, single: float, memory: float = 0.0
) -> np.ndarray:
    """The losses of n validation examples, (epochs, n), of a run that falls to 0.5 and then rises by ``rise``.

    ``single`` is the standard deviation of one example's loss from epoch to epoch; ``wobble`` that of all examples
    together, relative to the loss, and ``memory`` its correlation from one epoch to the next.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(1, epochs + 1)
    start = 0.35 * epochs
    mean = 0.5 * (1 + np.exp(-t / (0.06 * epochs)) + rise * np.clip((t - start) / (epochs - start), 0, None) ** 1.2)
    together = rng.normal(size=epochs)
    for k in range(1, epochs):
        together[k] = memory * together[k - 1] + np.sqrt(1 - memory**2) * together[k]
    mean = mean * (1 + wobble * together)
    return mean[:, None] * rng.gamma(1.6, 1 / 1.6, size=n) + single * rng.normal(size=(epochs, n))


def simulate(
    seed: int,
    *,
    rise: float,
    epochs: int = 60,
    n: int = 200,
    wobble: float = 0.02,
    single: float = 0.4,
    memory: float = 0.0,
) -> Evidence:
    """Such a run as evidence; the training loss always falls, as a model that overfits would make it."""
    losses = simulated(seed, rise=rise, epochs=epochs, n=n, wobble=wobble, single=single, memory=memory)
    val, train = losses.mean(1), falling(epochs)
    best = int(val.argmin())
    return Evidence(
        train,
        val,
        baseline=1.0,
        n_train=n,
        n_val=n,
        train_size=n,
        train_examples_best=examples(train[best], n),
        val_examples_best=losses[best],
        val_examples_last=losses[-1],
        initial_train_loss=1.0,
    )


def falling(epochs: int) -> np.ndarray:
    """A training loss without noise."""
    return 0.5 * np.exp(-np.arange(1, epochs + 1) / (0.3 * epochs))
