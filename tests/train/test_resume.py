"""Exact resume: a fit that is killed at any moment goes on bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import weft as wf
from tests.train import resumed_fit
from weft import nn, optim
from weft.errors import ArgumentError, FileError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")  # one line trains for all

KILLS = {"small": 20, "large": 18, "streamed": 16}


@pytest.mark.parametrize("kind", KILLS)
def test_killed_at_any_moment_training_goes_on_bit_for_bit(kind, tmp_path):
    wanted = resumed_fit.outcome(*resumed_fit.fit(kind, tmp_path / "whole", resume=False))
    place, chance = tmp_path / "killed", random.Random(kind)
    (place).mkdir()
    kills = 0
    while not (place / f"{kind}.done").exists():
        process = subprocess.Popen([sys.executable, "-m", "tests.train.resumed_fit", place, kind])
        if kills < KILLS[kind]:
            begun = _last(place)
            while _last(place) == begun and process.poll() is None:  # it is training: so kill it somewhere in it
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.15))
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        assert process.wait(120) in (0, -signal.SIGKILL)
    assert kills >= KILLS[kind] * 3 // 4, "the training was over too soon to be killed often"
    assert (place / f"{kind}.done").read_text() == wanted


def _last(place):
    """The newest checkpoint's name."""
    pointer = place / "checkpoints" / "latest"
    return pointer.read_text() if pointer.exists() else ""


def trainer(seed=0, rate=1e-2):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
    return wf.Trainer(model, "cross_entropy", optim.Adam(rate), ["accuracy"], seed=seed)


def fit(made, folder, epochs, **options):
    how = {"validation": 0.2, "batch_size": 16, "verbose": False, **options}
    return made.fit(wf.data.iris(), epochs=epochs, folder=folder, resume=True, **how)


def test_a_fit_in_a_folder_goes_on_up_to_the_epochs_asked_for(tmp_path):
    whole = fit(trainer(), tmp_path / "a", 9)
    fit(trainer(), tmp_path / "b", 4)
    run = fit(trainer(), tmp_path / "b", 9)
    assert run.history.rows == whole.history.rows
    again = fit(trainer(), tmp_path / "b", 9)
    assert again.history.rows == whole.history.rows
    assert (again.best_epoch, again.held_epoch, again.stopped) == (run.best_epoch, run.held_epoch, "epochs")


def test_what_a_call_says_and_shows_may_differ_from_the_first(tmp_path):
    whole = fit(trainer(), tmp_path / "a", 6)
    fit(trainer(), tmp_path / "b", 3, verbose=True)
    seen = []
    run = fit(trainer(), tmp_path / "b", 6, on_epoch=lambda epoch, row: seen.append(epoch))
    assert run.history.rows == whole.history.rows
    assert seen == [4, 5, 6]
    assert fit(trainer(), tmp_path / "b", 7, verbose=True).history.rows[:6] == whole.history.rows


def test_a_live_diagnosis_does_not_say_it_again(tmp_path):
    seen = []

    class Watch(wf.Callback):
        def before_fit(self, loop):
            live = next(c for c in loop.callbacks if type(c).__name__ == "LiveDiagnosis")
            seen.append((live.said, live.epoch))
            live.said, live.epoch = "overfitting", 1

    for epochs in (1, 2):
        wf.random.seed(0)
        made = wf.Trainer(nn.Linear(4, 3), "cross_entropy", callbacks=[Watch()])
        fit(made, tmp_path, epochs, verbose=True)
    assert seen == [("", 0), ("overfitting", 1)]


def test_a_function_has_the_same_name_in_another_process(tmp_path):
    def made():
        return trainer(rate=optim.schedules.Function(lambda t: 0.01 / (1 + t)))

    fit(made(), tmp_path, 1)
    assert fit(made(), tmp_path, 2).history.epochs == 2


def test_what_no_file_can_hold_is_refused_before_training(tmp_path):
    class Unknown(nn.Linear):
        pass

    made = wf.Trainer(Unknown(4, 3), "cross_entropy")
    with pytest.raises(ArgumentError):
        fit(made, tmp_path, 1)
    assert made.epoch == 0


def test_what_ended_for_good_does_not_go_on(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 3, 60)
    how = {"validation": 0.5, "batch_size": 16, "patience": 3, "verbose": False, "folder": tmp_path, "resume": True}
    first = trainer().fit((x, y), epochs=300, **how)
    assert first.stopped == "patience"
    second = trainer().fit((x, y), epochs=300, **how)
    assert (second.stopped, second.history.epochs) == ("patience", first.history.epochs)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 1}, "seed"), ({"rate": 2e-2}, "optimizer"), ({"batch_size": 8}, "batch_size")],
)
def test_the_state_of_another_fit_is_refused(change, named, tmp_path):
    fit(trainer(), tmp_path, 2)
    options = {k: v for k, v in change.items() if k == "batch_size"}
    other = trainer(**{k: v for k, v in change.items() if k != "batch_size"})
    with pytest.raises(ArgumentError, match=named):
        fit(other, tmp_path, 4, **options)


def test_another_order_of_the_users_own_is_another_fit(tmp_path):
    shuffled = lambda seed: lambda epoch: np.random.default_rng((seed, epoch)).permutation(120)
    fit(trainer(), tmp_path, 2, shuffle=shuffled(0))
    with pytest.raises(ArgumentError, match="shuffle"):
        fit(trainer(), tmp_path, 4, shuffle=shuffled(1))
    assert fit(trainer(), tmp_path, 4, shuffle=shuffled(0)).history.epochs == 4


def test_damaged_checkpoints_are_passed_over_and_named(tmp_path):
    whole = fit(trainer(), tmp_path / "whole", 8)
    fit(trainer(), tmp_path / "run", 2)
    fit(trainer(), tmp_path / "run", 5)
    newest = tmp_path / "run" / "checkpoints" / _last(tmp_path / "run").strip()
    tensors = newest / "tensors.safetensors"
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(bytes(content))
    run = fit(trainer(), tmp_path / "run", 8)
    assert run.history.rows == whole.history.rows
    assert any(newest.name in note for note in run.notes)


def test_two_fits_in_one_folder_are_refused(tmp_path):
    class Second(wf.Callback):
        def after_epoch(self, loop):
            fit(trainer(), tmp_path, 2)

    wf.random.seed(0)
    first = wf.Trainer(nn.Sequential(nn.Linear(4, 3)), "cross_entropy", callbacks=[Second()])
    with pytest.raises(FileError):
        fit(first, tmp_path, 3)


def test_resume_needs_a_folder():
    with pytest.raises(ArgumentError, match="folder"):
        trainer().fit(wf.data.iris(), resume=True, verbose=False)
