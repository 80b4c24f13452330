"""The events of a fit, what callbacks may do at them, and that their state belongs to the run."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, FileError
from weft.train.callback import EVENTS


def trainer(callbacks=(), **options):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    return wf.Trainer(model, "cross_entropy", optim.Adam(1e-2), ["accuracy"], callbacks, **options)


def fit(made, epochs=3, **options):
    return made.fit(wf.data.iris(), validation=0.2, epochs=epochs, batch_size=40, verbose=False, **options)


class Diary(wf.Callback):
    def __init__(self):
        self.seen = []


for _event in EVENTS:
    setattr(Diary, _event, lambda self, loop, event=_event: self.seen.append((event, loop.epoch, loop.batch)))


def test_events_come_in_their_order():
    seen = [event for event, *_ in fit(trainer([Diary()]), epochs=1).callbacks[0].seen]
    batch = ["before_batch", "after_batch", "after_launch"]
    end = ["before_validation", "after_validation", "after_epoch", "after_launch"]
    assert seen == ["before_fit", "before_epoch", *batch * 3, *end, "after_fit"]


def test_epochs_and_batches_are_counted():
    seen = fit(trainer([Diary()]), epochs=2).callbacks[0].seen
    assert [(e, b) for event, e, b in seen if event == "after_batch"] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert [e for event, e, _ in seen if event == "after_epoch"] == [1, 2]
    assert [e for event, e, _ in seen if event == "before_epoch"] == [1, 2]


def test_watching_changes_no_number():
    assert fit(trainer([Diary()])).history.rows == fit(trainer()).history.rows


def test_one_object_in_two_fits_equals_two_fresh_ones():
    diary = Diary()
    first, second = (fit(trainer([diary]), epochs=1).callbacks[0] for _ in range(2))
    assert diary.seen == []
    assert first.seen == second.seen != []


def test_a_callback_may_stop_the_fit_and_the_best_weights_are_held():
    class Enough(wf.Callback):
        def after_epoch(self, loop):
            if loop.epoch == 2:
                raise wf.StopTraining("two are enough")

    run = fit(trainer([Enough()]), epochs=9)
    assert (run.stopped, run.history.epochs) == ("two are enough", 2)
    assert run.held_epoch == run.best_epoch == int(np.argmin(run.history["val_loss"])) + 1


def test_a_fit_stopped_within_an_epoch_goes_on_there():
    class Pause(wf.Callback):
        def after_batch(self, loop):
            if (loop.epoch, loop.batch) == (2, 1):
                raise wf.StopTraining("pause")

    made = trainer([Pause()])
    run = fit(made)
    assert (run.stopped, run.history.epochs, made.standing.position) == ("pause", 1, 1)
    made.callbacks = ()
    assert fit(made, epochs=2).history.rows == fit(trainer(), epochs=3).history.rows


def test_batches_can_be_passed_over():
    class Half(wf.Callback):
        def before_batch(self, loop):
            if loop.batch % 2:
                raise wf.SkipBatch

    made = trainer([Half()])
    fit(made, epochs=2)
    assert int(made.course.clock) == 4  # of 3 batches the first and the third, twice


def test_columns_of_callbacks_stand_in_the_history_from_the_first_step():
    class Size(wf.Callback):
        columns = ("size",)

        def measure(self, loop):
            return {"size": float(sum(abs(p).sum() for p in loop.model.parameters()))}

    run = fit(trainer([Size()]))
    assert run.history.columns[-1] == "size"
    assert np.isfinite(run.history["size"]).all()


def test_keyboard_interrupt_ends_with_the_best_weights():
    class Press(wf.Callback):
        def after_batch(self, loop):
            if loop.epoch == 3:
                raise KeyboardInterrupt

    run = fit(trainer([Press()]), epochs=9)
    assert run.stopped == "interrupted"
    assert run.history.epochs == 2
    assert run.held_epoch == run.best_epoch > 0


def test_an_error_in_a_callback_is_seen():
    class Broken(wf.Callback):
        def after_epoch(self, loop):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(trainer([Broken()]))


@pytest.mark.parametrize("wrong", [[Diary], ["early stopping"], Diary()])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(ArgumentError, match="callback"):
        trainer(wrong)


def test_state_that_no_file_can_hold_is_refused_with_the_cure(tmp_path):
    class Keeps(wf.Callback):
        def after_epoch(self, loop):
            self.file = object()

    with pytest.raises(ArgumentError, match="__file"):
        fit(trainer([Keeps(), wf.callbacks.Checkpoint(every=0)]), folder=tmp_path)


def test_parameters_freed_during_a_fit_are_trained_from_then_on():
    class Free(wf.Callback):
        def before_epoch(self, loop):
            if loop.epoch == 2:
                loop.model.unfreeze("0.*")

    made = trainer([Free()])
    made.model[0].freeze()
    begun = made.model[0].weight.numpy().copy()
    states = []
    fit(made, epochs=3, on_epoch=lambda *_: states.append(made.model[0].weight.numpy().copy()))
    assert (states[0] == begun).all()
    assert (states[1] != begun).any()


def test_keep_last_keeps_the_weights_of_the_moment_even_within_an_epoch():
    class Pause(wf.Callback):
        def after_batch(self, loop):
            if (loop.epoch, loop.batch) == (3, 1):
                self.weight = loop.model[0].weight.numpy().copy()
                raise wf.StopTraining("pause")

    made = trainer([Pause()])
    run = fit(made, keep="last")
    assert (made.model[0].weight.numpy() == run.callbacks[0].weight).all()


@pytest.mark.parametrize("event", ["after_validation", "measure"])
def test_an_epoch_that_is_stopped_while_it_is_measured_has_its_row(event):
    def stop(self, loop):
        if loop.epoch == 2:
            raise wf.StopTraining("enough")
        return {"mine": 1.0}

    Stopper = type(
        "Stopper", (wf.Callback,), {"columns": ("mine",), "measure": lambda s, loop: {"mine": 1.0}, event: stop}
    )
    made = trainer([Stopper()])
    run = fit(made, epochs=5)
    assert (run.stopped, run.history.epochs, made.epoch, int(made.course.epoch)) == ("enough", 2, 2, 2)
    assert fit(made, epochs=1).history.epochs in (2, 3)


def test_state_of_lists_of_arrays_and_of_numpys_numbers_is_kept(tmp_path):
    class Totals(wf.Callback):
        def __init__(self):
            self.totals, self.by_name = [np.zeros(3)], {"a": np.zeros(3)}

        def after_epoch(self, loop):
            self.best = np.argmin(loop.history["val_loss"])
            self.totals[0] += 1

    how = {"folder": tmp_path, "resume": True}
    fit(trainer([Totals()]), epochs=1, **how)
    state = fit(trainer([Totals()]), epochs=2, **how).callbacks[0]
    assert (state.totals[0] == 2).all()
    assert int(state.best) in (0, 1)


def test_a_fit_that_is_stopped_at_its_beginning_ends_in_order(tmp_path):
    class Never(wf.Callback):
        def before_fit(self, loop):
            raise wf.StopTraining("not today")

    run = fit(trainer([Never(), wf.callbacks.CSVLog(tmp_path / "log.csv"), wf.callbacks.Snapshots()]))
    assert (run.stopped, run.history.epochs) == ("not today", 0)
    assert (tmp_path / "log.csv").read_text().startswith("epoch,loss")


@pytest.mark.parametrize("event", [e for e in EVENTS if e != "before_batch"])
def test_a_batch_is_passed_over_before_it_alone(event):
    def skip(self, loop):
        raise wf.SkipBatch

    late = type("Late", (wf.Callback,), {event: skip})
    with pytest.raises(ArgumentError, match=f"SkipBatch in Late.{event}"):
        fit(trainer([late()]), epochs=1)


def test_a_fit_that_is_stopped_when_it_has_ended_holds_the_best_weights_and_tells_the_others():
    class Late(wf.Callback):
        def after_fit(self, loop):
            raise wf.StopTraining("too late")

    run = fit(trainer([Late(), Diary()]), epochs=2)
    assert (run.stopped, run.held_epoch) == ("epochs", run.best_epoch)
    assert run.callbacks[1].seen[-1][0] == "after_fit"


def test_an_event_that_there_is_not_is_refused():
    class Misspelt(wf.Callback):
        def after_epochs(self, loop):
            raise AssertionError("nobody calls this")

    with pytest.raises(ArgumentError, match=r"Misspelt.after_epochs, which is no event[\s\S]*try: *after_epoch$"):
        trainer([Misspelt()])


@pytest.mark.parametrize(
    ("columns", "values", "told"),
    [
        ("mine", {"mine": 1.0}, r"columns = \('mine',\)"),
        (("mine",), {"other": 1.0}, r"returned \['other'\], without 'mine'"),
        (("mine",), None, "returned None, without 'mine'"),
    ],
)
def test_columns_without_their_values_are_refused(columns, values, told):
    made = type("Measures", (wf.Callback,), {"columns": columns, "measure": lambda self, loop: values})
    with pytest.raises(ArgumentError, match=told):
        fit(trainer([made()]), epochs=1)


def test_checkpoints_without_a_folder_are_refused():
    with pytest.raises(ArgumentError, match=r"in a fit without a folder"):
        fit(trainer([wf.callbacks.Checkpoint(every=60)]), epochs=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: wf.callbacks.Checkpoint(every="60"),
        lambda: wf.callbacks.Checkpoint(every=True),
        lambda: wf.callbacks.Checkpoint(keep_last=0),
        lambda: wf.callbacks.Statistics(of=None),
        lambda: wf.callbacks.Unfreeze({1: 3}),
        lambda: wf.callbacks.Unfreeze({1: "a"}, freeze=3),
    ],
)
def test_arguments_of_another_type_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


@pytest.mark.parametrize("log", [wf.callbacks.CSVLog, wf.callbacks.TensorBoard])
def test_a_log_that_cannot_be_written_says_so_at_the_line_of_the_fit(log, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match=r"cannot be written[\s\S]*where: *fit\(…\), test_events.py"):
        fit(trainer([log(tmp_path / "file" / "log")]), epochs=1)
