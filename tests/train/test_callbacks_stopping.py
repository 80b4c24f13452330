"""EarlyStopping and TimeLimit: rules that end a fit, their numbers, and what is refused before the first step."""

import types

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.overfit.criteria import paired_rise, stop_gl, stop_pq, stop_up
from weft.train.callback import StopTraining, fresh
from weft.train.callbacks.monitoring import mode_of
from weft.train.callbacks.stopping import EarlyStopping
from weft.train.callbacks.timing import TimeLimit
from weft.train.history import History


class Curve:
    """A fit that has only its curves: the part of a loop that a stopping rule looks at."""

    def __init__(self, columns, examples=None, columns_by_example=("loss", "accuracy"), n_val=0):
        self.columns, self.examples = columns, examples
        self.history = History(list(columns))
        measure = types.SimpleNamespace(by_example=examples is not None, columns=columns_by_example)
        self.course = types.SimpleNamespace(measure=measure, n_val=n_val, last_examples=None)
        self.standing = types.SimpleNamespace(done=0)
        self.baseline = 1.0  # the loss of the best constant

    def stops(self, rule):
        """The epoch in which the rule ends it, and why; None if it does not."""
        rule = fresh(rule)
        rule.before_fit(self)
        for epoch in range(len(next(iter(self.columns.values())))):
            self.row = {name: float(values[epoch]) for name, values in self.columns.items()}
            self.history.append(list(self.row.values()))
            self.standing.done = epoch + 1
            if self.examples is not None:
                self.course.last_examples = types.SimpleNamespace(numpy=lambda e=epoch: self.examples[e])
            try:
                rule.after_epoch(self)
            except StopTraining as stop:
                return epoch + 1, stop.why if stop.final else "not final"
        return None


def curve(val, train=None, **more):
    return Curve({"train_loss": train or val, "val_loss": val, **more})


def test_patience_counts_epochs_without_improvement_and_says_the_numbers():
    epoch, why = curve([3, 2, 1, 1.5, 1.2, 1.0, 0.5]).stops(EarlyStopping(3))
    assert epoch == 6
    assert why == "patience: 3 epochs without improvement of val_loss (best 1 in epoch 3, now 1)"


def test_nan_is_never_an_improvement_and_never_the_best():
    nan = float("nan")
    assert curve([nan, nan, nan]).stops(EarlyStopping(3))[0] == 3
    assert curve([2, nan, float("-inf"), 1.5]).stops(EarlyStopping(2))[0] == 3


def test_min_delta_is_counted_from_the_best():
    values = [1.0, 0.95, 0.91, 0.85, 0.82, 0.81, 0.8]
    assert curve(values).stops(EarlyStopping(3)) is None
    assert curve(values).stops(EarlyStopping(3, min_delta=0.1))[0] == 7  # 1.0, then 0.85


def test_what_rises_is_known_by_its_name_or_told():
    up = [0.1, 0.5, 0.6, 0.5, 0.4]
    assert curve(up, val_accuracy=up).stops(EarlyStopping(2, "val_accuracy"))[0] == 5
    assert curve(up, strange=up).stops(EarlyStopping(2, "strange", mode="max"))[0] == 5
    with pytest.raises(wf.WeftError, match="mode"):
        curve(up, strange=up).stops(EarlyStopping(2, "strange"))


@pytest.mark.parametrize(
    ("column", "mode"),
    [("val_loss", "min"), ("val_accuracy", "max"), ("val_rmse", "min"), ("val_f1_macro", "max"), ("val_r2", "max"),
     ("val_log_loss", "min"), ("val_mean_iou", "max"), ("val_calibration_error", "min"), ("val_top5", "max"),
     ("val_average_precision", "max"), ("val_matthews_correlation", "max"), ("val_brier_score", None)],
)  # fmt: skip
def test_modes_of_the_known_metrics(column, mode):
    if mode is None:
        with pytest.raises(wf.WeftError):
            mode_of(column, None)
    else:
        assert mode_of(column, None) == mode


def noisy(epochs, fall, n=200, n_train=50):
    """Losses of examples that fall by ``fall`` an epoch under noise of size 1."""
    rng = np.random.default_rng(0)
    base = rng.uniform(5, 10, n + n_train)
    rows = [base - fall * t + rng.normal(size=n + n_train) for t in range(epochs)]
    return [np.stack([row, row > 7]) for row in rows]


def test_an_improvement_within_the_noise_of_the_examples_does_not_count():
    examples = noisy(40, 0.0)
    values = [e[0, :200].mean() for e in examples]
    fit = Curve({"train_loss": values, "val_loss": values}, examples, n_val=200)
    epoch, why = fit.stops(EarlyStopping(5, significance=3))
    assert epoch == 6
    assert "significant improvement (z > 3)" in why


def test_slow_progress_counts_once_it_is_significant():
    examples = noisy(60, 0.05)
    values = [e[0, :200].mean() for e in examples]
    fit = Curve({"train_loss": values, "val_loss": values}, examples, n_val=200)
    assert fit.stops(EarlyStopping(20, significance=3)) is None
    best, waited = 0, []
    for t in range(1, 60):  # the definition
        if -paired_rise(examples[t][0, :200], examples[best][0, :200]) > 3:
            waited.append(t - best)
            best = t
    assert max(waited) > 1
    assert max(waited) <= 20


