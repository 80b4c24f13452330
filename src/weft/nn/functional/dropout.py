"""Dropout in its forms: what is dropped (elements, channels, examples) and what stands in its place."""

from __future__ import annotations

from typing import Any

from weft.graph.dtype import float32
from weft.graph.function import function
from weft.graph.op import Casts, Kind, floating
from weft.nn.check import fraction
from weft.ops.comparison import where
from weft.ops.exponential import sqrt
from weft.ops.random import normal_op, uniform_op
from weft.random import key as next_key
from weft.tensor import Tensor, as_tensor

SATURATION = -1.7580993408473766  # of SELU for large negative numbers: −scale · alpha


def _key_apart(kinds: tuple[Kind, ...]) -> Casts:
    return (*floating(kinds[:-1]), None)


def _drawn(x: Any, p: Any, key: Any, axes: int) -> Any:
    """True with probability ``p`` for each index of the first ``axes`` axes; in float32, as p is fine in it."""
    shape = x.shape[:axes] + (1,) * (x.ndim - axes)
    return uniform_op(key, shape=shape, dtype=float32) < p.astype(float32)


def _rule(g: Any, y: Any, x: Any, p: Any, key: Any, *, axes: int) -> tuple[Any, None, None]:
    # Linear in x, so the gradient is the same op on g: the key makes the same choice again, and no mask is kept.
    return _dropout(g, p, key, axes=axes), None, None


@function(takes=_key_apart, vjp=_rule)
def _dropout(x: Any, p: Any, key: Any, *, axes: int) -> Any:
    return where(_drawn(x, p, key, axes), 0, x / (1 - p))


def _check(name: str, p: Any) -> None:
    """Refuse a number that is no probability; a tensor is not looked into."""
    if not isinstance(p, Tensor):
        fraction(name, p=p)


def dropout(x: Any, p: Any = 0.5, key: Any = None, *, axes: int | None = None) -> Tensor:
    """Each element 0 with probability ``p``, else x / (1 − p), so that the mean stays: Srivastava et al. 2014.

    The ``key`` decides which; without one it is the next of `weft.random`. ``p`` may be a tensor, and a new value
    does not compile anew. With ``axes`` the choice is made for each index of that many leading axes and holds for
    all that lies behind it: 2 drops channels of (N, C, *spatial), 1 whole examples.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> sorted(set(F.dropout(wf.ones(100), 0.5, wf.random.Generator(0).key()).tolist()))
    [0.0, 2.0]
    """
    x = as_tensor(x)
    _check("dropout", p)
    y: Tensor = _dropout(x, p, next_key() if key is None else key, axes=x.ndim if axes is None else axes)
    return y


def _alpha_scale(p: Any) -> Any:
    """The factor that brings the variance back to 1; 0 where everything is dropped."""
    kept = (1 - p) * (1 + p * SATURATION**2)
    return where(p < 1, 1 / sqrt(where(p < 1, kept, 1)), 0)


def _alpha_rule(g: Any, y: Any, x: Any, p: Any, key: Any, *, axes: int) -> tuple[Any, None, None]:
    return _alpha_slope(g, p, key, axes=axes), None, None


@function(takes=_key_apart, vjp=_alpha_rule)
def _alpha_slope(g: Any, p: Any, key: Any, *, axes: int) -> Any:
    return where(_drawn(g, p, key, axes), 0, g * _alpha_scale(p))


@function(takes=_key_apart, vjp=_alpha_rule)
def _alpha_dropout(x: Any, p: Any, key: Any, *, axes: int) -> Any:
    scale = _alpha_scale(p)
    return scale * where(_drawn(x, p, key, axes), SATURATION, x) - scale * SATURATION * p


def alpha_dropout(x: Any, p: Any = 0.5, key: Any = None, *, axes: int | None = None) -> Tensor:
    """Dropout for SELU: what is dropped becomes its saturation, and mean 0 and variance 1 stay: Klambauer et al. 2017.

    y = a · (x, or −1.758… with probability ``p``) + b, with a and b such that the mean and the variance stay. ``key``
    and ``axes`` are as in `dropout`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.alpha_dropout(wf.random.Generator(0).normal(10000), 0.2, wf.random.Generator(1).key()).std()), 1)
    1.0
    """
    x = as_tensor(x)
    _check("alpha_dropout", p)
    y: Tensor = _alpha_dropout(x, p, next_key() if key is None else key, axes=x.ndim if axes is None else axes)
    return y


@function(takes=_key_apart)
def _gaussian_noise(x: Any, std: Any, key: Any) -> Any:
    dtype = x.dtype if x.dtype.itemsize >= 4 else float32
    return x + std * normal_op(key, shape=x.shape, dtype=dtype).astype(x.dtype)


def gaussian_noise(x: Any, std: Any = 0.1, key: Any = None) -> Tensor:
    """Noise: x + std · ε with ε ~ N(0, 1) for each element; the ``key`` decides, as in `dropout`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.gaussian_noise(wf.ones(3), 0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    y: Tensor = _gaussian_noise(as_tensor(x), std, next_key() if key is None else key)
    return y
