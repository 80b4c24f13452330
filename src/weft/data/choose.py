"""The ways of choosing validation rows; each returns training and validation indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.data.naming import plural
from weft.data.order import SPLIT, generator
from weft.errors import DataError

Array = np.ndarray[Any, Any]


def count(n: int, fraction: float) -> int:
    """How many of ``n`` go to validation: rounded, and at least one on each side."""
    if n < 2:
        raise DataError(
            f"{plural(n, 'row')} cannot be split in two",
            expected="2 rows or more",
            cure="validation=None, or more data",
        )
    return min(n - 1, max(1, round(n * fraction)))


def _random_state(seed: int) -> int:
    # scikit-learn takes 32 bits; ours may have more.
    return int(generator(seed, 0, SPLIT).integers(2**32))


def at_random(
    n: int, fraction: float, seed: int, labels: Array | None = None, classes: tuple[str, ...] = ()
) -> tuple[Array, Array]:
    """Training and validation rows of ``n``, with ``labels`` (n,) the same share of every class on both sides.

    The share is rounded, to none of a rare class. Raises DataError when a class has one example, or one side fewer rows
    than there are classes; ``classes`` are their names.
    """
    from sklearn.model_selection import train_test_split

    size = count(n, fraction)
    if labels is not None:
        _check_classes(classes, labels, size)
    train, validation = train_test_split(
        np.arange(n), test_size=size, random_state=_random_state(seed), stratify=labels
    )
    return train, validation


def _check_classes(classes: tuple[str, ...], labels: Array, size: int) -> None:
    found, counts = np.unique(labels, return_counts=True)
    rarest = int(counts.argmin())
    name, few = class_name(classes, found[rarest]), int(counts[rarest])
    if few < 2:
        raise DataError(
            f"class {name!r} has {plural(few, 'example')}",
            expected="2 or more of every class, to be on both sides of the split",
            cure="stratify=False, or more data of that class (if y is a quantity and no class: y.astype('float32'))",
        )
    room = min(size, len(labels) - size)
    if room < len(found):
        raise DataError(
            f"{plural(len(found), 'class', 'classes')}, but one side of the split has {plural(room, 'row')}: "
            f"class {name!r} with {few} examples cannot be on both",
            expected="at least one row of every class on both sides",
            cure="stratify=False, a larger part for validation, or more data",
        )


def by_group(keys: Array, fraction: float, seed: int) -> tuple[Array, Array]:
    """Whole groups to either side, the fraction counting groups; ``keys`` (n,). Raises DataError for one group."""
    from sklearn.model_selection import GroupShuffleSplit

    different = len(np.unique(keys))
    if different < 2:
        raise DataError("all rows are of one group", expected="2 groups or more", cure='policy="random"')
    chooser = GroupShuffleSplit(n_splits=1, test_size=count(different, fraction), random_state=_random_state(seed))
    train, validation = next(chooser.split(np.empty(len(keys)), groups=keys))
    return train, validation


def by_time(times: Array, fraction: float) -> tuple[Array, Array]:
    """The latest rows for validation, no time on both sides; ``times`` (n,). Raises DataError for one time.

    >>> by_time(np.array([3, 1, 2, 3]), 0.25)
    (array([1, 2]), array([0, 3]))
    """
    order = np.argsort(times, kind="stable")
    border = times[order[len(times) - count(len(times), fraction)]]
    if border == times[order[0]]:
        # The first border leaves nothing to train on: the earliest time trains, whatever follows validates.
        later = times[times > border]
        if not later.size:
            raise DataError("all rows have one time", expected="2 different times", cure='policy="random"')
        border = later.min()
    return np.flatnonzero(times < border), np.flatnonzero(times >= border)


def class_name(classes: tuple[str, ...], label: Any) -> str:
    """The name of a label, or the label itself where it has none."""
    return classes[label] if 0 <= label < len(classes) else str(label)
