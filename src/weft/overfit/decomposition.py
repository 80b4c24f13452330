"""Bias and variance: how much of a loss every training set brings, and how much is the luck of one of them.

R training sets × S seeds give R·S models, whose predictions on the same n examples are decomposed.

- Squared loss: ``loss = bias² + variance`` about the mean prediction.
- 0–1 loss: P. Domingos, "A Unified Bias-Variance Decomposition", ICML and AAAI 2000; about the mode.
- Log loss: T. Heskes, "Bias/Variance Decompositions for Likelihood-Based Estimators", *Neural Computation* 10, 1998;
  about the normalised geometric mean.

The identities are exact for the models at hand. The standard errors say how the terms would change with other
training sets: whole training sets, with their seeds, are drawn again with replacement (bootstrap, 200 times, always
the same draws), and the spread is widened by √(R/(R-1)). The examples stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import ArgumentError, DataError, ShapeError
from weft.overfit.check import whole
from weft.overfit.decomposed import TITLES, Kind
from weft.overfit.decomposed import Decomposition as Decomposition

Floats = NDArray[np.float64]

DRAWS = 200
"""How often the training sets are drawn again."""


def decompose(
    predictions: ArrayLike,
    targets: ArrayLike,
    loss: Kind = "squared",
    seeds: int | None = None,
    noise: float | None = None,
) -> Decomposition:
    """The bias–variance decomposition of R training sets × S seeds on the same n examples.

    ``predictions`` (R, S, n, …); with ``seeds=S`` a population (R·S, n, …) in which the seed varies fastest. For
    "squared" the predictions have the shape of the targets (n, …) on the axes after the first two; for "zero_one"
    both are class numbers; for "log" predictions are probabilities (R, S, n, classes), targets class numbers (n,).
    Seeds should differ from training set to training set; repeated ones make the seed variance pass for bias.
    ``noise`` is what no model can avoid, if it is known: the variance of the targets about the truth (squared) or
    the mean entropy of the true conditional distribution (log).

    Raises DataError for one training set, ShapeError and DataError for what does not fit or is not finite.

    >>> d = decompose([[[1.0, 2.0]], [[3.0, 2.0]]], [2.0, 1.0])
    >>> d.bias2, d.variance, d.loss
    (0.5, 0.5, 1.0)
    """
    if loss not in TITLES:
        raise ArgumentError(f"loss is {loss!r}", expected='"squared", "zero_one" or "log"')
    p = _folded(np.asarray(predictions), seeds)
    y = np.asarray(targets)
    _check_noise(noise, loss)
    terms, floored = {"squared": _squared, "zero_one": _zero_one, "log": _log}[loss](p, y)
    values = terms(np.ones(len(p)))
    if noise is not None and loss == "squared":
        values["bias2_corrected"] -= noise
    return Decomposition(
        kind=loss,
        training_sets=p.shape[0],
        seeds=p.shape[1],
        examples=p.shape[2],
        noise=None if noise is None else float(noise),
        floored=floored,
        se=_errors(terms, values, len(p)),
        **values,
    )


Terms = Callable[[Floats], dict[str, Any]]
"""The terms of a loss, given how often each training set counts: (R,) with sum R."""


def _errors(terms: Terms, values: dict[str, Any], count: int) -> dict[str, float]:
    """The bootstrap's standard error of every term; the same draws for the same R."""
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    draws = [terms(times.astype(np.float64)) for times in drawn]
    widen = math.sqrt(count / (count - 1))  # of R values drawn again, the variance is (R-1)/R of what it should be
    named = {name: [d[name] for d in draws] for name, v in values.items() if v is not None}
    named["net_variance"] = [d["loss"] - d["bias2"] for d in draws]
    return {name: float(np.std(of, ddof=1)) * widen for name, of in named.items()}


# ── squared loss ────────────────────────────────────────────────────────────────────────────────────────────


def _squared(p: NDArray[Any], y: NDArray[Any]) -> tuple[Terms, int]:
    _numbers(p, "predictions")
    _numbers(y, "targets")
    if p.shape[2:] != y.shape:
        raise ShapeError(
            f"predictions {p.shape} against targets {y.shape}",
            expected=f"targets {p.shape[2:]}: the axes of the predictions after training sets and seeds",
        )
    # The variances of the residuals are those of the predictions.
    e = (p.astype(np.float64) - y.astype(np.float64)).reshape(*p.shape[:2], -1)
    means, within = e.mean(axis=1), e.var(axis=1).mean(axis=1)
    return lambda times: _squared_terms(means, within, p.shape[1], times), 0


