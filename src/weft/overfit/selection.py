"""Choosing a setting by validation, and what the choosing itself does to the score.

The best of many noisy scores is best partly by luck: the more often the same validation rows are asked, the more the
best answer flatters. G. C. Cawley and N. L. C. Talbot, "On Over-fitting in Model Selection and Subsequent Selection
Bias in Performance Evaluation", *Journal of Machine Learning Research* 11, 2010.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import ArgumentError, DataError
from weft.overfit.check import whole
from weft.overfit.estimates import corrected_se, listed, share
from weft.overfit.result import Result, decimals, table

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Selection(Result):
    """Settings from the simplest to the most complex, their scores, and the one to take.

    ``best_index`` has the best mean, ``chosen_index`` is the simplest within one standard error of it. ``looks`` is
    how often the validation rows were asked, ``noise`` the standard error of a mean that the choice does not share,
    and ``optimism`` by how much the best mean is expected to flatter at most.
    """

    FORMAT: ClassVar[str] = "weft.selection/1"

    settings: tuple[str, ...]
    means: tuple[float, ...]
    errors: tuple[float, ...]
    best_index: int
    chosen_index: int
    threshold: float
    looks: int
    noise: float
    optimism: float
    metric: str
    lower_is_better: bool

    @property
    def best(self) -> str:
        """The setting with the best mean."""
        return self.settings[self.best_index]

    @property
    def chosen(self) -> str:
        """The simplest setting within one standard error of the best."""
        return self.settings[self.chosen_index]

    def sentence(self) -> str:
        """How often the validation rows were asked, and what that does to the best score."""
        mean, places = self.means[self.best_index], decimals([self.errors[self.best_index]])
        honest = mean + self.optimism if self.lower_is_better else mean - self.optimism
        return (
            f"the validation rows were looked at {self.looks} times; the best of {self.looks} scores with noise"
            f" {self.noise:.2g} flatters by up to {self.optimism:.2g}: expect {self.metric} {honest:.{places}f} rather"
            f" than {mean:.{places}f} of {self.best}, and report rows that took no part in the choice"
        )

    def __str__(self) -> str:
        places = decimals(self.errors)
        rows = [("setting", self.metric, "± SE", "")]
        for i, (name, mean, se) in enumerate(zip(self.settings, self.means, self.errors, strict=True)):
            marks = ["best"] * (i == self.best_index) + ["chosen"] * (i == self.chosen_index)
            rows.append((name, f"{mean:.{places}f}", f"{se:.{places}f}", ", ".join(marks)))
        side = "up to" if self.lower_is_better else "from"
        rule = f"chosen: the simplest within one standard error of the best ({side} {self.threshold:.{places}f})"
        return "\n".join([*table(rows), rule, *textwrap.wrap(self.sentence(), 80)])


def one_standard_error(
    settings: Sequence[object],
    scores: ArrayLike,
    *,
    metric: str = "loss",
    lower_is_better: bool = True,
    test_over_train: float | None = None,
    looks: int | None = None,
) -> Selection:
    """The simplest setting whose mean is within one standard error of the best one's.

    ``settings`` (m,) from the simplest to the most complex; ``scores`` (m, k), all on the same k folds; repeats of
    folds are (m, repeats, k). The rule is that of L. Breiman, J. Friedman, R. Olshen and C. Stone, *Classification
    and Regression Trees*, 1984; the standard error is that of `estimate`, with ``test_over_train`` as there.
    ``looks`` counts everything that was compared on these rows (default: the m settings; add those tried before,
    and the epochs among which early stopping chose).

    >>> found = one_standard_error([1, 4, 15], [[0.9, 1.1, 1.0], [0.33, 0.31, 0.34], [0.30, 0.35, 0.32]])
    >>> found.best, found.chosen
    ('15', '4')
    """
    names = tuple(str(setting) for setting in settings)
    found = np.asarray(scores, dtype=np.float64)
    _check(names, found)
    rho = share(test_over_train, found.shape[-1])
    flat = found.reshape(len(names), -1)
    count = flat.shape[1]
    means = flat.mean(axis=1)
    errors = [corrected_se(float(sd), count, rho) for sd in flat.std(axis=1, ddof=1)]
    best = int(means.argmin() if lower_is_better else means.argmax())
    threshold = float(means[best]) + (errors[best] if lower_is_better else -errors[best])
    within = means <= threshold if lower_is_better else means >= threshold
    noise = corrected_se(_unshared_sd(flat), count, rho)
    times = len(names) if looks is None else int(looks)
    return Selection(
        settings=names,
        means=tuple(means.tolist()),
        errors=tuple(errors),
        best_index=best,
        chosen_index=int(within.argmax()),
        threshold=threshold,
        looks=times,
        noise=noise,
        optimism=expected_optimism(times, noise),
        metric=metric,
        lower_is_better=lower_is_better,
    )


def expected_optimism(looks: int, noise: float) -> float:
    """By how much the best of k equally good settings, each scored with noise σ, is expected to flatter.

    ``E max of k ≈ σ Φ⁻¹((k - 0.375) / (k + 0.25))``: G. Blom, *Statistical Estimates and Transformed
    Beta-Variables*, 1958. An upper estimate, as settings that differ, and scores that move together, leave less to
    luck; it grows like σ √(2 ln k).

    >>> [round(expected_optimism(k, 1.0), 2) for k in (1, 2, 10, 100)]
    [0.0, 0.59, 1.55, 2.5]
    """
    from scipy.stats import norm

    looks = whole(looks, "looks", "how often the validation rows were asked, 1 or more")
    if not (math.isfinite(noise) and noise >= 0):
        raise ArgumentError(f"noise is {noise}", expected="a standard error, 0 or more")
    return noise * float(norm.ppf((looks - 0.375) / (looks + 0.25)))


def _unshared_sd(scores: Floats) -> float:
    """The scatter of scores (m, J) that is neither a setting's own level nor a fold's: only that lets luck choose."""
    m, count = scores.shape
    if m < 2:
        return float(scores.std(ddof=1))
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    return math.sqrt(float((rest**2).sum()) / ((m - 1) * (count - 1)))


def _check(names: tuple[str, ...], scores: Floats) -> None:
    if not names or scores.ndim not in (2, 3) or len(scores) != len(names) or scores[0].size < 2:
        raise DataError(
            f"{len(names)} settings and scores {scores.shape}",
            expected="(m, k) or (m, repeats, k) with m settings and at least two scores of each",
        )
    bad = np.flatnonzero(~np.isfinite(scores.reshape(len(names), -1)).all(axis=1))
    if len(bad):
        raise DataError(
            f"scores that are not finite for {listed(names[i] for i in bad)}",
            expected="finite scores: a run that diverged has no place in the list, and should be named beside it",
        )
    if len(set(names)) < len(names):
        raise DataError("a setting occurs twice", expected="settings with different names")
