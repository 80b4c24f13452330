"""The fit of ``a n^(-b) + c``: closed form in a and c, a search over b, and the bootstrap of it all."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Three = tuple[float, float, float]

LEVEL = 0.90
"""How often an interval should hold the truth."""
DRAWS = 400
_GRID = np.linspace(0.01, 2.0, 200)


def fit(n: Floats, e: Floats, noise: Floats) -> Three:
    """The a, b, c of the least weighted squares, with b between 0.01 and 2.

    >>> n = np.array([1.0, 2.0, 4.0, 8.0])
    >>> [round(value, 4) for value in fit(n, 3 / n + 1, np.ones(4))]
    [3.0, 1.0, 1.0]
    """
    from scipy.optimize import minimize_scalar

    def loss(b: float) -> float:
        return float(linear(n, e[None], noise, np.array([b]))[2][0, 0])

    start = int(linear(n, e[None], noise, _GRID)[2][0].argmin())
    bounds = _GRID[max(start - 1, 0)], _GRID[min(start + 1, len(_GRID) - 1)]
    b = float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x)
    a, c, _ = (v.item() for v in linear(n, e[None], noise, np.array([b])))
    return a * float(n[0]) ** b, b, c


def linear(n: Floats, e: Floats, noise: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """The best a ≥ 0 and c ≥ 0 of curves e (curves, m) for each b (g,), and their weighted squares; (curves, g) each.

    In units of the smallest size, ``e = a (n / n_0)^(-b) + c``, which keeps the sums of one magnitude. A straight line
    in x; where its best slope or intercept is below zero the optimum lies on that bound.
    """
    w = 1 / noise**2
    w = w / w.sum()
    x = (n / n[0]) ** -b[:, None]  # (g, m)
    mean_x, mean_e = x @ w, (e @ w)[:, None]
    cov, var = (e * w) @ x.T - mean_e * mean_x, (x**2) @ w - mean_x**2
    slope = np.maximum(cov / np.maximum(var, 1e-300), 0)
    through_zero = np.maximum((e * w) @ x.T / ((x**2) @ w), 0)
    below = mean_e - slope * mean_x < 0
    a = np.where(below, through_zero, slope)
    c = np.where(below, 0.0, np.maximum(mean_e - slope * mean_x, 0))
    # Σ w (e - a x - c)², written out: one product of matrices instead of an array (curves, g, m).
    squares = ((e**2) @ w)[:, None] - 2 * a * ((e * w) @ x.T) - 2 * c * mean_e
    squares = squares + a**2 * ((x**2) @ w) + 2 * a * c * mean_x + c**2
    return a, c, squares


@lru_cache(maxsize=16)
def draws(sizes: tuple[float, ...], fit: Three, noise: tuple[float, ...], freedom: int) -> tuple[Floats, ...]:
    """The bootstrap's a, b, c, `DRAWS` of each: the law fitted to its own curve with new noise."""
    n, se = np.array(sizes), widened(np.array(noise), freedom)
    curve = fit[0] * n ** -fit[1] + fit[2]
    drawn = curve + se * np.random.default_rng(0).standard_normal((DRAWS, len(n)))
    a, c, squares = linear(n, drawn, se, _GRID)
    best, rows = squares.argmin(axis=1), np.arange(DRAWS)
    b = _GRID[best]
    return a[rows, best] * n[0] ** b, b, c[rows, best]


def slope(x: Floats, e: Floats, noise: Floats) -> tuple[float, float]:
    """The slope of e over x and its standard error, by weighted least squares with known noise."""
    w = 1 / noise**2
    d = x - (w @ x) / w.sum()
    precision = float(w @ d**2)
    return float(w @ (d * e)) / precision, 1 / math.sqrt(precision)


def widened(noise: Floats, freedom: int) -> Floats:
    """Noise that was estimated with few degrees of freedom is less known than its estimate says: Student's t."""
    from scipy.stats import norm, t

    tail = 0.5 + LEVEL / 2
    return noise * float(t.ppf(tail, freedom) / norm.ppf(tail)) if freedom else noise
