"""Populations: many models of one architecture, trained together as one program."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from weft.data.dataset import as_dataset
from weft.errors import ArgumentError, DataError
from weft.nn.losses import get_loss
from weft.nn.module import Module
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.studies.member import check_settings, drawn, settings_of
from weft.studies.program import HOW
from weft.studies.result import PopulationRun
from weft.studies.rows import members_of, rows_of
from weft.studies.training import Training
from weft.train.metrics.watch import sort_out
from weft.train.options import check_end, check_optimizer, check_patience, whole
from weft.train.precision import Precision, get_precision
from weft.train.preparation import output_shape, with_targets
from weft.train.progress import Progress


class Population:
    """K models of one architecture, trained as one program; each as `Trainer.fit` would train it alone.

    ``make``       a function that makes a model, or a model: each member's first values are drawn from its own seed
    ``loss, optimizer, metrics, precision``   as of a `Trainer`; metrics of whole data sets, such as "roc_auc", are no
                   columns of the history: they are computed when they are asked for, by ``run.held("val_roc_auc")``
    ``how``        "mapped" (one after the other, on each core at once), "vectorised" (side by side), or "auto", which
                   takes what is faster on this device

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> make = lambda: nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> population = wf.Population(make, "cross_entropy", optim.Adam(1e-2), ["accuracy"])
    >>> run = population.fit(wf.data.iris(), members=3, epochs=5, verbose=False)
    >>> run["val_accuracy"].shape, len(run.models)
    ((3, 5), 3)
    """

    def __init__(
        self,
        make: Callable[[], Module] | Module,
        loss: Any,
        optimizer: Optimizer | None = None,
        metrics: Sequence[Any] = (),
        *,
        precision: str | Precision = "f32",
        how: str = "auto",
        seed: int = 0,
    ) -> None:
        if not callable(make):
            raise ArgumentError(
                f"a Population of {type(make).__name__}", expected="a function that makes a model", cure="lambda: model"
            )
        if how not in HOW:
            raise ArgumentError(f"how={how!r}", expected=f"one of {', '.join(HOW)}")
        if isinstance(metrics, str) or not isinstance(metrics, Sequence):
            raise ArgumentError(f"metrics={metrics!r}", expected="a list", cure=f"metrics=[{metrics!r}]")
        check_optimizer(optimizer)
        self.make, self.loss, self.metrics = make, get_loss(loss), list(metrics)
        self.optimizer = optimizer if optimizer is not None else Adam()
        self.precision, self.how, self.seed = get_precision(precision), how, seed
        means, whole_sets = sort_out(self.metrics, self.loss)
        self.measured = ("loss", *(m.name for m in means), *whole_sets)

    @property
    def wide(self) -> bool:
        """Whether it calculates in 64 bits, and takes its data so."""
        return self.precision.wide

    def fit(
        self,
        data: Any,
        members: int | None = None,
        validation: Any = 0.2,
        epochs: int = 10,
        batch_size: int = 32,
        *,
        rows: str | Sequence[tuple[Any, Any]] | None = None,
        settings: Mapping[str, Sequence[float]] | None = None,
        seeds: Sequence[int] | None = None,
        scale: str | None = None,
        scale_target: bool = False,
        shuffle: bool = True,
        augment: Any = None,
        patience: int | None = None,
        keep: str = "best",
        verbose: bool = True,
    ) -> PopulationRun:
        """Train all members.

        ``members``      how many; or as many as there are ``rows``, ``settings`` or ``seeds``
        ``validation``   a fraction of the data, the same rows for all members, or data of its own
        ``rows``         None: all members train on the same rows; "bootstrap": each on as many, drawn with replacement;
                         or a pair (training rows, validation rows) for each
        ``settings``     numbers that differ: {"learning_rate": […], "weight_decay": […], "dropout": […],
                         "label_noise": […]}, with a value for each member
        ``seeds``        of first values, order and dropout; by default 0, 1, 2, … after the population's own

        Everything else is as in `Trainer.fit`, scaling by the numbers of each member's own training rows included; what
        fills empty cells comes from them as well. Ctrl-C ends training, and the result is what there is by then.
        Raises ArgumentError and DataError as `fit` does, and for members that cannot be one program.
        """
        started = time.perf_counter()
        whole("epochs", epochs, 1)
        whole("batch_size", batch_size, 1)
        check_end(patience, keep)
        if members is not None:
            whole("members", members, 0)
        if not isinstance(shuffle, bool):
            raise ArgumentError(
                f"shuffle={shuffle!r} of a population", expected="True or False: members have rows of their own"
            )
        if scale_target and self.loss.kind != "regression":
            raise ArgumentError(f"scale_target=True with the loss {self.loss.name!r}", expected="a regression loss")
        given = as_dataset(data, keep_float64=self.wide)
        if given.y is None:
            raise DataError("data without targets y", expected="a pair (x, y)", cure="population.fit((x, y), …)")
        everything, shared, pairs = rows_of(given, validation, rows, self.seed)
        chosen = None if seeds is None else np.asarray(seeds).tolist()
        count = members if members is not None else len(pairs or chosen or ()) or None
        each = settings_of(settings, count)
        used = chosen if chosen is not None else [self.seed + k for k in range(len(each))]
        group = members_of(shared, pairs, each, used, bootstrap=isinstance(rows, str))
        check_patience(patience, min(len(member.validation) for member in group))
        template = drawn(self.make, group[0].seed, (1, *everything.x.shape[1:]))
        if self.wide:
            template.to(self.precision.hold)
        check_settings(list(group[0].settings), self.optimizer, template)
        notes: list[str] = []
        output = output_shape(template, everything.x)
        everything = with_targets(everything, self.loss, output, notes, wide=self.wide)
        made = Training(
            self, everything, group, template, batch_size, scale, scale_target, shuffle, augment, patience, epochs
        )
        made.check_watched()
        with Progress(epochs, 0, verbose) as progress:
            made.train(progress)
        return made.result(keep, time.perf_counter() - started)
