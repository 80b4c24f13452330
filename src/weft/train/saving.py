"""Models as files: numbers in safetensors, structure in JSON, no code anywhere.

A ``.weft`` file is a safetensors file whose metadata holds the JSON description of the layers (from the closed
registry of `weft.nn.registry`), and, where known, how inputs were scaled and encoded and what the classes are called.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from weft.data.recipe import Table
from weft.data.scale import Scaler
from weft.errors import FileError, WeftError
from weft.nn import registry
from weft.nn.module import Module
from weft.nn.state import take_types
from weft.storage import jsontext
from weft.storage.files import read, write_atomically
from weft.storage.tensors import read_tensors, write_tensors
from weft.train.preparation import Prepared
from weft.train.run import Run

FORMAT = "weft.model/1"


@dataclass(frozen=True, eq=False)
class Saved:
    """What a model file holds besides the model: how to feed it and how to read its output."""

    model: Module
    loss: str | None = None
    classes: tuple[str, ...] = ()
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None
    table: Table | None = None
    input_shape: tuple[int, ...] = ()


def save(
    model: Module,
    path: str | os.PathLike[str],
    *,
    loss: str | None = None,
    classes: tuple[str, ...] = (),
    scaler: Scaler | None = None,
    target_scaler: Scaler | None = None,
    table: Table | None = None,
    input_shape: tuple[int, ...] = (),
) -> Path:
    """Write a model to one file, atomically; `load` gives it back. What else is given says how to feed and read it.

    A model that does not come back from its description, because a part of it was replaced, is refused.

    >>> import tempfile, weft as wf
    >>> from weft import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = wf.save(model, folder + "/small.weft")
    ...     bool((wf.load(path)(wf.ones((1, 2))) == model(wf.ones((1, 2)))).all())
    True
    """
    saved = Saved(model, loss, classes, scaler, target_scaler, table, input_shape)
    return write_atomically(path, write_tensors(_arrays(model), {"weft": json.dumps(_description(saved))}))


def _arrays(model: Module) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.asarray(value, order="C") for name, value in model.state_dict().items()}


def _description(saved: Saved) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": registry.checked_description(saved.model),
        "loss": saved.loss,
        "classes": list(saved.classes),
        "scaler": saved.scaler.to_json() if saved.scaler is not None else None,
        "target_scaler": saved.target_scaler.to_json() if saved.target_scaler is not None else None,
        "table": saved.table.to_json() if saved.table is not None else None,
        "input_shape": list(saved.input_shape),
    }


def load(path: str | os.PathLike[str]) -> Module:
    """The model that `save` wrote. Nothing of the file is executed: layers come from a closed registry."""
    return load_saved(path).model


def load_saved(path: str | os.PathLike[str]) -> Saved:
    """The model with everything that was saved beside it."""
    arrays, description = _read(path)
    try:
        model = registry.construct(description["model"])
        take_types(model, arrays)
        model.load_state_dict(arrays)
        return Saved(
            model,
            description["loss"],
            tuple(map(str, description["classes"])),
            Scaler.from_json(description["scaler"]) if description["scaler"] is not None else None,
            Scaler.from_json(description["target_scaler"]) if description["target_scaler"] is not None else None,
            Table.from_json(description["table"]) if description["table"] is not None else None,
            tuple(map(int, description["input_shape"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, WeftError):
            raise
        raise _not_ours(path, f"its description lacks or garbles {error}") from error


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    content = read(path, "a model file that wf.save wrote")
    try:
        arrays, metadata = read_tensors(content, "its tensors")
        if "weft" not in metadata:
            raise FileError("it has tensors, and no description of a model")
        description = jsontext.parse(metadata["weft"], depth=256, words=True)
    except FileError as error:
        raise _not_ours(path, error.received) from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise _not_ours(path, f"its format is {description.get('format') if isinstance(description, dict) else '?'!r}")
    return arrays, description


def _not_ours(path: Any, why: str) -> FileError:
    return FileError(
        f"{path} is no model of Weft, or it is damaged: {why}",
        expected=f"a whole file of the format {FORMAT} that wf.save wrote",
        cure="save the model again, or copy the file again if it was cut short",
    )


def write_run(run: Run, folder: str | os.PathLike[str], prepared: Prepared) -> Path:
    """Leave a run in a folder: model, history, evidence, diagnosis, settings, report."""
    target, training = Path(folder), prepared.training
    save(
        run.model,
        target / "model.weft",
        loss=run.settings["loss"],
        classes=tuple(training.classes),
        scaler=prepared.scaler,
        target_scaler=prepared.target_scaler,
        table=getattr(training, "table", None),
        input_shape=tuple(prepared.sample.x.shape[1:]),
    )
    write_atomically(target / "history.csv", run.history.to_csv())
    about = {"stopped": run.stopped, "best_epoch": run.best_epoch, "held_epoch": run.held_epoch, "seconds": run.seconds}
    described = {"format": "weft.run/1", **about, "settings": run.settings, "notes": run.notes}
    if run.split is not None:
        described["split"] = {"train": run.split.train.tolist(), "validation": run.split.validation.tolist()}
    write_atomically(target / "run.json", json.dumps(described, indent=1))
    if run.evidence is not None:
        write_atomically(target / "evidence.json", run.evidence.to_json())
        write_atomically(target / "diagnosis.json", run.diagnosis.to_json())
    run.report(target / "report.html")
    return target
