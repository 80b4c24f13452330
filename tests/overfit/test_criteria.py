import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from weft.errors import ArgumentError, DataError
from weft.overfit import (
    gap,
    generalization_loss,
    mcnemar,
    paired_rise,
    progress,
    quotient,
    stop_gl,
    stop_pq,
    stop_up,
)
from weft.overfit.criteria import even_chance

# Worked by hand. GL after epoch 9: 2, 4, 8, 12, 16, 20. Strips of five end at 5, 10, 15.
E_VA = [1.0, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.51, 0.52, 0.54, 0.56, 0.58, 0.60]
# P_5(10) = 1000 (1.03 / (5 · 0.2) - 1) = 30 and P_5(15) = 1000 (1.003 / 1 - 1) = 3.
E_TR = [1.0, 0.7, 0.5, 0.4, 0.3, 0.22, 0.21, 0.2, 0.2, 0.2, 0.202, 0.201, 0.2, 0.2, 0.2]

losses = st.lists(st.floats(0.01, 100), min_size=1, max_size=40)


def test_gl_by_hand() -> None:
    assert generalization_loss(E_VA)[9:] == pytest.approx([2, 4, 8, 12, 16, 20])


def test_progress_by_hand() -> None:
    p = progress(E_TR)
    assert np.isnan(p[:4]).all()
    assert p[[9, 14]] == pytest.approx([30, 3])


def test_quotient_by_hand() -> None:
    assert quotient(E_VA, E_TR)[[9, 14]] == pytest.approx([2 / 30, 20 / 3])


@pytest.mark.parametrize(("alpha", "epoch"), [(1, 10), (2.5, 11), (5, 12), (19, 15), (21, None)])
def test_stop_gl(alpha: float, epoch: int | None) -> None:
    assert stop_gl(E_VA, alpha) == epoch


@pytest.mark.parametrize(("alpha", "epoch"), [(0.05, 10), (0.5, 15), (3, 15), (7, None)])
def test_stop_pq(alpha: float, epoch: int | None) -> None:
    assert stop_pq(E_VA, E_TR, alpha) == epoch


@pytest.mark.parametrize(("s", "epoch"), [(1, 10), (2, 15), (3, None)])
def test_stop_up(s: int, epoch: int | None) -> None:
    assert stop_up(E_VA, s) == epoch


def test_pq_stops_only_at_the_end_of_a_strip() -> None:
    assert stop_pq(E_VA[:14], E_TR[:14], 0.5) is None


def test_up_starts_again_after_a_fall() -> None:
    assert stop_up([1, 2, 1, 2, 3], s=2, k=1) == 5


@given(losses, st.floats(1e-3, 1e3))
def test_gl_does_not_change_when_the_loss_is_scaled(e: list[float], scale: float) -> None:
    assert generalization_loss(np.array(e) * scale) == pytest.approx(generalization_loss(e), rel=1e-6, abs=1e-6)


@given(losses)
def test_gl_is_zero_exactly_at_new_minima(e: list[float]) -> None:
    assert ((generalization_loss(e) == 0) == (np.array(e) == np.minimum.accumulate(e))).all()


@given(losses, st.floats(-50, 50))
def test_gl_against_the_baseline_does_not_change_when_the_loss_is_shifted(e: list[float], shift: float) -> None:
    shifted = generalization_loss(np.array(e) + shift, baseline=200 + shift)
    assert shifted == pytest.approx(generalization_loss(e, baseline=200), abs=1e-6)


def test_gl_of_a_loss_through_zero_needs_the_baseline() -> None:
    with pytest.raises(ArgumentError, match="baseline=E_0"):
        generalization_loss([1.0, -1.0, 0.0])
    assert generalization_loss([1.0, -1.0, 0.0], baseline=1.0) == pytest.approx([0, 0, 50])


def test_nothing_is_lost_before_anything_was_learned() -> None:
    assert generalization_loss([2.0, 3.0], baseline=1.0).tolist() == [0, 0]


