"""One table of samples for every op."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from weft.graph import dtype as dt
from weft.graph.function import record
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.ops import control as C
from weft.ops import convolution as V
from weft.ops import creation as N
from weft.ops import elementwise as E
from weft.ops import indexing as I
from weft.ops import linalg as L
from weft.ops import pooling as P
from weft.ops import random as R
from weft.ops import reduction as D
from weft.ops import shape as S

from .contract import Sample, one

rng = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return rng.uniform(low, high, shape)


def apart(*shape: int) -> np.ndarray:
    """Numbers no two of which are close, and none close to 0: kinks are not met by a small step."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2 + 0.3) * 0.37).reshape(shape)


X, Y, Z = normal(2, 3), normal(3), normal(2, 1)
A, B = apart(2, 3), apart(2, 3) + 0.11
POSITIVE, UNIT = between(0.2, 3.0, 2, 3), between(-0.9, 0.9, 2, 3)
INTEGERS = np.array([[-7, 5, 2], [3, -2, 11]])
TRUTH = np.array([[True, False, True], [False, False, True]])
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf])

ELEMENTWISE = [
    one(E.cast, X, like=lambda x: x.astype(np.float32), dtype=dt.float32, smooth=False),
    one(E.cast, X, like=lambda x: x, dtype=dt.float64),
    one(E.cast, INTEGERS, like=lambda x: x != 0, dtype=dt.bool_),
    one(E.detach, X, like=lambda x: x),
    one(E.add, X, Y, like=np.add),
    one(E.add, X, Z, like=np.add),
    one(E.add, TRUTH, TRUTH, like=np.add),
    one(E.subtract, X, Z, like=np.subtract),
    one(E.multiply, X, Y, like=np.multiply),
    one(E.divide, X, POSITIVE, like=np.divide),
    one(E.negative, X, like=np.negative),
    one(E.positive, X, like=np.positive),
    one(E.floor_divide, INTEGERS, 3, like=np.floor_divide),
    one(E.floor_divide, A, 0.7, like=np.floor_divide),
    one(E.remainder, INTEGERS, [3, -3, 4], like=np.remainder),
    one(E.remainder, A, POSITIVE[:, :1], like=np.remainder),
    one(E.reciprocal, POSITIVE, like=np.reciprocal),
    one(E.square, X, like=np.square),
    one(E.pow, POSITIVE, Y, like=np.power),
    one(E.pow, INTEGERS, [2, 0, 3], like=np.power),
    one(E.integer_pow, X, like=lambda x: x**3, exponent=3),
    one(E.integer_pow, POSITIVE, like=lambda x: x**-2, exponent=-2),
    one(E.exp, X, like=np.exp),
    one(E.expm1, X, like=np.expm1),
    one(E.exp2, X, like=np.exp2),
    one(E.log, POSITIVE, like=np.log),
    one(E.log1p, POSITIVE, like=np.log1p),
    one(E.log2, POSITIVE, like=np.log2),
    one(E.log10, POSITIVE, like=np.log10),
    one(E.sqrt, POSITIVE, like=np.sqrt),
    one(E.rsqrt, POSITIVE, like=lambda x: 1 / np.sqrt(x)),
    one(E.logaddexp, X, Y, like=np.logaddexp),
    one(E.hypot, X, Y, like=np.hypot),
    one(E.sin, X, like=np.sin),
    one(E.cos, X, like=np.cos),
    one(E.tan, UNIT, like=np.tan),
    one(E.asin, UNIT, like=np.arcsin),
    one(E.acos, UNIT, like=np.arccos),
    one(E.atan, X, like=np.arctan),
    one(E.atan2, X, POSITIVE, like=np.arctan2),
    one(E.sinh, X, like=np.sinh),
    one(E.cosh, X, like=np.cosh),
    one(E.tanh, X, like=np.tanh),
    one(E.asinh, X, like=np.arcsinh),
    one(E.acosh, POSITIVE + 1, like=np.arccosh),
    one(E.atanh, UNIT, like=np.arctanh),
    one(E.sigmoid, X, like=scipy.special.expit),
    one(E.relu, A, like=lambda x: np.maximum(x, 0)),
    one(E.softplus, X, like=lambda x: np.logaddexp(x, 0)),
    one(E.erf, X, like=scipy.special.erf),
    one(E.abs, A, like=np.abs),
    one(E.sign, A, like=np.sign),
    one(E.floor, A, like=np.floor),
    one(E.ceil, A, like=np.ceil),
    one(E.trunc, A, like=np.trunc),
    one(E.round, np.array([0.5, 1.5, -2.5, 1.2]), like=np.round),
    one(E.maximum, A, B, like=np.maximum),
    one(E.minimum, A, B, like=np.minimum),
    one(E.equal, X, X[:1], like=np.equal),
    one(E.not_equal, X, X[:1], like=np.not_equal),
    one(E.less, X, Y, like=np.less),
    one(E.less_equal, X, X[:1], like=np.less_equal),
    one(E.greater, X, Y, like=np.greater),
    one(E.greater_equal, X, X[:1], like=np.greater_equal),
    one(E.isnan, SPECIAL, like=np.isnan),
    one(E.isinf, SPECIAL, like=np.isinf),
    one(E.isfinite, SPECIAL, like=np.isfinite),
    one(E.logical_and, TRUTH, TRUTH[:1], like=np.logical_and),
    one(E.logical_or, TRUTH, TRUTH[:1], like=np.logical_or),
    one(E.logical_xor, TRUTH, TRUTH[:1], like=np.logical_xor),
    one(E.logical_not, TRUTH, like=np.logical_not),
    one(E.where, TRUTH, X, Y, like=np.where),
    one(E.clip, A, -0.35, 0.85, like=np.clip),
    one(E.clip, A, 0.5, -0.2, like=np.clip),
    one(E.bitwise_and, INTEGERS, 6, like=np.bitwise_and),
    one(E.bitwise_or, INTEGERS, 6, like=np.bitwise_or),
    one(E.bitwise_xor, TRUTH, TRUTH[:1], like=np.bitwise_xor),
    one(E.bitwise_invert, INTEGERS, like=np.invert),
    one(E.bitwise_left_shift, INTEGERS, [1, 2, 3], like=np.left_shift),
    one(E.bitwise_right_shift, INTEGERS, [1, 2, 3], like=np.right_shift),
    one(E.real, X + 1j * X[::-1], like=np.real),
    one(E.conj, X, like=np.conj),
    one(E.conj, X + 1j, like=np.conj),
    one(E.abs, X + 1j, like=np.abs),
    one(E.imag, X + 1j * X[::-1], like=np.imag),
]

