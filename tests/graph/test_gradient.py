"""The walker: broadcasting, accumulation, cotangents, and gradients of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft as wf
from weft.errors import DTypeError, GradientError, ShapeError

rng = np.random.default_rng(3)
SHAPES = [(), (1,), (3,), (2, 1), (1, 3), (2, 3)]
FUNCTIONS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}
PARTIALS: dict[str, Any] = {
    "add": lambda a, b: (1.0, 1.0),
    "subtract": lambda a, b: (1.0, -1.0),
    "multiply": lambda a, b: (b, a),
    "divide": lambda a, b: (1 / b, -a / b**2),
}


def unbroadcast(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """NumPy's own words for the transpose of broadcasting."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)


@pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")  # the shapes change on purpose
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.sampled_from(sorted(FUNCTIONS)))
def test_gradients_of_broadcast_operands(first: Any, second: Any, name: str) -> None:
    x, y = rng.uniform(0.5, 2, first), rng.uniform(0.5, 2, second)
    c = rng.standard_normal(np.broadcast_shapes(first, second))
    a, b = wf.tensor(x, requires_grad=True), wf.tensor(y, requires_grad=True)
    da, db = wf.gradients(FUNCTIONS[name](a, b), [a, b], cotangents=wf.tensor(c))
    p, q = PARTIALS[name](x, y)
    assert (da.shape, db.shape) == (first, second)
    np.testing.assert_allclose(da.numpy(), unbroadcast(c * p, first), rtol=1e-9)
    np.testing.assert_allclose(db.numpy(), unbroadcast(c * q, second), rtol=1e-9)


def test_a_tensor_used_twice_sums_what_arrives() -> None:
    x = wf.tensor(3.0, requires_grad=True)
    assert float(wf.gradients(x * x + x, x)) == 7.0


def test_gradients_of_gradients() -> None:
    x = wf.tensor(1.3, wf.float64, requires_grad=True)
    g, found = x.exp() * x, []
    for _ in range(4):
        g = wf.gradients(g, x)
        found.append(g)
    assert [float(g) for g in found] == pytest.approx([np.exp(1.3) * (1.3 + k) for k in (1, 2, 3, 4)], rel=1e-12)


def test_mixed_second_derivatives_are_symmetric() -> None:
    x, y = (wf.tensor(rng.standard_normal(3), requires_grad=True) for _ in range(2))
    f = ((x * y).exp() * x).sum()
    u, v = wf.tensor(rng.standard_normal(3)), wf.tensor(rng.standard_normal(3))
    xy = (wf.gradients((wf.gradients(f, x) * u).sum(), y) * v).sum()
    yx = (wf.gradients((wf.gradients(f, y) * v).sum(), x) * u).sum()
    assert float(xy) == pytest.approx(float(yx), rel=1e-12)


def test_backward_accumulates_exactly() -> None:
    w = wf.tensor([1.0, -2.0, 7.0], requires_grad=True)
    seen = []
    for _ in range(3):
        (w * w * w).sum().backward()
        seen.append(w.grad.numpy())
    np.testing.assert_array_equal(seen[0], [3.0, 12.0, 147.0])
    np.testing.assert_array_equal(seen[2], 3 * seen[0])
    w.grad = None
    assert w.grad is None


@pytest.mark.parametrize("look", [False, True])
def test_backward_to_a_tensor_that_was_not_computed_when_it_was_asked_for(look: bool) -> None:
    for both in (False, True, False):  # what is remembered of one is not taken for the other
        x = wf.arange(1.0, 3.0)
        w = wf.tensor([3.0, 4.0], requires_grad=True)
        other = (x + 0).requires_grad_() if both else x + 0
        y = (other * w).sum()
        if look:
            float(y)
        y.backward()
        assert w.grad.tolist() == [1, 2]
        assert (other.grad.tolist() if both else other.grad) == ([3, 4] if both else None)


def test_backward_of_several_elements_takes_cotangents() -> None:
    w = wf.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w * w
    with pytest.raises(GradientError, match="cotangents"):
        y.backward()
    with pytest.raises(ShapeError, match="cotangent of shape"):
        y.backward(wf.ones(2))
    y.backward(wf.tensor([1.0, 0.0, -1.0]))
    assert w.grad.tolist() == [2.0, 0.0, -6.0]


def test_several_results_sum_their_vector_jacobian_products() -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    found = wf.gradients([w * 2, (w * w).sum()], w, cotangents=[wf.tensor([1.0, 10.0]), wf.tensor(3.0)])
    assert found.tolist() == [2.0 + 6.0, 20.0 + 12.0]


def test_gradients_cross_casts_in_the_type_of_each_tensor() -> None:
    w = wf.tensor([1.0, 2.0], wf.float16, requires_grad=True)
    y = (w.astype("float64") * wf.tensor([3.0, 4.0], wf.float64)).sum()
    g = wf.gradients(y, w)
    assert (g.dtype, g.tolist()) == (wf.float16, [3.0, 4.0])


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: wf.gradients(x.detach().sum(), x), GradientError, "requires_grad=True"),
        (lambda x: wf.gradients(x.sum(), wf.tensor([1.0])), GradientError, "not tracked"),
        (lambda x: wf.gradients(x.sum(), wf.tensor([1])), DTypeError, "int64"),
        (lambda x: wf.gradients((x > 0).sum(), x), DTypeError, "int64"),
        (lambda x: wf.gradients((x > 0).astype("float32").sum(), x), GradientError, "depends on nothing"),
        (lambda x: wf.gradients(wf.tensor([2.0], requires_grad=True).sum(), x), GradientError, "does not depend"),
        (lambda x: wf.tensor([1, 2], requires_grad=True), DTypeError, "int64"),
    ],
)
def test_gradients_that_do_not_exist_are_lessons(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        wrong(wf.tensor([1.0, 2.0], requires_grad=True))


def test_the_gradient_of_code_with_branches_is_that_of_the_branch_taken() -> None:
    x = wf.tensor([-1.0, 2.0], requires_grad=True)
    y = wf.where(x > 0, x.log(), x * 5)  # log(−1) is NaN, and its gradient −1
    assert wf.gradients(y.sum(), x).tolist() == [5.0, 0.5]
