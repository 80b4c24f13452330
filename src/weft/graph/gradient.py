"""The gradient of any expression is another expression: reverse mode, from graph to graph.

The rules of the ops say the mathematics; everything around them happens here: which nodes matter, the order,
sums over what was broadcast, casts, accumulation, and inputs without a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weft.errors import GradientError
from weft.graph.node import Node, wrap
from weft.graph.recording import Recording, context


def backpropagate(results: Sequence[Any], cotangents: Sequence[Any], wanted: Sequence[Node]) -> list[Any]:
    """The gradient of ``sum(results · cotangents)`` with respect to each node of ``wanted``; None where there is none.

    ``results`` and ``cotangents`` are tensors of pairwise equal shapes. What is returned are tensors recorded in
    the current recording, so they can be printed, run, and differentiated again.
    """
    recording = context.recording
    path = paths_to(wanted, [t.node for t in results], recording)
    sums: dict[int, Any] = {}
    for result, g in zip(results, cotangents, strict=True):
        accumulate(sums, result.node, g)
    layer = context.path
    with context.set(literal=True):
        for node in reversed(path):
            g = sums.get(id(node))
            if g is None or node.op is None:
                continue
            context.path = f"∇{node.path}"
            if node.params and node.params[0][0] == "result":
                sums.setdefault(id(node.inputs[0]), {})[node.params[0][1]] = g
            else:
                pull_back(node, g, path, sums)
        context.path = layer
    return [sums.get(id(node)) for node in wanted]


def paths_to(wanted: Sequence[Node], roots: Sequence[Node], recording: Recording) -> list[Node]:
    """The nodes through which ``roots`` depend on ``wanted``, in the order in which they were recorded."""
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        ended = recording.end_of_history(node)
        if ended is not None:
            raise history_ended(node, ended)
        seen[id(node)] = node
        stack.extend(n for n in node.inputs if n.tracked)
    goals = {id(node) for node in wanted}
    reaches: set[int] = set()
    for node in sorted(seen.values(), key=lambda n: n.order):
        if id(node) in goals or any(id(n) in reaches for n in node.inputs):
            reaches.add(id(node))
    return sorted((seen[i] for i in reaches), key=lambda n: n.order)


def pull_back(node: Node, g: Any, path: Sequence[Node], sums: dict[int, Any]) -> None:
    """Apply one op's gradient rule and add what it gives to the sums of its inputs."""
    op = node.op
    assert op is not None
    assert op.vjp is not None
    needed = tuple(n.tracked and n.spec.dtype.is_differentiable for n in node.inputs)
    inputs = [wrap(n) for n in node.inputs]
    extra: dict[str, Any] = {"needed": needed} if op.selective else {}
    if isinstance(node.spec, tuple):  # type: ignore[unreachable]  # the application of an op of several results
        g = tuple(g.get(k) for k in range(len(node.spec)))  # type: ignore[unreachable]
        given = op.vjp(g, None, *inputs, **dict(node.params), **extra)
    else:
        given = op.vjp(g, wrap(node), *inputs, **dict(node.params), **extra)
    for target, part, wants in zip(node.inputs, given, needed, strict=True):
        if part is not None and wants:
            accumulate(sums, target, part)


def accumulate(sums: dict[int, Any], node: Node, g: Any) -> None:
    """Add ``g``, brought to the shape and type of ``node``, to what has arrived there so far."""
    spec = node.spec
    if g.shape != spec.shape:
        g = sum_to(g, spec.shape)
    if g.dtype is not spec.dtype:
        g = real_part(g).astype(spec.dtype) if spec.dtype.is_floating else g.astype(spec.dtype)
    before = sums.get(id(node))
    sums[id(node)] = g if before is None else before + g


def real_part(g: Any) -> Any:
    """The cotangent of a real number is real."""
    return g.real if g.dtype.kind == "complex" else g


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of broadcasting: sum ``g`` over what was repeated to get from ``shape`` to its shape."""
    lead = g.ndim - len(shape)
    if lead < 0 or any(g.shape[lead + k] == 1 != n for k, n in enumerate(shape)):
        return g.broadcast_to(shape)
    axes = tuple(range(lead)) + tuple(lead + k for k, n in enumerate(shape) if n == 1 != g.shape[lead + k])
    return g.sum(axis=axes).reshape(shape)


def history_ended(node: Node, ended: Any) -> GradientError:
    return GradientError(
        "this expression was computed from a tensor that has been assigned since, so its history has ended",
        expected="gradients before the assignment",
        where=f"computed at {node.place}\nassigned at {ended}",
        cure="call backward() or gradients(…) before assign(…) or optimizer.step(…), or compute the expression again",
    )
