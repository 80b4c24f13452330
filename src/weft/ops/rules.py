"""The shape rules that nearly all ops share, and the errors they raise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

from weft.errors import ArgumentError, AxisError, DTypeError, ShapeError
from weft.graph.dtype import DType, bool_
from weft.graph.spec import Spec

Axes = int | tuple[int, ...] | None
KINDS = {  # of data types: in words, and the usual one
    "bool": ("truth values", "bool"),
    "int": ("whole numbers", "int32"),
    "float": ("floating-point numbers", "float32"),
    "complex": ("complex numbers", "complex64"),
}


def same(x: Spec, **_: Any) -> Spec:
    """The result looks like the operand."""
    return x


def broadcast(*xs: Spec, **_: Any) -> Spec:
    """The operands' shapes, broadcast; their common type."""
    if len(xs) == 2 and xs[0].shape == xs[1].shape:
        return xs[0]
    return Spec(broadcast_shapes(*(x.shape for x in xs)), xs[-1].dtype)


def truth(*xs: Spec, **_: Any) -> Spec:
    """The operands' shapes, broadcast; a truth value for each element."""
    return Spec(broadcast_shapes(*(x.shape for x in xs)), bool_)


def refusing(*kinds: str, rule: Callable[..., Spec]) -> Callable[..., Spec]:
    """``rule``, for operands of every kind of data type but ``kinds``."""
    taken = [name for name in KINDS if name not in kinds]
    usual = KINDS["float" if "float" in taken else taken[-1]][1]

    def refuse(*xs: Spec, **params: Any) -> Spec:
        for x in xs:
            if x.dtype.kind in kinds:
                real = x.dtype.kind == "complex" and "float" in taken
                raise DTypeError(
                    f"this operation does not take {x.dtype.name} tensors",
                    expected=", ".join(KINDS[name][0] for name in taken),
                    cure="x.real or wf.abs(x)" if real else f"x.astype(wf.{usual})",
                )
        return rule(*xs, **params)

    return refuse


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which all ``shapes`` stretch: axes are aligned at the right and 1 stretches.

    >>> broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    rank = max(map(len, shapes), default=0)
    result = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            raise ShapeError(
                f"shapes {' and '.join(map(str, shapes))} do not broadcast: axis {axis} has sizes {sorted(sizes)}",
                expected="axes, counted from the right, that are equal or 1",
                cure="x.reshape(…) or wf.expand_dims(x, axis) to line the axes up",
            )
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def whole(n: Any, what: str) -> int:
    """``n`` as a Python integer; anything else is refused."""
    try:
        return index(n)
    except TypeError:
        raise DTypeError(f"{what} that is {n!r}", expected="a whole number") from None


def normalize_axis(axis: int, ndim: int) -> int:
    """``axis`` counted from the front; negative ones count from the back."""
    axis = whole(axis, "an axis")
    if not -ndim <= axis < ndim:
        raise AxisError(
            f"axis {axis} of a tensor with {ndim} axes",
            expected=f"{-ndim} ≤ axis < {ndim}" if ndim else "no axis: the tensor is a scalar",
        )
    return axis % ndim


def normalize_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """The axes that ``axis`` names, counted from the front; None names all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    result = tuple(normalize_axis(a, ndim) for a in axes)
    if len(set(result)) != len(result):
        raise ArgumentError(f"axis={axis} names an axis twice", expected="each axis once")
    return result


def reduced(shape: Sequence[int], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape that is left when ``axes`` are reduced."""
    if keepdims:
        return tuple(1 if k in axes else n for k, n in enumerate(shape))
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def reduction(to: Callable[[DType], DType] = lambda dtype: dtype) -> Callable[..., Spec]:
    """The rule of a reduction whose result has the type ``to(dtype)``."""

    def rule(x: Spec, *, axis: tuple[int, ...], keepdims: bool = False) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), to(x.dtype))

    return rule
