"""What every op must satisfy, as functions of a sample; tables of samples are in `samples` and next to other ops."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from weft.errors import WeftError
from weft.graph.check import check, entry_specs
from weft.graph.dtype import ALL, dtype
from weft.graph.function import inline, interpret, record, zero_like
from weft.graph.gradient import backpropagate
from weft.graph.op import Op
from weft.graph.recording import Graph, context
from weft.graph.spec import Spec
from weft.graph.text import to_text
from weft.runtime.host import HostProgram, runs_on_host

STEP = 1e-4  # of central differences in float64, whose error is its square


@dataclass(frozen=True, eq=False)
class Sample:
    """One application of an op, and what it should give.

    ``like``    NumPy's function of the operands; or, with ``verify``, a check of the values that were computed
    ``smooth``  whether the op is differentiable at these operands, to second order
    """

    op: Op
    operands: tuple[np.ndarray, ...]
    like: Callable[..., Any]
    params: dict[str, Any] = field(default_factory=dict)
    verify: bool = False
    smooth: bool = True
    retype: bool = True  # whether the shape rule is also tried in the other data types

    def __str__(self) -> str:
        shapes = "-".join("x".join(map(str, x.shape)) or "0" for x in self.operands)
        return f"{self.op.name}-{shapes}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        return tuple(Spec(x.shape, dtype(x.dtype)) for x in self.operands)


def one(
    op: Op,
    *operands: Any,
    like: Callable[..., Any],
    verify: bool = False,
    smooth: bool = True,
    **params: Any,
) -> Sample:
    """A sample; Python numbers and lists become float64 and int64 arrays."""
    retype = not any(isinstance(p, Graph) for p in params.values())
    arrays = tuple(map(np.asarray, operands))
    return Sample(op, arrays, like, params, verify, smooth and op.vjp is not None, retype)


def engine() -> Any:
    """JAX as the library runs it (64-bit types), and stricter (no implicit promotion)."""
    stack = ExitStack()
    stack.enter_context(jax.enable_x64(True))
    stack.enter_context(jax.numpy_dtype_promotion("strict"))
    return stack


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────────


def check_shapes(sample: Sample) -> None:
    """In every data type the shape rule is `jax.eval_shape` of the lowering, or refuses with a lesson."""
    changing = [k for k, x in enumerate(sample.operands) if x.dtype == np.float64 and sample.retype]
    for to in ALL if changing else [dtype("float64")]:
        specs = tuple(Spec(s.shape, to) if k in changing else s for k, s in enumerate(sample.specs))
        check_shape(sample, specs)


def check_shape(sample: Sample, specs: tuple[Spec, ...]) -> None:
    try:
        casts = sample.op.takes(tuple(s.dtype for s in specs)) if specs else ()
        taken = tuple(Spec(s.shape, to or s.dtype) for s, to in zip(specs, casts, strict=True))
        found = sample.op.shape(*taken, **sample.params)
    except WeftError:
        return
    shapes = [jax.ShapeDtypeStruct(s.shape, s.dtype.numpy) for s in taken]
    with engine():
        truth = jax.eval_shape(lambda *xs: sample.op.lower(*xs, **sample.params), *shapes)
    expected = tuple(Spec(tuple(t.shape), dtype(t.dtype)) for t in jax.tree.leaves(truth))
    assert (found if isinstance(found, tuple) else (found,)) == expected, f"for {taken}"


# ── values and gradients ────────────────────────────────────────────────────────────────────────────────────


def check_values(sample: Sample) -> None:
    """The value is NumPy's; the gradients of first and second order are central differences, along random lines."""
    with engine():
        found = jax.device_get(jax.jit(measure(sample))(*sample.operands))
    for value, reference in zip(
        found["values"], _tuple(sample.like(*found["values"] if sample.verify else sample.operands)), strict=True
    ):
        if sample.verify:
            assert reference
        else:
            np.testing.assert_allclose(value, reference, rtol=1e-9, atol=1e-9)
            assert np.shape(value) == np.shape(reference)
    for analytic, numeric in found["slopes"]:
        np.testing.assert_allclose(analytic, numeric, rtol=2e-5, atol=2e-6)


