"""Checkpoints: the same numbers in less memory."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.graph.dtype import float32
from weft.graph.function import record
from weft.graph.lowering import lowering
from weft.graph.spec import Spec
from weft.ops.calling import barrier_op
from weft.runtime.programs import program_for
from weft.transforms import checkpoint, hvp, jvp

from ..ops.contract import engine

DEPTH = 16


def wide(x: Any, w: Any, v: Any) -> Any:
    """From narrow to wide and back, several times: much between little."""
    for _ in range(3):
        x = wf.tanh(wf.tanh(x @ w) @ v)
    return x


def program(layer: Any) -> Any:
    """The compiled gradient of a chain of layers."""

    def slopes(x: Any, w: Any, v: Any) -> Any:
        y = x
        for _ in range(DEPTH):
            y = layer(y, w, v)
        return tuple(wf.gradients((y * y).sum(), [w, v]))

    specs = (Spec((256, 4), float32), Spec((4, 64), float32), Spec((64, 4), float32))
    graph, _ = record("chain", slopes, specs, {})
    return program_for(graph, wf.devices()[0])


def test_the_memory_of_a_deep_chain_falls() -> None:
    stored, recomputed = program(wide), program(checkpoint(wide))
    bytes_of = [p.run.memory_analysis().temp_size_in_bytes for p in (stored, recomputed)]
    layer = 256 * 64 * 4  # bytes of one wide value, of which each layer has three
    assert bytes_of[0] > 2 * DEPTH * layer
    assert bytes_of[1] < 8 * layer
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(s).astype(np.float32) for s in ((256, 4), (4, 64), (64, 4))]
    for a, b in zip(stored(arguments), recomputed(arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4)


def test_parameters_buffers_and_random_numbers_of_the_function() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    x = wf.tensor(np.random.default_rng(1).standard_normal((8, 3)).astype(np.float32))
    mean, found = model[1].running_mean, []
    for f in (model, checkpoint(model)):
        mean.assign(wf.zeros(4))
        (f(x) ** 2).sum().backward()
        found.append([mean.numpy(), *(p.grad.numpy() for p in model.parameters())])
        model.zero_grad()
    assert np.all(found[1][0])  # the running statistics were assigned
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)

    def masked(x: Any) -> Any:
        return x * wf.random.bernoulli(0.5, x.shape).astype("float32")

    ones = wf.tensor(np.ones(64, np.float32), requires_grad=True)
    y = checkpoint(masked)(ones)
    assert wf.gradients(y.sum(), ones).tolist() == y.tolist()  # the same mask on the way back


def test_it_has_derivatives_of_every_order_and_mode() -> None:
    def f(x: Any, k: float) -> Any:
        return wf.exp(wf.sin(x) * k)

    x = wf.tensor(np.array([0.3, 0.7]))
    for transform in (
        lambda f: wf.grad(lambda x: f(x, 2.0).sum())(x),
        lambda f: wf.grad(lambda x: wf.grad(lambda x: f(x, 2.0).sum())(x)[0])(x),
        lambda f: hvp(lambda x: f(x, 2.0).sum(), x, x),
        lambda f: jvp(lambda x: f(x, k=2.0), (x,), (x,))[1],
        lambda f: wf.compile(wf.grad(lambda x: f(x, 2.0).sum()))(x),
        lambda f: wf.grad(lambda x: wf.scan(lambda c, _: (f(c, 0.5), None), x, length=3)[0].sum())(x),
    ):
        np.testing.assert_allclose(transform(checkpoint(f)).numpy(), transform(f).numpy(), rtol=1e-9)


def test_a_new_number_compiles_nothing() -> None:
    f = checkpoint(lambda x, k: wf.exp(x * k))
    x = wf.tensor(np.array([0.3, 0.7]))
    f(x, 2.0).tolist()
    before = wf.explain().count
    assert f(x, 3.0).tolist() == pytest.approx(np.exp(np.array([0.9, 2.1])).tolist())
    assert wf.explain().count == before


def test_outside_of_the_cpu_the_barrier_is_the_engines_own() -> None:
    with engine(), lowering.on("gpu"):
        text = jax.jit(lambda x: barrier_op.lower(x, x + 1)).lower(np.ones(3)).as_text()
    assert "optimization_barrier" in text
