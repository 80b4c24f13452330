"""Layers whose inner values are computed again on the way back: the same numbers in less memory."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError


def deep(recomputed=()):
    wf.random.seed(0)
    block = lambda: nn.Sequential(nn.Linear(32, 256), nn.GELU(), nn.Linear(256, 32), nn.BatchNorm1d(32))
    model = nn.Sequential(*[block() for _ in range(6)], nn.Linear(32, 3))
    return model.recompute(*recomputed) if recomputed != () else model


def fitted(model):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(512, 32)).astype(np.float32), rng.integers(0, 3, 512)
    trainer = wf.Trainer(model, "cross_entropy", optim.Adam(1e-3))
    return trainer.fit((x, y), epochs=2, batch_size=256, verbose=False), trainer


def test_the_numbers_are_the_same():
    (plain, _), (again, _) = fitted(deep()), fitted(deep(["0", "1", "2", "3", "4", "5"]))
    np.testing.assert_allclose(again.history.rows, plain.history.rows, rtol=1e-5)


def test_gradients_and_running_statistics_are_the_same_by_hand():
    x = wf.tensor(np.random.default_rng(1).normal(size=(16, 32)).astype(np.float32))
    found = []
    for model in (deep(), deep("*")):
        loss = (model(x) ** 2).mean()
        loss.backward()
        found.append([p.grad.numpy() for p in model.parameters()] + [b.numpy() for b in model.buffers()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_patterns_choose_modules_and_the_last_call_counts():
    model = deep()
    marked = lambda: [path for path, m in model.named_modules() if m._recomputed]
    model.recompute()
    assert marked() == [str(k) for k in range(7)]
    model.recompute("1", "2.*")
    assert marked() == ["1", "2.0", "2.1", "2.2", "2.3"]
    model.recompute("")
    assert marked() == []


def test_a_pattern_that_matches_no_module_is_refused():
    with pytest.raises(ArgumentError, match="no module matches '9'"):
        deep().recompute("9")
