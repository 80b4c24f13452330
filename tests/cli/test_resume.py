import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields

import pytest

from tests.cli.conftest import QUICK, homes
from weft.cli import train as command
from weft.cli.earlier import set_aside, settle
from weft.cli.folders import run_folder
from weft.cli.options import TrainOptions
from weft.cli.stored import store, stored
from weft.errors import FileError
from weft.storage.checkpoints import Checkpoints

WORDS = ("homes.csv", "--target", "price", "--ignore", "dear", *QUICK)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_text(homes())
    return tmp_path


def weights(folder):
    return (folder / "model.weft").read_bytes()


def test_a_killed_run_goes_on_to_the_same_bytes(here):
    words = ("iris", "--epochs", "4000", "--hidden", "256,256", "--dropout", "0.3", "--augment", "noise:0.1", "--quiet")
    words = (*words, "--keep", "last", "--batch-size", "8")
    begin = [sys.executable, "-m", "weft", "train", *words, "--folder", "killed"]
    process = subprocess.Popen(begin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ)
    latest, deadline = here / "killed" / "checkpoints" / "latest", time.monotonic() + 120
    while not latest.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read()
    process.stderr.close()
    done, _, final = command.begun(here / "killed")
    assert 0 < done < 4000
    assert not final
    assert not (here / "killed" / "model.weft").exists()
    epochs = str(done + 20)
    goes_on = subprocess.run(
        [sys.executable, "-m", "weft", "resume", "killed", "--epochs", epochs, "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert goes_on.returncode == 0, goes_on.stderr
    whole = [w if w != "4000" else epochs for w in words]
    subprocess.run(
        [sys.executable, "-m", "weft", "train", *whole, "--folder", "whole"], check=True, capture_output=True
    )
    assert weights(here / "killed") == weights(here / "whole")
    assert (here / "killed" / "history.csv").read_text() == (here / "whole" / "history.csv").read_text()


def test_a_run_is_trained_for_longer_as_if_it_had_been_begun_so(weft, here):
    assert weft("train", *WORDS, "--folder", "short").status == 0
    said = weft("resume", "short")
    assert said.status == 0
    assert "has all of its 6 epochs; weft resume short --epochs 12 trains longer" in " ".join(said.out.split())
    said = weft("resume", "short", "--epochs", "9")
    assert said.status == 0
    assert "short, after 6 of 9 epochs" in said.out
    assert weft("train", *WORDS[:-6], "--epochs", "9", *QUICK[2:], "--folder", "long").status == 0
    assert weights(here / "short") == weights(here / "long")
    assert stored("short")[0].epochs == 9
    said = weft("resume", "short", "--epochs", "3")
    assert said.status == 2
    assert "--epochs 3, and the run has 9" in said.error
    assert "try: weft resume short --epochs 18" in said.error


def test_a_time_limit_is_no_end(weft):
    said = weft("train", *WORDS[:-6], "--epochs", "100000", *QUICK[2:], "--folder", "mine", "--time-limit", "0.2")
    assert said.status == 0
    assert "stopped by time: 0.2s have passed" in said.out
    assert "weft resume mine" in said.out
    said = weft("resume", "mine", "--epochs", command.begun(stored("mine")[1])[0] + 5)
    assert said.status == 0


def test_what_patience_ended_is_not_gone_on_with(weft):
    rate = ("--learning-rate", "0.5", "--patience", "1", "--folder", "mine")
    assert weft("train", *WORDS[:-6], "--epochs", "300", *QUICK[2:], *rate).status == 0
    said = weft("resume", "mine", "--epochs", "400")
    assert said.status == 0
    assert "it stopped by itself: patience" in " ".join(said.out.split())


def test_resume_of_train_takes_options_by_hand_and_checks_them(weft):
    said = weft("train", *WORDS, "--resume")
    assert said.status == 2
    assert "--folder runs/homes --resume" in said.error
    assert weft("train", *WORDS, "--folder", "mine", "--resume").status == 0  # nothing there yet: from the beginning
    said = weft("train", *WORDS, "--folder", "mine", "--resume", "--seed", "5")
    assert said.status == 2
    assert "is of a fit that differs in" in said.error


def test_a_table_that_has_changed_is_refused(weft, here):
    assert weft("train", *WORDS, "--folder", "mine").status == 0
    (here / "homes.csv").write_text(homes(seed=1))
    said = weft("resume", "mine", "--epochs", "9")
    assert said.status == 2
    assert "is of a fit that differs in data" in said.error


def test_a_run_that_is_replaced_goes_only_when_the_new_one_has_begun(weft, here, monkeypatch):
    assert weft("train", *WORDS, "--folder", "mine").status == 0
    before = {path: path.read_bytes() for path in (here / "mine").rglob("*") if path.is_file() and path.name != "lock"}
    smoothed = ("--augment", "smoothing:0.1", "--folder", "mine")
    assert weft("train", *WORDS, *smoothed).status == 2

    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(command, "trained", fails)
    with pytest.raises(MemoryError):
        weft("train", *WORDS, "--seed", "3", "--folder", "mine")
    assert {path: path.read_bytes() for path in before} == before
    assert not list((here / "mine").glob(".earlier*"))
    set_aside(here / "mine")  # and then the process dies
    store(TrainOptions("iris"), here / "mine")
    assert command.begun(here / "mine") == (0, "", False)  # nothing to go on from
    settle(here / "mine")
    assert {path: path.read_bytes() for path in before} == before
    set_aside(here / "mine")
    (here / "mine" / "model.weft").write_bytes(b"new")
    settle(here / "mine")
    assert {p.name for p in (here / "mine").iterdir()} == {"model.weft", "checkpoints"}


def test_a_run_that_goes_on_elsewhere_is_left_alone(here):
    (here / "mine").mkdir()
    store(TrainOptions("iris"), here / "mine")
    with Checkpoints(here / "mine"):
        with pytest.raises(FileError, match="is being written by"), run_folder("mine", "iris"):
            pass
        with pytest.raises(FileError, match="second"), run_folder("mine", "iris", resume=True):
            raise FileError("second")
        assert stored("mine")[0] == TrainOptions("iris")
        assert (here / "mine" / "checkpoints" / "lock").exists()


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "weft.command/1"}', '{"format": "other/1", "options": {}}'])
def test_a_damaged_command_is_said(weft, here, damage):
    (here / "mine").mkdir()
    (here / "mine" / "command.json").write_text(damage)
    said = weft("resume", "mine")
    assert said.status == 2
    assert "is not the command of a run, or it is damaged" in said.error
    assert "try: weft train DATA" in said.error


def test_options_come_back_from_the_file_as_they_were(here):
    options = TrainOptions(
        "iris", hidden=(), learning_rate=0.0012345678901, augment=("noise:0.1",), time_limit="10m", patience=3
    )
    store(options, here)
    assert stored(str(here))[0] == options
    store(TrainOptions("homes.csv", target="price"), here)
    assert stored(str(here))[0].data == str(here / "homes.csv")
    (here / "wine").write_text("no bundled data")
    store(TrainOptions("wine"), here)
    assert stored(str(here))[0].data == "wine"
    about = json.loads((here / "command.json").read_text())
    assert set(about["options"]) == {f.name for f in fields(TrainOptions)}
    about["options"]["epochs"] = "many"
    (here / "command.json").write_text(json.dumps(about))
    with pytest.raises(FileError, match="epochs is 'many'"):
        stored(str(here))


def test_resume_of_nothing(weft):
    said = weft("resume", "runs/nothing")
    assert said.status == 2
    assert "there is no run 'runs/nothing'" in said.error
