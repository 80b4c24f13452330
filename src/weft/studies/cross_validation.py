"""Cross-validation: every row is predicted by a model that has not seen it; all folds are trained as one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, as_dataset
from weft.data.naming import plural
from weft.errors import ArgumentError, DataError, is_whole
from weft.nn.lookup import find
from weft.optim.optimizer import Optimizer
from weft.overfit.estimates import Estimate, estimate, fold_name, out_of_fold
from weft.studies.result import PopulationRun
from weft.studies.setup import as_population, check_how
from weft.train.options import whole

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The result of `cross_validate`.

    ``scores``       by name the value of each fold, (repeats, folds), on its validation rows at the epoch it holds
    ``estimates``    by name their mean ± standard error; DataError where a score is not finite, unless
                     ``skip_undefined``
    ``predictions``  for each row the output of the models that did not see it: probabilities (n, classes) after a
                     classification loss, means over the repeats
    ``run``          the population: its models, curves and diagnoses
    """

    scores: dict[str, Array]
    predictions: Array
    rows: tuple[tuple[Array, Array], ...]
    run: PopulationRun
    skip_undefined: bool = False

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """The mean ± standard error of each metric."""
        return {name: self[name] for name in self.scores}

    def __getitem__(self, name: str) -> Estimate:
        return estimate(find(self.scores, name, "metric"), name=name, skip_undefined=self.skip_undefined)

    def plot(self, metric: str = "loss") -> Any:
        """The folds as points with mean ± standard error, as a matplotlib figure."""
        from weft.view.folds import plot_folds

        return plot_folds(self[metric])

    def __str__(self) -> str:
        lines = [f"Cross-validation: {len(self.rows)} models in {self.run.seconds:.1f} s"]
        lines += [
            f"  {self[name]}" if self._defined(name) else f"  {name}: not finite in every fold" for name in self.scores
        ]
        return "\n".join([*lines, *self.remarks])

    @property
    def remarks(self) -> list[str]:
        """What a reader of its numbers should know: of the population, and classes that a fold's models never saw."""
        data, (repeats, folds) = self.run.data, next(iter(self.scores.values())).shape
        labels = class_numbers(data)
        lines = [] if labels is None else unknown(labels, [(m.train, m.validation) for m in self.run.members])
        return self.run.remarks + [
            f"{fold_name(k // folds, k % folds, repeats)}: no training row of class {class_name(data, c)!r}"
            for k, c in lines
        ]

    def _defined(self, name: str) -> bool:
        finite = np.isfinite(self.scores[name])
        return bool(finite.all() or (self.skip_undefined and finite.sum() > 1))


def cross_validate(
    make: Any,
    data: Any,
    folds: int = 5,
    *,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    repeats: int = 1,
    stratify: bool | None = None,
    groups: Any = None,
    seed: int = 0,
    keep: str = "last",
    skip_undefined: bool = False,
    **how: Any,
) -> CrossValidation:
    """Train on all folds but one and measure on that one, for every fold; mean ± standard error of each metric.

    ``make``      a function that makes a model (with ``loss``, ``optimizer``, ``metrics``), or a `Population`
    ``folds``     how many, k; rows are shuffled by the seed, and each class is spread evenly unless ``stratify=False``
    ``repeats``   how often all of it is done, with other folds and first values
    ``groups``    rows of one group are always in the same fold
    ``keep``      "last": the score at the last epoch. "best" takes each fold's lowest validation loss, which is too
                  good to be true, as the epoch is then chosen by the rows it is measured on
    ``how``       epochs, batch_size, scale, patience, verbose, …: as of `Population.fit`

    What fills empty cells of a table comes from the training rows of each fold. Raises DataError for classes or groups
    too few for the folds, before anything is trained.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> make = lambda: nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    >>> found = wf.cross_validate(
    ...     make, wf.data.iris(), folds=3, loss="cross_entropy", optimizer=optim.Adam(1e-2), metrics=["accuracy"],
    ...     epochs=5, verbose=False)
    >>> found.scores["accuracy"].shape, found.predictions.shape
    ((1, 3), (150, 3))
    """
    whole("repeats", repeats, 1)
    check_how("cross_validate", how)
    population = as_population(make, loss, optimizer, metrics, seed=seed)
    given = as_dataset(data, keep_float64=population.wide)
    rows = tuple(pair for k in range(repeats) for pair in folds_of(given, folds, seed + k, stratify, groups))
    seeds = [seed + k for k in range(len(rows))]
    run = population.fit(given, rows=rows, seeds=seeds, keep=keep, **how)
    scores = {name: run.held(f"val_{name}").reshape(repeats, folds) for name in population.measured}
    return CrossValidation(scores, unseen(run, rows, repeats, folds), rows, run, skip_undefined)


