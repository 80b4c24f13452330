"""Random numbers as functions of a key: the same key gives the same bits on every device and at any time.

A key is two 32-bit words and an operand like any other, so new randomness never makes a new program.
"""

from __future__ import annotations

from typing import Any

from weft.graph.dtype import float32, int64, uint32
from weft.graph.op import Op, floating, unchanged
from weft.graph.spec import Spec
from weft.ops.engine import random as engine
from weft.ops.rules import refusing

KEY = Spec((2,), uint32)


def _of_shape(key: Spec, *, shape: tuple[int, ...], dtype: Any = float32) -> Spec:
    return Spec(shape, dtype)


def _wrapped(key: Any) -> Any:
    return engine.wrap_key_data(key, impl="threefry2x32")


fold_in = Op(  # a new key from a key and a whole number: the root of every independent stream
    "fold_in",
    shape=lambda key, number: KEY,
    takes=lambda kinds: (None, int64),
    lower=lambda key, number: engine.key_data(engine.fold_in(_wrapped(key), number.astype("uint32"))),
)
uniform_op = Op(  # in [0, 1)
    "random_uniform",
    shape=_of_shape,
    takes=unchanged,
    lower=lambda key, *, shape, dtype: engine.uniform(_wrapped(key), shape, dtype.numpy),
)
normal_op = Op(
    "random_normal",
    shape=_of_shape,
    takes=unchanged,
    lower=lambda key, *, shape, dtype: engine.normal(_wrapped(key), shape, dtype.numpy),
)
truncated_normal_op = Op(  # a standard normal, conditioned on lying between ``low`` and ``high``
    "random_truncated_normal",
    shape=lambda key, low, high, *, shape, dtype: Spec(shape, dtype),
    takes=lambda kinds: (None, float32, float32),
    lower=lambda key, low, high, *, shape, dtype: engine.truncated_normal(
        _wrapped(key), low.astype(dtype.numpy), high.astype(dtype.numpy), shape, dtype.numpy
    ),
)
integers_op = Op(  # in [low, high)
    "random_integers",
    shape=lambda key, low, high, *, shape: Spec(shape, int64),
    takes=lambda kinds: (None, int64, int64),
    lower=lambda key, low, high, *, shape: engine.randint(_wrapped(key), shape, low, high, "int64"),
)
permutation_op = Op(
    "random_permutation",
    shape=lambda key, *, n: Spec((n,), int64),
    takes=unchanged,
    lower=lambda key, *, n: engine.permutation(_wrapped(key), n).astype("int64"),
)


def _of_operands(key: Spec, *operands: Spec, shape: tuple[int, ...]) -> Spec:
    """Numbers of the operands' type; ``shape`` is one to which the operands broadcast."""
    return Spec(shape, operands[0].dtype)


def _floats(kinds: Any) -> Any:
    return (None, *floating(kinds[1:]))


gamma_op = Op(  # of the given shape parameter, with scale 1
    "random_gamma",
    shape=refusing("complex", rule=_of_operands),
    takes=_floats,
    lower=lambda key, a, *, shape: engine.gamma(_wrapped(key), a, shape, a.dtype),
)
poisson_op = Op(
    "random_poisson",
    shape=lambda key, rate, *, shape: Spec(shape, int64),
    takes=lambda kinds: (None, float32),
    lower=lambda key, rate, *, shape: engine.poisson(_wrapped(key), rate, shape, "int64"),
)
binomial_op = Op(  # how many of ``n`` trials succeed, each with probability ``p``
    "random_binomial",
    shape=lambda key, n, p, *, shape: Spec(shape, int64),
    takes=lambda kinds: (None, float32, float32),
    lower=lambda key, n, p, *, shape: engine.binomial(_wrapped(key), n, p, shape, "float32").astype("int64"),
)