def _squared_terms(means: Floats, within: Floats, s: int, times: Floats) -> dict[str, Any]:
    """From the residuals averaged over seeds (R, n), and their variance over the seeds averaged over examples (R,)."""
    r = len(means)
    mean = times @ means / r
    bias2, data = float((mean**2).mean()), float((times @ (means - mean) ** 2).mean() / r)
    seed = float(times @ within / r)
    seed_true = seed * s / (s - 1) if s > 1 else 0.0
    spread = data * r / (r - 1)  # var_{ddof=1} over training sets of the mean over seeds
    return {
        "loss": float(times @ (means**2).mean(axis=1) / r) + seed,
        "bias2": bias2,
        "variance": data + seed,
        "data_variance": data if s > 1 else None,
        "seed_variance": seed if s > 1 else None,
        "bias2_corrected": bias2 - spread / r,
        "variance_corrected": data + seed + spread / r,
        "data_variance_corrected": spread - seed_true / s if s > 1 else None,
        "seed_variance_corrected": seed_true if s > 1 else None,
    }


# ── 0–1 loss ────────────────────────────────────────────────────────────────────────────────────────────────


def _zero_one(p: NDArray[Any], y: NDArray[Any]) -> tuple[Terms, int]:
    _classes(p, "predictions")
    _classes(y, "targets")
    if p.shape[2:] != y.shape:
        raise ShapeError(f"predictions {p.shape} against targets {y.shape}", expected=f"targets {p.shape[2:]}")
    known, numbered = np.unique(np.concatenate([p.ravel(), y.ravel()]), return_inverse=True)
    votes, truth = numbered[: p.size].reshape(len(p), p.shape[1], -1), numbered[p.size :]
    cells = votes * len(truth) + np.arange(len(truth))
    counts = np.stack([np.bincount(own.ravel(), minlength=len(known) * len(truth)) for own in cells])
    shares = counts.reshape(len(p), len(known), -1) / p.shape[1]
    return lambda times: _zero_one_terms(shares, truth, times), 0


def _zero_one_terms(of_sets: Floats, y: NDArray[np.int64], times: Floats) -> dict[str, Any]:
    """From how often each training set's models say each class of each example, (R, classes, n)."""
    examples = np.arange(len(y))
    shares = np.tensordot(times, of_sets, 1) / len(of_sets)
    main = shares.argmax(axis=0)  # of equally frequent classes the one with the lowest number
    wrong, v, right = main != y, 1 - shares[main, examples], shares[y, examples]
    biased, helpful = float((wrong * v).mean()), float((wrong * right).mean())
    return {
        "loss": float(1 - right.mean()),
        "bias2": float(wrong.mean()),
        "variance": float(v.mean()),
        "unbiased_variance": float((~wrong * v).mean()),
        "biased_variance": biased,
        "factor": helpful / biased if biased > 0 else 1.0,
    }


# ── log loss ────────────────────────────────────────────────────────────────────────────────────────────────


def _log(p: NDArray[Any], y: NDArray[Any]) -> tuple[Terms, int]:
    _numbers(p, "predictions")
    _classes(y, "targets")
    if p.ndim != 4 or y.ndim != 1 or p.shape[2] != len(y) or p.shape[3] < 2:
        raise ShapeError(
            f"predictions {p.shape} against targets {y.shape}",
            expected="probabilities (R, S, n, classes) and class numbers (n,)",
            cure="np.stack([1 - p, p], axis=-1) for the probability of class 1",
        )
    if not 0 <= y.min() <= y.max() < p.shape[3]:
        raise DataError(f"targets from {y.min()} to {y.max()}", expected=f"0 to {p.shape[3] - 1}")
    logs, floored = _log_probabilities(p)
    y = y.astype(np.int64)
    per_model = -logs[:, :, np.arange(len(y)), y].mean(axis=(1, 2))
    mains, within = _geometric(logs.mean(axis=1))
    return lambda times: _log_terms(mains, within.mean(axis=-1), per_model, p.shape[1], y, times), floored


