"""No winner without evidence: false alarms, power, and the tests by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel

from weft.errors import ArgumentError, DataError
from weft.overfit import Comparison, compare, compare_decisions


def cross_validated(rng: np.random.Generator, lead: float, repeats: int = 1) -> tuple[Any, Any]:
    """Squared errors of two least-squares models over 10 folds of 60 rows.

    Each sees one of two equally good measurements of the same thing; ``lead`` makes the second one worse.
    """
    truth = rng.normal(size=60)
    y = truth + 0.5 * rng.normal(size=60)
    inputs = truth + 0.5 * rng.normal(size=60), truth + (0.5 + lead) * rng.normal(size=60)
    scores: list[list[float]] = [[], []]
    for _ in range(repeats):
        for test in np.split(rng.permutation(60), 10):
            train = np.delete(np.arange(60), test)
            for x, own in zip(inputs, scores, strict=True):
                slope = x[train] @ y[train] / (x[train] @ x[train])
                own.append(float(((y[test] - slope * x[test]) ** 2).mean()))
    a, b = (np.array(own).reshape(repeats, 10) for own in scores)
    return a, b


@pytest.mark.parametrize(("repeats", "power"), [(1, 30), (5, 80)])
def test_false_alarms_and_power(repeats: int, power: int) -> None:
    rng = np.random.default_rng(0)
    alarms = sum(compare(*cross_validated(rng, 0.0, repeats)).winner is not None for _ in range(300))
    found = [compare(*cross_validated(rng, 1.0, repeats)).winner for _ in range(100)]
    assert alarms / 300 <= 0.05
    assert found.count("B") == 0
    assert found.count("A") >= power


def test_the_uncorrected_test_raises_more() -> None:
    rng = np.random.default_rng(1)
    runs = [cross_validated(rng, 0.0, 5) for _ in range(150)]
    plain = np.mean([ttest_rel(a.ravel(), b.ravel()).pvalue <= 0.05 for a, b in runs])
    assert plain > 0.15
    assert np.mean([compare(a, b).p <= 0.05 for a, b in runs]) < plain / 2


def test_independent_pairs_are_students() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=12), rng.normal(0.5, size=12)
    found = compare(a, b, test_over_train=0)
    assert found.p == pytest.approx(ttest_rel(a, b).pvalue)
    assert found.unit == "pairs"


def test_the_correction_by_hand() -> None:
    found = compare([0.31, 0.29, 0.33, 0.30, 0.32], [0.33, 0.30, 0.36, 0.31, 0.35])
    assert found.se == pytest.approx(0.01 * math.sqrt(1 / 5 + 1 / 4))
    assert found.winner == "A"
    assert compare([0.31, 0.29, 0.33, 0.30, 0.32], [0.33, 0.30, 0.36, 0.31, 0.35], lower_is_better=False).winner == "B"


def test_sign_test() -> None:
    a, b = np.arange(6) / 10, np.arange(6) / 10 + 0.01
    assert compare(a, b, test="sign").p == pytest.approx(2 / 64)
    assert compare(a, b, test="sign").winner == "A"
    five = compare(a[:5], b[:5], test="sign")
    assert five.p == pytest.approx(2 / 32)
    assert five.winner is None
    assert five.pairs_needed is not None
    assert five.pairs_needed > 5
    rng = np.random.default_rng(3)
    alarms = sum(compare(*rng.normal(size=(2, 8)), test="sign").winner is not None for _ in range(300))
    assert alarms / 300 <= 0.05


def test_the_sign_test_names_who_was_better_more_often() -> None:
    lower, higher = compare([0.9] * 9 + [11.0], [1.0] * 10, test="sign"), compare([0.9] * 9 + [11.0], [1.0] * 10)
    assert (lower.winner, lower.wins, lower.effect > 0) == ("A", 9, True)
    assert compare([0.9] * 9 + [11.0], [1.0] * 10, test="sign", lower_is_better=False).winner == "B"
    assert higher.winner is None
    even = compare([0.0, 0.0, 1.0, 5.0], [1.0, 1.0, 0.0, 0.0], test="sign")
    assert "better equally often" in str(even)


def test_few_coarse_differences_that_are_equal_prove_nothing() -> None:
    found = compare([0.90, 0.85, 0.80], [0.95, 0.90, 0.85], lower_is_better=False)
    assert found.p == pytest.approx(2 / 8)
    assert found.winner is None
    assert found.test == "sign"  # no spread to judge by: the test that was done is the one that is named


def test_equal_scores_are_no_difference() -> None:
    for test in ("corrected t", "sign"):
        found = compare([0.3, 0.2, 0.1], [0.3, 0.2, 0.1], test=test)
        assert (found.p, found.winner, found.pairs_needed) == (1.0, None, None)
        assert "no number of further measurements" in str(found)


def test_the_folds_needed_are_enough() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=10)
    found = compare(a, a + 0.25 + 0.8 * rng.normal(size=10), test_over_train=0)
    assert found.winner is None
    assert found.pairs_needed is not None
    spread = found.se * math.sqrt(10)
    hits = [
        compare(
            np.zeros(found.pairs_needed), spread * rng.normal(size=found.pairs_needed) - found.effect, test_over_train=0
        ).p
        <= 0.05
        for _ in range(400)
    ]
    assert 0.73 <= np.mean(hits) <= 0.87


def test_where_folds_alone_cannot_help_it_is_said() -> None:
    found = compare([0.3, 0.31, 0.33, 0.3, 0.35], [0.31, 0.30, 0.35, 0.32, 0.35])
    assert found.pairs_needed is None
    assert "no number of further folds" in " ".join(str(found).split())


def test_mcnemar() -> None:
    rng = np.random.default_rng(5)
    y = rng.integers(3, size=400)
    a, b = np.where(rng.random(400) < 0.9, y, (y + 1) % 3), np.where(rng.random(400) < 0.8, y, (y + 1) % 3)
    found = compare_decisions(a, b, y, names=("wide", "deep"))
    only_a, only_b = ((a == y) & (b != y)).sum(), ((b == y) & (a != y)).sum()
    assert found.p == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    assert found.effect == pytest.approx((a == y).mean() - (b == y).mean())
    d = (a == y).astype(float) - (b == y)
    assert found.se == pytest.approx(d.std() / 20)
    assert found.winner == "wide"
    alarms = 0
    for _ in range(300):
        a, b = (np.where(rng.random(200) < 0.85, 0, 1) for _ in range(2))
        alarms += compare_decisions(a, b, np.zeros(200, int)).winner is not None
    assert alarms / 300 <= 0.05


@pytest.mark.parametrize(
    ("a", "b", "options", "error", "lesson"),
    [
        ([1.0, 2.0], [1.0], {}, DataError, "same folds"),
        ([1.0, math.nan], [1.0, 2.0], {}, DataError, "A are not finite at 2"),
        ([1.0], [1.0], {"test_over_train": 0.1}, DataError, "at least two"),
        ([1.0, 2.0], [1.0, 3.0], {"test": "z"}, ArgumentError, "corrected t"),
        ([1.0, 2.0], [1.0, 3.0], {"alpha": 0}, ArgumentError, "alpha"),
        ([1.0, 2.0], [1.0, 3.0], {"names": ("A", "A")}, ArgumentError, "two names"),
    ],
)
def test_refusals(a: Any, b: Any, options: Any, error: Any, lesson: str) -> None:
    with pytest.raises(error, match=lesson):
        compare(a, b, **options)


def test_decisions_are_classes_of_the_same_rows() -> None:
    with pytest.raises(DataError, match="same rows"):
        compare_decisions([0, 1], [0, 1, 1], [0, 1, 1])
    with pytest.raises(DataError, match="argmax"):
        compare_decisions([0.1, 0.9], [0.2, 0.8], [0, 1])
    with pytest.raises(DataError, match="targets of type float64"):
        compare_decisions([0, 1], [0, 1], [0.0, 1.0])


def test_print_and_json() -> None:
    for found in (compare([0.3, 0.2, 0.4], [0.31, 0.22, 0.39]), compare_decisions([0, 1], [0, 0], [0, 1])):
        assert max(map(len, str(found).split("\n"))) <= 80
        assert Comparison.from_json(found.to_json()) == found
