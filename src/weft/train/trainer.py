"""The Trainer: model, loss, optimizer, metrics, callbacks, precision, mesh, seed; `fit`, `evaluate`, `predict`."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, aligned, as_dataset, check_features
from weft.data.scale import Scaler
from weft.data.stream import Stream
from weft.errors import ArgumentError, DataError, ShapeError
from weft.nn.building import sizes_undone_on_error
from weft.nn.lessons import taught
from weft.nn.losses import Loss, get_loss
from weft.nn.mode import evaluation_mode, modes_kept
from weft.nn.module import Module
from weft.nn.registry import checked_description
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.runtime.compiled import compile
from weft.runtime.devices import default_device
from weft.runtime.mesh import Mesh
from weft.tensor import Tensor
from weft.train.beginning import arrays, stand, supply_of, undone_on_error
from weft.train.callback import Callback, EachEpoch, checked, fresh
from weft.train.callbacks.live import LiveDiagnosis
from weft.train.course import Course
from weft.train.ending import end, take_up
from weft.train.firstbatch import first_checks
from weft.train.guard import NonFiniteError
from weft.train.history import History
from weft.train.lessons import FIT, TRAINER
from weft.train.loop import Loop, Standing
from weft.train.measuring import Measure, chunked, laid_out
from weft.train.meshing import across, bring, on
from weft.train.metrics.watch import sort_out, watch, watched_numbers
from weft.train.options import (
    Method,
    check_calls,
    check_data_flow,
    check_fit,
    check_mesh,
    check_patience,
    check_probe,
    check_trainer,
)
from weft.train.precision import Precision, get_precision
from weft.train.preparation import Prepared, output_shape, scaled, with_targets
from weft.train.resume import Keeper, marks
from weft.train.run import Origin, Run
from weft.train.saving import write_run
from weft.train.sources import as_source, blocks_of, measured_outside, pieces_of, prepare_any
from weft.train.step import Part
from weft.train.supply import length_of

Array = np.ndarray[Any, Any]


class Trainer:
    """A model with all that it takes to train it.

    ``loss``       a name ("cross_entropy", "mse", …) or a function of (prediction, target)
    ``optimizer``  a formula with its numbers, such as ``optim.Adam(1e-2)``; its state belongs to this trainer
    ``metrics``    names, functions of (prediction, target) that give one number for each example, or metrics of whole
                   data sets such as ``wf.metrics.ROCAUC()``, which `fit` computes on the validation data
    ``callbacks``  what else is to happen at the events of a fit; each fit works with fresh copies
    ``step``       a step of one's own, ``step(model, batch) -> (loss, logs)``: instead of model, loss and metrics on
                   (batch.x, batch.y). With ``optimizer={"generator": …, "critic": …}`` it returns a loss for each of
                   these parts of the model, which then moves by its own gradient
    ``precision``  "f32"; "bf16" or "f16" to calculate in 16 bits with parameters of 32; "f64"
    ``mesh``       `weft.Mesh`, several devices: each batch is divided along its axis "data". The parameters lie whole
                   on every device, unless ``model.to(mesh, …)`` has divided them before
    ``seed``       of the order of the examples, of augmentation and of dropout; the weights' is that of the model

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> model = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> trainer = wf.Trainer(model, loss="cross_entropy", optimizer=optim.Adam(1e-2), metrics=["accuracy"])
    >>> run = trainer.fit(wf.data.iris(), validation=0.2, epochs=5, verbose=False)
    >>> run.history.epochs, sorted(trainer.evaluate(wf.data.iris()))
    (5, ['accuracy', 'loss'])
    """

    @partial(taught, words=TRAINER)
    def __init__(
        self,
        model: Module,
        loss: Any = None,
        optimizer: Optimizer | Mapping[str, Optimizer] | None = None,
        metrics: Sequence[Any] = (),
        callbacks: Sequence[Callback] = (),
        *,
        step: Callable[..., Any] | None = None,
        precision: str | Precision = "f32",
        mesh: Mesh | None = None,
        seed: int = 0,
    ) -> None:
        check_trainer(model, optimizer, metrics, step, seed)
        check_mesh(mesh)
        self.model, self.own, self.mesh, self.seed = model, step, mesh, seed
        self.loss: Loss | None = None if loss is None and step is not None else get_loss(loss)
        self.optimizer = optimizer if optimizer is not None else Adam()
        self.metrics, self.watched = sort_out(metrics, self.loss) if self.loss is not None else ([], {})
        self.callbacks = checked(callbacks)
        self.precision = get_precision(precision)
        named = self.optimizer if isinstance(self.optimizer, Mapping) else {"": self.optimizer}
        self.parts = [Part(name, opt, opt.new_state()) for name, opt in named.items()]
        self.standing: Standing | None = None
        self.prepared: Prepared | None = None
        self.judge(self.measured_by())
        self.classes: tuple[str, ...] = ()
        self.scaler: Scaler | None = None
        self.target_scaler: Scaler | None = None
        self._predict = compile(self._prediction)
        self.trained: dict[str, Array] | None = None  # the weights where training was when a fit ended
        self.held: list[Any] = []  # what the model was left with, to see whether somebody has changed it since

    # ── what there is to know of it ─────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> Any:
        """What the optimizer remembers in this trainer; of the first one where there are several."""
        return self.parts[0].state

    @property
    def course(self) -> Course:
        """What runs on the device in the fit in progress, or did in the last one."""
        assert self.standing is not None
        return self.standing.course

    @property
    def epoch(self) -> int:
        """How many epochs have been trained."""
        return self.standing.done if self.standing is not None else 0

    @property
    def history(self) -> History | None:
        """The table of the epochs trained so far."""
        return self.standing.history if self.standing is not None else None

    @property
    def watches(self) -> bool:
        """Whether metrics of whole data sets are computed after each epoch of the fit in progress."""
        return bool(self.watched) and self.prepared is not None and self.prepared.held_out is not None

    def measured_by(self, names: tuple[str, ...] = (), *, labelled: bool = True) -> Measure:
        """What this trainer's models are judged by."""
        return Measure(
            self.model, self.loss, self.metrics, self.precision, self.own, names, self.parts, labelled, self.mesh
        )

    def judge(self, measure: Measure) -> None:
        """From now on judge the model by this."""
        self.measure, self._evaluate = measure, compile(measure.examples)

    # ── fit ─────────────────────────────────────────────────────────────────────────────────────────────────

    @partial(taught, words=FIT)
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
        augment: Any = None,
        pieces: int = 1,
        nonfinite: str = "stop",
        most_skipped: int = 100,
        patience: int | None = None,
        keep: str = "best",
        policy: Any = "random",
        groups: Any = None,
        stratify: bool | None = None,
        on_epoch: Callable[[int, dict[str, float]], None] | None = None,
        probe: Module | None = None,
        folder: str | os.PathLike[str] | None = None,
        resume: bool = False,
        verbose: bool = True,
    ) -> Run:
        """Train for ``epochs`` epochs (called again: for so many more) and end with the best weights.

        Training and evaluation mode are set as needed; afterwards each module has its own mode again.

        ``data``         a data set, a pair (x, y), or anything `weft.data.as_dataset` takes; or data that is read
                         while training: `weft.data.LazyDataset`, `weft.data.Stream`
        ``validation``   a fraction of the data, chosen at random with the share of every class kept, or data of its own
        ``scale``        "standard" or "minmax": scale the inputs, by numbers found on the training part alone; the
                         trainer then scales what it evaluates and predicts, and saves the numbers with the model
        ``scale_target`` the same for the targets of a regression; predictions come back in the target's own unit
        ``shuffle``      True: anew each epoch, by (seed, epoch); False: as given; or a function from epoch to an order
        ``augment``      `weft.augment` specifications: what is done to an example depends on seed, epoch and its number
        ``pieces``       compute each batch in so many pieces, one after the other: less memory, the same update
        ``nonfinite``    when a loss or gradient is not finite, the step changes nothing, the run's notes say where the
                         number came from, and the fit stops ("stop"), raises ("raise"), passes over at most
                         ``most_skipped`` such batches ("skip"), or goes on as if nothing had happened ("ignore")
        ``patience``     stop after so many epochs without a lower validation loss
        ``keep``         which weights the model holds at the end: "best" (by validation loss) or "last"
        ``probe``        a model about twice as wide: trained alike afterwards, only to see whether the training loss
                         falls further; without it the verdict "underfitting" is never given
        ``on_epoch``     called with the epoch's number and its row of the history
        ``folder``       where to leave the run: checkpoints, model, history, diagnosis, report
        ``resume``       go on from the newest checkpoint in ``folder``, bit for bit, up to ``epochs`` epochs in all

        Raises DataError for data that cannot be trained on, before the first step.
        """
        check_data_flow(shuffle, scale, scale_target)
        check_fit(epochs, batch_size, patience, keep, folder, resume, self.mesh)
        check_probe(probe, self.own, validation)
        check_calls(on_epoch)
        if folder is not None:
            checked_description(self.model)  # what no file can hold is refused before it is trained
        started, method = time.perf_counter(), Method(augment, pieces, nonfinite, most_skipped)
        if self.precision.wide:
            self.model.to(self.precision.hold)
        how = {"policy": policy, "groups": groups, "stratify": stratify}
        with sizes_undone_on_error(self.model):
            prepared = prepare_any(data, validation, self, scale, scale_target, how)
        check_patience(patience, prepared.n_val)
        callbacks = [fresh(c) for c in self.callbacks] + ([EachEpoch(on_epoch)] if on_epoch is not None else [])
        if verbose and not any(isinstance(c, LiveDiagnosis) for c in callbacks):
            callbacks.append(LiveDiagnosis())
        with modes_kept(self.model), on(self.mesh):
            bring(self.model, self.mesh)
            with undone_on_error(self):
                self.scaler, self.target_scaler = prepared.scaler, prepared.target_scaler
                self.classes = prepared.training.classes
                standing = stand(self, prepared, method, callbacks)
                self.watch()  # what cannot be measured is refused before the first step
                supply = supply_of(self, prepared, standing.course, batch_size, shuffle)
            loop = Loop(self, standing, supply, callbacks, patience=patience, verbose=verbose)
            take_up(self, standing)
            standing.begun = standing.done
            keeper = None if folder is None else Keeper(folder, self, loop, marks(self, prepared, supply))
            with keeper or nullcontext():
                stopped = keeper.take_up(epochs) if keeper is not None and resume else ""
                if not stopped:
                    stopped = loop.run(epochs if resume else standing.done + epochs)
                    if keeper is not None:
                        keeper.write(stopped, final=loop.final)
            run = end(self, loop, prepared, keep, stopped)
        run.origin = Origin(self, prepared, standing.done, supply.batch_size, scale, augment)
        run.callbacks = tuple(loop.callbacks[: len(self.callbacks)])
        if stopped == "diverged" and nonfinite == "raise":
            raise NonFiniteError("; ".join(standing.notes) or "a loss that is not finite", expected="finite numbers")
        if probe is not None and run.evidence is not None and stopped != "diverged":
            alike = {"batch_size": batch_size, "scale": scale, "scale_target": scale_target, "shuffle": shuffle, **how}
            learning = {"augment": augment, "pieces": pieces, "most_skipped": most_skipped}
            learning["nonfinite"] = "stop" if nonfinite == "raise" else nonfinite
            on_train, on_val = self._probe(probe, data, validation, alike | learning)
            run.evidence = replace(run.evidence, probe_gain=on_train, probe_val_gain=on_val)
        run.seconds = time.perf_counter() - started
        run.settings = {
            **self._settings(prepared, epochs, supply.batch_size),
            "launches": loop.launches,
            "memory": standing.course.memory,
        }
        if folder is not None:
            write_run(run, folder, prepared)
        return run

    def _probe(self, wider: Module, data: Any, validation: Any, alike: Mapping[str, Any]) -> list[float | None]:
        """How much lower, relatively, the training and the validation loss of a wider model get in as many epochs.

        None where no epoch of the wider model had a finite loss.
        """
        how: dict[str, Any] = {"precision": self.precision, "mesh": self.mesh, "seed": self.seed}
        run = Trainer(wider, self.loss, self.optimizer, **how).fit(data, validation, self.epoch, verbose=False, **alike)
        assert self.history is not None
        gains: list[float | None] = []
        for column in ("train_loss", "val_loss"):
            own, wide = (
                min((v for v in history[column] if math.isfinite(v)), default=math.inf)
                for history in (self.history, run.history)
            )
            gains.append((own - wide) / (abs(own) or 1.0) if math.isfinite(own - wide) else None)
        return gains

    def looked_over(self, before: float) -> list[str]:
        """What is wrong with the model before training, which had this loss; a step of one's own is not looked at."""
        if self.own is not None or self.loss is None or self.prepared is None:
            return []
        sample = self.prepared.sample
        baseline = self.loss.baseline(np.asarray(sample.y), self.course.outputs)
        return first_checks(self.model, self.loss, sample, baseline, before=before)

    def watch(self) -> dict[str, float]:
        """The metrics of whole data sets on the validation data of the fit in progress, if there is any."""
        if not self.watches:
            return {}
        assert self.prepared is not None
        assert self.loss is not None
        outputs, answers = self.answers(self.prepared.held_out)
        if not np.isfinite(outputs).all():  # a model that has diverged: no metric takes that
            return {f"val_{name}": math.nan for name in self.watched}
        values = watch(self.watched, self.loss, outputs, answers)
        return {f"val_{name}": value for name, value in watched_numbers(values).items()}

    def answers(self, data: Any) -> tuple[Array, Array]:
        """The model's outputs and the targets of a data set, which may be read for it."""
        parts = [(self._outputs(x), np.asarray(y)) for x, y in blocks_of(data)]
        return np.concatenate([p for p, _ in parts]), np.concatenate([t for _, t in parts])

    def _settings(self, prepared: Prepared, epochs: int, batch_size: int) -> dict[str, str]:
        training = prepared.training
        known = length_of(training)
        count = f"{known} rows" if known is not None else "rows not counted"
        named = self.optimizer if not isinstance(self.optimizer, Mapping) else dict(self.optimizer)
        return {
            "data": f"{training.name}: {count} for training"
            + (f", {prepared.n_val} for validation" if prepared.n_val else ""),
            "loss": self.loss.name if self.loss is not None else "of the step",
            "optimizer": repr(named),
            "epochs": str(epochs),
            "batch size": str(batch_size),
            "precision": self.precision.name,
            "devices": str(self.mesh or default_device()),
            "seed": str(self.seed),
            "parameters": f"{sum(p.size for p in self.model.parameters()):,}",
        }

    def measured_outside(self) -> Array:
        """What the program of a fit does not measure itself, because its validation data is read for it."""
        assert self.prepared is not None
        return measured_outside(self, self.prepared)

    # ── evaluate and predict ────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The loss and the metrics on ``data``, in evaluation mode; the loss is the mean over all that counts."""
        source = as_source(data)
        parts = [self._checked(part) for part in (pieces_of(source) if source is not None else [self._dataset(data)])]
        found = [self.examples_of(*arrays(part)) for part in parts]
        examples = self.measure.over_all(np.concatenate(found, axis=1))
        means = dict(zip(self.measure.columns, map(float, examples.mean(axis=1)), strict=True))
        if not self.watched or self.loss is None:
            return means
        outputs, answers = (np.concatenate(both) for both in zip(*map(self.answers, parts), strict=True))
        return means | watch(self.watched, self.loss, outputs, answers)

    def _dataset(self, data: Any) -> Dataset:
        return as_dataset(data, keep_float64=self.precision.wide)

    def _like_trained(self, data: Dataset) -> Dataset:
        """Data on the scale of the training data, whose columns and number of axes it must have."""
        if self.prepared is not None:
            check_features(data, self.prepared.sample.features)
            if data.x.ndim != (ndim := self.prepared.sample.x.ndim):
                raise ShapeError(
                    f"x of shape {data.x.shape}",
                    expected=f"{ndim} axes, as the training data: rows of shape {self.prepared.sample.x.shape[1:]}",
                    cure="x[None], if it is one row" if data.x.ndim == ndim - 1 else None,
                )
        return scaled(data, self.scaler)

    def _checked(self, data: Dataset) -> Dataset:
        """Data as the model and the loss take it."""
        given = self._like_trained(aligned(data, self.classes))
        if self.loss is None:
            return given
        if given.y is None:
            raise DataError("evaluation without targets y", expected="a pair (x, y)", cure="trainer.evaluate((x, y))")
        checked = with_targets(given, self.loss, output_shape(self.model, given.x), [], wide=self.precision.wide)
        if self.target_scaler is None:
            return checked
        return replace(checked, y=self.target_scaler.apply(np.asarray(checked.y), keep_float64=True))

    def per_example(self, data: Dataset) -> Array:
        """The loss and each metric of every example, (1 + metrics, N)."""
        found: Array = self.measure.over_all(self.examples_of(*arrays(data)))
        return found

    def examples_of(self, x: Array, y: Array) -> Array:
        """The same of a part of a data set, with their weights: what `Measure.over_all` takes."""
        laid = laid_out([(x, y)], by_example=self.measure.by_example)
        with evaluation_mode(self.model), on(self.mesh):
            parts = [self._evaluate(*chunk).numpy() for xs, ys in laid for chunk in zip(xs, ys, strict=True)]
        return np.concatenate(parts, axis=1)[:, : len(x)]

    def predict(self, x: Any) -> Array:
        """What the model says of each row of ``x``.

        After a classification loss class numbers (N,), or (N, …) of outputs (N, classes, …); after a binary one 0 and
        1, or −1 and 1 if the targets were those; else the output, in the target's own unit.
        """
        output = self.outputs(x)
        if self.loss is None:
            return output
        if self.loss.kind == "classification":
            return np.asarray(output.argmax(axis=1))
        if self.loss.kind == "binary":
            yes = np.asarray(output > self.loss.threshold).astype(np.int64)
            return 2 * yes - 1 if self.prepared is not None and (self.prepared.answers < 0).any() else yes
        return self.target_scaler.invert(output, keep_float64=True) if self.target_scaler is not None else output

    def outputs(self, x: Any) -> Array:
        """The model's raw output for each row of ``x``, computed in chunks in evaluation mode."""
        source = as_source(x)
        if isinstance(source, Stream) and not source.is_ordered:
            raise ArgumentError(
                "predictions for a loader that shuffles: nobody knows to which example each belongs",
                expected="examples in one order",
                cure="DataLoader(…, shuffle=False)",
            )
        parts = pieces_of(source) if source is not None else [self._dataset(x)]
        return np.concatenate([self._outputs(self._like_trained(part).x) for part in parts])

    def _outputs(self, rows: Array) -> Array:
        with evaluation_mode(self.model), on(self.mesh):
            parts = [self._predict(chunk).numpy() for chunk in chunked(rows)]
        return np.concatenate(parts)[: len(rows)]

    def _prediction(self, x: Tensor) -> Tensor:
        with self.precision.computing(self.model):
            made = self.model(self.precision.given(across(x, self.mesh))).detach()
        return made.astype(self.precision.hold) if self.precision.mixed else made


def fit(
    model: Module,
    data: Any,
    loss: Any = None,
    optimizer: Any = None,
    metrics: Sequence[Any] = (),
    callbacks: Sequence[Callback] = (),
    *,
    step: Callable[..., Any] | None = None,
    precision: str | Precision = "f32",
    mesh: Mesh | None = None,
    seed: int = 0,
    **how: Any,
) -> Run:
    """``Trainer(model, loss, optimizer, metrics, …, seed=seed).fit(data, **how)`` in one call."""
    made = Trainer(model, loss, optimizer, metrics, callbacks, step=step, precision=precision, mesh=mesh, seed=seed)
    return made.fit(data, **how)
