"""Sums, means, extremes, quantiles; running ones; order."""

from __future__ import annotations

from typing import Any

import weft as wf
from weft.ops import accumulation, counting, covariance, missing, quantiles, running, selection

from .bridge import Mapped
from .words import along, as_axis, as_row, over, values


def spread(f: Any, x: Any, dim: Any = None, unbiased: Any = True, *, correction: Any = 1, keepdim: bool = False) -> Any:
    """A variance or standard deviation, whose arguments PyTorch takes in two orders."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = 1 if correction is None else correction
    correction = correction if unbiased else 0
    if x.ndim == 0:
        return f(as_row(x), axis=0, correction=correction)
    return f(x, axis=as_axis(dim), correction=correction, keepdims=keepdim)


def var(x: Any, *args: Any, **kwargs: Any) -> Any:
    return spread(wf.var, x, *args, **kwargs)


def std(x: Any, *args: Any, **kwargs: Any) -> Any:
    return spread(wf.std, x, *args, **kwargs)


def mean_of(x: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs = {k: v for k, v in kwargs.items() if k in ("dim", "keepdim")}
    dim = next((a for a in args if not isinstance(a, bool)), kwargs.pop("dim", None))
    return over(wf.mean)(x, dim, **kwargs)


def extreme(f: Any) -> Mapped:
    return Mapped(over(f), see=(None, values))


def quantile(f: Any) -> Any:
    def call(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
        row = as_row(x)
        return f(row, q, axis=dim, keepdims=keepdim and x.ndim > 0, method=interpolation)

    return call


def median(f: Any) -> Mapped:
    def call(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return over(f, method="lower")(x, dim, keepdim)

    return Mapped(call, see=(None, values))


def selected(f: Any) -> Mapped:
    """Values and positions, of which the values count."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs = {{"dim": "axis", "keepdim": "keepdims"}.get(k, k): v for k, v in kwargs.items()}
        names = ("axis", "keepdims") if f in (selection.mode,) else ("axis",)
        first = 1 if f in (selection.topk, selection.kthvalue) else 0
        if first:
            names = ("axis", "largest", "sorted") if f is selection.topk else ("axis", "keepdims")
        kwargs |= dict(zip(names, args[first:], strict=False))
        if x.ndim == 0:
            kwargs.pop("keepdims", None)
            made = f(as_row(x), *args[:first], **kwargs)
            return made[0].reshape(())
        return f(x, *args[:first], **kwargs)[0]

    return Mapped(call, see=(None, values))


def sort(f: Any) -> Any:
    def call(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
        made = f(as_row(x), axis=dim, descending=descending)
        return made if x.ndim else made.reshape(())

    return call


def diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    return wf.diff(x, axis=dim, n=n, prepend=prepend, append=append)


def trapezoid(f: Any) -> Any:
    return lambda y, x=None, *, dx=1.0, dim=-1: f(y, x, dx=dx, axis=dim)


def arg(f: Any) -> Any:
    def call(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if x.ndim == 0:
            return f(as_row(x), axis=0)
        return f(x, axis=dim, keepdims=keepdim)

    return call


def aminmax(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    return over(wf.min)(x, dim, keepdim), over(wf.max)(x, dim, keepdim)


def histc(x: Any, bins: int = 100, **ends: Any) -> Any:
    low, high = ends.get("min", 0), ends.get("max", 0)
    return counting.histogram(x, bins, range=None if low == high else (low, high)).counts


def histogram(x: Any, bins: Any, *, weight: Any = None, **options: Any) -> Any:
    return tuple(counting.histogram(x, bins, weights=weight, **options))


OPERATORS = {
    "sum": over(wf.sum),
    "prod": over(wf.prod),
    "mean": over(wf.mean),
    "nansum": over(missing.nansum),
    "nanmean": over(missing.nanmean),
    "all": over(wf.all),
    "any": over(wf.any),
    "amax": over(wf.max),
    "amin": over(wf.min),
    "aminmax": aminmax,
    "max.reduction_with_dim": extreme(wf.max),
    "min.reduction_with_dim": extreme(wf.min),
    "max.reduction_no_dim": wf.max,
    "min.reduction_no_dim": wf.min,
    "argmax": arg(wf.argmax),
    "argmin": arg(wf.argmin),
    "count_nonzero": lambda x, dim=None: over(wf.count_nonzero)(x, dim),
    "logsumexp": over(wf.logsumexp),
    "var": var,
    "var.unbiased": var,
    "std": std,
    "std.unbiased": std,
    "var_mean": lambda x, *a, **k: (var(x, *a, **k), mean_of(x, *a, **k)),
    "var_mean.unbiased": lambda x, *a, **k: (var(x, *a, **k), mean_of(x)),
    "std_mean": lambda x, *a, **k: (std(x, *a, **k), mean_of(x, *a, **k)),
    "std_mean.unbiased": lambda x, *a, **k: (std(x, *a, **k), mean_of(x)),
    "median": median(quantiles.median),
    "nanmedian": median(quantiles.nanmedian),
    "quantile": quantile(quantiles.quantile),
    "nanquantile": quantile(quantiles.nanquantile),
    "cov": covariance.cov,
    "corrcoef": covariance.corrcoef,
    "cumsum": along(wf.cumulative_sum),
    "cumprod": along(wf.cumulative_prod),
    "cummax": selected(selection.cummax),
    "cummin": selected(selection.cummin),
    # PyTorch's own gradient is off by 2e-3 in float32.
    "logcumsumexp": Mapped(along(running.cumulative_logsumexp), dtype="float64"),
    "diff": diff,
    "trapz": trapezoid(accumulation.trapezoid),
    "trapezoid": trapezoid(accumulation.trapezoid),
    "cumulative_trapezoid": trapezoid(accumulation.cumulative_trapezoid),
    "sort": Mapped(lambda x, *a, **k: (sort(wf.sort)(x, *a, **k),), see=(None, lambda r: (r[0],))),
    "msort": lambda x: wf.sort(x, axis=0),
    "argsort": sort(wf.argsort),
    "topk": selected(selection.topk),
    "kthvalue": selected(selection.kthvalue),
    "mode": selected(selection.mode),
    "bincount": Mapped(
        lambda x, weights=None, minlength=0: counting.bincount(x, weights=weights, minlength=minlength), dtype="int64"
    ),
    "histc": histc,
    "histogram": histogram,
    "bucketize": lambda x, boundaries, *, out_int32=False, right=False: counting.bucketize(x, boundaries, right=right),
    "equal": lambda x, y: wf.all(x == y) if x.shape == y.shape else False,
    "isclose": lambda x, y, rtol=1e-5, atol=1e-8, equal_nan=False: missing.isclose(
        x, y, rtol=rtol, atol=atol, equal_nan=equal_nan
    ),
    "allclose": lambda x, y, rtol=1e-5, atol=1e-8, equal_nan=False: missing.allclose(
        x, y, rtol=rtol, atol=atol, equal_nan=equal_nan
    ),
}
