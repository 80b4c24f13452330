"""Forward mode: the tangent of every value along a graph, op by op, from the gradient rules that exist already.

An op's rule is linear in its cotangent: it is Jᵀ. Its own gradient with respect to that cotangent is J, so a rule
for one direction serves both. Ops that have no reverse rule, or a cheaper way forward, declare one with `rule_for`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from weft.graph.function import Function, make, zero_like
from weft.graph.gradient import between, fitted, pull_through
from weft.graph.node import Node, wrap
from weft.graph.op import Op
from weft.graph.recording import context, literal
from weft.graph.spec import Spec, scalar

Tangents = tuple[Any, ...]  # one for each operand or result: a tensor of its shape and type, or None for zero
Rule = Callable[..., Tangents]
_rules: dict[Op, Rule] = {}


def rule_for(op: Op) -> Callable[[Rule], Rule]:
    """Decorator: ``rule(tangents, *inputs, **params)`` gives the tangents of the results of ``op``."""

    def declare(rule: Rule) -> Rule:
        _rules[op] = rule
        return rule

    return declare


def push_forward(results: Sequence[Any], moved: Sequence[Node], tangents: Sequence[Any]) -> list[Any]:
    """The tangents of ``results`` when each node of ``moved`` moves along its tangent; None for one that stays.

    What is returned are tensors of the current recording, differentiable in the tangents and in the nodes.
    """
    moving = {id(node): t for node, t in zip(moved, tangents, strict=True) if t is not None}
    path = between(moved, [t.node for t in results])
    layer, number = context.path, context.literal
    context.literal = True
    try:
        for node in path:
            if id(node) in moving or not node.inputs:
                continue
            context.path = "∂" + node.path
            if node.params and node.params[0][0] == "result":
                t = moving.get(id(node.inputs[0]), {}).get(node.params[0][1])
            else:
                t = _of_node(node, tuple([moving.get(id(n)) for n in node.inputs]))
            if t is not None:
                moving[id(node)] = t
    finally:
        context.path, context.literal = layer, number
    return [moving.get(id(t.node)) for t in results]


def _of_node(node: Node, tangents: Tangents) -> Any:
    """The tangent of what one application made; where it has several results, by their number."""
    if all(t is None for t in tangents):
        return None
    op = node.op
    assert op is not None
    owner = getattr(op.vjp, "__self__", None)
    if op in _rules:
        found = _rules[op](tangents, *map(wrap, node.inputs), **dict(node.params))
    elif isinstance(owner, Function):
        found = _of_function(owner, node, tangents)
    else:
        found = _transposed_twice(op, node, tangents)
    if type(node.spec) is Spec:
        return found[0]
    return {k: t for k, t in enumerate(found) if t is not None}


def _specs(node: Node) -> tuple[Spec, ...]:
    return (node.spec,) if type(node.spec) is Spec else tuple(node.spec)  # type: ignore[arg-type]


def _transposed_twice(op: Op, node: Node, tangents: Tangents) -> Tangents:
    """∂/∂u ⟨vjp(u), tangents⟩ for a cotangent ``u`` of which only the place matters, never the value."""
    assert op.vjp is not None
    specs = _specs(node)
    params: dict[str, Any] = dict(node.params)
    if op.selective:
        params["needed"] = tuple([t is not None for t in tangents])
    with context.set(tracking=True):
        duals = [_dual(spec) if spec.dtype.is_differentiable else None for spec in specs]
        several = type(node.spec) is not Spec
        g, y = (tuple(duals), None) if several else (duals[0], wrap(node))
        parts = op.vjp(g, y, *map(wrap, node.inputs), **params)
        pairs = [
            (fitted(part, n.spec), t)
            for part, t, n in zip(parts, tangents, node.inputs, strict=True)
            if part is not None and t is not None
        ]
    places = [u.node for u in duals if u is not None]
    path = between(places, [part.node for part, _ in pairs])
    sums = pull_through(path, [part for part, _ in pairs], [t for _, t in pairs])
    return tuple(None if u is None else sums.get(id(u.node)) for u in duals)


def _dual(spec: Spec) -> Any:
    """A tracked tensor of this spec: the place of a cotangent."""
    zero = wrap(literal(0, scalar(spec.dtype))).broadcast_to(spec.shape)
    return wrap(context.recording.alias(zero, tracked=True))


# ── functions as ops ────────────────────────────────────────────────────────────────────────────────────────


def _of_function(owner: Function, node: Node, tangents: Tangents) -> Tangents:
    """The tangent of a function op is a function op, whose body walks forward through the body."""
    moving = tuple(t is not None for t in tangents)
    given = [t for t in tangents if t is not None]
    made = _pushed(owner)(*map(wrap, node.inputs), *given, moving=moving, params=node.params)
    found = iter(made if isinstance(made, tuple) else (made,))
    return tuple(next(found) if spec.dtype.is_differentiable else None for spec in _specs(node))


@cache
def _pushed(owner: Function) -> Op:
    """The op that maps inputs, and tangents of those that move, to the tangents of the results."""

    def body(*operands: Any, moving: tuple[bool, ...], params: Any) -> Any:
        # Tracked throughout: what moves, because we walk along it, the rest, because this is differentiated in turn.
        inputs = operands[: len(moving)]
        made = owner.body(*inputs, **dict(params))
        results = [y for y in (made if isinstance(made, tuple) else (made,)) if y.dtype.is_differentiable]
        moved = [x.node for x, m in zip(inputs, moving, strict=True) if m]
        found = push_forward(results, moved, operands[len(moving) :])
        kept = tuple(zero_like(y.node) if t is None else t for y, t in zip(results, found, strict=True))
        return kept[0] if len(kept) == 1 else kept

    return make(f"∂{owner.name}", body, takes=lambda kinds: (None,) * len(kinds))
