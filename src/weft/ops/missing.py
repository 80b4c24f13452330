"""Where numbers are missing or infinite: functions that step over NaN, replace it, or compare with a tolerance."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError
from weft.graph.op import tensor_like
from weft.ops.arithmetic import abs, maximum, minimum
from weft.ops.comparison import equal, isfinite, isnan, logical_and, logical_not, logical_or, where
from weft.ops.conversion import complex_of, imag, real
from weft.ops.rules import Axes
from weft.ops.statistics import all, sum


def nan_to_num(x: Any, /, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """``x`` with NaN replaced by ``nan``, and ±∞ by ``posinf`` and ``neginf`` (by default the largest numbers).

    >>> import weft as wf
    >>> from weft.ops.missing import nan_to_num
    >>> nan_to_num(wf.tensor([1.0, wf.nan, -wf.inf]), nan=7, neginf=-9).tolist()
    [1.0, 7.0, -9.0]
    """
    x = tensor_like(x)
    if x.dtype.kind == "complex":
        parts = (nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in (real(x), imag(x)))
        return complex_of(*parts)
    if not x.dtype.is_floating:
        return x
    largest = _largest(x.dtype)
    x = where(isnan(x), float(nan), x)
    x = where(x == math.inf, largest if posinf is None else float(posinf), x)
    return where(x == -math.inf, -largest if neginf is None else float(neginf), x)


def _largest(dtype: Any) -> float:
    import ml_dtypes

    return float(ml_dtypes.finfo(dtype.numpy).max)


def isposinf(x: Any, /) -> Any:
    """Whether each element is +∞.

    >>> import weft as wf
    >>> from weft.ops.missing import isposinf
    >>> isposinf(wf.tensor([wf.inf, -wf.inf, 1.0])).tolist()
    [True, False, False]
    """
    return equal(tensor_like(x), math.inf)


def isneginf(x: Any, /) -> Any:
    """Whether each element is −∞.

    >>> import weft as wf
    >>> from weft.ops.missing import isneginf
    >>> isneginf(wf.tensor([wf.inf, -wf.inf, 1.0])).tolist()
    [False, True, False]
    """
    return equal(tensor_like(x), -math.inf)


def isreal(x: Any, /) -> Any:
    """Whether the imaginary part of each element is 0.

    >>> import weft as wf
    >>> from weft.ops.missing import isreal
    >>> isreal(wf.tensor([1 + 0j, 1j])).tolist()
    [True, False]
    """
    x = tensor_like(x)
    return equal(imag(x), 0) if x.dtype.kind == "complex" else equal(x, x) | isnan(x)


def nansum(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis`` of the elements that are not NaN.

    >>> import weft as wf
    >>> from weft.ops.missing import nansum
    >>> nansum(wf.tensor([1.0, wf.nan, 2.0])).item()
    3.0
    """
    x = tensor_like(x)
    return sum(where(isnan(x), 0, x), axis=axis, dtype=dtype, keepdims=keepdims)


def nanmean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The mean over ``axis`` of the elements that are not NaN; NaN where there are none.

    >>> import weft as wf
    >>> from weft.ops.missing import nanmean
    >>> nanmean(wf.tensor([1.0, wf.nan, 2.0])).item()
    1.5
    """
    x = tensor_like(x)
    there = sum(logical_not(isnan(x)), axis=axis, keepdims=keepdims)
    return nansum(x, axis=axis, keepdims=keepdims) / there


def fmax(x1: Any, x2: Any, /) -> Any:
    """The larger of x1 and x2, or the one that is not NaN.

    >>> import weft as wf
    >>> from weft.ops.missing import fmax
    >>> fmax(wf.tensor([1.0, wf.nan]), wf.tensor([3.0, 2.0])).tolist()
    [3.0, 2.0]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    return where(isnan(a), b, where(isnan(b), a, maximum(a, b)))


def fmin(x1: Any, x2: Any, /) -> Any:
    """The smaller of x1 and x2, or the one that is not NaN.

    >>> import weft as wf
    >>> from weft.ops.missing import fmin
    >>> fmin(wf.tensor([1.0, wf.nan]), wf.tensor([3.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    return where(isnan(a), b, where(isnan(b), a, minimum(a, b)))


def isclose(x1: Any, x2: Any, /, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x1 − x2| ≤ atol + rtol · |x2|, element by element; infinities are close to themselves.

    >>> import weft as wf
    >>> from weft.ops.missing import isclose
    >>> isclose(wf.tensor([1.0, 2.0]), wf.tensor([1.0 + 1e-7, 3.0])).tolist()
    [True, False]
    """
    if rtol < 0 or atol < 0:
        raise ArgumentError(f"isclose with rtol={rtol}, atol={atol}", expected="tolerances of at least 0")
    a, b = tensor_like(x1), tensor_like(x2)
    near = equal(a, b)
    if a.dtype.kind != "bool" or b.dtype.kind != "bool":
        a, b = (x.astype("int64") if x.dtype.kind == "bool" else x for x in (a, b))
        close = abs(a - b) <= atol + rtol * abs(b)
        near = logical_or(near, logical_and(logical_and(isfinite(a), isfinite(b)), close))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


def allclose(x1: Any, x2: Any, /, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close, as a tensor of one truth value: all |x1 − x2| ≤ atol + rtol · |x2|.

    >>> import weft as wf
    >>> from weft.ops.missing import allclose
    >>> bool(allclose(wf.tensor([1.0, 2.0]), wf.tensor([1.0, 2.0])))
    True
    """
    return all(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))
