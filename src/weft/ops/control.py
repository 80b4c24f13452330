"""Loops and branches: ops whose parameters are recordings. `weft.control` makes them from Python functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
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
    """Run the loop again keeping what each step began with, then go back through the steps.

    The loop back carries the gradients of the carried values and the sums of those of the constants.
    """
    _, fixed, scanned = _cut(operands, carried, constants, len(operands) - carried - constants)
    keeping = Graph(body.inputs, body.entries, (*body.outputs[:carried], *(~k for k in range(carried))), body.notes)
    kept = scan_op(*operands, body=keeping, carried=carried, constants=constants, length=length, reverse=reverse)
    smooth_in = tuple(spec.dtype.is_differentiable for spec in body.inputs)
    results = [spec_at(body, r) for r in body.outputs]
    smooth_out = tuple(spec.dtype.is_differentiable for spec in results)
    step = _gradient(body, smooth_in, smooth_out)
    stacked = [*results[:carried], *(Spec((length, *spec.shape), spec.dtype) for spec in results[carried:])]
    parts = [_zeros(spec) if part is None else part for part, spec in zip(g, stacked, strict=True)]
    of_last, of_steps = ([p for p, s in zip(*pair, strict=True) if s] for pair in _halves(parts, smooth_out, carried))
    sums = [_zeros(x.node.spec) for x in fixed if x.dtype.is_differentiable]
    over = [*kept[carried:], *scanned, *of_steps]

    def back(*values: Any) -> Any:
        carry, totals, begin, slices, out, outer = _cut(
            values, len(of_last), len(sums), carried, len(scanned), len(of_steps), constants
        )
        grads = inline(step, [*begin, *slices, *outer, *carry, *out])
        n, m = len(of_last), len(grads) - len(sums)
        return (*grads[:n], *(a + b for a, b in zip(totals, grads[m:], strict=True)), *grads[n:m])

    state = [*of_last, *sums]
    specs = [*(t.node.spec for t in state), *map(_slice_spec, over), *(t.node.spec for t in fixed)]
    loop = {"carried": len(state), "constants": constants, "length": length, "reverse": not reverse}
    found = scan_op(*state, *fixed, *over, body=_record(back, specs), **loop)
    of_first, of_fixed, of_scanned = _cut(found, len(of_last), len(sums), len(found) - len(state))
    smooth = [x.dtype.is_differentiable for x in operands]
    rest = iter([*of_first, *of_fixed, *of_scanned])
    return tuple(next(rest) if s else None for s in smooth)


def _cut(values: Any, *sizes: int) -> list[Any]:
    """A sequence cut into pieces of these sizes."""
    ends = list(accumulate(sizes))
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _halves(parts: Any, flags: Any, at: int) -> tuple[Any, Any]:
    return (parts[:at], flags[:at]), (parts[at:], flags[at:])


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
    """The gradient of the branch that was taken."""
    smooth = tuple(x.dtype.is_differentiable for x in operands)
    given = tuple(part is not None for part in g)
    cotangents = [part for part in g if part is not None]
    branches = {"yes": _gradient(yes, smooth, given), "no": _gradient(no, smooth, given)}
    found = iter(cond_op(condition, *operands, *cotangents, **branches))
    return (None, *(next(found) if s else None for s in smooth))


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
