"""Learning curves: known laws are found, intervals cover, and what cannot be forecast is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import DataError, FileError
from weft.overfit import PowerLaw, fit_power_law

SIZES = np.array([50, 100, 200, 400, 800])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 30), st.floats(0.1, 1.5), st.floats(0, 0.5))
def test_a_law_without_noise_is_found(a: float, b: float, c: float) -> None:
    errors = a * SIZES**-b + c
    law = fit_power_law(SIZES, errors, se=np.full(5, 1e-4 * errors.max()))
    assert law(SIZES) == pytest.approx(errors, rel=1e-4)
    assert law.range(1600).error == pytest.approx(a * 1600.0**-b + c, rel=1e-2)


def test_points_in_any_order_and_units() -> None:
    errors = 2 * SIZES**-0.5 + 0.05
    law = fit_power_law(SIZES, errors, se=0.01 * errors)
    back = fit_power_law(SIZES[::-1], errors[::-1], se=0.01 * errors[::-1])
    assert back == law
    scaled = fit_power_law(SIZES, 10 * errors, se=0.1 * errors)
    assert (scaled.a, scaled.b, scaled.c) == pytest.approx((10 * law.a, law.b, 10 * law.c), rel=1e-3)


@pytest.mark.parametrize(
    ("b", "c", "noise", "repeats"), [(0.5, 0.05, 0.05, 5), (0.5, 0.0, 0.05, 5), (0.3, 0.0, 0.1, 3)]
)
def test_ninety_per_cent_intervals_cover(b: float, c: float, noise: float, repeats: int) -> None:
    rng = np.random.default_rng(0)
    true, target = 2 * SIZES**-b + c, 2 * 1600.0**-b + c
    hits = 0
    for _ in range(200):
        found = fit_power_law(SIZES, true[:, None] * (1 + noise * rng.normal(size=(5, repeats)))).range(1600)
        hits += found.low <= target <= found.high
    assert hits / 200 >= 0.85


def test_the_gain_covers_too() -> None:
    rng = np.random.default_rng(1)
    true = 2 * SIZES**-0.5 + 0.05
    fall, hits, kept = 2 * (800**-0.5 - 1600**-0.5), 0, 0
    for _ in range(200):
        law = fit_power_law(SIZES, true[:, None] * (1 + 0.05 * rng.normal(size=(5, 5))))
        if not law.refusal:
            gain, kept = law.gain(1600), kept + 1
            hits += gain.low <= fall <= gain.high
    assert kept > 150
    assert hits / kept >= 0.85


def test_without_repeats_or_errors_the_scatter_is_the_noise() -> None:
    """Five points leave two degrees of freedom: little is claimed."""
    rng = np.random.default_rng(2)
    true, target, hits = 2 * SIZES**-0.5 + 0.05, 2 * 1600**-0.5 + 0.05, 0
    for _ in range(200):
        found = fit_power_law(SIZES, true * (1 + 0.03 * rng.normal(size=5))).range(1600)
        hits += found.low <= target <= found.high
    assert hits / 200 >= 0.85


@pytest.mark.parametrize(
    ("errors", "se", "reason"),
    [
        ([0.3, 0.2, 0.15], 0.001, "too short to forecast: 3 training-set sizes"),
        ([0.3, 0.31, 0.29, 0.305], 0.01, "does not fall by more than its noise"),
        ([0.2, 0.25, 0.3, 0.35], 0.001, "does not fall by more than its noise"),
        ([0.3, 0.28, 0.255, 0.25], 0.012, "wider than the fall itself"),
        ([0.9, 0.85, 0.3, 0.1, 0.05], 0.004, "no single power law to forecast by: between 50 and 800 examples"),
    ],
)
def test_what_cannot_be_forecast_is_refused(errors: Any, se: float, reason: str) -> None:
    law = fit_power_law(SIZES[: len(errors)], errors, se=np.full(len(errors), se))
    assert reason in law.refusal
    assert reason in law.sentence()
    assert "to forecast" in str(law)
    for ask in (law.forecast, law.gain):
        with pytest.raises(DataError, match="to forecast"):
            ask(10_000)


def test_a_curve_of_another_shape_is_no_law_however_small_its_noise() -> None:
    """The law through a fall that quickens and ends is far from its last point, and would be very sure of itself."""
    rng = np.random.default_rng(0)
    bent = np.array([1.9, 1.25, 0.55, 0.18, 0.066])[:, None] * (1 + 0.02 * rng.normal(size=(5, 3)))
    assert "no single power law" in fit_power_law(SIZES, bent).refusal
    assert fit_power_law(SIZES, bent).misfits
    straight = (20 * SIZES**-1.0)[:, None] * (1 + 0.02 * rng.normal(size=(5, 3)))
    assert not fit_power_law(SIZES, straight).refusal
    assert not fit_power_law(SIZES, straight).misfits
    assert not fit_power_law(SIZES[:3], straight[:3]).misfits  # too few sizes to say


def test_no_number_from_a_law_that_was_not_fitted() -> None:
    law = fit_power_law([10, 20, 40], [0.5, 0.4, 0.35])
    for ask in (law, law.range):
        with pytest.raises(DataError, match="too short"):
            ask(80)
    assert "does not fall" in fit_power_law(SIZES, np.zeros(5)).refusal


def test_too_far_is_refused_and_inside_is_not() -> None:
    errors = 2 * SIZES**-0.5 + 0.05
    law = fit_power_law(SIZES, errors, se=0.02 * errors)
    assert not law.refusal
    assert law.forecast(300).se < law.forecast(1600).se
    with pytest.raises(ValueError, match="more than the 800 examples"):
        law.gain(800)


def test_the_sentence() -> None:
    law = fit_power_law([100, 200, 400, 800, 1600], [0.40, 0.30, 0.225, 0.175, 0.1425], se=[0.004] * 5)
    assert law.sentence().startswith("twice the data (3200 examples) would bring 0.0243 ± 0.0026")
    assert law.sentence(1.5).startswith("1.5 times the data (2400 examples)")


@pytest.mark.parametrize(
    ("sizes", "errors", "se", "lesson"),
    [
        ([1, 2, 3], [1, 2], None, "sizes"),
        ([1, 2, 3, 4], [1, np.nan, 1, 1], None, "at 2 examples"),
        ([1, 2, 2, 4], [1, 1, 1, 1], None, "twice"),
        ([0, 2, 3, 4], [1, 1, 1, 1], None, "above zero"),
        ([1, 2, 3, 4], [1, 1, 1, -1], None, "zero or more"),
        ([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 1, 0], "above zero"),
    ],
)
def test_bad_points_are_lessons(sizes: Any, errors: Any, se: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        fit_power_law(sizes, errors, se)


def test_print_and_json() -> None:
    rng = np.random.default_rng(3)
    law = fit_power_law(SIZES, (2 * SIZES**-0.5)[:, None] * (1 + 0.05 * rng.normal(size=(5, 4))), metric="log loss")
    short = fit_power_law([10, 20], [0.5, 0.4])
    for found in (law, short):
        assert max(map(len, str(found).split("\n"))) <= 80
        again = PowerLaw.from_json(found.to_json())
        assert again.to_json() == found.to_json()
    assert PowerLaw.from_json(law.to_json()).forecast(1600) == law.forecast(1600)
    with pytest.raises(FileError, match="missing b"):
        PowerLaw.from_json(law.to_json().replace('"b":', '"B":'))
