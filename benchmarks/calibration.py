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
from tests.overfit.golden import falling, simulate, simulated

import weft as wf
from weft import nn, optim
from weft.data.leakage import leakage
from weft.overfit import Evidence, diagnose
from weft.overfit.live import notice
from weft.overfit.verdicts import TABLE

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


def line(rows: int, noise: float, inputs: int = 8, seed: int = 0) -> tuple[Array, Array]:
    """A linear rule of variance 1 and ``noise`` on top."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, inputs)).astype(np.float32)
    w = rng.normal(size=(inputs, 1))
    return x, (x @ w / np.linalg.norm(w) + noise * rng.normal(size=(rows, 1))).astype(np.float32)


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


def probed(a: Evidence, b: Evidence) -> dict[str, Any]:
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


# ── what is calibrated on networks ──────────────────────────────────────────────────────────────────────────────

CROSS, MSE = "cross_entropy", "mse"


@dataclass(frozen=True)
class Case:
    """A set-up whose verdict is known: any of ``right``."""

    right: tuple[str, ...]
    setup: SetUp


def linear(outputs: int) -> Callable[[], nn.Module]:
    """A function that makes a linear model."""
    return lambda: nn.Linear(outputs)


def healthy() -> list[SetUp]:
    """Well-sized, regularised models with enough data, whose training has settled."""
    clean, noisy = classes(12000, 0.05), classes(6000, 0.2)
    decay, more, fast = (optim.AdamW(r, weight_decay=d) for r, d in ((1e-2, 1e-2), (1e-2, 0.1), (3e-2, 0.3)))
    words = (
        "linear, 1000 rows, 5 % label noise, AdamW",
        "16 units, dropout 0.2, 2000 rows, 5 % label noise, AdamW; with a probe",
        "8 units, regression with noise, 1000 rows, AdamW; with a probe",
        "32 units, 1000 rows, 20 % label noise, AdamW, large learning rate: the curve wobbles",
    )
    return [
        SetUp(words[0], linear(3), CROSS, decay, clean, 1000, 300, 60),
        SetUp(words[1], mlp(16, 3, 0.2), CROSS, decay, clean, 2000, 300, 40, 64, mlp(32, 3, 0.2)),
        SetUp(words[2], mlp(8, 1), MSE, more, line(8000, 1.0), 1000, 300, 60, 32, mlp(16, 1)),
        SetUp(words[3], mlp(32, 3), CROSS, fast, noisy, 1000, 500, 40),
    ]


def cases() -> list[Case]:
    """For each verdict a set-up that deserves it."""
    noisy, clean, (x, y), noisy_line = classes(8000, 0.2), classes(8000, 0.05), classes(8000), line(8000, 1.0)
    rng = np.random.default_rng(1)
    held = np.arange(4000, 8000)
    shuffled, other, late = (x, rng.permutation(y)), (y + 1) % 3, np.arange(8000) >= 4000
    unchecked = (x, np.where((rng.random(8000) < 0.1) & late, other, y))
    hard = (x, np.where((rng.random(8000) < 0.3) & ~late, other, y))
    wide, adam, off = mlp(256, 3), optim.Adam(1e-2), {"learning_rate": 0.0}
    falling_rate = optim.Adam(optim.Exponential(2e-2, factor=0.96))
    return [
        Case(("diverged",), SetUp("SGD, learning rate 1", mlp(16, 1), MSE, optim.SGD(1.0), noisy_line, 500, 300, 20)),
        Case(("cannot tell",), SetUp("25 validation rows", mlp(16, 3), CROSS, adam, clean, 500, 25, 20)),
        Case(("not learning",), SetUp("labels shuffled, linear", linear(3), CROSS, adam, shuffled, 1000, 300, 20)),
        Case(("not learning",), SetUp("learning rate 0", mlp(16, 3), CROSS, adam, clean, 500, 300, 20, settings=off)),
        Case(OVER, SetUp("256 units, 100 rows, 20 % label noise, 20 epochs", wide, CROSS, adam, noisy, 100, 200, 20)),
        Case(OVER, SetUp("the same, 30 epochs", wide, CROSS, adam, noisy, 100, 200, 30)),
        Case(OVER, SetUp("the same, 100 epochs", wide, CROSS, adam, noisy, 100, 200, 100)),
        Case(OVER[:1], SetUp("256 units, 100 rows, regression, as much noise as signal", mlp(256, 1), MSE, adam,
             noisy_line, 100, 500, 100)),
        Case(OVER[1:], SetUp("linear, 100 clean rows; 10 % of the validation labels wrong", linear(3), CROSS,
             optim.Adam(0.1), unchecked, 100, 300, 150, held=held)),
        Case(("still improving",), SetUp("16 units, Adam 1e-3, stopped after 10 epochs", mlp(16, 3), CROSS,
             optim.Adam(1e-3), clean, 1000, 300, 10)),
        Case(("large gap", "overfitting"), SetUp("linear regression of 20 inputs on 30 rows, falling learning rate",
             linear(1), MSE, falling_rate, line(8000, 0.6, inputs=20), 30, 500, 100)),
        Case(("underfitting",), SetUp("1 unit for three classes; the probe has 2", mlp(1, 3), CROSS, optim.Adam(3e-2),
             clean, 1000, 500, 80, wider=mlp(2, 3))),
        Case(("validation easier",), SetUp("30 % of the training labels wrong, none of validation's", linear(3), CROSS,
             adam, hard, 1000, 300, 30, held=held)),
    ]  # fmt: skip


# ── leaks, which are found in the data ──────────────────────────────────────────────────────────────────────────


def leaking(s: SetUp, evidence: Sequence[Evidence], copies: int, shared: bool) -> list[Evidence]:
    """The same evidence with what `leakage` finds when so many rows were copied, or ten groups lie on both sides."""
    found = []
    for k, e in enumerate(evidence):
        train, val = rows_of(s, k)
        x = np.concatenate([s.data[0], s.data[1].reshape(len(s.data[1]), -1)], axis=1)
        held = x[np.r_[train[:copies], val[copies:]]]
        groups = (train % 40, val % 40 if shared else 40 + val % 40)
        leak = leakage(x[train], held, *groups)
        found.append(
            replace(
                e,
                duplicates_percent=leak.percent,
                chance_duplicates=leak.by_chance,
                shared_groups=len(leak.shared_groups),
            )
        )
    return found


# ── curves that are simulated ───────────────────────────────────────────────────────────────────────────────────


def told_overfitting(runs: int, **how: Any) -> float:
    """The share of simulated runs that are called overfitting."""
    return float(np.mean([diagnose(simulate(seed, **how)).verdict in OVER for seed in range(runs)]))


def told_live(runs: int, *, rise: float, memory: float, single: float, epochs: int = 100, n: int = 200) -> float:
    """The share of simulated runs of which "overfitting" is said at some epoch, when each is looked at."""
    hits = 0
    train = falling(epochs)
    for seed in range(runs):
        losses = simulated(seed, rise=rise, epochs=epochs, n=n, wobble=0.04, single=single, memory=memory)
        val = losses.mean(axis=1)
        hits += any(
            notice(train[:t], val[:t], losses[val[:t].argmin()], losses[t - 1], baseline=1.0) is not None
            for t in range(1, epochs + 1)
        )
    return hits / runs


def described(memory: float) -> str:
    """A wobble in words."""
    return f"4 % wobble, correlation {memory:g}"


def simulated_rows(runs: int) -> Iterator[Row]:
    """Flat and rising curves, by the diagnosis at the end and by the live line."""
    for memory, epochs in ((m, e) for m in (0.0, 0.5, 0.8) for e in (20, 60, 100)):
        noise = {"wobble": 0.04, "memory": memory, "single": 0.1, "n": 400, "epochs": epochs}
        flat = told_overfitting(runs, rise=0.0, **noise)
        yield Row("overfitting", f"simulated: flat, {described(memory)}, {epochs} epochs", flat, runs, alarm=True)
        found = told_overfitting(runs, rise=0.5, **noise)
        yield Row("overfitting", f"simulated: rising by 50 %, {described(memory)}, {epochs} epochs", found, runs)
    for memory, single in ((m, s) for m in (0.0, 0.5, 0.8) for s in (0.1, 0.4)):
        words = f"{described(memory)}, single examples {single:g}; 100 looks"
        flat = told_live(runs, rise=0.0, memory=memory, single=single)
        yield Row("live line", f"simulated: flat, {words}", flat, runs, alarm=True)
    found = told_live(runs, rise=0.5, memory=0.5, single=0.1)
    yield Row("live line", f"simulated: rising by 50 %, {described(0.5)}; 100 looks", found, runs)


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """One line of the table: how often a verdict was given, and whether it should have been."""

    verdict: str
    words: str
    share: float
    runs: int
    alarm: bool = False
    others: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is on the right side of its bar."""
        return self.share <= 0.05 if self.alarm else self.share >= 0.95

    def __str__(self) -> str:
        kind = "false alarm" if self.alarm else "detection"
        mark = "" if self.kept else "missed"
        return (
            f"| {self.verdict} | {kind} | {100 * self.share:.1f} % | {self.runs} | {mark} | {self.words}{self.others} |"
        )


