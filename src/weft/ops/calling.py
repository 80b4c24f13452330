"""Ops that apply one closed graph: as it stands, to every example of a batch, recomputed, or with its own gradient."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.derived import gradient_graph, result_specs, tangent_graph
from weft.graph.dtype import dtype
from weft.graph.forward import rule_for
from weft.graph.function import interpret
from weft.graph.lowering import lowering
from weft.graph.op import Op, unchanged
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.ops.creation import zeros
from weft.ops.engine import jax, jnp, lax
from weft.ops.reduction import sum_op

Flags = tuple[bool, ...]


def as_is(kinds: Any) -> Any:
    """Operands stay what they are."""
    return (None,) * len(kinds)


def _results(*operands: Spec, graph: Graph, **_: Any) -> tuple[Spec, ...]:
    return result_specs(graph)


def _interpreted(*operands: Any, graph: Graph, **_: Any) -> tuple[Any, ...]:
    return tuple(interpret(graph, operands))


def _given(parts: Any) -> Flags:
    return tuple(part is not None for part in parts)


def _present(parts: Any) -> list[Any]:
    return [part for part in parts if part is not None]


def _where(flags: Any, values: Any) -> tuple[Any, ...]:
    """The values in the places where a flag holds, None elsewhere."""
    rest = iter(values)
    return tuple(next(rest) if flag else None for flag in flags)


def _smooth(specs: Any) -> Flags:
    return tuple(spec.dtype.is_differentiable for spec in specs)


# ── a graph as one entry: how a compiled function takes part in a larger computation ───────────────────────


def _call_vjp(g: Any, _: Any, *operands: Any, graph: Graph, needed: Flags) -> Any:
    return _where(needed, call_op(*operands, *_present(g), graph=gradient_graph(graph, needed, _given(g))))


call_op = Op("call", shape=_results, lower=_interpreted, vjp=_call_vjp, takes=unchanged, selective=True)


@rule_for(call_op)
def _call_forward(tangents: Any, *operands: Any, graph: Graph) -> Any:
    found = call_op(*operands, *_present(tangents), graph=tangent_graph(graph, _given(tangents)))
    return _where(_smooth(result_specs(graph)), found)


# ── recomputed instead of stored ────────────────────────────────────────────────────────────────────────────


def _barrier(*xs: Any) -> tuple[Any, ...]:
    """Identity that keeps the compiler from merging what is computed behind it with the same computed before.

    XLA's own barrier is dropped on the CPU before it merges. There each operand passes through a choice that always
    falls the same way, which the compiler cannot know: whether a number is equal to itself, or is NaN.
    """
    if lowering.platform != "cpu":
        return tuple(lax.optimization_barrier(xs))
    floating = [x for x in xs if x.size and dtype(x.dtype).is_differentiable]
    if not floating:
        return xs
    first = floating[-1].reshape(-1)[0]
    always = (first == first) | (first != first)
    return tuple(jnp.where(always, x, jnp.zeros_like(x)) for x in xs)


barrier_op = Op(
    "barrier",
    shape=lambda *xs: xs,
    lower=_barrier,
    vjp=lambda g, y, *xs: g,
    takes=as_is,
)


@rule_for(barrier_op)
def _barrier_forward(tangents: Any, *xs: Any) -> Any:
    return tangents


def _checkpoint_vjp(g: Any, _: Any, *operands: Any, graph: Graph, needed: Flags) -> Any:
    """Compute the graph again from its inputs, once the cotangents are there, and go back through that."""
    held = barrier_op(*operands, *_present(g))
    return _where(needed, checkpoint_op(*held, graph=gradient_graph(graph, needed, _given(g))))


checkpoint_op = Op("checkpoint", shape=_results, lower=_interpreted, vjp=_checkpoint_vjp, takes=as_is, selective=True)


@rule_for(checkpoint_op)
def _checkpoint_forward(tangents: Any, *operands: Any, graph: Graph) -> Any:
    found = checkpoint_op(*operands, *_present(tangents), graph=tangent_graph(graph, _given(tangents)))
    return _where(_smooth(result_specs(graph)), found)


# ── a graph whose gradient is given ─────────────────────────────────────────────────────────────────────────
# ``pullback`` maps the operands and the cotangents of all differentiable results to the gradients of the operands
# that ``wanted`` flags.


def _custom_vjp(g: Any, _: Any, *operands: Any, graph: Graph, pullback: Graph, wanted: Flags) -> Any:
    specs = result_specs(graph)
    cotangents = [
        zeros(spec.shape, dtype=spec.dtype) if part is None else part
        for part, spec in zip(g, specs, strict=True)
        if spec.dtype.is_differentiable
    ]
    return _where(wanted, call_op(*operands, *cotangents, graph=pullback))


custom_op = Op("custom_gradient", shape=_results, lower=_interpreted, vjp=_custom_vjp, takes=as_is)


# ── a graph for every example of a batch ────────────────────────────────────────────────────────────────────
# Operands that are ``mapped`` have the examples along their first axis, as have all results.


def _vmap(*operands: Spec, graph: Graph, mapped: Flags, size: int) -> tuple[Spec, ...]:
    for k, (x, spec, is_mapped) in enumerate(zip(operands, graph.inputs, mapped, strict=True)):
        expected = (size, *spec.shape) if is_mapped else spec.shape
        if x.shape != expected or x.dtype is not spec.dtype:
            raise ShapeError(f"operand {k} of vmap is {x!r}", expected=f"{Spec(expected, spec.dtype)!r}")
    return tuple(Spec((size, *spec.shape), spec.dtype) for spec in result_specs(graph))


def _vmap_lower(*operands: Any, graph: Graph, mapped: Flags, size: int) -> tuple[Any, ...]:
    axes = tuple(0 if is_mapped else None for is_mapped in mapped)
    each = jax.vmap(lambda *xs: tuple(interpret(graph, xs)), in_axes=axes, axis_size=size)
    return tuple(each(*operands))


def _vmap_vjp(g: Any, _: Any, *operands: Any, graph: Graph, mapped: Flags, size: int, needed: Flags) -> Any:
    """The gradient for every example; what all examples share sums theirs."""
    back = gradient_graph(graph, needed, _given(g))
    cotangents = _present(g)
    found = vmap_op(*operands, *cotangents, graph=back, mapped=mapped + (True,) * len(cotangents), size=size)
    each = _where(needed, found)
    return tuple(
        part if part is None or is_mapped else sum_op(part, axis=(0,), keepdims=False)
        for part, is_mapped in zip(each, mapped, strict=True)
    )


vmap_op = Op("vmap", shape=_vmap, lower=_vmap_lower, vjp=_vmap_vjp, takes=as_is, selective=True)


@rule_for(vmap_op)
def _vmap_forward(tangents: Any, *operands: Any, graph: Graph, mapped: Flags, size: int) -> Any:
    """The tangent for every example."""
    given = _given(tangents)
    moving = tuple(is_mapped for is_mapped, has in zip(mapped, given, strict=True) if has)
    found = vmap_op(
        *operands, *_present(tangents), graph=tangent_graph(graph, given), mapped=mapped + moving, size=size
    )
    return _where(_smooth(result_specs(graph)), found)
