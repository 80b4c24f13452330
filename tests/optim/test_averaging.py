"""Accumulation equals the large batch; averages equal PyTorch's and their definitions; L-BFGS finds minima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
X = np.random.default_rng(0).normal(size=(10, 3))
Y = X @ np.ones((3, 1))


def model() -> Any:
    made = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).initialize(0).build((1, 3))
    for p in made.parameters():
        p.node = wf.nn.Parameter(p.numpy().astype(np.float64)).node
    return made


def loss_of(net: Any, rows: slice) -> Any:
    return ((net(wf.tensor(X[rows])) - wf.tensor(Y[rows])) ** 2).mean()


def test_accumulated_steps_are_those_of_the_large_batch() -> None:
    small, large = (list(w) for w in (start(), start()))
    opt, reference = optim.Accumulate(optim.Adam(0.1), steps=3), optim.Adam(0.1)
    for epoch in range(2):
        for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):  # 4, 4 and 2 examples
            moved = opt.update(small, gradient(small, rows), examples=rows.stop - rows.start)
        assert moved, epoch
        reference.update(large, gradient(large, slice(0, 10)))
    for p, q in zip(small, large, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-12)


def start() -> list[Any]:
    rng = np.random.default_rng(1)
    return [wf.tensor(rng.normal(size=s), requires_grad=True) for s in ((3, 1), (1,))]


def gradient(w: list[Any], rows: slice, mask: Any = None) -> list[Any]:
    errors = (wf.tensor(X[rows]) @ w[0] + w[1] - wf.tensor(Y[rows])) ** 2
    loss = errors.mean() if mask is None else (errors[:, 0] * wf.tensor(mask)).sum() / float(mask.sum())
    return list(wf.gradients(loss, w))


def test_masks_and_a_last_group_that_is_not_full() -> None:
    small, large = start(), start()
    mask = np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 0, 1])
    opt, reference = optim.Accumulate(optim.SGD(0.1), steps=4), optim.SGD(0.1)
    for rows in (slice(0, 5), slice(5, 10)):
        assert not opt.update(small, gradient(small, rows, mask[rows]), examples=mask[rows].sum())
    assert opt.flush()
    assert not opt.flush()
    reference.update(large, gradient(large, slice(0, 10), mask))
    for p, q in zip(small, large, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-12)


def test_accumulation_from_grad_and_its_refusals() -> None:
    w = wf.tensor([1.0], requires_grad=True)
    opt = optim.Accumulate(optim.SGD(1.0), steps=2)
    for k in range(4):
        (w * (k + 1.0)).sum().backward()
        assert opt.step([w]) == (k % 2 == 1)
        w.grad = None
    assert w.tolist() == [1.0 - 1.5 - 3.5]
    opt.update([w], [wf.ones(1)])
    with pytest.raises(ArgumentError, match="other parameters"):
        opt.update([wf.tensor([1.0])], [wf.ones(1)])
    with pytest.raises(ArgumentError, match="compiled"):
        wf.compile(lambda: opt.update([w], [wf.ones(1)]))()


@pytest.mark.parametrize("start_of_it", ["copy", "corrected", "warmup"])
def test_exponential_averages(start_of_it: str) -> None:
    w, opt = start(), optim.EMA(optim.SGD(0.1, 0.9), 0.8, start=start_of_it)
    seen: list[Any] = []
    for t in range(1, 7):
        opt.update(w, gradient(w, slice(0, 10)))
        seen.append(w[0].numpy().copy())
        if start_of_it == "corrected":
            weights = 0.8 ** np.arange(t - 1, -1, -1)
            wanted = sum(a * b for a, b in zip(weights / weights.sum(), seen, strict=True))
        else:
            decay = 0.8 if start_of_it == "copy" else min(0.8, (1 + t) / (10 + t))
            wanted = seen[0] if t == 1 else decay * wanted + (1 - decay) * seen[-1]
        np.testing.assert_allclose(opt.averages(w)["0"], wanted, rtol=1e-12)


def test_applied_for_evaluation_and_copied_to_a_model() -> None:
    net = nn.Sequential(nn.Linear(3, 1)).initialize(0)
    opt = optim.EMA(optim.SGD(0.1), 0.5)
    for _ in range(3):
        ((net(wf.tensor(X.astype(np.float32))) - 1) ** 2).mean().backward()
        opt.step(net)
        net.zero_grad()
    weights, averages = net.state_dict(), opt.averages(net)
    with opt.applied(net):
        np.testing.assert_array_equal(net[0].weight.numpy(), averages["0.weight"])
    np.testing.assert_array_equal(net[0].weight.numpy(), weights["0.weight"])
    other = nn.Sequential(nn.Linear(3, 1)).initialize(1)
    opt.copy_to(other, net)
    np.testing.assert_array_equal(other[0].weight.numpy(), averages["0.weight"])
    opt.learning_rate = 0.01
    assert opt.optimizer.learning_rate == 0.01


def test_an_average_in_fit() -> None:
    x, y = X.astype(np.float32), Y.astype(np.float32)
    net = nn.Sequential(nn.Linear(3, 1)).initialize(0)
    trainer = wf.Trainer(net, "mse", optim.EMA(optim.SGD(0.05), 0.9))
    trainer.fit((x, y), epochs=3, batch_size=5, verbose=False)
    opt = trainer.optimizer
    assert isinstance(opt, optim.EMA)
    average = opt.averages(net, trainer.state)["0.weight"]
    assert np.abs(average - net[0].weight.numpy()).max() > 1e-4
    assert int(opt.state_dict(net, trainer.state)["steps"]) == 6


def test_batch_statistics_are_computed_anew() -> None:
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1))
    batches = [wf.tensor(X[:5].astype(np.float32)), wf.tensor(X[5:].astype(np.float32))]
    net.train()(batches[0] * 100)
    net.eval()
    optim.update_batch_statistics(net, batches)
    np.testing.assert_allclose(net[0].running_mean.numpy(), X.mean(0), rtol=1e-4, atol=1e-6)
    variance = (X[:5].var(0, ddof=1) + X[5:].var(0, ddof=1)) / 2
    np.testing.assert_allclose(net[0].running_var.numpy(), variance, rtol=1e-4)
    assert net[0].momentum == 0.1
    assert not net.training


class Net(nn.Module):
    def __init__(self) -> None:
        self.body = nn.Frozen(nn.BatchNorm1d(3))
        self.instance = nn.InstanceNorm1d(3)
        self.kept, self.free = nn.BatchNorm1d(3), nn.BatchNorm1d(3)

    def forward(self, x: Any) -> Any:
        return self.free(self.kept(self.instance(self.body(x))[:, :, 0]))


def test_frozen_statistics_and_modes_stay_and_an_error_changes_nothing() -> None:
    net, x = Net(), wf.tensor(np.stack([X, 2 * X], axis=2).astype(np.float32))
    net.body.layer.running_mean.assign([1.0, 2.0, 3.0])
    net.kept.eval()
    optim.update_batch_statistics(net, [x])
    assert net.body.layer.running_mean.tolist() == [1.0, 2.0, 3.0]
    assert net.training
    assert not net.kept.training
    before = {path: value.tolist() for path, value in net.state_dict().items()}
    for batches in ([], [x, None]):
        with pytest.raises(Exception, match=r"batch|None"):
            optim.update_batch_statistics(net, batches)
        assert {path: value.tolist() for path, value in net.state_dict().items()} == before
    assert net.free.momentum == 0.1


def test_averages_fit_wholly_or_not_at_all() -> None:
    net, other = nn.Sequential(nn.Linear(3, 1)), nn.Sequential(nn.Linear(3, 1), nn.Linear(1, 1))
    before = other[0].weight.numpy().copy()
    with pytest.raises(ShapeError, match=r"1\.weight"):
        optim.EMA(optim.SGD()).copy_to(other, net)
    np.testing.assert_array_equal(other[0].weight.numpy(), before)


def test_an_optimizer_goes_on_by_itself_beside_its_average() -> None:
    held = nn.ParameterDict({"a": [0.0], "b": [0.0]})
    inner = optim.SGD(1.0, groups={"b": {"learning_rate": 5.0}})
    inner.update(list(held.values()), [wf.ones(1)] * 2)
    optim.EMA(inner, 0.5)
    inner.update(list(held.values()), [wf.ones(1)] * 2)
    assert [p.tolist() for p in held.values()] == [[-2.0], [-10.0]]


# ── L-BFGS ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_lbfgs_solves_least_squares_and_goes_on_where_it_was() -> None:
    w, opt = start(), optim.LBFGS(iterations=3)

    def loss() -> Any:
        return ((wf.tensor(X) @ w[0] + w[1] - wf.tensor(Y)) ** 2).mean()

    opt.step(w, loss)
    saved, values = opt.state_dict(), [p.numpy().copy() for p in w]
    for _ in range(8):
        opt.step(w, loss)
    np.testing.assert_allclose(w[0].numpy(), 1.0, rtol=1e-6)
    found = [p.numpy().copy() for p in w]
    for p, value in zip(w, values, strict=True):
        p.assign(wf.tensor(value))
    other = optim.LBFGS(iterations=3)
    other.load_state_dict(saved)
    for _ in range(8):
        other.step(w, loss)
    for p, value in zip(w, found, strict=True):
        np.testing.assert_array_equal(p.numpy(), value)


def test_a_search_that_runs_out_does_not_end_where_the_loss_is_no_number() -> None:
    w = wf.tensor([2.0], wf.float64, requires_grad=True)
    opt = optim.LBFGS(100.0, evaluations=1)
    for _ in range(3):
        opt.step([w], lambda: (w - wf.log(w)).sum())
    assert np.isfinite(w.numpy()).all()


def test_a_parameter_that_the_loss_does_not_use_stays() -> None:
    w, unused = start()
    optim.LBFGS(iterations=9).step([w, unused], lambda: (w * w).sum())
    np.testing.assert_array_equal(unused.numpy(), start()[1].numpy())
    np.testing.assert_allclose(w.numpy(), 0, atol=1e-6)


def test_the_line_search_satisfies_the_strong_wolfe_conditions() -> None:
    from weft.optim.linesearch import Point, strong_wolfe

    def at(t: float) -> Point:
        return Point(t, (t - 3) ** 4 - t, 4 * (t - 3) ** 3 - 1, None)

    begin = at(0.0)
    for first in (1e-3, 0.1, 1.0, 5.0, 50.0):
        found, used = strong_wolfe(at, begin, first, size=1.0, most=25)
        assert found.value <= begin.value + 1e-4 * found.t * begin.slope
        assert abs(found.slope) <= 0.9 * abs(begin.slope)
        assert used <= 12
