"""A metric measured several times: its mean, how uncertain that is, and the predictions that it came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import ArgumentError, DataError
from weft.overfit.result import Result, plus_minus

Floats = NDArray[np.float64]

SHOWN = 8
"""A longer list of names ends with how many more there are."""


@dataclass(frozen=True)
class Estimate(Result):
    """The mean of a metric over folds and repeats, and its standard error.

    ``values`` are those that were averaged, ``left_out`` the names of those that were not; ``test_over_train`` is
    n_test / n_train of the correction (0 for independent measurements).
    """

    FORMAT: ClassVar[str] = "weft.estimate/1"

    name: str
    mean: float
    se: float
    values: tuple[float, ...]
    left_out: tuple[str, ...]
    repeats: int
    folds: int
    test_over_train: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval ``mean ± t SE`` with Student's t of (number of values - 1) degrees of freedom.

        >>> low, high = estimate([0.8, 0.9, 0.85]).interval(0.95)
        >>> round(low, 3), round(high, 3)
        (0.654, 1.046)
        """
        from scipy.stats import t

        half = float(t.ppf(0.5 + _level(level) / 2, len(self.values) - 1)) * self.se
        return self.mean - half, self.mean + half

    def __str__(self) -> str:
        times = f"{self.repeats} × {self.folds} folds" if self.repeats > 1 else f"{self.folds} folds"
        if self.test_over_train == 0:
            times = f"{self.repeats * self.folds} independent values"
        text = f"{self.name}: {plus_minus(self.mean, self.se)} ({times})"
        return text + (f"\n  left out, not defined there: {listed(self.left_out)}" if self.left_out else "")


def estimate(
    scores: ArrayLike, *, name: str = "score", test_over_train: float | None = None, skip_undefined: bool = False
) -> Estimate:
    """The mean ± standard error of a metric over folds (k,) or repeats of folds (repeats, k).

    ``SE = √((1/J + n_test/n_train) s²)`` with J values and their variance s² (ddof 1). The plain ``s/√J`` is too
    small, because the training sets overlap: C. Nadeau and Y. Bengio, "Inference for the Generalization Error",
    *Machine Learning* 52, 2003; for repeated k-fold R. R. Bouckaert and E. Frank, PAKDD 2004. By default
    ``n_test/n_train = 1/(k-1)``, that of k folds; give ``test_over_train=0`` for independent measurements.

    Raises DataError that names the folds in which the metric is not finite; ``skip_undefined=True`` leaves them
    out, and the result says which.

    >>> print(estimate([0.91, 0.93, 0.88, 0.92, 0.90], name="accuracy"))
    accuracy: 0.908 ± 0.013 (5 folds)
    """
    table = scored(scores, name)
    repeats, k = table.shape
    rho = share(test_over_train, k)
    defined = np.isfinite(table)
    left_out = tuple(fold_name(i, j, repeats) for i, j in np.argwhere(~defined))
    if left_out and not skip_undefined:
        raise DataError(
            f"{name} is not finite in {listed(left_out)}",
            expected="a finite value in every fold; a mean over the others alone is a mean over easier folds",
            cure="larger or stratified folds, so that the metric is defined in all of them; or skip_undefined=True",
        )
    values = table[defined]
    if len(values) < 2:
        raise DataError(
            f"{name} has {len(values)} defined value{'s' * (len(values) != 1)}",
            expected="at least two: one value says nothing of its own uncertainty",
        )
    se = corrected_se(float(values.std(ddof=1)), len(values), rho)
    kept = tuple(values.tolist())
    return Estimate(name, float(values.mean()), se, kept, left_out, repeats, k, rho)


def corrected_se(sd: float, count: int, test_over_train: float) -> float:
    """The standard error of a mean of ``count`` resampled values, ``sd √(1/J + n_test/n_train)``.

    >>> round(corrected_se(1.0, count=10, test_over_train=1 / 9), 4)
    0.4595
    """
    return sd * math.sqrt(1 / count + test_over_train)


