"""Random numbers of single examples: each a function of the example's key, a purpose and a place, and of nothing else.

The numbers are a hash of those: no state, no loop, and whether an example stands alone, first or last in its batch
makes no difference. The hash mixes with the finalizer of MurmurHash3 (Austin Appleby, public domain), twice for each
number, between which the two words of the key go in.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError, is_whole
from weft.graph.dtype import DType, float32, uint32
from weft.graph.function import function
from weft.graph.lowering import lowering
from weft.graph.op import Casts, Kind, Op, unchanged
from weft.ops.assembling import stack
from weft.ops.comparison import bitwise_right_shift, bitwise_xor, equal, logical_and, where
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.engine import lax
from weft.ops.exponential import log, sigmoid, sqrt
from weft.ops.manipulation import sizes
from weft.ops.random import fold_in
from weft.ops.special import erfinv
from weft.ops.statistics import min
from weft.random import wrap_key
from weft.random.generator import hashed
from weft.tensor import Tensor, as_tensor
from weft.transforms import vmap

GOLDEN = 0x9E3779B9  # 2³² divided by the golden ratio: its multiples are spread evenly
FEW = 64  # numbers for each example: so many are kept rather than computed again where they are used
TRIES = 8  # of a gamma number; each is kept with probability 0.95 or more


def apart(kinds: tuple[Kind, ...]) -> Casts:
    """How the ops of augmentations take operands: tensors as they are, numbers as float32."""
    return tuple(None if isinstance(kind, DType) else float32 for kind in kinds)


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────


def _settled(x: Any, keys: Any) -> Any:
    """``x`` through a loop that never turns, which the compiler cannot know: what it carries is computed before.

    XLA's own barrier is dropped on the CPU before it merges loops over elements.
    """
    if lowering.platform != "cpu":
        return lax.optimization_barrier(x)
    if not (x.size and keys.size):
        return x
    first = keys.reshape(-1)[0]
    turns = (first & 1) & ((first + 1) & 1)
    return lax.while_loop(lambda state: state[0] < turns, lambda state: (state[0] + 1, state[1] + 1), (turns * 0, x))[1]


# Without it the compiler computes a draw again for each pixel that uses it, and an augmentation again for each pixel
# of the next one: a chain of three took five hundred times as long.
settle = Op(
    "settle",
    shape=lambda x, keys: x,
    takes=unchanged,
    lower=_settled,
    vjp=lambda g, y, x, keys: (g, None),
    doc="``x``, computed before anything that uses it; the keys are any of the program.",
)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def example_keys(seed: Any, epoch: Any, numbers: Any) -> Tensor:
    """The keys (B, 2) of the examples ``numbers`` (B,) in an epoch: what every augmentation draws from.

    keys[i] = fold_in(fold_in(key, epoch), numbers[i]), with the key of ``seed``, a number, or a key (2,) itself.
    The epoch may be a tensor: inside a program it costs no compilation.

    >>> from weft.augment import example_keys
    >>> example_keys(0, 3, [7, 8])[0].tolist() == example_keys(0, 3, [5, 6, 7])[2].tolist()
    True
    """
    numbers = as_tensor(numbers)
    if numbers.ndim != 1 or not numbers.dtype.is_integer:
        raise ShapeError(f"numbers of examples: {numbers.dtype.name} {numbers.shape}", expected="whole numbers (B,)")
    key = _key(seed) if isinstance(seed, bool | int | np.integer) else as_tensor(seed)
    of_epoch = fold_in(key, epoch)
    keys: Tensor = vmap(fold_in, in_axes=(None, 0))(of_epoch, numbers)
    return keys


def _key(seed: Any) -> Tensor:
    """The key of a seed from which a fit with that seed draws its augmentations."""
    if isinstance(seed, bool) or seed < 0:
        raise ArgumentError(f"example_keys: seed={seed!r}", expected="a whole number, 0 or more, or a key (2,)")
    return wrap_key(np.array([hashed(int(seed), "augmentation"), 0], np.uint32))


def check_keys(name: str, keys: Tensor, examples: int | None = None) -> None:
    """Refuse what is not one key for each example."""
    if keys.dtype is not uint32:
        raise DTypeError(
            f"{name}: keys of type {keys.dtype.name}",
            expected="uint32 (B, 2): a key for each example",
            cure="wf.augment.example_keys(seed, epoch, numbers)",
        )
    if keys.ndim != 2 or keys.shape[1] != 2 or examples not in (None, keys.shape[0]):
        many = "B" if examples is None else examples
        raise ShapeError(
            f"{name}: keys of shape {keys.shape}" + ("" if examples is None else f" for {examples} examples"),
            expected=f"({many}, 2): a key for each example",
            cure="wf.augment.example_keys(seed, epoch, numbers)",
        )


def fold(keys: Any, number: int) -> Tensor:
    """Other keys for the same examples: what is drawn from them has nothing to do with what the old ones give.

    >>> from weft.augment import example_keys, fold, uniform
    >>> keys = example_keys(0, 0, [4])
    >>> float(uniform(fold(keys, 0), 0)) == float(uniform(fold(keys, 1), 0))
    False
    """
    keys = as_tensor(keys)
    check_keys("fold", keys)
    made: Tensor = _fold(keys, number=_count("fold", "number", number))
    return made


def _count(name: str, what: str, n: Any) -> int:
    if not is_whole(n, 0, 2**31 - 1):
        raise ArgumentError(f"{name}: {what}={n!r}", expected=f"a whole number, 0 ≤ {what} < 2³¹")
    return int(n)


# ── the hash ────────────────────────────────────────────────────────────────────────────────────────────────


def _mixed(h: Any) -> Any:
    """Every bit of the word from every bit of it; different words stay different."""
    h = bitwise_xor(h, bitwise_right_shift(h, 16)) * 0x85EBCA6B
    h = bitwise_xor(h, bitwise_right_shift(h, 13)) * 0xC2B2AE35
    return bitwise_xor(h, bitwise_right_shift(h, 16))


def _words(keys: Any, number: int) -> tuple[Any, Any]:
    """Two words (B,) for each key and number, each from both words of the key."""
    first = _mixed(bitwise_xor(_mixed(keys[:, 0] + (number + 1) * GOLDEN % 2**32), keys[:, 1]))
    return first, _mixed(bitwise_xor(_mixed(keys[:, 1] + GOLDEN), first) + keys[:, 0])


@function(takes=apart)
def _fold(keys: Any, *, number: int) -> Any:
    return stack(_words(keys, 2**31 + number), axis=1)


@function(takes=apart)
def _bits(keys: Any, *, purpose: int, shape: tuple[int, ...]) -> Any:
    n = keys.shape[0]
    first, second = (w.reshape(n, 1) for w in _words(keys, purpose))
    place = iota_op(shape=(1, math.prod(shape)), axis=1, dtype=uint32) * GOLDEN
    return _mixed(bitwise_xor(_mixed(place + first), second)).reshape(n, *shape)


def bits(keys: Any, purpose: int, shape: Any = ()) -> Tensor:
    """32 random bits for each of (B, *shape), as uint32; row i depends on keys[i] and ``purpose`` alone."""
    keys = as_tensor(keys)
    check_keys("bits", keys)
    made: Tensor = _bits(keys, purpose=_count("bits", "purpose", purpose), shape=sizes(shape))
    return made


# ── distributions ───────────────────────────────────────────────────────────────────────────────────────────


def _drawn(keys: Any, x: Any, scale: Any, offset: Any) -> Any:
    """X · scale + offset, where that is not x itself; a few numbers for each example are settled."""
    if type(scale) is not float or type(offset) is not float or (scale, offset) != (1.0, 0.0):
        x = x * scale + offset
    return settle(x, keys) if math.prod(x.shape[1:]) <= FEW else x


def uniform(keys: Any, purpose: int, shape: Any = (), low: Any = 0.0, high: Any = 1.0) -> Tensor:
    """Numbers (B, *shape) spread evenly over [low, high), in float32.

    Row i depends on keys[i] and ``purpose`` alone: an augmentation numbers its draws 0, 1, 2, … by purpose.

    >>> from weft.augment import example_keys, uniform
    >>> u = uniform(example_keys(0, 0, range(1000)), 0, 4)
    >>> u.shape, abs(float(u.mean()) - 0.5) < 0.02
    ((1000, 4), True)
    """
    # 24 bits: as many as float32 holds exactly.
    share = cast(bitwise_right_shift(bits(keys, purpose, shape), 8), dtype=float32) * 2.0**-24
    made: Tensor = _drawn(keys, share, high - low, low)
    return made


def normal(keys: Any, purpose: int, shape: Any = (), mean: Any = 0.0, std: Any = 1.0) -> Tensor:
    """Normal numbers (B, *shape) with this mean and standard deviation, in float32; row i from keys[i] alone.

    √2 erf⁻¹(u), with u in the middles of 2²³ equal parts of (−1, 1): at most 5.3 from 0.

    >>> from weft.augment import example_keys, normal
    >>> abs(float(normal(example_keys(0, 0, range(1000)), 0, 4).std()) - 1) < 0.05
    True
    """
    cell = cast(bitwise_right_shift(bits(keys, purpose, shape), 9), dtype=float32)
    made: Tensor = _drawn(keys, erfinv((cell + 0.5) * 2.0**-22 - 1) * math.sqrt(2), std, mean)
    return made


def beta(keys: Any, purpose: int, a: Any, b: Any) -> Tensor:
    """A number (B,) for each key with density λ^(a−1) (1−λ)^(b−1) / B(a, b) on [0, 1].

    λ = G(a) / (G(a) + G(b)) of two gamma numbers, by way of their logarithms: small a and b do not underflow.

    >>> from weft.augment import beta, example_keys
    >>> abs(float(beta(example_keys(0, 0, range(1000)), 0, 0.2, 0.2).mean()) - 0.5) < 0.05
    True
    """
    for argument, value in (("a", a), ("b", b)):
        if isinstance(value, int | float | np.number) and not value > 0:
            raise ArgumentError(f"beta: {argument}={value!r}", expected=f"a number, {argument} > 0")
    logs = _log_gammas(fold(keys, purpose), stack([as_tensor(a), as_tensor(b)]))
    made: Tensor = settle(sigmoid(logs[:, 0] - logs[:, 1]), keys)
    return made


def _log_gammas(keys: Any, a: Any) -> Any:
    """For each key the logarithms (B, n) of gamma numbers with parameters a (n,).

    Marsaglia and Tsang 2000 for a + 1, times u^(1/a). All tries are drawn at once, and the first that is kept counts;
    that none is has a probability below 10⁻¹⁰.
    """
    d = (a + 1 - 1 / 3).reshape(-1, 1)
    z = normal(keys, 0, (a.shape[0], TRIES))
    v = (1 + z / (sqrt(d) * 3)) ** 3
    log_v = log(where(v > 0, v, 1.0))
    kept = logical_and(v > 0, log(1 - uniform(keys, 1, (a.shape[0], TRIES))) < z * z / 2 + d * (1 - v + log_v))
    place = iota_op(shape=(TRIES,), axis=0, dtype=float32)
    first = min(where(kept, place, TRIES - 1.0), axis=2, keepdims=True)
    chosen = where(equal(place, first), log_v, 0).sum(axis=2)
    return log(d[:, 0]) + chosen + log(1 - uniform(keys, 2, a.shape)) / a
