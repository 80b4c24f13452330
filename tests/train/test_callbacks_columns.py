"""Statistics, LearningRate, Averages and Unfreeze: what they measure and change, against the definitions."""

import itertools

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.train.callbacks.averages import Averages
from weft.train.callbacks.statistics import LearningRate, Statistics
from weft.train.callbacks.unfreezing import Unfreeze

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line fits many models here
RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype(np.float32)
Y = np.where(RNG.random(96) < 0.3, RNG.integers(0, 3, 96), (X @ RNG.normal(size=(4, 3))).argmax(axis=1))


def model():
    wf.random.seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def fit(callbacks, optimizer=None, epochs=3, of=None, **options):
    trainer = wf.Trainer(of or model(), "cross_entropy", optimizer or optim.SGD(0.1), callbacks=callbacks)
    how = {"validation": (X[64:], Y[64:]), "batch_size": 16, "verbose": False} | options
    return trainer, trainer.fit((X[:64], Y[:64]), epochs=epochs, **how)


class Weights(wf.Callback):
    """The weights before the first epoch and after each."""

    def __init__(self):
        self.seen = []

    def before_fit(self, loop):
        self.note(loop)

    def after_epoch(self, loop):
        self.note(loop)

    def note(self, loop):
        self.seen.append({path: p.numpy().copy() for path, p in loop.model.named_parameters()})


def flat(weights):
    return np.concatenate([w.ravel() for w in weights.values()]).astype(np.float64)


def test_statistics_are_those_of_their_definitions():
    trainer, run = fit([Statistics(), Weights()], keep="last")
    seen = run.callbacks[1].seen
    for epoch in range(3):
        before, now = flat(seen[epoch]), flat(seen[epoch + 1])
        assert run.history["weight_max"][epoch] == pytest.approx(np.abs(now).max(), rel=1e-6)
        ratio = np.linalg.norm(now - before) / np.linalg.norm(before)
        assert run.history["update_ratio"][epoch] == pytest.approx(ratio, rel=1e-5)
    sample = trainer.prepared.sample
    loss = nn.functional.cross_entropy(trainer.model(wf.tensor(sample.x)), wf.tensor(sample.y))
    grads = wf.gradients(loss, list(trainer.model.parameters()))
    norm = np.sqrt(sum((g.numpy() ** 2).sum() for g in grads))
    assert run.history["gradient_norm"][-1] == pytest.approx(norm, rel=1e-4)
    hidden = trainer.model[1](trainer.model[0](wf.tensor(sample.x))).numpy()
    assert run.history["dead_units"][-1] == pytest.approx((hidden.max(axis=0) <= 0).mean())


def test_dead_units_are_found():
    of = model()
    of[0].bias.assign(wf.tensor(np.where(np.arange(8) < 3, -100.0, 0.0).astype(np.float32)))
    _, run = fit([Statistics(of=["dead_units"])], of=of)
    assert run.history.columns[-1] == "dead_units"
    assert run.history["dead_units"][0] >= 3 / 8


def test_statistics_change_nothing_and_come_as_often_as_said():
    _, plain = fit([], epochs=4)
    _, watched = fit([Statistics(every=2)], epochs=4)
    assert [row[:4] for row in watched.history.rows] == [row[:4] for row in plain.history.rows]
    assert np.isnan(watched.history["update_ratio"]).tolist() == [True, False, True, False]
    with pytest.raises(wf.WeftError, match="every"):
        Statistics(every=0)
    with pytest.raises(wf.WeftError, match="weight_max"):
        Statistics(of=["weight_min"])


class StopWithin(wf.Callback):
    """Stops within an epoch, once."""

    after = 0

    def after_batch(self, loop):
        if int(loop.course.clock) == StopWithin.after:
            raise wf.StopTraining("within an epoch", final=False)


def test_statistics_go_on_exactly_within_an_epoch(tmp_path):
    try:
        StopWithin.after = 6  # of 4 batches an epoch
        _, first = fit([Statistics(), StopWithin()], folder=tmp_path)
        assert first.stopped == "within an epoch"
    finally:
        StopWithin.after = 0
    _, resumed = fit([Statistics(), StopWithin()], folder=tmp_path, resume=True)
    _, whole = fit([Statistics(), StopWithin()])
    assert resumed.history.rows == whole.history.rows


