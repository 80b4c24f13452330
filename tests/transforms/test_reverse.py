"""Reverse mode of functions: structures, zeros, aux, pullbacks, and no history that outlives its use."""

from __future__ import annotations

import gc
import re
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError
from weft.graph.node import Node
from weft.transforms import vjp


def x64(value: Any) -> Any:
    return wf.tensor(np.asarray(value, np.float64))


def test_gradients_have_the_structure_of_the_argument() -> None:
    def loss(p: Any, x: float) -> Any:
        return ((p["w"] * x + p["b"][0]) ** 2).sum()

    p = {"w": x64([1.0, 2.0]), "b": [x64(3.0), x64(4.0)], "axis": 0}
    value, g = wf.value_and_grad(loss)(p, 2.0)
    assert float(value) == 5.0**2 + 7.0**2
    assert g["w"].tolist() == [20.0, 28.0]
    assert [float(b) for b in g["b"]] == [24.0, 0.0]  # the second is not used: its gradient is zero
    both = wf.grad(loss, argnums=(1, 0))(p, 2.0)
    assert float(both[0]) == 2 * (5 * 1 + 7 * 2)
    assert both[1]["w"].tolist() == [20.0, 28.0]
    w, b = (wf.tensor(v, requires_grad=True) for v in (1.0, 2.0))
    assert {k: float(g) for k, g in wf.gradients(w * b, {"w": w, "b": b}).items()} == {"w": 2.0, "b": 1.0}


def test_what_else_a_function_returns_comes_along() -> None:
    def loss(x: Any) -> Any:
        return (x * x).sum(), {"mean": x.mean(), "count": 3}

    (value, aux), g = wf.value_and_grad(loss, has_aux=True)(x64([1.0, 2.0]))
    assert (float(value), float(aux["mean"]), aux["count"], g.tolist()) == (5.0, 1.5, 3, [2.0, 4.0])
    assert not aux["mean"].node.tracked
    g, aux = wf.grad(loss, has_aux=True)(x64([1.0, 2.0]))
    assert (g.tolist(), float(aux["mean"])) == ([2.0, 4.0], 1.5)


def test_a_constant_function_has_a_zero_gradient() -> None:
    assert float(wf.grad(lambda x: 2.0)(1.0)) == 0.0
    assert float(wf.grad(wf.grad(lambda x: 3 * x))(1.0)) == 0.0
    assert wf.grad(lambda x: x.detach().sum())(x64([1.0, 2.0])).tolist() == [0.0, 0.0]


def test_a_pullback_can_be_used_again_and_takes_part_in_gradients() -> None:
    (y, z), pullback = vjp(lambda a, b, k: (a * b, a.sum() * k), x64([1.0, 2.0]), x64(3.0), 5)
    assert (y.tolist(), float(z)) == ([3.0, 6.0], 15.0)
    da, db, dk = pullback((x64([1.0, 10.0]), x64(0.0)))
    assert (da.tolist(), float(db), dk) == ([3.0, 30.0], 21.0, None)
    da, db, _ = pullback((None, x64(1.0)))
    assert (da.tolist(), float(db)) == ([5.0, 5.0], 0.0)
    assert not da.node.tracked
    u = wf.tensor([1.0, 10.0], wf.float64, requires_grad=True)
    assert wf.gradients(pullback((u, None))[0].sum(), u).tolist() == [3.0, 3.0]
    assert float(vjp(lambda x: x * x, 3.0)[1]()) == 6.0  # a single number has the cotangent 1


def test_loops_over_a_transform_do_not_grow() -> None:
    slope, x, counts = wf.grad(lambda x: (x * x).sum()), x64([1.0, 2.0]), []
    for k in range(60):
        x = x - 0.1 * slope(x)
        if k % 20 == 19:
            x.tolist()
            gc.collect()
            counts.append(sum(type(o) is Node for o in gc.get_objects()))
    assert max(counts) - min(counts) <= 2
    assert x.tolist() == pytest.approx([0.8**60, 2 * 0.8**60])


def test_a_gradient_reaches_past_an_end_of_history_that_does_not_concern_it() -> None:
    w = wf.tensor(2.0, requires_grad=True)
    old = w * 3
    w.assign(1.0)
    x = wf.tensor(5.0, requires_grad=True)
    assert float(wf.gradients(x * w, x)) == 1.0
    with pytest.raises(GradientError, match="history has ended"):
        wf.gradients(x * old, x)  # needs a value that is gone


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: wf.grad(lambda x: (x, x))(x), ArgumentError, "returned tuple"),
        (lambda x: wf.grad(lambda x: x)(x), GradientError, "one element"),
        (lambda x: wf.grad(lambda x: (x > 0).sum())(x), DTypeError, "int64"),
        (lambda x: wf.grad(lambda x: x.sum(), argnums=1)(x), ArgumentError, "argnums=1"),
        (lambda x: wf.grad(lambda x: x.sum(), has_aux=True)(x), ArgumentError, "has_aux"),
        (lambda x: wf.grad(lambda x: 1.0)("text"), ArgumentError, "argument 0 is str"),
        (lambda x: wf.grad(lambda k: k.sum())(wf.tensor([1, 2])), DTypeError, "int64"),
        (lambda x: wf.grad(lambda m: 1.0)(wf.nn.Linear(2, 2)), ArgumentError, "model.parameters"),
        (lambda x: vjp(lambda k: k, 2), DTypeError, "floating-point argument"),
        (lambda x: vjp(wf.sin, x)[1](x[:1]), ShapeError, "cotangent"),
        (lambda x: vjp(lambda x: x > 0, x)[1](x), DTypeError, "bool"),
        (lambda x: vjp(wf.sin, x)[1](), GradientError, "one element"),
        (lambda x: vjp(lambda x: (x, x), x)[1](x), ArgumentError, "2 parts"),
        (lambda x: wf.gradients(x.sum(), [1.0]), ArgumentError, "float"),
        (lambda x: wf.gradients(x.sum().item(), x), ArgumentError, "the gradient of float"),
        (lambda x: wf.gradients([x.sum(), None], x), ArgumentError, "the gradient of NoneType"),
    ],
)
def test_gradients_that_do_not_exist_are_lessons(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        wrong(x64([1.0, 2.0]))
    assert re.search(says, str(caught.value)), str(caught.value)


def test_what_a_result_does_not_depend_on_is_refused_or_zero() -> None:
    x, other = (wf.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    y = (x * x).sum()
    with pytest.raises(GradientError, match="unused="):
        wf.gradients(y, [x, other])
    assert [g.tolist() for g in wf.gradients(y, [x, other], unused="zeros")] == [[2.0, 4.0], [0.0, 0.0]]
    with pytest.raises(ArgumentError, match=r"model\.parameters\(\)"):
        wf.gradients(y, nn.Linear(2, 1))