def measure(sample: Sample) -> Callable[..., dict[str, Any]]:
    """The program that computes, all at once, the values and pairs of directional derivatives that must agree."""
    f, spec = graph_of(sample)
    rng = np.random.default_rng(0)
    like = lambda specs: [rng.standard_normal(s.shape) for s in specs]
    smooth = [k for k, s in enumerate(sample.specs) if s.dtype.is_floating]

    def program(*operands: Any) -> dict[str, Any]:
        values = interpret(f, operands)
        if not sample.smooth or not smooth:
            return {"values": values, "slopes": []}
        chosen = [k for k, s in enumerate(spec) if s.dtype.is_differentiable]
        g = gradient_graph(f, smooth, chosen)
        cotangents, lines = like([spec[k] for k in chosen]), like([sample.specs[k] for k in smooth])
        first = slope(f, operands, smooth, lines, chosen, cotangents)
        inputs = (*operands, *cotangents)
        moving = [*smooth, *range(len(operands), len(inputs))]
        lines = like([g.inputs[k] for k in moving])
        outs = range(len(smooth))
        second = slope(g, inputs, moving, lines, outs, like([sample.specs[k] for k in smooth]))
        return {"values": values, "slopes": [first, second]}

    return program


def slope(f: Graph, operands: Any, moving: Any, lines: Any, outs: Any, cotangents: Any) -> tuple[Any, Any]:
    """The derivative of ⟨cotangents, f⟩ along ``lines``: by the gradient rules, and by a central difference."""
    g = gradient_graph(f, list(moving), list(outs))
    grads = interpret(g, (*operands, *cotangents))
    analytic = sum((grad * line).sum() for grad, line in zip(grads, lines, strict=True))

    def at(step: float) -> Any:
        moved = list(operands)
        for k, line in zip(moving, lines, strict=True):
            moved[k] = moved[k] + step * line
        results = interpret(f, moved)
        return sum((results[k] * c).sum() for k, c in zip(outs, cotangents, strict=True))

    return analytic, (at(STEP) - at(-STEP)) / (2 * STEP)


def graph_of(sample: Sample) -> tuple[Graph, tuple[Spec, ...]]:
    graph, spec = record(str(sample), sample.op, sample.specs, sample.params)
    return graph, spec if isinstance(spec, tuple) else (spec,)


def gradient_graph(f: Graph, wanted: list[int], outs: list[int]) -> Graph:
    """The graph of the gradients of results ``outs`` of ``f`` by inputs ``wanted``; it takes cotangents last."""
    count = len(f.inputs)

    def body(*operands: Any) -> tuple[Any, ...]:
        results = inline(f, operands[:count])
        pairs = [(results[k], c) for k, c in zip(outs, operands[count:], strict=True) if results[k].node.tracked]
        nodes = [operands[k].node for k in wanted]
        with context.set(tracking=True):
            found = backpropagate([y for y, _ in pairs], [c for _, c in pairs], nodes)
        return tuple(zero_like(node) if g is None else g for g, node in zip(found, nodes, strict=True))

    values = [spec for specs in entry_specs(f) for spec in specs]
    specs = [values[r] if r >= 0 else f.inputs[~r] for r in f.outputs if isinstance(r, int)]
    return record("gradient", body, (*f.inputs, *(specs[k] for k in outs)), {})[0]


# ── on the host ─────────────────────────────────────────────────────────────────────────────────────────────


def check_host(sample: Sample) -> None:
    """Where an op is exact, NumPy gives the very bits that XLA gives, in the type of the shape rule."""
    graph, specs = graph_of(sample)
    if not runs_on_host(graph, "cpu"):
        return
    with engine():
        compiled = jax.device_get(jax.jit(lambda *xs: interpret(graph, xs))(*sample.operands))
    for found, expected, spec in zip(HostProgram(graph)(sample.operands), compiled, specs, strict=True):
        assert (found.dtype, found.shape) == (spec.dtype.numpy, spec.shape)
        np.testing.assert_array_equal(found, expected)


# ── text and checker ────────────────────────────────────────────────────────────────────────────────────────


def check_text(sample: Sample) -> None:
    """The recording passes the checker, prints the op, and is equal to itself recorded again."""
    graph, spec = graph_of(sample)
    check(graph, spec)
    text = to_text(graph)
    assert f"= {sample.op.name}" in text
    again, _ = graph_of(sample)
    assert (again, to_text(again)) == (graph, text)


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)