TALL = normal(2, 3, 4)
REDUCTION = [
    one(D.sum_op, TALL, like=lambda x: x.sum((0, 2)), axis=(0, 2), keepdims=False),
    one(D.sum_op, TRUTH, like=lambda x: x.sum(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.mean_op, TALL, like=lambda x: x.mean(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.prod_op, TALL, like=lambda x: x.prod(2), axis=(2,), keepdims=False),
    one(D.prod_op, np.array([[0.0, 2.0, 3.0], [1.5, 2.0, 3.0]]), like=lambda x: x.prod(1), axis=(1,), keepdims=False),
    one(D.max_op, apart(2, 3, 4), like=lambda x: x.max((0, 2)), axis=(0, 2), keepdims=False),
    one(D.min_op, apart(2, 3, 4), like=lambda x: x.min(1, keepdims=True), axis=(1,), keepdims=True),
    one(D.logsumexp_op, TALL, like=lambda x: scipy.special.logsumexp(x, 2), axis=(2,), keepdims=False),
    one(D.any_op, TRUTH, like=lambda x: x.any(0), axis=(0,), keepdims=False),
    one(D.all_op, TRUTH, like=lambda x: x.all(1), axis=(1,), keepdims=False),
    one(D.any_op, X, like=lambda x: x.any(0), axis=(0,), keepdims=False),
    one(D.all_op, X, like=lambda x: x.all(1), axis=(1,), keepdims=False),
    one(D.argmax_op, TALL, like=lambda x: x.argmax(1, keepdims=True), axis=1, keepdims=True),
    one(D.argmin_op, TALL, like=lambda x: x.argmin(2), axis=2, keepdims=False),
    one(D.cumulative_sum_op, TALL, like=lambda x: x.cumsum(1), axis=1),
    one(D.argsort_op, TALL, like=lambda x: x.argsort(2), axis=2, descending=False),
    one(D.argsort_op, TALL, like=lambda x: (-x).argsort(1), axis=1, descending=True),
]

SHAPE = [
    one(S.reshape_op, TALL, like=lambda x: x.reshape(4, 6), shape=(4, -1)),
    one(S.broadcast_to_op, Z, like=lambda x: np.broadcast_to(x, (4, 2, 3)), shape=(4, 2, 3)),
    one(S.permute_op, TALL, like=lambda x: x.transpose(2, 0, 1), axes=(2, 0, 1)),
    one(S.concat_op, X, Z, X, like=lambda *xs: np.concatenate(xs, 1), axis=1),
    one(S.slice_op, TALL, like=lambda x: x[0:2, 2:3, 0:4:3], bounds=((0, 2, 1), (2, 3, 1), (0, 4, 3))),
    one(
        S.unslice_op,
        X,
        like=lambda x: _laid(np.zeros((4, 6)), np.s_[1:3, 0:5:2], x),
        bounds=((1, 3, 1), (0, 5, 2)),
        shape=(4, 6),
    ),
    one(S.pad_op, X, 0.5, like=lambda x, v: np.pad(x, ((1, 0), (2, 1)), constant_values=v), widths=((1, 0), (2, 1))),
    one(S.flip_op, TALL, like=lambda x: np.flip(x, (0, 2)), axis=(0, 2)),
    one(S.roll_op, TALL, like=lambda x: np.roll(x, (1, -2), (0, 2)), shift=(1, -2), axis=(0, 2)),
]


def _laid(into: np.ndarray, where: Any, x: np.ndarray) -> np.ndarray:
    into[where] = x
    return into


def _added(into: np.ndarray, where: Any, x: np.ndarray) -> np.ndarray:
    np.add.at(into, where, x)
    return into


ROWS = np.array([[2, 0], [1, 1]])
ALONG = np.array([[2, 0], [1, 1]])
INDEXING = [
    one(I.window_op, TALL, 1, 2, like=lambda x, i, j: x[i, :, j : j + 2], axes=(0, 2), sizes=(1, 2), drop=(0,)),
    one(
        I.place_op,
        normal(3, 2),
        1,
        2,
        like=lambda x, i, j: _laid(np.zeros((2, 3, 4)), np.s_[i, :, j : j + 2], x),
        axes=(0, 2),
        drop=(0,),
        shape=(2, 3, 4),
    ),
    one(I.gather_op, TALL, ROWS, like=lambda x, i: x[:, i], pattern=(False, True, False)),
    one(I.gather_op, TALL, [1, 0], [3, 3], like=lambda x, i, j: x[i, :, j], pattern=(True, False, True)),
    one(
        I.scatter_add_op,
        normal(2, 2, 2, 4),
        ROWS,
        like=lambda g, i: _added(np.zeros((2, 3, 4)), np.s_[:, i], g),
        pattern=(False, True, False),
        shape=(2, 3, 4),
    ),
    one(I.one_hot_op, ROWS, like=lambda i: np.eye(3)[i], classes=3, dtype=dt.float64),
    one(I.take_along_op, X, ALONG, like=lambda x, i: np.take_along_axis(x, i, 1), axis=1),
    one(
        I.put_along_op,
        normal(2, 2),
        ALONG,
        like=lambda g, i: _added(np.zeros((2, 3)), (np.arange(2)[:, None], i), g),
        axis=1,
        size=3,
    ),
    one(I.scatter_set_op, normal(3), [4, 0, 2], like=lambda x, i: _laid(np.zeros(6), i, x), size=6),
]

LINALG = [
    one(L.dot, X, normal(3, 4), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, TALL, normal(4, 5), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, TALL, normal(5, 3), like=lambda a, b: a.mT @ b.T, ta=True, tb=True),
    one(L.dot, X, normal(2, 3, 5), like=lambda a, b: a @ b, ta=False, tb=False),
    one(L.dot, normal(3, 2), normal(4, 1, 3, 5), like=lambda a, b: a.T @ b, ta=True, tb=False),
    one(L.dot, normal(4, 1, 2, 3), normal(5, 4, 3), like=lambda a, b: a @ b.mT, ta=False, tb=True),
    one(L.einsum_op, TALL, normal(4, 2), like=lambda a, b: np.einsum("bij,jk->bki", a, b), equation="bij,jk->bki"),
    one(L.einsum_op, TALL, like=lambda a: np.einsum("bij->j", a), equation="bij->j"),
    one(L.einsum_op, X, Y, normal(2), like=lambda *xs: np.einsum("ij,j,i->", *xs), equation="ij,j,i->"),
]

CREATION = [
    one(N.iota_op, like=lambda: np.arange(3)[None] + np.zeros((2, 1), int), shape=(2, 3), axis=1, dtype=dt.int64),
    one(N.full_op, 2.5, like=lambda v: np.full((2, 3), v), shape=(2, 3), dtype=dt.float64),
    one(N.triangle_op, TALL, like=lambda x: np.tril(x, 1), k=1, lower=True),
    one(N.triangle_op, TALL, like=lambda x: np.triu(x, -1), k=-1, lower=False),
]


def _conv(x: np.ndarray, w: np.ndarray, *, stride: Any, padding: Any, dilation: Any, groups: int) -> np.ndarray:
    """The definition, window by window."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    out = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride, strict=True)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    each, channels = w.shape[0] // groups, w.shape[1]
    for place in np.ndindex(*out):
        window = tuple(
            slice(p * s, p * s + span, d) for p, s, span, d in zip(place, stride, spans, dilation, strict=True)
        )
        for o in range(w.shape[0]):
            part = x[:, (o // each) * channels : (o // each + 1) * channels][:, :, *window]
            y[:, o, *place] = (part * w[o]).reshape(len(x), -1).sum(1)
    return y


def _transposed(f: Any, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """The transpose of the linear function ``f`` of arrays of ``shape``, from its values on a basis."""
    basis = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([(f(e) * g).sum() for e in basis]).reshape(shape)


def _convolutions(x_shape: tuple[int, ...], w_shape: tuple[int, ...], **window: Any) -> list[Sample]:
    x, w = normal(*x_shape), normal(*w_shape)
    g = normal(*_conv(x, w, **window).shape)
    return [
        one(V.conv, x, w, like=lambda x, w: _conv(x, w, **window), **window),
        one(
            V.conv_input_gradient,
            g,
            w,
            like=lambda g, w: _transposed(lambda x: _conv(x, w, **window), x_shape, g),
            spatial=x_shape[2:],
            **window,
        ),
        one(
            V.conv_kernel_gradient,
            x,
            g,
            like=lambda x, g: _transposed(lambda w: _conv(x, w, **window), w_shape, g),
            kernel=w_shape[2:],
            **window,
        ),
    ]


CONVOLUTION = [
    *_convolutions((3, 4, 7), (2, 4, 3), stride=(2,), padding=((1, 0),), dilation=(1,), groups=1),
    *_convolutions((2, 2, 5, 6), (4, 1, 2, 3), stride=(1, 2), padding=((1, 1), (0, 2)), dilation=(2, 1), groups=2),
    *_convolutions(
        (1, 1, 3, 4, 3),
        (2, 1, 2, 2, 1),
        stride=(1, 1, 2),
        padding=((0, 0), (1, 0), (0, 0)),
        dilation=(1, 2, 1),
        groups=1,
    ),
]


def _windows(x: np.ndarray, window: int, stride: int, padding: tuple[int, int], fill: float) -> np.ndarray:
    """The windows over the last axis, stacked on a new one."""
    x = np.pad(x, (*((0, 0) for _ in x.shape[1:]), padding), constant_values=fill)
    return np.stack([x[..., s : s + window] for s in range(0, x.shape[-1] - window + 1, stride)], -2)


def _chosen(c: np.ndarray, x: np.ndarray, *window: Any) -> np.ndarray:
    at = _windows(x, *window, -np.inf).argmax(-1)[..., None]
    return np.take_along_axis(_windows(c, *window, 0), at, -1)[..., 0]


def _poolings(size: int, *window: Any) -> list[Sample]:
    x, params = apart(2, size), {"axis": 1, "window": window[0], "stride": window[1], "padding": window[2]}
    g = normal(*_windows(x, *window, 0).shape[:-1])
    return [
        one(P.max_pool_op, x, like=lambda x: _windows(x, *window, -np.inf).max(-1), **params),
        one(
            P.max_unpool_op, g, x, like=lambda g, x: _transposed(lambda c: _chosen(c, x, *window), x.shape, g), **params
        ),
        one(P.max_choose_op, normal(2, size), x, like=lambda c, x: _chosen(c, x, *window), **params),
        one(P.sum_pool_op, x, like=lambda x: _windows(x, *window, 0).sum(-1), **params),
        one(
            P.sum_unpool_op,
            g,
            like=lambda g: _transposed(lambda x: _windows(x, *window, 0).sum(-1), x.shape, g),
            size=size,
            **params,
        ),
    ]


POOLING = [*_poolings(7, 2, 2, (0, 0)), *_poolings(6, 3, 1, (1, 1)), *_poolings(7, 2, 3, (1, 0))]

KEY = np.array([1, 2], np.uint32)
RANDOM = [
    one(R.fold_in, KEY, 5, like=lambda k: k.shape == (2,) and (k != KEY).any(), verify=True),
    one(
        R.uniform_op,
        KEY,
        like=lambda u: u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.02,
        verify=True,
        shape=(50, 100),
        dtype=dt.float32,
    ),
    one(
        R.normal_op,
        KEY,
        like=lambda z: abs(z.mean()) < 0.05 and abs(z.std() - 1) < 0.05,
        verify=True,
        shape=(50, 100),
        dtype=dt.float64,
    ),
    one(
        R.truncated_normal_op,
        KEY,
        np.float32(-1),
        np.float32(2),
        like=lambda z: z.min() >= -1 and z.max() <= 2 and 0.1 < z.mean() < 0.35,
        verify=True,
        shape=(50, 100),
        dtype=dt.float32,
    ),
    one(R.integers_op, KEY, -2, 5, like=lambda n: set(n.ravel()) == set(range(-2, 5)), verify=True, shape=(40, 40)),
    one(R.permutation_op, KEY, like=lambda p: sorted(p) == list(range(20)) != list(p), verify=True, n=20),
]


def _graph(body: Any, *shapes: tuple[int, ...]) -> Graph:
    return record("body", body, tuple(Spec(shape, dt.float64) for shape in shapes), {})[0]


STEP = _graph(lambda h, x, w: ((h * w).exp() * 0.5 + x, h * x), (2,), (2,), (2,))


def _scanned(h: np.ndarray, w: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = []
    for x in xs:
        kept.append(h * x)
        h = np.exp(h * w) * 0.5 + x
    return h, np.array(kept)


CONTROL = [
    one(
        C.scan_op,
        between(-0.5, 0.5, 2),
        between(-0.5, 0.5, 2),
        between(-0.5, 0.5, 3, 2),
        like=_scanned,
        body=STEP,
        carried=1,
        constants=1,
        length=3,
        reverse=False,
    ),
    one(
        C.while_op,
        1.0,
        1.3,
        like=lambda x, r: next(x * r**k for k in range(99) if x * r**k >= 10),
        condition=_graph(lambda x, r: x < 10, (), ()),
        body=_graph(lambda x, r: x * r, (), ()),
        carried=1,
    ),
    one(
        C.cond_op,
        True,
        X,
        Y,
        like=lambda c, x, y: x * y,
        yes=_graph(lambda x, y: x * y, (2, 3), (3,)),
        no=_graph(lambda x, y: (x + y).exp(), (2, 3), (3,)),
    ),
    one(
        C.cond_op,
        False,
        X,
        Y,
        like=lambda c, x, y: np.exp(x + y),
        yes=_graph(lambda x, y: x * y, (2, 3), (3,)),
        no=_graph(lambda x, y: (x + y).exp(), (2, 3), (3,)),
    ),
    one(
        C.call_op,
        X,
        Y,
        like=lambda x, y: x * np.exp(y),
        graph=_graph(lambda x, y: x * y.exp(), (2, 3), (3,)),
    ),
]

SAMPLES: list[Sample] = [
    *ELEMENTWISE,
    *REDUCTION,
    *SHAPE,
    *INDEXING,
    *LINALG,
    *CREATION,
    *CONVOLUTION,
    *POOLING,
    *RANDOM,
    *CONTROL,
]
