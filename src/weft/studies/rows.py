"""Which rows are whose: for training and for validation, and those that each member of a population has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, as_dataset
from weft.data.order import generator
from weft.data.split import split
from weft.errors import ArgumentError
from weft.studies.member import Member

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]  # training rows and validation rows
BOOTSTRAP = 4  # the purpose of the random numbers that draw rows


def joined(first: Dataset, second: Dataset) -> Dataset:
    """The rows of both, with the names of the first."""
    x = np.concatenate([first.x, second.x])
    y = np.concatenate([np.asarray(first.y), np.asarray(second.y)])
    return Dataset(x, y, first.name, first.features, first.target, first.classes, first.task)


def divided(data: Any, validation: Any, seed: int) -> tuple[Dataset, Array, Array]:
    """All rows as one data set, and which are for training and which for validation."""
    given = as_dataset(data)
    if validation is None:
        return given, np.arange(len(given)), np.zeros(0, np.int64)
    chosen = split(given, validation, seed=seed)
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
        return data, None, [(np.asarray(train, np.int64), np.asarray(held, np.int64)) for train, held in rows]
    if rows not in (None, "bootstrap"):
        raise ArgumentError(f"rows={rows!r}", expected='"bootstrap", or pairs (training rows, validation rows)')
    everything, train, held = divided(data, validation, seed)
    return everything, (train, held), None


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
