"""The simplest setting within one standard error, and how much the best one flatters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from weft.errors import ArgumentError, DataError
from weft.overfit import Selection, expected_optimism, one_standard_error

SCORES = np.array([[0.9, 1.1, 1.0], [0.33, 0.31, 0.34], [0.30, 0.35, 0.32]])


def test_by_hand() -> None:
    found = one_standard_error(["simple", "middle", "complex"], SCORES)
    assert (found.best, found.chosen) == ("complex", "middle")
    se = SCORES[2].std(ddof=1) * math.sqrt(1 / 3 + 1 / 2)
    assert found.threshold == pytest.approx(SCORES[2].mean() + se)
    assert found.looks == 3


def test_higher_is_better_is_the_mirror() -> None:
    one, other = (
        one_standard_error("abc", SCORES),
        one_standard_error("abc", 1 - SCORES, lower_is_better=False, metric="accuracy"),
    )
    assert (one.best, one.chosen) == (other.best, other.chosen)
    assert one.optimism == pytest.approx(other.optimism)
    assert other.threshold == pytest.approx(1 - one.threshold)


def test_a_clear_best_is_chosen() -> None:
    found = one_standard_error([1, 2, 3], SCORES[[0, 0, 1]] + np.array([[0.0], [0.0], [-0.2]]))
    assert found.chosen_index == found.best_index == 2


@pytest.mark.parametrize("k", [2, 5, 20, 200])
def test_the_expected_maximum(k: int) -> None:
    simulated = np.random.default_rng(0).normal(size=(20_000, k)).max(axis=1).mean()
    assert expected_optimism(k, 1.0) == pytest.approx(simulated, rel=0.06)
    assert expected_optimism(k, 3.0) == pytest.approx(3 * expected_optimism(k, 1.0))


def test_the_optimism_of_equal_settings() -> None:
    """All settings are equally good, folds are of unequal difficulty: what the best one gains is luck alone."""
    rng = np.random.default_rng(1)
    gains, predicted = [], []
    for _ in range(300):
        scores = 0.3 + 0.1 * rng.normal(size=10) + 0.05 * rng.normal(size=(12, 10))
        found = one_standard_error(range(12), scores, test_over_train=0)
        gains.append(np.mean(found.means) - found.means[found.best_index])
        predicted.append(found.optimism)
    assert np.mean(predicted) == pytest.approx(np.mean(gains), rel=0.1)


def test_looks_are_counted() -> None:
    few, many = one_standard_error("abc", SCORES), one_standard_error("abc", SCORES, looks=300)
    assert many.optimism > few.optimism
    assert one_standard_error("abc", SCORES, looks=np.int64(300)) == many
    assert "looked at 300 times" in many.sentence()
    assert one_standard_error(["only"], SCORES[:1]).optimism == 0


@pytest.mark.parametrize(
    ("settings", "scores", "options", "error", "lesson"),
    [
        ("ab", SCORES, {}, DataError, "2 settings"),
        ("aab", SCORES, {}, DataError, "twice"),
        ("abc", np.where(SCORES > 1, np.nan, SCORES), {}, DataError, "not finite for a"),
        ("abc", SCORES[:, 0], {}, DataError, "two scores"),
        ("abc", SCORES, {"looks": 0}, ArgumentError, "looks is 0"),
    ],
)
def test_refusals(settings: Any, scores: Any, options: Any, error: Any, lesson: str) -> None:
    with pytest.raises(error, match=lesson):
        one_standard_error(settings, scores, **options)


def test_print_and_json() -> None:
    found = one_standard_error(["degree 1", "degree 4", "degree 15"], SCORES)
    assert max(map(len, str(found).split("\n"))) <= 80
    assert Selection.from_json(found.to_json()) == found