def test_the_learning_rate_is_that_of_the_next_step():
    schedule = optim.Cosine(0.1, steps=12)
    _, run = fit([LearningRate()], optim.SGD(schedule))
    assert run.history["learning_rate"] == pytest.approx([float(schedule(t)) for t in (4, 8, 12)])
    _, run = fit([LearningRate()], optim.EMA(optim.Adam(0.01), decay=0.9))
    assert run.history["learning_rate"] == [0.01] * 3
    plateau = optim.SGD(optim.Plateau(0.1, patience=0, factor=0.5, threshold=0.9))  # nothing is such an improvement
    _, run = fit([LearningRate()], plateau)
    assert run.history["learning_rate"] == pytest.approx([0.1, 0.05, 0.025])
    with pytest.raises(wf.WeftError, match="LearningRate"):
        fit([LearningRate("critic")])


def test_averages_are_measured_and_the_best_are_kept():
    wf.random.seed(0)
    optimizer = optim.SWA(optim.SGD(2.0), start=32)  # so high a rate that the weights jump around a good average
    data = (X[:64], Y[:64])
    trainer, run = fit([Averages()], optimizer, epochs=12, of=nn.Linear(4, 3), batch_size=4, validation=data)
    averages, column = run.callbacks[0], run.history["val_loss_average"]
    assert averages.best == min(column)
    assert averages.best_epoch == int(np.argmin(column)) + 1
    assert averages.best < min(run.history["val_loss"])
    values, note = averages.weights_to_hold(_loop_of(trainer))
    assert "averages" in note
    assert f"epoch {averages.best_epoch}" in note
    averages.apply(trainer.model)
    assert all((p.numpy() == values[path]).all() for path, p in trainer.model.named_parameters())
    assert trainer.evaluate(data)["loss"] == pytest.approx(averages.best, rel=1e-5)


def _loop_of(trainer):
    return type("Done", (), {"course": trainer.course})()


def test_averages_change_nothing_and_worse_ones_are_not_held():
    optimizer = lambda: optim.EMA(optim.SGD(0.05), decay=0.9999, start="copy")  # far behind the weights
    trainer, run = fit([Averages()], optimizer())
    _, plain = fit([], optimizer())
    assert [row[:4] for row in run.history.rows] == [row[:4] for row in plain.history.rows]
    assert run.callbacks[0].weights_to_hold(_loop_of(trainer)) is None


def test_averages_need_an_optimizer_of_averages_and_validation_data():
    with pytest.raises(wf.WeftError, match=r"EMA\(optim.SGD"):
        fit([Averages()])
    with pytest.raises(wf.WeftError, match="validation"):
        fit([Averages()], optim.EMA(optim.SGD(0.1), decay=0.9), validation=None)
    with pytest.raises(wf.WeftError, match="no averages"):
        Averages().apply(model())


def test_parameters_are_freed_when_it_is_due():
    _, run = fit([Unfreeze({2: "0.bias", 3: ["0"]}, freeze="0"), Weights()], epochs=4)
    seen = run.callbacks[1].seen
    moved = lambda path: [not (a[path] == b[path]).all() for a, b in itertools.pairwise(seen)]
    assert moved("0.weight") == [False, False, True, True]
    assert moved("0.bias") == [False, True, True, True]
    assert moved("2.weight") == [True] * 4


def test_a_model_frozen_by_hand_is_freed_too():
    of = model().freeze("2")
    _, run = fit([Unfreeze({3: "2.*"}), Weights()], of=of)
    seen = run.callbacks[1].seen
    assert (seen[0]["2.weight"] == seen[2]["2.weight"]).all()
    assert not (seen[2]["2.weight"] == seen[3]["2.weight"]).all()


def test_what_cannot_be_freed_is_refused_before_the_first_step():
    for wrong in ({}, {0: "0"}, {1.5: "0"}, {1: ""}, ["0"]):
        with pytest.raises(wf.WeftError):
            Unfreeze(wrong)
    of = model()
    first = of[0].weight.numpy().copy()
    with pytest.raises(wf.WeftError, match="no parameter matches"):
        fit([Unfreeze({2: "body.*"})], of=of)
    with pytest.raises(wf.WeftError, match="nothing is left"):
        fit([Unfreeze({2: "0"}, freeze="*")], of=of)
    assert (of[0].weight.numpy() == first).all()


def test_averages_are_held_with_the_buffers_that_they_were_measured_with():
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    made = wf.Trainer(model, "cross_entropy", optim.EMA(optim.Adam(0.1), 0.8), callbacks=[wf.callbacks.Averages()])
    run = made.fit(wf.data.iris(), validation=0.5, epochs=12, batch_size=15, verbose=False)
    [averages] = run.callbacks
    assert averages.best_epoch != run.best_epoch
    held = run.origin.prepared.held_out
    averages.apply(model)
    assert made.evaluate(held)["loss"] == pytest.approx(averages.best, rel=1e-5)
