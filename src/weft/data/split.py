"""Splitting into a training and a validation part: at random unless asked otherwise, and said in one line."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from weft.data.choose import at_random, by_group, by_time, class_name, count
from weft.data.dataset import Dataset, aligned, as_dataset, check_features
from weft.data.naming import closest, listing, plural
from weft.data.warning import DataWarning
from weft.errors import ArgumentError, DataError

Array = np.ndarray[Any, Any]
Policy = Literal["random", "tail", "group", "time"]
_ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?")
POLICIES: tuple[Policy, ...] = get_args(Policy)


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows are for training and which for validation: sorted int64 indices, and how they were chosen.

    When a validation set was given, ``given`` is that set, ``policy`` is "given", and ``validation`` counts its rows.
    """

    train: Array
    validation: Array
    policy: Literal["random", "tail", "group", "time", "given"]
    seed: int | None = None
    stratified: bool = False
    given: Dataset | None = None

    def describe(self) -> str:
        """The split in one line.

        >>> split(as_dataset(([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])), 0.5).describe()
        '2 rows for training, 2 for validation: at random (seed 0), the same share of every class'
        """
        how = {
            "random": f"at random (seed {self.seed})" + (", the same share of every class" if self.stratified else ""),
            "tail": "the last rows, not shuffled",
            "group": f"whole groups at random (seed {self.seed})",
            "time": "the latest rows",
            "given": "a set of its own",
        }[self.policy]
        return f"{plural(len(self.train), 'row')} for training, {len(self.validation)} for validation: {how}"

    def apply(self, dataset: Dataset) -> tuple[Dataset, Dataset]:
        """The two parts; values to impute are found from the training part alone."""
        fitted = dataset.fitted_on(self.train)
        validation = fitted.take(self.validation) if self.given is None else self.given
        return fitted.take(self.train), validation


def split(
    dataset: Any,
    fraction_or_dataset: Any,
    *,
    policy: Policy = "random",
    seed: int = 0,
    stratify: bool | None = None,
    groups: Any = None,
) -> Split:
    """Choose the validation rows: a fraction between 0 and 1 of the data, or a data set given for it.

    "random" is seeded and keeps the share of every class when y holds integer classes (``stratify=False`` does not);
    "tail" takes the last rows; "group" keeps rows of equal ``groups`` together; "time" takes the latest rows, with
    the times in ``groups``, and leaves no time on both sides. Warns (DataWarning) when a class is on one side only.
    Raises ArgumentError for a bad argument, DataError when a class or the data is too small to be on both sides.

    >>> chosen = split(as_dataset(([[0.0], [1.0], [2.0], [3.0]], None)), 0.25, policy="tail")
    >>> chosen.train.tolist(), chosen.validation.tolist()
    ([0, 1, 2], [3])
    """
    data = as_dataset(dataset, keep_float64=True)
    if not isinstance(fraction_or_dataset, int | float | np.number | str | None):
        check_unsplit(fraction_or_dataset, policy, groups, stratify)
        return _given(data, fraction_or_dataset)
    fraction = _fraction(fraction_or_dataset)
    _check_policy(policy, stratify, groups)
    labels = _labels(data)
    stratified = policy == "random" and _stratifies(stratify, labels)
    if policy == "group":
        train, validation = by_group(one_a_row(groups, len(data)), fraction, seed)
    elif policy == "time":
        train, validation = by_time(_times(one_a_row(groups, len(data))), fraction)
    elif policy == "tail":
        train, validation = np.split(np.arange(len(data)), [len(data) - count(len(data), fraction)])
    else:
        train, validation = at_random(len(data), fraction, seed, labels if stratified else None, data.classes)
    if labels is not None:
        _warn_sides(data, labels[train], labels[validation], policy)
    used = seed if policy in ("random", "group") else None
    return Split(np.sort(train).astype(np.int64), np.sort(validation).astype(np.int64), policy, used, stratified)


def _fraction(value: Any) -> float:
    if isinstance(value, bool | str | None) or not 0 < value < 1:
        raise ArgumentError(
            f"validation={value!r}",
            expected="a fraction between 0 and 1, both excluded, or a data set",
            cure="validation=0.2",
        )
    return float(value)


def _check_policy(policy: str, stratify: bool | None, groups: Any) -> None:
    if policy not in POLICIES:
        near = closest(policy, POLICIES) or "random"
        raise ArgumentError(f"policy={policy!r}", expected=f"one of {listing(POLICIES)}", cure=f'policy="{near}"')
    if stratify and policy != "random":
        raise ArgumentError(f'stratify=True with policy="{policy}"', expected='policy="random"', cure="stratify=None")
    if groups is None and policy in ("group", "time"):
        what = "the group" if policy == "group" else "the time"
        raise ArgumentError(
            f'policy="{policy}" without groups',
            expected=f"groups: {what} of each row, shape (n,)",
            cure=f'split(data, 0.2, policy="{policy}", groups={"times" if policy == "time" else "persons"})',
        )
    if groups is not None and policy not in ("group", "time"):
        raise ArgumentError(
            f'groups with policy="{policy}", which does not look at them',
            expected='policy="group" or policy="time"',
            cure='policy="group"',
        )


