"""A Python function recorded whole: its graph, and the state outside of it that it reads and assigns.

This one mechanism stands behind ``compile``, ``scan``, ``while_loop`` and ``cond``: what the body reads from
outside becomes an argument of the graph, and what it assigns becomes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weft.graph.node import Handle, wrap
from weft.graph.recording import Graph, Trace, context
from weft.graph.spec import Spec
from weft.graph.structure import flatten


@dataclass(frozen=True, eq=False)
class Closure:
    """What recording a body found.

    The graph's inputs are the arguments, then ``captured``; its results are the body's (in ``structure``), then
    the new value of each tensor of ``written``, then the new gradient of each of ``graded``.
    """

    graph: Graph
    arguments: int
    captured: tuple[Handle, ...]
    structure: Any
    results: int
    written: tuple[Handle, ...]
    graded: tuple[tuple[Handle, bool], ...]  # the owner of a .grad that changed, and whether it ends as a tensor
    grads_before: tuple[tuple[Handle, Handle | None], ...]
    guards: tuple[tuple[Any, str, Any], ...]
    keys: tuple[Handle, ...]
    smooth: bool  # whether any of the body's results can be differentiated

    @property
    def written_slots(self) -> tuple[int, ...]:
        """For each tensor of ``written``, its place among ``captured``."""
        places = {id(handle): k for k, handle in enumerate(self.captured)}
        return tuple(places[id(handle)] for handle in self.written)


def close_over(
    body: Callable[..., Any],
    arguments: Sequence[tuple[Spec, bool]],
    rebuild: Callable[[list[Any]], Any],
    purpose: str,
) -> Closure:
    """Record ``body(*rebuild(arguments))`` for arguments of these specs, tracked or not; nothing outside changes."""
    trace = Trace(purpose, context.recording)
    operands = [wrap(trace.placeholder(spec, tracked=tracked)) for spec, tracked in arguments]
    try:
        with context.set(recording=trace):
            leaves, structure = flatten(body(*rebuild(operands)))
            outputs = [trace.reference(t) for t in leaves]  # now: a result that was assigned has its new value here
            finals = [(handle, handle.node) for handle, _ in trace.writes.values()]
            grads = [(owner, owner._grad) for owner, _ in trace.grads.values()]
        if isinstance(trace.parent, Trace):
            trace.parent.guards.update(trace.guards)  # what an inner body takes for granted, the whole does
    finally:
        for handle, node in trace.writes.values():
            handle.node = node
        for owner, grad in trace.grads.values():
            owner._grad = grad
    outputs += [node.number if node.recording is trace else trace.slot_of(node) for _, node in finals]
    changed = [(owner, grad) for owner, grad in grads if grad is not trace.grads[id(owner)][1]]
    outputs += [trace.reference(grad) for _, grad in changed if grad is not None]
    for handle, _ in finals:
        trace.leaf(handle.node, handle)  # what is assigned is also an argument, even if its old value was never read
    return Closure(
        trace.close(tuple(outputs)),
        len(arguments),
        tuple(trace.captured),
        structure,
        len(leaves),
        tuple(handle for handle, _ in finals),
        tuple((owner, grad is not None) for owner, grad in changed),
        tuple(trace.grads.values()),
        tuple(trace.guards.values()),
        tuple(trace.keys.values()),
        any(t.node.tracked for t in leaves),
    )


def reorder(graph: Graph, order: Sequence[int], outputs: Sequence[int], inputs: Sequence[Spec] = ()) -> Graph:
    """The same graph with its inputs and results in other places.

    Input ``k`` of the new graph is input ``order[k]`` of the old one (a negative one is new and unused, of the spec
    ``inputs[k]``); its results are those of the old one that ``outputs`` names.
    """
    places = {old: new for new, old in enumerate(order) if old >= 0}

    def rename(r: Any) -> Any:
        return ~places[~r] if type(r) is int and r < 0 else r

    entries = tuple((op, tuple(map(rename, refs)), params, n) for op, refs, params, n in graph.entries)
    specs = tuple(graph.inputs[old] if old >= 0 else inputs[new] for new, old in enumerate(order))
    return Graph(specs, entries, tuple(rename(graph.outputs[k]) for k in outputs), graph.notes)
