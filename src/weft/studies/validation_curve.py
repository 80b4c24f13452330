"""The validation curve: the error against one setting, such as the size of the model or the strength of its decay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from weft.data.naming import closest, listing, plural
from weft.errors import ArgumentError, DataError
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.overfit.selection import Selection, one_standard_error
from weft.studies.population import Population
from weft.studies.result import PopulationRun
from weft.studies.rows import divided
from weft.studies.scores import direction, error_name, errors
from weft.studies.setup import as_population, check_held_out, check_how, to_the_end
from weft.train.options import takes, whole

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class ValidationCurve:
    """The result of `validation_curve`: for each of ``values`` the scores of its repeats, (values, repeats).

    ``best`` is the value with the lowest mean validation error, ``select()`` the simplest one within a standard error
    of it. Of a metric that should rise, such as accuracy, the scores are the errors, 1 − accuracy.
    """

    setting: str
    values: tuple[Any, ...]
    train: Array
    validation: Array
    metric: str
    runs: tuple[PopulationRun, ...]
    mode: str | None = None

    @property
    def best(self) -> Any:
        """The value whose mean validation error is lowest; DataError if there is none of any value."""
        self._check_some()
        means = self.validation.mean(axis=1)
        return self.values[int(np.where(np.isfinite(means), means, np.inf).argmin())]

    def _check_some(self) -> None:
        """Refuse errors that are finite for no value; where no model diverged, the metric itself is not defined."""
        if np.isfinite(self.validation.mean(axis=1)).any():
            return
        if self.metric == "loss" or any(run.diverged.any() for run in self.runs):
            raise DataError(
                f"every value of {self.setting} diverged", expected="at least one finite error", cure="smaller values"
            )
        raise DataError(
            f"the {self.metric} is not defined on these {plural(len(self.runs[0].members[0].validation), 'row')} of"
            " validation",
            expected="rows on which it is, such as both classes for an area under a curve",
            cure="a larger validation=",
        )

    @property
    def looks(self) -> int:
        """How often the validation rows were asked: once for each value, or after each epoch of it to keep the best."""
        if not self.runs or self.runs[0].keep != "best":
            return len(self.values)
        epochs = np.concatenate([run.done for run in self.runs]).reshape(self.validation.shape)
        return int(epochs.max(axis=1).sum())

    def select(self, *, simplest_first: bool = True) -> Selection:
        """The simplest value within one standard error of the best, and how much the look at so many flatters it."""
        self._check_some()
        order = np.flatnonzero(np.isfinite(self.validation).all(axis=1))[:: 1 if simplest_first else -1]
        return one_standard_error(
            [self.values[k] for k in order],
            self.validation[order],  # a value that diverged is not chosen
            metric=error_name(self.metric, self.mode),
            test_over_train=0,  # other seeds on the same rows, no folds
            looks=self.looks,
        )

    def plot(self) -> Any:
        """Training and validation error against the setting, as a matplotlib figure."""
        self._check_some()
        from weft.view.setting import plot_setting

        finite = int(np.isfinite(self.validation).all(axis=1).sum())
        chosen = self.select() if self.validation.shape[1] > 1 and finite > 1 else None
        return plot_setting(
            self.values,
            self.train,
            self.validation,
            label=self.setting,
            metric=error_name(self.metric, self.mode),
            chosen=chosen,
        )

    def __str__(self) -> str:
        name = error_name(self.metric, self.mode)
        lines = [f"{'':>12}  {'training':>18}  {'validation':>18}   ({name}, mean ± standard error)"]
        best = self.best if np.isfinite(self.validation.mean(axis=1)).any() else None
        for value, t, v in zip(self.values, self.train, self.validation, strict=True):
            shown = f"{value:g}" if isinstance(value, Real) else str(value)
            mark = "  ← lowest" if best is not None and value == best else ""
            lines.append(f"{shown:>12}  {spread(t):>18}  {spread(v):>18}{mark}")
        return "\n".join([f"Validation curve over {self.setting}", *lines])


def spread(values: Array) -> str:
    """Mean ± standard error of the repeats.

    >>> spread(np.array([1.0, 2.0, 3.0]))
    '2 ± 0.58'
    """
    if not np.isfinite(values).all():
        return "not finite"
    if len(values) < 2:
        return f"{values[0]:.4g}"
    return f"{values.mean():.4g} ± {values.std(ddof=1) / np.sqrt(len(values)):.2g}"


def validation_curve(
    make: Any,
    data: Any,
    setting: str,
    values: Sequence[Any],
    *,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    metric: str = "loss",
    mode: str | None = None,
    repeats: int = 3,
    validation: Any = 0.2,
    seed: int = 0,
    keep: str = "best",
    **how: Any,
) -> ValidationCurve:
    """Train with each value of one setting, several times each.

    ``setting``  a number of the optimizer ("learning_rate", "weight_decay", …), "dropout" or "label_noise": all values
                 are one program. Any other name is that of the argument of ``make``: ``make(value)`` makes the model,
                 and each value is a program of its own
    ``values``   from the simplest model to the most powerful one
    ``repeats``  how often each, with other first values and another order
    ``mode``     "min" or "max": whether the ``metric`` should fall or rise, where its name does not say so

    Everything else as of `cross_validate`.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> make = lambda width: nn.Sequential(nn.Linear(width), nn.ReLU(), nn.Linear(3))
    >>> found = wf.validation_curve(make, wf.data.iris(), "width", [1, 8], repeats=2, loss="cross_entropy", epochs=5,
    ...     optimizer=optim.Adam(1e-2), verbose=False)
    >>> found.validation.shape, found.best
    ((2, 2), 8)
    """
    if len(values) < 2:
        raise ArgumentError(f"values={list(values)!r}", expected="2 or more", cure="[1e-4, 1e-3, 1e-2]")
    whole("repeats", repeats, 1)
    check_how("validation_curve", how)
    check_held_out("validation_curve", validation)
    numeric = [*(optimizer or getattr(make, "optimizer", None) or Adam()).numbers_of.values, "dropout", "label_noise"]
    as_setting = setting in numeric
    if as_setting:
        population = as_population(make, loss, optimizer, metrics, seed=seed)
        made = [population]
    else:
        made = [of_value(make, value, setting, numeric, loss, optimizer, metrics, seed) for value in values]
        population = made[0]
    towards = direction(population, metric, mode)
    given, train, held = divided(data, validation, seed, wide=population.wide)
    seeds = [seed + k for k in range(repeats)]
    common = {"seeds": seeds, "rows": [(train, held)] * repeats, "keep": keep, **how}
    if as_setting:
        count = len(values)
        together = {**common, "seeds": seeds * count, "rows": [(train, held)] * (repeats * count)}
        run = population.fit(
            given, settings={setting: np.repeat(np.asarray(values, float), repeats).tolist()}, **together
        )
        runs: tuple[PopulationRun, ...] = (run,)
    else:
        runs = tuple(to_the_end(population.fit(given, **common)) for population in made)
    train_, val_ = (
        np.concatenate([errors(run, part, metric, towards) for run in runs]).reshape(len(values), repeats)
        for part in ("train", "val")
    )
    return ValidationCurve(setting, tuple(values), train_, val_, metric, runs, towards)


def of_value(
    make: Any,
    value: Any,
    setting: str,
    numeric: Sequence[str],
    loss: Any,
    optimizer: Optimizer | None,
    metrics: Sequence[Any],
    seed: int,
) -> Population:
    """The population of models that ``make(value)`` makes; ``numeric`` are the settings that need no such function."""
    if isinstance(make, Population) or not callable(make):
        raise ArgumentError(
            f"{setting!r} is no number of the optimizer, and {type(make).__name__} takes no value",
            expected=f"a function of {setting} that makes a model",
            cure=f"lambda {setting}: nn.Sequential(nn.Linear({setting}), nn.ReLU(), nn.Linear(3))",
        )
    if not takes(make, 1):  # most often a number of the optimizer whose name was mistyped
        near = closest(setting, numeric)
        raise ArgumentError(
            f"{setting!r} is no number of the optimizer, and the function that makes a model takes no value",
            expected=f"a function of {setting}, or one of {listing(numeric)}",
            cure=repr(near) if near else f"lambda {setting}: …",
        )
    build: Callable[[], Any] = lambda: make(value)
    return as_population(build, loss, optimizer, metrics, seed=seed)
