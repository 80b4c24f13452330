"""Functions as ops: a body written with other ops, recorded once per signature, applied as one entry.

This is how softmax, a loss or an optimizer's formula reads like the paper and still costs one entry to record.
The gradient is not written: it is the gradient of the recorded body, itself a function, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, overload

from weft.errors import ArgumentError
from weft.graph.dtype import dtype
from weft.graph.gradient import backpropagate
from weft.graph.node import Handle, Node, wrap
from weft.graph.op import Casts, Kind, Op, alike
from weft.graph.recording import Graph, Literal, Reference, Trace, context, literal
from weft.graph.spec import Spec, scalar


class Function:
    """The rules of one body: its shape, lowering and gradient all follow from the recorded graph."""

    def __init__(self, name: str, body: Callable[..., Any]) -> None:
        self.name, self.body = name, body
        self.graphs: dict[Any, Graph] = {}
        self.specs: dict[Any, Spec | tuple[Spec, ...]] = {}

    def graph(self, specs: tuple[Spec, ...], params: dict[str, Any]) -> Graph:
        """The body recorded for inputs of these specs."""
        key = (specs, tuple(params.items()))
        if key not in self.graphs:
            if len(self.graphs) > 1024:
                self.graphs.clear()
                self.specs.clear()
            self.graphs[key], self.specs[key] = record(self.name, self.body, specs, params)
        return self.graphs[key]

    def shape(self, *specs: Spec, **params: Any) -> Spec | tuple[Spec, ...]:
        self.graph(specs, params)
        return self.specs[specs, tuple(params.items())]

    def lower(self, *arrays: Any, **params: Any) -> Any:
        graph = self.graph(tuple(Spec(tuple(a.shape), dtype(a.dtype)) for a in arrays), params)
        results = interpret(graph, arrays)
        return results[0] if isinstance(self.shape(*graph.inputs, **params), Spec) else tuple(results)

    def vjp(self, g: Any, _: Any, *inputs: Any, needed: tuple[bool, ...], **params: Any) -> tuple[Any, ...]:
        """Apply the body's gradient, which is a function too."""
        many = isinstance(g, tuple)
        given = tuple(part is not None for part in g) if many else (True,)
        cotangents = [part for part in g if part is not None] if many else [g]
        results = self.derivative(*inputs, *cotangents, wrt=needed, given=given, params=tuple(params.items()))
        parts = iter(results if isinstance(results, tuple) else (results,))
        return tuple(next(parts) if wants else None for wants in needed)

    @cached_property
    def derivative(self) -> Op:
        """The op that maps inputs and cotangents to the gradients of the inputs that need one."""

        def body(*operands: Any, wrt: tuple[bool, ...], given: tuple[bool, ...], params: Any) -> Any:
            # Tracked throughout: the derivative is differentiated in its turn.
            inputs = [
                x if n else wrap(context.recording.alias(x, tracked=False)) for x, n in zip(operands, wrt, strict=False)
            ]
            results = self.body(*inputs, **dict(params))
            results = results if isinstance(results, tuple) else (results,)
            wanted = [x.node for x, n in zip(inputs, wrt, strict=True) if n]
            chosen = [y for y, has in zip(results, given, strict=True) if has]
            grads = backpropagate(chosen, operands[len(inputs) :], wanted)
            found = tuple(zero_like(node) if g is None else g for node, g in zip(wanted, grads, strict=True))
            return found[0] if len(found) == 1 else found

        return make(f"∇{self.name}", body, takes=lambda kinds: (None,) * len(kinds))


def zero_like(node: Node) -> Any:
    """A tensor of zeros in the spec of ``node``: the gradient of what a result does not depend on."""
    return wrap(literal(0, scalar(node.spec.dtype))).broadcast_to(node.spec.shape)


def make(
    name: str,
    body: Callable[..., Any],
    *,
    takes: Callable[[tuple[Kind, ...]], Casts] = alike,
    vjp: Callable[..., tuple[Any, ...]] | None = None,
) -> Op:
    """An op from a body; with ``vjp``, its gradient is that rule instead of the body's own."""
    rules = Function(name, body)
    return Op(name, rules.shape, rules.lower, vjp or rules.vjp, takes, selective=vjp is None)


@overload
def function(body: Callable[..., Any]) -> Op: ...
@overload
def function(body: None = None, **options: Any) -> Callable[[Callable[..., Any]], Op]: ...
def function(body: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorator: the body, in tensors and static keywords, becomes an op of the same name."""
    if body is None:
        return lambda body: function(body, **options)
    op = make(body.__name__.strip("_"), body, **options)
    object.__setattr__(op, "__doc__", body.__doc__)
    return op


def record(
    name: str, body: Callable[..., Any], specs: tuple[Spec, ...], params: dict[str, Any]
) -> tuple[Graph, Spec | tuple[Spec, ...]]:
    """Record ``body`` on inputs of these specs: the graph, and the spec or specs of its result."""
    trace = Trace(name)
    arguments = [wrap(trace.placeholder(spec, tracked=spec.dtype.is_differentiable)) for spec in specs]
    with context.set(recording=trace, literal=True, path="", tracking=True):
        made = body(*arguments, **params)
    results: tuple[Handle, ...] = made if isinstance(made, tuple) else (made,)
    graph = trace.close(tuple(trace.reference(r) for r in results))
    if trace.captured:
        raise ArgumentError(
            f"the body of the function op {name!r} uses a tensor that is not among its arguments",
            expected="a body that takes every tensor as an argument, because it is recorded once and used many times",
            where=trace.captured[0].node.place or None,
            cure="pass the tensor to the function as one more positional argument",
        )
    return graph, tuple(r.node.spec for r in results) if isinstance(made, tuple) else results[0].node.spec


def interpret(graph: Graph, arguments: Any) -> list[Any]:
    """Run a graph, op by op, on whatever its lowerings compute with: the meaning of a recording, and its lowering."""
    values: list[Any] = []
    for op, refs, params, _ in graph.entries:
        result = op.lower(*(fetch(r, values, arguments) for r in refs), **dict(params))
        if type(result) is tuple:
            values.extend(result)
        else:
            values.append(result)
    return [fetch(r, values, arguments) for r in graph.outputs]


def fetch(reference: Any, values: list[Any], arguments: Any) -> Any:
    """The value that a reference names."""
    if type(reference) is not int:
        return literal_array(reference)
    return values[reference] if reference >= 0 else arguments[~reference]


def literal_array(literal: Any) -> Any:
    import numpy as np

    return np.asarray(literal.value, literal.dtype.numpy)


def inline(graph: Graph, arguments: Sequence[Any]) -> list[Any]:
    """Record the entries of ``graph`` again in the current recording, on other inputs."""
    values: list[Any] = []

    def find(r: Reference) -> Any:
        if isinstance(r, Literal):
            return wrap(literal(r.value, scalar(r.dtype)))
        return values[r] if r >= 0 else arguments[~r]

    for op, refs, params, _ in graph.entries:
        result = op(*(find(r) for r in refs), **dict(params))
        values.extend(result if isinstance(result, tuple) else (result,))
    return [find(r) for r in graph.outputs]
