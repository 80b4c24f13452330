"""First values of parameters: functions of a shape, a key and the fans.

Numbers are drawn on the host, so a model starts without compiling anything, and the same key gives the same
numbers on every device. ``fan_in`` is how many inputs one output sums over, ``fan_out`` how many outputs one input
feeds. Other constants: ``functools.partial(init.normal, std=0.02)``, or a function of your own with this signature.

>>> from weft import nn
>>> nn.init.xavier_uniform((2, 3), key=(0, 1), fan_in=3, fan_out=2).shape
(2, 3)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from weft.errors import ArgumentError
from weft.nn.lookup import find
from weft.tensor import Tensor

Shape = tuple[int, ...]
Key = tuple[int, int]

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
    "silu": math.sqrt(2),
    "gelu": math.sqrt(2),
}


def gain(nonlinearity: str, slope: float = 0.01) -> float:
    """The factor that keeps the variance of activations through a nonlinearity, as PyTorch has it.

    >>> gain("relu") == 2**0.5
    True
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + slope * slope))
    return find(_GAINS, nonlinearity, "gain for the nonlinearity")


def fans(shape: Shape) -> tuple[int, int]:
    """Fan-in and fan-out of a weight (outputs, inputs, …); of a vector, its length twice.

    >>> fans((16, 3, 5, 5))
    (75, 400)
    """
    if len(shape) < 2:
        return (math.prod(shape) or 1,) * 2
    field = math.prod(shape[2:])
    return shape[1] * field or 1, shape[0] * field or 1


def _stream(key: Key) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array(key, np.uint64)))


def _spread(shape: Shape, key: Key, bound: float) -> Tensor:
    return Tensor((_stream(key).random(shape, np.float32) * np.float32(2) - np.float32(1)) * np.float32(bound))


def _scattered(shape: Shape, key: Key, std: float, mean: float = 0.0) -> Tensor:
    return Tensor(_stream(key).standard_normal(shape, np.float32) * np.float32(std) + np.float32(mean))


# ── plain distributions ─────────────────────────────────────────────────────────────────────────────────────


def uniform(
    shape: Shape, key: Key, *, low: float = 0.0, high: float = 1.0, fan_in: int = 1, fan_out: int = 1
) -> Tensor:
    """Numbers spread evenly over [low, high)."""
    half = (high - low) / 2
    return Tensor(_spread(shape, key, half).numpy() + np.float32(low + half))


def normal(shape: Shape, key: Key, *, mean: float = 0.0, std: float = 1.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Numbers of a normal distribution."""
    return _scattered(shape, key, std, mean)


def truncated_normal(
    shape: Shape, key: Key, *, std: float = 1.0, limit: float = 2.0, fan_in: int = 1, fan_out: int = 1
) -> Tensor:
    """Normal numbers, those beyond ``limit`` standard deviations drawn again."""
    stream = _stream(key)
    drawn = stream.standard_normal(shape, np.float32)
    while (far := np.abs(drawn) > limit).any():
        drawn[far] = stream.standard_normal(int(far.sum()), np.float32)
    return Tensor(drawn * np.float32(std))


def constant(shape: Shape, key: Key, *, value: float = 0.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """One value everywhere."""
    return Tensor(np.full(shape, value, np.float32))


def zeros(shape: Shape, key: Key, *, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Zeros."""
    return constant(shape, key, value=0.0)


def ones(shape: Shape, key: Key, *, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Ones."""
    return constant(shape, key, value=1.0)


# ── distributions that keep the variance of activations and gradients ───────────────────────────────────────


def xavier_uniform(shape: Shape, key: Key, *, fan_in: int, fan_out: int, gain: float = 1.0) -> Tensor:
    """Uniform in ±gain·√(6 / (fan_in + fan_out)): Glorot and Bengio 2010."""
    return _spread(shape, key, gain * math.sqrt(6 / (fan_in + fan_out)))


def xavier_normal(shape: Shape, key: Key, *, fan_in: int, fan_out: int, gain: float = 1.0) -> Tensor:
    """N(0, gain²·2 / (fan_in + fan_out)): Glorot and Bengio 2010."""
    return _scattered(shape, key, gain * math.sqrt(2 / (fan_in + fan_out)))


def kaiming_uniform(
    shape: Shape, key: Key, *, fan_in: int, fan_out: int, a: float = 0.0, nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Uniform in ±gain·√(3 / fan_in): He et al. 2015."""
    return _spread(shape, key, gain(nonlinearity, a) * math.sqrt(3 / fan_in))


def kaiming_normal(
    shape: Shape, key: Key, *, fan_in: int, fan_out: int, a: float = 0.0, nonlinearity: str = "leaky_relu"
) -> Tensor:
    """N(0, gain² / fan_in): He et al. 2015."""
    return _scattered(shape, key, gain(nonlinearity, a) / math.sqrt(fan_in))


def lecun_normal(shape: Shape, key: Key, *, fan_in: int, fan_out: int) -> Tensor:
    """N(0, 1 / fan_in): LeCun 1998, and the right start for SELU."""
    return _scattered(shape, key, 1 / math.sqrt(fan_in))


def fan_uniform(shape: Shape, key: Key, *, fan_in: int, fan_out: int) -> Tensor:
    """Uniform in ±1/√fan_in: PyTorch's start for the weights and biases of linear and convolution layers."""
    return _spread(shape, key, 1 / math.sqrt(fan_in))


INITIALIZERS: dict[str, Callable[..., Tensor]] = {
    f.__name__: f
    for f in (
        uniform,
        normal,
        truncated_normal,
        constant,
        zeros,
        ones,
        xavier_uniform,
        xavier_normal,
        kaiming_uniform,
        kaiming_normal,
        lecun_normal,
        fan_uniform,
    )
}


def initializer(of: str | Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function that ``of`` names, or is."""
    if callable(of):
        return of
    if not isinstance(of, str):
        raise ArgumentError(f"{of!r} as an initialisation", expected="a name or a function of weft.nn.init")
    return find(INITIALIZERS, of, "initialisation")
