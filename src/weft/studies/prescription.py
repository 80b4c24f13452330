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
from weft.nn.module import Module
from weft.optim.adam import Adam, AdamW
from weft.optim.optimizer import Optimizer
from weft.overfit.comparison import Comparison
from weft.overfit.comparison import compare as compare_scores
from weft.overfit.result import table
from weft.studies.member import check_settings, dropouts
from weft.studies.population import Population
from weft.studies.remodelling import smaller, with_dropout
from weft.studies.rows import joined
from weft.studies.setup import to_the_end
from weft.train.options import whole
from weft.train.run import Origin, Run

Array = np.ndarray[Any, Any]
DECAYS, RATES = (1e-3, 1e-2, 1e-1), (0.2, 0.5)
AS_IT_WAS, LAST = "as it was", "not stopped early"
STOPPED = "All others stop where their validation loss is lowest, which flatters them a little."
ALPHA = 0.05  # the chance of claiming that any of the remedies changes something where none does


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
        """Whether the validation loss is lower, by more than the chance among so many that were tried."""
        return self.comparison.winner == self.remedy.name


@dataclass(frozen=True, eq=False)
class Prescription:
    """The result of `prescribe`: the losses of the model as it was, and what each remedy did, the best first.

    ``before`` are its losses at the epoch where each seed's was lowest, as all others are; ``last`` at the last epoch.
    """

    verdict: str
    before: Array
    last: Array
    tried: tuple[Tried, ...]
    left_out: tuple[str, ...]
    seconds: float

    @property
    def best(self) -> Tried | None:
        """The remedy with the lowest mean validation loss among those that helped; None if none did."""
        return next((t for t in self.tried if t.helped), None)

    @property
    def later(self) -> tuple[float, float]:
        """What the model as it was loses without an earlier stop, and its standard error over the seeds.

        No winner is named: the rows that it is measured on have chosen where to stop.
        """
        lost = self.last - self.before
        return float(lost.mean()), float(lost.std(ddof=1) / np.sqrt(len(lost)))

    def __str__(self) -> str:
        rows = [("remedy", "validation loss", "change", "")]
        rows.append((AS_IT_WAS, _shown(self.before), "", ""))
        lost, se = self.later
        rows.append((LAST, _shown(self.last), f"{lost:+.4f} ± {se:.4f}", ""))
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
        lines += [f"Left out: {why}" for why in self.left_out]
        lines.append(STOPPED)
        looks = len(self.tried) + 1
        lines.append(f"The chance that any claim is luck is at most {100 * ALPHA:.0f} % (Holm, over all {looks - 1}).")
        lines.append(f"{looks} set-ups were compared on the same validation rows: measure the one you take on others.")
        return "\n".join(lines)

    def plot(self) -> Any:
        """What each remedy changed, ± standard error, beside the model as it was, as a matplotlib figure."""
        from weft.view.remedies import plot_remedies

        return plot_remedies({t.remedy.name: t.comparison for t in self.tried}, before=float(self.before.mean()))


def _shown(losses: Array) -> str:
    return f"{losses.mean():.4f} ± {losses.std(ddof=1) / np.sqrt(len(losses)):.4f}"


