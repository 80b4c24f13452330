"""What a population leaves behind: curves of all members, ordinary models, and predictions with their spread."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from weft.control import scan
from weft.data.dataset import Dataset, as_dataset
from weft.data.naming import listing
from weft.data.scale import Scaler
from weft.errors import ArgumentError, DataError
from weft.nn.mode import evaluation_mode
from weft.nn.module import Module
from weft.overfit.estimates import listed
from weft.runtime.compiled import compile
from weft.studies.member import Member
from weft.studies.program import lent
from weft.tensor import Tensor
from weft.train.gathering import evidence_of
from weft.train.history import History
from weft.train.measuring import chunked
from weft.train.metrics.watch import probabilities, watch, watched_numbers
from weft.train.run import Run
from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]


class Ensemble(NamedTuple):
    """The predictions of all members for each row: ``mean`` and ``spread`` (standard deviation over members).

    After a classification loss these are probabilities, (n, classes), and ``classes`` the ones with the highest mean.
    """

    mean: Array
    spread: Array
    classes: Array | None = None


@dataclass(eq=False)
class PopulationRun:
    """The result of `weft.Population.fit`.

    ``run["val_loss"]``   (K, epochs) of every column of the history; NaN where a member had stopped
    ``best_epochs``       for each member the epoch with the lowest validation loss, from 1; 0 if there is none
    ``stopped``           for each member why its training ended: "epochs", "patience", "diverged", "interrupted"
    ``held(column)``      the columns, and metrics of whole data sets, of the weights that each member holds
    ``models``            the members as ordinary models; ``model(k)`` one of them, ``trainer(k)`` with what it takes
                          to evaluate and predict, ``run(k)`` as if it had been trained alone, with its diagnosis
    ``predict(x)``        mean and spread over all members
    """

    template: Module
    base: Trainer
    members: tuple[Member, ...]
    states: tuple[dict[str, Array], ...]
    columns: tuple[str, ...]
    table: Array
    initial: Array
    best_epochs: Array
    done: Array
    stopped: tuple[str, ...]
    examples: tuple[tuple[Array, Array], ...]
    scalers: tuple[Scaler | None, ...]
    target_scalers: tuple[Scaler | None, ...]
    data: Dataset
    keep: str
    how: str
    seconds: float
    _outputs: Any = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, column: str) -> Array:
        if column not in self.columns:
            raise ArgumentError(f"there is no column {column!r}", expected=listing(self.columns))
        return self.table[:, :, self.columns.index(column)]

    @property
    def held_epochs(self) -> Array:
        """For each member the epoch whose weights it holds; 0: those from before training, as it diverged."""
        best = (self.best_epochs > 0) & (self.keep == "best") | self.diverged
        return np.where(best, self.best_epochs, self.done)

    @property
    def diverged(self) -> Array:
        """Which members met a number that is not finite."""
        return np.array(self.stopped) == "diverged"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training before all members were through."""
        return "interrupted" in self.stopped

    def held(self, column: str) -> Array:
        """A column at the epoch that each member holds, (K,), or a metric of whole data sets; NaN at epoch 0."""
        part, _, name = column.partition("_")
        found = self._watched[part][name] if name in self.base.watched and part in ("train", "val") else None
        if found is None:
            found = self[column][np.arange(len(self)), np.maximum(self.held_epochs - 1, 0)]
        return np.where(self.held_epochs > 0, found, np.nan)

    @cached_property
    def _watched(self) -> dict[str, dict[str, Array]]:
        """The metrics of whole data sets on each member's own rows; NaN where one is not defined on them."""
        outputs, y = self.outputs(self.data.x), np.asarray(self.data.y)
        made = {part: {name: np.full(len(self), np.nan) for name in self.base.watched} for part in ("train", "val")}
        for k, member in enumerate(self.members):
            for part, rows in (("train", np.unique(member.train)), ("val", member.validation)):
                for name, value in (
                    self._measured(outputs[k][rows], self._scaled(k, y[rows])).items() if len(rows) else ()
                ):
                    made[part][name][k] = value
        return made

    def _measured(self, outputs: Array, y: Array) -> dict[str, float]:
        assert self.base.loss is not None
        if not np.isfinite(outputs).all():
            return dict.fromkeys(self.base.watched, np.nan)
        return watched_numbers(watch(self.base.watched, self.base.loss, outputs, y))

    # ── members ─────────────────────────────────────────────────────────────────────────────────────────────

    def model(self, k: int) -> Module:
        """Member ``k`` as a model of its own."""
        self._check(k)
        made = copy.deepcopy(self.template)
        made.load_state_dict(self.states[k])
        return made.eval()

    def _check(self, k: int) -> None:
        if not -len(self) <= k < len(self):
            raise ArgumentError(f"member {k} of {len(self)}", expected=f"0 to {len(self) - 1}", cure="run.model(0)")

    @cached_property
    def models(self) -> list[Module]:
        """All members as models of their own."""
        return [self.model(k) for k in range(len(self))]

    def trainer(self, k: int) -> Trainer:
        """Member ``k`` in a trainer that evaluates and predicts, with its own scaling."""
        base = self.base
        made = Trainer(self.model(k), base.loss, base.optimizer, base.metrics, precision=base.precision)
        made.watched = base.watched
        made.scaler, made.target_scaler, made.classes = self.scalers[k], self.target_scalers[k], self.data.classes
        return made

    def run(self, k: int) -> Run:
        """Member ``k`` as the result of a fit of its own, with evidence and diagnosis."""
        self._check(k)
        member, done = self.members[k], int(self.done[k])
        history = History(self.columns, [tuple(row) for row in self.table[k, :done].tolist()])
        best, last = self.examples[k]
        evidence = None
        if len(member.validation) and done:
            evidence = evidence_of(
                history,
                best,
                last,
                len(member.validation),
                y=self._scaled(k, np.asarray(self.data.y)[member.train]),
                n_train=len(member.train),
                loss=self.base.loss,
                metrics=self.base.metrics,
                outputs=self.outputs_size,
                initial=float(self.initial[k]),
                known=bool(self.best_epochs[k]),
                kept="best" if self.held_epochs[k] == self.best_epochs[k] else "last",
            )
        settings = {"data": self.data.name, "member": str(k), "seed": str(member.seed)}
        settings |= {name: f"{value:g}" for name, value in member.settings.items()}
        held = int(self.held_epochs[k])
        return Run(self.model(k), history, int(self.best_epochs[k]) or done, held, self.stopped[k], evidence, settings)

    def _scaled(self, k: int, y: Array) -> Array:
        """Targets as member ``k`` was trained on them."""
        scaler = self.target_scalers[k]
        return y if scaler is None else scaler.apply(y, keep_float64=True)

    @property
    def outputs_size(self) -> int:
        """How many numbers, or classes, the models' output has."""
        return self.base.course.outputs

    # ── predictions ─────────────────────────────────────────────────────────────────────────────────────────

    def outputs(self, x: Any) -> Array:
        """The raw output of every member for each row, (K, n, …), computed as one program."""
        given = as_dataset(x, keep_float64=self.base.precision.wide)
        if self._outputs is None:
            self._outputs = compile(self._all_outputs)
        paths = list(self.states[0])
        stacked = [np.stack([state[path] for state in self.states]) for path in paths]
        shift, scale = laid_like(self.scalers, given.x)
        parts = [self._outputs(stacked, shift, scale, chunk).numpy() for chunk in chunked(given.x)]
        return np.concatenate(parts, axis=1)[:, : len(given)]

    def _all_outputs(self, states: list[Tensor], shift: Tensor, scale: Tensor, x: Tensor) -> Tensor:
        model, precision = self.base.model, self.base.precision
        handles = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        names = list(self.states[0])

        def one(_: None, member: Any) -> tuple[None, Tensor]:
            values, s, d = member
            with lent([handles[name] for name in names], values), evaluation_mode(model), precision.computing(model):
                made = model(precision.given((x - s) / d if self.scalers[0] is not None else x))
            return None, made.detach().astype(precision.hold)

        return scan(one, None, (states, shift, scale))[1]

    def answers(self, x: Any) -> Array:
        """What every member says of each row, (K, n, …): probabilities, or numbers in the target's own unit."""
        outputs, loss = self.outputs(x), self.base.loss
        assert loss is not None
        if loss.kind in ("classification", "binary"):
            return np.stack([probabilities(loss, member) for member in outputs])
        pairs = zip(self.target_scalers, outputs, strict=True)
        return np.stack(
            [member if scaler is None else scaler.invert(member, keep_float64=True) for scaler, member in pairs]
        )

    def predict(self, x: Any) -> Ensemble:
        """Mean and spread over the members for each row of ``x``."""
        answers, loss = self.answers(x), self.base.loss
        mean, spread = answers.mean(axis=0), answers.std(axis=0)
        classes = mean.argmax(axis=1) if loss is not None and loss.kind == "classification" else None
        return Ensemble(mean, spread, classes)

    def plot(self) -> Any:
        """The curves of all members as a fan with their verdicts, as a matplotlib figure."""
        from weft.view.fan import plot_fan

        if "val_loss" not in self.columns:
            raise DataError(
                "a fan of a population without validation rows",
                expected="training and validation curves",
                cure="population.fit(…, validation=0.2)",
            )
        verdicts = [self.run(k).diagnosis.verdict for k in range(len(self))]
        return plot_fan(self["train_loss"], self["val_loss"], verdicts)

    # ── for people ──────────────────────────────────────────────────────────────────────────────────────────

    def __repr__(self) -> str:
        return f"PopulationRun({len(self)} members, {self.table.shape[1]} epochs, {self.how})"

    def __str__(self) -> str:
        lines = [f"{len(self)} members, {int(self.done.max())} epochs in {self.seconds:.1f} s ({self.how})"]
        for name in self.columns:
            if name.startswith(("train_", "val_")):
                held = self.held(name)
                shown = f"{np.nanmean(held):.4g} ± {np.nanstd(held):.2g}" if np.isfinite(held).any() else "not finite"
                lines.append(f"  {name:<16} {shown} (standard deviation)")
        return "\n".join([*lines, *self.remarks])

    @property
    def remarks(self) -> list[str]:
        """What a reader of its numbers should know: who diverged, and whether all was trained to its end."""
        lines = []
        if self.diverged.any():
            lines.append(f"diverged: member {listed(map(str, np.flatnonzero(self.diverged)))} of 0 to {len(self) - 1}")
        if self.interrupted:
            lines.append(f"interrupted after {int(self.done.max())} of {self.table.shape[1]} epochs")
        return lines


def laid_like(scalers: Sequence[Scaler | None], x: Array) -> tuple[Array, Array]:
    """Shift and scale of each member, shaped to broadcast over rows like those of ``x``."""
    if scalers[0] is None:
        return np.zeros((len(scalers), 1), np.float32), np.ones((len(scalers), 1), np.float32)
    shape = (-1,) + (1,) * (x.ndim - 2) if x.ndim > 1 else (1,)
    pairs = [(s.shift, s.scale) for s in scalers if s is not None]
    kind = x.dtype if x.dtype.kind == "f" else np.float32
    shift, scale = (np.stack([np.array(p[i], kind).reshape(shape) for p in pairs]) for i in (0, 1))
    return shift, scale
