"""From what a person hands over to data that can be trained on: split, checked, in the form that the loss takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.data.check import check_labels, check_scaled
from weft.data.dataset import Dataset, as_dataset
from weft.data.leakage import Leakage, leakage
from weft.data.scale import Scaler
from weft.data.split import split
from weft.errors import ArgumentError, DataError, ShapeError
from weft.graph.dtype import dtype
from weft.graph.spec import Spec
from weft.nn import building
from weft.nn.module import Module

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Checked training and validation data, what both share, and notes for the reader."""

    training: Dataset
    held_out: Dataset | None
    leak: Leakage | None
    notes: tuple[str, ...]
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None

    @property
    def n_val(self) -> int:
        return len(self.held_out) if self.held_out is not None else 0


def prepare(
    data: Any, validation: Any, model: Module, loss: Any, seed: int, scale: Any, scale_target: bool, **how: Any
) -> Prepared:
    """Split, scale and check ``data`` for training ``model`` by ``loss``; ``how`` goes to `weft.data.split`."""
    whole = as_dataset(data)
    if whole.y is None:
        raise DataError("data without targets y", expected="a pair (x, y)", cure="trainer.fit((x, y), …)")
    notes: list[str] = []
    if validation is None:
        training, held_out = whole, None
    else:
        chosen = split(whole, validation, seed=seed, **how)
        training, held_out = chosen.apply(whole)
        notes.append(chosen.describe())
    # A row is a copy when its target is the same too: measurements alone repeat by chance.
    leak = leakage(rows_of(training), rows_of(held_out)) if held_out is not None else None
    if leak:
        notes.append(leak.describe())
    scaler: Scaler | None = scale if isinstance(scale, Scaler | None) else Scaler.fit(training.x, scale)
    training, held_out = scaled(training, scaler), scaled(held_out, scaler) if held_out is not None else None
    if scaler is None and (advice := check_scaled(training.x, training.features)):
        notes.append(advice)
    output = output_shape(model, training.x)
    training = with_targets(training, loss, output, notes)
    held_out = with_targets(held_out, loss, output, []) if held_out is not None else None
    target_scaler = None
    if scale_target:
        if loss.kind != "regression":
            raise ArgumentError(f"scale_target=True with the loss {loss.name!r}", expected="a regression loss")
        target_scaler = Scaler.fit(np.asarray(training.y))
        notes.append("losses and errors are in units of the target's standard deviation")
        training = replace(training, y=target_scaler.apply(np.asarray(training.y)))
        if held_out is not None:
            held_out = replace(held_out, y=target_scaler.apply(np.asarray(held_out.y)))
    return Prepared(training, held_out, leak, tuple(notes), scaler, target_scaler)


def rows_of(data: Dataset) -> Array:
    """Inputs and target of each row side by side, (n, …)."""
    n, y = len(data), np.asarray(data.y)
    return np.concatenate([data.x.reshape(n, -1), y.reshape(n, -1).astype(data.x.dtype)], axis=1)


def scaled(data: Dataset, scaler: Scaler | None) -> Dataset:
    """``data`` with its inputs on the scale that was fitted on the training part."""
    return data if scaler is None else replace(data, x=scaler.apply(data.x))


def with_targets(data: Dataset, loss: Any, output: tuple[int, ...], notes: list[str]) -> Dataset:
    """``data`` with targets as the loss takes them, and labels checked against the model's ``output`` shape."""
    y = loss.prepare(np.asarray(data.y))
    if loss.kind == "classification" and y.dtype.kind in "iub" and y.ndim == 1:
        check_labels(y, output[-1], f"the size of the model's last layer, {output[-1]}")
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
    return replace(data, y=y)


def output_shape(model: Module, x: Array) -> tuple[int, ...]:
    """The shape of the model's output for a batch like ``x``; sizes still unknown are inferred on the way."""
    made = building.trace(model, [Spec((2, *x.shape[1:]), dtype(x.dtype))])
    if not hasattr(made, "shape"):
        raise DataError(
            f"the model returns a {type(made).__name__}",
            expected="one tensor",
            cure="a loop by hand for several outputs",
        )
    return tuple(made.shape)
