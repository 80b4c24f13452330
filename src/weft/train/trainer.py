"""The Trainer: a model, a loss, an optimizer, metrics, and a seed; `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, aligned, as_dataset
from weft.data.scale import Scaler
from weft.errors import ArgumentError, DataError
from weft.nn.losses import get_loss
from weft.nn.mode import evaluation_mode, modes_kept
from weft.nn.module import Module
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.random import hashed
from weft.runtime.compiled import compile
from weft.runtime.log import run as value_of
from weft.tensor import Tensor
from weft.train.course import Course, chunked, evaluate
from weft.train.drive import Drive
from weft.train.gathering import gather
from weft.train.history import History
from weft.train.metrics.watch import sort_out, watch, watched_numbers
from weft.train.preparation import Prepared, output_shape, prepare, scaled, with_targets
from weft.train.run import Run
from weft.train.saving import write_run

Array = np.ndarray[Any, Any]
SAMPLE = 256  # training examples whose loss is measured at the end of an epoch where there is no validation data


class Trainer:
    """A model with all that it takes to train it.

    ``loss``       a name ("cross_entropy", "mse", …) or a function of (prediction, target)
    ``optimizer``  a formula with its numbers, such as ``optim.Adam(1e-2)``; its state belongs to this trainer
    ``metrics``    names, functions of (prediction, target) that give one number for each example, or metrics of whole
                   data sets such as ``wf.metrics.ROCAUC()``, which `fit` computes on the validation data
    ``seed``       of the order of the examples and of dropout; the weights' is that of the model

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> model = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> trainer = wf.Trainer(model, loss="cross_entropy", optimizer=optim.Adam(1e-2), metrics=["accuracy"])
    >>> run = trainer.fit(wf.data.iris(), validation=0.2, epochs=5, verbose=False)
    >>> run.history.epochs, sorted(trainer.evaluate(wf.data.iris()))
    (5, ['accuracy', 'loss'])
    """

    def __init__(
        self,
        model: Module,
        loss: Any = None,
        optimizer: Optimizer | None = None,
        metrics: Sequence[Any] = (),
        *,
        seed: int = 0,
    ) -> None:
        if not isinstance(model, Module):
            raise ArgumentError(
                f"a Trainer of {type(model).__name__}", expected="a module", cure="nn.Sequential(nn.Linear(3))"
            )
        if isinstance(metrics, str):
            raise ArgumentError(f"metrics={metrics!r}", expected="a list", cure=f"metrics=[{metrics!r}]")
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise ArgumentError(
                f"a Trainer with {type(optimizer).__name__}",
                expected="an optimizer that moves parameters by the gradients of each batch",
                cure="optim.Adam(1e-3); optim.LBFGS and optim.Accumulate are for loops by hand",
            )
        self.model = model
        self.loss = get_loss(loss)
        self.optimizer = optimizer if optimizer is not None else Adam()
        self.metrics, self.watched = sort_out(metrics, self.loss)
        self.seed = seed
        self.state = self.optimizer.new_state()
        self.epoch = 0
        self.history: History | None = None
        self.course: Course | None = None
        self._evaluate = compile(self._examples)
        self._predict = compile(self._prediction)
        self.classes: tuple[str, ...] = ()
        self.scaler: Scaler | None = None
        self.target_scaler: Scaler | None = None
        self.measured: tuple[str, ...] = ()  # the columns of the history that the program computes
        self._watch_on: Dataset | None = None
        self.initial: float | None = None  # the training loss before training
        self._trained: list[Array] | None = None  # the weights where training was when a fit ended
        self._held: list[Any] = []  # what the model was left with, to see whether somebody has changed it since

    # ── fit ─────────────────────────────────────────────────────────────────────────────────────────────────

    def fit(
        self,
        data: Any,
        validation: Any = None,
        epochs: int = 10,
        batch_size: int = 32,
        *,
        scale: Any = None,
        scale_target: bool = False,
        shuffle: bool | Callable[[int], Any] = True,
        patience: int | None = None,
        keep: str = "best",
        policy: Any = "random",
        groups: Any = None,
        stratify: bool | None = None,
        on_epoch: Callable[[int, dict[str, float]], None] | None = None,
        probe: Module | None = None,
        folder: str | os.PathLike[str] | None = None,
        verbose: bool = True,
    ) -> Run:
        """Train for ``epochs`` epochs (called again: for so many more) and end with the best weights.

        Training and evaluation mode are set as needed; afterwards each module has its own mode again.

        ``data``         a data set, a pair (x, y), or anything `weft.data.as_dataset` takes
        ``validation``   a fraction of the data, chosen at random with the share of every class kept, or data of its own
        ``scale``        "standard" or "minmax": scale the inputs, by numbers found on the training part alone; the
                         trainer then scales what it evaluates and predicts, and saves the numbers with the model
        ``scale_target`` the same for the targets of a regression; predictions come back in the target's own unit
        ``shuffle``      True: anew each epoch, by (seed, epoch); False: as given; or a function from epoch to an order
        ``patience``     stop after so many epochs without a lower validation loss
        ``keep``         which weights the model holds at the end: "best" (by validation loss) or "last"
        ``probe``        a model about twice as wide: trained alike afterwards, only to see whether the training loss
                         falls further; without it the verdict "underfitting" is never given
        ``on_epoch``     called with the epoch's number and its row of the history
        ``folder``       where to leave the run: model, history, diagnosis, report

        Raises DataError for data that cannot be trained on, before the first step.
        """
        _check_fit(epochs, batch_size, patience, keep)
        how = {"policy": policy, "groups": groups, "stratify": stratify}
        prepared = prepare(data, validation, self.model, self.loss, self.seed, scale, scale_target, **how)
        self.scaler, self.target_scaler = prepared.scaler, prepared.target_scaler
        self.classes = prepared.training.classes
        course = self._course(prepared)
        n = len(prepared.training)
        self._watch_on = prepared.held_out if self.watched else None
        self.watch()  # what cannot be measured is refused before the first step
        drive = Drive(self, course, n, min(batch_size, n), shuffle, patience, on_epoch, verbose)
        started = time.perf_counter()
        with modes_kept(self.model):
            self._take_up(course)
            stopped = drive.run(epochs)
            run = self._result(course, prepared, keep, stopped)
        if probe is not None and run.evidence is not None:
            run.evidence = replace(run.evidence, probe_gain=self._probe(probe, prepared, batch_size, shuffle))
        run.seconds = time.perf_counter() - started
        run.settings = {**self._settings(prepared, epochs, batch_size), "launches": drive.launches}
        if folder is not None:
            write_run(run, folder, prepared)
        return run

    def _probe(self, wider: Module, prepared: Prepared, batch_size: int, shuffle: Any) -> float:
        """How much lower, relatively, the training loss of a wider model gets in as many epochs."""
        other = Trainer(wider, self.loss, self.optimizer, seed=self.seed)
        data, validation = (prepared.training, prepared.held_out)
        run = other.fit(data, validation, self.epoch, batch_size, shuffle=shuffle, verbose=False)
        assert self.history is not None
        own = min(self.history["train_loss"])
        return (own - min(run.history["train_loss"])) / abs(own) if own else 0.0

    def _course(self, prepared: Prepared) -> Course:
        """The course of this data: the one in progress if the data is the same, else a new one."""
        training, held_out = prepared.training, prepared.held_out
        pairs = [(part.x, np.asarray(part.y)) if part is not None else None for part in (training, held_out)]
        if self.course is not None and pairs[0] is not None and self.course.is_of(pairs[0], pairs[1]):
            return self.course
        rng = np.random.default_rng(hashed(self.seed, "sample"))
        size = min(len(training), prepared.n_val or SAMPLE)
        sample = training.take(np.sort(rng.permutation(len(training))[:size]))
        parts = [held_out, sample] if held_out is not None else [sample]
        x = np.concatenate([part.x for part in parts])
        y = np.concatenate([np.asarray(part.y) for part in parts])
        key = np.array([hashed(self.seed, "steps"), 0], np.uint32)
        self.course = Course(
            self.model,
            self.loss,
            self.optimizer,
            self.state,
            self.metrics,
            (training.x, np.asarray(training.y)),
            (x, y),
            prepared.n_val,
            key,
        )
        self.course.outputs = output_shape(self.model, training.x)[-1]
        self.epoch, self.initial = 0, None
        names = ["loss", *(m.name for m in self.metrics)]
        measured = [f"train_{name}" for name in names] + [f"val_{name}" for name in names if held_out is not None]
        self.measured = (*names, "last_loss", *measured)
        watched = [f"val_{name}" for name in self.watched if held_out is not None]
        self.history = History([*self.measured, *watched])
        return self.course

    def _take_up(self, course: Course) -> None:
        """Go on from where training was, not from the best weights, unless somebody has changed the weights since."""
        if self._trained is not None and all(w.node.data is h for w, h in zip(course.weights, self._held, strict=True)):
            for w, data in zip(course.weights, self._trained, strict=True):
                w.assign(Tensor(data))

    def _result(self, course: Course, prepared: Prepared, keep: str, stopped: str) -> Run:
        """Put the weights to keep into the model and gather the evidence."""
        assert self.history is not None
        found = int(course.best_epoch)
        held = found if (found and keep == "best") or stopped == "diverged" else self.epoch
        self._trained = [np.array(w.numpy()) for w in course.weights]
        if held != self.epoch:  # after divergence without any good epoch these are the weights from before training
            for w, kept in zip(course.weights, course.best_weights, strict=True):
                w.assign(Tensor(np.array(kept.numpy())))
        if stopped == "diverged":  # nothing of it is worth going on from
            self._trained, self.course = None, None
            self.state = self.optimizer.new_state()
        self._held = [value_of(w.node) for w in course.weights]
        self.model.eval()
        evidence = None
        if prepared.held_out is not None and self.epoch:
            evidence = gather(course, prepared, self.history, self.loss, self.metrics, self.initial)
        history = History(self.history.columns, self.history.rows)
        return Run(self.model, history, found or self.epoch, held, stopped, evidence, notes=prepared.notes)

    def watch(self) -> dict[str, float]:
        """The metrics of whole data sets on the validation data of the fit in progress, if there is any."""
        data = self._watch_on
        if data is None:
            return {}
        values = watch(self.watched, self.loss, self._outputs(data.x), np.asarray(data.y))
        return {f"val_{name}": value for name, value in watched_numbers(values).items()}

    def _settings(self, prepared: Prepared, epochs: int, batch_size: int) -> dict[str, str]:
        data = f"{prepared.training.name}: {len(prepared.training)} rows for training"
        return {
            "data": data + (f", {prepared.n_val} for validation" if prepared.n_val else ""),
            "loss": self.loss.name,
            "optimizer": repr(self.optimizer),
            "epochs": str(epochs),
            "batch size": str(batch_size),
            "seed": str(self.seed),
            "parameters": f"{sum(p.size for p in self.model.parameters()):,}",
        }

    # ── evaluate and predict ────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The loss and the metrics on ``data``, in evaluation mode; the loss is the mean over all examples."""
        given = scaled(aligned(as_dataset(data), self.classes), self.scaler)
        if given.y is None:
            raise DataError("evaluation without targets y", expected="a pair (x, y)", cure="trainer.evaluate((x, y))")
        checked = with_targets(given, self.loss, output_shape(self.model, given.x), [])
        if self.target_scaler is not None:
            checked = replace(checked, y=self.target_scaler.apply(np.asarray(checked.y)))
        examples = self.per_example(checked)
        means = dict(zip(["loss", *(m.name for m in self.metrics)], map(float, examples.mean(axis=1)), strict=True))
        if not self.watched:
            return means
        return means | watch(self.watched, self.loss, self._outputs(checked.x), np.asarray(checked.y))

    def per_example(self, data: Dataset) -> Array:
        """The loss and each metric of every example, (1 + metrics, N)."""
        with evaluation_mode(self.model):
            parts = [
                self._evaluate(x, y).numpy() for x, y in zip(chunked(data.x), chunked(np.asarray(data.y)), strict=True)
            ]
        return np.concatenate(parts, axis=1)[:, : len(data)]

    def _examples(self, x: Tensor, y: Tensor) -> Tensor:
        return evaluate(self.model, self.loss, self.metrics, x[None], y[None])

    def predict(self, x: Any) -> Array:
        """What the model says of each row of ``x``: class numbers (N,) after a classification loss, else its output."""
        output = self.outputs(x)
        if self.loss.kind == "classification":
            return np.asarray(output.argmax(axis=-1))
        if self.loss.kind == "binary":
            return np.asarray(output > self.loss.threshold).astype(np.int64)
        return self.target_scaler.invert(output) if self.target_scaler is not None else output

    def outputs(self, x: Any) -> Array:
        """The model's raw output for each row of ``x``, computed in chunks in evaluation mode."""
        return self._outputs(scaled(x if isinstance(x, Dataset) else as_dataset(np.asarray(x)), self.scaler).x)

    def _outputs(self, rows: Array) -> Array:
        with evaluation_mode(self.model):
            parts = [self._predict(chunk).numpy() for chunk in chunked(rows)]
        return np.concatenate(parts)[: len(rows)]

    def _prediction(self, x: Tensor) -> Tensor:
        return self.model(x).detach()


def _check_fit(epochs: int, batch_size: int, patience: int | None, keep: str) -> None:
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1), ("patience", patience, 1)):
        if value is not None and (not isinstance(value, int | np.integer) or value < least):
            raise ArgumentError(f"{name}={value!r}", expected=f"a whole number ≥ {least}")
    if keep not in ("best", "last"):
        raise ArgumentError(f"keep={keep!r}", expected='"best" or "last"')


def fit(
    model: Module,
    data: Any,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    *,
    seed: int = 0,
    **how: Any,
) -> Run:
    """``Trainer(model, loss, optimizer, metrics, seed=seed).fit(data, **how)`` in one call."""
    return Trainer(model, loss, optimizer, metrics, seed=seed).fit(data, **how)
