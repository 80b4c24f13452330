"""Prechelt's stopping criteria, and the tests that tell a difference from noise.

E_va and E_tr are losses at the end of each epoch, lower is better. Epochs are counted from 1, as in the paper:
L. Prechelt, "Early Stopping — But When?", in *Neural Networks: Tricks of the Trade*, 1998.
What is not finite is never an improvement and never the best: it counts as +∞.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft.errors import ArgumentError, DataError
from weft.overfit.check import truths, whole

Floats = NDArray[np.float64]
Losses = NDArray[np.float64] | Sequence[float]

STRIP = 5
"""k, the epochs of one strip."""

ZERO = 0.01
"""Below this share of E_0 a loss counts as having reached zero, and GL and P_k are measured against E_0."""


def reference(loss: Floats, baseline: float) -> float | None:
    """What GL and P_k are measured against: None, a ratio of losses, or E_0 where the loss comes near zero.

    >>> reference(np.array([1.0, 0.5]), 1.0), reference(np.array([1.0, 0.005]), 1.0)
    (None, 1.0)
    """
    return baseline if loss.min() <= ZERO * abs(baseline) else None


def unit(val_loss: Floats, baseline: float) -> float:
    """What a rise is a share of: E_opt, or E_0 - E_opt by `reference`; 0 or less where nothing was learned.

    >>> unit(np.array([1.0, 0.5]), 1.0), unit(np.array([1.0, 0.0]), 1.0)
    (0.5, 1.0)
    """
    lowest = float(val_loss.min())
    return lowest if reference(val_loss, baseline) is None else baseline - lowest


def generalization_loss(val_loss: Losses, baseline: float | None = None) -> Floats:
    """GL(t), by how many per cent the validation loss of epoch t exceeds the lowest so far; shape (T,).

    ``GL(t) = 100 (E_va(t) / E_opt(t) - 1)`` with ``E_opt(t) = min_{s<=t} E_va(s)``. For losses that reach or pass
    zero, where a ratio means nothing, give ``baseline`` = E_0, the loss of the best constant predictor:
    ``GL(t) = 100 (E_va - E_opt) / (E_0 - E_opt)``, and 0 as long as nothing better than the constant was learned.

    Raises ArgumentError for a loss of zero or less without a baseline.

    >>> generalization_loss([1.0, 0.8, 0.9, 1.0]).round(6)
    array([ 0. ,  0. , 12.5, 25. ])
    """
    e_va = _curve(val_loss, "val_loss")
    e_opt = np.minimum.accumulate(e_va)
    return 100 * _excess(e_va, e_opt, baseline, "val_loss")


def progress(train_loss: Losses, k: int = STRIP, baseline: float | None = None) -> Floats:
    """P_k(t), how far the training loss averaged over the last k epochs lies above their best, per mille; (T,).

    ``P_k(t) = 1000 (sum of the last k E_tr / (k · min of the last k E_tr) - 1)``; NaN while t < k. For losses that
    reach or pass zero, ``1000 (mean - min) / (E_0 - min)`` with the ``baseline`` E_0.

    >>> progress([1.0, 0.9, 0.8, 0.7, 0.6]).round(3)
    array([    nan,     nan,     nan,     nan, 333.333])
    """
    e_tr = _curve(train_loss, "train_loss")
    result = np.full(len(e_tr), np.nan)
    if _strip(k) <= len(e_tr):
        strips = np.lib.stride_tricks.sliding_window_view(e_tr, k)
        result[k - 1 :] = 1000 * _excess(strips.mean(1), strips.min(1), baseline, "train_loss")
    return result


def quotient(val_loss: Losses, train_loss: Losses, k: int = STRIP, baseline: float | None = None) -> Floats:
    """GL(t) / P_k(t), the generalization lost for the training progress still made; NaN while t < k; (T,).

    >>> quotient([1.0, 1.0, 1.0, 1.0, 1.1], [1.0, 0.9, 0.8, 0.7, 0.6]).round(3)[-1]
    np.float64(0.03)
    """
    gl, p = generalization_loss(val_loss, baseline), progress(train_loss, k, baseline)
    if len(gl) != len(p):
        raise DataError(f"val_loss covers {len(gl)} epochs and train_loss {len(p)}", expected="equal lengths")
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(np.isinf(gl), np.inf, np.where(gl == 0, 0.0, gl / p))
    result[np.isnan(p)] = np.nan
    return result


def stop_gl(val_loss: Losses, alpha: float, baseline: float | None = None) -> int | None:
    """GL_α: the first epoch with GL > α, or None; Prechelt used α = 1, 2, 3, 5.

    >>> stop_gl([1.0, 0.8, 0.82, 0.85], alpha=5)
    4
    """
    return _first(generalization_loss(val_loss, baseline) > _positive(alpha, "alpha"))


def stop_pq(
    val_loss: Losses, train_loss: Losses, alpha: float, k: int = STRIP, baseline: float | None = None
) -> int | None:
    """PQ_α: the first epoch at the end of a strip with GL / P_k > α, or None; Prechelt used α from 0.5 to 3.

    >>> stop_pq([1.0, 1.0, 1.0, 1.0, 1.1], [1.0, 0.99, 0.99, 0.98, 0.98], alpha=0.5)
    5
    """
    exceeds = quotient(val_loss, train_loss, k, baseline) > _positive(alpha, "alpha")
    ends = np.arange(1, len(exceeds) + 1) % k == 0
    return _first(exceeds & ends)


def stop_up(val_loss: Losses, s: int, k: int = STRIP) -> int | None:
    """UP_s: the end of the s-th successive strip at whose end E_va was higher than at the end of the one before.

    >>> stop_up([5, 4, 3, 2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3], s=2)
    15
    """
    whole(s, "s", "a number of successive strips, 1 or more")
    ends = _curve(val_loss, "val_loss")[_strip(k) - 1 :: k]
    successive = 0
    for strip in range(1, len(ends)):
        rose = ends[strip] > ends[strip - 1] or not math.isfinite(ends[strip])
        successive = successive + 1 if rose else 0
        if successive >= s:
            return (strip + 1) * k
    return None


def paired_rise(last: Losses, best: Losses) -> float:
    """The z of the rise of the loss from epoch t* to epoch T, over the same n examples.

    ``d_i = l_i(T) - l_i(t*)``, ``z = mean(d) / SE(d)``, ``SE(d) = sd(d) / √n``. Pairing removes the differences
    between examples, which dwarf the rise. A rise that is the same for every example is infinitely clear: ±∞.

    >>> round(paired_rise([1.1, 1.3, 1.2, 1.6], [1.0, 1.0, 1.0, 1.0]), 3)
    2.777
    """
    later, earlier = _sample(last, "last"), _sample(best, "best")
    if later.shape != earlier.shape:
        raise DataError(f"{len(later)} examples against {len(earlier)}", expected="the same examples twice")
    d = later - earlier
    return _ratio(float(d.mean()), float(d.std(ddof=1)) / math.sqrt(len(d)))


class Gap(NamedTuple):
    """A gap between validation and training loss: its size, standard error, z, and share of what was learned."""

    size: float
    se: float
    z: float
    relative: float | None


def gap(train_examples: Losses, val_examples: Losses, baseline: float | None = None) -> Gap:
    """How much worse the model is on validation than on training examples, at the same weights.

    ``G = E_va - E_tr``, ``SE_G = √(var_va / n_va + var_tr / n_tr)``, ``g = G / (E_0 - E_tr)``; g is None without a
    baseline, or where the model is no better than the constant on its training data.

    >>> round(gap([0.1, 0.2, 0.3], [0.5, 0.6, 0.7], baseline=1.0).relative, 6)
    0.5
    """
    tr, va = _sample(train_examples, "train_examples"), _sample(val_examples, "val_examples")
    size = float(va.mean() - tr.mean())
    se = math.sqrt(float(va.var(ddof=1)) / len(va) + float(tr.var(ddof=1)) / len(tr))
    learned = 0.0 if baseline is None else baseline - float(tr.mean())
    return Gap(size, se, _ratio(size, se), size / learned if learned > 0 else None)


def mcnemar(correct_a: Sequence[bool] | NDArray[np.bool_], correct_b: Sequence[bool] | NDArray[np.bool_]) -> float:
    """The p of the hypothesis that two classifiers are right equally often, over the same examples.

    Only the examples that one gets right and the other wrong speak; under the hypothesis each is a fair coin.
    Two-sided exact binomial test (McNemar 1947); 1 if the two never differ.

    Raises DataError for anything but true and false, such as class numbers or probabilities.

    >>> round(mcnemar([True] * 8 + [False], [False] * 8 + [True]), 9)
    0.0390625
    """
    a, b = truths(correct_a, "correct_a"), truths(correct_b, "correct_b")
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(f"shapes {a.shape} and {b.shape}", expected="the same examples twice, one axis each")
    return even_chance(int((a & ~b).sum()), int((b & ~a).sum()))


def even_chance(a: int, b: int) -> float:
    """The two-sided p of a against b under even odds, ``2 Σ_{i ≤ min(a, b)} C(n, i) / 2ⁿ``, at most 1.

    Summed here: importing a library of statistics takes a second, and a diagnosis is to cost next to nothing.

    >>> round(even_chance(8, 1), 9), even_chance(0, 0)
    (0.0390625, 1.0)
    """
    n, least = a + b, min(a, b)
    if a == b:
        return 1.0
    term = math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2)
    ratios = np.arange(least, 0, -1) / np.arange(n - least + 1, n + 1)  # C(n, i - 1) / C(n, i)
    return min(1.0, 2 * math.exp(term) * (1 + float(np.cumprod(ratios).sum())))


def _curve(values: Losses, name: str) -> Floats:
    e = np.asarray(values, dtype=np.float64)
    if e.ndim != 1 or len(e) == 0:
        raise DataError(f"{name} has shape {e.shape}", expected="one loss per epoch, at least one epoch")
    return np.where(np.isfinite(e), e, np.inf)


def _sample(values: Losses, name: str) -> Floats:
    losses = np.asarray(values, dtype=np.float64)
    if losses.ndim != 1 or len(losses) < 2:
        raise DataError(f"{name} has shape {losses.shape}", expected="the losses of at least two examples, one axis")
    return losses


def _excess(e: Floats, least: Floats, baseline: float | None, name: str) -> Floats:
    """``e / least - 1``, or ``(e - least) / (E_0 - least)``; +∞ where e is not finite."""
    if baseline is None and (least <= 0).any():
        raise ArgumentError(
            f"{name} reaches {least.min():g}, where a ratio of losses means nothing",
            expected="losses above zero, or the loss of the best constant predictor to measure against",
            cure="pass baseline=E_0",
        )
    result = np.full(len(e), np.inf)
    known = np.isfinite(e)
    scale = least[known] if baseline is None else baseline - least[known]
    rise = e[known] - least[known]
    result[known] = np.divide(rise, scale, out=np.zeros_like(rise), where=scale > 0)
    return result


def _ratio(size: float, se: float) -> float:
    if se > 0 or size == 0 or math.isnan(size):
        return size / se if se > 0 else size
    return math.copysign(math.inf, size)


def _strip(k: int) -> int:
    return whole(k, "k", "a strip of at least one epoch")


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ArgumentError(f"{name} is {value}", expected="above zero")
    return value


def _first(where: NDArray[np.bool_]) -> int | None:
    return int(where.argmax()) + 1 if where.any() else None
