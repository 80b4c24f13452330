"""Gradients written by hand: used as they stand, everywhere, and differentiated in their turn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, GradientError, ShapeError
from weft.transforms import custom_gradient, hessian, hvp, jvp, vmap

X = np.array([0.3, 0.7, 1.1])


def x64(value: Any) -> Any:
    return wf.tensor(np.asarray(value, np.float64))


@custom_gradient
def stepped(x: Any) -> Any:
    """The rounding of x, with the gradient of the identity: the straight-through estimator."""
    return wf.round(x), lambda g: g


@custom_gradient
def scaled(x: Any, w: Any, k: float) -> Any:
    """k · x · w, whose gradient by x is cubed for the test to recognise, and which uses what it has computed."""
    e = x * x
    return x * w * k, lambda g: (g * e * x, (g * x).sum() * k)


def test_the_gradient_is_the_one_that_is_given() -> None:
    assert stepped(x64(X)).tolist() == [0.0, 1.0, 1.0]
    assert wf.grad(lambda x: (stepped(x) * 3).sum())(x64(X)).tolist() == [3, 3, 3]
    x, w = wf.tensor(X, requires_grad=True), wf.tensor(2.0, wf.float64, requires_grad=True)
    y = scaled(x, w, 10.0)
    np.testing.assert_allclose(y.numpy(), X * 20)
    dx, dw = wf.gradients(y.sum(), [x, w])
    np.testing.assert_allclose(dx.numpy(), X**3)
    assert float(dw) == pytest.approx(10 * X.sum())
    for _ in range(2):  # the second pass is remembered
        scaled(x, w, 10.0).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * X**3)


def test_the_second_derivative_follows_from_what_was_written() -> None:
    def f(x: Any) -> Any:
        return scaled(x, 2.0, 10.0).sum()

    np.testing.assert_allclose(hessian(f)(x64(X)).numpy(), np.diag(3 * X**2), rtol=1e-12)
    np.testing.assert_allclose(hvp(f, x64(X), x64(X)).numpy(), 3 * X**3, rtol=1e-12)
    np.testing.assert_allclose(
        wf.grad(lambda x: wf.grad(lambda x: wf.grad(f)(x).sum())(x).sum())(x64(X)).numpy(), 6 * X
    )


def test_forward_mode_transposes_it() -> None:
    y, t = jvp(lambda x: scaled(x, 2.0, 10.0), (x64(X),), (x64([1.0, 0.0, 2.0]),))
    np.testing.assert_allclose(y.numpy(), X * 20)
    np.testing.assert_allclose(t.numpy(), X**3 * [1, 0, 2])


def test_new_numbers_compile_nothing_and_every_context_takes_part() -> None:
    def slope_by_x(k: float) -> Any:
        return wf.grad(lambda x: scaled(x, 2.0, k).sum())(x64(X)).tolist()

    slope_by_x(1.0)
    before = wf.explain().count
    assert slope_by_x(2.0) == pytest.approx((X**3).tolist())
    assert wf.explain().count == before
    slope = wf.grad(lambda x: stepped(x).sum() * 2)
    assert wf.compile(slope)(x64(X)).tolist() == [2, 2, 2]
    assert vmap(wf.grad(stepped))(x64(X)).tolist() == [1, 1, 1]
    total = wf.grad(lambda x: wf.scan(lambda c, a: (c + stepped(a), None), x64(0.0), x)[0])(x64(X))
    assert total.tolist() == [1, 1, 1]


def test_structures_methods_several_results_and_integers() -> None:
    class Model:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        @custom_gradient
        def both(self, p: Any, index: Any) -> Any:
            picked = p["a"][index]
            y = (picked * self.factor, index + 1, p["b"].sum())
            return y, lambda g, none, h: ({"a": p["a"] * 0 + g, "b": None}, None)

    model, p = Model(5.0), {"a": x64(X), "b": x64(X)}
    y, n, s = model.both(p, wf.tensor(1))
    assert (float(y), int(n), float(s)) == (3.5, 2, pytest.approx(X.sum()))
    g = wf.grad(lambda p: model.both(p, wf.tensor(1))[0] * 2 + model.both(p, wf.tensor(1))[2])(p)
    assert (g["a"].tolist(), g["b"].tolist()) == ([2, 2, 2], [0, 0, 0])


def test_constants_from_outside_are_read_and_gradients_taken_inside() -> None:
    constant = x64([1.0, 2.0, 3.0])

    @custom_gradient
    def f(x: Any) -> Any:
        y = x * x * constant
        return y, lambda g: wf.gradients(y, x, cotangents=g) * -1  # the gradient reversed

    assert wf.grad(lambda x: f(x).sum())(x64(X)).tolist() == pytest.approx((-2 * X * [1, 2, 3]).tolist())


def test_random_numbers_are_the_same_on_the_way_back() -> None:
    @custom_gradient
    def dropped(x: Any) -> Any:
        mask = wf.random.bernoulli(0.5, x.shape).astype("float64")
        return x * mask, lambda g: g * mask

    x = wf.tensor(np.ones(50), requires_grad=True)
    y = dropped(x)
    g = wf.gradients(y.sum(), x)
    assert y.tolist() == g.tolist()
    assert 5 < sum(y.tolist()) < 45


def _with(backward: Any) -> Any:
    return custom_gradient(lambda x, w: (x * w, backward))


def _captures(x: Any) -> Any:
    w = wf.tensor([1.0, 2.0, 3.0], wf.float64, requires_grad=True)
    return custom_gradient(lambda x: (x * w, lambda g: g))(x)


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: _with(lambda g: g)(x, x), GradientError, "1 cotangents\n.*2: one for each positional"),
        (lambda x: _with(lambda g: (g, g, g))(x, x), GradientError, "returned 3 cotangents"),
        (lambda x: _with(lambda g: (g, g.sum()))(x, x), ShapeError, r"of shape \(\) for an argument of shape \(3,\)"),
        (lambda x: custom_gradient(lambda x: x)(x), ArgumentError, "a function of the result's cotangent"),
        (lambda x: custom_gradient(lambda x: (x, 3))(x), ArgumentError, "a function of the result's cotangent"),
        (_captures, GradientError, "as a positional argument"),
        (
            lambda x: custom_gradient(lambda x, *, w: (x * w, lambda g: g))(x, w=wf.tensor(X, requires_grad=True)),
            GradientError,
            "as a positional argument",
        ),
    ],
)
def test_what_does_not_fit_is_a_lesson(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        wrong(x64(X))
    assert re.search(says, str(caught.value)), str(caught.value)