def check_unsplit(validation: Any, policy: str = "random", groups: Any = None, stratify: bool | None = None) -> None:
    """Raise ArgumentError where somebody says how to split, and nothing is split: ``validation`` is no fraction.

    >>> check_unsplit(None)
    """
    if isinstance(validation, int | float | np.number | str):
        return
    asked = {"policy": policy != "random", "groups": groups is not None, "stratify": stratify is not None}
    names = " and ".join(f"{name}=" for name, is_asked in asked.items() if is_asked)
    if names:
        given = "without validation data" if validation is None else "with a validation set of its own"
        raise ArgumentError(
            f"{names} {given}: nothing is split",
            expected="a fraction of the data, which is chosen so",
            cure=f"validation=0.2, or without {names}",
        )


def _labels(data: Dataset) -> Array | None:
    """One integer class a row, shape (n,); None when y is anything else."""
    y = data.y
    if y is None or data.task == "regression" or y.dtype.kind not in "iu" or y.size != len(y):
        return None
    return y.reshape(-1)


def _stratifies(stratify: bool | None, labels: Array | None) -> bool:
    if stratify and labels is None:
        raise ArgumentError(
            "stratify=True, but y does not hold one class a row",
            expected="integer class labels, shape (n,)",
            cure="stratify=None",
        )
    return labels is not None and stratify is not False


def one_a_row(groups: Any, n: int) -> Array:
    """The group or time of each row, (n,). Raises DataError for another shape, and where one is missing."""
    keys = np.asarray(groups)
    if keys.shape != (n,):
        raise DataError(f"groups of shape {keys.shape} for {plural(n, 'row')}", expected=f"shape ({n},): one a row")
    # NaN and NaT sort anywhere; None, and NA of pandas, not at all.
    unknown = keys != keys if keys.dtype != object else np.array([_is_unknown(key) for key in keys])
    if np.any(unknown):
        raise DataError(
            f"groups hold no value in row {int(np.argmax(unknown))}", expected="a group or time in each row"
        )
    return keys


def _is_unknown(key: Any) -> bool:
    return key is None or type(key).__name__ == "NAType" or bool(key != key)


def _times(keys: Array) -> Array:
    """Times that sort as they follow each other. Raises DataError for texts other than dates of ISO 8601."""
    words = [key for key in keys.tolist() if isinstance(key, str)] if keys.dtype.kind in "OUT" else []
    odd = [word for word in words if not _ISO.fullmatch(word)]
    if odd or 0 < len(words) < len(keys):
        raise DataError(
            f"times that are texts, such as {[*odd, *words][0]!r}, which sort by their letters",
            expected="numbers, times, or texts such as '2024-01-31'",
            cure="groups=pd.to_datetime(times)",
        )
    return keys


def _given(data: Dataset, validation: Any) -> Split:
    other = fitting(as_dataset(validation, name="validation", keep_float64=data.x.dtype == np.float64), data)
    labels, theirs = _labels(data), _labels(other)
    if labels is not None and theirs is not None:
        _warn_sides(data, labels, theirs, "given")
    return Split(np.arange(len(data)), np.arange(len(other)), "given", given=other)


def fitting(other: Any, data: Dataset) -> Any:
    """A validation set, in memory or read row by row, with its labels counted in the classes of the training data.

    Raises DataError unless its rows have the shape and the features of the training data, and targets if those have.
    """
    shape = other.x.shape[1:] if isinstance(other, Dataset) else other.shape
    if shape != data.x.shape[1:]:
        raise DataError(
            f"training rows of shape {data.x.shape[1:]}, validation rows of shape {shape}",
            expected="the same features on both sides",
        )
    if (data.y is None) != (other.y is None):
        raise DataError("only one of the two sets has targets y", expected="(x, y) on both sides, or on neither")
    check_features(other, data.features)
    if data.y is not None and not data.classes and other.classes != tuple(map(str, range(len(other.classes)))):
        raise DataError(
            f"training targets that are numbers, validation targets that are texts: {listing(other.classes, 5)}",
            expected="targets of one kind on both sides",
        )
    return aligned(other, data.classes)


def _warn_sides(data: Dataset, train: Array, validation: Array, policy: str) -> None:
    advice = 'policy="random" keeps the share of every class'
    if policy == "random":
        advice = "a larger part for validation, or more data of such a class, would give both sides some"
    for side, here, there in (("training", train, validation), ("validation", validation, train)):
        missing = np.setdiff1d(there, here)
        if len(missing):
            names = [class_name(data.classes, label) for label in missing]
            warnings.warn(
                f"{plural(len(names), 'class', 'classes')} missing from the {side} part: {listing(names, 5)}; {advice}",
                DataWarning,
                stacklevel=4 if policy == "given" else 3,
            )
