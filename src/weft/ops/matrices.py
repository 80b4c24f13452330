"""What functions of matrices share: what they take, adjoints, diagonals, and the convention of their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import DTypeError, ShapeError
from weft.graph.dtype import bfloat16, float16, float32
from weft.graph.dtype import dtype as data_type
from weft.graph.op import Casts, Kind, Op, alike, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.conversion import cast, conj, converted
from weft.ops.creation import eye
from weft.ops.engine import jnp
from weft.ops.reduction import sum_op
from weft.ops.shape import permute_op, reshape_op, slice_op

HALVES = (float16, bfloat16)

# ── what they take ──────────────────────────────────────────────────────────────────────────────────────────


def precise(kinds: tuple[Kind, ...]) -> Casts:
    """All operands promote to one type, of at least 32 bits: LAPACK has no narrower one."""
    common = alike(kinds)[0]
    return ((float32 if common in HALVES else common),) * len(kinds)


def narrowed(result: Any, *xs: Any) -> Any:
    """``result`` (or each of several) as a 16-bit type, if that is what the operands ``xs`` promote to."""
    common = alike(tuple(x.dtype for x in xs))[0]
    if common not in HALVES:
        return result
    return tuple(cast(y, dtype=common) for y in result) if isinstance(result, tuple) else cast(result, dtype=common)


def check_numbers(name: str, *xs: Spec) -> None:
    """Refuse truth values."""
    for x in xs:
        if x.dtype.kind == "bool":
            raise DTypeError(
                f"{name} of a bool tensor",
                expected="numbers",
                where=whereabouts(),
                cure="x.astype(wf.float32), or wf.int64",
            )


def check_floating(name: str, x: Spec) -> None:
    """Refuse what is neither floating nor complex."""
    if not x.dtype.is_differentiable:
        raise DTypeError(
            f"{name} of a {x.dtype.name} tensor",
            expected="floating-point or complex numbers",
            where=whereabouts(),
            cure="x.astype(wf.float32)",
        )


def check_matrix(name: str, x: Spec, *, square: bool = False) -> None:
    """Refuse what is not a matrix of floating-point numbers, or a stack of them."""
    check_floating(name, x)
    if x.ndim < 2:
        raise ShapeError(
            f"{name} of a tensor of shape {x.shape}, which has {x.ndim} axes",
            expected="a matrix or a stack of them: " + ("(…, n, n)" if square else "(…, m, n)"),
            where=whereabouts(),
            cure="wf.expand_dims(x, axis=…), or x.reshape(…)",
        )
    if square and x.shape[-2] != x.shape[-1]:
        raise ShapeError(
            f"{name} of matrices of {x.shape[-2]} rows and {x.shape[-1]} columns (shape {x.shape})",
            expected="square matrices: the last two axes of one size",
            where=whereabouts(),
            cure="x.mT @ x, or wf.linalg.pinv, lstsq, svd or qr, which take any matrix",
        )


def square_to(name: str, *drop: int) -> Callable[..., Any]:
    """The rule of an op of square matrices: for each result, how many of the last two axes it lacks."""

    def rule(x: Spec, **_: Any) -> Any:
        check_matrix(name, x, square=True)
        specs = tuple(Spec(x.shape[: x.ndim - n], x.dtype) for n in drop)
        return specs if len(specs) > 1 else specs[0]

    return rule


# ── notation of the rules ───────────────────────────────────────────────────────────────────────────────────


def conjugate(x: Any) -> Any:
    """x̄; nothing is recorded for real numbers."""
    return conj(x) if x.node.spec.dtype.kind == "complex" else x


def transposed(x: Any) -> Any:
    """xᵀ of the last two axes."""
    return permute_op(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def adjoint(x: Any) -> Any:
    """xᴴ, the conjugate transpose."""
    return conjugate(transposed(x))


def as_row(x: Any) -> Any:
    """The last axis as a row: multiplies or divides the columns of a matrix."""
    return reshape_op(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def as_column(x: Any) -> Any:
    """The last axis as a column: multiplies or divides the rows of a matrix."""
    return reshape_op(x, shape=(*x.shape, 1))


def as_scalar(x: Any) -> Any:
    """Numbers with two axes of size 1: they multiply whole matrices."""
    return reshape_op(x, shape=(*x.shape, 1, 1))


def columns(x: Any, start: int, stop: int) -> Any:
    """The columns from ``start`` up to ``stop`` of matrices."""
    return slice_op(x, bounds=(*((0, n, 1) for n in x.shape[:-1]), (start, stop, 1)))


def identity_mask(n: int) -> Any:
    """True on the diagonal of an n × n matrix."""
    return eye(n, dtype="bool")


def textbook(rule: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """A rule as papers write it, for the pairing Re tr(Gᴴ dX); the walker's own pairing has no conjugate."""

    def vjp(g: Any, y: Any, *inputs: Any, **params: Any) -> tuple[Any, ...]:
        several = isinstance(g, tuple)
        adjoints = tuple(None if part is None else conjugate(part) for part in g) if several else conjugate(g)
        found = rule(adjoints, y, *inputs, **params)
        return tuple(None if part is None else conjugate(part) for part in found)

    return vjp


