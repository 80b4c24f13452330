"""Random numbers as functions of a key: the same key gives the same bits on every device and at any time.

A key is two 32-bit words and an operand like any other, so new randomness never makes a new program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, DTypeError
from weft.graph.dtype import DType, float32, float64, int64, uint32
from weft.graph.op import Op, floating, unchanged
from weft.graph.spec import Spec
from weft.ops.engine import random as engine
from weft.ops.rules import refusing

KEY = Spec((2,), uint32)


def _keyed(rule: Callable[..., Spec]) -> Callable[..., Spec]:
    """A shape rule that refuses what is no key."""

    def shape(key: Spec, *operands: Spec, **params: Any) -> Spec:
        if key != KEY:
            raise ArgumentError(
                f"a {key.dtype.name} tensor of shape {key.shape} as a key of random numbers",
                expected="a key: two 32-bit words",
                cure="wf.random.key(), or leave the key out; F.dropout(x, p) if model.training else x",
            )
        return rule(*operands, **params)

    return shape


def _floats(*operands: Spec, shape: tuple[int, ...], dtype: DType) -> Spec:
    if not dtype.is_floating:
        raise DTypeError(
            f"random numbers of type {dtype.name}", expected="a floating type", cure="wf.random.integers(low, high)"
        )
    return Spec(shape, dtype)


def _whole(*operands: Spec, shape: tuple[int, ...]) -> Spec:
    return Spec(shape, int64)


def _wrapped(key: Any) -> Any:
    return engine.wrap_key_data(key, impl="threefry2x32")


fold_in = Op(  # a new key from a key and a whole number: the root of every independent stream
    "fold_in",
    shape=_keyed(lambda number: KEY),
    takes=lambda kinds: (None, int64),
    lower=lambda key, number: engine.key_data(engine.fold_in(_wrapped(key), number.astype("uint32"))),
)
uniform_op = Op(  # in [0, 1)
    "random_uniform",
    shape=_keyed(_floats),
    takes=unchanged,
    lower=lambda key, *, shape, dtype: engine.uniform(_wrapped(key), shape, dtype.numpy),
)
normal_op = Op(
    "random_normal",
    shape=_keyed(_floats),
    takes=unchanged,
    lower=lambda key, *, shape, dtype: engine.normal(_wrapped(key), shape, dtype.numpy),
)
truncated_normal_op = Op(  # a standard normal, conditioned on lying between ``low`` and ``high``
    "random_truncated_normal",
    shape=_keyed(_floats),
    takes=lambda kinds: (None, float32, float32),
    lower=lambda key, low, high, *, shape, dtype: engine.truncated_normal(
        _wrapped(key), low.astype(dtype.numpy), high.astype(dtype.numpy), shape, dtype.numpy
    ),
)
integers_op = Op(  # in [low, high)
    "random_integers",
    shape=_keyed(_whole),
    takes=lambda kinds: (None, int64, int64),
    lower=lambda key, low, high, *, shape: engine.randint(_wrapped(key), shape, low, high, "int64"),
)
permutation_op = Op(
    "random_permutation",
    shape=_keyed(lambda *, n: Spec((n,), int64)),
    takes=unchanged,
    lower=lambda key, *, n: engine.permutation(_wrapped(key), n).astype("int64"),
)


def _of_operands(*operands: Spec, shape: tuple[int, ...]) -> Spec:
    """Numbers of the operands' type; ``shape`` is one to which the operands broadcast."""
    return Spec(shape, operands[0].dtype)


def _after_key(kinds: Any) -> Any:
    return (None, *floating(kinds[1:]))


gamma_op = Op(  # of the given shape parameter, with scale 1
    "random_gamma",
    shape=refusing("complex", rule=_keyed(_of_operands)),
    takes=_after_key,
    lower=lambda key, a, *, shape: engine.gamma(_wrapped(key), a, shape, a.dtype),
)
log_gamma_op = Op(  # its logarithm, where a small shape parameter makes numbers too small for their type
    "random_log_gamma",
    shape=refusing("complex", rule=_keyed(_of_operands)),
    takes=_after_key,
    lower=lambda key, a, *, shape: engine.loggamma(_wrapped(key), a, shape, a.dtype),
)
poisson_op = Op(
    "random_poisson",
    shape=_keyed(_whole),
    takes=lambda kinds: (None, float32),
    lower=lambda key, rate, *, shape: engine.poisson(_wrapped(key), rate, shape, "int64"),
)
binomial_op = Op(  # how many of ``n`` trials succeed, each with probability ``p``; float32 would round a large n
    "random_binomial",
    shape=_keyed(_whole),
    takes=lambda kinds: (None, float64, float64),
    lower=lambda key, n, p, *, shape: engine.binomial(_wrapped(key), n, p, shape, "float64").astype("int64"),
)
