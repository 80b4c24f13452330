"""The options of the commands, each declared once: for the parser, for the help, and for the command to try next."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from weft.cli.parsing import (
    Parser,
    augmentations,
    character,
    duration,
    names,
    number,
    verdicts,
    whole,
    widths,
)

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus")
DATA = "iris, digits, wine, breast_cancer, diabetes, or a table: FILE.csv, FILE.parquet"
GROUPS = ("data", "network", "training", "measurement", "result")  # in this order in the help and in commands


def option(default: Any, group: str, help: str, **how: Any) -> Any:
    """A field that is an option of the command line, in this group of the help; ``how`` goes to argparse."""
    shown = "" if default in (None, ()) or default is False else f" ({default})"
    return field(default=default, metadata={"group": group, "how": {"help": help + shown, **how}})


@dataclass(frozen=True)
class Options:
    """What a command was asked for; the fields have the names of the options."""

    COMMAND: ClassVar[str] = ""

    data: str

    def with_changes(self, **changes: Any) -> Self:
        """The same options but for these."""
        return dataclasses.replace(self, **changes)

    def command(self) -> str:
        """The command line that asks for this.

        >>> TrainOptions("iris", hidden=(64, 64), dropout=0.2).command()
        'weft train iris --hidden 64,64 --dropout 0.2'
        """
        words = ["weft", self.COMMAND, self.data]
        for f in self.declared():
            value = getattr(self, f.name)
            if self.says(f):
                many = f.metadata["how"].get("nargs") == "+"
                words += [flag(f.name), *([] if value is True else value if many else [shown(value)])]
        return shlex.join(words)

    def says(self, f: dataclasses.Field[Any]) -> bool:
        """Whether the command line has this option."""
        return bool(getattr(self, f.name) != f.default)

    @classmethod
    def declared(cls) -> list[dataclasses.Field[Any]]:
        """The options, by group."""
        found = [f for f in dataclasses.fields(cls) if f.metadata]
        return sorted(found, key=lambda f: GROUPS.index(f.metadata["group"]))

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """What the parser found; the rest is as usual."""
        found = {f.name: getattr(arguments, f.name) for f in dataclasses.fields(cls) if hasattr(arguments, f.name)}
        made: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}
        return cls(**made)


def shown(value: Any) -> str:
    """A value as it is typed: exactly this value is read again.

    >>> shown((64, 32)), shown(()), shown(1e-5), shown(0.0012345678), shown(chr(9))
    ('64,32', 'none', '1e-05', '0.0012345678', 'tab')
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "tab" if value == "\t" else str(value)


def flag(name: str) -> str:
    """The option of a field."""
    return "--" + name.replace("_", "-")


def add_options(parser: Parser, kind: type[Options], help: str = DATA, metavar: str = "DATA") -> None:
    """Add what a command takes to its parser, which then finds what was typed and nothing else."""
    parser.add_argument("data", metavar=metavar, help=help)
    groups: dict[str, Any] = {}
    for f in kind.declared():
        name = f.metadata["group"]
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        groups[name].add_argument(flag(f.name), default=argparse.SUPPRESS, **f.metadata["how"])


