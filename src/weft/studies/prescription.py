"""Remedies against overfitting, tried: each is trained with several seeds beside the model as it was."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weft import augment
from weft.data.dataset import Dataset
from weft.errors import ArgumentError, DataError
from weft.nn.layers.dropout import Disturbing
from weft.nn.module import Module
from weft.optim.adam import Adam, AdamW
from weft.optim.optimizer import Optimizer
from weft.overfit.comparison import Comparison
from weft.overfit.comparison import compare as compare_scores
from weft.overfit.result import table
from weft.studies.population import Population
from weft.studies.remodelling import smaller, with_dropout
from weft.studies.rows import joined
from weft.train.run import Origin, Run

Array = np.ndarray[Any, Any]
DECAYS, RATES = (1e-3, 1e-2, 1e-1), (0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Remedy:
    """What is tried: how the model, the optimizer or the data is changed, in words and in deeds.

    Remedies that differ in ``settings`` alone are trained as one program.
    """

    name: str
    code: str
    model: Module
    optimizer: Optimizer
    augment: Any = None
    settings: dict[str, float] = field(default_factory=dict)

    @property
    def program(self) -> tuple[int, ...]:
        """What it shares with other remedies of one program."""
        return id(self.model), id(self.optimizer), id(self.augment)


@dataclass(frozen=True, eq=False)
class Tried:
    """A remedy, the validation losses of its seeds, and the comparison with the model as it was."""

    remedy: Remedy
    losses: Array
    comparison: Comparison

    @property
    def helped(self) -> bool:
        """Whether the validation loss is lower, by more than chance."""
        return self.comparison.winner == self.remedy.name


@dataclass(frozen=True, eq=False)
class Prescription:
    """The result of `prescribe`: the losses of the model as it was, and what each remedy did, the best first."""

    verdict: str
    before: Array
    tried: tuple[Tried, ...]
    left_out: tuple[str, ...]
    seconds: float

    @property
    def best(self) -> Tried | None:
        """The remedy with the lowest mean validation loss among those that helped; None if none did."""
        return next((t for t in self.tried if t.helped), None)

    def __str__(self) -> str:
        rows = [("remedy", "validation loss", "change", "")]
        rows.append(("as it was", _shown(self.before), "", ""))
        for t in self.tried:
            change = f"{t.comparison.effect:+.4f} ± {t.comparison.se:.4f}"
            rows.append((t.remedy.name, _shown(t.losses), change, "helped" if t.helped else ""))
        seeds = len(self.before)
        lines = [
            f"Verdict before: {self.verdict}",
            f"{len(self.tried)} remedies, {seeds} seeds each, {self.seconds:.1f} s",
        ]
        lines += table(rows)
        best = self.best
        lines.append(
            f"Take: {best.remedy.code}" if best else "None of them lowered the validation loss by more than chance."
        )
        lines += [f"Not tried: {why}" for why in self.left_out]
        looks = len(self.tried) + 1
        lines.append(f"{looks} set-ups were compared on the same validation rows: measure the one you take on others.")
        return "\n".join(lines)


def _shown(losses: Array) -> str:
    return f"{losses.mean():.4f} ± {losses.std(ddof=1) / np.sqrt(len(losses)):.4f}"


def prescribe(run: Run, *, seeds: int = 5, epochs: int | None = None, verbose: bool = True) -> Prescription:
    """Try what the diagnosis recommends: weight decay, dropout, a smaller model, noise, mixing, smoothed labels.

    Each remedy is trained with ``seeds`` other first values and orders on the run's own training rows, as populations,
    and compared with the model as it was, seed by seed, on the run's validation rows.

    Raises ArgumentError for a run without data in memory, DataError for one without validation data.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> model = nn.Sequential(nn.Linear(32), nn.ReLU(), nn.Linear(3))
    >>> run = wf.Trainer(model, "cross_entropy", optim.Adam(1e-2)).fit(wf.data.iris(), 0.5, epochs=6, verbose=False)
    >>> found = wf.prescribe(run, seeds=2, verbose=False)
    >>> {t.remedy.name for t in found.tried} >= {"weight decay 0.01", "dropout 0.2", "half the width"}
    True
    """
    origin = run.origin
    if origin is None:
        raise ArgumentError("a run without its trainer", expected="the run of a fit in this process")
    if not isinstance(origin.prepared.training, Dataset) or origin.trainer.loss is None:
        raise ArgumentError(
            "a run of data that is read while training, or of a step of one's own",
            expected="arrays and a loss",
            cure="trainer.fit((x, y), …)",
        )
    if origin.prepared.held_out is None or run.evidence is None:
        raise DataError(
            "a run without validation data", expected="rows that were held out", cure="trainer.fit(…, validation=0.2)"
        )
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 2:
        raise ArgumentError(f"seeds={seeds!r}", expected="2 or more, so that chance can be told")
    remedies, left_out = remedies_for(origin)
    length = epochs or origin.epochs
    before_and_after = [as_it_was(origin), *remedies]
    groups: dict[tuple[int, ...], list[Remedy]] = {}
    for remedy in before_and_after:
        groups.setdefault(remedy.program, []).append(remedy)
    started, losses = time.perf_counter(), dict[str, Array]()
    for group in groups.values():
        losses |= tried(origin, group, seeds, length, verbose)
    before = losses["as it was"]
    found = []
    for remedy in remedies:
        after = losses[remedy.name]
        names = (remedy.name, "as it was")
        verdict = compare_scores(after[None], before[None], names=names, metric="validation loss", test_over_train=0)
        found.append(Tried(remedy, after, verdict))
    found.sort(key=lambda t: float(t.losses.mean()))
    return Prescription(run.diagnosis.verdict, before, tuple(found), left_out, time.perf_counter() - started)


def as_it_was(origin: Origin) -> Remedy:
    """No remedy."""
    return Remedy("as it was", "", origin.trainer.model, the_optimizer(origin))


def the_optimizer(origin: Origin) -> Optimizer:
    """The one optimizer of a fit."""
    optimizer = origin.trainer.optimizer
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError("a fit with several optimizers", expected="one")
    return optimizer


def remedies_for(origin: Origin) -> tuple[list[Remedy], tuple[str, ...]]:
    """What can be tried with this model and these data, and what cannot."""
    model, optimizer, data = origin.trainer.model, the_optimizer(origin), origin.prepared.training
    found: list[Remedy] = []
    left_out: list[str] = []
    decaying = decayed(optimizer, DECAYS[0])
    if decaying is not None:
        for decay in DECAYS:
            code = f"optimizer={decayed(optimizer, decay)!r}"
            found.append(Remedy(f"weight decay {decay:g}", code, model, decaying, settings={"weight_decay": decay}))
    dropping = with_dropout(model, RATES[0])
    own = {getattr(m, m.strength) for m in model.modules() if isinstance(m, Disturbing)}
    if dropping is not None:
        for p in (rate for rate in RATES if own != {rate}):
            code = f"nn.Dropout({p}) before each linear layer but the first"
            found.append(Remedy(f"dropout {p:g}", code, dropping, optimizer, settings={"dropout": p}))
    else:
        left_out.append("dropout: the model has none, and is no nn.Sequential into which it could be put")
    small = smaller(model)
    if small is not None:
        found.append(Remedy("half the width", "half the width of each hidden layer", small, optimizer))
    else:
        left_out.append("a smaller model: only linear layers in a row can be halved here")
    if data.x.dtype.kind == "f":
        spread = float(data.x.std())
        noise = augment.GaussianNoise(round(0.1 * spread, 6) or 0.1)
        found.append(Remedy("noise on the inputs", f"augment={noise!r}", model, optimizer, noise))
        mixed = augment.MixUp(0.2)
        found.append(Remedy("mixup", f"augment={mixed!r}", model, optimizer, mixed))
    if origin.trainer.loss is not None and origin.trainer.loss.name == "cross_entropy":
        smooth = augment.LabelSmoothing(0.1)
        found.append(Remedy("smoothed labels", f"augment={smooth!r}", model, optimizer, smooth))
    return found, tuple(left_out)


def decayed(optimizer: Optimizer, decay: float) -> Optimizer | None:
    """The optimizer with weight decay; Adam becomes AdamW, whose decay is not divided by the size of gradients."""
    if type(optimizer) is Adam:
        numbers = {name: optimizer.numbers_of.get(name) for name in ("learning_rate", "beta1", "beta2", "epsilon")}
        known = {k: v for k, v in numbers.items() if k in AdamW.numbers}
        return AdamW(**known, weight_decay=decay)
    if "weight_decay" not in optimizer.numbers_of.values:
        return None
    made = copy.deepcopy(optimizer)
    made.weight_decay = decay
    return made


def tried(origin: Origin, group: Sequence[Remedy], seeds: int, epochs: int, verbose: bool) -> dict[str, Array]:
    """The validation losses of remedies that are one program, each with several seeds, on the rows of the run."""
    trainer, prepared, first = origin.trainer, origin.prepared, group[0]
    training, held = prepared.training, prepared.held_out
    both = joined(training, held)
    pair = np.arange(len(training)), np.arange(len(training), len(both))
    population = Population(
        first.model, trainer.loss, first.optimizer, trainer.metrics, precision=trainer.precision.name, seed=trainer.seed
    )
    settings = {name: [r.settings[name] for r in group for _ in range(seeds)] for name in first.settings}
    numbers = [trainer.seed + k for _ in group for k in range(seeds)]
    run = population.fit(
        both,
        rows=[pair] * len(numbers),
        seeds=numbers,
        settings=settings,
        epochs=epochs,
        batch_size=origin.batch_size,
        augment=first.augment,
        verbose=verbose,
    )
    found = run.held("val_loss").reshape(len(group), seeds)
    return {remedy.name: found[k] for k, remedy in enumerate(group)}
