"""The distributions: each a formula of uniform or normal numbers, or an op of its own.

Parameters may be tensors, arrays or lists, which broadcast with ``shape``; gradients pass through those of location
and scale.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.ops import random as ops
from weft.ops.arithmetic import ceil
from weft.ops.exponential import exp, log, log1p, sigmoid, sqrt
from weft.ops.linalg import matmul
from weft.ops.manipulation import moveaxis, sizes
from weft.ops.rules import broadcast_shapes, normalize_axis
from weft.ops.searching import take
from weft.ops.sorting import argsort
from weft.ops.statistics import argmax
from weft.ops.trigonometry import tan
from weft.tensor import Tensor, as_tensor


def _wide(shape: Any, *parameters: Any) -> tuple[Any, ...]:
    """The shape of a draw, ``shape`` and that of its parameters, and the parameters: lists become tensors."""
    given = [as_tensor(p) if isinstance(p, list | tuple) else p for p in parameters]
    shapes = [p.shape for p in given if isinstance(p, Tensor | np.ndarray)]
    return (broadcast_shapes(sizes(shape), *shapes) if shapes else sizes(shape), *given)


def _is_unit(first: Any, second: Any) -> bool:
    """Whether two parameters are the numbers 0 and 1, so that nothing is to be scaled."""
    return type(first) is type(second) is float and (first, second) == (0.0, 1.0)


def _check(name: str, what: str, fits: bool) -> None:
    if not fits:
        raise ArgumentError(f"{name} with a parameter outside of its range", expected=what)


def _each(name: str, what: str, fits: Callable[[Any], Any], **parameters: Any) -> None:
    """Refuse numbers, lists and arrays with elements out of range; tensors are not looked into."""
    for parameter, value in parameters.items():
        if not isinstance(value, Tensor):
            _check(f"{name}({parameter}={value})", what.format(parameter), bool(np.all(fits(np.asarray(value)))))


def _positive(name: str, **parameters: Any) -> None:
    _each(name, "{} > 0", lambda v: v > 0, **parameters)


def _not_negative(name: str, **parameters: Any) -> None:
    _each(name, "{} ≥ 0", lambda v: v >= 0, **parameters)


def _probability(name: str, p: Any) -> None:
    _each(name, "0 ≤ p ≤ 1", lambda v: (v >= 0) & (v <= 1), p=p)


def _least(dtype: Any) -> float:
    """The smallest number of a type whose precision does not suffer: the uniform numbers above 0 begin there."""
    import ml_dtypes

    return float(ml_dtypes.finfo(data_type(dtype).numpy).tiny)


class Distributions(ABC):
    """What a generator can draw."""

    @abstractmethod
    def key(self) -> Tensor:
        """The next key."""

    # ── from uniform numbers ────────────────────────────────────────────────────────────────────────────────

    def uniform(self, shape: Any = (), *, low: Any = 0.0, high: Any = 1.0, dtype: Any = float32) -> Any:
        """Numbers spread evenly over [low, high)."""
        wide, low, high = _wide(shape, low, high)
        drawn = ops.uniform_op(self.key(), shape=wide, dtype=data_type(dtype))
        return drawn if _is_unit(low, high) else drawn * (high - low) + low

    def bernoulli(self, p: Any = 0.5, shape: Any = ()) -> Any:
        """True with probability ``p``."""
        _probability("bernoulli", p)
        wide, p = _wide(shape, p)
        return self.uniform(wide) < p

    def exponential(self, shape: Any = (), *, scale: Any = 1.0, dtype: Any = float32) -> Any:
        """Waiting times with mean ``scale``: density exp(−x / scale) / scale for x ≥ 0."""
        _positive("exponential", scale=scale)
        wide, scale = _wide(shape, scale)
        return -log1p(-self.uniform(wide, dtype=dtype)) * scale

    def laplace(self, shape: Any = (), *, mean: Any = 0.0, scale: Any = 1.0, dtype: Any = float32) -> Any:
        """Density exp(−|x − mean| / scale) / (2 scale)."""
        _positive("laplace", scale=scale)
        wide, mean, scale = _wide(shape, mean, scale)
        return (self.exponential(wide, dtype=dtype) - self.exponential(wide, dtype=dtype)) * scale + mean

    def gumbel(self, shape: Any = (), *, mean: Any = 0.0, scale: Any = 1.0, dtype: Any = float32) -> Any:
        """The distribution of extremes: mean − scale · log(exponential)."""
        _positive("gumbel", scale=scale)
        wide, mean, scale = _wide(shape, mean, scale)
        drawn = self._inside(wide, dtype)
        return -log(-log(drawn)) * scale + mean

    def logistic(self, shape: Any = (), *, mean: Any = 0.0, scale: Any = 1.0, dtype: Any = float32) -> Any:
        """The distribution whose cumulative function is the sigmoid of (x − mean) / scale."""
        _positive("logistic", scale=scale)
        wide, mean, scale = _wide(shape, mean, scale)
        drawn = self._inside(wide, dtype)
        return (log(drawn) - log1p(-drawn)) * scale + mean

    def cauchy(self, shape: Any = (), *, mean: Any = 0.0, scale: Any = 1.0, dtype: Any = float32) -> Any:
        """Density 1 / (π scale (1 + ((x − mean) / scale)²)); it has no mean."""
        _positive("cauchy", scale=scale)
        wide, mean, scale = _wide(shape, mean, scale)
        drawn = self.uniform(wide, dtype=dtype)
        return tan((drawn - 0.5) * math.pi) * scale + mean

    def geometric(self, p: Any, shape: Any = ()) -> Any:
        """How many trials, each successful with probability ``p``, it takes to the first success: 1, 2, …"""
        _each("geometric", "0 < p ≤ 1", lambda v: (v > 0) & (v <= 1), p=p)
        wide, p = _wide(shape, p)
        drawn = self.uniform(wide)
        return ceil(log1p(-drawn) / log1p(-as_tensor(p))).clip(1.0).astype("int64")

    def _inside(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Uniform numbers of which none is 0, so that all have a logarithm."""
        drawn = self.uniform(shape, dtype=dtype)
        least = _least(dtype)
        return drawn * (1.0 - least) + least

    # ── from normal numbers ─────────────────────────────────────────────────────────────────────────────────

    def normal(self, shape: Any = (), *, mean: Any = 0.0, std: Any = 1.0, dtype: Any = float32) -> Any:
        """Numbers of a normal distribution with this mean and standard deviation."""
        _not_negative("normal", std=std)
        wide, mean, std = _wide(shape, mean, std)
        drawn = ops.normal_op(self.key(), shape=wide, dtype=data_type(dtype))
        return drawn if _is_unit(mean, std) else drawn * std + mean

    def lognormal(self, shape: Any = (), *, mean: Any = 0.0, std: Any = 1.0, dtype: Any = float32) -> Any:
        """Exp of a normal number with this mean and standard deviation."""
        return exp(self.normal(shape, mean=mean, std=std, dtype=dtype))

    def truncated_normal(self, shape: Any = (), *, low: float = -2.0, high: float = 2.0, dtype: Any = float32) -> Any:
        """Numbers of a standard normal distribution that lie between ``low`` and ``high``."""
        _check(f"truncated_normal(low={low}, high={high})", "low < high", low < high)
        return ops.truncated_normal_op(self.key(), low, high, shape=sizes(shape), dtype=data_type(dtype))

    def multivariate_normal(self, mean: Any, covariance: Any, shape: Any = (), *, dtype: Any = float32) -> Any:
        """Vectors of a normal distribution: mean + L z, with L Lᵀ the ``covariance``."""
        from weft.ops.decompositions import cholesky

        mean, covariance = as_tensor(mean).astype(dtype), as_tensor(covariance).astype(dtype)
        n = mean.shape[-1]
        if covariance.shape[-2:] != (n, n):
            raise ShapeError(f"a covariance of shape {covariance.shape} for {n} variables", expected=f"({n}, {n})")
        many = broadcast_shapes(mean.shape[:-1], covariance.shape[:-2])
        drawn = self.normal((*sizes(shape), *many, n), dtype=dtype)
        return mean + matmul(cholesky(covariance), drawn[..., None])[..., 0]

    # ── from gamma numbers ──────────────────────────────────────────────────────────────────────────────────

    def gamma(self, a: Any, shape: Any = (), *, scale: Any = 1.0) -> Any:
        """Density x^(a−1) exp(−x / scale) / (Γ(a) scaleᵃ); its gradient by ``a`` is not defined here."""
        _positive("gamma", a=a, scale=scale)
        wide, a, scale = _wide(shape, a, scale)
        return ops.gamma_op(self.key(), a, shape=wide) * scale

    def chisquare(self, df: Any, shape: Any = ()) -> Any:
        """The sum of ``df`` squared standard normal numbers."""
        _positive("chisquare", df=df)
        wide, df = _wide(shape, df)
        return self.gamma(df / 2.0, wide, scale=2.0)

    def standard_t(self, df: Any, shape: Any = ()) -> Any:
        """Student's t with ``df`` degrees of freedom."""
        _positive("standard_t", df=df)
        wide, df = _wide(shape, df)
        return self.normal(wide) / sqrt(self.chisquare(df, wide) / df)

    def beta(self, a: Any, b: Any, shape: Any = ()) -> Any:
        """Density x^(a−1) (1−x)^(b−1) / B(a, b) on [0, 1]."""
        _positive("beta", a=a, b=b)
        wide, a, b = _wide(shape, a, b)
        # In logarithms: of small a and b both gamma numbers may be too small for their type.
        return sigmoid(ops.log_gamma_op(self.key(), a, shape=wide) - ops.log_gamma_op(self.key(), b, shape=wide))

    def dirichlet(self, alpha: Any, shape: Any = ()) -> Any:
        """Vectors of positive numbers that sum to 1, with weights ``alpha`` (…, k)."""
        _positive("dirichlet", alpha=alpha)
        alpha = as_tensor(alpha)
        drawn = ops.log_gamma_op(self.key(), alpha, shape=(*sizes(shape), *alpha.shape))
        return exp(drawn - drawn.logsumexp(-1, keepdims=True))

    # ── whole numbers ───────────────────────────────────────────────────────────────────────────────────────

    def integers(self, low: int, high: int | None = None, shape: Any = ()) -> Any:
        """Whole numbers in [low, high), or in [0, low), all alike likely."""
        first, last = (0, low) if high is None else (low, high)
        if isinstance(last, int) and isinstance(first, int) and last <= first:
            raise ArgumentError(f"integers from {first} to {last}", expected="low < high")
        return ops.integers_op(self.key(), first, last, shape=sizes(shape))

    def poisson(self, rate: Any, shape: Any = ()) -> Any:
        """How many events happen in a time in which ``rate`` of them are expected."""
        _not_negative("poisson", rate=rate)
        wide, rate = _wide(shape, rate)
        return ops.poisson_op(self.key(), rate, shape=wide)

    def binomial(self, n: Any, p: Any, shape: Any = ()) -> Any:
        """How many of ``n`` trials succeed, each with probability ``p``."""
        _probability("binomial", p)
        _each("binomial", "a whole number n ≥ 0", lambda v: (v >= 0) & (v == np.floor(v)), n=n)
        wide, n, p = _wide(shape, n, p)
        return ops.binomial_op(self.key(), n, p, shape=wide)

    def categorical(self, logits: Any, shape: Any = (), *, axis: int = -1) -> Any:
        """Positions along ``axis``, each with probability softmax(logits); ``shape`` comes before the rest."""
        logits = as_tensor(logits)
        at = normalize_axis(axis, logits.ndim)
        noisy = moveaxis(logits, at, -1)
        return argmax(noisy + self.gumbel((*sizes(shape), *noisy.shape)), axis=-1)

    # ── orders and choices ──────────────────────────────────────────────────────────────────────────────────

    def permutation(self, x: Any, *, axis: int = 0) -> Any:
        """0 … n−1 in random order, or the slices of a tensor along ``axis``."""
        if isinstance(x, int | np.integer):
            return ops.permutation_op(self.key(), n=int(x))
        x = as_tensor(x)
        at = normalize_axis(axis, x.ndim)
        return take(x, ops.permutation_op(self.key(), n=x.shape[at]), axis=at)

    def choice(self, x: Any, shape: Any = (), *, replace: bool = True, p: Any = None) -> Any:
        """Numbers below ``x``, or elements of the vector ``x``; with probabilities ``p``, or all alike likely."""
        whole = isinstance(x, int | np.integer)
        n = int(x) if whole else as_tensor(x).shape[0]
        wanted = sizes(shape)
        count = math.prod(wanted)
        if n < 1:
            raise ArgumentError(f"a choice from {n} numbers", expected="at least 1")
        if not replace and count > n:
            raise ArgumentError(f"{count} of {n} without putting back", expected="at most as many as there are")
        if p is not None:
            _check_shares(p, count if not replace else 1)
            p = as_tensor(p)
            if p.shape != (n,):
                raise ShapeError(f"probabilities of shape {p.shape} for {n} choices", expected=f"({n},)")
        if replace:
            at = self.integers(0, n, wanted) if p is None else self.categorical(log(p), wanted)
        elif p is None:
            at = self.permutation(n)[:count].reshape(wanted)
        else:  # the largest of noisy logarithms are a draw without putting back
            at = argsort(log(p) + self.gumbel(n), descending=True)[:count].reshape(wanted)
        return at if whole else take(as_tensor(x), at, axis=0)


def _check_shares(p: Any, needed: int) -> None:
    """Refuse what are no probabilities, or of which too few are above 0; tensors are not looked into."""
    if isinstance(p, Tensor):
        return
    shares = np.asarray(p)
    shares = shares if shares.dtype.kind == "f" else shares.astype(np.float64)
    total, error = float(shares.sum()), float(np.finfo(shares.dtype).eps) ** 0.5
    if not (shares >= 0).all() or abs(total - 1) > error:
        raise ArgumentError(
            f"choice: probabilities from {shares.min()} to {shares.max()} whose sum is {total}",
            expected="p ≥ 0 whose sum is 1",
            cure="p / p.sum()" if (shares >= 0).all() and total > 0 else None,
        )
    if (shares > 0).sum() < needed:
        raise ArgumentError(
            f"choice: {needed} of {int((shares > 0).sum())} with a probability above 0, without putting back",
            expected="at most as many as there are",
        )
