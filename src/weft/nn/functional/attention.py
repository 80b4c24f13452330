"""Scaled dot-product attention: softmax(q kᵀ · scale) v, with masks, causality and shared heads.

On the CPU and the TPU it is these products as they stand; XLA joins the rest. On NVIDIA's GPUs, where cuDNN's fused
kernel computes the same (half precision, no mask but causality), that is used and no score is ever stored.
"""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import DType, float32
from weft.graph.function import Function, function
from weft.graph.lowering import lowering
from weft.graph.op import Casts, Kind, Op, floating
from weft.nn.check import fraction
from weft.nn.functional.dropout import dropout
from weft.ops.comparison import where
from weft.ops.conversion import detach
from weft.ops.creation import arange
from weft.ops.engine import jax, jnp
from weft.ops.exponential import exp
from weft.ops.linalg import dot
from weft.ops.rules import broadcast_shapes
from weft.random import key as next_key
from weft.tensor import Tensor, as_tensor

_INFINITY = float("inf")

# ── shares: the softmax, in which a row of nothing but masked scores is zeros ───────────────────────────────


@function
def _shares_gradient(g: Any, y: Any) -> Any:
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


@function(vjp=lambda g, y, x, *, masked: (_shares_gradient(g, y),))
def _shares(x: Any, *, masked: bool) -> Any:
    top = detach(x.max(axis=-1, keepdims=True))
    powers = exp(x - (where(top == -_INFINITY, 0, top) if masked else top))
    total = powers.sum(axis=-1, keepdims=True)
    return powers / (where(total == 0, 1, total) if masked else total)


# ── the products ────────────────────────────────────────────────────────────────────────────────────────────
# Operands: queries (…, heads, steps, features), keys and values (…, shared heads, other steps, features), the scale,
# then what there is of: a mask that broadcasts to (…, heads, steps, other steps), a dropout probability and its key.


def _takes(kinds: tuple[Kind, ...]) -> Casts:
    common = floating(kinds[:3])[0]
    assert isinstance(common, DType)
    if common.kind == "complex":
        raise DTypeError(f"attention of {common.name} tensors", expected="real numbers")
    wide = float32 if common.itemsize < 4 else common
    rest = (wide if kind is float or (isinstance(kind, DType) and kind.is_floating) else None for kind in kinds[3:])
    return (common, common, common, *rest)