# ── diagonals ───────────────────────────────────────────────────────────────────────────────────────────────


def _diagonal(x: Spec, *, offset: int) -> Spec:
    if x.ndim < 2:
        raise ShapeError(
            f"diagonal of a tensor of shape {x.shape}", expected="a matrix or a stack of them", where=whereabouts()
        )
    rows, columns = x.shape[-2:]
    size = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    return Spec((*x.shape[:-2], size), x.dtype)


def _lay_lower(x: Any, *, offset: int, shape: tuple[int, int]) -> Any:
    at = jnp.arange(x.shape[-1])
    return jnp.zeros((*x.shape[:-1], *shape), x.dtype).at[..., at - min(offset, 0), at + max(offset, 0)].set(x)


diagonal_op: Op = Op(
    "diagonal",
    shape=_diagonal,
    lower=lambda x, *, offset: jnp.diagonal(x, offset, -2, -1),
    vjp=lambda g, y, x, *, offset: (lay_diagonal_op(g, offset=offset, shape=x.shape[-2:]),),
)
lay_diagonal_op: Op = Op(  # the transpose of diagonal: matrices of ``shape`` that are 0 but there
    "lay_diagonal",
    shape=lambda x, *, offset, shape: Spec((*x.shape[:-1], *shape), x.dtype),
    lower=_lay_lower,
    vjp=lambda g, y, x, *, offset, shape: (diagonal_op(g, offset=offset),),
)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The elements x[…, i, i + offset] of matrices; a negative ``offset`` is below the main diagonal.

    >>> from weft import linalg
    >>> linalg.diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    return diagonal_op(tensor_like(x), offset=offset)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum Σᵢ x[…, i, i + offset] of a diagonal, in the type ``dtype``; integers sum in 64 bits by default.

    >>> from weft import linalg
    >>> int(linalg.trace([[1, 2], [3, 4]]))
    5
    """
    x = tensor_like(x)
    check_numbers("trace", x.node.spec)
    to = None if dtype is None else data_type(dtype)
    line = diagonal_op(x if to is None else converted(x, to), offset=offset)
    total = sum_op(line, axis=(line.ndim - 1,), keepdims=False)
    return total if to is None else total.astype(to)


def diag(x: Any, /, *, k: int = 0) -> Any:
    """A matrix with the vector ``x`` on its ``k``-th diagonal and 0 elsewhere; of a matrix, that diagonal.

    >>> import weft as wf
    >>> from weft.ops.matrices import diag
    >>> diag(wf.tensor([1, 2])).tolist(), diag(wf.tensor([[1, 2], [3, 4]]), k=1).tolist()
    ([[1, 0], [0, 2]], [2])
    """
    x = tensor_like(x)
    if x.ndim not in (1, 2):
        raise ShapeError(
            f"diag of a tensor of shape {x.shape}",
            expected="a vector or a matrix",
            where=whereabouts(),
            cure="diag_embed",
        )
    return diagonal_op(x, offset=k) if x.ndim == 2 else diag_embed(x, offset=k)


def diag_embed(x: Any, /, *, offset: int = 0) -> Any:
    """Matrices with the last axis of ``x`` on their diagonals, 0 elsewhere: the reverse of `diagonal`.

    >>> import weft as wf
    >>> from weft.ops.matrices import diag_embed
    >>> diag_embed(wf.tensor([[1, 2]])).shape
    (1, 2, 2)
    """
    x = tensor_like(x)
    if not x.ndim:
        raise ShapeError("diag_embed of a tensor without axes", expected="at least one axis", where=whereabouts())
    n = x.shape[-1] + abs(offset)
    return lay_diagonal_op(x, offset=offset, shape=(n, n))
