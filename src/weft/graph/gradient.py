"""The gradient of any expression is another expression: reverse mode, from graph to graph.

The rules of the ops say the mathematics; everything around them happens here: which nodes matter, the order,
sums over what was broadcast, casts, accumulation, and inputs without a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from weft.errors import GradientError
from weft.graph.node import Node, wrap
from weft.graph.recording import context
from weft.graph.source import Source
from weft.graph.spec import Spec


def backpropagate(results: Sequence[Any], cotangents: Sequence[Any], wanted: Sequence[Node]) -> list[Any]:
    """The gradient of ``sum(results · cotangents)`` with respect to each node of ``wanted``; None where there is none.

    ``results`` and ``cotangents`` are tensors of pairwise equal shapes. What is returned are tensors recorded in
    the current recording, so they can be printed, run, and differentiated again. Complex cotangents are pulled
    back by the plain transpose: ``dz`` with d(result) = Re(dz · dx), whose conjugate is the steepest ascent.
    """
    roots = [t.node for t in results]
    path = between(wanted, roots)
    reached = set(map(id, path))
    if not all(id(node) in reached for node in wanted):
        history(roots)  # a lesson where an assignment has cut the path off
    sums = pull_through(path, results, cotangents)
    return [sums.get(id(node)) for node in wanted]


def gradients_of_owners(
    result: Any, cotangent: Any, finish: Callable[[Any], Any] = lambda g: g
) -> list[tuple[Any, Any]]:
    """Every tensor that requires a gradient and led to ``result``, with ``finish`` of that gradient."""
    past = history([result.node])
    sums = pull_through(past, [result], [cotangent])
    owners = [(node.owner(), sums.get(id(node))) for node in past if node.owner is not None]
    return [(owner, finish(g)) for owner, g in owners if owner is not None and g is not None]


def history(roots: Sequence[Node], since: int = -1) -> list[Node]:
    """All tracked nodes from which ``roots`` were computed, in the order in which they were recorded.

    With ``since``, only the nodes of that order or later: the earlier ones cannot depend on what is made then.
    """
    end_of_history = context.recording.end_of_history
    seen: dict[int, Node] = {}
    stack = [node for node in roots if node.tracked and node.order >= since]
    for node in stack:
        if (ended := end_of_history(node)) is not None:
            raise history_ended(node, ended)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        for source in node.inputs:
            if source.tracked and id(source) not in seen:
                if (ended := end_of_history(source)) is not None:
                    raise history_ended(node, ended)
                if source.order >= since:
                    stack.append(source)
    return sorted(seen.values(), key=_order)


_order = attrgetter("order")


def between(wanted: Sequence[Node], roots: Sequence[Node]) -> list[Node]:
    """The nodes of the history of ``roots`` that depend on ``wanted``, these included."""
    return leading_to(history(roots, min(map(_order, wanted), default=0)), wanted)


def leading_to(past: Sequence[Node], wanted: Sequence[Node]) -> list[Node]:
    """The nodes of ``past`` that depend on ``wanted``."""
    reached = {id(node) for node in wanted}
    path = []
    for node in past:
        if id(node) in reached or any(id(n) in reached for n in node.inputs):
            reached.add(id(node))
            path.append(node)
    return path


def pull_through(path: Sequence[Node], results: Sequence[Any], cotangents: Sequence[Any]) -> dict[int, Any]:
    """Go back along ``path``; the cotangent that has arrived at each node of it, by its id."""
    sums: dict[int, Any] = {}
    on_path = {id(node) for node in path}
    layer, literal = context.path, context.literal
    context.literal = True
    try:
        for result, g in zip(results, cotangents, strict=True):
            if id(result.node) in on_path:
                accumulate(sums, result.node, g)
        for node in reversed(path):
            g = sums.get(id(node))
            if g is None or not node.inputs:
                continue
            context.path = "∇" + node.path
            if node.params and node.params[0][0] == "result":
                sums.setdefault(id(node.inputs[0]), {})[node.params[0][1]] = g
            else:
                pull_back(node, g, sums, on_path)
    finally:
        context.path, context.literal = layer, literal
    return sums


def pull_back(node: Node, g: Any, sums: dict[int, Any], on_path: set[int]) -> None:
    """Apply one op's gradient rule and add what it gives to the sums of those inputs that are on the path."""
    op = node.op
    assert op is not None
    assert op.vjp is not None
    inputs = [wrap(n) for n in node.inputs]
    params: dict[str, Any] = dict(node.params)
    if op.selective:
        params["needed"] = tuple([id(n) in on_path for n in node.inputs])
    specs: Any = node.spec
    if type(specs) is tuple:  # the application of an op of several results
        result = None
        g = tuple(g.get(k) for k in range(len(specs)))
    else:
        result = wrap(node)
    try:
        parts = op.vjp(g, result, *inputs, **params)
    except GradientError as error:
        error.where = error.where or node.place or None
        raise
    for target, part in zip(node.inputs, parts, strict=True):
        if part is not None and id(target) in on_path:
            accumulate(sums, target, part)


def accumulate(sums: dict[int, Any], node: Node, g: Any) -> None:
    """Add ``g``, brought to the shape and type of ``node``, to what has arrived there so far."""
    spec = node.spec
    if g.node.spec is not spec:
        g = fitted(g, spec)
    before = sums.get(id(node))
    sums[id(node)] = g if before is None else before + g


def fitted(g: Any, spec: Spec) -> Any:
    """A cotangent in the shape and type of what it belongs to."""
    if g.shape != spec.shape:
        g = sum_to(g, spec.shape)
    if g.dtype is not spec.dtype:
        g = real_part(g).astype(spec.dtype) if spec.dtype.is_floating else g.astype(spec.dtype)
    return g


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
        where=f"computed at {node.place}\nassigned at {Source(*ended)}",
        cure="call backward() or gradients(…) before assign(…) or optimizer.step(…), or compute the expression again",
    )
