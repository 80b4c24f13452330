"""The finder of learning rates: it changes nothing, suggests what trains well, and says when it cannot."""

import hashlib

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.train.finder import RateSweep, find_learning_rate, judged

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)).astype(np.float32)
Y = np.sin(X.sum(axis=1))


def trainer(optimizer=None, loss="mse", outputs=1, **options):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, outputs))
    return wf.Trainer(model, loss, optimizer or optim.Adam(0.01), **options)


def hashed(made):
    """A hash of all that a fit changes."""
    digest = hashlib.sha256()
    for path, value in made.model.state_dict().items():
        digest.update(path.encode() + value.tobytes())
    for part in made.parts:
        for state in (part.state, part.optimizer.state):
            for name, value in part.optimizer.state_dict(made.model, state).items():
                digest.update(name.encode() + value.tobytes())
        digest.update(repr(part.optimizer).encode() + str(part.optimizer.numbers_of.version).encode())
    modes = [(module.training, [p.requires_grad for p in module.parameters()]) for module in made.model.modules()]
    digest.update(repr(modes).encode())
    digest.update(repr(sorted((name, id(value)) for name, value in vars(made).items())).encode())
    digest.update(repr(made.history.rows if made.history else None).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("optimizer", [optim.SGD(optim.Plateau(0.1), momentum=0.9), optim.EMA(optim.Adam(), decay=0.9)])
def test_nothing_is_changed(optimizer):
    made = trainer(optimizer)
    made.fit((X, Y), epochs=2, verbose=False)
    made.model.train()
    wf.random.seed(5)
    before = hashed(made)
    first = find_learning_rate(made, (X, Y), steps=30)
    assert hashed(made) == before
    drawn = wf.random.normal(shape=(3,)).tolist()
    wf.random.seed(5)
    assert wf.random.normal(shape=(3,)).tolist() == drawn
    assert find_learning_rate(made, (X, Y), steps=30).losses.tolist() == first.losses.tolist()


def test_training_goes_on_as_if_it_had_not_been_there():
    made, plain = trainer(), trainer()
    made.fit((X, Y), epochs=2, verbose=False)
    find_learning_rate(made, (X, Y), steps=20)
    made.fit((X, Y), epochs=2, verbose=False)
    plain.fit((X, Y), epochs=4, verbose=False)
    assert made.history.rows == plain.history.rows


def test_a_model_without_sizes_stays_as_it_is():
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(1))
    find_learning_rate(wf.Trainer(model, "mse", optim.SGD(0.1)), (X, Y), steps=20)
    assert not model[0]._sized


def test_the_sweep_is_one_program():
    made = trainer(outputs=3, loss="cross_entropy")
    before = wf.explain().count
    sweep = find_learning_rate(made, (X, (Y > 0).astype(int)), steps=25)
    assert len(sweep.rates) > 10
    assert wf.explain().count - before <= 2  # the sweep, and what counts in it


def test_the_suggestion_trains_better_than_rates_far_from_it():
    sweep = find_learning_rate(trainer(), (X, Y))
    assert 1e-7 <= sweep.suggestion <= 10
    assert "steeply" in sweep.why

    def after(rate):
        made = trainer(optim.Adam(rate))
        return made.fit((X, Y), epochs=10, verbose=False).history["train_loss"][-1]

    reached = after(sweep.suggestion)
    assert reached < 0.6 * after(sweep.suggestion / 100)
    assert reached < 0.6 * after(min(sweep.suggestion * 300, 30))


def test_rates_rise_evenly_and_belong_to_losses():
    sweep = find_learning_rate(trainer(), (X, Y), lowest=1e-4, highest=1e-2, steps=11)
    assert sweep.rates == pytest.approx(np.geomspace(1e-4, 1e-2, 11))
    assert sweep.rates.shape == sweep.losses.shape == sweep.smoothed.shape


def test_a_step_of_ones_own_and_several_optimizers():
    def step(model, batch):
        return {"0": ((model(batch.x) - batch.y) ** 2).mean(), "1": ((model(batch.x) - batch.y) ** 2).mean()}, {}

    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))
    made = wf.Trainer(model, optimizer={"0": optim.SGD(0.1), "1": optim.Adam(0.1)}, step=step)
    assert find_learning_rate(made, (X, Y[:, None].astype(np.float32)), steps=40).suggestion is not None


# ── from a curve to a suggestion ────────────────────────────────────────────────────────────────────────────

RATES = np.geomspace(1e-6, 1, 61)


def falling(at, broken=None, to=0.2):
    """A loss that falls from 1 most steeply at a rate, and breaks down at another."""
    losses = to + (1 - to) / (1 + (RATES / at) ** 2)
    losses = np.concatenate([[1.0], losses])
    if broken is not None:
        losses = np.append(losses[: int(np.searchsorted(RATES, broken)) + 1], np.inf)
    return losses


def test_the_steepest_descent_is_suggested():
    assert judged(RATES, falling(1e-3)).suggestion == pytest.approx(1e-3, rel=0.3)


def test_a_tenth_of_the_rate_that_diverges_if_that_is_lower():
    sweep = judged(RATES, falling(1e-3, broken=4e-3))
    assert sweep.suggestion == pytest.approx(4e-4, rel=0.3)
    assert "a tenth" in sweep.why
    assert judged(RATES, falling(1e-3, broken=0.5)).suggestion == pytest.approx(1e-3, rel=0.3)


def test_the_suggestion_never_leaves_the_range():
    sweep = judged(RATES[40:], falling(1e-4)[40:])
    assert sweep.suggestion is None or sweep.suggestion >= RATES[40]
    sweep = judged(RATES, falling(1e-6, broken=5e-6))
    assert sweep.suggestion is None or sweep.suggestion >= RATES[0]


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        (np.ones(62), "does not fall"),
        (1 + 0.001 * np.sin(np.arange(62)), "does not fall"),
        (np.geomspace(1, 2.5, 62), "does not fall"),
        (np.array([1.0, np.inf]), "diverged"),
        (np.array([1.0, 1.0, 1.2, 9.0]), "diverged"),
        (np.array([np.inf]), "not finite before"),
    ],
)
def test_flat_and_diverging_sweeps_get_a_reason_and_no_number(losses, reason):
    sweep = judged(RATES, losses)
    assert sweep.suggestion is None
    assert reason in sweep.why


def test_a_picture_of_the_sweep(tmp_path):
    sweep = judged(RATES, falling(1e-3, broken=0.5))
    axes = sweep.plot(tmp_path / "sweep.png").axes[0]
    assert (tmp_path / "sweep.png").stat().st_size > 1000
    assert axes.get_xscale() == "log"
    assert sweep.why in axes.get_title()
    empty = RateSweep(RATES, np.ones(61), None, "no suggestion", np.ones(61))
    assert len(empty.plot().axes[0].lines) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"lowest": 0}, {"lowest": 1, "highest": 1}, {"highest": float("inf")}, {"steps": 5}, {"batch_size": 0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(wf.WeftError):
        find_learning_rate(trainer(), (X, Y), **wrong)
    with pytest.raises(wf.WeftError, match="trainer"):
        find_learning_rate(trainer().model, (X, Y))
