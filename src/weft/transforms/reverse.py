"""Reverse mode, as people ask for it: gradients of results, of functions, and vector–Jacobian products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError
from weft.graph.function import zero_like
from weft.graph.gradient import backpropagate, gradients_of_owners
from weft.graph.memory import backward_pass
from weft.graph.node import wrap
from weft.graph.recording import context, literal
from weft.graph.source import Source, user_source
from weft.graph.structure import flatten, unflatten
from weft.ops.elementwise import conj
from weft.tensor import Tensor, as_tensor
from weft.transforms.structure import Form, aligned, as_tracked, fitting, leaves_of, released, tensors


def gradients(y: Any, xs: Any, *, cotangents: Any = None) -> Any:
    """The gradients of ``y`` with respect to each tensor of ``xs``: expressions of the same graph.

    ``y`` is a tensor with one element, or any tensors with ``cotangents`` of their shapes: the result then is the
    vector-Jacobian product Σ cotangent · ∂y/∂x. ``xs`` is one tensor, or a list, tuple or dict of them; the result
    has its form, and each gradient the shape of its tensor. They can be printed, drawn, compiled and differentiated
    again. The gradient by a complex tensor points in the direction of steepest ascent: ∂y/∂a + i ∂y/∂b at a + ib.

    >>> import weft as wf
    >>> x = wf.tensor(3.0, requires_grad=True)
    >>> dx = wf.gradients(x**3, x)
    >>> float(dx), float(wf.gradients(dx, x))
    (27.0, 18.0)
    """
    ys = [y] if isinstance(y, Tensor) else list(y)
    xs = xs if isinstance(xs, Tensor | list | tuple | dict) else list(xs)
    wanted, form = flatten(xs)
    given = _cotangents(ys, cotangents)
    _check_wanted(xs, wanted)
    if not any(t.node.tracked for t in ys):
        raise untracked(ys[0])
    found = backpropagate(ys, given, [t.node for t in wanted])
    return unflatten(form, [conjugated(_or_refused(g, t, ys[0])) for g, t in zip(found, wanted, strict=True)])


def conjugated(g: Any) -> Any:
    """The conjugate of a complex cotangent: between the transposes of the rules and the direction of steepest ascent."""
    return conj(g) if g.node.spec.dtype.kind == "complex" else g


def _cotangents(ys: Sequence[Tensor], cotangents: Any) -> list[Tensor]:
    if cotangents is None:
        return [_one_for(y) for y in ys]
    given = [as_tensor(c) for c in (cotangents if isinstance(cotangents, list | tuple) else [cotangents])]
    if len(given) != len(ys):
        raise ArgumentError(f"{len(given)} cotangents for {len(ys)} results", expected="one for each")
    for y, c in zip(ys, given, strict=True):
        if c.shape != y.shape:
            raise ShapeError(f"a cotangent of shape {c.shape} for a result of shape {y.shape}", expected="equal shapes")
    return [conjugated(c.astype(y.dtype)) for y, c in zip(ys, given, strict=True)]


def _one_for(y: Tensor) -> Tensor:
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
    one = wrap(literal(1, y.dtype))
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
                where=str(Source(*user_source())),
                cure="x = wf.tensor(…, requires_grad=True), or wf.grad(f)(x)",
            )


def _or_refused(g: Any, x: Tensor, y: Tensor) -> Any:
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
        for owner, part in (gradients_of_owners if create_graph else backward_pass)(y, g, conjugated):
            before = owner.grad
            owner.grad = part if before is None else before + part
    finally:
        context.tracking = tracking


# ── of functions ────────────────────────────────────────────────────────────────────────────────────────────


class Passed(NamedTuple):
    """A function applied to tracked arguments: where its history starts, and what it gave."""

    starts: list[Tensor]  # the tracked tensors of the arguments
    places: list[tuple[Form, list[int | None]]]  # for each chosen argument its form, and which start each leaf is
    results: list[Tensor]
    form: Form

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """A value for each start, in the structure of each argument; None for what is not differentiable."""
        return [unflatten(form, [None if k is None else values[k] for k in at]) for form, at in self.places]


def passed(
    f: Callable[..., Any], args: Sequence[Any], numbers: Sequence[int] | None = None, kwargs: Any = None
) -> Passed:
    """Apply ``f`` with the arguments ``numbers`` tracked, or with whatever of all arguments can be."""
    chosen, starts, places = list(args), [], []
    for k in range(len(args)) if numbers is None else numbers:
        value = as_tracked(args[k]) if numbers is not None and isinstance(args[k], int) else tensors(args[k])
        leaves, form = flatten(value)
        if numbers is not None:
            leaves_of(value, f"argument {k}")
        at: list[int | None] = []
        for n, t in enumerate(leaves):
            if numbers is None and not t.dtype.is_differentiable:
                at.append(None)
                continue
            at.append(len(starts))
            leaves[n] = as_tracked(t)
            starts.append(leaves[n])
        chosen[k] = unflatten(form, leaves)
        places.append((form, at))
    with context.set(tracking=True):
        value = f(*chosen, **(kwargs or {}))
    results, form = leaves_of(value, "the result of the function")
    return Passed(starts, places, results, form)


def pulled(run: Passed, cotangents: Sequence[Any]) -> list[Any]:
    """The gradients at the starts for the given cotangents of the results; zeros where nothing depends."""
    pairs = [
        (y, conjugated(c)) for y, c in zip(run.results, cotangents, strict=True) if c is not None and y.node.tracked
    ]
    nodes = [x.node for x in run.starts]
    found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], nodes) if pairs else [None] * len(nodes)
    return [zero_like(node) if g is None else conjugated(g) for g, node in zip(found, nodes, strict=True)]


def argument_numbers(argnums: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    """The positions of the arguments that ``argnums`` names, counted from the front."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for k in numbers:
        if not -count <= k < count:
            raise ArgumentError(
                f"argnums={argnums} in a call with {count} positional arguments", expected=f"numbers below {count}"
            )
    return tuple(k % count for k in numbers)


