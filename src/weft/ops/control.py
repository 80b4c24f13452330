"""Loops and branches: ops whose parameters are recordings. `weft.control` makes them from Python functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from weft.graph.check import entry_specs
from weft.graph.function import inline, interpret, zero_like
from weft.graph.gradient import backpropagate
from weft.graph.lowering import lowering
from weft.graph.node import wrap
from weft.graph.op import Op, unchanged
from weft.graph.recording import Graph, Trace, context
from weft.graph.spec import Spec
from weft.ops.creation import zeros
from weft.ops.engine import lax

# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────
# Operands of scan: carried values, then constants, then what is scanned (with a leading axis of ``length``).
# The body's graph takes (carried, scanned slices, constants) and gives (carried, results of the step).


def _as_is(kinds: Any) -> Any:
    return (None,) * len(kinds)


def _scan(*operands: Spec, body: Graph, carried: int, constants: int, length: int, reverse: bool) -> Any:
    steps = [spec_at(body, r) for r in body.outputs[carried:]]
    return (*operands[:carried], *(Spec((length, *s.shape), s.dtype) for s in steps))


def _scan_lower(*operands: Any, body: Graph, carried: int, constants: int, length: int, reverse: bool) -> Any:
    first, fixed, scanned = operands[:carried], operands[carried : carried + constants], operands[carried + constants :]

    def step(state: Any, slices: Any) -> Any:
        with lowering.loop():
            results = interpret(body, (*state, *slices, *fixed))
        return tuple(results[:carried]), tuple(results[carried:])

    last, stacked = lax.scan(step, tuple(first), tuple(scanned), length=length, reverse=reverse)
    return (*last, *stacked)


def _scan_vjp(
    g: Any, _: Any, *operands: Any, body: Graph, carried: int, constants: int, length: int, reverse: bool
) -> Any:
    """Run the loop again keeping what each step began with, then go backwards through the steps."""
    first, fixed = operands[:carried], operands[carried : carried + constants]
    scanned = operands[carried + constants :]
    keeping = Graph(body.inputs, body.entries, (*body.outputs[:carried], *(~k for k in range(carried))), body.notes)
    kept = scan_op(*operands, body=keeping, carried=carried, constants=constants, length=length, reverse=reverse)
    begins = kept[carried:]
    results = [spec_at(body, r) for r in body.outputs]
    given = list(g)
    step_grads = [
        part if part is not None else _zeros(Spec((length, *spec.shape), spec.dtype))
        for part, spec in zip(given[carried:], results[carried:], strict=True)
    ]
    last_grads = [
        part if part is not None else _zeros(spec)
        for part, spec in zip(given[:carried], results[:carried], strict=True)
    ]
    smooth = [k for k, x in enumerate(first) if x.dtype.is_differentiable]
    smooth_fixed = [k for k, x in enumerate(fixed) if x.dtype.is_differentiable]
    smooth_scanned = [k for k, x in enumerate(scanned) if x.dtype.is_differentiable]

    def back(*state: Any) -> Any:
        n = len(smooth)
        carry_g, fixed_g = list(state[:n]), list(state[n : n + len(smooth_fixed)])
        rest = list(state[n + len(smooth_fixed) :])
        begin, slices = rest[:carried], rest[carried : carried + len(scanned)]
        step_g = rest[carried + len(scanned) : carried + len(scanned) + len(step_grads)]
        outer = rest[carried + len(scanned) + len(step_grads) :]
        inputs = [
            wrap(context.recording.alias(x, tracked=x.dtype.is_differentiable)) for x in (*begin, *slices, *outer)
        ]
        made = inline(body, inputs)
        carry_all = dict(zip(smooth, carry_g, strict=True))
        pairs = [(made[k], carry_all[k]) for k in smooth] + list(zip(made[carried:], step_g, strict=True))
        pairs = [(y, c) for y, c in pairs if y.dtype.is_differentiable and y.node.tracked]
        wanted = [inputs[k] for k in smooth]
        wanted += [inputs[carried + k] for k in smooth_scanned]
        wanted += [inputs[carried + len(scanned) + k] for k in smooth_fixed]
        with context.set(tracking=False):
            found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], [w.node for w in wanted])
            full = [zero_like(w.node) if f is None else f for f, w in zip(found, wanted, strict=True)]
            new_carry = full[:n]
            slice_g = full[n : n + len(smooth_scanned)]
            new_fixed = [a + b for a, b in zip(fixed_g, full[n + len(smooth_scanned) :], strict=True)]
        return (*new_carry, *new_fixed, *slice_g)

    state = [last_grads[k] for k in smooth] + [_zeros(fixed[k].node.spec) for k in smooth_fixed]
    over = [*begins, *scanned, *step_grads]
    graph = _record(
        back, [*(t.node.spec for t in state), *(_slice_spec(t) for t in over), *(t.node.spec for t in fixed)]
    )
    # The body's constants come last among its inputs; scan's operands put them before what is scanned.
    outcome = scan_op(
        *state, *fixed, *over, body=graph, carried=len(state), constants=len(fixed), length=length, reverse=not reverse
    )
    grads: list[Any] = [None] * len(operands)
    for place, value in zip(
        [*smooth, *(carried + k for k in smooth_fixed), *(carried + constants + k for k in smooth_scanned)],
        outcome,
        strict=True,
    ):
        grads[place] = value
    return tuple(grads)


scan_op = Op("scan", shape=_scan, lower=_scan_lower, vjp=_scan_vjp, takes=_as_is)


def _while_lower(*operands: Any, condition: Graph, body: Graph, carried: int) -> Any:
    first, fixed = operands[:carried], operands[carried:]

    def step(state: Any) -> Any:
        with lowering.loop():
            return tuple(interpret(body, (*state, *fixed)))

    def again(state: Any) -> Any:
        return interpret(condition, (*state, *fixed))[0]

    return tuple(lax.while_loop(again, step, tuple(first)))


while_op = Op(
    "while_loop",
    shape=lambda *operands, condition, body, carried: tuple(operands[:carried]),
    lower=_while_lower,
    takes=_as_is,
)


def _cond_lower(condition: Any, *operands: Any, yes: Graph, no: Graph) -> Any:
    return tuple(lax.cond(condition, lambda *x: interpret(yes, x), lambda *x: interpret(no, x), *operands))


def _cond_vjp(g: Any, _: Any, condition: Any, *operands: Any, yes: Graph, no: Graph) -> Any:
    smooth = [k for k, x in enumerate(operands) if x.dtype.is_differentiable]
    given = [k for k, part in enumerate(g) if part is not None]

    def branch(graph: Graph) -> Graph:
        def back(*values: Any) -> Any:
            inputs = [
                wrap(context.recording.alias(x, tracked=x.dtype.is_differentiable)) for x in values[: len(operands)]
            ]
            made = inline(graph, inputs)
            pairs = [(made[k], c) for k, c in zip(given, values[len(operands) :], strict=True) if made[k].node.tracked]
            with context.set(tracking=False):
                wanted = [inputs[k].node for k in smooth]
                found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], wanted)
                return tuple(zero_like(n) if f is None else f for f, n in zip(found, wanted, strict=True))

        specs = [t.node.spec for t in operands] + [g[k].node.spec for k in given]
        return _record(back, specs)

    found = cond_op(condition, *operands, *(g[k] for k in given), yes=branch(yes), no=branch(no))
    grads: list[Any] = [None] * (1 + len(operands))
    for k, value in zip(smooth, found, strict=True):
        grads[1 + k] = value
    return tuple(grads)


cond_op = Op(
    "cond",
    shape=lambda condition, *operands, yes, no: tuple(spec_at(yes, r) for r in yes.outputs),
    lower=_cond_lower,
    vjp=_cond_vjp,
    takes=_as_is,
)


def _call_vjp(g: Any, _: Any, *operands: Any, graph: Graph, needed: tuple[bool, ...]) -> Any:
    given = tuple(part is not None for part in g)
    found = iter(call_op(*operands, *(part for part in g if part is not None), graph=_gradient(graph, needed, given)))
    return tuple(next(found) if wants else None for wants in needed)


@lru_cache(maxsize=64)
def _gradient(graph: Graph, needed: tuple[bool, ...], given: tuple[bool, ...]) -> Graph:
    """The graph that maps inputs and cotangents to the gradients of the inputs that need one."""

    def back(*values: Any) -> Any:
        n = len(graph.inputs)
        inputs = [wrap(context.recording.alias(x, tracked=wants)) for x, wants in zip(values[:n], needed, strict=True)]
        made = [y for y, has in zip(inline(graph, inputs), given, strict=True) if has]
        pairs = [(y, c) for y, c in zip(made, values[n:], strict=True) if y.node.tracked]
        with context.set(tracking=False):
            wanted = [x.node for x, wants in zip(inputs, needed, strict=True) if wants]
            found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], wanted)
            return tuple(zero_like(node) if f is None else f for f, node in zip(found, wanted, strict=True))

    results = [spec_at(graph, r) for r in graph.outputs]
    return _record(back, [*graph.inputs, *(spec for spec, has in zip(results, given, strict=True) if has)])


call_op = Op(  # a closed graph as one entry: how a compiled function takes part in a larger computation
    "call",
    shape=lambda *operands, graph: tuple(spec_at(graph, r) for r in graph.outputs),
    lower=lambda *operands, graph: tuple(interpret(graph, operands)),
    vjp=_call_vjp,
    takes=unchanged,
    selective=True,
)


def spec_at(graph: Graph, reference: Any) -> Spec:
    """The spec of one value of a graph."""
    if type(reference) is not int:
        return Spec((), reference.dtype)
    return graph.inputs[~reference] if reference < 0 else value_specs(graph)[reference]


@lru_cache(maxsize=64)
def value_specs(graph: Graph) -> tuple[Spec, ...]:
    """The specs of all values that a graph's entries make."""
    return tuple(spec for specs in entry_specs(graph) for spec in specs)


def _slice_spec(t: Any) -> Spec:
    return Spec(t.shape[1:], t.dtype)


def _zeros(spec: Spec) -> Any:
    return zeros(spec.shape, dtype=spec.dtype)


def _record(body: Callable[..., Any], specs: list[Spec]) -> Graph:
    trace = Trace("the gradient of a loop")
    arguments = [wrap(trace.placeholder(spec)) for spec in specs]
    with context.set(recording=trace, literal=True, tracking=True):
        made = body(*arguments)
    return trace.close(tuple(trace.reference(t) for t in made))
