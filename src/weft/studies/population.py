"""Populations: many models of one architecture, trained together as one program."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, as_dataset
from weft.data.order import batches, generator, permutation
from weft.data.scale import Scaler
from weft.data.split import split
from weft.errors import ArgumentError, DataError
from weft.nn.losses import get_loss
from weft.nn.module import Module
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.studies.member import Member, check_settings, drawn, noisy, numbers_for, settings_of
from weft.studies.program import HOW, PopulationProgram, workers
from weft.studies.result import PopulationRun, laid_like
from weft.train.beginning import begin
from weft.train.course import keys_for
from weft.train.options import Method, whole
from weft.train.preparation import Prepared, output_shape, sample_of, with_targets
from weft.train.progress import Progress
from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]
BOOTSTRAP = 4  # the purpose of the random numbers that draw rows
MEMORY = 1 << 29  # bytes of states and orders in one launch
UPDATES = 1.0  # seconds between two signs of life
SAMPLE = 256  # training rows that are measured where there is no validation data
STRETCH = 32  # epochs of one launch at most


class Population:
    """K models of one architecture, trained as one program; each as `Trainer.fit` would train it alone.

    ``make``       a function that makes a model, or a model: each member's first values are drawn from its own seed
    ``loss, optimizer, metrics, precision``   as of a `Trainer`
    ``how``        "mapped" (one after the other, on each core at once), "vectorised" (side by side), or "auto", which
                   takes what is faster on this device

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> make = lambda: nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> population = wf.Population(make, "cross_entropy", optim.Adam(1e-2), ["accuracy"])
    >>> run = population.fit(wf.data.iris(), members=3, epochs=5, verbose=False)
    >>> run["val_accuracy"].shape, len(run.models)
    ((3, 5), 3)
    """

    def __init__(
        self,
        make: Callable[[], Module] | Module,
        loss: Any,
        optimizer: Optimizer | None = None,
        metrics: Sequence[Any] = (),
        *,
        precision: str = "f32",
        how: str = "auto",
        seed: int = 0,
    ) -> None:
        if not callable(make):
            raise ArgumentError(
                f"a Population of {type(make).__name__}", expected="a function that makes a model", cure="lambda: model"
            )
        if how not in HOW:
            raise ArgumentError(f"how={how!r}", expected=f"one of {', '.join(HOW)}")
        self.make, self.loss, self.metrics = make, get_loss(loss), list(metrics)
        self.optimizer = optimizer if optimizer is not None else Adam()
        self.precision, self.how, self.seed = precision, how, seed

    def fit(
        self,
        data: Any,
        members: int | None = None,
        validation: Any = 0.2,
        epochs: int = 10,
        batch_size: int = 32,
        *,
        rows: str | Sequence[tuple[Any, Any]] | None = None,
        settings: Mapping[str, Sequence[float]] | None = None,
        seeds: Sequence[int] | None = None,
        scale: str | None = None,
        shuffle: bool = True,
        augment: Any = None,
        patience: int | None = None,
        keep: str = "best",
        verbose: bool = True,
    ) -> PopulationRun:
        """Train all members.

        ``members``      how many; or as many as there are ``rows``, ``settings`` or ``seeds``
        ``validation``   a fraction of the data, the same rows for all members, or data of its own
        ``rows``         None: all members train on the same rows; "bootstrap": each on as many, drawn with replacement;
                         or a pair (training rows, validation rows) for each
        ``settings``     numbers that differ: {"learning_rate": […], "weight_decay": […], "dropout": […],
                         "label_noise": […]}, with a value for each member
        ``seeds``        of first values, order and dropout; by default 0, 1, 2, … after the population's own

        Everything else is as in `Trainer.fit`, scaling by the numbers of each member's own training rows included.
        Raises ArgumentError and DataError as that does, and for members that cannot be one program.
        """
        started = time.perf_counter()
        whole("epochs", epochs, 1)
        whole("batch_size", batch_size, 1)
        given = as_dataset(data)
        if given.y is None:
            raise DataError("data without targets y", expected="a pair (x, y)", cure="population.fit((x, y), …)")
        everything, parts = self._rows(given, validation, rows)
        group = self._members(parts, rows, settings, seeds, members)
        template = drawn(self.make, group[0].seed, (1, *everything.x.shape[1:]))
        check_settings(list(group[0].settings), self.optimizer, template)
        notes: list[str] = []
        output = output_shape(template, everything.x)
        everything = with_targets(everything, self.loss, output, notes)
        made = Training(self, everything, group, template, batch_size, scale, shuffle, augment, patience, epochs)
        with Progress(epochs, 0, verbose) as progress:
            made.train(progress)
        return made.result(keep, time.perf_counter() - started)

    # ── rows and members ────────────────────────────────────────────────────────────────────────────────────

    def _rows(
        self, data: Dataset, validation: Any, rows: Any
    ) -> tuple[Dataset, list[tuple[Array, Array]] | tuple[Array, Array]]:
        """All rows of training and validation as one data set, and which are which."""
        if rows is not None and not isinstance(rows, str):
            return data, [(np.asarray(train, np.int64), np.asarray(held, np.int64)) for train, held in rows]
        if rows not in (None, "bootstrap"):
            raise ArgumentError(f"rows={rows!r}", expected='"bootstrap", or pairs (training rows, validation rows)')
        chosen = split(data, validation, seed=self.seed)
        if chosen.given is None:
            return data, (chosen.train, chosen.validation)
        other = chosen.given
        both = Dataset(
            np.concatenate([data.x, other.x]), np.concatenate([np.asarray(data.y), np.asarray(other.y)]),
            data.name, data.features, data.target, data.classes, data.task,
        )  # fmt: skip
        return both, (chosen.train, len(data) + chosen.validation)

    def _members(
        self, parts: Any, rows: Any, settings: Any, seeds: Sequence[int] | None, members: int | None
    ) -> list[Member]:
        pairs = parts if isinstance(parts, list) else None
        count = members if members is not None else len(pairs) if pairs is not None else len(seeds) if seeds else None
        each = settings_of(settings, count)
        count = len(each)
        if count < 1:
            raise ArgumentError("a population of no members", expected="1 or more")
        for name, given in (("rows", pairs), ("seeds", seeds)):
            if given is not None and len(given) != count:
                raise ArgumentError(f"{name} for {len(given)} members", expected=f"{count}, one for each member")
        used = list(seeds) if seeds is not None else [self.seed + k for k in range(count)]
        if pairs is None:
            pairs = [parts] * count
        if rows == "bootstrap":
            pairs = [(resampled(train, seed), held) for (train, held), seed in zip(pairs, used, strict=True)]
        return [Member(t, v, s, e) for (t, v), s, e in zip(pairs, used, each, strict=True)]


def resampled(rows: Array, seed: int) -> Array:
    """As many of these rows, drawn with replacement.

    >>> len(resampled(np.arange(10), 0)), set(resampled(np.arange(10), 0)) <= set(range(10))
    (10, True)
    """
    return np.sort(rows[generator(seed, 0, BOOTSTRAP).integers(0, len(rows), len(rows))])


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
        shuffle: bool,
        augment: Any,
        patience: int | None,
        epochs: int,
    ) -> None:
        self.population, self.data, self.members, self.template = population, data, members, template
        self.batch_size, self.scale, self.shuffle, self.epochs = batch_size, scale, shuffle, epochs
        self.augment = augment
        self.wait = patience if patience is not None else 1 << 40
        sizes: dict[tuple[int, ...], list[int]] = {}
        for k, member in enumerate(members):
            size = min(batch_size, len(member.train))
            key = (size, len(member.train) % max(size, 1), len(member.validation))
            sizes.setdefault(key, []).append(k)
        self.groups = [Group(self, places) for places in sizes.values()]

    def train(self, progress: Progress) -> None:
        """Train every group to the end, an epoch for all of them at a time."""
        done = 0
        count = 1
        while done < self.epochs and any(group.alive for group in self.groups):
            began = time.perf_counter()
            count = min(count, self.epochs - done, *(group.most for group in self.groups))
            for group in self.groups:
                group.advance(done, count)
            done += count
            progress.epoch(done, self.row(done))
            count = max(1, int(count * min(4.0, UPDATES / (time.perf_counter() - began + 1e-9))))

    def row(self, epoch: int) -> dict[str, float]:
        """The medians over all members at this epoch, or at the last one of those that have stopped."""
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
            examples=self._examples(order),
            scalers=tuple(scaler for k, scaler in sorted(pair for g in self.groups for pair in g.scalers.items())),
            data=self.data,
            keep=keep,
            how=first.described,
            seconds=seconds,
        )

    def _examples(self, order: Array) -> tuple[Any, ...]:
        found = [pair for group in self.groups for pair in group.examples()]
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
        self.steps = np.array([batches(n, self.size)[0] for n in counts])
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
            self.trainer, self.course, population.how, scaled=training.scale is not None, labels=self.labels
        )
        self.program.has_rest = bool(self.rest)
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
        self.scalers: dict[int, Scaler | None] = {}
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
            scaler = Scaler.fit(training.data.x[member.train], training.scale) if training.scale else None  # type: ignore[arg-type]
            self.scalers[int(self.places[k])] = scaler
            if self.labels:
                noised.append(noisy(y, member.settings["label_noise"], classes, member.seed))
            sample = sample_of(Dataset(member.train[:, None]), self.sampled, member.seed).x[:, 0].astype(np.int64)
            rows = np.concatenate([member.validation, sample])
            self.measured[k] = np.concatenate([rows, np.full(self.measured.shape[1] - len(rows), rows[0])])
        self.data = [self.measured]
        if training.scale:
            self.data += laid_like(tuple(self.scalers.values()), training.data.x)
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
        self._run(0, 1, first=True)

    def _evaluated_rows(self) -> int:
        assert self.course.evaluated is not None
        x = self.course.evaluated[0][0]
        return int(x.shape[0] * x.shape[1])

    @property
    def alive(self) -> bool:
        """Whether any member still trains."""
        finite = self.states["course/finite"]
        waited = self.states["course/epoch"] - self.states["course/best_epoch"] >= self.training.wait
        return bool((finite & ~(waited & (self.course.n_val > 0))).any())

    def advance(self, done: int, count: int) -> None:
        """Train all members by ``count`` epochs more."""
        self._run(done, count)

    def _run(self, done: int, count: int, *, first: bool = False) -> None:
        members, most = self.members, int(self.steps.max())
        orders = np.zeros((len(members), self.most, most, self.size), np.int32)
        rests = np.zeros((len(members), self.most, 1, self.rest), np.int32)
        for k, member in enumerate(members):
            n, steps = len(member.train), self.steps[k]
            for e in range(0 if first else count):
                order = permutation(n, member.seed, done + e) if self.training.shuffle else np.arange(n)
                rows = member.train[order]
                orders[k, e, :steps] = rows[: steps * self.size].reshape(steps, self.size)
                rests[k, e, 0] = rows[steps * self.size :]
        steps_now = self.steps * (not first)
        data: list[Array] = [orders, self.data[0], steps_now, *([rests] if self.rest else []), *self.data[1:]]
        self.states, made, table = self.program.run(self.states, self.own, data, count, self.training.wait, self.launch)
        if first:
            self.initial = table[:, 0, list(self.course.columns).index("train_loss")]
            return
        for k in range(len(members)):
            got = int(made[k])
            self.table[k, done : done + got] = table[k, :got]
            self.done[k] += got

    @property
    def best(self) -> Array:
        """The epoch of the lowest validation loss, for each member; 0 if there is none."""
        return self.states["course/best_epoch"]

    def kept(self, keep: str) -> list[dict[str, Array]]:
        """For each member the weights that it holds."""
        found = []
        for k in range(len(self.members)):
            use_best = (keep == "best" and self.best[k] > 0) or not self.states["course/finite"][k]
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
