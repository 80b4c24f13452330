"""How variables vary together: covariances and correlations of the rows of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.op import tensor_like
from weft.ops.arithmetic import clip, maximum
from weft.ops.conversion import complex_of, conj, imag, real
from weft.ops.exponential import sqrt
from weft.ops.matrices import diagonal
from weft.ops.reduction import sum_op
from weft.ops.shape import reshape_op


def cov(x: Any, /, *, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances Σₖ wₖ (xᵢₖ − mean) (x̄ⱼₖ − mean) / (Σ w − correction) of the rows of ``x`` (variables, samples).

    ``fweights`` says how often each sample was seen, ``aweights`` how much it counts. One variable gives a number.

    >>> import weft as wf
    >>> from weft.ops.covariance import cov
    >>> cov(wf.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    x = tensor_like(x)
    if x.ndim > 2:
        raise ShapeError(f"cov of a tensor of shape {x.shape}", expected="(variables, samples), or one variable")
    rows = reshape_op(x, shape=(1, x.size)) if x.ndim < 2 else x
    rows = rows if rows.dtype.is_differentiable else rows.astype("float32")
    n = rows.shape[1]
    times, weights = _weights("fweights", fweights, n, True), _weights("aweights", aweights, n, False)
    each = weights if times is None else times * (1.0 if weights is None else weights)
    total: Any = n if each is None else sum_op(each, axis=(0,), keepdims=False)
    centred = rows - (rows if each is None else rows * each).sum(axis=1, keepdims=True) / total
    if weights is None:
        freedom = total - correction
    else:
        freedom = total - correction * (each * weights).sum() / total
    freedom = max(freedom, 0.0) if isinstance(freedom, int | float) else maximum(freedom, 0.0)
    found = (centred if each is None else centred * each) @ conj(centred).mT / freedom
    return found if rows.shape[0] != 1 else reshape_op(found, shape=())


def _weights(name: str, weights: Any, n: int, whole: bool) -> Any:
    if weights is None:
        return None
    weights = tensor_like(weights)
    if weights.shape != (n,):
        raise ShapeError(f"{name} of shape {weights.shape} for {n} samples", expected=f"({n},)")
    if whole and not weights.dtype.is_integer:
        raise DTypeError(f"{name} of type {weights.dtype.name}", expected="whole numbers: how often each was seen")
    known = weights.node.data
    if isinstance(known, np.ndarray) and (known < 0).any():
        raise ArgumentError(f"{name} with {known.min()} among them", expected="weights of at least 0")
    return weights


def corrcoef(x: Any, /) -> Any:
    """The correlations cᵢⱼ / √(cᵢᵢ cⱼⱼ) of the rows of ``x`` (variables, samples), from −1 to 1.

    >>> import weft as wf
    >>> from weft.ops.covariance import corrcoef
    >>> corrcoef(wf.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    c = cov(x)
    if c.ndim < 2:
        return c / c
    size = sqrt(real(diagonal(c)))
    found = c / reshape_op(size, shape=(-1, 1)) / size
    if found.dtype.kind == "complex":
        return complex_of(clip(real(found), -1.0, 1.0), clip(imag(found), -1.0, 1.0))
    return clip(found, -1.0, 1.0)
