"""vmap is a Python loop over the examples, in one program."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, ShapeError, ValueNeededError
from weft.graph.recording import context
from weft.graph.structure import flatten
from weft.transforms import checkpoint, custom_gradient, jvp, vmap

rng = np.random.default_rng(2)
X = rng.uniform(0.2, 1.0, (4, 3))
W = rng.uniform(0.2, 1.0, 3)


def x64(value: Any) -> Any:
    return wf.tensor(np.asarray(value, np.float64))


def until_large(x: Any) -> Any:
    return wf.while_loop(lambda v: v.sum() < 10, lambda v: v * 2, x)


FUNCTIONS: dict[str, Any] = {
    "elementwise": lambda x, w: wf.exp(x) * w,
    "reductions": lambda x, w: ((x * w).sum(), x.max(), x.mean(axis=0, keepdims=True)),
    "matmul": lambda x, w: (wf.outer(x, w) @ x, x @ w),
    "indexing": lambda x, w: x[wf.argsort(w * x)][:2],
    "convolution": lambda x, w: nn.functional.conv(x.reshape(1, 1, 3), w.reshape(1, 1, 3), padding=1),
    "scan": lambda x, w: wf.scan(lambda c, a: (c * w + a, c.sum()), w, x)[1],
    "a branch for each": lambda x, w: wf.cond(x[0] > 0.5, lambda a: a * w, lambda a: a - w, x),
    "a number of steps for each": lambda x, w: until_large(x),
    "gradient": lambda x, w: wf.grad(lambda x: (wf.exp(x * w) * x).sum())(x),
    "tangent": lambda x, w: jvp(lambda x: wf.sin(x * w), (x,), (w,))[1],
    "vmap": lambda x, w: vmap(lambda a, w: a * w.sum(), in_axes=(0, None))(x, w),
    "checkpoint": lambda x, w: wf.grad(lambda x: checkpoint(lambda x: wf.exp(x) * w)(x).sum())(x),
    "constants": lambda x, w: (1.0, x, wf.ones(2), np.arange(3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_equals_a_loop(name: str) -> None:
    f = FUNCTIONS[name]
    found, _ = flatten(vmap(f, in_axes=(0, None))(x64(X), x64(W)))
    looped = (
        [flatten(f(x64(x), x64(W)))[0] for x in X] if name != "constants" else [[1.0, x, [1, 1], [0, 1, 2]] for x in X]
    )
    for k, t in enumerate(found):
        np.testing.assert_allclose(t.numpy(), [np.asarray(row[k]) for row in looped], rtol=1e-9)


def test_axes_of_arguments_and_results() -> None:
    x, w = x64(X), x64(W)
    assert vmap(lambda c: c.sum(), in_axes=1)(x).tolist() == pytest.approx(X.sum(axis=0).tolist())
    assert vmap(lambda c: c * 2, in_axes=-1, out_axes=-1)(x).tolist() == (X * 2).tolist()
    assert vmap(lambda r: r * 2, out_axes=1)(x).tolist() == (X * 2).T.tolist()
    both = vmap(
        lambda d, k: {"p": d["x"] * d["w"], "s": d["w"].sum() * k}, ({"x": 0, "w": None}, None), {"p": 0, "s": None}
    )
    found = both({"x": x, "w": w}, 2.0)
    assert found["p"].tolist() == (X * W).tolist()
    assert float(found["s"]) == pytest.approx(2 * W.sum())
    pair = vmap(lambda p: p[0] + p[1], in_axes=((0, 1),))((x, x64(X.T)))
    assert pair.tolist() == (2 * X).tolist()
    scaled = vmap(lambda r, n, *, by: r * by * n, in_axes=(0, None))(X, 2, by=w)  # arrays, integers, keywords
    np.testing.assert_allclose(scaled.numpy(), 2 * X * W)


def test_the_gradient_of_shared_and_mapped_operands() -> None:
    x, w = wf.tensor(X, requires_grad=True), wf.tensor(W, requires_grad=True)
    y = vmap(lambda r: wf.exp(r * w).sum())(x)
    dx, dw = wf.gradients((y * y).sum(), [x, w])
    e = np.exp(X * W)
    np.testing.assert_allclose(dx.numpy(), 2 * e.sum(1)[:, None] * e * W, rtol=1e-12)
    np.testing.assert_allclose(dw.numpy(), (2 * e.sum(1)[:, None] * e * X).sum(0), rtol=1e-12)
    twice = wf.gradients(dw.sum(), w).numpy()
    h = 1e-6
    moved = [wf.tensor(W + s * h, requires_grad=True) for s in (1, -1)]
    slopes = [wf.gradients((vmap(lambda r, m=m: wf.exp(r * m).sum())(x) ** 2).sum(), m).numpy() for m in moved]
    np.testing.assert_allclose(twice, (slopes[0] - slopes[1]) / (2 * h), rtol=1e-6)


def test_a_gradient_for_every_example_of_a_model() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    parameters = list(model.parameters())
    x = wf.tensor(X.astype(np.float32))

    def slopes(row: Any) -> Any:
        return wf.gradients((model(row) ** 2).sum(), parameters)

    each = vmap(slopes)(x)
    assert [g.shape for g in each] == [(4, *p.shape) for p in parameters]
    for k in range(4):
        for g, alone in zip(each, slopes(x[k]), strict=True):
            np.testing.assert_allclose(g.numpy()[k], alone.numpy(), rtol=1e-5, atol=1e-7)


def test_it_is_part_of_programs_loops_and_scans() -> None:
    w = wf.tensor(W, requires_grad=True)
    per_example = vmap(wf.grad(lambda r: (r * r * w).sum()))
    before = len(context.recording.entries)
    vmap(lambda r: wf.exp(r) * w + r.sum())(x64(X))
    assert len(context.recording.entries) - before == 1
    np.testing.assert_allclose(wf.compile(per_example)(x64(X)).numpy(), 2 * X * W, rtol=1e-12)
    last, _ = wf.scan(lambda c, _: (c + per_example(c).mean(axis=1, keepdims=True), None), x64(X), length=2)
    c = X
    for _ in range(2):
        c = c + (2 * c * W).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(last.numpy(), c, rtol=1e-12)


def test_every_example_draws_its_own_random_numbers() -> None:
    def noisy(x: Any) -> Any:
        return wf.random.normal(3), wf.random.uniform()

    wf.random.seed(4)
    normal, uniform = vmap(noisy)(wf.ones(5))
    assert len(set(normal.numpy().ravel().tolist())) == 15
    assert len(set(uniform.tolist())) == 5
    wf.random.seed(4)
    assert vmap(noisy)(wf.ones(3))[0].tolist() == normal.tolist()[:3]  # whatever the others are
    assert vmap(noisy)(wf.ones(5))[0].tolist() != normal.tolist()
    nested = vmap(lambda _: vmap(noisy)(wf.ones(2))[1])(wf.ones(3))
    assert len(set(nested.numpy().ravel().tolist())) == 6
    compiled = wf.compile(lambda: vmap(noisy)(wf.ones(2))[1])
    assert len({*compiled().tolist(), *compiled().tolist()}) == 4
    dropped = nn.Dropout(0.5)
    assert len({tuple(r) for r in vmap(lambda x: dropped(x))(wf.ones((4, 30))).tolist()}) == 4


def test_a_generator_of_its_own_draws_anew_in_every_body() -> None:
    own = wf.random.Generator(3)

    def bodies() -> list[Any]:
        mapped = vmap(lambda _: own.uniform())(wf.ones(3))
        scanned = wf.scan(lambda c, x: (c, own.uniform()), None, wf.ones(3))[1]
        chosen = wf.cond(mapped[0] < 2, lambda: own.uniform(), lambda: 1.0 - own.uniform())
        return [*mapped, *scanned, chosen, checkpoint(lambda x: x * own.uniform())(wf.tensor(1.0))]

    drawn = [float(u) for f in (bodies, bodies, wf.compile(bodies)) for u in f()]
    assert len(set(drawn)) == 24


def test_custom_gradients_hold_for_every_example() -> None:
    @custom_gradient
    def clipped(x: Any) -> Any:
        return x * x, lambda g: wf.clip(g * 2 * x, -1.0, 1.0)

    assert vmap(wf.grad(clipped))(x64([0.1, 3.0])).tolist() == [0.2, 1.0]


def assigns(x: Any) -> Any:
    STATE.assign(x)
    return x


def needs_a_value(x: Any) -> Any:
    return x if float(x.sum()) > 0 else -x


STATE = wf.tensor(np.zeros(3))


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: vmap(wf.sin, in_axes=2)(x), ShapeError, r"axis 2 of tensor 0 of the arguments, of shape \(4, 3\)"),
        (lambda x: vmap(wf.multiply)(x, 2.0), ShapeError, r"in_axes=\(0, None\)"),
        (lambda x: vmap(wf.multiply, in_axes=(0, 1))(x, x), ShapeError, "4, 3.*along axis 0, tensor 1.*along axis 1"),
        (lambda x: vmap(wf.sin, in_axes=None)(x), ArgumentError, "number of examples is unknown"),
        (lambda x: vmap(wf.multiply, in_axes=(0,))(x, x), ArgumentError, "in_axes has 1 parts"),
        (lambda x: vmap(lambda d: d["a"], in_axes=({"b": 0},))({"a": x}), ArgumentError, "in_axes is .'b'"),
        (lambda x: vmap(wf.sin, in_axes=("a",))(x), ArgumentError, "in_axes says 'a'"),
        (lambda x: vmap(wf.sin, out_axes=None)(x), ArgumentError, "differs from example to example"),
        (lambda x: vmap(wf.sin, out_axes=3)(x), ShapeError, "axis 3 of a result with 2 axes"),
        (lambda x: vmap(assigns)(x), ArgumentError, "assigns a tensor from outside"),
        (
            lambda x: vmap(nn.BatchNorm1d(3))(wf.stack([x, x], axis=1).astype("float32")),
            ArgumentError,
            "running statistics",
        ),
        (lambda x: vmap(needs_a_value)(x), ValueNeededError, "the function of vmap"),
    ],
)
def test_what_cannot_be_mapped_is_a_lesson(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        wrong(x64(X))
    assert re.search(says, str(caught.value)), str(caught.value)
    assert STATE.tolist() == [0, 0, 0]
