"""Schedules compared with PyTorch's, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import weft as wf
from weft import optim

S = torch.optim.lr_scheduler


STEPS = 60


PAIRS: dict[str, tuple[optim.Schedule, Callable[[Any], Any]]] = {
    "step": (optim.Step(0.5, every=7, factor=0.3), lambda o: S.StepLR(o, 7, 0.3)),
    "multi-step": (
        optim.MultiStep(0.5, milestones=[5, 20, 21], factor=0.2),
        lambda o: S.MultiStepLR(o, [5, 20, 21], 0.2),
    ),
    "constant": (optim.Piecewise({0: 0.125, 10: 0.5}), lambda o: S.ConstantLR(o, 0.25, 10)),
    "exponential": (optim.Exponential(0.5, factor=0.9), lambda o: S.ExponentialLR(o, 0.9)),
    "linear": (optim.Linear(0.5, steps=30, start=0.1, end=0.8), lambda o: S.LinearLR(o, 0.1, 0.8, 30)),
    "polynomial": (optim.Polynomial(0.5, steps=40, power=2.5), lambda o: S.PolynomialLR(o, 40, 2.5)),
    "cosine": (optim.Cosine(0.5, steps=STEPS, end=0.05), lambda o: S.CosineAnnealingLR(o, STEPS, 0.05)),
    "restarts": (optim.CosineRestarts(0.5, period=9, end=0.1), lambda o: S.CosineAnnealingWarmRestarts(o, 9, 1, 0.1)),
    "growing restarts": (
        optim.CosineRestarts(0.5, period=4, growth=2),
        lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2),
    ),
    "one cycle": (optim.OneCycle(0.5, steps=STEPS), lambda o: S.OneCycleLR(o, 0.5, STEPS, cycle_momentum=False)),
    "one cycle, linear, three phases": (
        optim.OneCycle(0.5, steps=STEPS, rising=0.4, shape="linear", three_phases=True, divide=10.0),
        lambda o: S.OneCycleLR(
            o,
            0.5,
            STEPS,
            pct_start=0.4,
            anneal_strategy="linear",
            three_phase=True,
            div_factor=10.0,
            cycle_momentum=False,
        ),
    ),
    "cyclic": (optim.Cyclic(0.1, 0.5, up=5, down=8), lambda o: S.CyclicLR(o, 0.1, 0.5, 5, 8, cycle_momentum=False)),
    "cyclic halving": (
        optim.Cyclic(0.1, 0.5, up=5, mode="halving"),
        lambda o: S.CyclicLR(o, 0.1, 0.5, 5, mode="triangular2", cycle_momentum=False),
    ),
    "cyclic exponential": (
        optim.Cyclic(0.1, 0.5, up=5, mode="exponential", factor=0.97),
        lambda o: S.CyclicLR(o, 0.1, 0.5, 5, mode="exp_range", gamma=0.97, cycle_momentum=False),
    ),
    "lambda": (optim.Function(lambda t: 0.5 / (1 + t)), lambda o: S.LambdaLR(o, lambda t: 1 / (1 + t))),
    "sequence": (
        optim.Sequence(
            [optim.Linear(0.5, steps=10, start=0.1, end=1.0), optim.Exponential(0.5, factor=0.9)], milestones=[10]
        ),
        lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, 1.0, 10), S.ExponentialLR(o, 0.9)], [10]),
    ),
    "product": (
        optim.Linear(0.5, steps=10, start=0.1, end=1.0) * optim.Exponential(1.0, factor=0.9),
        lambda o: S.ChainedScheduler([S.LinearLR(o, 0.1, 1.0, 10), S.ExponentialLR(o, 0.9)]),
    ),
}


def rates(make: Callable[[Any], Any]) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.5)
    scheduler, found = make(optimizer), []
    for _ in range(STEPS):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PAIRS)
def test_equal_to_pytorch_at_every_step(name: str) -> None:
    schedule, theirs = PAIRS[name]
    wanted = rates(theirs)
    np.testing.assert_allclose(schedule(np.arange(STEPS)), wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose([schedule(t) for t in range(STEPS)], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["cosine", "growing restarts", "one cycle", "sequence", "product", "lambda"])
def test_the_same_inside_a_program(name: str) -> None:
    schedule, _ = PAIRS[name]
    w, opt = wf.tensor(np.zeros(1)), optim.SGD(schedule)
    for t in range(8):
        before = float(w[0])
        opt.update([w], [wf.tensor(np.ones(1))])
        np.testing.assert_allclose(before - float(w[0]), schedule(t), rtol=1e-9, err_msg=f"step {t}")


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("relative", [True, False])
def test_plateau_equals_pytorchs(mode: str, relative: bool) -> None:
    ours = optim.Plateau(
        0.5, factor=0.3, patience=2, threshold=0.05, cooldown=3, least=0.01, mode=mode, relative=relative
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.5)
    theirs = S.ReduceLROnPlateau(
        optimizer, mode, 0.3, 2, threshold=0.05, threshold_mode="rel" if relative else "abs", cooldown=3, min_lr=0.01
    )
    for value in np.random.default_rng(0).random(40):
        ours.observe(value)
        theirs.step(value)
        np.testing.assert_allclose(ours(0), optimizer.param_groups[0]["lr"], rtol=1e-12)
    assert float(ours(0)) < 0.1
