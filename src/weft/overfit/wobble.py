"""Is a rise of the validation curve a rise, or the wobble of stochastic training?

The paired test of `criteria.paired_rise` knows the noise of the *examples*. It cannot know the noise of the
*epochs*: weights at a constant learning rate wander, and every example's loss rises and falls with them. The best
epoch is the luckiest one, the last epoch is an ordinary one, so a flat curve that wobbles "rises" by design. On
simulated flat curves that wobble by 4 % (400 validation examples, 60 epochs), the paired test together with
GL ≥ 5 calls 59 % of the runs overfitting; with the condition below 0–2 %, and a rise of 60 % is still always found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from weft.overfit.criteria import STRIP

Floats = NDArray[np.float64]

CLEAR = 3.0
"""A rise of strip means is sustained above this many standard errors."""


def strip_noise(loss: Floats, k: int = STRIP) -> float:
    """The standard error of the mean loss of k successive epochs, estimated from the curve itself.

    Second differences cancel a level and a slope and leave the wobble: with independent noise of standard
    deviation σ, ``x(t-1) - 2 x(t) + x(t+1)`` has ``√6 σ``. Taken between epochs it gives ``σ / √k``; taken between
    strip means k epochs apart it also sees a wobble that lasts for several epochs. The larger one counts. Medians
    instead of squares, so that the steep first epochs do not pass for noise.

    >>> strip_noise(np.linspace(1.0, 0.0, 30)) < 1e-15
    True
    """
    means = np.convolve(loss, np.ones(k) / k, mode="valid")
    return max(_spread(loss, 1) / math.sqrt(k), _spread(means, k))


def _spread(x: Floats, lag: int) -> float:
    # Fewer than lag + 3 differences are too few for a median to mean anything.
    if len(x) < 3 * lag:
        return 0.0
    second = x[: -2 * lag] - 2 * x[lag:-lag] + x[2 * lag :]
    # 1.4826: the standard deviation of a normal distribution over its median absolute deviation.
    return 1.4826 * float(np.median(np.abs(second))) / math.sqrt(6)


def rise(loss: Floats, t: int, best: int, k: int = STRIP) -> float:
    """How far the k epochs up to index t lie above the k epochs around index ``best``; needs t >= k - 1.

    A mean against a median: neither the luckiest epoch nor the steep fall before it decides.

    >>> round(rise(np.array([3.0, 1.0, 1.0, 1.0, 1.1, 1.5, 1.5, 1.5, 1.5, 1.5]), t=9, best=2), 6)
    0.5
    """
    start = max(0, best - k // 2)
    return float(loss[t - k + 1 : t + 1].mean() - np.median(loss[start : start + k]))


def rise_over_wobble(loss: Floats, k: int = STRIP) -> float:
    """The rise from the best epoch to the end, in standard errors of a difference of two strip means.

    >>> rise_over_wobble(np.r_[np.linspace(1.0, 0.5, 10), np.linspace(0.5, 0.9, 20)]) > 100
    True
    """
    return _in_errors(rise(loss, len(loss) - 1, int(loss.argmin()), k), strip_noise(loss, k))


def second_descent(loss: Floats, generalization_loss: Floats, hump: float, k: int = STRIP) -> int | None:
    """The index of the first new minimum of a curve after a sustained hump of GL >= ``hump``, or None.

    After Nakkiran et al., "Deep Double Descent", 2019: the loss may rise, and later fall below its old minimum.

    >>> curve = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]
    >>> second_descent(curve, 100 * (curve / np.minimum.accumulate(curve) - 1), hump=5)
    34
    """
    noise, best, humped = strip_noise(loss, k), 0, False
    for t in range(1, len(loss)):
        if loss[t] < loss[best]:
            if humped:
                return t
            best = t
        elif t - best >= k and generalization_loss[t] >= hump:
            humped = humped or _in_errors(rise(loss, t, best, k), noise) > CLEAR
    return None


def _in_errors(size: float, noise: float) -> float:
    if noise == 0:
        return math.copysign(math.inf, size) if size else 0.0
    return size / (math.sqrt(2) * noise)
