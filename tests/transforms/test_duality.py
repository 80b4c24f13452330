"""Forward and reverse mode are transposes of each other, for functions and for every op that has a gradient."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import weft as wf
from weft.graph.derived import gradient_graph, result_specs, tangent_graph
from weft.graph.function import interpret
from weft.graph.structure import flatten
from weft.transforms import jvp, vjp

from ..ops.contract import Sample, engine, graph_of
from ..ops.samples import SAMPLES
from .functions import CASES, Case


def like(leaves: Any, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [wf.tensor(rng.standard_normal(t.shape)) for t in leaves]


def dot(us: Any, vs: Any) -> Any:
    return sum(((u * v).sum() for u, v in zip(us, vs, strict=True)), wf.tensor(0.0, wf.float64))


@pytest.mark.parametrize("name", CASES)
def test_the_two_modes_agree(name: str) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩, and J v is the central difference along v."""
    f, args = CASES[name]
    found = wf.compile(lambda: duality(Case(f, args)))()
    forward, backward, difference = (float(t) for t in found)
    assert forward == pytest.approx(backward, rel=1e-9)
    assert forward == pytest.approx(difference, rel=1e-6)


def duality(case: Case) -> tuple[Any, Any, Any]:
    f, args = case
    vs = like(args, 1)
    y, moved = jvp(f, args, tuple(vs))
    leaves, form = flatten(y)
    us = like(leaves, 2)
    _, pullback = vjp(f, *args)
    back = pullback(wf.graph.structure.unflatten(form, us))

    def at(step: float) -> Any:
        return dot(us, flatten(f(*(a + step * v for a, v in zip(args, vs, strict=True))))[0])

    return dot(us, flatten(moved)[0]), dot(back, vs), (at(1e-5) - at(-1e-5)) / 2e-5


def moved_and_pulled(sample: Sample) -> tuple[Any, list[Any]]:
    """A program of both sides of ⟨u, J v⟩ = ⟨Jᵀ u, v⟩ for one op, and its operands."""
    graph, _ = graph_of(sample)
    results = result_specs(graph)
    moving, given = (tuple(s.dtype.is_differentiable for s in specs) for specs in (graph.inputs, results))
    forth, back = tangent_graph(graph, moving), gradient_graph(graph, moving, given)
    rng = np.random.default_rng(3)
    smooth = [s for s in (*graph.inputs, *results) if s.dtype.is_differentiable]
    lines = [rng.standard_normal(s.shape).astype(s.dtype.numpy) for s in smooth]
    n, m = len(graph.inputs), sum(moving)

    def program(*operands: Any) -> tuple[Any, Any]:
        x, v, u = operands[:n], operands[n : n + m], operands[n + m :]
        pairs = [(interpret(forth, (*x, *v)), u), (interpret(back, (*x, *u)), v)]
        return tuple(sum((a * b).sum().real for a, b in zip(*pair, strict=True)) for pair in pairs)  # type: ignore[return-value]

    return program, [*sample.operands, *lines]


@pytest.mark.parametrize("part", range(6))
def test_forward_mode_is_the_transpose_of_every_gradient_rule(part: int) -> None:
    chosen = {s.op: s for s in SAMPLES if s.smooth}  # one sample of each op
    samples = list(chosen.values())[part::6]
    made = [moved_and_pulled(s) for s in samples]
    with engine():
        found = jax.device_get(
            jax.jit(lambda xs: [f(*x) for (f, _), x in zip(made, xs, strict=True)])([x for _, x in made])
        )
    for sample, (forward, backward) in zip(samples, found, strict=True):
        assert forward == pytest.approx(backward, rel=1e-7, abs=1e-9), sample
