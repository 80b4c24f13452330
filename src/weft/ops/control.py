"""Loops and branches: ops whose parameters are recordings. `weft.control` makes them from Python functions."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from weft.errors import GradientError
from weft.graph.closure import reorder
from weft.graph.derived import gradient_graph, record_graph, result_specs, tangent_graph
from weft.graph.forward import rule_for
from weft.graph.function import inline, interpret
from weft.graph.lowering import lowering
from weft.graph.op import Op
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.ops.calling import as_is
from weft.ops.calling import call_op as call_op
from weft.ops.creation import zeros
from weft.ops.engine import lax
from weft.ops.linalg import dot

# ── scan ────────────────────────────────────────────────────────────────────────────────────────────────────
# Operands: carried values, then constants, then what is scanned (with a leading axis of ``length``).
# The body's graph takes (carried, scanned slices, constants) and gives (carried, results of the step).


def _scan(*operands: Spec, body: Graph, carried: int, constants: int, length: int, reverse: bool) -> Any:
    steps = result_specs(body)[carried:]
    return (*operands[:carried], *(Spec((length, *s.shape), s.dtype) for s in steps))


def _scan_lower(*operands: Any, body: Graph, carried: int, constants: int, length: int, reverse: bool) -> Any:
    first, fixed, scanned = operands[:carried], operands[carried : carried + constants], operands[carried + constants :]

    lowering.older_kernels |= _recurs(body, carried)

    def step(state: Any, slices: Any) -> Any:
        with lowering.loop():
            results = interpret(body, (*state, *slices, *fixed))
        return tuple(results[:carried]), tuple(results[carried:])

    last, stacked = lax.scan(step, tuple(first), tuple(scanned), length=length, reverse=reverse)
    return (*last, *stacked)


def _recurs(body: Graph, carried: int) -> bool:
    """Whether something carried is multiplied by a matrix that is not, as the state of a recurrence is."""
    moving, number = {~k for k in range(carried)}, 0
    for op, references, _, results in body.entries:
        moves = [r in moving for r in references]
        if op is dot and moves == [True, False]:
            return True
        if any(moves):
            moving.update(range(number, number + results))
        number += results
    return False


def _scan_vjp(
    g: Any, _: Any, *operands: Any, body: Graph, carried: int, constants: int, length: int, reverse: bool
) -> Any:
    """Run the loop again keeping what each step began with, then go back through the steps.

    The loop back carries the gradients of the carried values and the sums of those of the constants.
    """
    _, fixed, scanned = _cut(operands, carried, constants, len(operands) - carried - constants)
    keeping = Graph(body.inputs, body.entries, (*body.outputs[:carried], *(~k for k in range(carried))), body.notes)
    kept = scan_op(*operands, body=keeping, carried=carried, constants=constants, length=length, reverse=reverse)
    results = result_specs(body)
    smooth_in, smooth_out = _smooth(body.inputs), _smooth(results)
    step = gradient_graph(body, smooth_in, smooth_out)
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
    found = scan_op(*state, *fixed, *over, body=record_graph("the gradient of a loop", back, specs), **loop)
    of_first, of_fixed, of_scanned = _cut(found, len(of_last), len(sums), len(found) - len(state))
    rest = iter([*of_first, *of_fixed, *of_scanned])
    return tuple(next(rest) if x.dtype.is_differentiable else None for x in operands)


scan_op = Op("scan", shape=_scan, lower=_scan_lower, vjp=_scan_vjp, takes=as_is)


@rule_for(scan_op)
def _scan_forward(
    tangents: Any, *operands: Any, body: Graph, carried: int, constants: int, length: int, reverse: bool
) -> Any:
    """The same loop over pairs of values and tangents."""
    n = len(operands) - carried - constants
    first, fixed, scanned = _cut(operands, carried, constants, n)
    of_first, of_fixed, of_scanned = _cut(tangents, carried, constants, n)
    moving = (*_smooth(body.inputs[:carried]), *_given(of_scanned), *_given(of_fixed))
    step = tangent_graph(body, moving, keep=True)
    sizes = [carried, n, constants, sum(moving[:carried]), sum(_given(of_scanned)), sum(_given(of_fixed))]
    values = _cut(range(len(step.inputs)), *sizes)
    smooth_out = _smooth(result_specs(body))
    made = _cut(
        range(len(step.outputs)),
        carried,
        len(body.outputs) - carried,
        sum(smooth_out[:carried]),
        sum(smooth_out[carried:]),
    )
    pairs = reorder(
        step, [k for i in (0, 3, 1, 4, 2, 5) for k in values[i]], [k for i in (0, 2, 1, 3) for k in made[i]]
    )
    state = [*first, *_moving_state(first, of_first)]
    constant = [*fixed, *(t for t in of_fixed if t is not None)]
    found = scan_op(
        *state,
        *constant,
        *scanned,
        *(t for t in of_scanned if t is not None),
        body=pairs,
        carried=len(state),
        constants=len(constant),
        length=length,
        reverse=reverse,
    )
    rest = iter([*found[carried : len(state)], *found[len(state) + len(body.outputs) - carried :]])
    return tuple(next(rest) if s else None for s in smooth_out)


# ── while ───────────────────────────────────────────────────────────────────────────────────────────────────
# Operands: carried values, then constants. Both graphs take them all; the body's gives the carried values.


def _while_lower(*operands: Any, condition: Graph, body: Graph, carried: int) -> Any:
    first, fixed = operands[:carried], operands[carried:]

    def step(state: Any) -> Any:
        with lowering.loop():
            return tuple(interpret(body, (*state, *fixed)))

    def again(state: Any) -> Any:
        return interpret(condition, (*state, *fixed))[0]

    return tuple(lax.while_loop(again, step, tuple(first)))


def _while_vjp(g: Any, y: Any, *operands: Any, **params: Any) -> Any:
    """None: without a bound on the number of steps the past cannot be kept."""
    raise GradientError(
        "a reverse-mode gradient through while_loop, whose number of iterations depends on values",
        expected="a loop with a fixed number of steps, or forward mode",
        cure="wf.scan(…) over a fixed number of steps with wf.where(done, state, new) inside; "
        "wf.jvp(…) or wf.jacobian(…, mode='forward');\n"
        ".detach() the result if no gradient is meant to pass here",
    )


while_op = Op(
    "while_loop",
    shape=lambda *operands, condition, body, carried: tuple(operands[:carried]),
    lower=_while_lower,
    vjp=_while_vjp,
    takes=as_is,
)


@rule_for(while_op)
def _while_forward(tangents: Any, *operands: Any, condition: Graph, body: Graph, carried: int) -> Any:
    """The same loop over pairs of values and tangents; the values alone say when it ends."""
    constants = len(operands) - carried
    smooth = _smooth(body.inputs[:carried])
    of_fixed = [t for t in tangents[carried:] if t is not None]
    step = tangent_graph(body, (*smooth, *_given(tangents[carried:])), keep=True)
    state, fixed, of_state, of_constants = _cut(range(len(step.inputs)), carried, constants, sum(smooth), len(of_fixed))
    pairs = reorder(step, [*state, *of_state, *fixed, *of_constants], range(len(step.outputs)))
    order = [*state, *(-1 for _ in of_state), *fixed, *(-1 for _ in of_fixed)]
    first = [*operands[:carried], *_moving_state(operands[:carried], tangents[:carried])]
    found = while_op(
        *first,
        *operands[carried:],
        *of_fixed,
        condition=reorder(condition, order, [0], pairs.inputs),
        body=pairs,
        carried=len(first),
    )
    rest = iter(found[carried:])
    return tuple(next(rest) if s else None for s in smooth)


# ── cond ────────────────────────────────────────────────────────────────────────────────────────────────────


def _cond_lower(condition: Any, *operands: Any, yes: Graph, no: Graph) -> Any:
    return tuple(lax.cond(condition, lambda *x: interpret(yes, x), lambda *x: interpret(no, x), *operands))


def _cond_vjp(g: Any, _: Any, condition: Any, *operands: Any, yes: Graph, no: Graph) -> Any:
    """The gradient of the branch that was taken."""
    smooth = tuple(x.dtype.is_differentiable for x in operands)
    given = _given(g)
    cotangents = [part for part in g if part is not None]
    branches = {"yes": gradient_graph(yes, smooth, given), "no": gradient_graph(no, smooth, given)}
    found = iter(cond_op(condition, *operands, *cotangents, **branches))
    return (None, *(next(found) if s else None for s in smooth))


cond_op = Op(
    "cond",
    shape=lambda condition, *operands, yes, no: result_specs(yes),
    lower=_cond_lower,
    vjp=_cond_vjp,
    takes=as_is,
)


@rule_for(cond_op)
def _cond_forward(tangents: Any, condition: Any, *operands: Any, yes: Graph, no: Graph) -> Any:
    """The tangent of the branch that was taken."""
    moving = _given(tangents[1:])
    branches = {"yes": tangent_graph(yes, moving), "no": tangent_graph(no, moving)}
    found = iter(cond_op(condition, *operands, *(t for t in tangents[1:] if t is not None), **branches))
    return tuple(next(found) if s else None for s in _smooth(result_specs(yes)))


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────


def _cut(values: Any, *sizes: int) -> list[Any]:
    """A sequence cut into pieces of these sizes."""
    ends = list(accumulate(sizes))
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _halves(parts: Any, flags: Any, at: int) -> tuple[Any, Any]:
    return (parts[:at], flags[:at]), (parts[at:], flags[at:])


def _smooth(specs: Any) -> tuple[bool, ...]:
    return tuple(spec.dtype.is_differentiable for spec in specs)


def _given(parts: Any) -> tuple[bool, ...]:
    return tuple(part is not None for part in parts)


def _moving_state(values: Any, tangents: Any) -> list[Any]:
    """The tangents that a loop carries: those of all differentiable values, as any may come to move."""
    pairs = zip(values, tangents, strict=True)
    return [_zeros(x.node.spec) if t is None else t for x, t in pairs if x.dtype.is_differentiable]


def _slice_spec(t: Any) -> Spec:
    return Spec(t.shape[1:], t.dtype)


def _zeros(spec: Spec) -> Any:
    return zeros(spec.shape, dtype=spec.dtype)