def test_nan_is_never_an_improvement_and_never_best() -> None:
    e = [1.0, 0.8, math.nan, 0.88]
    assert generalization_loss(e)[2:] == pytest.approx([math.inf, 10])
    assert stop_gl(e, 5) == 3
    assert stop_up([1.0, math.nan, math.nan], s=2, k=1) == 3
    assert generalization_loss([-math.inf, 1.0]).tolist() == [math.inf, 0]


def test_quotient_without_progress() -> None:
    assert quotient([1.0] * 4 + [1.1], [0.5] * 5)[-1] == math.inf
    assert quotient([1.0] * 5, [0.5] * 5)[-1] == 0
    assert np.isnan(quotient(E_VA, E_TR)[:4]).all()


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]]])
def test_curves_without_meaning(bad: list[float]) -> None:
    with pytest.raises(DataError, match="one loss per epoch"):
        generalization_loss(bad)


def test_arguments_out_of_range() -> None:
    with pytest.raises(ArgumentError, match="above zero"):
        stop_gl(E_VA, 0)
    with pytest.raises(ArgumentError, match="at least one epoch"):
        progress(E_TR, k=0)
    with pytest.raises(ArgumentError, match="at least one epoch"):
        stop_up(E_VA, 2, k=2.5)
    with pytest.raises(ArgumentError, match="successive strips"):
        stop_up(E_VA, 1.5)
    assert np.array_equal(progress(E_TR, k=np.int64(2)), progress(E_TR, k=2), equal_nan=True)
    with pytest.raises(DataError, match="equal lengths"):
        quotient(E_VA, E_TR[:-1])


def test_paired_rise_is_the_t_statistic() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(0)
    a, b = rng.gamma(2, size=50), rng.gamma(2, size=50)
    assert paired_rise(a, b) == pytest.approx(ttest_rel(a, b).statistic)


def test_paired_rise_without_noise() -> None:
    assert paired_rise([2.0, 3.0], [1.0, 2.0]) == math.inf
    assert paired_rise([1.0, 2.0], [2.0, 3.0]) == -math.inf
    assert paired_rise([1.0, 2.0], [1.0, 2.0]) == 0
    with pytest.raises(DataError, match="two examples"):
        paired_rise([1.0], [2.0])
    with pytest.raises(DataError, match="same examples"):
        paired_rise([1.0, 2.0], [1.0, 2.0, 3.0])


def test_gap_by_hand() -> None:
    g = gap([0.1, 0.3], [0.5, 0.9], baseline=1.2)
    assert g == pytest.approx((0.5, math.sqrt(0.08 / 2 + 0.02 / 2), 0.5 / math.sqrt(0.05), 0.5))
    assert gap([0.1, 0.3], [0.5, 0.9]).relative is None
    assert gap([0.1, 0.3], [0.5, 0.9], baseline=0.2).relative is None


def test_mcnemar_by_hand() -> None:
    # 5 against 1: 2 (1 + 6) / 2^6.
    a = [True] * 5 + [False] + [True] * 9
    b = [False] * 5 + [True] + [True] * 9
    assert mcnemar(a, b) == pytest.approx(14 / 64)
    assert mcnemar(b, a) == pytest.approx(14 / 64)
    assert mcnemar(a, a) == 1
    with pytest.raises(DataError, match="same examples"):
        mcnemar(a, b[:-1])
    assert mcnemar([1.0, 0.0], [0, 1]) == 1


@given(st.integers(0, 300), st.integers(0, 300))
def test_even_chance_is_the_exact_binomial_test(a: int, b: int) -> None:
    assert even_chance(a, b) == pytest.approx(binomtest(a, a + b).pvalue if a + b else 1.0, rel=1e-9)


@pytest.mark.parametrize("given", [[0.2, 0.9], [2, 1], [1.0, math.nan], ["a", "b"]])
def test_probabilities_and_classes_are_no_decisions(given: list[float]) -> None:
    with pytest.raises(DataError, match="predicted == targets"):
        mcnemar(given, [True, False])
