"""``python -m benchmarks.calibration``: how often each verdict is right and how often it is a false alarm.

Real networks, a population of them for each set-up: every member has its own training rows, validation rows, first
values and order of batches. Then simulated curves, whose noise is worse than that of any network here. The bars:
false alarms at most 5 %, detections at least 95 %.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import weft as wf
from weft import nn, optim
from weft.data.leakage import leakage
from weft.overfit import Evidence, diagnose

Array = np.ndarray[Any, Any]
MEMBERS = 100
OVER = ("overfitting", "over-confident")
FINE = ("good fit", "still improving")


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────────


def classes(rows: int, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Ten inputs, three classes by a linear rule; a share ``noise`` of the labels is another class at random."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10)).astype(np.float32)
    y = (x @ rng.normal(size=(10, 3))).argmax(axis=1)
    return x, np.where(rng.random(rows) < noise, (y + rng.integers(1, 3, rows)) % 3, y)


def line(rows: int, noise: float, seed: int = 0) -> tuple[Array, Array]:
    """Eight inputs, a linear rule of variance 1 and ``noise`` on top."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 8)).astype(np.float32)
    w = rng.normal(size=(8, 1))
    return x, (x @ w / np.linalg.norm(w) + noise * rng.normal(size=(rows, 1))).astype(np.float32)


def sine(rows: int, seed: int = 0) -> tuple[Array, Array]:
    """One input, sin 2x and noise of 0.3."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (rows, 1)).astype(np.float32)
    return x, (np.sin(2 * x) + 0.3 * rng.normal(size=x.shape)).astype(np.float32)


def mlp(width: int, outputs: int, dropout: float = 0.0) -> Callable[[], nn.Module]:
    """A function that makes a network of one hidden layer."""
    between = [nn.Dropout(dropout)] if dropout else []
    return lambda: nn.Sequential(nn.Linear(width), nn.ReLU(), *between, nn.Linear(outputs))


# ── populations ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SetUp:
    """One population: what is trained on what, in words and in fact."""

    words: str
    make: Callable[[], nn.Module]
    loss: str
    optimizer: optim.Optimizer
    data: tuple[Array, Array]
    train: int
    val: int
    epochs: int
    batch: int = 32
    wider: Callable[[], nn.Module] | None = None
    held: Array | None = None  # rows that the validation rows are drawn from; otherwise all
    settings: dict[str, float] = field(default_factory=dict)


def rows_of(s: SetUp, member: int) -> tuple[Array, Array]:
    """The training rows and the validation rows of a member."""
    rng = np.random.default_rng([member, 7])
    n = len(s.data[0])
    if s.held is None:
        order = rng.permutation(n)
        return order[: s.train], order[s.train : s.train + s.val]
    others = np.setdiff1d(np.arange(n), s.held)
    return rng.permutation(others)[: s.train], rng.permutation(s.held)[: s.val]


def evidences(s: SetUp, members: int) -> list[Evidence]:
    """What each member of the population leaves for its diagnosis, with a probe where there is a wider model."""
    found = trained(s, s.make, members)
    if s.wider is None:
        return found
    wider = trained(s, s.wider, members)
    return [replace(a, **probed(a, b)) for a, b in zip(found, wider, strict=True)]


def probed(a: Evidence, b: Evidence) -> dict[str, float]:
    """What a wider model gains, as `Trainer.fit(probe=)` measures it."""
    pairs = {"probe_gain": (a.train_loss, b.train_loss), "probe_val_gain": (a.val_loss, b.val_loss)}
    return {name: float((x.min() - y.min()) / abs(x.min())) for name, (x, y) in pairs.items()}


def trained(s: SetUp, make: Callable[[], nn.Module], members: int) -> list[Evidence]:
    """A population of these models, as evidence."""
    metrics = ["accuracy"] if s.loss == "cross_entropy" else []
    population = wf.Population(make, s.loss, s.optimizer, metrics)
    run = population.fit(
        s.data,
        rows=[rows_of(s, k) for k in range(members)],
        settings={name: [value] * members for name, value in s.settings.items()} or None,
        epochs=s.epochs,
        batch_size=s.batch,
        verbose=False,
    )
    found = (run.run(k).evidence for k in range(members))
    return [e for e in found if e is not None]
