"""The least that a prediction which ignores the input reaches, for each loss: what a model must beat."""

from __future__ import annotations

import math

import numpy as np


def unknown(y: np.ndarray, classes: int | None = None) -> float:
    """NaN: nothing is known of a loss that is somebody's own function."""
    return math.nan


# ── classes ─────────────────────────────────────────────────────────────────────────────────────────────────


def entropy(y: np.ndarray, classes: int | None = None, ignore_index: int = -100) -> float:
    """−Σ q log q for the frequencies q of the classes: the cross-entropy of always predicting them.

    Labels equal to ``ignore_index`` do not count; NaN where there are no others.

    >>> round(entropy(np.array([0, 1, 0, 1])), 4)
    0.6931
    """
    y = np.asarray(y)
    if y.dtype.kind == "f" and y.ndim > 1:
        q = y.mean(axis=(0, *range(2, y.ndim)), dtype=np.float64)
    else:
        kept = y.astype(np.int64)[y != ignore_index]
        q = np.bincount(kept, minlength=classes or 0) / kept.size if kept.size else np.array([math.nan])
    return float(-(q * np.log(np.where(q > 0, q, 1))).sum())


def binary_entropy(y: np.ndarray, classes: int | None = None) -> float:
    """The mean over the columns of −q log q − (1 − q) log(1 − q), with q the share of positives."""
    q = np.asarray(y, np.float64).reshape(len(y), -1).mean(axis=0)
    both = np.stack([q, 1 - q])
    return float(-(both * np.log(np.where(both > 0, both, 1))).sum(axis=0).mean())


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────


def variance(y: np.ndarray, classes: int | None = None) -> float:
    """The mean squared error of always predicting the mean."""
    return float(np.asarray(y, np.float64).var(axis=0).mean())


def deviation(y: np.ndarray, classes: int | None = None) -> float:
    """The mean absolute error of always predicting the median."""
    y = np.asarray(y, np.float64)
    return float(np.abs(y - np.median(y, axis=0)).mean())


def huber_deviation(y: np.ndarray, classes: int | None = None, delta: float = 1.0) -> float:
    """Huber's loss of the best constant, where the errors held at ±δ sum to zero; found by bisection."""
    y = np.asarray(y, np.float64).reshape(len(y), -1)
    low, high = y.min(axis=0), y.max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.clip(y - middle, -delta, delta).sum(axis=0) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    size = np.abs(y - (low + high) / 2)
    return float(np.where(size < delta, size**2 / 2, delta * (size - delta / 2)).mean())


# ── margins, with targets 0 or −1 for no and 1 for yes ──────────────────────────────────────────────────────


def _share(y: np.ndarray) -> np.ndarray:
    """The share of positives in each column."""
    return np.asarray((np.asarray(y).reshape(len(y), -1) > 0).mean(axis=0))


def hinge_deviation(y: np.ndarray, classes: int | None = None) -> float:
    """The hinge loss of always predicting the commoner answer: twice the share of the rarer one."""
    q = _share(y)
    return float(2 * np.minimum(q, 1 - q).mean())


def squared_hinge_deviation(y: np.ndarray, classes: int | None = None) -> float:
    """The squared hinge loss of the best constant, 2q − 1 for the share q of positives: 4 q (1 − q)."""
    q = _share(y)
    return float((4 * q * (1 - q)).mean())


def sign_entropy(y: np.ndarray, classes: int | None = None) -> float:
    """The entropy of the answers yes and no."""
    return binary_entropy(np.asarray(y) > 0)


# ── counts and distributions ────────────────────────────────────────────────────────────────────────────────


def poisson_deviation(y: np.ndarray, classes: int | None = None) -> float:
    """The Poisson loss of always predicting the mean λ of each column: λ − λ log λ.

    >>> poisson_deviation(np.array([0.0, 2.0]))
    1.0
    """
    mean = np.asarray(y, np.float64).reshape(len(y), -1).mean(axis=0)
    return float((mean - mean * np.log(np.where(mean > 0, mean, 1))).mean())


def divergence(y: np.ndarray, classes: int | None = None) -> float:
    """The mean of t · (log t − log q), with q the mean of the targets t, per element as `kl_div` averages."""
    t = np.asarray(y, np.float64)
    q = np.broadcast_to(t.mean(axis=0), t.shape)
    parts = np.where(t > 0, t * (np.log(np.where(t > 0, t, 1)) - np.log(np.where(q > 0, q, 1))), 0)
    return float(parts.mean())
