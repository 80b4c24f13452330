"""Gradients of results that are there already, with respect to tensors that were tracked when they came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from weft.creation import zeros_like
from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError
from weft.graph.gradient import backpropagate, gradients_of_owners
from weft.graph.memory import backward_pass
from weft.graph.node import wrap
from weft.graph.recording import context, literal, whereabouts
from weft.graph.spec import scalar
from weft.graph.structure import flatten, unflatten
from weft.ops.conversion import conj
from weft.runtime.log import beside
from weft.tensor import Tensor, as_tensor


def gradients(y: Any, xs: Any, *, cotangents: Any = None, unused: str = "refuse") -> Any:
    """The gradients of ``y`` with respect to each tensor of ``xs``: expressions of the same graph.

    ``y`` is a tensor with one element, or any tensors with ``cotangents`` of their shapes: the result then is the
    vector-Jacobian product Σ cotangent · ∂y/∂x. ``xs`` is one tensor, or a list, tuple or dict of them; the result
    has its form, and each gradient the shape of its tensor. They can be printed, drawn, compiled and differentiated
    again. A tensor on which ``y`` does not depend is refused, or with ``unused="zeros"`` has the gradient 0. The
    gradient by a complex tensor points in the direction of steepest ascent: ∂y/∂a + i ∂y/∂b at a + ib.

    >>> import weft as wf
    >>> x = wf.tensor(3.0, requires_grad=True)
    >>> dx = wf.gradients(x**3, x)
    >>> float(dx), float(wf.gradients(dx, x))
    (27.0, 18.0)
    """
    if unused not in ("refuse", "zeros"):
        raise ArgumentError(f"gradients(…, unused={unused!r})", expected='"refuse" or "zeros"')
    if hasattr(xs, "parameters"):
        raise ArgumentError(
            f"a gradient with respect to {type(xs).__name__}",
            expected="a tensor, or a list or dict of tensors",
            cure="wf.gradients(loss, model.parameters())",
        )
    ys = list(y) if isinstance(y, Iterable) and not isinstance(y, Tensor) else [y]
    for each in ys:
        if not isinstance(each, Tensor):
            raise ArgumentError(
                f"the gradient of {type(each).__name__}",
                expected="a tensor, or a list of tensors with cotangents of their shapes",
                cure="wf.gradients(loss, xs), where loss is computed from the tensors xs",
            )
    if ys and (there := beside(ys[0].node)) is not context.recording:
        with context.set(recording=there):
            return gradients(ys, xs, cotangents=cotangents, unused=unused)
    xs = xs if isinstance(xs, Tensor | list | tuple | dict) else list(xs)
    wanted, form = flatten(xs)
    given = _cotangents(ys, cotangents)
    _check_wanted(xs, wanted)
    if not any(t.node.tracked for t in ys):
        raise untracked(ys[0])
    found = backpropagate(ys, given, [t.node for t in wanted])
    if unused == "zeros":
        found = [zeros_like(t) if g is None else g for g, t in zip(found, wanted, strict=True)]
    return unflatten(form, [conjugated(_or_refused(g, t, ys[0])) for g, t in zip(found, wanted, strict=True)])


def conjugated(g: Any) -> Any:
    """The conjugate of a complex cotangent: from the transposes of the rules to steepest ascent, and back."""
    return conj(g) if g.node.spec.dtype.kind == "complex" else g


def _cotangents(ys: Sequence[Tensor], cotangents: Any) -> list[Tensor]:
    if cotangents is None:
        return [one_for(y) for y in ys]
    given = [as_tensor(c) for c in (cotangents if isinstance(cotangents, list | tuple) else [cotangents])]
    if len(given) != len(ys):
        raise ArgumentError(f"{len(given)} cotangents for {len(ys)} results", expected="one for each")
    for y, c in zip(ys, given, strict=True):
        if c.shape != y.shape:
            raise ShapeError(f"a cotangent of shape {c.shape} for a result of shape {y.shape}", expected="equal shapes")
    return [conjugated(c.astype(y.dtype)) for y, c in zip(ys, given, strict=True)]


def one_for(y: Tensor) -> Tensor:
    if y.size != 1:
        raise GradientError(
            f"the gradient of a tensor of shape {y.shape}",
            expected="one element (a loss), or cotangents= for a vector-Jacobian product",
            where=y.node.place or None,
            cure="loss.mean(), or wf.gradients(y, xs, cotangents=wf.ones_like(y))",
        )
    if not y.dtype.is_floating:
        raise DTypeError(
            f"the gradient of a {y.dtype.name} tensor",
            expected="a real floating-point number, which can ascend",
            where=y.node.place or None,
            cure="y.real or wf.abs(y), or cotangents= for a vector-Jacobian product"
            if y.dtype.kind == "complex"
            else "a loss of floating-point numbers: integers have no derivative",
        )
    one = wrap(literal(1, scalar(y.dtype)))
    return one if y.ndim == 0 else one.broadcast_to(y.shape)


def _check_wanted(xs: Any, wanted: Sequence[Tensor]) -> None:
    if isinstance(xs, list | tuple) and len(wanted) < len(xs):
        wrong = next(x for x in xs if not isinstance(x, Tensor))
        raise ArgumentError(
            f"a gradient with respect to {type(wrong).__name__}", expected="a tensor, or a list or dict of tensors"
        )
    for position, x in enumerate(wanted):
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
                where=whereabouts(),
                cure="x = wf.tensor(…, requires_grad=True), or wf.grad(f)(x)",
            )


def _or_refused(g: Any, x: Tensor, y: Tensor) -> Any:
    if g is not None:
        return g
    raise GradientError(
        f"the result of shape {y.shape} does not depend on the tensor of shape {x.shape}",
        expected="a tensor from which the result was computed",
        where=whereabouts(),
        cure="compute the result from this very tensor: detach(), no_grad() and integer operations cut the path;\n"
        'wf.gradients(y, xs, unused="zeros") gives 0 for it',
    )


def untracked(y: Tensor) -> GradientError:
    return GradientError(
        "the gradient of a tensor that depends on nothing with requires_grad=True",
        expected="a result computed from a tracked tensor, outside of no_grad()",
        where=y.node.place or whereabouts(),
        cure="w = wf.tensor(…, requires_grad=True) before computing the result",
    )


def backward(y: Tensor, gradient: Any = None, *, create_graph: bool = False) -> None:
    """What `Tensor.backward` does: add the gradient of ``y`` to ``.grad`` of every tensor that requires one."""
    if not y.node.tracked:
        raise untracked(y)
    if (there := beside(y.node)) is not context.recording:
        with context.set(recording=there):
            return backward(y, gradient, create_graph=create_graph)
    (g,) = _cotangents([y], gradient)
    tracking, context.tracking = context.tracking, create_graph
    try:
        for owner, part in (gradients_of_owners if create_graph else backward_pass)(y, g, conjugated):
            before = owner.grad
            owner.grad = part if before is None else before + part
    finally:
        context.tracking = tracking
    return None


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
