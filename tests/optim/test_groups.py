"""Settings by group, penalties, clipping, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, GradientError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def two_layers() -> Any:
    return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 1)).initialize(0)


def moves(opt: Any, model: Any, steps: int = 1) -> dict[str, np.ndarray]:
    """How far each parameter has moved by gradients of ones, relative to where it was."""
    before = model.state_dict()
    for _ in range(steps):
        named = [p for p in model.parameters() if p.requires_grad]
        opt.update(named, [wf.ones(p.shape) for p in named])
    return {name: model.state_dict()[name] - value for name, value in before.items()}


def test_groups_have_settings_of_their_own_and_the_last_pattern_wins() -> None:
    opt = optim.SGD(0.1, groups={"0.*": {"learning_rate": 0.01}, "*.bias": {"learning_rate": 0.5}, "2.*": {"scale": 3}})
    moved = moves(opt, two_layers())
    for name, rate in {
        "0.weight": 0.01, "0.bias": 0.5, "1.weight": 0.1, "1.bias": 0.5, "2.weight": 0.3, "2.bias": 1.5,
    }.items():  # fmt: skip
        np.testing.assert_allclose(moved[name], -rate, rtol=1e-5, err_msg=name)


def test_decay_of_matrices_leaves_biases_and_norms_alone() -> None:
    model = two_layers()
    before = model.state_dict()
    opt = optim.AdamW(0.0, weight_decay=0.0, decay="matrices")
    opt.learning_rate, opt.weight_decay = 0.1, 0.5
    named = list(model.parameters())
    opt.update(named, [wf.zeros(p.shape) for p in named])
    for name, value in model.state_dict().items():
        factor = 0.95 if value.ndim > 1 else 1.0
        np.testing.assert_allclose(value, before[name] * factor, rtol=1e-6, err_msg=name)


def test_a_schedule_is_scaled_with_the_group() -> None:
    opt = optim.SGD(optim.Piecewise({0: 1.0, 1: 0.5}), groups={"0.bias": {"scale": 0.1}})
    moved = moves(opt, two_layers(), steps=2)
    np.testing.assert_allclose(moved["0.bias"], -0.15, rtol=1e-5)
    np.testing.assert_allclose(moved["0.weight"], -1.5, rtol=1e-5)


def test_frozen_parameters_stay() -> None:
    model = two_layers()
    model[0].freeze()
    moved = moves(optim.SGD(0.1, groups={"0.*": {"learning_rate": 1.0}}), model)
    assert not moved["0.weight"].any()
    assert moved["2.weight"].any()


def test_a_pattern_that_means_nothing_is_refused_with_the_closest_names() -> None:
    with pytest.raises(ArgumentError, match=r"'1\.biases'(.|\n)*'1\.bias'"):
        moves(optim.SGD(0.1, groups={"1.biases": {"weight_decay": 0.0}}), two_layers())


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.SGD(0.1, groups={"*": {"momentums": 0.9}}),
        lambda: optim.SGD(0.1, groups={"*": {"clip_norm": 1.0}}),
        lambda: optim.SGD(0.1, groups={"*": {"learning_rate": -1.0}}),
        lambda: optim.SGD(0.1, decay="matrix"),
        lambda: optim.SGD(0.1, momentum_=0.9),
        lambda: optim.Adam(beta1=1.0),
        lambda: setattr(optim.Adam(), "beta1", 1.0),
        lambda: setattr(optim.Rprop(), "weight_decay", 0.1),
        lambda: optim.SGD(0.1, groups={"*": {"scale": -1}}),
        lambda: optim.SGD(0.1, groups={"*": {"scale": float("nan")}}),
        lambda: optim.SGD(0.1, clip_norm=0),
        lambda: -1.0 * optim.Step(0.1, every=2),
        lambda: optim.SGD(two_layers()),
        lambda: optim.Adam(two_layers().parameters()),
        lambda: optim.EMA(optim.EMA(optim.SGD())),
        lambda: optim.EMA(optim.SWA(optim.EMA(optim.SGD()), start=5)),
        lambda: optim.Accumulate(optim.SGD(), 2).update([wf.ones(1)], [wf.ones(1)], examples=0),
        lambda: optim.SGD(0.1, nesterov=True),
        lambda: optim.SGD(0.1, momentum=0.9, dampening=0.1, nesterov=True),
        lambda: optim.Muon(adjust="other"),
        lambda: optim.EMA(optim.SGD(), 1.0),
        lambda: optim.SWA(optim.SGD(), start=0),
        lambda: optim.Accumulate(optim.SGD(), steps=0),
        lambda: optim.LBFGS(line_search="armijo"),
        lambda: optim.clip_norm([wf.ones(2)], 0.0),
        lambda: wf.Trainer(two_layers(), "mse", optim.LBFGS()),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(make: Any) -> None:
    with pytest.raises(ArgumentError):
        make()


def test_gradients_of_other_shapes_and_missing_ones_are_refused() -> None:
    model = two_layers()
    with pytest.raises(GradientError):
        optim.SGD(0.1).step(model)
    with pytest.raises(ShapeError):
        optim.SGD(0.1).update([model[0].weight], [wf.ones((3, 2))])
    w, g = wf.tensor([0.0, 0.0]), np.ones(2, np.float32)
    optim.SGD(1.0).update([w], [g])
    assert w.tolist() == [-1.0, -1.0]
    with pytest.raises(GradientError, match="None"):
        optim.SGD(0.1).update([w], [None])
    for parameters, gradients in (([w], []), ([w, w], [g, g])):
        with pytest.raises(ArgumentError, match="each parameter once"):
            optim.SGD(0.1).update(parameters, gradients)


def test_all_settings_are_said() -> None:
    assert optim.Adagrad(0.1, start=0.5).describe()["start"] == 0.5


def test_tied_parameters_count_once() -> None:
    w = wf.tensor([0.0], requires_grad=True)
    (w * 4).sum().backward()
    optim.SGD(1.0, clip_norm=4.0).step([w, w])
    assert w.tolist() == [-4.0]


def test_maximize_climbs() -> None:
    moved = moves(optim.SGD(0.1, maximize=True), two_layers())
    np.testing.assert_allclose(moved["0.weight"], 0.1, rtol=1e-5)


# ── clipping and penalties ──────────────────────────────────────────────────────────────────────────────────


def test_clipping_by_the_norm_of_all_gradients() -> None:
    a, b = wf.tensor([0.0, 0.0]), wf.tensor([[0.0]])
    optim.SGD(1.0, clip_norm=1.0).update([a, b], [wf.tensor([3.0, 0.0]), wf.tensor([[4.0]])])
    np.testing.assert_allclose([*a.numpy(), b.numpy()[0, 0]], [-0.6, 0.0, -0.8], rtol=1e-6)
    optim.SGD(1.0, clip_norm=100.0).update([a], [wf.tensor([3.0, 0.0])])
    np.testing.assert_allclose(a.numpy(), [-3.6, 0.0], rtol=1e-6)


def test_clipping_by_value_and_then_by_norm() -> None:
    a = wf.tensor([0.0, 0.0])
    optim.SGD(1.0, clip_value=2.0, clip_norm=1.0).update([a], [wf.tensor([100.0, -2.0])])
    np.testing.assert_allclose(a.numpy(), [-(0.5**0.5), 0.5**0.5], rtol=1e-6)


def test_a_norm_that_is_not_finite_cannot_pass_unseen() -> None:
    clipped, norm = optim.clip_norm([wf.tensor([1.0, float("inf")]), wf.tensor([1.0])], 1.0)
    assert not np.isfinite(float(norm))
    assert all(np.isnan(g.numpy()).all() for g in clipped)
    w = wf.tensor([1.0, 1.0])
    optim.SGD(0.1, clip_norm=1.0).update([w], [wf.tensor([1.0, float("nan")])])
    assert np.isnan(w.numpy()).all()


def test_penalties_of_the_optimizer_and_of_the_loss_are_the_same() -> None:
    model, other = two_layers(), two_layers()
    x = wf.tensor(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
    opt = optim.SGD(0.1, groups={"*.weight": {"l1": 0.01}, "0.weight": {"l2": 0.1}, "1.weight": {"l1": 0.0}})
    (model(x) ** 2).mean().backward()
    opt.step(model)
    loss = (other(x) ** 2).mean() + optim.penalty(other, l1=0.01, groups={"0.weight": {"l2": 0.1}})
    loss.backward()
    optim.SGD(0.1).step(other)
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, other.state_dict()[name], rtol=1e-5, atol=1e-7, err_msg=name)


def test_a_scale_may_be_a_schedule() -> None:
    net = two_layers()
    moved = moves(optim.SGD(np.float32(0.1), groups={"*.bias": {"scale": optim.Step(0.5, every=1)}}), net)
    np.testing.assert_allclose(moved["0.bias"], 0.5 * moved["0.weight"][:, 0], rtol=1e-5)


def test_an_average_is_of_bounded_weights() -> None:
    w = wf.tensor([[0.0, 0.0]])
    opt = optim.EMA(optim.SGD(1.0, max_norm=1.0), 0.5)
    opt.update([w], [wf.tensor([[-3.0, -4.0]])])
    np.testing.assert_allclose(opt.averages([w])["0"], [[0.6, 0.8]], rtol=1e-6)


def test_max_norm_bounds_the_weights_into_each_unit() -> None:
    model = two_layers()
    moves(optim.SGD(1.0, groups={"0.weight": {"max_norm": 0.3}}), model, steps=3)
    norms = np.linalg.norm(model[0].weight.numpy(), axis=1)
    np.testing.assert_allclose(norms, 0.3, rtol=1e-5)
    assert np.abs(model[2].weight.numpy()).max() > 1