# ── what all that train have in common ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SetUp(Options):
    """Data, network and training: what means the same wherever something is trained."""

    target: str | None = option(None, "data", "the column of a table to predict", metavar="COLUMN")
    ignore: tuple[str, ...] = option((), "data", "columns to leave out", type=names, metavar="COL,COL")
    separator: str = option(
        ",", "data", "what separates the cells of the file, or tab", type=character, metavar="CHARACTER"
    )
    missing: str = option("refuse", "data", "empty cells: refuse, or impute the median", choices=("refuse", "impute"))
    task: str | None = option(None, "data", "instead of recognising it", choices=("classification", "regression"))
    scale: str = option("standard", "data", "how inputs are scaled", choices=("standard", "minmax", "none"))
    augment: tuple[str, ...] = option(
        (), "data", "change the training rows at random: noise, drop, mixup, smoothing", type=augmentations,
        metavar="noise:0.1",
    )  # fmt: skip
    hidden: tuple[int, ...] | None = option(
        None, "network", "widths of the hidden layers, or none (by the size of the data)", type=widths, metavar="64,64"
    )
    activation: str = option("relu", "network", "after each hidden layer", choices=ACTIVATIONS, metavar="NAME")
    dropout: float = option(
        0.0, "network", "share of values dropped after each hidden layer", metavar="P",
        type=number(lambda p: 0 <= p < 1, "0 or more and less than 1"),
    )  # fmt: skip
    epochs: int = option(100, "training", "passes over the training rows", type=whole(1), metavar="N")
    batch_size: int = option(32, "training", "rows per step", type=whole(1), metavar="N")
    learning_rate: float = option(
        3e-3, "training", "the size of Adam's steps", metavar="RATE",
        type=number(lambda rate: 0 < rate < float("inf"), "a number above 0, usually between 1e-5 and 1e-1"),
    )  # fmt: skip
    weight_decay: float = option(
        0.0, "training", "AdamW with this much decay", metavar="RATE",
        type=number(lambda rate: 0 <= rate < float("inf"), "0 or more, usually at most 0.1"),
    )  # fmt: skip
    precision: str = option("f32", "training", "calculate in 16, 32 or 64 bits", choices=("f32", "bf16", "f16", "f64"))
    seed: int = option(0, "training", "of weights, order, split and dropout", type=whole(0), metavar="N")
    folder: str | None = option(None, "result", "where to leave the results (runs/NAME)", metavar="FOLDER")
    quiet: bool = option(False, "result", "print the verdict and the folder only", action="store_true")

    def to_train(self, kind: type[S]) -> S:
        """The same data, network, training and validation rows as options of another command."""
        known = {f.name for f in kind.declared()} - OWN
        given = {f.name: getattr(self, f.name) for f in self.declared() if f.name in known and self.says(f)}
        return kind(self.data, **given)


S = TypeVar("S", bound=SetUp)
OWN = {"folder", "quiet", "json", "seeds", "repeats"}  # of one command, whatever others call theirs


@dataclass(frozen=True)
class Held(SetUp):
    """With a part of the rows held out."""

    validation: float = option(
        0.2, "measurement", "share of the rows for validation", metavar="SHARE",
        type=number(lambda share: 0 < share < 1, "more than 0 and less than 1"),
    )  # fmt: skip


@dataclass(frozen=True)
class TrainOptions(Held):
    """What ``weft train`` was asked for."""

    COMMAND: ClassVar[str] = "train"

    patience: int | None = option(
        None, "training", "stop after N epochs without improvement", type=whole(1), metavar="N"
    )
    keep: str = option("best", "training", "which weights: of the best epoch, or the last", choices=("best", "last"))
    time_limit: str | None = option(None, "training", "stop after this time", type=duration, metavar="10m")
    pieces: int = option(1, "training", "compute each batch in N pieces, to save memory", type=whole(1), metavar="N")
    nonfinite: str = option(
        "stop", "training", "when a number is not finite", choices=("stop", "raise", "skip", "ignore")
    )
    examples: int | None = option(
        None, "measurement", "train on N rows only, validate on the rest", type=whole(1), metavar="N"
    )
    probe: bool = option(
        False, "measurement", "also train a model twice as wide, to tell underfitting", action="store_true"
    )
    fail_on: tuple[str, ...] = option(
        (), "result", "end with status 1 after these verdicts", type=verdicts, metavar="VERDICT"
    )
    resume: bool = option(
        False, "result", "go on from the checkpoints in --folder, if there are any", action="store_true"
    )


def json_option() -> Any:
    """Where the machine-readable result goes."""
    about = "write the result as JSON there as well, alone or as - to the output"
    return option(None, "result", about, nargs="?", const="-", metavar="FILE")


