"""State follows its parameters, is saved and restored bit for bit, and serves several companies of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")

MAKE: dict[str, Any] = {
    "SGD": lambda: optim.SGD(0.1, 0.9, nesterov=True),
    "ASGD": lambda: optim.ASGD(0.1, t0=1),
    "Rprop": optim.Rprop,
    "Lion": lambda: optim.Lion(0.01, weight_decay=0.1),
    "Adam": lambda: optim.Adam(0.01, amsgrad=True),
    "AdamW": lambda: optim.AdamW(optim.Cosine(0.1, steps=9, warmup=2), decay="matrices", clip_norm=1.0),
    "NAdam": optim.NAdam,
    "RAdam": optim.RAdam,
    "Adamax": optim.Adamax,
    "Lamb": optim.Lamb,
    "Adagrad": lambda: optim.Adagrad(0.1, start=0.1),
    "Adadelta": optim.Adadelta,
    "RMSprop": lambda: optim.RMSprop(momentum=0.5, centered=True),
    "Adafactor": optim.Adafactor,
    "Muon": optim.Muon,
    "EMA": lambda: optim.EMA(optim.Adam(0.01), 0.9),
    "SWA": lambda: optim.SWA(optim.SGD(0.1), start=2, every=2),
    "Plateau": lambda: optim.Adam(optim.Plateau(0.1, factor=0.5, patience=0)),
}


def start() -> list[Any]:
    rng = np.random.default_rng(0)
    return [wf.tensor(rng.normal(size=s).astype(np.float32), requires_grad=True) for s in ((4, 3), (3,), ())]


def gradients(step: int) -> list[Any]:
    rng = np.random.default_rng(step + 1)
    return [wf.tensor(rng.normal(size=s).astype(np.float32)) for s in ((4, 3), (3,), ())]


def run(opt: Any, w: list[Any], steps: range) -> None:
    for k in steps:
        opt.update(w, gradients(k))
        if k == 1:
            opt.observe(1.0)
            opt.observe(2.0)


@pytest.mark.parametrize("name", MAKE)
def test_saved_and_restored_it_goes_on_bit_for_bit(name: str) -> None:
    w, opt = start(), MAKE[name]()
    run(opt, w, range(4))
    values, saved = [p.numpy().copy() for p in w], opt.state_dict(w)
    assert all(isinstance(v, np.ndarray) for v in saved.values())
    run(opt, w, range(4, 7))
    again, other = [wf.tensor(v, requires_grad=True) for v in values], MAKE[name]()
    other.load_state_dict(saved, again)
    run(other, again, range(4, 7))
    for p, q in zip(w, again, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
    for key, value in opt.state_dict(w).items():
        np.testing.assert_array_equal(value, other.state_dict(again)[key], err_msg=key)


@pytest.mark.parametrize("name", MAKE)
def test_packed_and_alone_are_the_same_formula(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    w, opt = start(), MAKE[name]()
    run(opt, w, range(3))
    monkeypatch.setattr("weft.optim.state.PACKED", 0)
    v, other = start(), MAKE[name]()
    run(other, v, range(3))  # a launch of its own, in the parameters' own memory
    for p, q in zip(w, v, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in MAKE if name not in ("EMA", "SWA")])
def test_an_average_beside_every_optimizer(name: str) -> None:
    w, opt = start(), optim.EMA(MAKE[name](), 0.5)
    v, plain = start(), MAKE[name]()
    run(opt, w, range(2))
    run(plain, v, range(2))
    for p, q in zip(w, v, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=2e-6, atol=1e-7)
    assert all(a.shape == p.shape for a, p in zip(opt.averages(w).values(), w, strict=True))


def test_the_groups_of_models_that_are_gone_go_too() -> None:
    opt = optim.Adam(0.1)
    for _ in range(3):
        opt.update(start(), gradients(0))
    opt.update(start(), gradients(0))
    assert len(opt.state.groups) == 1


def test_a_module_names_its_parameters_and_wrong_states_are_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    opt = optim.Adam(0.1)
    (model(wf.ones((1, 2))) ** 2).sum().backward()
    opt.step(model)
    saved = opt.state_dict(model)
    assert {"0.weight/m", "0.weight/v", "0.weight/steps", "1.bias/m", "steps"} <= set(saved)
    with pytest.raises(ArgumentError, match="missing"):
        optim.Adam(0.1, amsgrad=True).load_state_dict(saved, model)
    with pytest.raises(ArgumentError, match=r"other\.weight"):
        optim.Adam(0.1).load_state_dict({**saved, "other.weight/m": np.zeros(1)}, model)


def test_momentum_that_begins_later_begins_from_nothing() -> None:
    w, opt = wf.tensor([0.0, 0.0]), optim.SGD(1.0)
    opt.update([w], [wf.ones(2)])
    assert list(opt.state_dict([w])) == ["0/steps", "steps"]  # no slot
    opt.momentum = 0.5
    opt.update([w], [wf.ones(2)])
    opt.update([w], [wf.ones(2)])
    assert w.tolist() == [-3.5, -3.5]  # v = 1, 1.5


def test_in_a_compiled_step_and_by_hand_in_turns() -> None:
    model = nn.Sequential(nn.Linear(3, 2)).initialize(0)
    opt = optim.Adam(0.1, groups={"0.bias": {"learning_rate": 0.5}})
    x = wf.tensor(np.ones((2, 3), np.float32))

    def step() -> Any:
        loss = (model(x) ** 2).mean()
        loss.backward()
        opt.step(model)
        model.zero_grad()
        return loss.detach()

    compiled = wf.compile(step)
    alternating = [float(f()) for f in (step, compiled, compiled, step, compiled)]
    model.initialize(0)
    opt = optim.Adam(0.1, groups={"0.bias": {"learning_rate": 0.5}})
    np.testing.assert_allclose([float(step()) for _ in range(5)], alternating, rtol=1e-6)


def test_half_precision_parameters_are_moved_in_single_precision() -> None:
    w = wf.tensor(np.ones(4, np.float32)).astype("bfloat16")
    w = wf.tensor(w.numpy())
    opt = optim.Adam(0.1)
    for _ in range(3):
        opt.update([w], [w * 0 + 1])
    assert opt.state_dict([w])["0/v"].dtype == np.float32
    np.testing.assert_allclose(w.numpy().astype(np.float32), 0.7, rtol=0.02)
