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

torch = pytest.importorskip("torch")
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
