"""Products of vectors and matrices. einsum lives next door."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from weft.errors import ArgumentError, AxisError, ShapeError
from weft.graph.lowering import lowering
from weft.graph.op import Op, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.einsum import einsum as einsum
from weft.ops.einsum import einsum_op as einsum_op
from weft.ops.engine import jnp, lax
from weft.ops.matrices import check_numbers, conjugate, transposed
from weft.ops.reduction import sum_op
from weft.ops.rules import broadcast_shapes, normalize_axes
from weft.ops.shape import permute_op, reshape_op, roll_op

# ── the matrix product ──────────────────────────────────────────────────────────────────────────────────────


def _sides(a: Spec, b: Spec, ta: bool, tb: bool) -> tuple[int, int, int, int]:
    (n, k), (j, m) = a.shape[-2:], b.shape[-2:]
    return (*((k, n) if ta else (n, k)), *((m, j) if tb else (j, m)))


def _dot(a: Spec, b: Spec, *, ta: bool, tb: bool) -> Spec:
    check_numbers("matmul", a, b)
    n, k, j, m = _sides(a, b, ta, tb)
    if k != j:
        raise _unequal(f"{a.shape}{' transposed' * ta}", f"{b.shape}{' transposed' * tb}", k, j)
    return Spec((*broadcast_shapes(a.shape[:-2], b.shape[:-2]), n, m), a.dtype)


def _unequal(a: Any, b: Any, k: int, j: int) -> ShapeError:
    return ShapeError(
        f"matmul of shapes {a} and {b}: the inner sizes {k} and {j} differ",
        expected="(…, n, k) @ (…, k, m)",
        where=whereabouts(),
        cure="a.T, a.reshape(…), or a layer of the right size",
    )


_LARGE = 1 << 16  # elements of an operand that are worth copying


def _dot_lower(a: Any, b: Any, *, ta: bool, tb: bool) -> Any:
    if ta:
        a = jnp.swapaxes(a, -1, -2)
        if lowering.platform == "cpu" and not tb and not lowering.host and a.size >= _LARGE:
            # Laid out anew: XLA's product with a transposed left side, the gradient of every weight, is a third slower.
            a = lax.optimization_barrier(a)
    b = jnp.swapaxes(b, -1, -2) if tb else b
    if b.ndim == 2 and a.ndim > 2:
        # One matrix product over all leading axes: XLA is slow on the CPU when they stay apart.
        flat = jnp.matmul(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b)
        return flat.reshape(*a.shape[:-1], b.shape[-1])
    return jnp.matmul(a, b)


def _dot_vjp(g: Any, y: Any, a: Any, b: Any, *, ta: bool, tb: bool) -> tuple[Any, Any]:
    ga = dot(b, g, ta=tb, tb=True) if ta else dot(g, b, ta=False, tb=not tb)
    if b.ndim == 2 and a.ndim > 2 and not ta:
        a, g = (reshape_op(t, shape=(math.prod(t.shape[:-1]), t.shape[-1])) for t in (a, g))
    gb = dot(g, a, ta=True, tb=ta) if tb else dot(a, g, ta=not ta, tb=False)
    return ga, gb


dot = Op("dot", shape=_dot, lower=_dot_lower, vjp=_dot_vjp)  # (aᵀ if ta else a) @ (bᵀ if tb else b)


def matmul(x1: Any, x2: Any, /) -> Any:
    """The matrix product Σₖ x1[…, i, k] · x2[…, k, j]; leading axes broadcast, vectors are rows or columns.

    >>> import weft as wf
    >>> wf.matmul(wf.tensor([[1.0, 2.0]]), wf.tensor([3.0, 4.0])).tolist()
    [11.0]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    if a.ndim > 1 and b.ndim > 1:
        return dot(a, b, ta=False, tb=False)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            f"matmul of shapes {a.shape} and {b.shape}",
            expected="at least one axis each",
            where=whereabouts(),
            cure="a * b",
        )
    if a.shape[-1] != b.shape[max(b.ndim - 2, 0)]:
        raise _unequal(a.shape, b.shape, a.shape[-1], b.shape[max(b.ndim - 2, 0)])
    left = reshape_op(a, shape=(1, *a.shape)) if a.ndim == 1 else a
    right = reshape_op(b, shape=(*b.shape, 1)) if b.ndim == 1 else b
    result = dot(left, right, ta=False, tb=False)
    batch, n, m = result.shape[:-2], result.shape[-2], result.shape[-1]
    return reshape_op(result, shape=(*batch, *((n,) if a.ndim > 1 else ()), *((m,) if b.ndim > 1 else ())))


def transpose(x: Any) -> Any:
    """``x.T``: rows become columns; a tensor with other than two axes is refused, as its meaning is ambiguous."""
    if x.ndim != 2:
        raise ShapeError(
            f".T of a tensor of shape {x.shape}",
            expected="two axes",
            where=whereabouts(),
            cure="x.mT or wf.permute_dims(x, …)",
        )
    return transposed(x)


# ── products of vectors ─────────────────────────────────────────────────────────────────────────────────────


