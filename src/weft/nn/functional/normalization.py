"""Normalisation: each form is one entry of a recording, and so is its gradient.

Numbers of 16 bits are normalised in float32, and the result is rounded once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType
from weft.graph.function import function
from weft.graph.op import Casts, Kind, floating
from weft.nn.functional.standardization import BATCH, EXAMPLE, laid, moments, standardized, widened
from weft.ops.assembling import concat
from weft.ops.creation import full
from weft.ops.exponential import rsqrt
from weft.tensor import Tensor, as_tensor


def _count_apart(kinds: tuple[Kind, ...]) -> Casts:
    return (None, *floating(kinds[1:]))


def _scaled(y: Any, affine: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The affine map y · weight + bias, both laid out as ``shape``; either may be missing from the end."""
    y = y * affine[0].reshape(shape) if affine else y
    return y + affine[1].reshape(shape) if len(affine) > 1 else y


def _given(weight: Any, bias: Any) -> tuple[Any, ...]:
    if weight is None and bias is not None:
        weight = full(bias.shape, 1, dtype=bias.dtype)
    return () if weight is None else (weight,) if bias is None else (weight, bias)


def _channels(x: Any) -> tuple[int, ...]:
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


# ── over the batch, or over the positions of each example ───────────────────────────────────────────────────


def _check_channels(name: str, x: Any, *per_channel: Any) -> None:
    wanted = per_channel[0].shape[0] if per_channel else None
    if x.ndim < 2 or wanted not in (None, x.shape[1]):
        raise ShapeError(
            f"{name}: an input of shape {x.shape}"
            + (f": axis 1 has size {x.shape[1]}, the layer takes {wanted}" if x.ndim > 1 else ""),
            expected=f"(N, {wanted or 'C'}, *spatial)",
        )


def _check_spread(name: str, x: Any, each: bool) -> int:
    """How many values have one mean and variance; one alone has no variance."""
    n = math.prod(x.shape[2:]) * (1 if each else x.shape[0])
    if n == 1:
        what, cure = ("position", None) if each else ("value", "a larger batch, or model.eval()")
        raise ShapeError(
            f"{name} on an input of shape {x.shape}: one {what} per channel has no variance",
            expected=f"more than one {what} per channel",
            cure=cure,
        )
    return n


def _sets(x: Any, each: bool) -> dict[str, Any]:
    """Each channel of an example, or of the batch, as a set of numbers to `standardized`."""
    return {"view": (*x.shape[:2], 1, math.prod(x.shape[2:])), "axes": EXAMPLE if each else BATCH}


@function(takes=floating)
def _by_own_statistics(x: Any, *affine: Any, each: bool, eps: float, name: str) -> Any:
    _check_channels(name, x, *affine)
    _check_spread(name, x, each)
    return standardized(x, *affine, **_sets(x, each), eps=eps)


@function(takes=_count_apart)
def _and_running(
    count: Any,
    x: Any,
    mean: Any,
    variance: Any,
    *affine: Any,
    momentum: float | None,
    eps: float,
    each: bool,
    name: str,
) -> Any:
    _check_channels(name, x, mean)
    n = _check_spread(name, x, each)
    sets = _sets(x, each)
    y = standardized(x, *affine, **sets, eps=eps)
    if not x.node.spec.size:  # no values, no news
        return y, mean, variance, count + 1
    wide, running_mean, running_variance = widened(laid(x, sets["view"]), mean, variance)
    own_mean, _, own_variance = moments(wide, **sets)  # as `standardized` has computed them already
    share = 1 / (count + 1).astype(wide.dtype) if momentum is None else momentum
    if each:
        own_mean, own_variance = (s.reshape(*x.shape[:2]).mean(axis=0) for s in (own_mean, own_variance))
    new_mean = running_mean + share * (own_mean.reshape(-1) - running_mean)
    new_variance = running_variance + share * (own_variance.reshape(-1) * (n / (n - 1)) - running_variance)
    return y, new_mean.astype(mean.dtype), new_variance.astype(variance.dtype), count + 1


@function(takes=floating)
def _by_given_statistics(x: Any, mean: Any, variance: Any, *affine: Any, eps: float, name: str) -> Any:
    _check_channels(name, x, mean)
    wide, *per_channel = widened(x, mean, variance, *affine)
    mean, variance, *rest = (t.reshape(_channels(x)) for t in per_channel)
    return _scaled((wide - mean) * rsqrt(variance + eps), tuple(rest), _channels(x)).astype(x.dtype)


def batch_norm(
    x: Any, mean: Any = None, variance: Any = None, weight: Any = None, bias: Any = None, *, eps: float = 1e-5
) -> Tensor:
    """(x − mean) / √(variance + ε) · weight + bias for each channel of (N, C, *spatial).

    With the given statistics, or, without them, with those of the batch.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.batch_norm(wf.tensor([[1.0], [3.0]]), eps=0.0).tolist()
    [[-1.0], [1.0]]
    """
    affine = _given(weight, bias)
    y: Tensor
    if mean is None or variance is None:
        y = _by_own_statistics(x, *affine, each=False, eps=float(eps), name="batch_norm")
    else:
        y = _by_given_statistics(x, mean, variance, *affine, eps=float(eps), name="batch_norm")
    return y


def instance_norm(
    x: Any, mean: Any = None, variance: Any = None, weight: Any = None, bias: Any = None, *, eps: float = 1e-5
) -> Tensor:
    """The same with the statistics of each channel of each example: Ulyanov et al. 2016.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.instance_norm(wf.tensor([[[1.0, 3.0]], [[0.0, 8.0]]]), eps=0.0).tolist()
    [[[-1.0, 1.0]], [[-1.0, 1.0]]]
    """
    affine = _given(weight, bias)
    y: Tensor
    if mean is None or variance is None:
        y = _by_own_statistics(x, *affine, each=True, eps=float(eps), name="instance_norm")
    else:
        y = _by_given_statistics(x, mean, variance, *affine, eps=float(eps), name="instance_norm")
    return y


