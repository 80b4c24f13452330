from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError
from weft.overfit import diagnose
from weft.overfit.live import Sight, notice
from weft.train.callback import Callback, state_of
from weft.train.callbacks.live import LiveDiagnosis
from weft.train.progress import Progress

from .golden import FALLING, RISING_AFTER_14, falling, make, simulated

HUMP = np.r_[np.linspace(0.9, 0.5, 10), np.linspace(0.52, 0.9, 20), np.linspace(0.88, 0.3, 20)]


def told(train: np.ndarray, val: np.ndarray, **how: Any) -> Sight | None:
    spread = np.linspace(-0.1, 0.1, 100)
    return notice(train, val, val.min() + spread, val[-1] + 2 * spread, baseline=1.1, **how)


def every_epoch(train: np.ndarray, losses: np.ndarray) -> list[Sight]:
    """What is said in a run that is looked at after every epoch."""
    found, val = [], losses.mean(axis=1)
    said, since = "", 0
    for t in range(1, len(val) + 1):
        best = losses[val[:t].argmin()]
        sight = notice(train[:t], val[:t], best, losses[t - 1], baseline=1.0, said=said, since=since)
        if sight is not None:
            said, since = sight.verdict, sight.epoch
            found.append(sight)
    return found


def test_a_rise_is_said_with_its_numbers() -> None:
    sight = told(FALLING, RISING_AFTER_14)
    assert sight is not None
    assert sight.verdict == "overfitting"
    low = RISING_AFTER_14.min()
    amount = 100 * (RISING_AFTER_14[sight.epoch - 1] / low - 1)
    start = f"epoch {sight.epoch}: validation loss has risen {amount:.0f} % since epoch 13 while training loss falls"
    assert sight.text.startswith(f"{start}: overfitting, z = ")


def test_the_epoch_is_the_one_at_which_the_curves_first_showed_it() -> None:
    whole = told(FALLING, RISING_AFTER_14)
    assert whole is not None
    for epochs in range(1, 41):
        sight = told(FALLING[:epochs], RISING_AFTER_14[:epochs])
        assert (sight is None) if epochs < whole.epoch else sight is not None and sight.epoch == whole.epoch


@pytest.mark.parametrize(
    ("train", "val"),
    [
        (FALLING, FALLING + 0.1),
        (np.full(40, 0.3), RISING_AFTER_14),
        (FALLING, np.where(np.arange(40) == 9, np.nan, RISING_AFTER_14)),
        (FALLING[:20], RISING_AFTER_14[:20]),
    ],
)
def test_silence(train: np.ndarray, val: np.ndarray) -> None:
    assert told(train, val) is None


def test_a_rise_within_the_noise_of_the_examples_is_not_said() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 300))
    best, last = RISING_AFTER_14.min() + noise[0], RISING_AFTER_14[-1] + 3 * noise[1]
    assert notice(FALLING, RISING_AFTER_14, best, last, baseline=1.0) is None


def test_few_validation_examples_say_nothing() -> None:
    few = np.linspace(0, 0.1, 29)
    assert notice(FALLING, RISING_AFTER_14, few, few + 1, baseline=1.0) is None


def test_not_learning_is_said_once_and_not_too_early() -> None:
    flat = np.full(30, 1.09)
    assert told(flat[:19], flat[:19]) is None
    sight = told(flat, flat)
    assert sight is not None
    assert (sight.verdict, sight.epoch) == ("not learning", 20)
    assert sight.text.startswith("epoch 20:")  # the same words, whenever a launch ends
    assert told(flat, flat, said="not learning", since=20) is None


def test_a_second_descent_is_named_where_it_begins() -> None:
    train = np.exp(-np.arange(50) / 20)
    sights = every_epoch(train, HUMP[:, None] + np.linspace(-0.1, 0.1, 100) * (1 + np.arange(50)[:, None] / 50))
    assert [s.verdict for s in sights] == ["overfitting", "second descent"]
    first_lower = 1 + int(np.flatnonzero((HUMP < 0.5) & (np.arange(50) > 10))[0])
    assert sights[1].epoch == first_lower
    assert sights[1].text.startswith(f"epoch {first_lower}: validation loss has fallen to")
    assert "too early" in sights[1].text


def test_a_second_descent_needs_the_epoch_of_the_rise() -> None:
    with pytest.raises(ArgumentError, match="since=0"):
        told(FALLING, RISING_AFTER_14, said="overfitting")


def test_a_loss_below_zero_that_never_beat_the_constant_does_not_overfit() -> None:
    # E_0 = -1, lowest E_va = -0.5: there is no share of what was learned to speak of, in a fit or after it.
    train, val = -3 + FALLING, np.where(np.arange(40) < 13, -0.5 + 0.4 * FALLING, -0.4 + np.arange(40) / 100)
    examples = np.linspace(-0.01, 0.01, 100)
    assert notice(train, val, val.min() + examples, val[-1] + examples, baseline=-1.0) is None
    assert diagnose(make(train, val, baseline=-1.0, initial_train_loss=0.0)).verdict not in (
        "overfitting",
        "over-confident",
    )


