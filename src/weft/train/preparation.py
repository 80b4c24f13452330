"""From what a person hands over to data that can be trained on: split, checked, in the form that the loss takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.data.check import check_scaled
from weft.data.dataset import Dataset, as_dataset
from weft.data.leakage import Leakage, leakage
from weft.data.scale import Scaler
from weft.data.split import Split, split
from weft.errors import ArgumentError, DataError, ShapeError
from weft.graph.dtype import dtype
from weft.graph.node import wrap
from weft.graph.spec import Spec
from weft.nn import building
from weft.nn.losses import Loss
from weft.nn.module import Module
from weft.nn.parameter import Sketch
from weft.random import hashed
from weft.train.ignored import check_classes
from weft.train.step import Batch, Part, answer

Array = np.ndarray[Any, Any]
SAMPLE = 256  # training examples whose loss is measured at the end of an epoch where there is no validation data


@dataclass(frozen=True, eq=False)
class Prepared:
    """Checked training and validation data, what both share, and notes for the reader."""

    training: Any  # a Dataset, or a source that is read while training
    held_out: Any  # a Dataset, a LazyDataset too large to hold, or None
    sample: Dataset  # training rows that are measured after each epoch
    leak: Leakage | None
    notes: tuple[str, ...]
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None
    split: Split | None = None

    @property
    def n_val(self) -> int:
        return len(self.held_out) if self.held_out is not None else 0

    @property
    def answers(self) -> Array:
        """The training targets; of data that is read while training, those of the sample."""
        y = getattr(self.training, "y", None)
        return np.asarray(self.sample.y if y is None else y)


def prepare(
    data: Any,
    validation: Any,
    model: Module,
    loss: Loss | None,
    seed: int,
    scale: Any = None,
    scale_target: bool = False,
    wide: bool = False,
    **how: Any,
) -> Prepared:
    """Split, scale and check ``data`` for training ``model`` by ``loss``; ``how`` goes to `weft.data.split`.

    Without a loss (a step of one's own) targets are taken as they are, if there are any. ``wide`` keeps float64.
    """
    whole = as_dataset(data, keep_float64=wide)
    if whole.y is None and loss is not None:
        raise DataError("data without targets y", expected="a pair (x, y)", cure="trainer.fit((x, y), …)")
    notes: list[str] = []
    chosen = None
    if validation is None:
        training, held_out = whole, None
    else:
        chosen = split(whole, validation, seed=seed, **how)
        training, held_out = chosen.apply(whole)
        notes.append(chosen.describe())
    leak = found_leakage(training, held_out, how.get("groups"), chosen) if chosen is not None and held_out else None
    if leak:
        notes.append(leak.describe())
    scaler: Scaler | None = scale if isinstance(scale, Scaler | None) else Scaler.fit(training.x, scale)
    training, held_out = scaled(training, scaler), scaled(held_out, scaler) if held_out is not None else None
    if scaler is None and (advice := check_scaled(training.x, training.features)):
        notes.append(advice)
    target_scaler = None
    if loss is not None:
        output = output_shape(model, training.x)
        training = with_targets(training, loss, output, notes, wide=wide)
        held_out = with_targets(held_out, loss, output, [], wide=wide) if held_out is not None else None
    if scale_target:
        if loss is None or loss.kind != "regression":
            raise ArgumentError(
                f"scale_target=True with the loss {loss.name if loss else None!r}", expected="a regression loss"
            )
        target_scaler = Scaler.fit(np.asarray(training.y))
        notes.append("losses and errors are in units of the target's standard deviation")
        training = replace(training, y=target_scaler.apply(np.asarray(training.y), keep_float64=True))
        if held_out is not None:
            held_out = replace(held_out, y=target_scaler.apply(np.asarray(held_out.y), keep_float64=True))
    sample = sample_of(training, len(held_out) if held_out is not None else SAMPLE, seed)
    return Prepared(training, held_out, sample, leak, tuple(notes), scaler, target_scaler, chosen)


def sample_of(training: Dataset, size: int, seed: int) -> Dataset:
    """The training rows whose loss is measured after each epoch: as many as for validation, always the same."""
    rng = np.random.default_rng(hashed(seed, "sample"))
    return training.take(np.sort(rng.permutation(len(training))[: min(len(training), size)]))


def found_leakage(training: Dataset, held_out: Dataset, groups: Any, chosen: Split) -> Leakage:
    """Copies of training rows among the validation rows, and groups on both sides.

    A row is a copy when its target is the same too: measurements alone repeat by chance.
    """
    keys = None if groups is None or chosen.given is not None else np.asarray(groups)
    sides = (None, None) if keys is None else (keys[chosen.train], keys[chosen.validation])
    return leakage(rows_of(training), rows_of(held_out), *sides)


def rows_of(data: Dataset) -> Array:
    """Inputs and target of each row side by side, (n, …)."""
    n = len(data)
    if data.y is None:
        return data.x.reshape(n, -1)
    y = np.asarray(data.y)
    return np.concatenate([data.x.reshape(n, -1), y.reshape(n, -1).astype(data.x.dtype)], axis=1)


def scaled(data: Dataset, scaler: Scaler | None) -> Dataset:
    """``data`` with its inputs on the scale that was fitted on the training part."""
    return data if scaler is None else replace(data, x=scaler.apply(data.x, keep_float64=True))


def with_targets(
    data: Dataset, loss: Loss, output: tuple[int, ...], notes: list[str], *, wide: bool = False
) -> Dataset:
    """``data`` with targets as the loss takes them, and labels checked against the model's ``output`` shape."""
    return replace(data, y=targets(np.asarray(data.y), loss, output, notes, wide=wide))


def targets(given: Array, loss: Loss, output: tuple[int, ...], notes: list[str], *, wide: bool = False) -> Array:
    """Targets as the loss takes them, for a model whose output has this shape."""
    y = loss.prepare(given)
    if wide and y.dtype == np.float32 and given.dtype == np.float64:
        y = given.reshape(y.shape)
    if loss.kind == "classification" and y.dtype.kind in "iub":
        check_classes(loss, y, classes_of(output))
    elif loss.kind in ("regression", "binary"):
        y = y.astype(np.float32) if y.dtype.kind in "iub" else y
        if y.ndim == 1 and output[1:] == (1,):
            y = y.reshape(-1, 1)
            notes.append("targets of shape (N,) were laid out as (N, 1) to match the model's single output")
        elif y.shape[1:] != output[1:]:
            raise ShapeError(
                f"targets of shape {y.shape} for a model whose output is (N, {', '.join(map(str, output[1:]))})",
                expected="equal shapes: losses do not broadcast",
                cure=f"nn.Linear({y.shape[1] if y.ndim > 1 else 1}) as the last layer, or other targets",
            )
    return y


def output_shape(model: Module, x: Array) -> tuple[int, ...]:
    """The shape of the model's output for a batch like ``x``; sizes still unknown are inferred on the way."""
    made = building.trace(model, [Spec((2, *x.shape[1:]), dtype(x.dtype))])
    if not hasattr(made, "shape"):
        raise DataError(
            f"the model returns a {type(made).__name__}",
            expected="one tensor",
            cure="a loop by hand for several outputs",
        )
    if made.shape[:1] != (2,):
        raise DataError(
            f"the model makes an output of shape {made.shape} of 2 examples of shape {x.shape[1:]}",
            expected="a row of output for each example",
            cure="x.reshape(-1, 1), for one feature" if x.ndim == 1 else None,
        )
    return tuple(made.shape)


def classes_of(output: tuple[int, ...]) -> int:
    """How many classes an output (N, classes, …) tells of; of (N,) it is one answer."""
    return output[1] if len(output) > 1 else 1


def own_names(model: Module, own: Any, parts: list[Part], x: Array, y: Array | None) -> tuple[str, ...]:
    """The names of what a step of one's own logs, found by recording it once; sizes are inferred on the way."""
    looking = Sketch("the step")
    specs = [Spec((2, *a.shape[1:]), dtype(a.dtype)) for a in (x, y) if a is not None]
    arguments = [wrap(looking.placeholder(spec)) for spec in specs]
    with building.sketching(model, looking):
        _, logs = answer(own(model, Batch(arguments[0], arguments[1] if y is not None else None)), parts)
    return tuple(sorted(logs))
