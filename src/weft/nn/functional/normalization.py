"""Normalisation: each form is one entry of a recording, and so is its gradient."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ShapeError
from weft.graph.function import function
from weft.graph.op import Casts, Kind, floating
from weft.ops.creation import full
from weft.ops.exponential import rsqrt
from weft.tensor import Tensor


def _count_apart(kinds: tuple[Kind, ...]) -> Casts:
    return (None, *floating(kinds[1:]))


def _scaled(y: Any, affine: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The affine map y · weight + bias, both laid out as ``shape``; either may be missing from the end."""
    y = y * affine[0].reshape(shape) if affine else y
    return y + affine[1].reshape(shape) if len(affine) > 1 else y


def _centred(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Mean, deviation from it, and (biased) variance over ``axes``."""
    mean = x.mean(axis=axes, keepdims=True)
    deviation = x - mean
    return mean, deviation, (deviation * deviation).mean(axis=axes, keepdims=True)


# ── over the batch ──────────────────────────────────────────────────────────────────────────────────────────


def _channels(x: Any) -> tuple[int, ...]:
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


def _check_channels(x: Any, mean: Any) -> None:
    if x.ndim < 2 or x.shape[1] != mean.shape[0]:
        raise ShapeError(
            f"batch_norm: an input of shape {x.shape}"
            + (f": axis 1 has size {x.shape[1]}, the layer takes {mean.shape[0]}" if x.ndim > 1 else ""),
            expected=f"(N, {mean.shape[0]}, *spatial)",
        )


@function(takes=_count_apart)
def _batch_norm_train(
    count: Any, x: Any, mean: Any, variance: Any, *affine: Any, momentum: float | None, eps: float
) -> Any:
    _check_channels(x, mean)
    n = x.node.spec.size // x.shape[1]
    if n < 2:
        raise ShapeError(
            f"batch_norm in training mode on an input of shape {x.shape}: one value per channel has no variance",
            expected="more than one value per channel",
            cure="a larger batch, or model.eval()",
        )
    axes = (0, *range(2, x.ndim))
    batch_mean, deviation, batch_variance = _centred(x, axes)
    y = _scaled(deviation * rsqrt(batch_variance + eps), affine, _channels(x))
    share = 1 / (count + 1).astype(x.dtype) if momentum is None else momentum
    new_mean = mean + share * (batch_mean.reshape(-1) - mean)
    new_variance = variance + share * (batch_variance.reshape(-1) * (n / (n - 1)) - variance)
    return y, new_mean, new_variance, count + 1


@function(takes=floating)
def _batch_norm(x: Any, mean: Any, variance: Any, *affine: Any, eps: float) -> Any:
    _check_channels(x, mean)
    shape = _channels(x)
    return _scaled((x - mean.reshape(shape)) * rsqrt(variance.reshape(shape) + eps), affine, shape)


def batch_norm(x: Any, mean: Any, variance: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Tensor:
    """(x − mean) / √(variance + ε) · weight + bias for each channel of (N, C, *spatial), with given statistics."""
    y: Tensor = _batch_norm(x, mean, variance, *_given(weight, bias), eps=float(eps))
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
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same with the statistics of the batch; also the running mean, variance and count after it.

    running ← (1 − momentum)·running + momentum·batch, the variance without bias; a momentum of None averages all
    batches alike.
    """
    y: tuple[Tensor, Tensor, Tensor, Tensor] = _batch_norm_train(
        count, x, mean, variance, *_given(weight, bias), momentum=momentum, eps=float(eps)
    )
    return y


def _given(weight: Any, bias: Any) -> tuple[Any, ...]:
    if weight is None and bias is not None:
        weight = full(bias.shape, 1, dtype=bias.dtype)
    return () if weight is None else (weight,) if bias is None else (weight, bias)


# ── over the features of each example ───────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _layer_norm(x: Any, *affine: Any, shape: tuple[int, ...], eps: float) -> Any:
    _check_last("layer_norm", x, shape)
    _, deviation, variance = _centred(x, tuple(range(x.ndim - len(shape), x.ndim)))
    return _scaled(deviation * rsqrt(variance + eps), affine, shape)


@function(takes=floating)
def _rms_norm(x: Any, *affine: Any, shape: tuple[int, ...], eps: float) -> Any:
    _check_last("rms_norm", x, shape)
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    return _scaled(x * rsqrt((x * x).mean(axis=axes, keepdims=True) + eps), affine, shape)


@function(takes=floating)
def _group_norm(x: Any, *affine: Any, groups: int, eps: float) -> Any:
    if x.ndim < 2 or x.shape[1] % groups:
        raise ShapeError(
            f"group_norm: an input of shape {x.shape} in {groups} groups",
            expected=f"channels (axis 1) divisible by {groups}",
        )
    each = math.prod(x.shape[1:]) // groups  # the batch may be empty, so that -1 would be any size
    _, deviation, variance = _centred(x.reshape(x.shape[0], groups, each), (2,))
    return _scaled((deviation * rsqrt(variance + eps)).reshape(x.shape), affine, _channels(x))


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


def rms_norm(x: Any, shape: Any, weight: Any = None, *, eps: float = 1e-6) -> Tensor:
    """Root mean square: x / √(mean of x² + ε) · weight over the last axes: Zhang and Sennrich 2019."""
    y: Tensor = _rms_norm(x, *_given(weight, None), shape=_shape(shape), eps=float(eps))
    return y


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Tensor:
    """Normalisation over the channels of each group and all positions of (N, C, *spatial): Wu and He 2018."""
    y: Tensor = _group_norm(x, *_given(weight, bias), groups=groups, eps=float(eps))
    return y


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)
