"""What prevents overfitting, measured: each remedy on handwritten digits with 100 examples, 8 times, mean ± SE.

    python examples/prevention.py            all remedies, about two minutes on two cores
    python examples/prevention.py dropout    those whose name contains the word

Eight training sets of 100 digits that share no row, each with 50 validation rows of its own, which only early stopping
looks at; everything is measured on the same 597 test rows. Twice: with the labels as they are, and with a fifth of the
training and validation labels replaced by wrong ones. A change is the mean of paired differences, set by set.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import weft as wf
from weft import augment, nn, optim
from weft.overfit import compare
from weft.train.metrics.watch import probabilities

Array = np.ndarray[Any, Any]

SETS, TRAIN, HELD, WIDTH = 8, 100, 50, 128
EPOCHS, BATCH = 100, 25
WRONG = 0.2  # the share of wrong labels in the second half of the table
CLEAN, NOISY = slice(0, SETS), slice(SETS, 2 * SETS)


# ── data: rows 0 to N − 1 with right labels, rows N to 2N − 1 the same pictures with some wrong ones ───────────

digits = wf.data.digits(image=True)
order = np.random.default_rng(0).permutation(len(digits))
N = SETS * (TRAIN + HELD)
x, y = (digits.x[order] / 16).astype(np.float32), np.asarray(digits.y)[order]
test_x, test_y = x[N:], y[N:]
random = np.random.default_rng(1)
wrong = np.where(random.random(N) < WRONG, (y[:N] + random.integers(1, 10, N)) % 10, y[:N])
data = (np.concatenate([x[:N], x[:N]]), np.concatenate([y[:N], wrong]))
parts = np.arange(2 * N).reshape(2 * SETS, TRAIN + HELD)
ROWS = [(part[:TRAIN], part[TRAIN:]) for part in parts]


def model(width: int = WIDTH, *, between: Callable[[], list[nn.Module]] = list) -> nn.Module:
    """Two hidden layers, with whatever a remedy wants between them."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, width), nn.ReLU(), *between(), nn.Linear(width, width), nn.ReLU(), *between(),
        nn.Linear(width, 10),
    )  # fmt: skip


# ── remedies that are another model, optimizer or augmentation: populations ────────────────────────────────────


@dataclass(frozen=True)
class Remedy:
    """What is changed; everything else stays as it is."""

    name: str
    make: Callable[[], nn.Module] = model
    optimizer: optim.Optimizer = field(default_factory=lambda: optim.Adam(2e-3))
    augment: Any = None
    keep: str = "last"
    each: int = 1  # models for each training set, whose probabilities are averaged
    settings: dict[str, float] = field(default_factory=dict)


