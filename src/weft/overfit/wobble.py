"""Is a rise of the validation curve a rise, or the wobble of stochastic training?

The paired test of `criteria.paired_rise` knows the noise of the *examples*. It cannot know the noise of the
*epochs*: weights at a constant learning rate wander, and every example's loss rises and falls with them. The best
epoch is the luckiest one, the last epoch is an ordinary one, so a flat curve that wobbles "rises" by design. On
300 simulated flat curves that wobble by 4 % (60 epochs, 400 validation examples, training loss falling) the paired
test together with GL ≥ 5 calls 59 % of the runs overfitting; with the condition below, 2 %. Its
limit: a wobble that drifts for many epochs (correlation 0.8 from epoch to epoch, 4 %) still passes for a rise in
about 22 % of such runs. More validation data does not help there; a smaller learning rate at the end does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from weft.overfit.criteria import STRIP

Floats = NDArray[np.float64]

CLEAR = 3.0
"""A rise of strip means counts as one above this many standard errors."""


def strip_noise(loss: Floats, best: int, k: int = STRIP) -> float:
    """The standard error of the mean loss of k successive epochs, estimated from the curve itself.

    Second differences cancel a level and a slope and leave the wobble: with independent noise of standard
    deviation σ, ``x(t-1) - 2 x(t) + x(t+1)`` has ``√6 σ``, and the mean of k epochs ``σ / √k``. A wobble that
    lasts for several epochs hides from that; strip means k epochs apart see most of it. These are taken after index
    ``best`` only, where an honest curve just rises: the turn of a short curve would pass for noise. The larger
    estimate counts. Medians instead of squares, so that the steep first epochs do not pass for noise either.

    >>> strip_noise(np.linspace(1.0, 0.0, 30), best=29) < 1e-15
    True
    """
    means = np.convolve(loss[best:], np.ones(k) / k, mode="valid") if len(loss) - best >= k else loss[:0]
    return max(_spread(loss, 1) / math.sqrt(k), _spread(means, k))


def _spread(x: Floats, lag: int) -> float:
    if len(x) < 3 * lag:  # fewer than lag differences: nothing to take a median of
        return 0.0
    second = x[: -2 * lag] - 2 * x[lag:-lag] + x[2 * lag :]
    # 1.4826: the standard deviation of a normal distribution over its median absolute deviation.
    return 1.4826 * float(np.median(np.abs(second))) / math.sqrt(6)


def rise_over_wobble(loss: Floats, best: int, k: int = STRIP) -> float:
    """How far the last k epochs lie above the k epochs around index ``best``, in standard errors; needs T >= k.

    A mean against a median: neither the luckiest epoch nor the steep fall before it decides.

    >>> curve = np.r_[np.linspace(1.0, 0.5, 10), np.linspace(0.5, 0.9, 20)]
    >>> rise_over_wobble(curve, best=9) > 100
    True
    """
    start = max(0, best - k // 2)
    rise = float(loss[-k:].mean() - np.median(loss[start : start + k]))
    noise = math.sqrt(2) * strip_noise(loss, best, k)
    return rise / noise if noise else math.copysign(math.inf, rise) if rise else 0.0


def second_descent(loss: Floats, generalization_loss: Floats, hump: float, k: int = STRIP) -> int | None:
    """The index of the first new minimum of a curve after a hump of GL >= ``hump`` above its wobble, or None.

    After Nakkiran et al., "Deep Double Descent", 2019: the loss may rise, and later fall below its old minimum.
    The hump is looked for at the end of every strip of k epochs since the minimum.

    >>> curve = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]
    >>> second_descent(curve, 100 * (curve / np.minimum.accumulate(curve) - 1), hump=5)
    33
    """
    best, humped = 0, False
    for t in range(1, len(loss)):
        if loss[t] < loss[best]:
            if humped:
                return t
            best = t
        elif not humped and (t - best) % k == 0 and generalization_loss[t] >= hump:
            humped = rise_over_wobble(loss[: t + 1], best, k) > CLEAR
    return None
