"""What a population leaves behind: curves of all members, ordinary models, and predictions with their spread."""

from __future__ import annotations

import copy
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
from weft.runtime.compiled import compile
from weft.studies.member import Member
from weft.studies.program import lent
from weft.tensor import Tensor
from weft.train.gathering import evidence_of
from weft.train.history import History
from weft.train.measuring import chunked
from weft.train.metrics.watch import probabilities
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
    examples: tuple[tuple[Array, Array], ...]
    scalers: tuple[Scaler | None, ...]
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
        """For each member the epoch whose weights it holds."""
        return np.where((self.best_epochs > 0) & (self.keep == "best"), self.best_epochs, self.done)

    def held(self, column: str) -> Array:
        """A column at the epoch that each member holds, (K,)."""
        rows = np.maximum(self.held_epochs - 1, 0)
        return self[column][np.arange(len(self)), rows]

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
        made.scaler, made.classes = self.scalers[k], self.data.classes
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
                y=np.asarray(self.data.y)[member.train],
                n_train=len(member.train),
                loss=self.base.loss,
                metrics=self.base.metrics,
                outputs=self.outputs_size,
                initial=float(self.initial[k]),
                known=bool(self.best_epochs[k]),
            )
        stopped = "epochs" if done == self.table.shape[1] else "patience"
        if not np.isfinite(self.table[k, max(done - 1, 0)]).all():
            stopped = "diverged"
        settings = {"data": self.data.name, "member": str(k), "seed": str(member.seed)}
        settings |= {name: f"{value:g}" for name, value in member.settings.items()}
        held = int(self.held_epochs[k])
        return Run(self.model(k), history, int(self.best_epochs[k]) or done, held, stopped, evidence, settings)

    @property
    def outputs_size(self) -> int:
        """The size of the last axis of the models' output."""
        return self.base.course.outputs

    # ── predictions ─────────────────────────────────────────────────────────────────────────────────────────

    def outputs(self, x: Any) -> Array:
        """The output of every member for each row, (K, n, …), computed as one program."""
        given = x if isinstance(x, Dataset) else as_dataset(np.asarray(x))
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

    def predict(self, x: Any) -> Ensemble:
        """Mean and spread over the members for each row of ``x``."""
        outputs = self.outputs(x)
        loss = self.base.loss
        if loss is not None and loss.kind in ("classification", "binary"):
            outputs = np.stack([probabilities(loss, member) for member in outputs])
        mean, spread = outputs.mean(axis=0), outputs.std(axis=0)
        classes = mean.argmax(axis=-1) if loss is not None and loss.kind == "classification" else None
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
                lines.append(f"  {name:<16} {np.nanmean(held):.4g} ± {np.nanstd(held):.2g} (standard deviation)")
        return "\n".join(lines)


def laid_like(scalers: tuple[Scaler | None, ...], x: Array) -> tuple[Array, Array]:
    """Shift and scale of each member, shaped to broadcast over rows like those of ``x``."""
    if scalers[0] is None:
        return np.zeros((len(scalers), 1), np.float32), np.ones((len(scalers), 1), np.float32)
    shape = (-1,) + (1,) * (x.ndim - 2) if x.ndim > 1 else (1,)
    pairs = [(s.shift, s.scale) for s in scalers if s is not None]
    shift, scale = (np.stack([np.array(p[i], np.float32).reshape(shape) for p in pairs]) for i in (0, 1))
    return shift, scale
