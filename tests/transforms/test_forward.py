"""Forward mode: tangents through everything, loops without a bound included, differentiable again."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError
from weft.graph.text import tensor_text
from weft.transforms import hvp, jvp

X = np.array([0.3, 0.7, 1.1])


def x64(value: Any) -> Any:
    return wf.tensor(np.asarray(value, np.float64))


def test_a_tangent_has_the_structure_of_the_result() -> None:
    def f(pair: Any, k: int) -> Any:
        return {"sum": pair["a"] + pair["b"] * k, "rest": (pair["a"] > 0, 1.0)}

    y, t = jvp(f, ({"a": x64(1.0), "b": x64(2.0)}, 3), ({"a": x64(1.0), "b": x64(10.0)}, None))
    assert (float(y["sum"]), float(t["sum"])) == (7.0, 31.0)
    assert t["rest"][0] is None  # a truth has no tangent
    assert (float(y["rest"][1]), float(t["rest"][1])) == (1.0, 0.0)


def test_what_does_not_move_contributes_nothing() -> None:
    y, t = jvp(lambda a, b: a * b + wf.floor(a), (2.5, x64(3.0)), (1.0, None))
    assert (float(y), float(t)) == (9.5, 3.0)
    _, t = jvp(lambda a: a.detach() * 2, (x64(1.0),), (x64(1.0),))
    assert float(t) == 0.0


def test_the_same_tensor_as_argument_and_from_outside_are_two_things() -> None:
    w = wf.tensor(3.0, requires_grad=True)
    assert float(jvp(lambda a: a * w, (w,), (1.0,))[1]) == 3.0
    assert float(wf.grad(lambda a: a * w)(w)) == 3.0
    assert float(wf.gradients(wf.grad(lambda a: a * a * w)(w), w)) == 12.0  # of 2 w · w, by both


def test_a_loop_without_bound_has_a_tangent() -> None:
    def newton(a: Any, c: Any) -> Any:
        """√a by Newton's method: c is a constant of the loop, the error a state that is no argument."""

        def step(state: Any) -> Any:
            x, _ = state
            new = (x + a / x) / 2 * c
            return new, abs(new * new - a).detach()

        return wf.while_loop(lambda state: state[1] > 1e-12, step, (a, a))[0]  # a begins, and is read inside

    y, t = jvp(newton, (x64(2.0), x64(1.0)), (x64(1.0), None))
    assert float(y) == pytest.approx(2**0.5)
    assert float(t) == pytest.approx(0.5 / 2**0.5)
    (_, first), second = jvp(lambda a: jvp(lambda a: newton(a, x64(1.0)), (a,), (1.0,)), (x64(2.0),), (1.0,))
    assert float(second[1]) == pytest.approx(-0.25 / 2**1.5, rel=1e-6)
    assert float(second[0]) == pytest.approx(float(first))


def test_a_loop_without_bound_refuses_reverse_mode_with_a_lesson() -> None:
    w = wf.tensor(1.5, requires_grad=True)
    doubled = wf.while_loop(lambda v: v < 100, lambda v: v * 2, w)
    with pytest.raises(GradientError, match="while_loop") as caught:
        (doubled + w).backward()
    assert "test_forward.py" in str(caught.value)
    assert "wf.scan" in str(caught.value)
    assert float(wf.gradients(doubled.detach() * w, w)) == 192.0


def test_tangents_are_differentiable_in_the_point_and_in_the_direction() -> None:
    x, v = (wf.tensor(a, requires_grad=True) for a in (X, X[::-1].copy()))
    _, t = jvp(lambda x: (wf.sin(x) * x).sum(), (x,), (v,))  # v · (sin x + x cos x)
    dx, dv = wf.gradients(t, [x, v])
    np.testing.assert_allclose(dv.numpy(), np.sin(X) + X * np.cos(X), rtol=1e-12)
    np.testing.assert_allclose(dx.numpy(), X[::-1] * (2 * np.cos(X) - X * np.sin(X)), rtol=1e-12)


def test_the_hessian_vector_product_is_the_derivative_of_the_gradient() -> None:
    def f(p: Any) -> Any:
        return (p["w"] ** 3).sum() * p["b"]

    w, b = x64(X), x64(2.0)
    product = hvp(f, {"w": w, "b": b}, {"w": wf.ones(3, dtype=wf.float64), "b": x64(0.5)})
    np.testing.assert_allclose(product["w"].numpy(), 6 * X * 2 + 3 * X**2 * 0.5, rtol=1e-12)
    assert float(product["b"]) == pytest.approx((3 * X**2).sum())


def test_forward_mode_runs_without_tracking_and_leaves_no_history() -> None:
    with wf.no_grad():
        y, t = jvp(lambda x: wf.sin(x) * x, (x64(X),), (x64(X),))
    assert not y.node.tracked
    assert not t.node.tracked
    np.testing.assert_allclose(t.numpy(), X * (np.sin(X) + X * np.cos(X)), rtol=1e-12)
    y, t = jvp(wf.exp, (x64(X),), (x64(X),))
    assert [y.node.tracked, t.node.tracked] == [False, False]
    w = wf.tensor(X, requires_grad=True)
    assert jvp(lambda x: x * w, (x64(X),), (x64(X),))[1].node.tracked  # by w


def test_a_tangent_is_part_of_the_program_and_names_its_ops() -> None:
    x = x64(X) * 1
    text = tensor_text(jvp(lambda x: x * x.exp(), (x,), (x,))[1], notes=True)
    assert text.count("= exp") == 1
    assert "∂" in text


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: jvp(wf.sin, (x,), (x[:2],)), ShapeError, r"a tangent of argument 0 of shape \(2,\)"),
        (lambda x: jvp(wf.sin, (x,), (x, x)), ArgumentError, "2 tangents for 1 arguments"),
        (lambda x: jvp(wf.sin, (x,), x), ArgumentError, "tangents for 1 arguments"),
        (lambda x: jvp(lambda p: p["a"], ({"a": x},), ({"b": x},)), ArgumentError, "a dict of a"),
        (lambda x: jvp(lambda p: p[0], ((x, x),), ((x,),)), ArgumentError, "expected: 2 parts"),
        (lambda x: jvp(lambda x, k: x * k, (x, 2), (x, 1.0)), ArgumentError, "argument 1, which holds no tensor"),
        (lambda x: jvp(lambda k: k, (wf.tensor([1]),), (wf.tensor([1.0]),)), DTypeError, "integer"),
        (lambda x: jvp(lambda x: None, (x,), (x,)), ArgumentError, "holds no tensor"),
        (lambda x: hvp(wf.sin, x, x), GradientError, "one element"),
    ],
)
def test_directions_that_do_not_fit_are_lessons(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        wrong(x64(X))
    assert re.search(says, str(caught.value)), str(caught.value)
