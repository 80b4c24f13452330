"""Schedules equal PyTorch's step by step, on the host and inside programs; they compile nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError


def test_cosine_with_warmup() -> None:
    schedule = optim.Cosine(1.0, steps=30, warmup=10, end=0.1)
    found = schedule(np.arange(40))
    np.testing.assert_allclose(found[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(found[10:30], 0.1 + 0.9 * (1 + np.cos(np.pi * np.arange(20) / 20)) / 2)
    np.testing.assert_allclose(found[30:], 0.1)


def test_inverse_square_root_is_that_of_the_transformer() -> None:
    t = np.arange(1, 200)
    wanted = 512**-0.5 * np.minimum(t**-0.5, t * 40**-1.5)
    schedule = optim.InverseSquareRoot(512**-0.5 * 40**-0.5, warmup=40)
    np.testing.assert_allclose(schedule(t - 1), wanted, rtol=1e-12)


def test_a_schedule_adds_no_program_and_other_numbers_compile_nothing() -> None:
    w = wf.tensor(np.ones(3, np.float32))
    opt = optim.Adam(optim.Cosine(1e-2, steps=50, warmup=5))
    opt.update([w], [wf.tensor(np.ones(3, np.float32))])
    before = compiles()
    for _ in range(3):
        opt.update([w], [wf.tensor(np.ones(3, np.float32))])
    opt.learning_rate = optim.Cosine(3e-2, steps=70, warmup=2)
    opt.update([w], [wf.tensor(np.ones(3, np.float32))])
    assert compiles() == before


def compiles() -> int:
    return int(re.search(r"(\d+)", str(wf.explain()) + " 0")[1])  # type: ignore[index]


def test_any_number_may_be_a_schedule_and_schedules_multiply() -> None:
    assert float((0.5 * optim.Constant(0.2))(3)) == pytest.approx(0.1)
    w, opt = wf.tensor(np.zeros(1)), optim.SGD(1.0, momentum=optim.Piecewise({0: 0.0, 2: 0.5}))
    moved = []
    for _ in range(4):
        opt.update([w], [wf.tensor(np.ones(1))])
        moved.append(float(w[0]))
    assert moved == [-1.0, -2.0, -3.5, -5.25]  # v = 1, 1, 1.5, 1.75


def test_in_fit_by_whole_epochs() -> None:
    """The same training as a loop by hand that sets the rate before each step."""
    x = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    y = (x @ np.ones((3, 1))).astype(np.float32)
    schedule = optim.Linear(0.1, steps=12, start=1.0, end=0.0)
    model = nn.Sequential(nn.Linear(3, 1)).initialize(0)
    trainer = wf.Trainer(model, "mse", optim.SGD(schedule))
    trainer.fit((x, y), epochs=4, batch_size=8, shuffle=False, verbose=False)
    other = nn.Sequential(nn.Linear(3, 1)).initialize(0)
    opt = optim.SGD(0.1)
    for t in range(16):
        rows = slice(t % 4 * 8, t % 4 * 8 + 8)
        opt.learning_rate = float(schedule(t))
        nn.functional.mse_loss(other(wf.tensor(x[rows])), wf.tensor(y[rows])).backward()
        opt.step(other)
        other.zero_grad()
    np.testing.assert_allclose(model[0].weight.numpy(), other[0].weight.numpy(), rtol=1e-5)


def test_plateau_in_fit_observes_each_epoch_and_belongs_to_the_trainer() -> None:
    x = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    schedule = optim.Plateau(1e-3, factor=0.5, patience=1, threshold=0.99)  # nothing is good enough
    opt = optim.SGD(schedule)
    trainer = wf.Trainer(nn.Sequential(nn.Linear(3, 1)), "mse", opt)
    trainer.fit((x, x[:, :1]), validation=0.25, epochs=7, batch_size=8, verbose=False)
    assert trainer.state.memory(schedule).numpy()[0] == 0.125  # seven epochs: the first is the best, then 2, 2, 2
    assert float(schedule(0)) == 1e-3


def test_the_picture(tmp_path: Path) -> None:
    figure = optim.Cosine(1e-3, steps=100, warmup=10).plot(120, tmp_path / "cosine.png")
    line = figure.axes[0].lines[0].get_ydata()
    assert line.max() == pytest.approx(1e-3)
    assert len(line) == 120
    assert (tmp_path / "cosine.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: optim.Cosine(1.0, steps=5, warmup=5), "warmup < steps"),
        (lambda: optim.Step(1.0, every=0), "> 0"),
        (lambda: optim.Exponential(float("nan"), factor=0.5), "≥ 0"),
        (lambda: optim.MultiStep(1.0, milestones=[5, 3]), "ascending"),
        (lambda: optim.Piecewise({3: 0.1}), "from step 0"),
        (lambda: optim.Sequence([optim.Constant(1.0)], milestones=[3]), "milestone"),
        (lambda: optim.OneCycle(1.0, steps=3, rising=0.1), "phases"),
        (lambda: optim.Cyclic(0.1, 0.2, mode="square"), "triangular"),
        (lambda: optim.CosineRestarts(0.1, period=3, growth=0), "growth"),
        (lambda: optim.Plateau(0.1, factor=2.0), "factor < 1"),
        (lambda: optim.Adam("fast"), "a number or a schedule"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(said)):
        make()
