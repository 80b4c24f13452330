"""Which rows are whose: for training and for validation, and those that each member of a population has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, as_dataset, as_rows
from weft.data.naming import plural
from weft.data.order import generator
from weft.data.split import split
from weft.errors import ArgumentError, DataError
from weft.overfit.estimates import listed
from weft.studies.member import Member

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]  # training rows and validation rows
BOOTSTRAP = 4  # the purpose of the random numbers that draw rows


def joined(first: Dataset, *others: Dataset) -> Dataset:
    """The rows of all, one after the other, with the names of the first."""
    every = (first, *others)
    x, y = np.concatenate([d.x for d in every]), np.concatenate([np.asarray(d.y) for d in every])
    return Dataset(x, y, first.name, first.features, first.target, first.classes, first.task)


def divided(data: Any, validation: Any, seed: int, *, wide: bool = False) -> tuple[Dataset, Array, Array]:
    """All rows as one data set, and which are for training and which for validation.

    Empty cells are filled by what the training rows say, never the validation rows.
    """
    given = as_dataset(data, keep_float64=wide)
    if validation is None:
        return replace(given, source=None), np.arange(len(given)), np.zeros(0, np.int64)
    if not isinstance(validation, int | float | np.number | str):
        validation = as_dataset(validation, name="validation", keep_float64=wide)
    chosen = split(given, validation, seed=seed)
    given = replace(given.fitted_on(chosen.train), source=None)
    if chosen.given is None:
        return given, chosen.train, chosen.validation
    return joined(given, chosen.given), chosen.train, len(given) + chosen.validation


def resampled(rows: Array, seed: int) -> Array:
    """As many of these rows, drawn with replacement.

    >>> len(resampled(np.arange(10), 0)), set(resampled(np.arange(10), 0)) <= set(range(10))
    (10, True)
    """
    return np.sort(rows[generator(seed, 0, BOOTSTRAP).integers(0, len(rows), len(rows))])


def rows_of(data: Dataset, validation: Any, rows: Any, seed: int) -> tuple[Dataset, Pair | None, list[Pair] | None]:
    """The data, and the rows that all members share or those that each has."""
    if rows is not None and not isinstance(rows, str):
        everything, pairs = imputed(data, [pair_of(data, given) for given in rows])
        return everything, None, pairs
    if rows not in (None, "bootstrap"):
        raise ArgumentError(f"rows={rows!r}", expected='"bootstrap", or pairs (training rows, validation rows)')
    everything, train, held = divided(data, validation, seed, wide=data.x.dtype == np.float64)
    return everything, (train, held), None


def pair_of(data: Dataset, given: Any) -> Pair:
    """Training and validation rows of one member, from row numbers or masks; none is both."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ArgumentError(f"rows of {type(given).__name__} for a member", expected="(training rows, validation rows)")
    train, held = (as_rows(part, len(data)) for part in given)
    both = np.intersect1d(train, held)
    if len(both):
        raise DataError(
            f"{plural(len(both), 'row')} of a member for training and for validation: {listed(map(str, both))}",
            expected="validation rows that it is not trained on",
        )
    return train, held


def imputed(data: Dataset, pairs: list[Pair]) -> tuple[Dataset, list[Pair]]:
    """Data and rows of members whose empty cells are filled by what their own training rows say.

    What fills them differs from member to member: so there is a copy of the data for each set of training rows, and
    the rows of a member are those of its copy. Data without empty cells stays as it is.
    """
    if data.source is None:
        return data, pairs
    copies = {train.tobytes(): train for train, _ in pairs}
    start = {key: k * len(data) for k, key in enumerate(copies)}
    everything = joined(*(data.fitted_on(train) for train in copies.values()))
    return everything, [(start[t.tobytes()] + t, start[t.tobytes()] + v) for t, v in pairs]


def members_of(
    shared: Pair | None,
    pairs: list[Pair] | None,
    settings: list[dict[str, float]],
    seeds: Sequence[int],
    *,
    bootstrap: bool,
) -> list[Member]:
    """The members, each with its rows, seed and settings."""
    count = len(settings)
    if count < 1:
        raise ArgumentError("a population of no members", expected="1 or more")
    for name, given in (("rows", pairs), ("seeds", seeds)):
        if given is not None and len(given) != count:
            raise ArgumentError(f"{name} for {len(given)} members", expected=f"{count}, one for each member")
    if pairs is None:
        assert shared is not None
        train, held = shared
        pairs = [(resampled(train, seed) if bootstrap else train, held) for seed in seeds]
    return [Member(t, v, seed, each) for (t, v), seed, each in zip(pairs, seeds, settings, strict=True)]
