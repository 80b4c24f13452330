"""The learning curve: the error against the number of training rows, and what more of them would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from weft.data.naming import plural
from weft.data.order import generator
from weft.errors import ArgumentError, DataError
from weft.optim.optimizer import Optimizer
from weft.overfit.powerlaw import PowerLaw, fit_power_law
from weft.studies.result import PopulationRun
from weft.studies.rows import divided
from weft.studies.scores import direction, error_name, errors
from weft.studies.setup import as_population, check_held_out, check_how
from weft.train.options import whole

Array = np.ndarray[Any, Any]
SUBSET = 5  # the purpose of the random numbers that choose training rows


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """The result of `learning_curve`: for each of ``sizes`` the scores of its repeats, (sizes, repeats).

    ``train`` are those on the training rows, ``validation`` those on the validation rows, ``law`` the power law fitted
    to the latter, which says what more data would bring, or why that cannot be said. Of a metric that should rise, such
    as accuracy, the scores are the errors, 1 − accuracy.
    """

    sizes: Array
    train: Array
    validation: Array
    metric: str
    run: PopulationRun
    mode: str | None = None

    @cached_property
    def law(self) -> PowerLaw:
        """The power law of the validation errors; DataError where one of them is no error that it could describe."""
        named = error_name(self.metric, self.mode)
        if (self.validation < 0).any():
            raise DataError(
                f"{named} is {self.validation.min():.3g} at least",
                expected="errors from 0 for a power law", cure='metric="loss" of a loss that is not negative',
            )  # fmt: skip
        return fit_power_law(self.sizes, self.validation, metric=named)

    def plot(self) -> Any:
        """The curve with the fitted law and its forecast, as a matplotlib figure."""
        from weft.view.learning_curve import plot_learning_curve

        return plot_learning_curve(self.law, self.train)

    def __str__(self) -> str:
        return str(self.law)


def learning_curve(
    make: Any,
    data: Any,
    sizes: Sequence[int] | int = 8,
    *,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    metric: str = "loss",
    mode: str | None = None,
    repeats: int = 3,
    validation: Any = 0.2,
    batch_size: int = 32,
    seed: int = 0,
    keep: str = "best",
    **how: Any,
) -> LearningCurve:
    """Train on growing parts of the training rows, several times each, all in one program.

    ``sizes``    numbers of rows, or how many sizes: spread evenly on a logarithmic scale, in whole batches
    ``repeats``  how often each, with other rows and other first values
    ``metric``   what is drawn and fitted; of what should rise, such as accuracy, the errors 1 − accuracy
    ``mode``     "min" or "max": whether the metric should fall or rise, where its name does not say so

    Everything else as of `cross_validate`. The validation rows are the same for all.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> make = lambda: nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> found = wf.learning_curve(make, wf.data.iris(), [32, 64, 96], repeats=2, loss="cross_entropy", epochs=4,
    ...     verbose=False)
    >>> found.validation.shape
    (3, 2)
    """
    whole("repeats", repeats, 1)
    whole("batch_size", batch_size, 1)
    check_how("learning_curve", how)
    check_held_out("learning_curve", validation)
    population = as_population(make, loss, optimizer, metrics, seed=seed)
    towards = direction(population, metric, mode)
    given, train, held = divided(data, validation, seed, wide=population.wide)
    chosen = sizes_of(sizes, len(train), batch_size)
    rows, seeds = [], []
    for k in range(repeats):
        order = generator(seed + k, 0, SUBSET).permutation(train)
        rows += [(np.sort(order[:n]), held) for n in chosen]
        seeds += [seed + 1000 * k + j for j in range(len(chosen))]
    run = population.fit(given, rows=rows, seeds=seeds, batch_size=batch_size, keep=keep, **how)
    on_train, on_val = (errors(run, part, metric, towards).reshape(repeats, -1).T for part in ("train", "val"))
    return LearningCurve(np.array(chosen), on_train, on_val, metric, run, towards)


def sizes_of(sizes: Sequence[int] | int, rows: int, batch: int) -> list[int]:
    """Numbers of training rows, in whole batches where they were not given.

    >>> sizes_of(4, 1000, 32)
    [32, 96, 320, 992]
    """
    if isinstance(sizes, int | np.integer):
        if sizes < 2 or rows < 2 * batch:
            raise ArgumentError(
                f"{plural(sizes, 'size')} of {plural(rows, 'training row')} in batches of {batch}",
                expected="2 sizes or more, and at least two batches of rows",
                cure=f"batch_size={max(1, rows // 8)}",
            )
        most = rows // batch
        steps = np.unique(np.rint(np.geomspace(1, most, sizes)).astype(int))
        return [int(k) * batch for k in steps]
    for n in sizes:
        whole("sizes", n, 1)
    given = sorted({int(n) for n in sizes})
    if len(given) < 2 or given[0] < 1 or given[-1] > rows:
        raise ArgumentError(
            f"sizes={list(sizes)!r} of {plural(rows, 'training row')}",
            expected=f"2 different numbers or more, from 1 to {rows}",
        )
    return given