def _grouped(x: Any, heads: int) -> Any:
    """Heads that share their keys as more rows of one: (…, heads · n, rows, k) as (…, heads, n · rows, k)."""
    if x.ndim < 3 or x.shape[-3] == heads:
        return x
    return x.reshape(*x.shape[:-3], heads, x.shape[-3] // heads * x.shape[-2], x.shape[-1])


def _scores(q: Any, k: Any, scale: Any, mask: tuple[Any, ...], causal: bool) -> Any:
    """The shares (…, heads, steps, other steps) that each step takes of the others."""
    heads = k.shape[-3] if k.ndim > 2 else 1
    scores = dot(_grouped(q * scale, heads), k, ta=False, tb=True).reshape(*q.shape[:-1], k.shape[-2])
    if mask:
        scores = scores + mask[0] if mask[0].dtype.is_floating else where(mask[0], scores, -_INFINITY)
    if causal:
        scores = where(causal_mask(*scores.shape[-2:]), scores, -_INFINITY)
    return _shares(scores, masked=bool(mask))


def _attend(
    q: Any, k: Any, v: Any, scale: Any, *rest: Any, causal: bool, masked: bool, dropped: bool, shares: bool
) -> Any:
    given = q.dtype
    q, k, v = (x.astype(scale.dtype) for x in (q, k, v))
    p = _scores(q, k, scale, rest[:1] if masked else (), causal)
    if dropped:
        p = dropout(p, *rest[-2:])
    heads = k.shape[-3] if k.ndim > 2 else 1
    y = dot(_grouped(p, heads), v, ta=False, tb=False).reshape(*q.shape[:-1], v.shape[-1]).astype(given)
    return (y, p.astype(given)) if shares else y


_rules = Function("attention", _attend)

# ── cuDNN's kernel ──────────────────────────────────────────────────────────────────────────────────────────


def _fused_applies(q: Any, k: Any, v: Any, rest: Any, causal: bool, shares: bool) -> bool:
    """Whether cuDNN's kernel computes exactly this; what it does less well for short rows stays with XLA."""
    if lowering.platform != "gpu" or rest or shares or q.ndim != 4:
        return False
    features, steps, others = q.shape[-1], q.shape[-2], k.shape[-2]
    return (
        q.dtype.itemsize == 2
        and features == v.shape[-1]
        and features % 8 == 0
        and features <= 128
        and steps % 64 == 0
        and others % 64 == 0
        and (steps == others or not causal)
        and _has_cudnn()
    )


def _has_cudnn() -> bool:
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:  # a GPU of another maker
        return False


def _fused(q: Any, k: Any, v: Any, scale: Any, causal: bool) -> Any:
    """The kernel wants (batch, steps, heads, features), and a scale that is part of the program."""
    q = (q * scale).astype(q.dtype)
    laid = (jnp.swapaxes(x, 1, 2) for x in (q, k, v))
    y = jax.nn.dot_product_attention(*laid, scale=1.0, is_causal=causal, implementation="cudnn")
    return jnp.swapaxes(y, 1, 2)


def _lower(q: Any, k: Any, v: Any, scale: Any, *rest: Any, **params: Any) -> Any:
    if _fused_applies(q, k, v, rest, params["causal"], params["shares"]):
        return _fused(q, k, v, scale, params["causal"])
    return _rules.lower(q, k, v, scale, *rest, **params)


def _gradient_lower(*operands: Any, wrt: tuple[bool, ...], given: tuple[bool, ...], params: Any) -> Any:
    """The gradient of whichever form was chosen for the value."""
    (q, k, v, scale), options = operands[:4], dict(params)
    rest = operands[4 : len(wrt)]
    if wrt[3] or not _fused_applies(q, k, v, rest, options["causal"], options["shares"]):
        return _rules.derivative.lower(*operands, wrt=wrt, given=given, params=params)
    _, back = jax.vjp(lambda q, k, v: _fused(q, k, v, scale, options["causal"]), q, k, v)
    found = tuple(g for g, wants in zip(back(operands[-1]), wrt, strict=False) if wants)
    return found if len(found) > 1 else found[0]


def _gradient_op() -> Op:
    plain = _rules.derivative
    return Op(
        plain.name,
        shape=plain.shape,
        lower=_gradient_lower,
        vjp=plain.vjp,
        takes=plain.takes,
        selective=plain.selective,
    )


def _attend_vjp(g: Any, _: Any, *operands: Any, needed: tuple[bool, ...], **params: Any) -> tuple[Any, ...]:
    """The gradient of the body, by an op that can be fused too."""
    parts = g if isinstance(g, tuple) else (g,)
    given = tuple(part is not None for part in parts)
    cotangents = [part for part in parts if part is not None]
    found = _attention_gradient_op(*operands, *cotangents, wrt=needed, given=given, params=tuple(params.items()))
    rest = iter(found if isinstance(found, tuple) else (found,))
    return tuple(next(rest) if wants else None for wants in needed)


_attention_gradient_op = _gradient_op()
attention_op = Op("attention", shape=_rules.shape, lower=_lower, vjp=_attend_vjp, takes=_takes, selective=True)

# ── what people call ────────────────────────────────────────────────────────────────────────────────────────


def causal_mask(steps: int, others: int | None = None) -> Any:
    """Where step i may look if it may only look at 0 … i: (steps, others), as many others as steps by default.

    >>> from weft.nn import functional as F
    >>> F.causal_mask(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return arange(steps if others is None else others) <= arange(steps).reshape(steps, 1)


def scaled_dot_product_attention(
    q: Any,
    k: Any,
    v: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = True,
) -> Tensor:
    """softmax(q kᵀ · scale + mask) v: each step's mean of the values, weighted by how its query meets the keys.

    Shapes: q (…, heads, steps, features), k (…, heads, others, features), v (…, heads, others, values); the result
    (…, heads, steps, values). k and v may have fewer heads, of which each serves as many heads of q in turn
    (grouped queries; refused with ``enable_gqa=False``). The scale is 1/√features unless it is given.
    ``attn_mask`` broadcasts to (…, heads, steps, others): truth values, true where a step may look, or numbers that
    are added to the scores. ``is_causal`` lets step i look at steps 0 … i of the others, and combines with a mask.
    A step that may look nowhere gets zeros, as do its gradients. Half precision is computed in float32 inside.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> q, v = wf.zeros((1, 2, 4)), wf.tensor([[[1.0], [3.0]]])
    >>> F.scaled_dot_product_attention(q, q, v).tolist()
    [[[2.0], [2.0]]]
    >>> F.scaled_dot_product_attention(q, q, v, is_causal=True).tolist()
    [[[1.0], [2.0]]]
    """
    y: Tensor = attend(q, k, v, attn_mask, dropout_p, is_causal, scale, enable_gqa=enable_gqa, shares=False)
    return y


def attend(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    dropout_p: float = 0.0,
    causal: bool = False,
    scale: float | None = None,
    *,
    enable_gqa: bool = True,
    shares: bool = False,
) -> Any:
    """`scaled_dot_product_attention`; with ``shares`` also the weights (…, heads, steps, others)."""
    fraction("scaled_dot_product_attention", dropout_p=dropout_p)
    q, k, v = _lined_up(as_tensor(q), as_tensor(k), as_tensor(v), enable_gqa)
    rest: list[Any] = []
    if mask is not None:
        rest.append(_mask(as_tensor(mask), (*q.shape[:-1], k.shape[-2])))
    if dropout_p:
        rest += [float(dropout_p), next_key()]
    number = 1 / math.sqrt(q.shape[-1] or 1) if scale is None else float(scale)
    return attention_op(
        *(q, k, v, number, *rest),
        causal=_switch(causal),
        masked=mask is not None,
        dropped=bool(dropout_p),
        shares=shares,
    )


def _lined_up(q: Any, k: Any, v: Any, enable_gqa: bool) -> tuple[Any, Any, Any]:
    """The operands with equal leading axes; only the heads of keys and values may be fewer."""
    shapes = f"q {q.shape}, k {k.shape}, v {v.shape}"
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ShapeError(f"attention of {shapes}", expected="(…, heads, steps, features), two axes at least")
    if q.shape[-1] != k.shape[-1]:
        raise ShapeError(
            f"attention of {shapes}: queries of {q.shape[-1]} features and keys of {k.shape[-1]}",
            expected="equal sizes of the last axis of q and k",
        )
    if k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"attention of {shapes}: {k.shape[-2]} keys and {v.shape[-2]} values", expected="a value for each key"
        )
    if k.shape[:-2] == v.shape[:-2] == q.shape[:-2]:
        return q, k, v
    heads = [x.shape[-3] if x.ndim > 2 else 1 for x in (q, k, v)]
    shared = max(heads[1:])
    if (heads[1] != heads[2] and 1 not in heads[1:]) or (heads[0] % shared and heads[0] != 1):
        raise ShapeError(
            f"attention of {shapes}: {heads[0]} heads of queries, {heads[1]} of keys, {heads[2]} of values",
            expected="as many heads of keys as of values, and a number that divides that of the queries",
        )
    if not enable_gqa and heads[0] != shared and 1 not in (heads[0], shared):
        raise ShapeError(
            f"attention of {shapes} with enable_gqa=False: heads {heads[0]} and {shared}", expected="equal numbers"
        )
    lead = broadcast_shapes(*(x.shape[:-3] for x in (q, k, v)))
    return tuple(_stretched(x, (*lead, n)) for x, n in zip((q, k, v), (max(heads), shared, shared), strict=True))


def _stretched(x: Any, lead: tuple[int, ...]) -> Any:
    return x if x.shape[:-2] == lead else x.broadcast_to((*lead, *x.shape[-2:]))


def _mask(mask: Any, scores: tuple[int, ...]) -> Any:
    if mask.dtype.is_integer or mask.dtype.kind == "complex":
        raise DTypeError(
            f"attention with a mask of {mask.dtype.name}",
            expected="truth values (true where a step may look), or floating-point numbers to add to the scores",
            cure="mask.astype(wf.bool)",
        )
    if len(mask.shape) > len(scores) or any(
        n not in (1, m) for n, m in zip(mask.shape[::-1], scores[::-1], strict=False)
    ):
        raise ShapeError(
            f"attention with a mask of shape {mask.shape} for scores of shape {scores}",
            expected="a mask that broadcasts to (…, heads, steps, others)",
            cure="mask[:, None, None, :] for a mask of (batch, others)" if mask.ndim == 2 else None,
        )
    return mask


def _switch(x: Any) -> bool:
    """A switch that decides what is compiled: a truth value of Python's."""
    if not isinstance(x, bool):
        raise ArgumentError(f"is_causal={x!r}", expected="True or False")
    return x
