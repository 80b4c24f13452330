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
from numbers import Real
from typing import Any

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.nn.check import number, positive
from weft.nn.lookup import find
from weft.tensor import Tensor

Shape = tuple[int, ...]
Key = tuple[int, int]

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    **{f"conv{kind}{axes}d": 1.0 for kind in ("", "_transpose") for axes in (1, 2, 3)},
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
    number("gain", slope=slope)
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + slope * slope))
    return find(_GAINS, nonlinearity, "gain for the nonlinearity")


calculate_gain = gain  # the name in PyTorch


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
    number("uniform", low=low, high=high)
    if low > high:
        raise ArgumentError(f"uniform: low={low!r}, high={high!r}", expected="low ≤ high")
    half = (high - low) / 2
    return Tensor(_spread(shape, key, half).numpy() + np.float32(low + half))


def normal(shape: Shape, key: Key, *, mean: float = 0.0, std: float = 1.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Numbers of a normal distribution."""
    number("normal", mean=mean)
    number("normal", 0, std=std)
    return _scattered(shape, key, std, mean)


def truncated_normal(
    shape: Shape,
    key: Key,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    limit: float = 2.0,
    fan_in: int = 1,
    fan_out: int = 1,
) -> Tensor:
    """Normal numbers, those further than ``limit`` standard deviations from the mean drawn again."""
    number("truncated_normal", mean=mean)
    number("truncated_normal", 0, std=std)
    positive("truncated_normal", limit=limit)
    stream = _stream(key)
    drawn = _narrow(stream, shape, limit) if limit < 1 else _redrawn(stream, shape, limit)
    return Tensor(drawn * np.float32(std) + np.float32(mean))


def _redrawn(stream: np.random.Generator, shape: Shape, limit: float) -> np.ndarray:
    drawn = stream.standard_normal(shape, np.float32)
    while (far := np.abs(drawn) > limit).any():
        drawn[far] = stream.standard_normal(int(far.sum()), np.float32)
    return drawn


def _narrow(stream: np.random.Generator, shape: Shape, limit: float) -> np.ndarray:
    """The same within a limit that few normal numbers would meet: even ones, kept with the density as probability."""
    drawn = np.zeros(shape, np.float32)
    open_ = np.ones(shape, bool)
    while count := int(open_.sum()):
        tried = (stream.random(count, np.float32) * 2 - 1) * np.float32(limit)
        kept = stream.random(count, np.float32) < np.exp(-tried * tried / 2)
        drawn[open_] = tried
        open_[open_] = ~kept
    return drawn


def constant(shape: Shape, key: Key, *, value: Any = 0.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """One value everywhere."""
    if not isinstance(value, Real):
        raise ArgumentError(f"constant: value={value!r}", expected="a number")
    return Tensor(np.full(shape, value, np.float32))


def zeros(shape: Shape, key: Key, *, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Zeros."""
    return constant(shape, key, value=0.0)


def ones(shape: Shape, key: Key, *, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Ones."""
    return constant(shape, key, value=1.0)


# ── matrices of a certain form ──────────────────────────────────────────────────────────────────────────────


def _need_axes(name: str, shape: Shape, least: int, most: int) -> None:
    if not least <= len(shape) <= most:
        raise ShapeError(
            f"{name} for a parameter of shape {shape}",
            expected=f"{least} axes"
            if least == most
            else f"{least} to {most} axes"
            if most < 99
            else "a matrix or more",
        )


def eye(shape: Shape, key: Key, *, gain: float = 1.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Ones (times ``gain``) on the diagonal of a matrix: a linear layer begins by passing on its inputs.

    >>> eye((2, 3), (0, 0)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    number("eye", gain=gain)
    _need_axes("eye", shape, 2, 2)
    return Tensor(np.eye(*shape, dtype=np.float32) * np.float32(gain))


def dirac(shape: Shape, key: Key, *, groups: int = 1, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """Ones in the middle of a kernel (outputs, inputs, …): a convolution begins by passing on its channels.

    >>> dirac((1, 1, 3), (0, 0)).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    _need_axes("dirac", shape, 3, 5)
    if groups < 1 or shape[0] % groups:
        raise ArgumentError(f"dirac: groups={groups} for {shape[0]} outputs", expected="groups that divide the outputs")
    made = np.zeros(shape, np.float32)
    middle = tuple(n // 2 for n in shape[2:])
    each = shape[0] // groups
    for group in range(groups):
        for k in range(min(each, shape[1])):
            made[(group * each + k, k, *middle)] = 1
    return Tensor(made)


def orthogonal(shape: Shape, key: Key, *, gain: float = 1.0, fan_in: int = 1, fan_out: int = 1) -> Tensor:
    """A random matrix (outputs, inputs · …) with orthogonal rows, or columns where these are fewer: Saxe et al. 2013.

    >>> w = orthogonal((2, 3), (0, 1)).numpy()
    >>> bool(abs(w @ w.T - [[1, 0], [0, 1]]).max() < 1e-6)
    True
    """
    number("orthogonal", gain=gain)
    _need_axes("orthogonal", shape, 2, 99)
    rows, columns = shape[0], math.prod(shape[1:])
    drawn = _stream(key).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diagonal(r))  # so that every orthogonal matrix is as likely as any other
    return Tensor(((q.T if rows < columns else q) * gain).reshape(shape).astype(np.float32))


def sparse(
    shape: Shape, key: Key, *, sparsity: float = 0.9, std: float = 0.01, fan_in: int = 1, fan_out: int = 1
) -> Tensor:
    """Normal numbers of a matrix, the share ``sparsity`` of each column (rounded up) set to zero: Martens 2010."""
    _need_axes("sparse", shape, 2, 2)
    number("sparse", 0, std=std)
    if not 0 <= sparsity <= 1:
        raise ArgumentError(f"sparse: sparsity={sparsity!r}", expected="0 ≤ sparsity ≤ 1")
    stream = _stream(key)
    drawn = stream.standard_normal(shape, np.float32) * np.float32(std)
    zeros_each = math.ceil(sparsity * shape[0])
    rows = np.argsort(stream.random(shape), axis=0)[:zeros_each]
    drawn[rows, np.arange(shape[1])] = 0
    return Tensor(drawn)


# ── distributions that keep the variance of activations and gradients ───────────────────────────────────────


def xavier_uniform(shape: Shape, key: Key, *, fan_in: int, fan_out: int, gain: float = 1.0) -> Tensor:
    """Uniform in ±gain·√(6 / (fan_in + fan_out)): Glorot and Bengio 2010."""
    number("xavier_uniform", gain=gain)
    return _spread(shape, key, gain * math.sqrt(6 / (fan_in + fan_out)))


def xavier_normal(shape: Shape, key: Key, *, fan_in: int, fan_out: int, gain: float = 1.0) -> Tensor:
    """N(0, gain²·2 / (fan_in + fan_out)): Glorot and Bengio 2010."""
    number("xavier_normal", gain=gain)
    return _scattered(shape, key, gain * math.sqrt(2 / (fan_in + fan_out)))


def _fan(mode: str, fan_in: int, fan_out: int) -> int:
    return find({"fan_in": fan_in, "fan_out": fan_out}, mode, "mode")


def kaiming_uniform(
    shape: Shape,
    key: Key,
    *,
    fan_in: int,
    fan_out: int,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Tensor:
    """Uniform in ±gain·√(3 / fan), the fan named by ``mode``: He et al. 2015.

    "fan_in" keeps the variance of activations, "fan_out" that of gradients; ``a`` is the slope of a leaky ReLU.
    """
    return _spread(shape, key, gain(nonlinearity, a) * math.sqrt(3 / _fan(mode, fan_in, fan_out)))


def kaiming_normal(
    shape: Shape,
    key: Key,
    *,
    fan_in: int,
    fan_out: int,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Tensor:
    """N(0, gain² / fan), the fan named by ``mode``: He et al. 2015."""
    return _scattered(shape, key, gain(nonlinearity, a) / math.sqrt(_fan(mode, fan_in, fan_out)))


def lecun_uniform(shape: Shape, key: Key, *, fan_in: int, fan_out: int) -> Tensor:
    """Uniform in ±√(3 / fan_in): LeCun 1998."""
    return _spread(shape, key, math.sqrt(3 / fan_in))


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
        eye,
        dirac,
        orthogonal,
        sparse,
        xavier_uniform,
        xavier_normal,
        kaiming_uniform,
        kaiming_normal,
        lecun_uniform,
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


def __getattr__(name: str) -> Any:
    own = name.removesuffix("_")
    cure = f": p.initialize({own!r}) for PyTorch's {name}(p)" if name != own and own in INITIALIZERS else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{cure}")
