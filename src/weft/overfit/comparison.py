"""Is one set-up better than another? A winner only where there is evidence for one.

Both are measured on the same folds, seeds or test rows, and only the differences are judged: what is hard for one is
hard for the other.

- `compare`, corrected t: C. Nadeau and Y. Bengio, "Inference for the Generalization Error", *Machine Learning* 52,
  2003.
  Folds of 60 rows, 3000 simulated pairs of equally good models: one round of 10 folds claimed a winner in 0.8 %, five
  repeats of them in 3.4 %; of a true difference they showed 42 % and 93 %. Repeat the folds.
- `compare(…, test="sign")`: the exact sign test, for few pairs or differences far from normal; pairs independent.
- `compare_decisions`: McNemar's exact test, for class decisions on the same test rows.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import ArgumentError, DataError
from weft.overfit.criteria import even_chance
from weft.overfit.estimates import corrected_se, scored, share
from weft.overfit.result import Result, plus_minus
from weft.overfit.words import num

Floats = NDArray[np.float64]
Test = Literal["corrected t", "sign", "McNemar"]

POWER = 0.8
"""The chance of showing the effect seen, if it is real, for which the pairs needed are counted."""
MOST = 100_000
"""More pairs than this are as good as none."""


@dataclass(frozen=True)
class Comparison(Result):
    """The difference between two set-ups, and whether it is more than chance.

    ``effect`` is the mean of the metric of the first minus that of the second, ``se`` its standard error, ``p`` the
    chance of a difference at least as large if there were none. ``pairs`` is how many ``unit`` were compared;
    ``pairs_needed`` how many would show the effect seen with a power of 80 % (None: no number would).
    ``wins`` and ``losses`` count the pairs in which the first was better and worse.
    """

    FORMAT: ClassVar[str] = "weft.comparison/1"

    test: Test
    names: tuple[str, str]
    metric: str
    lower_is_better: bool
    effect: float
    se: float
    p: float
    alpha: float
    pairs: int
    unit: str
    wins: int
    losses: int
    pairs_needed: int | None

    @property
    def lead(self) -> float:
        """Above zero where the first is better by what the test judges: the mean, or how often it was better."""
        if self.test == "corrected t":
            return -self.effect if self.lower_is_better else self.effect
        return self.wins - self.losses

    @property
    def winner(self) -> str | None:
        """The name of the better one, or None: no difference was shown."""
        if self.p > self.alpha or self.lead == 0:
            return None
        return self.names[0] if self.lead > 0 else self.names[1]

    @property
    def verdict(self) -> str:
        """Who is better, or that no difference was shown; the test and its p."""
        title = f"{self.winner} is better" if self.winner else f"no difference shown between {' and '.join(self.names)}"
        return f"{title} ({self.test} test, p = {num(self.p)}, threshold {self.alpha:g})"

    def __str__(self) -> str:
        first, second = self.names
        better = "lower" if self.lower_is_better else "higher"
        lines = [
            self.verdict,
            f"{self.metric} ({better} is better), {first} minus {second}: {plus_minus(self.effect, self.se)}",
            f"over {self.pairs} {self.unit}: {first} was better in {self.wins}, {second} in {self.losses}",
        ]
        if not self.winner:
            lines.append(self._needed())
        return "\n".join(part for line in lines for part in textwrap.wrap(line, 80, subsequent_indent="  "))

    def _needed(self) -> str:
        if self.lead == 0:
            equal = "equal on average" if self.test == "corrected t" else "better equally often"
            return f"the two are {equal}: no number of further measurements would show a difference"
        if self.pairs_needed is None:
            way = "more data, or other training and test sets"
            return f"if the effect seen is real, no number of further {self.unit} would show it: that needs {way}"
        more = max(self.pairs_needed - self.pairs, 0)
        return f"if the effect seen is real, about {more} more {self.unit} would show it (power {POWER:.0%})".replace(
            "%", " %"
        )


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    names: tuple[str, str] = ("A", "B"),
    metric: str = "loss",
    lower_is_better: bool = True,
    test: Literal["corrected t", "sign"] = "corrected t",
    test_over_train: float | None = None,
    alpha: float = 0.05,
) -> Comparison:
    """Whether the scores of two set-ups on the same folds, (k,) or (repeats, k), differ by more than chance.

    "corrected t": ``t = mean(d) / √((1/J + n_test/n_train) s²)`` with d = a - b, J differences of variance s², and
    J - 1 degrees of freedom; ``test_over_train`` as in `estimate` (default: 1/(k-1), that of k folds; 0 for
    independent data). Where all differences are equal but for rounding, so that they have no spread, it is the sign
    test that decides, and ``test`` of the result says so. "sign": the exact binomial test of how often each was
    better, ties left out; it assumes independent pairs, which folds of one data set are not, and cannot decide with
    fewer than 6 (p ≥ 0.0625).

    Raises DataError for scores that are not finite or not paired.

    >>> print(compare([0.31, 0.29, 0.33, 0.30, 0.32], [0.33, 0.30, 0.36, 0.31, 0.35], names=("wide", "deep")))
    wide is better (corrected t test, p = 0.0407, threshold 0.05)
    loss (lower is better), wide minus deep: -0.0200 ± 0.0067
    over 5 folds: wide was better in 5, deep in 0
    """
    first, second = scored(a, names[0]), scored(b, names[1])
    _check_pairs(first, second, names, alpha)
    d = (first - second).ravel()
    if test not in ("corrected t", "sign"):
        raise ArgumentError(f"test is {test!r}", expected='"corrected t" or "sign"')
    rho = share(test_over_train, first.shape[1]) if test == "corrected t" else 0.0
    sd = float(d.std(ddof=1))
    # Differences equal but for rounding (coarse scores, few folds) have no spread: t would be infinitely sure of them.
    used = "sign" if sd <= 1e-9 * abs(float(d.mean())) else test
    p, needed = _t(d, sd, rho, alpha) if used == "corrected t" else _sign(d, alpha)
    below, above = int((d < 0).sum()), int((d > 0).sum())
    return Comparison(
        test=used,
        names=names,
        metric=metric,
        lower_is_better=lower_is_better,
        effect=float(d.mean()),
        se=corrected_se(sd, len(d), rho),
        p=p,
        alpha=alpha,
        pairs=len(d),
        unit="folds" if rho else "pairs",
        wins=below if lower_is_better else above,
        losses=above if lower_is_better else below,
        pairs_needed=needed,
    )


def compare_decisions(
    a: ArrayLike, b: ArrayLike, targets: ArrayLike, *, names: tuple[str, str] = ("A", "B"), alpha: float = 0.05
) -> Comparison:
    """Whether two classifiers are right equally often on the same test rows; a, b and targets are classes (n,).

    McNemar's exact test: only the rows that one gets right and the other wrong speak. It judges these two models,
    not other models that the same set-ups would give from other training sets or seeds. With ``n_a`` and ``n_b``
    such rows, ``effect = (n_a - n_b) / n`` in accuracy and ``SE = √(n_a + n_b - (n_a - n_b)²/n) / n``.

    >>> compare_decisions([0, 1, 1, 0] * 8, [0, 1, 1, 1] * 8, [0, 1, 1, 0] * 8, names=("wide", "deep")).winner
    'wide'
    """
    y = np.asarray(targets)
    if y.dtype.kind == "f":
        raise DataError(f"targets of type {y.dtype}", expected="classes", cure="targets.astype(int)")
    right = []
    for found, name in ((np.asarray(a), names[0]), (np.asarray(b), names[1])):
        if y.ndim != 1 or found.shape != y.shape or not len(y):
            raise DataError(f"classes of {name} {found.shape} and targets {y.shape}", expected="the same rows, (n,)")
        if found.dtype.kind == "f":
            raise DataError(
                f"classes of {name} of type {found.dtype}", expected="classes", cure="scores.argmax(axis=1)"
            )
        right.append(found == y)
    _check_alpha(alpha)
    n, only_a, only_b = len(y), int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    rate = (only_a + only_b) / n
    needed = _sign_pairs(only_a, only_b, alpha)
    return Comparison(
        test="McNemar",
        names=names,
        metric="accuracy",
        lower_is_better=False,
        effect=(only_a - only_b) / n,
        se=math.sqrt(only_a + only_b - (only_a - only_b) ** 2 / n) / n,
        p=even_chance(only_a, only_b),
        alpha=alpha,
        pairs=n,
        unit="test rows",
        wins=only_a,
        losses=only_b,
        pairs_needed=None if needed is None else math.ceil(needed / rate),
    )


# ── the tests ───────────────────────────────────────────────────────────────────────────────────────────────


def _t(d: Floats, sd: float, rho: float, alpha: float) -> tuple[float, int | None]:
    """The p of the corrected t-test, and how many differences would show the mean of these."""
    from scipy.stats import t

    effect = abs(float(d.mean()))
    p = 2 * float(t.sf(effect / corrected_se(sd, len(d), rho), len(d) - 1))

    def power(count: int) -> float:
        shift = effect / corrected_se(sd, count, rho)
        return float(t.sf(t.isf(alpha / 2, count - 1) - shift, count - 1))

    return p, _fewest(power, 2)


def _sign(d: Floats, alpha: float) -> tuple[float, int | None]:
    below, above = int((d < 0).sum()), int((d > 0).sum())
    needed = _sign_pairs(below, above, alpha)
    return even_chance(below, above), None if needed is None else math.ceil(needed * len(d) / (below + above))


def _sign_pairs(one: int, other: int, alpha: float) -> int | None:
    """How many untied pairs the exact test needs for shares such as these; a normal approximation.

    The rarer outcome counts half a time more, so that a share of all pairs does not make the next ones certain.
    """
    from scipy.stats import norm

    if one == other:
        return None
    share = (max(one, other) + 0.5) / (one + other + 1)
    sd = math.sqrt(share * (1 - share))
    root = (0.5 * float(norm.isf(alpha / 2)) + sd * float(norm.isf(1 - POWER))) / (share - 0.5)
    certain = 1 + math.log2(1 / alpha)  # 2 · 2^-n ≤ α
    return max(math.ceil(root**2), math.ceil(certain))


def _fewest(power: Callable[[int], float], least: int) -> int | None:
    """The fewest pairs with the power wanted, by bisection; None if not even `MOST` have it."""
    low, high = least, MOST
    if power(high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle + 1, high)
    return low


def _check_pairs(first: Floats, second: Floats, names: tuple[str, str], alpha: float) -> None:
    if first.shape != second.shape:
        raise DataError(
            f"scores of {names[0]} {first.shape} and of {names[1]} {second.shape}",
            expected="the same folds, seeds or repeats of both, in the same order",
        )
    if first.size < 2:
        raise DataError("one pair of scores", expected="at least two: one difference does not show its own noise")
    for table, name in ((first, names[0]), (second, names[1])):
        if not np.isfinite(table).all():
            where = ", ".join(str(i + 1) for i in np.flatnonzero(~np.isfinite(table.ravel()))[:8])
            raise DataError(f"scores of {name} are not finite at {where}", expected="a finite score in every fold")
    if names[0] == names[1]:
        raise ArgumentError(f"both set-ups are called {names[0]!r}", expected="two names")
    _check_alpha(alpha)


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ArgumentError(f"alpha is {alpha}", expected="the false alarms allowed, such as 0.05")
