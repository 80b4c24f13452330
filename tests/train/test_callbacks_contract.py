"""What every callback promises: a specification, whose state belongs to the run and goes on exactly after a stop."""

import gc
import types
from pathlib import Path

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.train.callback import state_of
from weft.train.callbacks.averages import Averages
from weft.train.callbacks.live import LiveDiagnosis
from weft.train.callbacks.logs import CSVLog, TensorBoard
from weft.train.callbacks.snapshots import Snapshots
from weft.train.callbacks.statistics import LearningRate, Statistics
from weft.train.callbacks.stopping import EarlyStopping
from weft.train.callbacks.timing import TimeLimit
from weft.train.callbacks.unfreezing import Unfreeze

CALLBACKS = {
    "Averages": Averages,
    "CSVLog": lambda: CSVLog("logs/history.csv"),
    "EarlyStopping": lambda: EarlyStopping(6, significance=1.0),
    "EarlyStopping by a criterion": lambda: EarlyStopping(criterion="UP", threshold=1),
    "LearningRate": LearningRate,
    "LiveDiagnosis": LiveDiagnosis,
    "Snapshots": lambda: Snapshots(4),
    "Statistics": lambda: Statistics(every=2),
    "TensorBoard": lambda: TensorBoard("logs/board", batches=True),
    "TimeLimit": lambda: TimeLimit("1h"),
    "Unfreeze": lambda: Unfreeze({3: "0"}, freeze="0"),
}


class FakeWriter:
    """Remembers what it is told, as tensorboardX would write it."""

    def __init__(self, folder, purge_step):
        self.folder, self.scalars = folder, []
        BOARDS.append(self)
        self.first = purge_step

    def add_scalar(self, tag, value, step):
        assert step >= self.first
        self.scalars.append((tag, value, step))

    def flush(self):
        self.flushed = len(self.scalars)

    def close(self):
        self.closed = True


BOARDS = []


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=FakeWriter))
    BOARDS.clear()
    gc.collect()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 4)).astype(np.float32)
    y = rng.integers(0, 3, 96)  # noise: what stops training soon has a reason to
    return (x[:64], y[:64]), (x[64:], y[64:])


def trainer(callbacks):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    averaged = optim.EMA(optim.Adam(optim.Exponential(0.02, factor=0.99)), decay=0.9)
    return wf.Trainer(model, "cross_entropy", averaged, callbacks=callbacks)


def fit(callbacks, data, epochs=8, **options):
    training, validation = data
    return trainer(callbacks).fit(training, validation, epochs=epochs, batch_size=16, verbose=False, **options)


def state(run, given):
    return state_of(run.callbacks[0], given)


def assert_same(a, b):
    np.testing.assert_equal(a, b)


@pytest.fixture(params=CALLBACKS)
def make(request):
    return CALLBACKS[request.param]


def test_one_object_in_two_fits_equals_two_fresh_ones(make, data):
    shared, before = make(), vars(make())
    first, second = fit([shared], data), fit([shared], data)
    fresh = fit([make()], data)
    assert_same(vars(shared), before)
    assert_same(second.history.rows, first.history.rows)
    assert_same(second.history.rows, fresh.history.rows)
    assert_same(state(second, shared), state(fresh, make()))


def test_a_fit_that_is_resumed_is_the_same_as_one_that_was_not_interrupted(make, data, tmp_path):
    fit([make()], data, 5, folder=tmp_path / "run")
    resumed = fit([make()], data, 10, folder=tmp_path / "run", resume=True)
    whole = fit([make()], data, 10)
    assert_same(resumed.history.rows, whole.history.rows)
    assert resumed.stopped == whole.stopped
    assert_same(state(resumed, make()), state(whole, make()))
    for (path, a), (_, b) in zip(resumed.model.named_parameters(), whole.model.named_parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy()), path


def test_a_log_after_a_resume_has_each_row_once(data, tmp_path):
    fit([CSVLog("a.csv")], data, 5, folder=tmp_path / "run")
    with Path("a.csv").open("a") as file:
        file.write("6,lost,row\n")  # what a killed process wrote after its last checkpoint
    run = fit([CSVLog("a.csv")], data, 8, folder=tmp_path / "run", resume=True)
    assert Path("a.csv").read_text() == run.history.to_csv()


def test_a_board_has_a_curve_for_each_column_and_replaces_later_epochs(data, tmp_path):
    run = fit([TensorBoard("board", batches=True)], data, 4, folder=tmp_path / "run")
    epochs, batches = BOARDS
    assert epochs.closed
    assert epochs.flushed == len(epochs.scalars)
    assert {tag for tag, _, _ in epochs.scalars} == {"loss/running", "loss/last", "loss/train", "loss/val"}
    assert [v for tag, v, _ in epochs.scalars if tag == "loss/val"] == run.history["val_loss"]
    assert batches.folder == "board/batches"
    fit([TensorBoard("board")], data, 6, folder=tmp_path / "run", resume=True)
    assert BOARDS[-1].first == 5
    assert {step for _, _, step in BOARDS[-1].scalars} == {5, 6}


def test_a_board_writes_the_loss_of_batches_where_batches_are_launched(data):
    class Each(wf.Callback):
        def after_batch(self, loop):
            pass

    fit([TensorBoard("board", batches=True), Each()], data, 2)
    steps = [step for _, _, step in BOARDS[1].scalars]
    assert sorted(set(steps)) == list(range(1, 9))


def test_a_board_without_its_package_says_what_to_do(data, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(wf.WeftError, match="tensorboardX") as error:
        fit([TensorBoard("board")], data)
    assert "CSVLog" in str(error.value)