def folds_of(
    data: Dataset, folds: int, seed: int, stratify: bool | None = None, groups: Any = None
) -> list[tuple[Array, Array]]:
    """Training and validation rows of each fold.

    >>> pairs = folds_of(as_dataset(([[0.0]] * 6, [0, 0, 0, 1, 1, 1])), 3, seed=0)
    >>> [len(held) for _, held in pairs], sorted(np.concatenate([held for _, held in pairs]).tolist())
    ([2, 2, 2], [0, 1, 2, 3, 4, 5])
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    n = len(data)
    if not is_whole(folds, 2, n):
        raise ArgumentError(f"folds={folds!r} of {plural(n, 'row')}", expected=f"2 to {n}", cure="folds=5")
    labels = class_numbers(data)
    if stratify and labels is None:
        raise ArgumentError("stratify=True, but y does not hold one class a row", expected="integer class labels (n,)")
    stratified = labels is not None and stratify is not False
    if stratified and groups is None:
        check_classes(data, labels, folds)
    if groups is not None:
        check_groups(groups, n, folds)
    kind: Any
    if groups is not None:
        kind = StratifiedGroupKFold if stratified else GroupKFold
    else:
        kind = StratifiedKFold if stratified else KFold
    chooser = kind(folds, shuffle=True, random_state=seed)
    made = [(np.sort(train), np.sort(held)) for train, held in chooser.split(np.zeros((n, 1)), labels, groups)]
    if stratified and groups is not None:
        check_known(data, labels, made)
    return made


def class_numbers(data: Dataset) -> Array | None:
    """The class of each row, (n,); None where y holds none."""
    if data.y is not None and data.task != "regression" and data.y.dtype.kind in "iu" and data.y.size == len(data):
        return np.asarray(data.y).reshape(-1)
    return None


def check_classes(data: Dataset, labels: Any, folds: int) -> None:
    """Refuse a class that cannot be in every fold, or that is the only one."""
    found, counts = np.unique(labels, return_counts=True)
    if len(found) < 2:
        raise DataError(
            f"every row is of class {class_name(data, int(found[0]))!r}",
            expected="two classes or more: a constant answer is always right",
        )
    rarest = int(counts.argmin())
    if counts[rarest] < folds:
        name = class_name(data, int(found[rarest]))
        raise DataError(
            f"class {name!r} has {plural(int(counts[rarest]), 'example')} for {folds} folds",
            expected=f"{folds} or more of every class, so that each is in every fold",
            cure=f"folds={max(2, int(counts[rarest]))}, or stratify=False",
        )


def unknown(labels: Any, rows: Sequence[tuple[Array, Array]]) -> list[tuple[int, int]]:
    """The folds, from 0, with a class among their validation rows that none of their training rows has.

    >>> unknown(np.array([0, 0, 1]), [(np.array([0, 1]), np.array([2])), (np.array([1, 2]), np.array([0]))])
    [(0, 1)]
    """
    return [(k, int(c)) for k, (train, held) in enumerate(rows) for c in np.setdiff1d(labels[held], labels[train])]


def check_known(data: Dataset, labels: Any, rows: Sequence[tuple[Array, Array]]) -> None:
    """Refuse folds whose models are asked about a class that they have never seen."""
    for k, c in unknown(labels, rows):
        raise DataError(
            f"all rows of class {class_name(data, c)!r} are in groups of fold {k + 1}, none is left for training",
            expected="every class in groups of two folds or more",
            cure="fewer folds, smaller groups, or stratify=False to measure it nevertheless",
        )


def class_name(data: Dataset, number: int) -> str:
    """What a class is called, or its number."""
    return data.classes[number] if number < len(data.classes) else str(number)


def check_groups(groups: Any, n: int, folds: int) -> None:
    """Refuse groups that do not fit."""
    keys = np.asarray(groups)
    if keys.shape != (n,):
        raise DataError(f"groups of shape {keys.shape} for {plural(n, 'row')}", expected=f"({n},): one a row")
    different = len(np.unique(keys))
    if different < folds:
        raise DataError(
            f"{plural(different, 'group')} for {folds} folds",
            expected="at least one group in each",
            cure=f"folds={different}" if different > 1 else "other groups",
        )


def unseen(run: PopulationRun, rows: Sequence[tuple[Array, Array]], repeats: int, folds: int) -> Array:
    """What the models say of the rows that they have not seen, in the order of the data; means over the repeats."""
    answers = run.answers(run.data.x)
    parts = []
    for r in range(repeats):
        places = range(r * folds, (r + 1) * folds)
        said = [answers[k][run.members[k].validation] for k in places]
        parts.append(out_of_fold(said, [rows[k][1] for k in places]))
    return np.asarray(np.mean(parts, axis=0))