def batch_norm_train(
    x: Any,
    mean: Any,
    variance: Any,
    count: Any,
    weight: Any = None,
    bias: Any = None,
    *,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    each: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`batch_norm` with the statistics of the batch; also the running mean, variance and count after it.

    running ← (1 − momentum) · running + momentum · batch, the variance without bias; a momentum of None averages all
    batches alike. With ``each`` it is `instance_norm`, whose statistics are averaged over the examples.
    """
    name = ("instance_norm" if each else "batch_norm") + " in training mode"
    options = {"momentum": momentum, "eps": float(eps), "each": each, "name": name}
    y: tuple[Tensor, Tensor, Tensor, Tensor] = _and_running(count, x, mean, variance, *_given(weight, bias), **options)
    return y


# ── over the features of each example ───────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _layer_norm(x: Any, *affine: Any, shape: tuple[int, ...], eps: float) -> Any:
    _check_last("layer_norm", x, shape)
    n, rows = math.prod(shape), math.prod(x.shape[: x.ndim - len(shape)])
    return standardized(x, *affine, view=(rows, 1, n, 1), axes=EXAMPLE, eps=eps)


@function(takes=floating)
def _rms_norm(x: Any, *affine: Any, shape: tuple[int, ...], eps: float) -> Any:
    _check_last("rms_norm", x, shape)
    wide, *rest = widened(x, *affine)
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    y = wide * rsqrt((wide * wide).mean(axis=axes, keepdims=True) + eps)
    return _scaled(y, tuple(rest), shape).astype(x.dtype)


@function(takes=floating)
def _group_norm(x: Any, *affine: Any, groups: int, eps: float) -> Any:
    if x.ndim < 2 or x.shape[1] % groups:
        raise ShapeError(
            f"group_norm: an input of shape {x.shape} in {groups} groups",
            expected=f"channels (axis 1) divisible by {groups}",
        )
    _check_channels("group_norm", x, *affine)
    view = (x.shape[0], groups, x.shape[1] // groups, math.prod(x.shape[2:]))
    return standardized(x, *affine, view=view, axes=EXAMPLE, eps=eps)


def _check_last(name: str, x: Any, shape: tuple[int, ...]) -> None:
    if not shape:
        raise ShapeError(
            f"{name} over no axes", expected="the sizes of the last axes, at least one", cure="x.shape[-1:]"
        )
    if x.shape[x.ndim - len(shape) :] != shape or x.ndim < len(shape):
        raise ShapeError(
            f"{name}: an input of shape {x.shape} does not end in {shape}",
            expected=f"(…, {', '.join(map(str, shape))})",
        )


def layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Tensor:
    """(x − mean) / √(variance + ε) · weight + bias over the last axes, which have the sizes ``shape``.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.layer_norm(wf.tensor([[1.0, 3.0]]), (2,), eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    y: Tensor = _layer_norm(x, *_given(weight, bias), shape=_shape(shape), eps=float(eps))
    return y


def rms_norm(x: Any, shape: Any, weight: Any = None, *, eps: float | None = None) -> Tensor:
    """Root mean square: x / √(mean of x² + ε) · weight over the last axes: Zhang and Sennrich 2019.

    An ``eps`` of None is the distance of 1 from the next number of the type of x.
    """
    if eps is None:
        eps = _epsilon(as_tensor(x).dtype)
    y: Tensor = _rms_norm(x, *_given(weight, None), shape=_shape(shape), eps=float(eps))
    return y


def _epsilon(dtype: DType) -> float:
    if dtype.name == "bfloat16":  # which NumPy knows only as a guest
        return 2.0**-7
    return float(np.finfo(dtype.numpy if dtype.is_floating else np.float32).eps)


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Tensor:
    """Normalisation over the channels of each group and all positions of (N, C, *spatial): Wu and He 2018."""
    y: Tensor = _group_norm(x, *_given(weight, bias), groups=groups, eps=float(eps))
    return y


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


# ── over neighbouring channels ──────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _local_response_norm(x: Any, alpha: Any, beta: Any, k: Any, *, size: int) -> Any:
    wide, alpha, beta, k = widened(x, alpha, beta, k)
    n, before = x.shape[1], size // 2
    padded = [full((x.shape[0], m, *x.shape[2:]), 0, dtype=wide.dtype) for m in (before, size - 1 - before) if m]
    squares = wide * wide
    if padded:
        squares = concat([padded[0], squares, *padded[1:]], axis=1)
    total = squares[:, :n]
    for shift in range(1, size):
        total = total + squares[:, shift : shift + n]
    return (wide / (k + alpha / size * total) ** beta).astype(x.dtype)


def local_response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Brightness: x / (k + α / size · Σ x²)^β, the sum over ``size`` neighbouring channels: Krizhevsky et al. 2012.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.local_response_norm(wf.tensor([[[2.0], [0.0]]]), 2, alpha=0.5, beta=1.0).tolist()
    [[[1.0], [0.0]]]
    """
    x = as_tensor(x)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ArgumentError(f"local_response_norm: size={size!r}", expected="a whole number ≥ 1")
    if x.ndim < 3:
        raise ShapeError(f"local_response_norm: an input of shape {x.shape}", expected="(N, C, *spatial)")
    y: Tensor = _local_response_norm(x, float(alpha), float(beta), float(k), size=size)
    return y
