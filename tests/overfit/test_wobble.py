import numpy as np
import pytest

from weft.overfit import generalization_loss
from weft.overfit.wobble import rise_over_wobble, second_descent, strip_noise

V = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]


def again(curve: np.ndarray) -> int | None:
    return second_descent(curve, generalization_loss(curve), hump=5)


@pytest.mark.parametrize(("lasting", "least", "most"), [(1, 0.9, 1.35), (5, 0.6, 1.1)])
def test_strip_noise_is_the_standard_error_of_a_strip_mean(lasting: int, least: float, most: float) -> None:
    rng = np.random.default_rng(0)
    estimates, truth = [], []
    for _ in range(200):
        wobble = np.repeat(rng.normal(size=400 // lasting), lasting)
        estimates.append(strip_noise(wobble, best=0))
        truth.append(wobble[200:205].mean())
    # The larger of two estimates is a little high; of a wobble of 5 epochs overlapping strips see two thirds.
    assert least < np.mean(estimates) / np.std(truth) < most


@pytest.mark.parametrize("epochs", [8, 12, 20, 30, 60, 200])
@pytest.mark.parametrize("turn", [0.3, 0.5])
def test_a_smooth_rise_is_found_however_short_the_run(epochs: int, turn: float) -> None:
    n = int(epochs * turn)
    curve = np.r_[np.exp(-np.arange(n) / 3), np.exp(-(n - 1) / 3) + np.linspace(0.02, 1, epochs - n)]
    assert rise_over_wobble(curve, best=int(curve.argmin())) > 3


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