def with_layer(layer: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: model(between=lambda: [layer()])


REMEDIES = [
    Remedy("nothing"),
    Remedy("early stopping", keep="best"),
    Remedy("dropout 0.2", with_layer(nn.Dropout), settings={"dropout": 0.2}),
    Remedy("dropout 0.5", with_layer(nn.Dropout), settings={"dropout": 0.5}),
    Remedy("noise in the layers", with_layer(lambda: nn.GaussianNoise(0.5))),
    Remedy("noise on the inputs", augment=augment.GaussianNoise(0.2)),
    Remedy("dropout of inputs", augment=augment.FeatureDropout(0.2)),
    Remedy("L1", optimizer=optim.Adam(2e-3, l1=1e-3)),
    Remedy("L2", optimizer=optim.Adam(2e-3, l2=1e-2)),
    Remedy("weight decay", optimizer=optim.AdamW(2e-3, weight_decay=1.0)),
    Remedy("max-norm", optimizer=optim.Adam(2e-3, max_norm=1.0)),
    Remedy("label smoothing", augment=augment.LabelSmoothing(0.1)),
    Remedy("mixup", augment=augment.MixUp(0.4)),
    Remedy("augmentation", augment=augment.Affine(degrees=10, translate=0.1, scale=(0.9, 1.1))),
    Remedy("ensemble of 5", each=5),
    Remedy("a quarter of the width", lambda: model(WIDTH // 4)),
]


def trained(remedy: Remedy, epochs: int = EPOCHS) -> wf.studies.PopulationRun:
    """All models of a remedy, as one program."""
    population = wf.Population(remedy.make, "cross_entropy", remedy.optimizer)
    rows = [pair for pair in ROWS for _ in range(remedy.each)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wf.RecompileWarning)  # each remedy is another program
        return population.fit(
            data,
            rows=rows,
            settings={name: [value] * len(rows) for name, value in remedy.settings.items()},
            epochs=epochs,
            batch_size=BATCH,
            augment=remedy.augment,
            keep=remedy.keep,
            verbose=False,
        )


def said(run: wf.studies.PopulationRun, each: int) -> Array:
    """The probabilities of the test rows for each training set, (sets, n, 10), averaged over its models."""
    loss = run.base.loss
    assert loss is not None
    each_model = np.stack([probabilities(loss, outputs) for outputs in run.outputs(test_x)])
    return each_model.reshape(-1, each, *each_model.shape[1:]).mean(axis=1)


# ── remedies that are another course of training: fits, one after the other ────────────────────────────────────


def fitted(made: nn.Module, optimizer: optim.Optimizer, rows: Array, epochs: int, seed: int) -> wf.Trainer:
    trainer = wf.Trainer(made, "cross_entropy", optimizer, seed=seed)
    trainer.fit((data[0][rows], data[1][rows]), epochs=epochs, batch_size=BATCH, verbose=False)
    return trainer


def spoken(made: nn.Module) -> Array:
    loss = wf.Trainer(made, "cross_entropy").loss
    assert loss is not None
    return probabilities(loss, made.eval()(wf.tensor(test_x)).numpy())


def averaged(make_optimizer: Callable[[], Any], epochs: int) -> Array:
    """The averages of the weights along the way, at the end of training."""
    found = []
    for k, (rows, _) in enumerate(ROWS):
        wf.random.seed(k)
        optimizer = make_optimizer()
        trainer = fitted(model(), optimizer, rows, epochs, k)
        optimizer.copy_to(trainer.model, trainer.model, trainer.state)
        found.append(spoken(trainer.model))
    return np.stack(found)


def pruned(wide: nn.Module, width: int) -> nn.Module:
    """A narrower model of the units of the wide one whose weights, in times out, are largest."""
    w = {path: p.numpy() for path, p in wide.named_parameters()}
    size = [
        np.linalg.norm(w[f"{k}.weight"], axis=1) * np.linalg.norm(w[f"{n}.weight"], axis=0) for k, n in ((1, 3), (3, 5))
    ]
    first, second = (np.sort(np.argsort(s)[-width:]) for s in size)
    made = model(width)
    made.load_state_dict(
        {
            "1.weight": w["1.weight"][first], "1.bias": w["1.bias"][first],
            "3.weight": w["3.weight"][np.ix_(second, first)], "3.bias": w["3.bias"][second],
            "5.weight": w["5.weight"][:, second], "5.bias": w["5.bias"],
        }
    )  # fmt: skip
    return made


def pruned_and_tuned(epochs: int) -> Array:
    wide = trained(REMEDIES[0], epochs).models
    found = []
    for k, (made, (rows, _)) in enumerate(zip(wide, ROWS, strict=True)):
        narrow = pruned(made, WIDTH // 4)
        found.append(spoken(fitted(narrow, optim.Adam(2e-3), rows, epochs // 2, k).model))
    return np.stack(found)


def outcomes(word: str, epochs: int) -> Iterator[tuple[str, Array]]:
    """For each remedy its name and what its models say of the test rows, (2 · sets, n, 10)."""
    for remedy in REMEDIES:
        if word in remedy.name or remedy.name == "nothing":
            yield remedy.name, said(trained(remedy, epochs), remedy.each)
    steps = epochs * TRAIN // BATCH
    others: dict[str, Callable[[], Array]] = {
        "average of weights, EMA": lambda: averaged(lambda: optim.EMA(optim.Adam(2e-3), decay=0.98), epochs),
        "average of weights, SWA": lambda: averaged(lambda: optim.SWA(optim.Adam(2e-3), start=steps // 2), epochs),
        "pruned to a quarter": lambda: pruned_and_tuned(epochs),
    }
    for name, make in others.items():
        if word in name:
            yield name, make()


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────


def scores(p: Array) -> tuple[Array, Array]:
    """Log loss and share of wrong answers on the test rows, for each training set."""
    right = np.take_along_axis(p, np.broadcast_to(test_y[None, :, None], (*p.shape[:2], 1)), axis=2)[..., 0]
    return -np.log(np.maximum(right, 1e-12)).mean(axis=1), (p.argmax(axis=2) != test_y).mean(axis=1)


def spread(values: Array, factor: float, places: int) -> str:
    se = values.std(ddof=1) / np.sqrt(len(values))
    return f"{factor * values.mean():.{places}f} ± {factor * se:.{places}f}"


def change(after: Array, before: Array, factor: float, places: int) -> str:
    """The mean paired difference ± SE; in bold where it is more than chance (p < 0.01)."""
    found = compare(after[None], before[None], names=("after", "before"), test_over_train=0, alpha=0.01)
    text = f"{factor * found.effect:+.{places}f} ± {factor * found.se:.{places}f}"
    return text if found.winner is None else f"**{text}**" + (" worse" if found.winner == "before" else "")


def rows_of(word: str = "", epochs: int = EPOCHS) -> Iterator[str]:
    """The lines of the table, in the form of a Markdown page."""
    yield "| | test loss | change | errors, % | change | loss, wrong labels | change | errors, % | change |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    before: tuple[Array, Array] | None = None
    for name, p in outcomes(word, epochs):
        found = scores(p)
        cells = []
        for half in (CLEAN, NOISY):
            for k, (factor, places) in enumerate(((1.0, 3), (100.0, 1))):
                cells.append(spread(found[k][half], factor, places))
                cells.append("" if before is None else change(found[k][half], before[k][half], factor, places))
        before = before or found
        yield f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    started = time.perf_counter()
    for line in rows_of(sys.argv[1] if len(sys.argv) > 1 else ""):
        print(line, flush=True)
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
