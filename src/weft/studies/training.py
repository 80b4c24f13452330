"""A population while it is trained: members whose batches are alike share a program and are trained together."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.dataset import Dataset
from weft.data.order import permutation, whole_batches
from weft.data.scale import Scaler
from weft.errors import DataError
from weft.nn.module import Module
from weft.runtime.interrupt import held_back
from weft.studies.member import Member, drawn, noisy, numbers_for
from weft.studies.program import PopulationProgram, workers
from weft.studies.result import PopulationRun, laid_like
from weft.train.beginning import begin
from weft.train.course import keys_for
from weft.train.metrics.watch import watch, watched_numbers
from weft.train.options import Method
from weft.train.preparation import SAMPLE, Prepared, sample_of
from weft.train.progress import Progress
from weft.train.trainer import Trainer

if TYPE_CHECKING:
    from weft.studies.population import Population

Array = np.ndarray[Any, Any]
MEMORY = 1 << 29  # bytes of states and orders in one launch
UPDATES = 1.0  # seconds between two signs of life
STRETCH = 32  # epochs of one launch at most


class Training:
    """A population while it is trained: members whose sizes are equal share a program."""

    def __init__(
        self,
        population: Population,
        data: Dataset,
        members: list[Member],
        template: Module,
        batch_size: int,
        scale: str | None,
        scale_target: bool,
        shuffle: bool,
        augment: Any,
        patience: int | None,
        epochs: int,
    ) -> None:
        self.population, self.data, self.members, self.template = population, data, members, template
        self.batch_size, self.scale, self.shuffle, self.epochs = batch_size, scale, shuffle, epochs
        self.augment, self.scale_target = augment, scale_target
        self.wait = patience if patience is not None else 1 << 40
        sizes: dict[tuple[int, ...], list[int]] = {}
        for k, member in enumerate(members):
            size = min(batch_size, len(member.train))
            key = (size, len(member.train) % max(size, 1), len(member.validation))
            sizes.setdefault(key, []).append(k)
        self.groups = [Group(self, places) for places in sizes.values()]

    def train(self, progress: Progress) -> None:
        """Train every group to the end, or until Ctrl-C, some epochs for all of them at a time."""
        try:
            self._train(progress)
        except KeyboardInterrupt:
            progress.say("interrupted")

    def _train(self, progress: Progress) -> None:
        done = 0
        count = 1
        while done < self.epochs and any(group.alive for group in self.groups):
            began = time.perf_counter()
            count = min(count, self.epochs - done, *(group.most for group in self.groups))
            for group in self.groups:
                group.run(done, count)
            done += count
            progress.epoch(done, self.row())
            count = max(1, int(count * min(4.0, UPDATES / (time.perf_counter() - began + 1e-9))))

    def check_watched(self) -> None:
        """Refuse metrics of whole data sets that cannot be measured here, before anything is trained."""
        first = self.groups[0]
        trainer = first.trainer
        if trainer.watched and trainer.loss is not None:
            rows = self.members[0].validation if first.course.n_val else self.members[0].train
            outputs = trainer.outputs(self.data.x[rows])
            watched_numbers(watch(trainer.watched, trainer.loss, outputs, np.asarray(self.data.y)[rows]))

    def row(self) -> dict[str, float]:
        """The medians over all members, each at the last epoch that it has trained."""
        names = self.groups[0].course.columns
        last = [group.table[np.arange(len(group.done)), np.maximum(group.done, 1) - 1] for group in self.groups]
        return dict(zip(names, np.median(np.concatenate(last), axis=0).tolist(), strict=True))

    def result(self, keep: str, seconds: float) -> PopulationRun:
        """The members in the order in which they were asked for."""
        order = np.argsort(np.concatenate([group.places for group in self.groups]))
        states = [state for group in self.groups for state in group.kept(keep)]
        first = self.groups[0]
        return PopulationRun(
            template=self.template,
            base=first.trainer,
            members=tuple(self.members),
            states=tuple(states[k] for k in order),
            columns=first.course.columns,
            table=np.concatenate([group.table for group in self.groups])[order],
            initial=np.concatenate([group.initial for group in self.groups])[order],
            best_epochs=np.concatenate([group.best for group in self.groups])[order],
            done=np.concatenate([group.done for group in self.groups])[order],
            stopped=tuple(np.concatenate([group.stopped for group in self.groups])[order].tolist()),
            examples=self._examples(order),
            scalers=self._scalers("scalers", order),
            target_scalers=self._scalers("target_scalers", order),
            data=self.data,
            keep=keep,
            how=first.described,
            seconds=seconds,
        )

    def _examples(self, order: Array) -> tuple[Any, ...]:
        found = [pair for group in self.groups for pair in group.examples()]
        return tuple(found[k] for k in order)

    def _scalers(self, name: str, order: Array) -> tuple[Scaler | None, ...]:
        found = [scaler for group in self.groups for scaler in getattr(group, name)]
        return tuple(found[k] for k in order)


class Group:
    """Members whose batches are of the same sizes, however many they are: one program, and their states."""

    def __init__(self, training: Training, places: list[int]) -> None:
        self.training, self.places = training, np.array(places)
        population, data = training.population, training.data
        self.members = [training.members[k] for k in places]
        first = self.members[0]
        counts, n_val = [len(member.train) for member in self.members], len(first.validation)
        if min(counts) < 1:
            raise DataError("a member without training rows", expected="1 or more")
        self.size = min(training.batch_size, counts[0])
        self.steps = np.array([whole_batches(n, self.size)[0] for n in counts])
        self.rest = counts[0] % self.size
        self.sampled = min(n_val or SAMPLE, *counts)  # training rows that are measured
        self.used = list(first.settings)
        self.labels = "label_noise" in self.used
        self.used_by_optimizer = [name for name in self.used if name in population.optimizer.numbers_of.values]
        optimizer, _ = numbers_for(population.optimizer, first.settings, self.used_by_optimizer)
        self.trainer = Trainer(
            copy.deepcopy(training.template), population.loss, optimizer, population.metrics,
            precision=population.precision, seed=first.seed,
        )  # fmt: skip
        held_out = data.take(first.validation) if n_val else None
        sample = sample_of(data.take(first.train), self.sampled, first.seed)
        prepared = Prepared(data, held_out, sample, None, ())
        self.course = begin(self.trainer, prepared, Method(training.augment), []).course
        self.trainer.model.train()
        self.program = PopulationProgram(
            self.trainer, self.course, population.how, rest=self.rest > 0, scaled=training.scale is not None,
            scaled_targets=training.scale_target, labels=self.labels,
        )  # fmt: skip
        self._prepare()

    def _prepare(self) -> None:
        """States, numbers and rows of every member before training."""
        training, shape = self.training, (1, *self.training.data.x.shape[1:])
        count = len(self.members)
        begun = {name: np.asarray(t.numpy()) for name, t in self.program.handles.state.items()}
        self.states = {name: np.repeat(a[None], count, axis=0) for name, a in begun.items()}
        fixed = self.program.handles.fixed
        self.own = {name: np.repeat(np.asarray(t.numpy())[None], count, axis=0) for name, t in fixed.items()}
        classes = max(self.course.outputs, 2)
        y = np.asarray(training.data.y)
        self.scalers: list[Scaler | None] = []
        self.target_scalers: list[Scaler | None] = []
        noised = []
        self.measured = np.zeros((count, self._evaluated_rows()), np.int64)
        for k, member in enumerate(self.members):
            model = drawn(training.population.make, member.seed, shape)
            for path, value in model.state_dict().items():
                self.states[f"model/{path}"][k] = self.states[f"course/best/{path}"][k] = value
            for name, value in keys_for(member.seed).items():
                self.own[name][k] = value
            _, self.own["numbers"][k] = numbers_for(
                training.population.optimizer, member.settings, self.used_by_optimizer
            )
            if "dropout" in self.used:
                for j in range(len(self.program.handles.dropout)):
                    self.own[f"dropout/{j}"][k] = member.settings["dropout"]
            self.scalers.append(Scaler.fit(training.data.x[member.train], training.scale) if training.scale else None)  # type: ignore[arg-type]
            self.target_scalers.append(Scaler.fit(y[member.train]) if training.scale_target else None)
            if self.labels:
                noised.append(noisy(y, member.settings["label_noise"], classes, member.seed))
            sample = sample_of(Dataset(member.train[:, None]), self.sampled, member.seed).x[:, 0].astype(np.int64)
            rows = np.concatenate([member.validation, sample])
            self.measured[k] = np.concatenate([rows, np.full(self.measured.shape[1] - len(rows), rows[0])])
        self.data: list[Array] = []
        if training.scale:
            self.data += laid_like(self.scalers, training.data.x)
        if training.scale_target:
            self.data += laid_like(self.target_scalers, y)
        if self.labels:
            self.data.append(np.stack(noised))
        self.table = np.full((count, training.epochs, len(self.course.columns)), np.nan)
        self.done = np.zeros(count, np.int64)
        bytes_each = sum(a[:1].nbytes for a in self.states.values()) * 2
        cores = workers(self.program.how)
        self.launch = int(np.clip(MEMORY // max(bytes_each, 1), 1, -(-count // cores)))
        # Epochs of one launch at most: the shape of its orders, so that all launches are one program.
        room = MEMORY // max(1, 4 * int(self.steps.max()) * self.size * self.launch * cores)
        self.most = int(np.clip(room, 1, min(training.epochs, STRETCH)))
        self.run(0, 1, first=True)

    def _evaluated_rows(self) -> int:
        assert self.course.evaluated is not None
        x = self.course.evaluated[0][0]
        return int(x.shape[0] * x.shape[1])

    @property
    def waited(self) -> Array:
        """Which members have gone too long without a lower validation loss."""
        since = self.states["course/epoch"] - self.states["course/best_epoch"]
        return np.asarray((since >= self.training.wait) & (self.course.n_val > 0))

    @property
    def alive(self) -> bool:
        """Whether any member still trains."""
        return bool((self.states["course/finite"] & ~self.waited).any())

    @property
    def stopped(self) -> Array:
        """Why training of each member ended, in the words of a `Run`."""
        whole = np.where(self.done == self.training.epochs, "epochs", np.where(self.waited, "patience", "interrupted"))
        return np.where(self.states["course/finite"], whole, "diverged")

    def run(self, done: int, count: int, *, first: bool = False) -> None:
        """Train all members by ``count`` epochs more, or, the ``first`` time, measure them before training.

        Ctrl-C is let through afterwards: states, tables and counts always belong together.
        """
        with held_back():
            self.states, made, table = self.program.run(
                self.states, self.own, lambda rows: self.data_of(rows, done, 0 if first else count),
                len(self.members), count, self.training.wait, self.launch,
            )  # fmt: skip
            if first:
                self.initial = table[:, 0, list(self.course.columns).index("train_loss")]
                return
            for k, got in enumerate(made):
                self.table[k, done : done + got] = table[k, :got]
                self.done[k] += got

    def data_of(self, places: Array, done: int, count: int) -> list[Array]:
        """Orders, rows and numbers of these members for the ``count`` epochs after the first ``done``."""
        most = int(self.steps.max())
        orders = np.zeros((len(places), self.most, most, self.size), np.int32)
        rests = np.zeros((len(places), self.most, 1, self.rest), np.int32)
        for j, k in enumerate(places):
            member, steps = self.members[k], self.steps[k]
            for e in range(count):
                n = len(member.train)
                order = permutation(n, member.seed, done + e) if self.training.shuffle else np.arange(n)
                rows = member.train[order]
                orders[j, e, :steps] = rows[: steps * self.size].reshape(steps, self.size)
                rests[j, e, 0] = rows[steps * self.size :]
        steps_now = self.steps[places] * (count > 0)
        given: list[Array] = [orders, self.measured[places], steps_now, *([rests] if self.rest else [])]
        return [*given, *(a[places] for a in self.data)]

    @property
    def best(self) -> Array:
        """The epoch of the lowest validation loss, for each member; 0 if there is none."""
        return self.states["course/best_epoch"]

    def kept(self, keep: str) -> list[dict[str, Array]]:
        """For each member the weights that it holds."""
        found = []
        for k in range(len(self.members)):
            use_best = (keep == "best" and self.best[k] > 0) or self.stopped[k] == "diverged"
            prefix = "course/best/" if use_best else "model/"
            found.append(
                {name.removeprefix(prefix): a[k] for name, a in self.states.items() if name.startswith(prefix)}
            )
        return found

    def examples(self) -> list[tuple[Array, Array]]:
        """For each member what was measured of each example, at its best epoch and at its last."""
        return list(zip(self.states["course/best_examples"], self.states["course/last_examples"], strict=True))

    @property
    def described(self) -> str:
        """How the members were trained."""
        cores = workers(self.program.how)
        return f"{self.program.how}, {self.launch} in one launch" + (f", {cores} launches at once" if cores > 1 else "")
