"""Reverse mode for functions: their gradients, and vector–Jacobian products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from weft.errors import ArgumentError, DTypeError
from weft.graph.function import zero_like
from weft.graph.gradient import backpropagate
from weft.graph.recording import context
from weft.graph.structure import flatten, unflatten
from weft.tensor import Tensor
from weft.transforms.structure import Form, aligned, as_tracked, derivatives, fitting, leaves_of, released, tensors
from weft.transforms.tracked import conjugated, one_for


class Passed(NamedTuple):
    """A function applied to tracked arguments: where its history starts, and what it gave."""

    starts: list[Tensor]  # the tracked tensors of the arguments
    places: list[tuple[Form, list[int | None]]]  # for each chosen argument its form, and which start each leaf is
    results: list[Tensor]
    form: Form

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """A value for each start, in the structure of each argument; None for what is not differentiable."""
        return [derivatives(form, [None if k is None else values[k] for k in at]) for form, at in self.places]


def passed(
    f: Callable[..., Any], args: Sequence[Any], numbers: Sequence[int] | None = None, kwargs: Any = None
) -> Passed:
    """Apply ``f`` with the arguments ``numbers`` tracked, or with whatever of all arguments can be."""
    chosen, places = list(args), []
    starts: list[Tensor] = []
    for k in range(len(args)) if numbers is None else numbers:
        chosen[k], place = _tracked(args[k], starts, None if numbers is None else f"argument {k}")
        places.append(place)
    with context.set(tracking=True):
        value = f(*chosen, **(kwargs or {}))
    results, form = leaves_of(value, "the result of the function")
    return Passed(starts, places, results, form)


def _tracked(x: Any, starts: list[Tensor], what: str | None) -> tuple[Any, tuple[Form, list[int | None]]]:
    """An argument with its tensors tracked, which ``starts`` receives; one that is asked for by name must have some."""
    value = as_tracked(x) if what and isinstance(x, int) else tensors(x)
    leaves, form = leaves_of(value, what, whole=False) if what else flatten(value)
    at: list[int | None] = []
    for n, t in enumerate(leaves):
        smooth = what is not None or t.dtype.is_differentiable
        at.append(len(starts) if smooth else None)
        if smooth:
            leaves[n] = as_tracked(t)
            starts.append(leaves[n])
    return unflatten(form, leaves), (form, at)


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
        found = pulled(run, [one_for(run.results[0])])
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
    >>> y, pullback = vjp(lambda x: x * x, wf.tensor([1.0, 2.0]))
    >>> pullback(wf.tensor([1.0, 10.0])).tolist()
    [2.0, 40.0]
    """
    run = passed(f, args)
    if not run.starts:
        raise DTypeError("vjp of a function without a floating-point argument", cure="x.astype(wf.float32)")

    def pullback(cotangent: Any = None) -> Any:
        if cotangent is None:
            given = [one_for(y) for y in run.results]
        else:
            given = fitting(aligned(run.form, cotangent, "the cotangent"), run.results, "a cotangent")
        parts = run.arguments(released(pulled(run, given), run.starts))
        return parts[0] if len(parts) == 1 else tuple(parts)

    return unflatten(run.form, released(run.results, run.starts)), pullback