def test_significance_of_a_rate_that_rises():
    examples = [np.stack([np.ones(60), np.arange(60) < 30 + 10 * min(t, 1)]).astype(float) for t in range(6)]
    values = [e[1].mean() for e in examples]
    fit = Curve({"train_loss": values, "val_loss": values, "val_accuracy": values}, examples, n_val=60)
    assert fit.stops(EarlyStopping(3, "val_accuracy", significance=2))[0] == 5


TRAIN = [1.0, 0.9, 0.8, 0.7, 0.6, 0.55, 0.5, 0.47, 0.45, 0.44, 0.43, 0.43, 0.42, 0.42, 0.42]
VAL = [1.0, 0.9, 0.85, 0.84, 0.85, 0.86, 0.87, 0.88, 0.9, 0.92, 0.95, 0.99, 1.04, 1.1, 1.2]


@pytest.mark.parametrize(
    ("name", "epoch"),
    [("GL", stop_gl(VAL, 5)), ("PQ", stop_pq(VAL, TRAIN, 1)), ("UP", stop_up(VAL, 2))],
)
def test_a_criterion_stops_where_the_paper_says(name, epoch):
    assert epoch is not None
    found, why = curve(VAL, TRAIN).stops(EarlyStopping(criterion=name, threshold=2 if name == "UP" else None))
    assert found == epoch
    assert why.startswith(f"{name}: ")


def test_a_criterion_leaves_out_patience_unless_it_is_given():
    flat = [1.0] * 30
    assert curve(flat).stops(EarlyStopping(criterion="GL")) is None
    assert curve(flat).stops(EarlyStopping(4, criterion="GL"))[0] == 5


def test_a_criterion_of_losses_below_zero_measures_against_the_constant():
    fit = curve([-1.0, -2.0, -1.9, -1.5], [-1.0, -2.0, -2.1, -2.2])
    assert fit.stops(EarlyStopping(criterion="GL", threshold=10))[0] == 4  # (−1.5 + 2) / (1 + 2) = 17 %


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 0},
        {"patience": 2.5},
        {"min_delta": -1},
        {"significance": float("nan")},
        {"criterion": "gl"},
        {"threshold": 3},
        {"criterion": "UP", "threshold": 1.5},
        {"criterion": "GL", "threshold": 0},
        {"criterion": "GL", "monitor": "val_accuracy"},
        {"criterion": "GL", "significance": 2},
        {"mode": "down"},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(wf.WeftError, match="EarlyStopping"):
        EarlyStopping(**settings)


def trainer(callbacks, step=None):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    return wf.Trainer(model, None if step else "cross_entropy", optim.Adam(1e-2), callbacks=callbacks, step=step)


def test_an_unknown_column_is_a_lesson_before_the_first_step():
    made = trainer([EarlyStopping(monitor="val_los")])
    before = made.model[0].weight.numpy().copy()
    with pytest.raises(wf.WeftError, match="val_los") as error:
        made.fit(wf.data.iris(), validation=0.2, verbose=False)
    assert "train_loss" in str(error.value)
    assert "'val_loss'" in str(error.value)
    assert (made.model[0].weight.numpy() == before).all()
    with pytest.raises(wf.WeftError, match="no validation data"):
        trainer([EarlyStopping()]).fit(wf.data.iris(), verbose=False)
    with pytest.raises(wf.WeftError, match="each example"):
        trainer([EarlyStopping(monitor="loss", significance=2)]).fit(wf.data.iris(), validation=0.2, verbose=False)


def test_it_stops_a_fit_that_ends_with_the_best_weights():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 4)).astype(np.float32), rng.integers(0, 3, 150)
    run = trainer([EarlyStopping(4, significance=2)]).fit((x, y), validation=0.4, epochs=200, verbose=False)
    assert run.stopped.startswith("patience: 4 epochs without significant improvement")
    assert run.held_epoch == run.best_epoch
    assert run.history.epochs == run.callbacks[0].best_epoch + 4


def test_a_fit_that_it_has_ended_does_not_go_on_when_resumed(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 4)).astype(np.float32), rng.integers(0, 3, 150)
    how = {"validation": 0.4, "verbose": False, "folder": tmp_path}
    first = trainer([EarlyStopping(4, significance=2)]).fit((x, y), epochs=200, **how)
    again = trainer([EarlyStopping(4, significance=2)]).fit((x, y), epochs=300, resume=True, **how)
    assert again.stopped == first.stopped
    assert again.history.rows == first.history.rows


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_times_are_read_and_refused():
    assert [TimeLimit(t).seconds for t in (2, "90s", "1h30m", "1.5 h", "1d 2min")] == [2, 90, 5400, 5400, 86520]
    for wrong in (0, -1, float("nan"), float("inf"), "soon", "", "10", "5x", True, None):
        with pytest.raises(wf.WeftError, match="TimeLimit"):
            TimeLimit(wrong)


def test_a_time_limit_ends_the_fit_and_resuming_goes_on(tmp_path):
    short = trainer([TimeLimit(0.05)]).fit(wf.data.iris(), epochs=100_000, folder=tmp_path, verbose=False)
    assert short.stopped == "time: 0.05s have passed"
    assert 0 < short.history.epochs < 100_000
    end = short.history.epochs + 5
    run = trainer([TimeLimit("1h")]).fit(wf.data.iris(), epochs=end, folder=tmp_path, resume=True, verbose=False)
    assert run.stopped == "epochs"
    assert run.history.epochs == end
    assert run.history.rows[: short.history.epochs] == short.history.rows