@dataclass(frozen=True)
class ReportOptions(TrainOptions):
    """What ``weft report`` was asked for."""

    COMMAND: ClassVar[str] = "report"

    json: str | None = json_option()


# ── studies ─────────────────────────────────────────────────────────────────────────────────────────────────


def repeats_option(default: int, least: int, help: str) -> Any:
    """How often something is repeated."""
    return option(default, "measurement", help, type=whole(least), metavar="N")


@dataclass(frozen=True)
class CrossvalOptions(SetUp):
    """What ``weft crossval`` was asked for."""

    COMMAND: ClassVar[str] = "crossval"

    folds: int = option(5, "measurement", "parts; each is held out once", type=whole(2), metavar="K")
    repeats: int = repeats_option(1, 1, "do all of it so often, with other folds")
    group: str | None = option(None, "measurement", "rows with the same value in it stay in one fold", metavar="COLUMN")
    keep: str = option(
        "last", "training", "which weights: the last, or those of the best epoch", choices=("last", "best")
    )
    json: str | None = json_option()

    def to_train(self, kind: type[S]) -> S:
        """The same, without the column that rows are grouped by among the inputs."""
        return super().to_train(kind).with_changes(ignore=self.left_out)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns to leave out: one that rows are grouped by is none to predict from."""
        return self.ignore if self.group is None or self.group in self.ignore else (*self.ignore, self.group)


@dataclass(frozen=True)
class LearningCurveOptions(Held):
    """What ``weft learning-curve`` was asked for."""

    COMMAND: ClassVar[str] = "learning-curve"

    batch_size: int | None = option(  # type: ignore[assignment]  # sizes are whole batches: few rows need small ones
        None, "training", "rows per step (32, or less where rows are few)", type=whole(1), metavar="N"
    )
    sizes: int = option(8, "measurement", "how many sizes of training set", type=whole(2), metavar="N")
    repeats: int = repeats_option(3, 1, "how often each, with other rows and weights")
    json: str | None = json_option()


@dataclass(frozen=True)
class BiasVarianceOptions(Held):
    """What ``weft bias-variance`` was asked for."""

    COMMAND: ClassVar[str] = "bias-variance"

    replicas: int = repeats_option(20, 2, "how many training sets, drawn from the rows")
    seeds: int = repeats_option(1, 1, "models for each, to tell the seed's share of the variance")
    json: str | None = json_option()


VARIED = ("weight_decay", "dropout", "learning_rate", "hidden")


@dataclass(frozen=True)
class SweepOptions(Held):
    """What ``weft sweep`` was asked for."""

    COMMAND: ClassVar[str] = "sweep"

    vary: str = option("weight_decay", "measurement", "what varies", choices=VARIED, metavar="|".join(VARIED))
    values: tuple[str, ...] = option(
        (), "measurement", "its values, such as 1e-3 1e-2; of hidden, one network each: 16 64 64,64", nargs="+",
        metavar="VALUE",
    )  # fmt: skip
    repeats: int = repeats_option(3, 2, "how often each, with other weights and order")
    json: str | None = json_option()


@dataclass(frozen=True)
class PrescribeOptions(Held):
    """What ``weft prescribe`` was asked for; ``given`` are the options that were typed, which count before a run's."""

    COMMAND: ClassVar[str] = "prescribe"

    seeds: int = repeats_option(5, 2, "how often each remedy is trained")
    json: str | None = json_option()
    given: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        found = super().of(arguments)
        typed = tuple(f.name for f in cls.declared() if hasattr(arguments, f.name))
        return dataclasses.replace(found, given=typed)

    def with_changes(self, **changes: Any) -> Self:
        return dataclasses.replace(self, given=tuple(n for n in self.given if n not in changes), **changes)

    def says(self, f: dataclasses.Field[Any]) -> bool:
        return f.name in self.given or super().says(f)
