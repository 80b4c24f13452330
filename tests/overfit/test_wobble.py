import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.overfit import generalization_loss
from weft.overfit.wobble import innovations, memory, rise_over_wobble, second_descent, strip_noise

V = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]


def again(curve: np.ndarray) -> int | None:
    return second_descent(curve, generalization_loss(curve), hump=5)


def wobbling(seed: int, memory: float, epochs: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=epochs)
    for t in range(1, epochs):
        x[t] = memory * x[t - 1] + np.sqrt(1 - memory**2) * x[t]
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_strip_noise_is_the_standard_error_of_a_strip_mean(rho: float) -> None:
    curves = [wobbling(seed, rho, 400) for seed in range(200)]
    found = np.mean([strip_noise(innovations(x), rho) for x in curves])
    assert found / np.std([x[200:205].mean() for x in curves]) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("epochs", [40, 150])
def test_memory_is_the_correlation_of_the_wobble(rho: float, epochs: int) -> None:
    trend = np.linspace(0, 10, epochs) ** 1.5
    found = [memory(trend + wobbling(seed, rho, epochs))[0] for seed in range(200)]
    assert np.mean(found) == pytest.approx(rho, abs=0.12)


def test_too_few_epochs_say_nothing_of_memory() -> None:
    assert memory(np.array([1.0, 2.0, 1.0, 3.0, 1.0])) == (0.95, 0.0)


# At the least five epochs after the best one, as the verdict wants them.
@pytest.mark.parametrize(("epochs", "turn"), [(8, 0.3), *((n, t) for n in (12, 20, 30, 60, 200) for t in (0.3, 0.5))])
def test_a_smooth_rise_is_found_however_short_the_run(epochs: int, turn: float) -> None:
    n = int(epochs * turn)
    curve = np.r_[np.exp(-np.arange(n) / 3), np.exp(-(n - 1) / 3) + np.linspace(0.02, 1, epochs - n)]
    assert rise_over_wobble(curve, best=int(curve.argmin())) > 3


@given(st.floats(1e-6, 1e6))
def test_the_rise_does_not_depend_on_the_unit(scale: float) -> None:
    curve = 1 + 0.1 * np.random.default_rng(3).normal(size=60) + np.linspace(0, 0.3, 60)
    best = int(curve.argmin())
    assert rise_over_wobble(scale * curve, best) == pytest.approx(rise_over_wobble(curve, best), rel=1e-6)


@pytest.mark.parametrize(("rho", "most"), [(0.0, 0.02), (0.5, 0.05), (0.8, 0.13)])
@pytest.mark.parametrize("epochs", [20, 60])
def test_a_drifting_wobble_is_rarely_a_rise(rho: float, most: float, epochs: int) -> None:
    found = 0
    for seed in range(300):
        curve = 1 + 0.04 * wobbling(seed, rho, epochs)
        found += rise_over_wobble(curve, best=int(curve.argmin())) > 3
    assert found <= 300 * most


def test_a_flat_wobble_has_not_risen() -> None:
    found = 0
    for seed in range(200):
        curve = 1 + 0.1 * np.random.default_rng(seed).normal(size=60)
        found += rise_over_wobble(curve, best=int(curve.argmin())) > 3
    assert found <= 10


def test_second_descent_is_the_first_new_minimum_after_a_hump() -> None:
    at = again(V)
    assert at == 33
    assert V[at] < V[:at].min()


def test_no_second_descent_without_a_hump_or_a_new_minimum() -> None:
    assert again(np.linspace(1, 0.1, 40)) is None
    assert again(V[:30]) is None


def test_noise_is_no_second_descent() -> None:
    found = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        curve = 0.5 + 0.5 * np.exp(-np.arange(60) / 8) + 0.02 * rng.normal(size=60)
        found += again(curve) is not None
    assert found <= 5


def test_the_first_of_several_descents_is_named() -> None:
    curve = np.r_[V + 1, V + 0.3]
    assert again(curve) == 33
    assert again(curve[33:]) is not None
