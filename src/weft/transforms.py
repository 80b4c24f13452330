"""Gradients, as people ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError
from weft.graph.gradient import backpropagate, gradients_of_owners
from weft.graph.memory import backward_pass
from weft.graph.node import wrap
from weft.graph.recording import context, literal
from weft.graph.source import Source, user_source
from weft.tensor import Tensor, as_tensor


def gradients(y: Any, xs: Any, *, cotangents: Any = None) -> Any:
    """The gradients of ``y`` with respect to each tensor of ``xs``: expressions of the same graph.

    ``y`` is a tensor with one element, or any tensors with ``cotangents`` of their shapes: the result then is the
    vector-Jacobian product Σ cotangent · ∂y/∂x. ``xs`` is one tensor or a list; the result has its form, and each
    gradient the shape of its tensor. They can be printed, drawn, compiled and differentiated again.

    >>> import weft as wf
    >>> x = wf.tensor(3.0, requires_grad=True)
    >>> dx = wf.gradients(x**3, x)
    >>> float(dx), float(wf.gradients(dx, x))
    (27.0, 18.0)
    """
    ys = [y] if isinstance(y, Tensor) else list(y)
    one = isinstance(xs, Tensor)
    wanted = [xs] if one else list(xs)
    given = _cotangents(ys, cotangents)
    _check_wanted(wanted)
    if not any(t.node.tracked for t in ys):
        raise untracked(ys[0])
    found = backpropagate(ys, given, [t.node for t in wanted])
    result = [_or_zero(g, t, ys[0]) for g, t in zip(found, wanted, strict=True)]
    return result[0] if one else result


def _cotangents(ys: Sequence[Tensor], cotangents: Any) -> list[Tensor]:
    if cotangents is None:
        return [_one_for(y) for y in ys]
    given = [as_tensor(c) for c in (cotangents if isinstance(cotangents, list | tuple) else [cotangents])]
    for y, c in zip(ys, given, strict=True):
        if c.shape != y.shape:
            raise ShapeError(f"a cotangent of shape {c.shape} for a result of shape {y.shape}", expected="equal shapes")
    return [c.astype(y.dtype) for y, c in zip(ys, given, strict=True)]


def _one_for(y: Tensor) -> Tensor:
    if y.size != 1:
        raise GradientError(
            f"the gradient of a tensor of shape {y.shape}",
            expected="one element (a loss), or cotangents= for a vector-Jacobian product",
            where=y.node.place or None,
            cure="loss.mean(), or wf.gradients(y, xs, cotangents=wf.ones_like(y))",
        )
    if not y.dtype.is_differentiable:
        raise DTypeError(f"the gradient of a {y.dtype.name} tensor", expected="floating-point numbers")
    one = wrap(literal(1, y.dtype))
    return one if y.ndim == 0 else one.broadcast_to(y.shape)


def _check_wanted(wanted: Sequence[Tensor]) -> None:
    for position, x in enumerate(wanted):
        if not isinstance(x, Tensor):
            raise ArgumentError(
                f"a gradient with respect to {type(x).__name__}", expected="a tensor or a list of tensors"
            )
        if not x.dtype.is_differentiable:
            raise DTypeError(
                f"a gradient with respect to a {x.dtype.name} tensor (number {position} of the list)",
                expected="floating-point numbers: integers have no derivative",
                cure="x.astype(wf.float32)",
            )
        if not x.node.tracked:
            raise GradientError(
                f"a gradient with respect to an untracked tensor (number {position} of the list, shape {x.shape})",
                expected="a tensor made with requires_grad=True before the computation, or one computed from such",
                where=str(Source(*user_source())),
                cure="x = wf.tensor(…, requires_grad=True), or wf.grad(f)(x)",
            )


def _or_zero(g: Any, x: Tensor, y: Tensor) -> Any:
    if g is not None:
        return g
    raise GradientError(
        f"the result of shape {y.shape} does not depend on the tensor of shape {x.shape}",
        expected="a tensor from which the result was computed",
        where=str(Source(*user_source())),
        cure="compute the result from this very tensor: detach(), no_grad() and integer operations cut the path",
    )


def untracked(y: Tensor) -> GradientError:
    return GradientError(
        "the gradient of a tensor that depends on nothing with requires_grad=True",
        expected="a result computed from a tracked tensor, outside of no_grad()",
        where=y.node.place or str(Source(*user_source())),
        cure="w = wf.tensor(…, requires_grad=True) before computing the result",
    )


def backward(y: Tensor, gradient: Any = None, *, create_graph: bool = False) -> None:
    """What `Tensor.backward` does: add the gradient of ``y`` to ``.grad`` of every tensor that requires one."""
    if not y.node.tracked:
        raise untracked(y)
    (g,) = _cotangents([y], gradient)
    tracking, context.tracking = context.tracking, create_graph
    try:
        for owner, part in gradients_of_owners(y, g) if create_graph else backward_pass(y, g, lambda part: part):
            before = owner.grad
            owner.grad = part if before is None else before + part
    finally:
        context.tracking = tracking


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives both ``f(*args)`` and its gradient with respect to the arguments ``argnums``.

    >>> import weft as wf
    >>> value, slope = wf.value_and_grad(lambda x: x * x)(wf.tensor(3.0))
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        tracked = list(args)
        for k in numbers:
            tracked[k] = as_tracked(args[k])
        with context.set(tracking=True):
            value = f(*tracked, **kwargs)
        found = gradients(value, [tracked[k] for k in numbers])
        return value, found[0] if isinstance(argnums, int) else tuple(found)

    return both


def as_tracked(x: Any) -> Tensor:
    """``x`` as the start of a history, still connected to the history that it may have itself."""
    t = as_tensor(x)
    if not t.dtype.is_differentiable and isinstance(x, int):
        t = t.astype("float32")
    if not t.dtype.is_differentiable:
        raise DTypeError(
            f"a gradient with respect to a {t.dtype.name} argument",
            expected="floating-point numbers",
            cure="x.astype(wf.float32)",
        )
    return t if t.node.tracked else wrap(context.recording.alias(t, tracked=True))


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The gradient of the function ``f``, as a function; apply it again for higher derivatives.

    >>> import weft as wf
    >>> float(wf.grad(wf.grad(wf.sin))(wf.tensor(0.5)) + wf.sin(wf.tensor(0.5)))
    0.0
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


@contextmanager
def no_grad() -> Iterator[None]:
    """Nothing of the block is remembered for gradients.

    >>> import weft as wf
    >>> w = wf.tensor(2.0, requires_grad=True)
    >>> with wf.no_grad():
    ...     y = w * w
    >>> y.node.tracked
    False
    """
    with context.set(tracking=False):
        yield
