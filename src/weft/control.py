"""Loops and branches as people write them: `scan`, `while_loop` and `cond` over ordinary functions.

Tensors from outside that a body reads are operands of the op; tensors that it assigns (parameters, running
statistics) travel through the loop and hold their last value after it. So a training step, as it is written by
hand, can be the body of a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.closure import Closure, reorder
from weft.graph.derived import spec_at
from weft.graph.node import Handle
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.graph.structure import flatten, unflatten
from weft.ops.control import cond_op, scan_op, while_op
from weft.ops.creation import arange
from weft.tensor import as_tensor
from weft.transforms.bodies import assign_all, record_body
from weft.transforms.structure import tensors


def scan(f: Callable[..., Any], init: Any, xs: Any = None, *, length: int | None = None, reverse: bool = False) -> Any:
    """Run ``carry, y = f(carry, x)`` over the leading axis of ``xs`` as one program; (last carry, stacked ys).

    ``carry``, ``xs`` and ``y`` are tensors, numbers, or nested tuples, lists and dicts of them (or None). The carry
    keeps its shapes and types. Differentiable: the steps are run again on the way back, so only the carries are stored.

    >>> import weft as wf
    >>> last, sums = wf.scan(lambda total, x: (total + x, total + x), wf.tensor(0.0), wf.tensor([1.0, 2.0, 3.0]))
    >>> float(last), sums.tolist()
    (6.0, [1.0, 3.0, 6.0])
    """
    carry, carry_form = _values(init)
    scanned, scanned_form = _values(xs)
    steps = _length(scanned, length)
    scanned.append(arange(steps))
    closure = _loop_body(lambda c, x, i: _pair(f(c, x)), "the body of scan", carry, scanned, [carry_form, scanned_form])
    made_form, step_form = closure.structure[1]
    _same_structure(made_form, carry_form, "the body of scan", "it began with")
    state, fixed = _state_and_constants(closure)
    n, given = len(carry), closure.arguments
    order = [*range(n), *(given + k for k in state), *range(n, given), *(given + k for k in fixed)]
    results = closure.results
    outputs = [*range(n), *range(results, results + len(state)), *range(n, results)]
    body = reorder(closure.graph, order, outputs)
    carried = [*carry, *(closure.captured[k] for k in state)]
    _same_specs(body, carried, "scan")
    constants = [closure.captured[k] for k in fixed]
    made = scan_op(
        *carried,
        *constants,
        *scanned,
        body=body,
        carried=len(carried),
        constants=len(constants),
        length=steps,
        reverse=reverse,
    )
    assign_all(closure.written, made[n : len(carried)])
    return unflatten(carry_form, made[:n]), unflatten(step_form, made[len(carried) :])


def while_loop(condition: Callable[..., Any], body: Callable[..., Any], init: Any) -> Any:
    """Run ``state = body(state)`` while ``condition(state)`` holds, as one program; the last state.

    The number of iterations may depend on values, so the past cannot be kept: there is no reverse-mode gradient, and
    asking for one is an error. Forward mode (`jvp`) goes through.

    >>> import weft as wf
    >>> float(wf.while_loop(lambda x: x < 100, lambda x: x * 2, wf.tensor(3.0)))
    192.0
    """
    carry, form = _values(init)
    carry.append(as_tensor(0))
    step = _loop_body(lambda state, i: (body(state), i + 1), "the body of while_loop", carry, [], [form])
    _same_structure(step.structure[1][0], form, "the body of while_loop", "it began with")
    test = _loop_body(lambda state, i: _truth(condition(state)), "the condition of while_loop", carry, [], [form])
    state, fixed = _state_and_constants(step)
    assigned = {id(step.captured[k]): step.captured[k] for k in state}
    carried = [*carry, *assigned.values()]
    read = {id(h): h for h in [*(step.captured[k] for k in fixed), *test.captured]}
    constants = [h for key, h in read.items() if key not in assigned]
    operands = [*carried, *constants]
    specs = [t.node.spec for t in operands]
    graphs = [_with_operands(c, len(carry), operands, specs) for c in (step, test)]
    _same_specs(graphs[0], carried, "while_loop")
    made = while_op(*operands, condition=graphs[1], body=graphs[0], carried=len(carried))
    assign_all(step.written, made[len(carry) :])
    return unflatten(form, made[: len(carry) - 1])


def cond(condition: Any, yes: Callable[..., Any], no: Callable[..., Any], *operands: Any) -> Any:
    """``yes(*operands)`` where the single truth value ``condition`` holds, else ``no(*operands)``.

    Only the chosen branch runs; both are recorded and return the same structure, shapes and types. Differentiable.

    >>> import weft as wf
    >>> float(wf.cond(wf.tensor(2.0) > 1, lambda x: x * 10, lambda x: x, wf.tensor(3.0)))
    30.0
    """
    chosen = as_tensor(condition)
    if chosen.shape != ():
        raise ShapeError(
            f"cond with a condition of shape {chosen.shape}",
            expected="a single truth value",
            cure="wf.where(condition, a, b), which chooses element by element",
        )
    leaves, form = flatten(operands)
    branches = [_loop_body(lambda xs, f=f: f(*xs), "a branch of cond", leaves, [], [form]) for f in (yes, no)]
    if any(branch.written for branch in branches):
        raise ArgumentError(
            "a branch of cond assigns a tensor", expected="branches that return values", cure="w.assign(wf.cond(…))"
        )
    _same_structure(branches[1].structure, branches[0].structure, "the second branch of cond", "the first")
    captured = list({id(h): h for branch in branches for h in branch.captured}.values())
    everything = [*leaves, *captured]
    specs = [t.node.spec for t in everything]
    graphs = [_with_operands(branch, len(leaves), everything, specs) for branch in branches]
    first, second = ([spec_at(g, r) for r in g.outputs] for g in graphs)
    if first != second:
        raise ShapeError(f"the branches of cond give {first} and {second}", expected="equal shapes and types")
    made = cond_op(chosen, *everything, yes=graphs[0], no=graphs[1])
    return unflatten(branches[0].structure, made)


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────


def _loop_body(
    f: Callable[..., Any], purpose: str, carry: Sequence[Any], scanned: Sequence[Any], forms: Sequence[Any]
) -> Closure:
    """Record ``f(*structured operands, iteration)``; the iteration is the last operand where there is one."""
    counted = purpose != "a branch of cond"
    operands = [(t.node.spec, t.node.tracked) for t in carry]
    operands += [(Spec(t.shape[1:], t.dtype), t.node.tracked) for t in scanned]
    last = len(operands) - 1

    def rebuild(arguments: list[Any]) -> list[Any]:
        rest = iter(arguments)
        parts = [unflatten(form, rest) for form in forms]
        return [*parts, arguments[last]] if counted else parts

    def values(*parts: Any) -> Any:
        return tensors(f(*parts), whole=True)

    return record_body(values, operands, rebuild, purpose, counter=last if counted else None)


def _values(given: Any) -> tuple[list[Any], Any]:
    """The tensors of what a loop begins with, where a number is a value too: it may be another one at the end."""
    return flatten(tensors(given, whole=True))


def _truth(made: Any) -> Any:
    """What the condition of a loop returned, as the truth value that it must be."""
    found = as_tensor(made) if isinstance(made, Handle | bool) else None
    if found is None or found.shape != () or found.dtype.kind != "bool":
        kind = type(made).__name__ if found is None else f"{found.node.spec!r}"
        raise ArgumentError(
            f"the condition of while_loop returned {kind}", expected="a single truth value", cure="x.sum() > 0, say"
        )
    return found


def _state_and_constants(closure: Closure) -> tuple[list[int], list[int]]:
    """Which captured tensors the body assigns, and which it only reads."""
    state = list(closure.written_slots)
    return state, [k for k in range(len(closure.captured)) if k not in state]


def _with_operands(closure: Closure, arguments: int, operands: Sequence[Handle], specs: Sequence[Spec]) -> Graph:
    """The closure's graph as a function of all ``operands``, the first of which are its arguments."""
    places = {id(h): arguments + k for k, h in enumerate(closure.captured)}
    order = [k if k < arguments else places.get(id(h), -1) for k, h in enumerate(operands)]
    return reorder(closure.graph, order, range(len(closure.graph.outputs)), specs)


def _pair(made: Any) -> Any:
    if not isinstance(made, tuple) or len(made) != 2:
        raise ArgumentError("the body of scan returned no pair", expected="return carry, y (y may be None)")
    return made


def _length(scanned: Sequence[Any], length: int | None) -> int:
    sizes = {t.shape[0] if t.ndim else 0 for t in scanned} | ({length} if length is not None else set())
    if len(sizes) != 1:
        raise ShapeError(f"scan over leading axes of sizes {sorted(sizes)}", expected="one size for all, or length=")
    return int(sizes.pop())


def _same_structure(made: Any, wanted: Any, what: str, other: str) -> None:
    if made != wanted:
        raise ArgumentError(f"{what} returns another structure than {other}", expected="the same")


def _same_specs(graph: Any, carried: Sequence[Any], what: str) -> None:
    for k, (t, r) in enumerate(zip(carried, graph.outputs, strict=False)):
        if (made := spec_at(graph, r)) is not t.node.spec:
            raise ShapeError(
                f"the carry of {what} changes: value {k} begins as {t.node.spec!r} and becomes {made!r}",
                expected="the same shape and type in every iteration",
                cure=f"x.astype(wf.{t.dtype.name}) or a start of the right shape",
            )
