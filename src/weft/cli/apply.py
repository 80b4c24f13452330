"""``weft predict`` and ``weft evaluate``: a trained model on another table."""

from __future__ import annotations

import argparse
import csv
import io
import math
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.cli.wording import facts, table
from weft.errors import DataError

if TYPE_CHECKING:
    from weft.data.recipe import Table
    from weft.nn.losses import Loss
    from weft.train.saving import Saved
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]


def add_commands(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "predict", help="predict from a table", description="Predict each row of a table by the model of a run; CSV."
    )
    _add_places(parser)
    parser.add_argument("--output", metavar="FILE", help="write there, whole or not at all, instead of printing")
    parser.set_defaults(run=predict, parser=parser)
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on a table",
        description="Loss and metrics of the model of a run on a table that has the target's column.",
    )
    _add_places(parser)
    parser.set_defaults(run=evaluate, parser=parser)


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN", help="the folder of the run, such as runs/iris")
    parser.add_argument("file", metavar="FILE.csv", help="a table with the columns of training")


def predict(arguments: argparse.Namespace) -> int:
    """Print a row for each row: its number, the prediction, and for classes their probabilities."""
    from weft.storage.files import write_atomically

    applied = Applied.of(arguments.folder)
    x = applied.recipe(arguments.file).encode(arguments.file)
    text = applied.predictions(x)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        path = write_atomically(arguments.output, text)
        print(f"{len(x)} predictions written to {path}", file=sys.stderr)
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Print the loss and the metrics."""
    applied = Applied.of(arguments.folder)
    if applied.kind == "custom":
        raise DataError(
            f"{arguments.folder} was trained with a loss of its own, {applied.saved.loss or 'whose name is not known'}",
            expected="a loss of Weft: others can be computed only where they were written",
            cure=f"weft predict {shlex.quote(arguments.folder)} {shlex.quote(arguments.file)}",
        )
    data = applied.recipe(arguments.file).dataset(arguments.file, name=Path(arguments.file).name)
    if data.y is None:
        raise DataError(
            f"{arguments.file} has no column {data.target!r}, the target",
            expected="the answers, to compare the predictions with",
            cure=f"weft predict {shlex.quote(arguments.folder)} {shlex.quote(arguments.file)}",
        )
    data = replace(data, x=applied.shaped(data.x))
    found = applied.trainer.evaluate(data)
    print(facts([("model", f"{arguments.folder}"), ("data", f"{data.name}: {len(data)} rows")]))
    print(table(applied.scores(found, np.asarray(data.y), data.x)))
    return 0


def loss_of(name: str | None) -> Loss:
    """The loss of that name; one that Weft does not know counts as a person's own, whose numbers are as they are."""
    from weft.nn.losses import LOSSES, Loss

    return LOSSES[name] if name in LOSSES else Loss(name or "unknown", lambda prediction, target: prediction, "custom")


@dataclass(frozen=True)
class Applied:
    """A model that was saved, ready to be used on other rows."""

    saved: Saved
    trainer: Trainer

    @classmethod
    def of(cls, run: str) -> Applied:
        """The model of a run, with its scaling and the names of its classes. Raises FileError."""
        from weft.cli.folders import part_of
        from weft.train.saving import load_saved
        from weft.train.trainer import Trainer

        saved = load_saved(part_of(run, "model.weft"))
        loss = loss_of(saved.loss)
        metrics = {"regression": ["mae"], "custom": []}.get(loss.kind, ["accuracy"])
        trainer = Trainer(saved.model, loss, metrics=metrics)
        trainer.scaler, trainer.target_scaler, trainer.classes = saved.scaler, saved.target_scaler, saved.classes
        return cls(saved, trainer)

    def recipe(self, path: str) -> Table:
        """How a file becomes inputs: as in training, or where no names were known, column by column in order."""
        if self.saved.table is not None:
            return self.saved.table
        from weft.data.column import Column
        from weft.data.frame import read_frame
        from weft.data.recipe import Table

        header = [str(name) for name in read_frame(path).columns]
        n = math.prod(self.saved.input_shape)
        if len(header) not in (n, n + 1):
            raise DataError(
                f"{path} has {len(header)} columns",
                expected=f"the {n} inputs in the order of training, and after them the target if there is one",
            )
        columns = tuple(Column(name, "number") for name in header[:n])
        task: Any = "regression" if self.kind == "regression" else "classification"
        return Table(columns, header[n] if len(header) > n else "target", self.saved.classes, task, "")

    @property
    def kind(self) -> str:
        """Classification, regression, or what else the loss is."""
        assert self.trainer.loss is not None
        return self.trainer.loss.kind

    def shaped(self, x: Array) -> Array:
        """Rows (n, features) in the shape that the model takes."""
        return x.reshape(len(x), *self.saved.input_shape)

    def predictions(self, x: Array) -> str:
        """The predictions for the rows of ``x`` as CSV."""
        x = self.shaped(x)
        predicted = self.trainer.predict(x).reshape(len(x), -1)
        names, shares = self.saved.classes, self.probabilities(x)
        if self.kind in ("regression", "custom") or not names:
            texts = [[f"{value:.7g}" for value in row] for row in predicted]
        else:
            texts = [[names[k] for k in row] for row in predicted]
        head = ["prediction"] if predicted.shape[1] == 1 else [f"prediction {k}" for k in range(predicted.shape[1])]
        head += [f"p({names[k] if k < len(names) else k})" for k in range(shares.shape[1])]
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", *head])
        for k, (text, share) in enumerate(zip(texts, shares, strict=True), 1):
            writer.writerow([k, *text, *(f"{p:.4f}" for p in share)])
        return file.getvalue()

    def probabilities(self, x: Array) -> Array:
        """The probability of each class, (n, classes); (n, 0) where the model does not classify into one of several."""
        if self.kind != "classification":
            return np.empty((len(x), 0))
        outputs = self.trainer.outputs(x).astype(np.float64)
        grown = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))

    def scores(self, found: dict[str, float], y: Array, x: Array) -> list[tuple[str, str]]:
        """Loss and metrics in words, errors of a regression in the target's own unit."""
        from weft.cli.scores import Errors

        rows = [(f"loss ({self.saved.loss})", f"{found['loss']:.4g}")]
        if self.kind == "regression":
            target = self.saved.table.target if self.saved.table is not None else "the target"
            scaled = " in standard deviations of the training targets" if self.saved.target_scaler else ""
            return [(rows[0][0] + scaled, rows[0][1]), *Errors.of(y, self.trainer.predict(x)).lines(target)]
        right = round(found["accuracy"] * len(y))
        return [*rows, (f"accuracy ({right} of {len(y)} right)", f"{found['accuracy']:.4f}")]
