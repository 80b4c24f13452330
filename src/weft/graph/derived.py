"""Closed graphs made from closed graphs: the gradient and the tangent of one, to use as a parameter of an op."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from weft.graph.check import entry_specs
from weft.graph.forward import push_forward
from weft.graph.function import inline, zero_like
from weft.graph.gradient import backpropagate
from weft.graph.node import wrap
from weft.graph.recording import Graph, Trace, context
from weft.graph.spec import Spec

Flags = tuple[bool, ...]


@lru_cache(maxsize=256)
def gradient_graph(graph: Graph, needed: Flags, given: Flags) -> Graph:
    """The graph that maps inputs and cotangents of the ``given`` results to the gradients of the ``needed`` inputs."""

    def back(*values: Any) -> Any:
        n = len(graph.inputs)
        inputs = [_tracked(x, wants) for x, wants in zip(values[:n], needed, strict=True)]
        made = [y for y, has in zip(inline(graph, inputs), given, strict=True) if has]
        pairs = [(y, c) for y, c in zip(made, values[n:], strict=True) if y.node.tracked]
        with context.set(tracking=False):
            wanted = [x.node for x, wants in zip(inputs, needed, strict=True) if wants]
            found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], wanted)
            return [zero_like(node) if f is None else f for f, node in zip(found, wanted, strict=True)]

    cotangents = [spec for spec, has in zip(result_specs(graph), given, strict=True) if has]
    return record_graph("a gradient", back, [*graph.inputs, *cotangents])


@lru_cache(maxsize=256)
def tangent_graph(graph: Graph, moving: Flags, keep: bool = False) -> Graph:
    """The graph that maps inputs and tangents of the ``moving`` ones to the tangents of its differentiable results.

    With ``keep`` its results are those of ``graph`` itself, then the tangents.
    """

    def forth(*values: Any) -> Any:
        n = len(graph.inputs)
        inputs = [_tracked(x, moves) for x, moves in zip(values[:n], moving, strict=True)]
        made = inline(graph, inputs)
        smooth = [y for y in made if y.dtype.is_differentiable]
        moved = [x.node for x, moves in zip(inputs, moving, strict=True) if moves]
        with context.set(tracking=False):
            found = push_forward(smooth, moved, values[n:])
            tangents = [zero_like(y.node) if t is None else t for y, t in zip(smooth, found, strict=True)]
        return [*made, *tangents] if keep else tangents

    tangents = [spec for spec, moves in zip(graph.inputs, moving, strict=True) if moves]
    return record_graph("a tangent", forth, [*graph.inputs, *tangents])


def _tracked(x: Any, tracked: bool) -> Any:
    return wrap(context.recording.alias(x, tracked=tracked))


def record_graph(purpose: str, body: Callable[..., Any], specs: list[Spec]) -> Graph:
    """The closed graph of ``body`` on untracked inputs of these specs."""
    trace = Trace(purpose)
    arguments = [wrap(trace.placeholder(spec)) for spec in specs]
    with context.set(recording=trace, literal=True, path="", tracking=True):
        made = body(*arguments)
    return trace.close(tuple(trace.reference(t) for t in made))


def result_specs(graph: Graph) -> tuple[Spec, ...]:
    """The specs of a graph's results."""
    return tuple(spec_at(graph, r) for r in graph.outputs)


def spec_at(graph: Graph, reference: Any) -> Spec:
    """The spec of one value of a graph."""
    if type(reference) is not int:
        return Spec((), reference.dtype)
    return graph.inputs[~reference] if reference < 0 else value_specs(graph)[reference]


@lru_cache(maxsize=256)
def value_specs(graph: Graph) -> tuple[Spec, ...]:
    """The specs of all values that a graph's entries make."""
    return tuple(spec for specs in entry_specs(graph) for spec in specs)