def counted(right: Sequence[str], words: str, found: Sequence[Evidence], alarm: bool = False) -> Row:
    """How many of these runs have one of the verdicts."""
    verdicts = Counter(diagnose(e).verdict for e in found)
    share = sum(verdicts[name] for name in right) / len(found)
    wrong = ", ".join(f"{name} {n}" for name, n in verdicts.most_common() if name not in right)
    others = f" (others: {wrong})" if wrong and not alarm else ""
    return Row(" or ".join(right), words, share, len(found), alarm, others)


def healthy_rows(members: int, setups: Sequence[SetUp]) -> Iterator[Row]:
    """Healthy models: a good fit, and every other verdict a false alarm. Then the same with leaks planted."""
    found = [(s, evidences(s, members)) for s in setups]
    everything = [e for _, part in found for e in part]
    for s, part in found:
        yield counted(FINE, s.words, part)
    names = dict.fromkeys(name for name, _ in TABLE if name != "good fit")
    words = "the healthy models above"
    for name in names:
        yield counted((name,), words, everything, alarm=True)
    s, part = found[0]
    for text, copies, shared in (("one row in a hundred copied", 3, False), ("groups on both sides", 0, True)):
        yield counted(("leakage",), text, leaking(s, part, copies, shared))
    yield counted(("leakage",), "no row copied, no group shared", leaking(s, part, 0, False), alarm=True)


def rows(members: int = MEMBERS, chosen: slice = slice(None)) -> Iterator[Row]:
    """The table, line by line as it is measured."""
    yield from healthy_rows(members, healthy()[chosen])
    for case in cases()[chosen]:
        yield counted(case.right, case.setup.words, evidences(case.setup, members))
    yield from simulated_rows(3 * members)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore", wf.RecompileWarning)
    started = time.perf_counter()
    print("| verdict | kind | share | runs | bar | set-up |\n|---|---|--:|--:|---|---|")
    for row in rows():
        print(row, flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
