"""Products of matrices: matmul and einsum."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops.creation import eye
from weft.ops.engine import jnp
from weft.ops.rules import broadcast_shapes, normalize_axis
from weft.ops.shape import broadcast_to_op, expand_dims, matrix_transpose, moveaxis, reshape_op


def _sides(a: Spec, b: Spec, ta: bool, tb: bool) -> tuple[int, int, int, int]:
    (n, k), (j, m) = a.shape[-2:], b.shape[-2:]
    return (*((k, n) if ta else (n, k)), *((m, j) if tb else (j, m)))


def _dot(a: Spec, b: Spec, *, ta: bool, tb: bool) -> Spec:
    n, k, j, m = _sides(a, b, ta, tb)
    if k != j:
        raise ShapeError(
            f"matmul of shapes {a.shape}{' transposed' * ta} and {b.shape}{' transposed' * tb}: "
            f"the inner sizes {k} and {j} differ",
            expected="(…, n, k) @ (…, k, m)",
            cure="a.T, a.reshape(…), or a layer of the right size",
        )
    return Spec((*broadcast_shapes(a.shape[:-2], b.shape[:-2]), n, m), a.dtype)


def _dot_lower(a: Any, b: Any, *, ta: bool, tb: bool) -> Any:
    a = jnp.swapaxes(a, -1, -2) if ta else a
    b = jnp.swapaxes(b, -1, -2) if tb else b
    if b.ndim == 2 and a.ndim > 2:
        # One matrix product over all leading axes: XLA is slow on the CPU when they stay apart.
        flat = jnp.matmul(a.reshape(-1, a.shape[-1]), b)
        return flat.reshape(*a.shape[:-1], b.shape[-1])
    return jnp.matmul(a, b)


def _dot_vjp(g: Any, y: Any, a: Any, b: Any, *, ta: bool, tb: bool) -> tuple[Any, Any]:
    ga = dot(b, g, ta=tb, tb=True) if ta else dot(g, b, ta=False, tb=not tb)
    if b.ndim == 2 and a.ndim > 2 and not ta:
        a, g = (reshape_op(t, shape=(math.prod(t.shape[:-1]), t.shape[-1])) for t in (a, g))
    gb = dot(g, a, ta=True, tb=ta) if tb else dot(a, g, ta=not ta, tb=False)
    return ga, gb


dot = Op("dot", shape=_dot, lower=_dot_lower, vjp=_dot_vjp)  # (aᵀ if ta else a) @ (bᵀ if tb else b)


def matmul(a: Any, b: Any, /) -> Any:
    """The matrix product over the last two axes; leading axes broadcast, vectors are rows or columns.

    >>> import weft as wf
    >>> wf.matmul(wf.tensor([[1.0, 2.0]]), wf.tensor([3.0, 4.0])).tolist()
    [11.0]
    """
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul of shapes {a.shape} and {b.shape}", expected="at least one axis each", cure="a * b")
    if a.ndim > 1 and b.ndim > 1:
        return dot(a, b, ta=False, tb=False)
    left = expand_dims(a, axis=0) if a.ndim == 1 else a
    right = expand_dims(b, axis=1) if b.ndim == 1 else b
    result = dot(left, right, ta=False, tb=False)
    batch, n, m = result.shape[:-2], result.shape[-2], result.shape[-1]
    return reshape_op(result, shape=(*batch, *((n,) if a.ndim > 1 else ()), *((m,) if b.ndim > 1 else ())))


def outer(a: Any, b: Any, /) -> Any:
    """The products of every element of the vector ``a`` with every one of ``b``."""
    return expand_dims(a, axis=1) * expand_dims(b, axis=0)


def vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """The sum of products along ``axis``."""
    return (a * b).sum(axis=axis)


def tensordot(a: Any, b: Any, /, *, axes: Any = 2) -> Any:
    """The sum of products over several axes: the last ``axes`` of ``a`` with the first of ``b``, or two lists."""
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([normalize_axis(k, t.ndim) for k in names] for names, t in zip(axes, (a, b), strict=True))
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(f"tensordot of axis {i} of {a.shape} with axis {j} of {b.shape}", expected="equal sizes")
    outer_a = [n for k, n in enumerate(a.shape) if k not in left]
    outer_b = [n for k, n in enumerate(b.shape) if k not in right]
    inner = math.prod(a.shape[k] for k in left)
    first = reshape_op(
        moveaxis(a, tuple(left), tuple(range(-len(left), 0))) if left else a, shape=(math.prod(outer_a), inner)
    )
    second = reshape_op(
        moveaxis(b, tuple(right), tuple(range(len(right)))) if right else b, shape=(inner, math.prod(outer_b))
    )
    return reshape_op(dot(first, second, ta=False, tb=False), shape=(*outer_a, *outer_b))


# ── einsum ──────────────────────────────────────────────────────────────────────────────────────────────────


def _einsum(*xs: Spec, equation: str) -> Spec:
    inputs, output = equation.split("->")
    sizes = _label_sizes(inputs.split(","), [x.shape for x in xs], equation)
    return Spec(tuple(sizes[label] for label in output), xs[0].dtype)


def _label_sizes(terms: list[str], shapes: list[tuple[int, ...]], equation: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        if len(term) != len(shape):
            raise ShapeError(
                f"einsum {equation!r}: operand {position} of shape {shape} has {len(shape)} axes, not {len(term)}"
            )
        for label, n in zip(term, shape, strict=True):
            if sizes.setdefault(label, n) != n:
                raise ShapeError(f"einsum {equation!r}: {label!r} is {sizes[label]} and {n}", expected="one size")
    return sizes


def _einsum_vjp(g: Any, y: Any, *xs: Any, equation: str) -> tuple[Any, ...]:
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    grads = []
    for k, (term, x) in enumerate(zip(terms, xs, strict=True)):
        others = [(t, o) for j, (t, o) in enumerate(zip(terms, xs, strict=True)) if j != k]
        known = set(output).union(*(t for t, _ in others)) if others else set(output)
        kept = "".join(label for label in term if label in known)
        grad = einsum_op(g, *(o for _, o in others), equation=",".join([output, *(t for t, _ in others)]) + "->" + kept)
        for axis, label in enumerate(term):  # a label that only this operand had was summed
            if label not in known:
                grad = expand_dims(grad, axis=axis)
        grads.append(broadcast_to_op(grad, shape=x.shape))
    return tuple(grads)


einsum_op = Op(
    "einsum",
    shape=_einsum,
    lower=lambda *xs, equation: jnp.einsum(equation, *xs, optimize="optimal"),
    vjp=_einsum_vjp,
)


def einsum(equation: str, /, *xs: Any) -> Any:
    """Sums of products by Einstein's convention: labels that the result does not name are summed.

    ``"ij,jk->ik"`` is a matrix product, ``"ii->"`` the trace, ``"bij,bjk->bik"`` a batch of products; without
    ``->`` the result names, in order, the labels that occur once; ``...`` stands for axes that broadcast alike.

    >>> import weft as wf
    >>> wf.einsum("ij,j->i", wf.eye(2), wf.tensor([3.0, 4.0])).tolist()
    [3.0, 4.0]
    """
    terms, output = _parse(equation, [x.ndim for x in xs])
    operands = list(xs)
    free = iter(sorted(set(_LABELS) - set("".join(terms)) - set(output)))
    for k, term in enumerate(terms):
        fresh = ""
        for label in term:
            if label in fresh:  # a diagonal: multiply by the identity of two labels
                other = next(free)
                terms.append(label + other)
                operands.append(eye(operands[k].shape[len(fresh)], dtype=operands[k].dtype))
                label = other
            fresh += label
        terms[k] = fresh
    return einsum_op(*operands, equation=",".join(terms) + "->" + output)


_LABELS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _parse(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise ArgumentError(f"einsum {equation!r} names {len(terms)} operands and got {len(ranks)}")
    free = [label for label in reversed(_LABELS) if label not in equation]
    lengths = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    dots = "".join(free[: max([n for n, t in zip(lengths, terms, strict=True) if "..." in t], default=0)])
    terms = [t.replace("...", dots[len(dots) - n :] if n > 0 else "") for t, n in zip(terms, lengths, strict=True)]
    if not arrow:
        labels = "".join(terms)
        output = dots + "".join(
            sorted(label for label in set(labels) if labels.count(label) == 1 and label not in dots)
        )
    output = output.replace("...", dots)
    if bad := set(output) - set("".join(terms)) or {c for c in "".join(terms) + output if c not in _LABELS}:
        raise ArgumentError(
            f"einsum {equation!r}: the label {sorted(bad)[0]!r} is unknown", expected="letters of the operands"
        )
    return terms, output


def transpose(x: Any) -> Any:
    """``x.T``: rows become columns; a tensor with other than two axes is refused, as its meaning is ambiguous."""
    if x.ndim != 2:
        raise ShapeError(
            f".T of a tensor of shape {x.shape}", expected="two axes", cure="x.mT or wf.permute_dims(x, …)"
        )
    return matrix_transpose(x)
