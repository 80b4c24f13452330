"""The distributions: each a formula of uniform or normal numbers, or an op of its own.

Parameters may be tensors, which broadcast with ``shape``; gradients pass through those of location and scale.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.ops import random as ops
from weft.ops.arithmetic import ceil
from weft.ops.exponential import exp, log, log1p, sqrt
from weft.ops.linalg import matmul
from weft.ops.manipulation import moveaxis, sizes
from weft.ops.rules import broadcast_shapes, normalize_axis
from weft.ops.searching import take
from weft.ops.sorting import argsort
from weft.ops.statistics import argmax
from weft.ops.trigonometry import tan
from weft.tensor import Tensor, as_tensor


def _wide(shape: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape of a draw: ``shape``, and that of parameters which are tensors."""
    given = [p.shape for p in parameters if isinstance(p, Tensor | np.ndarray)]
    return broadcast_shapes(sizes(shape), *given) if given else sizes(shape)


def _is_unit(first: Any, second: Any) -> bool:
    """Whether two parameters are the numbers 0 and 1, so that nothing is to be scaled."""
    return type(first) is type(second) is float and (first, second) == (0.0, 1.0)


def _check(name: str, what: str, fits: bool) -> None:
    if not fits:
        raise ArgumentError(f"{name} with a parameter outside of its range", expected=what)


def _positive(name: str, **parameters: Any) -> None:
    """Refuse numbers that are not above 0; tensors are not looked into."""
    for parameter, value in parameters.items():
        if isinstance(value, int | float):
            _check(f"{name}({parameter}={value})", f"{parameter} > 0", value > 0)


def _probability(name: str, p: Any) -> None:
    if isinstance(p, int | float):
        _check(f"{name}(p={p})", "0 ≤ p ≤ 1", 0 <= p <= 1)


