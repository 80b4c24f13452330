"""Nothing recurses with the depth of a graph: Python allows a thousand calls in each other."""

from __future__ import annotations

from typing import Any

import pytest

import weft as wf
from weft.graph.check import check
from weft.graph.derived import gradient_graph, tangent_graph
from weft.graph.dtype import float32
from weft.graph.function import record
from weft.graph.spec import Spec
from weft.transforms import checkpoint, custom_gradient, jvp, vjp, vmap

DEPTH = 10_000


def chain(x: Any, depth: int = 2000) -> Any:
    for _ in range(depth):
        x = x * 0.9999
    return x


def test_graphs_of_ten_thousand_entries_are_transformed() -> None:
    graph, _ = record("chain", lambda x: chain(x, DEPTH), (Spec((), float32),), {})
    for made in (gradient_graph(graph, (True,), (True,)), tangent_graph(graph, (True,), keep=True)):
        check(made)
        assert len(made.entries) >= DEPTH


def test_functions_of_many_operations_are_recorded_and_transformed() -> None:
    def everything(x: Any) -> Any:
        y, pullback = vjp(chain, x)
        _, t = jvp(chain, x, y)
        hard = custom_gradient(lambda x: (chain(x), lambda g: g))(x) + checkpoint(chain)(x)
        return y + pullback(y) + t + wf.grad(lambda x: hard * x)(x) + vmap(chain)(x.reshape(1))[0]

    graph, _ = record("everything", everything, (Spec((), float32),), {})
    check(graph)
    assert len(graph.entries) > 3 * 2000


def test_a_deep_chain_runs_and_is_differentiated_in_pieces() -> None:
    w = wf.tensor(1.0, requires_grad=True)
    assert float(wf.gradients(chain(w, 1200), w)) == pytest.approx(0.9999**1200, rel=1e-3)
