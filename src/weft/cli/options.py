"""Every option of ``weft train``, declared once: for the parser, for the help, and for the command to try next."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass, field
from typing import Any

from weft.cli.parsing import Parser, character, names, number, whole, widths

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus")


def option(default: Any, help: str, **how: Any) -> Any:
    """A field that is an option of the command line; ``how`` goes to argparse."""
    shown = "" if default in (None, ()) or default is False else f" ({default})"
    return field(default=default, metadata={"help": help + shown, **how})


@dataclass(frozen=True)
class TrainOptions:
    """What ``weft train`` was asked for; the same names as on the command line."""

    data: str
    target: str | None = option(None, "the column of a CSV file to predict", metavar="COLUMN")
    ignore: tuple[str, ...] = option((), "columns to leave out", type=names, metavar="COL,COL")
    separator: str = option(",", "what separates the cells of the file, or tab", type=character, metavar="CHARACTER")
    missing: str = option("refuse", "empty cells: refuse, or impute the median", choices=("refuse", "impute"))
    task: str | None = option(None, "instead of recognising it", choices=("classification", "regression"))
    hidden: tuple[int, ...] | None = option(
        None, "widths of the hidden layers, or none (by the size of the data)", type=widths, metavar="64,64"
    )
    activation: str = option("relu", "after each hidden layer", choices=ACTIVATIONS, metavar="NAME")
    dropout: float = option(
        0.0, "share of values dropped after each hidden layer", metavar="P",
        type=number(lambda p: 0 <= p < 1, "0 or more and less than 1"),
    )  # fmt: skip
    epochs: int = option(100, "passes over the training rows", type=whole(1), metavar="N")
    batch_size: int = option(32, "rows per step", type=whole(1), metavar="N")
    learning_rate: float = option(
        3e-3, "the size of Adam's steps", metavar="RATE",
        type=number(lambda rate: 0 < rate < float("inf"), "a number above 0, usually between 1e-5 and 1e-1"),
    )  # fmt: skip
    weight_decay: float = option(
        0.0, "AdamW with this much decay", metavar="RATE",
        type=number(lambda rate: 0 <= rate < float("inf"), "0 or more, usually at most 0.1"),
    )  # fmt: skip
    validation: float = option(
        0.2, "share of the rows for validation", metavar="SHARE",
        type=number(lambda share: 0 < share < 1, "more than 0 and less than 1"),
    )  # fmt: skip
    examples: int | None = option(None, "train on N rows only, validate on the rest", type=whole(1), metavar="N")
    patience: int | None = option(None, "stop after N epochs without improvement", type=whole(1), metavar="N")
    keep: str = option("best", "which weights: of the best epoch, or the last", choices=("best", "last"))
    scale: str = option("standard", "how inputs are scaled", choices=("standard", "minmax", "none"))
    probe: bool = option(False, "also train a model twice as wide, to tell underfitting", action="store_true")
    seed: int = option(0, "of weights, order, split and dropout", type=whole(0), metavar="N")
    folder: str | None = option(None, "where to leave the run (runs/NAME)", metavar="FOLDER")
    quiet: bool = option(False, "print the verdict and the folder only", action="store_true")

    def with_changes(self, **changes: Any) -> TrainOptions:
        """The same options but for these."""
        return dataclasses.replace(self, **changes)

    def command(self) -> str:
        """The command line that asks for this.

        >>> TrainOptions("iris", hidden=(64, 64), dropout=0.2).command()
        'weft train iris --hidden 64,64 --dropout 0.2'
        """
        words = ["weft", "train", self.data]
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name != "data" and value != f.default:
                words += [flag(f.name)] if value is True else [flag(f.name), _shown(value)]
        return shlex.join(words)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def flag(name: str) -> str:
    """The option of a field."""
    return "--" + name.replace("_", "-")


def add_options(parser: Parser) -> None:
    """Add the options of `TrainOptions` to a parser."""
    for f in dataclasses.fields(TrainOptions):
        if f.name != "data":
            parser.add_argument(flag(f.name), default=f.default, **f.metadata)