def test_losses_that_reach_zero_are_measured_against_the_constant() -> None:
    val = np.r_[np.linspace(1, 0.001, 20), np.linspace(0.01, 0.5, 20)]
    sight = told(np.exp(-np.arange(40.0)), val)
    assert sight is not None
    assert "of what was learned since epoch 20" in sight.text


@pytest.mark.parametrize(("memory", "single"), [(0.0, 0.1), (0.5, 0.1), (0.8, 0.4)])
def test_noise_is_rarely_said_however_often_it_is_looked_at(memory: float, single: float) -> None:
    runs = range(60)
    losses = (simulated(s, rise=0.0, epochs=100, n=200, wobble=0.04, single=single, memory=memory) for s in runs)
    assert sum(bool(every_epoch(falling(100), run)) for run in losses) <= 3


# ── in a fit ────────────────────────────────────────────────────────────────────────────────────────────────────


class Stop(Callback):
    """Makes every launch one epoch."""

    def after_epoch(self, loop: Any) -> None:
        pass


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(Progress, "say", lambda self, text: found.append(text))
    return found


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 10)).astype(np.float32)
    y = (x @ rng.normal(size=(10, 3))).argmax(1)
    y = np.where(rng.random(300) < 0.2, (y + 1) % 3, y)
    return (x[:100], y[:100]), (x[100:], y[100:])


def fit(epochs: int, callbacks: list[Callback], validation: bool = True, **options: Any) -> Any:
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 3))
    trainer = wf.Trainer(model, "cross_entropy", optim.Adam(1e-2), ["accuracy"], callbacks=callbacks)
    training, held = data()
    return trainer.fit(training, held if validation else None, epochs=epochs, verbose=False, **options)


def overfitting_lines(lines: list[str]) -> list[str]:
    return [text for text in lines if "overfitting" in text]


def test_a_fit_says_it_once_and_launches_are_as_long_as_without(lines: list[str]) -> None:
    run = fit(60, [LiveDiagnosis()])
    assert len(overfitting_lines(lines)) == 1
    assert run.callbacks[0].said == "overfitting"
    plain = fit(60, [])
    assert run.settings["launches"] == plain.settings["launches"]
    assert run.history.rows == plain.history.rows


def test_the_epoch_does_not_depend_on_the_launches(lines: list[str]) -> None:
    long, single = fit(60, [LiveDiagnosis()]), fit(60, [LiveDiagnosis(), Stop()])
    assert long.callbacks[0].epoch == single.callbacks[0].epoch > 0
    assert len(overfitting_lines(lines)) == 2


def test_a_resumed_fit_does_not_say_it_again(lines: list[str], tmp_path: Any) -> None:
    fit(50, [LiveDiagnosis(), Stop()], folder=tmp_path / "run")
    assert len(overfitting_lines(lines)) == 1
    resumed = fit(60, [LiveDiagnosis(), Stop()], folder=tmp_path / "run", resume=True)
    assert len(overfitting_lines(lines)) == 1
    whole = fit(60, [LiveDiagnosis(), Stop()])
    assert state_of(resumed.callbacks[0], LiveDiagnosis()) == state_of(whole.callbacks[0], LiveDiagnosis())


def test_what_was_kept_and_a_probe_that_diverged_are_told_as_they_are(lines: list[str]) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(10, 3)

        def forward(self, x: Any) -> Any:
            return self.layer(x) * np.nan

    run = fit(60, [], keep="last", probe=Broken())
    assert run.diagnosis.verdict in ("overfitting", "over-confident")
    assert any('keep="best") would have kept' in text for text in run.diagnosis.remedies)
    assert run.evidence.kept == "last"
    assert (run.evidence.probe_gain, run.evidence.probe_val_gain) == (None, None)
    assert fit(60, []).evidence.kept == "best"


def test_without_validation_it_is_silent(lines: list[str]) -> None:
    run = fit(30, [LiveDiagnosis()], validation=False)
    assert run.callbacks[0].said == ""
    assert not overfitting_lines(lines)


def test_a_second_descent_of_a_real_model_is_named() -> None:
    # The large features are learned first, and overfitted; the small ones, which the target needs, much later.
    rng = np.random.default_rng(1)
    large, small = rng.normal(size=(400, 50)), rng.normal(size=(400, 10))
    y = 0.3 * large.sum(1) / np.sqrt(50) + small.sum(1) / np.sqrt(10) + 0.3 * rng.normal(size=400)
    x, y = np.c_[large, 0.2 * small].astype(np.float32), y.astype(np.float32)[:, None]
    wf.random.seed(1)
    trainer = wf.Trainer(nn.Linear(1), "mse", optim.SGD(0.2))
    run = trainer.fit((x[:100], y[:100]), (x[100:], y[100:]), epochs=1500, batch_size=100, verbose=False)
    assert run.diagnosis.second_descent
    assert run.best_epoch == 1500
    assert not any("early stopping" in text for text in run.diagnosis.remedies)
    assert any("second descent" in line for line in str(run.diagnosis).splitlines())
