"""Whole Jacobians and Hessians: all rows, or all columns, in one vectorised pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, DTypeError, GradientError
from weft.graph.node import wrap
from weft.graph.recording import literal
from weft.graph.spec import scalar
from weft.graph.structure import unflatten
from weft.ops.creation import eye
from weft.ops.manipulation import moveaxis, reshape
from weft.tensor import Tensor
from weft.transforms.forward import pushed
from weft.transforms.mapping import vmap
from weft.transforms.reverse import Passed, argument_numbers, passed, pulled
from weft.transforms.structure import released

MODES = ("forward", "reverse")


def jacobian(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, mode: str | None = None
) -> Callable[..., Any]:
    """The function that gives the Jacobian of ``f``: J[i…, j…] = ∂y[i…]/∂x[j…], of shape y.shape + x.shape.

    ``mode`` is "reverse" (a pass back for each element of the result), "forward" (a pass forward for each element of
    the arguments) or None, which takes the one with fewer passes. All passes are one vectorised program. Where
    results or arguments are structures, the result is the structure of the results, with one of the arguments in
    the place of each tensor.

    >>> import weft as wf
    >>> jacobian(lambda x: wf.stack([x[0] * x[1], x[0] ** 2]))(wf.tensor([2.0, 3.0])).tolist()
    [[3.0, 2.0], [4.0, 0.0]]
    """
    if mode not in (None, *MODES):
        raise ArgumentError(f"mode={mode!r}", expected="'forward', 'reverse' or None")

    def jac(*args: Any, **kwargs: Any) -> Any:
        run = passed(f, args, argument_numbers(argnums, len(args)), kwargs)
        _check(run, mode)
        rows = (_by_columns if _goes_forward(run, mode) else _by_rows)(run)
        parts = [run.arguments(released(row, run.starts)) for row in rows]
        return unflatten(run.form, [part[0] if isinstance(argnums, int) else tuple(part) for part in parts])

    return jac


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives all second derivatives of ``f``: H[i…, j…] = ∂²f/∂x[i…]∂x[j…].

    Forward over reverse: the columns of the Jacobian of the gradient. For structures of arguments the result is
    one structure in the other; a function with a result of several elements has its axes in front.

    >>> import weft as wf
    >>> hessian(lambda x: x[0] ** 2 * x[1])(wf.tensor([2.0, 3.0])).tolist()
    [[6.0, 4.0], [4.0, 0.0]]
    """
    return jacobian(jacobian(f, argnums, mode="reverse"), argnums, mode="forward")


def _check(run: Passed, mode: str | None) -> None:
    for t in run.results:
        if not t.dtype.is_differentiable:
            raise DTypeError(
                f"the Jacobian of a {t.dtype.name} result",
                expected="floating-point results: integers have no derivative",
                where=t.node.place or None,
            )
    if any(x.dtype.kind == "complex" for x in run.starts):
        raise GradientError(
            "the Jacobian with respect to a complex argument, which is no single complex number an element",
            expected="real arguments",
            cure="jacobian(lambda a, b: f(a + 1j * b), argnums=(0, 1))(z.real, z.imag), or wf.jvp and wf.vjp",
        )
    if mode == "reverse" and any(y.dtype.kind == "complex" for y in run.results):
        raise GradientError(
            "the reverse-mode Jacobian of a complex result, of which a pass back gives the real part alone",
            expected="forward mode",
            cure="mode='forward'",
        )


def _goes_forward(run: Passed, mode: str | None) -> bool:
    if mode is not None:
        return mode == "forward"
    if any(y.dtype.kind == "complex" for y in run.results):
        return True
    return sum(x.size for x in run.starts) < sum(y.size for y in run.results)


def _by_rows(run: Passed) -> list[list[Any]]:
    """For each result, the Jacobian by each start: one pass back for every element of the result."""
    found = []
    for k, y in enumerate(run.results):

        def back(c: Any, k: int = k) -> list[Any]:
            return pulled(run, [c if j == k else None for j in range(len(run.results))])

        if y.size == 0 or not y.node.tracked:
            rows = [_zeros((y.size, *x.shape), x) for x in run.starts]
        elif y.size == 1:
            rows = back(_one(y))
        else:
            rows = vmap(back)(_basis(y))
        found.append([reshape(r, (*y.shape, *x.shape)) for r, x in zip(rows, run.starts, strict=True)])
    return found


def _by_columns(run: Passed) -> list[list[Any]]:
    """The same by columns: one pass forward for every element of the starts."""
    found: list[list[Any]] = [[] for _ in run.results]
    for k, x in enumerate(run.starts):

        def forth(t: Any, k: int = k) -> list[Any]:
            return pushed(run, [t if j == k else None for j in range(len(run.starts))])

        columns = vmap(forth)(_basis(x)) if x.size else [_zeros((0, *y.shape), y) for y in run.results]
        for row, c, y in zip(found, columns, run.results, strict=True):
            row.append(reshape(moveaxis(c, 0, -1), (*y.shape, *x.shape)))
    return found


def _basis(t: Tensor) -> Tensor:
    """The unit vectors of the space of ``t``, along a new first axis."""
    return reshape(eye(t.size, dtype=t.dtype), (t.size, *t.shape))


def _one(y: Tensor) -> Tensor:
    return wrap(literal(1, scalar(y.dtype))).broadcast_to(y.shape)


def _zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    return wrap(literal(0, scalar(like.dtype))).broadcast_to(shape)
