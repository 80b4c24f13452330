"""Functions as ops: one entry, recorded once, differentiable to any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError
from weft.graph.dtype import float32
from weft.graph.function import function, inline, interpret, record
from weft.graph.recording import context
from weft.graph.spec import Spec

CALLS: list[tuple[int, ...]] = []


@function
def gaussian(x: Any, mean: Any, *, scale: float) -> Any:
    """exp(−(x − mean)² / scale)."""
    CALLS.append(x.shape)
    return (-((x - mean) ** 2) / scale).exp()


@function
def polar(x: Any, y: Any) -> Any:
    return (x * x + y * y).sqrt(), x * y


def test_an_application_is_one_entry_and_the_body_is_recorded_once_a_signature() -> None:
    CALLS.clear()
    x = wf.tensor([1.0, 2.0])
    before = len(context.recording.entries)
    kept = [gaussian(x, m, scale=2.0) for m in (0.0, 0.5, 1.0)]
    assert len(context.recording.entries) - before == 3
    assert CALLS == [(2,)]
    gaussian(wf.tensor([1.0]), 0.0, scale=2.0)
    gaussian(x, 0.0, scale=3.0)
    assert CALLS == [(2,), (1,), (2,)]
    expected = [np.exp(-((np.array([1, 2]) - m) ** 2) / 2) for m in (0, 0.5, 1)]
    np.testing.assert_allclose([k.numpy() for k in kept], expected, rtol=1e-6)


def test_its_gradients_are_those_of_its_body_to_third_order() -> None:
    def inside(x: Any) -> Any:
        return (-((x - 0.3) ** 2) / 2.0).exp()

    f, g = (lambda x: gaussian(x, 0.3, scale=2.0)), inside
    x = wf.tensor(0.7, wf.float64)
    for _ in range(3):
        f, g = wf.grad(f), wf.grad(g)
        assert float(f(x)) == pytest.approx(float(g(x)), rel=1e-12)


def test_each_result_has_its_own_gradient_and_unused_results_none() -> None:
    x, y = wf.tensor(3.0, requires_grad=True), wf.tensor(4.0, requires_grad=True)
    r, p = polar(x, y)
    assert (float(r), float(p)) == (5.0, 12.0)
    assert [float(g) for g in wf.gradients(r, [x, y])] == pytest.approx([0.6, 0.8])
    assert [float(g) for g in wf.gradients(p, [x, y])] == [4.0, 3.0]
    assert [float(g) for g in wf.gradients(r + p, [x, y])] == pytest.approx([4.6, 3.8])


def test_arguments_that_need_no_gradient_get_none() -> None:
    x, mean = wf.tensor([1.0, 2.0]), wf.tensor(0.5, requires_grad=True)
    slope = wf.gradients(gaussian(x, mean, scale=1.0).sum(), mean)
    expected = (2 * (np.array([1, 2]) - 0.5) * np.exp(-((np.array([1, 2]) - 0.5) ** 2))).sum()
    assert float(slope) == pytest.approx(expected, rel=1e-6)


def test_operands_promote_and_broadcast_like_those_of_other_ops() -> None:
    y = gaussian(wf.tensor([1, 2]), wf.tensor([[0.0], [1.0]], wf.float64), scale=1.0)
    assert (y.shape, y.dtype) == ((2, 2), wf.float64)


def test_a_body_that_uses_a_tensor_from_outside_is_refused() -> None:
    hidden = wf.tensor([1.0, 2.0])

    @function
    def leaky(x: Any) -> Any:
        return x * hidden

    with pytest.raises(ArgumentError, match="not among its arguments"):
        leaky(wf.tensor([1.0, 2.0]))


def test_errors_inside_the_body_leave_the_recording_usable() -> None:
    @function
    def broken(x: Any) -> Any:
        return x.reshape(7)

    x = wf.tensor([1.0, 2.0])
    with pytest.raises(wf.errors.ShapeError):
        broken(x)
    assert (x + 1).tolist() == [2.0, 3.0]


def test_a_graph_runs_and_is_recorded_again() -> None:
    graph, _ = record("f", lambda a, b: (a * b + 2.0, a.sum()), (Spec((2,), float32), Spec((), float32)), {})
    a, b = wf.tensor([1.0, 2.0]), wf.tensor(3.0)
    product, total = inline(graph, [a, b])
    direct = interpret(graph, [a.numpy(), b.numpy()])
    np.testing.assert_array_equal(product.numpy(), direct[0])
    assert float(total) == float(direct[1]) == 3.0