def prescribe(run: Run, *, seeds: int = 5, epochs: int | None = None, verbose: bool = True) -> Prescription:
    """Try what the diagnosis recommends: decay, dropout, half the width, noise, mixing, smoothed labels, an early stop.

    Each remedy is trained with ``seeds`` other first values and orders on the run's own training rows, as populations,
    and compared with the model as it was, seed by seed, on the run's validation rows. "As it was" has the augmentation
    of the run, and so has every remedy; the rows are shuffled anew in each epoch. Weights that the run began with are
    not kept.

    As many are tried, the p-values are judged together: S. Holm, "A Simple Sequentially Rejective Multiple Test
    Procedure", *Scandinavian Journal of Statistics* 6, 1979.

    Raises ArgumentError for a run without data in memory or with frozen layers, DataError for one without validation
    data, or that diverges as it was.

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
    whole("seeds", seeds, 2)
    if epochs is not None:
        whole("epochs", epochs, 1)
    if not all(p.requires_grad for p in origin.trainer.model.parameters()):
        raise ArgumentError(
            "a run of a model with frozen layers", expected="one that is trained as a whole: all begin with new weights"
        )
    remedies, left_out = remedies_for(origin)
    length = epochs if epochs is not None else origin.epochs
    before_and_after = [as_it_was(origin), *remedies]
    groups: dict[tuple[int, ...], list[Remedy]] = {}
    for remedy in before_and_after:
        groups.setdefault(remedy.program, []).append(remedy)
    for first, *_ in groups.values():
        check_settings(list(first.settings), first.optimizer, first.model)
    started, losses = time.perf_counter(), dict[str, Array]()
    for group in groups.values():
        losses |= tried(origin, group, seeds, length, verbose)
    before = losses[AS_IT_WAS]
    if not np.isfinite(before).all():
        raise DataError(
            f"the model as it was diverged with {int((~np.isfinite(before)).sum())} of {seeds} seeds",
            expected="something to compare with",
            cure="a lower learning rate",
        )
    whole_ones = [remedy for remedy in remedies if np.isfinite(losses[remedy.name]).all()]
    lost = [f"{r.name}: it diverged, at least with one seed" for r in remedies if r not in whole_ones]
    verdicts = compared(whole_ones, losses)
    found = [Tried(remedy, losses[remedy.name], v) for remedy, v in zip(whole_ones, verdicts, strict=True)]
    found.sort(key=lambda t: float(t.losses.mean()))
    seconds = time.perf_counter() - started
    return Prescription(run.diagnosis.verdict, before, losses[LAST], tuple(found), (*left_out, *lost), seconds)


def compared(remedies: Sequence[Remedy], losses: dict[str, Array]) -> list[Comparison]:
    """Each remedy beside the model as it was, seed by seed; the error of all claims together is at most `ALPHA`."""

    def one(remedy: Remedy, alpha: float) -> Comparison:
        after, before, names = losses[remedy.name], losses[AS_IT_WAS], (remedy.name, AS_IT_WAS)
        how: dict[str, Any] = {"metric": "validation loss", "test_over_train": 0, "alpha": alpha}
        return compare_scores(after[None], before[None], names=names, **how)

    levels = thresholds([one(remedy, ALPHA).p for remedy in remedies])
    return [one(remedy, alpha) for remedy, alpha in zip(remedies, levels, strict=True)]


def thresholds(p: Sequence[float]) -> list[float]:
    """What each of m p-values must not exceed: α/m for the smallest, α/(m-1) for the next, up to the first that does.

    >>> [round(alpha, 4) for alpha in thresholds([0.001, 0.2, 0.03])]
    [0.0167, 0.025, 0.025]
    """
    made, level, claimed = [0.0] * len(p), 0.0, True
    for rank, k in enumerate(np.argsort(p, kind="stable")):
        if claimed:
            level = ALPHA / (len(p) - rank)
            claimed = p[k] <= level
        made[k] = level
    return made


def as_it_was(origin: Origin) -> Remedy:
    """No remedy."""
    return Remedy(AS_IT_WAS, "", origin.trainer.model, the_optimizer(origin), origin.augment)


def besides(given: Any, added: augment.Augmentation) -> Any:
    """An augmentation after what is done to the rows already; None where that is of the same kind."""
    before = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    if any(isinstance(a, type(added)) for a in before):
        return None
    return [*before, added] if before else added


def the_optimizer(origin: Origin) -> Optimizer:
    """The one optimizer of a fit."""
    optimizer = origin.trainer.optimizer
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError("a fit with several optimizers", expected="one")
    return optimizer


def remedies_for(origin: Origin) -> tuple[list[Remedy], tuple[str, ...]]:
    """What can be tried with this model and these data, and what cannot."""
    model, optimizer, data = origin.trainer.model, the_optimizer(origin), origin.prepared.training
    rows = origin.augment
    found: list[Remedy] = []
    left_out: list[str] = []
    decaying = decayed(optimizer, DECAYS[0])
    if decaying is not None:
        for decay in DECAYS:
            code = f"optimizer={decayed(optimizer, decay)!r}"
            found.append(Remedy(f"weight decay {decay:g}", code, model, decaying, rows, {"weight_decay": decay}))
    dropping = with_dropout(model, RATES[0])
    own = {getattr(m, m.strength) for m in dropouts(model)}
    if dropping is not None:
        for p in (rate for rate in RATES if own != {rate}):
            new = f"nn.Dropout({p}) before each linear layer but the first"
            code = f"p={p} in each layer of dropout" if own else new
            found.append(Remedy(f"dropout {p:g}", code, dropping, optimizer, rows, {"dropout": p}))
    else:
        left_out.append(
            "dropout: the model has none, and no two nn.Linear in an nn.Sequential, between which it could be"
        )
    small = smaller(model)
    if small is not None:
        found.append(Remedy("half the width", "half the width of each hidden layer", small, optimizer, rows))
    else:
        left_out.append("a smaller model: only linear layers in a row can be halved here")
    changes: list[tuple[str, augment.Augmentation]] = []
    if data.x.dtype.kind == "f":
        changes += [
            ("noise on the inputs", augment.GaussianNoise(round(0.1 * float(data.x.std()), 6) or 0.1)),
            ("mixup", augment.MixUp(0.2)),
        ]
    if origin.trainer.loss is not None and origin.trainer.loss.name == "cross_entropy":
        changes.append(("smoothed labels", augment.LabelSmoothing(0.1)))
    for name, change in changes:
        both = besides(rows, change)
        if both is None:
            left_out.append(f"{name}: the run has it already")
        else:
            found.append(Remedy(name, f"augment={both!r}", model, optimizer, both))
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
        first.model, trainer.loss, first.optimizer, trainer.metrics, precision=trainer.precision, seed=trainer.seed
    )
    settings = {name: [r.settings[name] for r in group for _ in range(seeds)] for name in first.settings}
    numbers = [trainer.seed + k for _ in group for k in range(seeds)]
    made = population.fit(
        both,
        rows=[pair] * len(numbers),
        seeds=numbers,
        settings=settings,
        epochs=epochs,
        batch_size=origin.batch_size,
        augment=first.augment,
        verbose=verbose,
    )
    found = to_the_end(made).held("val_loss").reshape(len(group), seeds)
    losses = {remedy.name: found[k] for k, remedy in enumerate(group)}
    if first.name == AS_IT_WAS:
        losses[LAST] = made["val_loss"][np.arange(seeds), made.done[:seeds] - 1]
    return losses