def out_of_fold(predictions: Sequence[ArrayLike], rows: Sequence[ArrayLike]) -> NDArray[Any]:
    """The predictions of all folds in the order of the data: each row by the model that did not see it.

    ``predictions[i]`` (n_i, …) belong to the row numbers ``rows[i]`` (n_i,) of fold i; the result is (n, …) with
    n = Σ n_i. Raises DataError if a row is predicted twice or not at all.

    >>> out_of_fold([[0.1, 0.3], [0.2]], [[0, 2], [1]])
    array([0.1, 0.2, 0.3])
    """
    parts, places = [np.asarray(p) for p in predictions], [_rows(r) for r in rows]
    if not parts or len(parts) != len(places):
        raise DataError(f"{len(parts)} folds of predictions and {len(places)} of rows", expected="equally many")
    for i, (part, place) in enumerate(zip(parts, places, strict=True), 1):
        if part.shape[:1] != place.shape or part.shape[1:] != parts[0].shape[1:]:
            raise DataError(
                f"fold {i} has predictions {part.shape} for {len(place)} rows",
                expected=f"({len(place)}, …) with the trailing axes {parts[0].shape[1:]} of fold 1",
            )
    order = np.concatenate(places)
    _check_partition(order)
    result = np.empty((len(order), *parts[0].shape[1:]), np.result_type(*parts))
    result[order] = np.concatenate(parts)
    return result


def _check_partition(order: NDArray[np.int64]) -> None:
    n = len(order)
    counts = np.bincount(order, minlength=n) if len(order) else np.zeros(0, np.int64)
    if len(counts) == n and (counts == 1).all():
        return
    twice, never = np.flatnonzero(counts > 1), np.flatnonzero(counts[:n] == 0)
    raise DataError(
        f"rows predicted more than once: {listed(map(str, twice)) or 'none'};"
        f" rows of 0 to {n - 1} never predicted: {listed(map(str, never)) or 'none'}",
        expected="every row in exactly one fold",
        cure="pool the repeats of a repeated k-fold one by one",
    )


def _rows(rows: ArrayLike) -> NDArray[np.int64]:
    found = np.asarray(rows)
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.integer) or (len(found) and found.min() < 0):
        raise DataError(f"rows {found.shape} of type {found.dtype}", expected="row numbers ≥ 0, one axis")
    return found.astype(np.int64)


def scored(scores: ArrayLike, name: str) -> Floats:
    """Scores as (repeats, folds) in float64; a single axis is one repeat.

    >>> scored([0.5, 0.6], "accuracy").shape
    (1, 2)
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim not in (1, 2) or table.shape[-1] < 1 or table.size < 1:
        raise DataError(f"{name} has shape {table.shape}", expected="(folds,) or (repeats, folds)")
    return table.reshape(-1, table.shape[-1])


def share(test_over_train: float | None, folds: int) -> float:
    """n_test / n_train: what was given, or 1/(k-1) for k folds.

    >>> share(None, folds=5), share(0.0, folds=5)
    (0.25, 0.0)
    """
    if test_over_train is None:
        if folds < 2:
            raise ArgumentError(
                f"{folds} fold leaves n_test / n_train unknown",
                expected="at least two folds on the last axis, or test_over_train",
                cure="test_over_train=len(test) / len(train); 0 for independent data",
            )
        return 1 / (folds - 1)
    if not (math.isfinite(test_over_train) and test_over_train >= 0):
        raise ArgumentError(f"test_over_train is {test_over_train}", expected="n_test / n_train, 0 or more")
    return float(test_over_train)


def listed(names: Any) -> str:
    """Names with commas, the end of a long list as a number.

    >>> listed(["fold 1", "fold 2"]), listed(str(i) for i in range(100))
    ('fold 1, fold 2', '0, 1, 2, 3, 4, 5, 6, 7 and 92 more')
    """
    all_names = list(names)
    more = len(all_names) - SHOWN
    return ", ".join(all_names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def fold_name(repeat: int, fold: int, repeats: int) -> str:
    """What a fold is called, counted from 1."""
    return f"repeat {repeat + 1}, fold {fold + 1}" if repeats > 1 else f"fold {fold + 1}"


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise ArgumentError(f"level is {level}", expected="between 0 and 1, such as 0.95")
    return level