def outer(x1: Any, x2: Any, /) -> Any:
    """The products x1[i] · x2[j] of all elements of two vectors, as a matrix.

    >>> import weft as wf
    >>> wf.outer(wf.tensor([1, 2]), wf.tensor([3, 4])).tolist()
    [[3, 4], [6, 8]]
    """
    a, b = tensor_like(x1), tensor_like(x2)
    check_numbers("outer", a.node.spec, b.node.spec)
    if (a.ndim, b.ndim) != (1, 1):
        raise ShapeError(
            f"outer of shapes {a.shape} and {b.shape}",
            expected="two vectors, with one axis each",
            where=whereabouts(),
            cure="x1[…, :, None] * x2[…, None, :] for stacks of vectors",
        )
    return reshape_op(a, shape=(*a.shape, 1)) * reshape_op(b, shape=(1, *b.shape))


def _vectors(name: str, x1: Any, x2: Any, axis: int, size: int | None = None) -> tuple[Any, Any, int]:
    """Two stacks of vectors along ``axis``, which is counted from the end, where the shapes line up."""
    a, b = tensor_like(x1), tensor_like(x2)
    check_numbers(name, a.node.spec, b.node.spec)
    at, shared = index(axis), min(a.ndim, b.ndim)
    if at >= 0 and a.ndim == b.ndim:
        at -= a.ndim
    if not -shared <= at < 0:
        raise AxisError(
            f"{name} along axis {axis} of tensors of shapes {a.shape} and {b.shape}",
            expected=f"{-shared} ≤ axis < 0: shapes line up at the end" if shared else "at least one axis each",
            where=whereabouts(),
        )
    n, m = a.shape[at], b.shape[at]
    if n != m or size not in (None, n):
        raise ShapeError(
            f"{name} along axis {axis} of tensors of shapes {a.shape} and {b.shape}: the sizes there are {n} and {m}",
            expected="equal sizes, which do not broadcast" if size is None else f"{size} elements on both sides",
            where=whereabouts(),
        )
    return a, b, at


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The sum Σᵢ x̄1ᵢ · x2ᵢ along ``axis``, which counts from the end; the other axes broadcast.

    >>> import weft as wf
    >>> wf.vecdot(wf.tensor([1.0, 2.0]), wf.tensor([[3.0, 4.0], [5.0, 6.0]])).tolist()
    [11.0, 17.0]
    """
    a, b, at = _vectors("vecdot", x1, x2, axis)
    product = conjugate(a) * b
    total = sum_op(product, axis=(product.ndim + at,), keepdims=False)
    return total.astype(product.dtype)  # sums of integers are wide, products keep their type


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of three elements along ``axis``, which counts from the end.

    >>> from weft import linalg
    >>> linalg.cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    a, b, at = _vectors("cross", x1, x2, axis, size=3)

    def ahead(x: Any, steps: int) -> Any:
        return roll_op(x, shift=(-steps,), axis=(x.ndim + at,))

    return ahead(a, 1) * ahead(b, 2) - ahead(a, 2) * ahead(b, 1)


# ── products over several axes ──────────────────────────────────────────────────────────────────────────────


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """The sum of products over several axes: the last ``axes`` of x1 with the first of x2, or two lists of axes.

    The result has the other axes of x1, then those of x2.

    >>> import weft as wf
    >>> wf.tensordot(wf.ones((2, 3, 4)), wf.ones((4, 3, 5)), axes=((1, 2), (1, 0))).shape
    (2, 5)
    """
    a, b = tensor_like(x1), tensor_like(x2)
    left, right = _contracted(a, b, axes)
    kept_a = [k for k in range(a.ndim) if k not in left]
    kept_b = [k for k in range(b.ndim) if k not in right]
    outer_a, outer_b = [a.shape[k] for k in kept_a], [b.shape[k] for k in kept_b]
    inner = math.prod(a.shape[k] for k in left)
    first = reshape_op(permute_op(a, axes=(*kept_a, *left)), shape=(math.prod(outer_a), inner))
    second = reshape_op(permute_op(b, axes=(*right, *kept_b)), shape=(inner, math.prod(outer_b)))
    return reshape_op(dot(first, second, ta=False, tb=False), shape=(*outer_a, *outer_b))


def _contracted(a: Any, b: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of both tensors that are summed, in pairs."""
    check_numbers("tensordot", a.node.spec, b.node.spec)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ArgumentError(
                f"tensordot over {axes} axes of tensors of shapes {a.shape} and {b.shape}",
                expected=f"0 ≤ axes ≤ {min(a.ndim, b.ndim)}, or two lists of axes",
                where=whereabouts(),
            )
        left, right = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        first, second = axes
        left, right = normalize_axes(first, a.ndim), normalize_axes(second, b.ndim)
    if len(left) != len(right):
        raise ArgumentError(
            f"tensordot with axes={axes}: {len(left)} axes on the left, {len(right)} on the right",
            expected="as many on both sides",
            where=whereabouts(),
        )
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(
                f"tensordot of axis {i} of {a.shape} with axis {j} of {b.shape}: sizes {a.shape[i]} and {b.shape[j]}",
                expected="equal sizes",
                where=whereabouts(),
            )
    return left, right
