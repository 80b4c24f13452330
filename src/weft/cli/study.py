"""What the studies share: data and set-up from the options, and how a result is said, drawn and written."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.cli.earlier import RESULT
from weft.cli.folders import FORMATS, run_folder
from weft.cli.options import Held, SetUp
from weft.cli.setup import augmentation_of, classifies, loss_of, metric_of, optimizer_of, parted, planned, scale_of
from weft.cli.wording import facts, wrapped
from weft.errors import DataError, FileError

if TYPE_CHECKING:
    from weft.cli.models import Perceptron
    from weft.data.dataset import Dataset
    from weft.data.split import Split
    from weft.nn.module import Module
    from weft.studies.population import Population

Array = np.ndarray[Any, Any]
LOSSES = {"cross_entropy": "cross-entropy", "mse": "1: that of always the mean"}


@dataclass(frozen=True)
class Study:
    """Data, network and augmentation of a study.

    The target of a regression counts in its standard deviation, which is ``unit``; ``given`` is the data as it was.
    """

    options: Any
    given: Dataset
    data: Dataset
    plan: Perceptron
    augment: list[Any] | None
    unit: float

    @classmethod
    def of(cls, options: SetUp, data: Dataset, rows: int, batch_size: int | None = None) -> Study:
        """The study of these options with about so many training rows."""
        if batch_size is not None:
            options = options.with_changes(batch_size=batch_size)
        plan = planned(options, data, rows)
        # What fills empty cells is found anew for each set of training rows, which reads the target anew as well: in
        # its own unit.
        counted, unit = in_deviations(data if classifies(data) else dataclasses.replace(data, source=None))
        return cls(options, data, counted, plan, augmentation_of(options, data), unit)

    @classmethod
    def held(cls, options: Held, data: Dataset, batch_size: int | None = None) -> tuple[Study, Split]:
        """The same, and its training and validation rows; what fills empty cells comes from the former."""
        chosen = parted(options, data, options.validation)
        return cls.of(options, data.fitted_on(chosen.train), len(chosen.train), batch_size), chosen

    def population(self, make: Callable[..., Module] | None = None) -> Population:
        """What is trained many times."""
        from weft.studies.population import Population

        options = self.options
        return Population(
            make or self.plan.build,
            loss_of(self.data),
            optimizer_of(options),
            [metric_of(self.data)],
            precision=options.precision,
            seed=options.seed,
        )

    @property
    def how(self) -> dict[str, Any]:
        """How each model is trained."""
        options = self.options
        return {
            "epochs": options.epochs,
            "batch_size": options.batch_size,
            "scale": scale_of(options),
            "augment": self.augment,
            "verbose": not options.quiet,
        }

    @property
    def metric(self) -> str:
        """What a person wants to know besides the loss."""
        return metric_of(self.data)

    def named(self, name: str) -> str:
        """A loss or a metric in words."""
        if name == "mae":
            return f"mean absolute error of {self.data.target}"
        return f"loss ({LOSSES[loss_of(self.data)]})" if name == "loss" else name

    def in_unit(self, name: str, value: Any) -> Any:
        """A value as a person counts it: an absolute error in the target's own unit."""
        return value * self.unit if name == "mae" else value

    @property
    def baseline(self) -> float:
        """The metric of always guessing the same: the most frequent class, or the median."""
        y = np.asarray(self.data.y)
        if classifies(self.data):
            return float(np.bincount(y.reshape(-1)).max() / len(y))
        return float(np.abs(y - np.median(y)).mean()) * self.unit

    def opening(self, *more: tuple[str, str], varied: str = "") -> str:
        """What will be done; ``varied`` is the option that differs from model to model."""
        from weft.cli.setup import set_up

        return facts([*set_up(self.options, self.given, self.plan, self.options.batch_size, varied=varied), *more])


def in_deviations(data: Dataset) -> tuple[Dataset, float]:
    """The target of a regression with mean 0 and standard deviation 1, and what that was; other data as it is."""
    if data.y is None or classifies(data):
        return data, 1.0
    y = np.asarray(data.y, np.float64)
    unit = float(y.std())
    if not unit:
        raise DataError(f"the target {data.target!r} is {y.flat[0]:g} in every row", expected="a target that varies")
    return dataclasses.replace(data, y=((y - y.mean()) / unit).astype(np.float32)), unit


def spread(values: Array) -> str:
    """Mean ± standard error of some values.

    >>> spread(np.array([1.0, 2.0, 3.0])), spread(np.array([0.5])), spread(np.array([0.5, np.nan]))
    ('2.00 ± 0.58', '0.5', 'not finite')
    """
    from weft.overfit.result import plus_minus

    if not np.isfinite(values).all():
        return "not finite"
    if len(values) < 2:
        return f"{values[0]:.4g}"
    return plus_minus(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))


# ── what is left ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Place:
    """Where the results of a study go, and what is printed where."""

    options: Any
    folder: Path
    replaces: bool = False

    def say(self, text: str) -> None:
        """Print for people: not where the JSON goes."""
        print(text, file=sys.stderr if self.options.json == "-" else sys.stdout, flush=True)

    def open(self, text: str) -> None:
        """Say what will be done, unless asked to be quiet."""
        earlier = [("folder", f"{self.folder} holds an earlier study, which is replaced")] if self.replaces else []
        if not self.options.quiet:
            self.say("\n".join([text, *map(facts, [earlier] if earlier else []), ""]))

    def leave(self, verdict: str, text: str, result: dict[str, Any], figure: Any = None) -> None:
        """Write picture and result, then say the verdict and the rest, and where the files are."""
        from weft.storage.files import write_atomically

        files = []
        if figure is not None:
            files.append(("picture", str(write_atomically(self.folder / "plot.png", drawn(figure)))))
        about = {"format": FORMATS[RESULT], "command": self.options.command(), "verdict": verdict}
        content = as_json(about | result | {"options": dataclasses.asdict(self.options)})
        files.append(("result", str(write_atomically(self.folder / RESULT, content))))
        if self.options.json not in (None, "-"):
            files.append(("JSON", str(write_atomically(self.options.json, content))))
        said = wrapped(verdict, "Verdict: ", "  ")
        self.say(f"{said}\n{self.folder}" if self.options.quiet else f"\n{said}\n{text}\n\n{facts(files)}")
        if self.options.json == "-":
            print(content, end="")


@contextmanager
def place(options: Any, name: str) -> Iterator[Place]:
    """The folder of a study, there for the block; an earlier study in a folder that was asked for is replaced."""
    if options.json not in (None, "-") and not Path(options.json).parent.is_dir():
        raise FileError(
            f"--json {options.json}: there is no folder {str(Path(options.json).parent)!r}", expected="a folder"
        )
    with run_folder(options.folder, f"{name}-{options.COMMAND}", "study") as (folder, replaces):
        yield Place(options, folder, replaces)


def drawn(figure: Any) -> bytes:
    """A figure as a PNG."""
    import io

    from weft.view.style import look

    buffer = io.BytesIO()
    with look():
        figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def as_json(value: Any) -> str:
    """Standard JSON: what is not finite as null.

    >>> json.loads(as_json({"a": float("nan"), "b": np.float32(0.5), "c": np.arange(2)}))
    {'a': None, 'b': 0.5, 'c': [0, 1]}
    """
    return json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """Numbers, texts, lists and dicts, of arrays, dataclasses and whatever holds them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