def value_and_grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives both ``f(*args)`` and its gradient with respect to the arguments ``argnums``.

    An argument is a tensor, or a tuple, list or dict of tensors; its gradient has its structure, and is zero where
    ``f`` does not depend on it. With ``has_aux``, ``f`` returns (value, anything else), and so does the function.

    >>> import weft as wf
    >>> value, slope = wf.value_and_grad(lambda x: x * x)(wf.tensor(3.0))
    >>> float(value), float(slope)
    (9.0, 6.0)
    """

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        extra: list[Any] = []

        def loss(*args: Any, **kwargs: Any) -> Any:
            made = f(*args, **kwargs)
            return _loss(*_with_aux(made, extra)) if has_aux else _loss(made)

        run = passed(loss, args, argument_numbers(argnums, len(args)), kwargs)
        aux, form = flatten(extra)
        found = pulled(run, [_one_for(run.results[0])])
        value, *rest = released([*run.results, *aux, *found], run.starts)
        parts = run.arguments(rest[len(aux) :])
        slopes = parts[0] if isinstance(argnums, int) else tuple(parts)
        return ((value, *unflatten(form, rest[: len(aux)])) if has_aux else value), slopes

    return both


def _with_aux(made: Any, extra: list[Any]) -> tuple[Any]:
    """The value of a function that also returns something else, which goes to ``extra``."""
    if not isinstance(made, tuple) or len(made) != 2:
        raise ArgumentError("has_aux=True for a function that returned no pair", expected="return value, aux")
    extra.append(made[1])
    return made[:1]


def _loss(made: Any) -> Any:
    if not isinstance(made, Tensor | float):
        raise ArgumentError(
            f"the gradient of a function that returned {type(made).__name__}",
            expected="one tensor with one element",
            cure="has_aux=True where f returns (loss, anything else); wf.vjp or wf.jacobian for several results",
        )
    return made


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of the function ``f``, as a function; apply it again for higher derivatives.

    With ``has_aux``, ``f`` returns (value, aux) and the function (gradient, aux).

    >>> import weft as wf
    >>> float(wf.grad(wf.grad(wf.sin))(wf.tensor(0.5)) + wf.sin(wf.tensor(0.5)))
    0.0
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    def slope(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return slope


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[..., Any]]:
    """``f(*args)``, and its pullback: the function u ↦ uᵀ J from cotangents of the result to those of the arguments.

    The cotangent has the structure of the result (None: zero; nothing at all: 1 for a single number). The pullback
    gives the gradient of the one argument, or a tuple with one for each; it may be called more than once.

    >>> import weft as wf
    >>> from weft.transforms import vjp
    >>> y, pullback = vjp(lambda x: x * x, wf.tensor([1.0, 2.0]))
    >>> pullback(wf.tensor([1.0, 10.0])).tolist()
    [2.0, 40.0]
    """
    run = passed(f, args)
    if not run.starts:
        raise DTypeError("vjp of a function without a floating-point argument", cure="x.astype(wf.float32)")

    def pullback(cotangent: Any = None) -> Any:
        if cotangent is None:
            given = [_one_for(y) for y in run.results]
        else:
            given = fitting(aligned(run.form, cotangent, "the cotangent"), run.results, "a cotangent")
        parts = run.arguments(released(pulled(run, given), run.starts))
        return parts[0] if len(parts) == 1 else tuple(parts)

    return unflatten(run.form, released(run.results, run.starts)), pullback


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