class Distributions:
    """What a generator can draw."""

    def key(self) -> Tensor:
        """The next key."""
        raise NotImplementedError

    # ── from uniform numbers ────────────────────────────────────────────────────────────────────────────────

    def uniform(self, shape: Any = (), low: Any = 0.0, high: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Numbers spread evenly over [low, high)."""
        drawn = ops.uniform_op(self.key(), shape=_wide(shape, low, high), dtype=data_type(dtype))
        return drawn if _is_unit(low, high) else drawn * (high - low) + low

    def bernoulli(self, p: Any = 0.5, shape: Any = ()) -> Any:
        """True with probability ``p``."""
        _probability("bernoulli", p)
        return self.uniform(_wide(shape, p)) < p

    def exponential(self, shape: Any = (), scale: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Waiting times with mean ``scale``: density exp(−x / scale) / scale for x ≥ 0."""
        _positive("exponential", scale=scale)
        return -log1p(-self.uniform(_wide(shape, scale), dtype=dtype)) * scale

    def laplace(self, shape: Any = (), mean: Any = 0.0, scale: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Density exp(−|x − mean| / scale) / (2 scale)."""
        _positive("laplace", scale=scale)
        wide = _wide(shape, mean, scale)
        return (self.exponential(wide, dtype=dtype) - self.exponential(wide, dtype=dtype)) * scale + mean

    def gumbel(self, shape: Any = (), mean: Any = 0.0, scale: Any = 1.0, *, dtype: Any = float32) -> Any:
        """The distribution of extremes: mean − scale · log(exponential)."""
        _positive("gumbel", scale=scale)
        tiny = float(np.finfo(data_type(dtype).numpy).tiny)
        drawn = self.uniform(_wide(shape, mean, scale), tiny, 1.0, dtype=dtype)
        return -log(-log(drawn)) * scale + mean

    def logistic(self, shape: Any = (), mean: Any = 0.0, scale: Any = 1.0, *, dtype: Any = float32) -> Any:
        """The distribution whose cumulative function is the sigmoid of (x − mean) / scale."""
        _positive("logistic", scale=scale)
        tiny = float(np.finfo(data_type(dtype).numpy).tiny)
        drawn = self.uniform(_wide(shape, mean, scale), tiny, 1.0, dtype=dtype)
        return (log(drawn) - log1p(-drawn)) * scale + mean

    def cauchy(self, shape: Any = (), mean: Any = 0.0, scale: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Density 1 / (π scale (1 + ((x − mean) / scale)²)); it has no mean."""
        _positive("cauchy", scale=scale)
        drawn = self.uniform(_wide(shape, mean, scale), dtype=dtype)
        return tan((drawn - 0.5) * math.pi) * scale + mean

    def geometric(self, p: Any, shape: Any = ()) -> Any:
        """How many trials, each successful with probability ``p``, it takes to the first success: 1, 2, …"""
        _probability("geometric", p)
        drawn = self.uniform(_wide(shape, p))
        return ceil(log1p(-drawn) / log1p(-as_tensor(p))).clip(1.0).astype("int64")

    # ── from normal numbers ─────────────────────────────────────────────────────────────────────────────────

    def normal(self, shape: Any = (), mean: Any = 0.0, std: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Numbers of a normal distribution with this mean and standard deviation."""
        if isinstance(std, int | float):
            _check(f"normal(std={std})", "std ≥ 0", std >= 0)
        drawn = ops.normal_op(self.key(), shape=_wide(shape, mean, std), dtype=data_type(dtype))
        return drawn if _is_unit(mean, std) else drawn * std + mean

    def lognormal(self, shape: Any = (), mean: Any = 0.0, std: Any = 1.0, *, dtype: Any = float32) -> Any:
        """Exp of a normal number with this mean and standard deviation."""
        return exp(self.normal(shape, mean, std, dtype=dtype))

    def truncated_normal(self, shape: Any = (), low: float = -2.0, high: float = 2.0, *, dtype: Any = float32) -> Any:
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
        drawn = self.normal((*sizes(shape), *mean.shape), dtype=dtype)
        return mean + matmul(cholesky(covariance), drawn[..., None])[..., 0]

    # ── from gamma numbers ──────────────────────────────────────────────────────────────────────────────────

    def gamma(self, a: Any, shape: Any = (), scale: Any = 1.0) -> Any:
        """Density x^(a−1) exp(−x / scale) / (Γ(a) scaleᵃ); its gradient by ``a`` is not defined here."""
        _positive("gamma", a=a, scale=scale)
        return ops.gamma_op(self.key(), a, shape=_wide(shape, a, scale)) * scale

    def chisquare(self, df: Any, shape: Any = ()) -> Any:
        """The sum of ``df`` squared standard normal numbers."""
        _positive("chisquare", df=df)
        return self.gamma(df / 2.0, _wide(shape, df), 2.0)

    def standard_t(self, df: Any, shape: Any = ()) -> Any:
        """Student's t with ``df`` degrees of freedom."""
        _positive("standard_t", df=df)
        wide = _wide(shape, df)
        return self.normal(wide) / sqrt(self.chisquare(df, wide) / df)

    def beta(self, a: Any, b: Any, shape: Any = ()) -> Any:
        """Density x^(a−1) (1−x)^(b−1) / B(a, b) on [0, 1]."""
        _positive("beta", a=a, b=b)
        wide = _wide(shape, a, b)
        first, second = self.gamma(a, wide), self.gamma(b, wide)
        return first / (first + second)

    def dirichlet(self, alpha: Any, shape: Any = ()) -> Any:
        """Vectors of positive numbers that sum to 1, with weights ``alpha`` (…, k)."""
        alpha = as_tensor(alpha)
        drawn = self.gamma(alpha, (*sizes(shape), *alpha.shape))
        return drawn / drawn.sum(-1, keepdims=True)

    # ── whole numbers ───────────────────────────────────────────────────────────────────────────────────────

    def integers(self, low: int, high: int | None = None, shape: Any = ()) -> Any:
        """Whole numbers in [low, high), or in [0, low), all alike likely."""
        first, last = (0, low) if high is None else (low, high)
        if isinstance(last, int) and isinstance(first, int) and last <= first:
            raise ArgumentError(f"integers from {first} to {last}", expected="low < high")
        return ops.integers_op(self.key(), first, last, shape=sizes(shape))

    def poisson(self, rate: Any, shape: Any = ()) -> Any:
        """How many events happen in a time in which ``rate`` of them are expected."""
        if isinstance(rate, int | float):
            _check(f"poisson(rate={rate})", "rate ≥ 0", rate >= 0)
        return ops.poisson_op(self.key(), rate, shape=_wide(shape, rate))

    def binomial(self, n: Any, p: Any, shape: Any = ()) -> Any:
        """How many of ``n`` trials succeed, each with probability ``p``."""
        _probability("binomial", p)
        return ops.binomial_op(self.key(), n, p, shape=_wide(shape, n, p))

    def categorical(self, logits: Any, shape: Any = (), *, axis: int = -1) -> Any:
        """Positions along ``axis``, each with probability softmax(logits); ``shape`` comes before the rest."""
        logits = as_tensor(logits)
        at = normalize_axis(axis, logits.ndim)
        noisy = moveaxis(logits, at, -1)
        return argmax(noisy + self.gumbel((*sizes(shape), *noisy.shape)), axis=-1)

    # ── orders and choices ──────────────────────────────────────────────────────────────────────────────────

    def permutation(self, x: Any, *, axis: int = 0) -> Any:
        """0 … n−1 in random order, or the slices of a tensor along ``axis``."""
        if isinstance(x, int):
            return ops.permutation_op(self.key(), n=x)
        x = as_tensor(x)
        at = normalize_axis(axis, x.ndim)
        return take(x, ops.permutation_op(self.key(), n=x.shape[at]), axis=at)

    def choice(self, x: Any, shape: Any = (), *, replace: bool = True, p: Any = None) -> Any:
        """Numbers below ``x``, or elements of the vector ``x``; with probabilities ``p``, or all alike likely."""
        n = x if isinstance(x, int) else as_tensor(x).shape[0]
        wanted = sizes(shape)
        count = math.prod(wanted)
        if n < 1 or (not replace and count > n):
            raise ArgumentError(f"{count} of {n} without putting back", expected="at most as many as there are")
        if p is not None:
            p = as_tensor(p)
            if p.shape != (n,):
                raise ShapeError(f"probabilities of shape {p.shape} for {n} choices", expected=f"({n},)")
        if replace:
            at = self.integers(0, n, wanted) if p is None else self.categorical(log(p), wanted)
        elif p is None:
            at = self.permutation(n)[:count].reshape(wanted)
        else:  # the largest of noisy logarithms are a draw without putting back
            at = argsort(log(p) + self.gumbel(n), descending=True)[:count].reshape(wanted)
        return at if isinstance(x, int) else take(as_tensor(x), at, axis=0)