def _log_probabilities(p: NDArray[Any]) -> tuple[Floats, int]:
    """The log p in float64, exactly normalised, and how many probabilities of 0 were raised to make that finite."""
    sums = p.sum(axis=-1, dtype=np.float64)
    if (p < 0).any() or (np.abs(sums - 1) > 1e-2).any():
        raise DataError(
            f"predictions from {p.min():.3g} to {p.max():.3g} whose sums go from {sums.min():.3g} to {sums.max():.3g}",
            expected="probabilities: 0 or more, with sum 1 over the last axis",
            cure="softmax of the logits",
        )
    least = float(np.finfo(p.dtype).eps) if p.dtype.kind == "f" else float(np.finfo(np.float64).eps)
    raised = np.maximum(p.astype(np.float64), least)
    return np.log(raised / raised.sum(axis=-1, keepdims=True)), int((p < least).sum())


def _log_terms(mains: Floats, within: Floats, losses: Floats, s: int, y: NDArray[Any], times: Floats) -> dict[str, Any]:
    """From the main predictions log q_r of each training set (R, n, classes), with their variance and loss (R,).

    The main prediction of main predictions is that of all models, and the variances of both steps add up.
    """
    r = len(mains)
    mean = (times @ mains.reshape(r, -1) / r).reshape(mains.shape[1:])
    q, between = _geometric(mean)
    data, seed = float(between.mean()), float(times @ within / r)
    return {
        "loss": float(times @ losses / r),
        "bias2": float(-q[np.arange(len(y)), y].mean()),
        "variance": data + seed,
        "data_variance": data if s > 1 else None,
        "seed_variance": seed if s > 1 else None,
    }


def _geometric(mean_log: Floats) -> tuple[Floats, Floats]:
    """The log q with ``q ∝ exp(mean log p)``, and ``mean KL(q || p)``, which is ``-log Σ exp(mean log p)``.

    >>> q, variance = _geometric(np.log([[0.5, 0.5], [0.9, 0.1]]).mean(axis=0))
    >>> np.exp(q).round(3), variance.round(4)
    (array([0.75, 0.25]), np.float64(0.1116))
    """
    from scipy.special import logsumexp

    size = logsumexp(mean_log, axis=-1, keepdims=True)
    return mean_log - size, -size[..., 0]


# ── what can be decomposed ──────────────────────────────────────────────────────────────────────────────────


def _folded(p: NDArray[Any], seeds: int | None) -> NDArray[Any]:
    """Predictions as (R, S, n, …)."""
    if seeds is not None:
        seeds = whole(seeds, "seeds", "how many seeds each training set has, 1 or more")
        if p.ndim < 2 or len(p) % seeds:
            raise ShapeError(
                f"predictions {p.shape} with seeds={seeds}",
                expected=f"(R·{seeds}, n, …): a population whose first axis is a multiple of {seeds}",
            )
        p = p.reshape(len(p) // seeds, seeds, *p.shape[1:])
    if p.ndim < 3 or 0 in p.shape:
        raise ShapeError(
            f"predictions have shape {p.shape}",
            expected="(R, S, n, …): training sets, seeds, examples",
            cure="predictions[:, None] for one seed each; seeds=S for a population (R·S, n, …)",
        )
    if len(p) < 2:
        raise DataError(
            "predictions of one training set: nothing varies from which a variance could be measured,"
            " and bias² and variance cannot be told apart",
            expected="models of two or more training sets (bootstrap or random halves); twenty or more are worth it",
        )
    return p


def _check_noise(noise: float | None, loss: Kind) -> None:
    if noise is None:
        return
    if loss == "zero_one":
        raise ArgumentError(
            f"noise={noise} with 0-1 loss",
            expected="None: there the noise is a factor of the other terms, and cannot be subtracted",
        )
    if not (math.isfinite(noise) and noise >= 0):
        raise ArgumentError(f"noise is {noise}", expected="0 or more, or None if it is not known")


def _numbers(x: NDArray[Any], name: str) -> None:
    if x.dtype.kind not in "fiub":
        raise DataError(f"{name} have type {x.dtype}", expected="real numbers")
    bad = ~np.isfinite(x)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"{name} have {int(bad.sum())} values that are not finite, the first at {where}",
            expected="finite numbers",
            cure="leave out models that diverged, and say so",
        )


def _classes(x: NDArray[Any], name: str) -> None:
    if x.dtype.kind == "f":
        _numbers(x, name)
    if x.dtype.kind not in "iub":
        raise DataError(
            f"{name} have type {x.dtype}", expected="class numbers: integers", cure="scores.argmax(axis=-1) for scores"
        )
