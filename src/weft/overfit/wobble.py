"""Is a rise of the validation curve a rise, or the wobble of stochastic training?

The paired test of `criteria.paired_rise` knows the noise of the *examples*. It cannot know the noise of the
*epochs*: weights at a constant learning rate wander, and every example's loss rises and falls with them. The best
epoch is the luckiest one, the last epoch is an ordinary one, so a flat curve that wobbles "rises" by design.

The wobble is taken for an autoregression, ``u(t) = ρ u(t-1) + ε(t)``, and its two numbers come from where a trend
disturbs each least: the size of ε from second differences, ρ from what a parabola leaves of the epochs since the
best one. A small rise must be clear at the largest ρ that the epochs allow, for a wobble with a memory drifts as
far as a slight overfitting; a large one (`DRIFT`) at the likeliest. What this gives is measured by
``python -m benchmarks.calibration``, and written down in ``docs/verdicts.md``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from weft.overfit.criteria import STRIP

Floats = NDArray[np.float64]

CLEAR = 3.0
"""A rise of strip means counts as one above this many standard errors."""

DRIFT = 0.15
"""Rises below this share of the loss are what a wobble with a memory may bring about."""

CAUTION = 4 / 3
"""By how much the noise of a small rise counts for more: its own estimate rests on a few epochs."""

LONGEST = 0.95
"""The largest ρ that is believed: beyond it nothing tells a wobble from a trend."""


def innovations(loss: Floats) -> float:
    """The spread of second differences, ``1.4826 · median |x(t-1) - 2 x(t) + x(t+1)|``, that cancel level and slope.

    Medians instead of squares, so that the steep first epochs do not pass for noise.

    >>> innovations(np.linspace(1.0, 0.0, 30)) < 1e-15
    True
    """
    if len(loss) < 3:
        return 0.0
    second = loss[:-2] - 2 * loss[1:-1] + loss[2:]
    # 1.4826: the standard deviation of a normal distribution over its median absolute deviation.
    return 1.4826 * float(np.median(np.abs(second)))


def memory(loss: Floats) -> tuple[float, float]:
    """ρ of the wobble around a parabola, and how uncertain it is; at most `LONGEST`, and that where too short to say.

    The correlation of neighbouring residuals, plus what fitting three coefficients takes away from it: about
    ``(3 + 5 ρ) / m`` of m epochs.
    """
    m = len(loss)
    if m <= STRIP:
        return LONGEST, 0.0
    left = _beside_a_parabola(loss)
    total = float(left @ left)
    if total <= (1e-12 * float(np.abs(loss).max())) ** 2:
        return LONGEST, 0.0
    seen = float(left[1:] @ left[:-1]) / total
    return float(np.clip(seen + (3 + 5 * max(seen, 0.0)) / m, 0.0, LONGEST)), 1 / math.sqrt(m)


def _beside_a_parabola(x: Floats) -> Floats:
    """What the closest parabola leaves; of equally spaced points the three basis functions are known."""
    t = np.linspace(-1, 1, len(x))
    curved = t * t - float(t @ t) / len(t)
    x = x - float(x.mean())
    return np.asarray(x - float(t @ x) / float(t @ t) * t - float(curved @ x) / float(curved @ curved) * curved)


def strip_noise(spread: float, rho: float, k: int = STRIP) -> float:
    """The standard error of the mean of k successive epochs of a wobble, from `innovations` and ρ.

    ``var(x(t-1) - 2 x(t) + x(t+1)) = 2 (1 - ρ) (3 - ρ) s²``, and the mean of k epochs has
    ``s² / k · (1 + 2 Σ_j (1 - j / k) ρʲ)``.

    >>> round(strip_noise(6**0.5, 0.0) * 5**0.5, 9)
    1.0
    """
    variance = spread**2 / (2 * (1 - rho) * (3 - rho))
    lags = np.arange(1, k)
    return math.sqrt(variance / k * (1 + 2 * float(((1 - lags / k) * rho**lags).sum())))


def rise_over_wobble(loss: Floats, best: int, scale: float | None = None, k: int = STRIP) -> float:
    """How far the last k epochs lie above the k epochs around index ``best``, in standard errors; needs T >= k.

    A mean against a median: neither the luckiest epoch nor the steep fall before it decides. ``scale`` is what a
    rise is a share of: the lowest loss, unless something else is given.

    >>> curve = np.r_[np.linspace(1.0, 0.5, 10), np.linspace(0.5, 0.9, 20)]
    >>> rise_over_wobble(curve, best=9) > 100
    True
    """
    start = max(0, best - k // 2)
    rise = float(loss[-k:].mean() - np.median(loss[start : start + k]))
    spread, (rho, unsure) = innovations(loss), memory(loss[best:])
    if rise < DRIFT * abs(float(loss[best]) if scale is None else scale):
        noise = CAUTION * strip_noise(spread, min(rho + unsure, LONGEST), k)
    else:
        noise = strip_noise(spread, rho, k)
    noise *= math.sqrt(2)
    return rise / noise if noise else math.copysign(math.inf, rise) if rise else 0.0


def second_descent(
    loss: Floats, generalization_loss: Floats, hump: float, scale: float | None = None, k: int = STRIP
) -> int | None:
    """The index of the first new minimum of a curve after a hump of GL >= ``hump`` above its wobble, or None.

    After Nakkiran et al., "Deep Double Descent", 2019: the loss may rise, and later fall below its old minimum.
    The hump is looked for at the end of every strip of k epochs since the minimum.

    >>> curve = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]
    >>> second_descent(curve, 100 * (curve / np.minimum.accumulate(curve) - 1), hump=5)
    33
    """
    # Each new minimum ends a stretch that begins with the minimum before; a hump lies between the two.
    minima = np.flatnonzero(np.r_[True, loss[1:] < np.minimum.accumulate(loss)[:-1]])
    for best, again in zip(minima[:-1].tolist(), minima[1:].tolist(), strict=True):
        for t in range(best + k, again, k):
            if generalization_loss[t] >= hump and rise_over_wobble(loss[: t + 1], best, scale, k) > CLEAR:
                return int(again)
    return None
