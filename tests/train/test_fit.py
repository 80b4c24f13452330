"""What `fit` promises: one program, honest numbers, best weights, and going on where it was."""

import gc
import re

import jax
import numpy as np
import pytest

import weft as wf
from weft import nn, optim


def iris_trainer(dropout=0.0, **options):
    wf.random.seed(0)
    layers = [nn.Linear(4, 16), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else []), nn.Linear(16, 3)]
    return wf.Trainer(nn.Sequential(*layers), "cross_entropy", optim.Adam(1e-2), ["accuracy"], **options)


def fit(trainer, epochs=6, **options):
    how = {"validation": 0.2, "batch_size": 16, "verbose": False, **options}
    return trainer.fit(wf.data.iris(), epochs=epochs, **how)


def weights(trainer):
    return [p.numpy().copy() for p in trainer.model.parameters()]


def test_a_fit_compiles_one_program_and_a_second_fit_none():
    trainer = iris_trainer()
    before = wf.explain().count
    fit(trainer)  # 120 rows in batches of 16 leave a short last batch; training, evaluation and both are one program
    assert wf.explain().count - before <= 3
    before = wf.explain().count
    fit(trainer)
    assert wf.explain().count == before


def test_history_has_its_columns_and_one_row_for_each_epoch():
    run = fit(iris_trainer())
    assert run.history.columns == (
        "loss",
        "accuracy",
        "last_loss",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
    )
    assert run.history.epochs == 6
    assert np.isfinite(run.history.rows).all()


def test_val_loss_equals_evaluate_at_the_weights_held():
    trainer = iris_trainer(dropout=0.5)
    data = wf.data.iris()
    chosen = wf.data.split(data, 0.2, seed=0)
    training, held_out = chosen.apply(data)
    run = trainer.fit(training, validation=held_out, epochs=6, batch_size=16, verbose=False)
    measured = trainer.evaluate(held_out)
    row = run.history.row(run.held_epoch)
    assert measured["loss"] == pytest.approx(row["val_loss"], rel=1e-5)
    assert measured["accuracy"] == pytest.approx(row["val_accuracy"], rel=1e-6)


def test_the_best_weights_are_held_and_training_goes_on_from_the_last():
    parts = iris_trainer(dropout=0.2)
    fit(parts, 5)
    parts.evaluate(wf.data.iris())  # looking changes nothing
    run = fit(parts, 7)
    whole = iris_trainer(dropout=0.2)
    same = fit(whole, 12)
    assert run.history.rows == same.history.rows
    for a, b in zip(weights(parts), weights(whole), strict=True):
        assert (a == b).all()
    assert run.best_epoch == int(np.argmin(run.history["val_loss"])) + 1 == run.held_epoch


def test_keep_last_holds_the_last_epoch():
    run = fit(iris_trainer(), keep="last")
    assert run.held_epoch == 6


def test_changed_weights_are_respected_by_the_next_fit():
    trainer = iris_trainer()
    fit(trainer, 4)
    for p in trainer.model.parameters():
        p.assign(p.detach() * 0)
    run = fit(trainer, 1)
    assert run.history["loss"][4] == pytest.approx(np.log(3), rel=0.05)


def test_patience_stops_early_with_the_best_weights():
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = np.random.default_rng(1).integers(0, 3, 60)  # nothing to learn: validation soon gets worse
    trainer = iris_trainer()
    run = trainer.fit((x, y), validation=0.5, epochs=400, patience=5, batch_size=16, verbose=False)
    assert run.stopped == "patience"
    assert run.history.epochs == run.best_epoch + 5 < 400
    assert run.held_epoch == run.best_epoch


def test_patience_counts_from_the_beginning_of_the_call_and_needs_validation_data():
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = np.random.default_rng(1).integers(0, 3, 60)
    trainer = iris_trainer()
    how = {"validation": 0.5, "epochs": 400, "patience": 5, "batch_size": 16, "verbose": False}
    first = trainer.fit((x, y), **how)
    again = trainer.fit((x, y), **how)
    assert (again.best_epoch, again.history.epochs) == (first.best_epoch, first.history.epochs + 5)
    with pytest.raises(wf.errors.ArgumentError, match="patience=5 without validation data"):
        trainer.fit((x, y), patience=5)


def test_a_fit_that_is_refused_changes_nothing_of_the_trainer():
    trainer = iris_trainer()
    fit(trainer, 2)
    before = trainer.predict(wf.data.iris().x)
    with pytest.raises(wf.errors.WeftError):
        fit(trainer, scale="minmax", augment=wf.augment.HorizontalFlip())
    assert (trainer.scaler, trainer.epoch) == (None, 2)
    assert (trainer.predict(wf.data.iris().x) == before).all()
    run = fit(trainer, 1, scale="minmax")
    assert run.history.epochs == 1
    assert any("data differ from those of the last fit" in note for note in run.notes)


def test_the_augmentation_of_a_fit_is_known_afterwards():
    noise = wf.augment.GaussianNoise(0.1)
    assert fit(iris_trainer(), 1, augment=noise).origin.augment is noise


def test_order_depends_on_seed_and_epoch_only():
    first, again, other = (fit(iris_trainer(seed=s), 3).history.rows for s in (0, 0, 1))
    assert first == again
    assert first != other


def test_on_epoch_sees_every_row():
    seen = []
    run = fit(iris_trainer(), 4, on_epoch=lambda number, row: seen.append((number, row["val_loss"])))
    assert seen == list(enumerate(run.history["val_loss"], 1))


def test_infinite_learning_is_called_diverged():
    trainer = wf.Trainer(nn.Sequential(nn.Linear(4, 1)), "mse", optim.SGD(1e6))
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    run = trainer.fit((x, x.sum(1)), validation=0.3, epochs=50, verbose=False)
    assert run.stopped == "diverged"
    assert run.diagnosis.verdict == "diverged"
    assert all(np.isfinite(p.numpy()).all() for p in trainer.model.parameters())


def test_divergence_without_a_good_epoch_gives_back_the_weights_from_before():
    trainer = wf.Trainer(nn.Sequential(nn.Linear(4, 1)), "mse", optim.SGD(1e20))
    before = weights(trainer)
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    run = trainer.fit((x, x.sum(1)), validation=0.3, epochs=5, verbose=False)
    assert run.stopped == "diverged"
    assert run.held_epoch == 0
    assert all((a == b).all() for a, b in zip(before, weights(trainer), strict=True))
    trainer.optimizer.learning_rate = 0.05
    run = trainer.fit((x, x.sum(1)), validation=0.3, epochs=20, verbose=False)
    assert run.stopped == "epochs"
    assert run.history["val_loss"][-1] < 0.1


def test_a_probe_twice_as_wide_tells_underfitting():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, size=(400, 1)).astype(np.float32)
    y = np.sin(3 * x[:, 0]) + x[:, 0]

    def model(width):
        return nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1))

    wf.random.seed(0)
    trainer = wf.Trainer(model(1), "mse", optim.Adam(1e-2))
    run = trainer.fit((x, y), validation=0.4, epochs=400, probe=model(16), verbose=False)
    assert run.evidence.probe_gain > 0.05
    assert run.diagnosis.verdict == "underfitting"
    assert "probe" in str(run.diagnosis)


def test_a_probe_is_trained_as_the_model_was():
    from weft.data import Stream

    seen = []

    class Seen(nn.Linear):
        def forward(self, x):
            seen.append(x.dtype.name)
            return super().forward(x)

    data = wf.data.iris()
    rows = Stream(lambda: zip(data.x[::2], data.y[::2], strict=True), length=75)
    how = {"validation": (data.x[1::2], data.y[1::2]), "scale": "standard", "batch_size": 25, "verbose": False}
    wf.random.seed(0)
    trainer = wf.Trainer(nn.Linear(4, 3), "cross_entropy", optim.SGD(0.1), precision="bf16")
    wf.random.seed(0)
    run = trainer.fit(rows, probe=Seen(4, 3), epochs=2, **how)
    assert set(seen) >= {"bfloat16"}
    assert run.evidence.probe_gain == 0
    for wrong in ({"probe": 64}, {"probe": nn.Linear(4, 3), "validation": None}):
        with pytest.raises(wf.errors.ArgumentError, match="probe="):
            trainer.fit(rows, **{**how, **wrong})


def test_a_diagnosis_needs_validation_data():
    run = fit(iris_trainer(), 2, validation=None)
    with pytest.raises(wf.errors.DataError, match="without validation data"):
        wf.diagnose(run)
    assert wf.diagnose(fit(iris_trainer(), 2)).verdict == "cannot tell"


def test_a_run_keeps_its_own_history():
    trainer = iris_trainer()
    first = fit(trainer, 2)
    fit(trainer, 3)
    assert first.history.epochs == 2


def test_large_work_goes_in_stretches_of_batches_with_the_same_result(monkeypatch):
    from weft.train import loop

    whole = fit(iris_trainer(dropout=0.2), 4)
    monkeypatch.setattr(loop, "SMALL", 0)
    parts = fit(iris_trainer(dropout=0.2), 4)
    np.testing.assert_allclose(parts.history.rows, whole.history.rows, rtol=2e-4, atol=2e-5)


def test_large_work_compiles_three_programs(monkeypatch):
    from weft.train import loop

    monkeypatch.setattr(loop, "SMALL", 0)
    trainer = iris_trainer()
    before = wf.explain().count
    fit(trainer, 3)
    assert wf.explain().count - before <= 3  # training, its short last batch, evaluation


def test_scaling_is_fitted_on_the_training_part_and_used_by_predict():
    trainer = iris_trainer()
    run = fit(trainer, 40, scale="standard")
    rows = wf.data.split(wf.data.iris(), 0.2, seed=0).train
    np.testing.assert_allclose(trainer.scaler.shift, wf.data.iris().x[rows].mean(0), rtol=1e-4)
    assert (trainer.predict(wf.data.iris().x) == wf.data.iris().y).mean() > 0.9
    assert run.history["val_accuracy"][-1] > 0.8


def test_classes_are_axis_1_of_the_output():
    x = np.random.default_rng(0).normal(size=(40, 2, 5)).astype(np.float32)
    trainer = wf.Trainer(nn.Conv1d(2, 3, 1), "cross_entropy", optim.SGD(0.1), ["accuracy"])
    trainer.fit((x, np.zeros((40, 5), np.int64)), epochs=1, verbose=False)
    assert trainer.predict(x).shape == (40, 5)
    with pytest.raises(wf.errors.DataError, match="label 4"):
        trainer.fit((x, np.full((40, 5), 4)), epochs=1, verbose=False)


def test_labels_that_the_loss_ignores_count_for_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2, 5)).astype(np.float32), rng.integers(0, 3, (60, 5))
    y[:, 3:] = 255
    y[7] = 255
    loss = nn.CrossEntropyLoss(weight=wf.tensor(np.array([1, 2, 3], np.float32)), ignore_index=255)
    trainer = wf.Trainer(nn.Conv1d(2, 3, 1), loss, optim.SGD(0.1), ["accuracy", "f1_macro"])
    run = trainer.fit((x, y), validation=(x, y), epochs=2, batch_size=20, verbose=False)
    with wf.no_grad():
        wanted = float(loss(trainer.model(wf.tensor(x)), wf.tensor(y)))
    kept = y != 255
    right = (trainer.predict(x) == y)[kept].mean()
    row, found = run.history.row(run.held_epoch), trainer.evaluate((x, y))
    assert found["loss"] == pytest.approx(wanted, rel=1e-5) == pytest.approx(row["val_loss"], rel=1e-5)
    assert found["accuracy"] == pytest.approx(right, rel=1e-6) == pytest.approx(row["val_accuracy"], rel=1e-6)
    assert row["val_loss"] == pytest.approx(run.evidence.val_examples_best.mean(), rel=1e-5)


@pytest.mark.parametrize("targets", [(-1, 1), (0, 500_000)])
def test_whole_numbers_are_no_labels_to_a_loss_of_ones_own(targets):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.choice(targets, 60)
    hinge = lambda p, t: wf.mean(wf.maximum(1 - p[:, 0] * t.astype("float32"), 0.0))
    run = wf.fit(nn.Linear(4, 1), (x, y), hinge, validation=0.5, epochs=1, verbose=False)
    assert np.isfinite(run.evidence.baseline)


def test_answers_of_minus_one_and_one_are_predicted_as_such():
    x = np.array([[-1.0], [1.0]] * 20, np.float32)
    trainer = wf.Trainer(nn.Linear(1, 1), "hinge", optim.Adam(0.1))
    trainer.fit((x, x[:, 0].astype(int)), epochs=20, verbose=False)
    assert (trainer.predict(x) == x).all()


def test_two_columns_of_one_name_are_refused_before_the_first_step():
    twice = [lambda p, t: p.sum(axis=1), lambda p, t: p.max(axis=1)]
    trainer = wf.Trainer(nn.Linear(4, 3), "cross_entropy", metrics=twice)
    with pytest.raises(wf.errors.ArgumentError, match="'<lambda>', 'train_<lambda>' is measured twice"):
        trainer.fit(wf.data.iris(), epochs=1, verbose=False)
    assert trainer.epoch == 0


@pytest.mark.parametrize(
    "how",
    [{"seed": 1.5}, {"metrics": None}, {"metrics": wf.train.metrics.ROCAUC()}, {"callbacks": None}, {"optimizer": {}}],
    ids=str,
)
def test_what_a_trainer_cannot_take_is_refused(how):
    step = {"step": lambda model, batch: model(batch.x).mean()} if "optimizer" in how else {"loss": "cross_entropy"}
    with pytest.raises(wf.errors.ArgumentError, match=next(iter(how))):
        wf.Trainer(nn.Linear(4, 3), **step, **how)


def test_calls_rows_and_pairs_that_cannot_be_taken_are_refused():
    trainer = iris_trainer()
    with pytest.raises(wf.errors.ArgumentError, match="on_epoch=5"):
        fit(trainer, on_epoch=5)
    run = fit(trainer, 1)
    for epoch in (0, 2):
        with pytest.raises(wf.errors.ArgumentError, match=f"epoch {epoch} of a history of 1"):
            run.history.row(epoch)
    data = wf.data.iris()
    assert (trainer.predict((data.x, data.y)) == trainer.predict(data.x)).all()


def test_regression_targets_scale_and_come_back_in_their_unit():
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    y = 1000 + 300 * x[:, 0]
    wf.random.seed(0)
    trainer = wf.Trainer(nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)), "mse", optim.Adam(1e-2), ["mae"])
    run = trainer.fit((x, y), validation=0.2, epochs=60, scale_target=True, verbose=False)
    assert run.history["val_loss"][-1] < 0.01
    np.testing.assert_allclose(trainer.predict(x)[:, 0], y, atol=60)


def iris_step(keep):
    model, opt = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), optim.Adam(1e-2)
    x, y = wf.tensor(wf.data.iris().x[:16]), wf.tensor(wf.data.iris().y[:16])

    def step():
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step(model)
        model.zero_grad()
        keep(loss)

    for _ in range(20):
        step()
    return step


def objects():
    gc.collect()
    return len(gc.get_objects())


def test_thousand_steps_by_hand_keep_memory_flat():
    step = iris_step(lambda loss: None)
    before, arrays = objects(), len(jax.live_arrays())
    for _ in range(1000):
        step()
    assert objects() - before < 100
    assert len(jax.live_arrays()) <= arrays


def test_a_list_of_old_losses_holds_numbers_and_no_graphs():
    losses = []
    step = iris_step(losses.append)
    before = objects()
    for _ in range(300):
        step()
    assert (objects() - before) / 300 <= 6  # the tensor, its node, its number, and where it was made
    assert losses[5].node.inputs == ()
    assert float(losses[-1]) < float(losses[0])


def test_thousand_evaluations_of_one_tensor_keep_memory_flat():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    x = wf.tensor([3.0, 4.0])

    def value():
        return float((w * x).sum())

    value()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1000):
        value()
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_other_data_or_other_parameters_begin_a_new_course():
    trainer = iris_trainer()
    fit(trainer, 2)
    course = trainer.course
    fit(trainer, 1)
    assert trainer.course is course
    trainer.model[0].freeze()
    frozen = trainer.model[0].weight.numpy().copy()
    run = fit(trainer, 2)
    assert trainer.course is not course
    assert run.history.epochs == 2
    assert (trainer.model[0].weight.numpy() == frozen).all()
    data = wf.data.iris()
    shifted = (data.x + 1, data.y)
    assert trainer.fit(shifted, validation=0.2, epochs=1, batch_size=16, verbose=False).history.epochs == 1


def test_copies_across_the_split_are_a_leak_and_equal_inputs_alone_are_not():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 4)).astype(np.float32), rng.normal(size=200).astype(np.float32)
    model = nn.Sequential(nn.Linear(4, 1))

    def verdict(validation):
        return wf.fit(model, (x, y), "mse", validation=validation, epochs=6, verbose=False).diagnosis.verdict

    assert verdict((np.concatenate([x[:10], x[:40] + 1]), np.concatenate([y[:10], y[:40]]))) == "leakage"
    assert verdict((np.concatenate([x[:10], x[:40] + 1]), np.concatenate([y[:10] + 1, y[:40]]))) != "leakage"


def test_a_loss_of_ones_own_is_trained_measured_and_diagnosed():
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]

    def quartic(prediction, target):
        return ((prediction - target) ** 4).mean()

    model = nn.Sequential(nn.Linear(1, 1))
    run = wf.fit(model, (x, 2 * x), quartic, optim.Adam(5e-2), validation=0.4, epochs=60, verbose=False)
    assert run.history["val_loss"][-1] < 0.01 < run.history["val_loss"][0]
    assert run.evidence.baseline == pytest.approx((2 * x**4).mean() * 8, rel=0.2)
    assert run.diagnosis.verdict in ("good fit", "still improving")
    labels = (x[:, 0] > 0).astype(int)

    def own(scores, target):
        return nn.functional.cross_entropy(scores, target)

    run = wf.fit(nn.Sequential(nn.Linear(1, 2)), (x, labels), own, validation=0.4, epochs=6, verbose=False)
    assert run.evidence.baseline == pytest.approx(np.log(2), rel=1e-3)


def test_each_module_has_its_own_mode_again_after_fit_and_evaluate():
    model = nn.Sequential(nn.Linear(4), nn.Dropout(0.5), nn.Linear(3))
    model[1].eval()
    trainer = wf.Trainer(model, loss="cross_entropy")
    trainer.fit(wf.data.iris(), validation=0.2, epochs=1, verbose=False)
    trainer.evaluate(wf.data.iris())
    assert [m.training for m in model.modules()] == [True, True, False, True]


DATA = np.random.default_rng(0).random((40, 4), np.float32), np.arange(40) % 3


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda t: t.fit(DATA, validation_split=0.2), "validation=0.2"),
        (lambda t: t.fit(DATA, validation_data=DATA, callbacks=[]), r"callbacks=\[…\]"),
        (lambda t: t.fit(x=DATA[0], y=DATA[1]), r"fit\(\(x, y\), …\)"),
        (lambda t: wf.Trainer(t.model, "cross_entropy", max_epochs=3), r"fit\(…, epochs=20\)"),
        (lambda t: t.fit(DATA, epochs=1, on_epoch=lambda epoch: None, verbose=False), "lambda epoch, row"),
    ],
)
def test_the_words_of_other_frameworks_are_answered_by_ours(call, cure):
    with pytest.raises(wf.errors.ArgumentError, match=cure) as caught:
        call(wf.Trainer(nn.Linear(3), "cross_entropy"))
    assert re.search(r"where: +(fit|Trainer|__init__)\(…\), test_fit.py", str(caught.value))


def test_sizes_found_in_data_that_was_refused_are_forgotten():
    trainer = wf.Trainer(nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3)), "cross_entropy")
    with pytest.raises(wf.errors.WeftError):
        trainer.fit((DATA[0][:, 0], DATA[1]), verbose=False)
    assert trainer.fit(DATA, epochs=1, verbose=False).history.epochs == 1


def test_two_ways_to_write_checkpoints_are_refused(tmp_path):
    both = [wf.callbacks.Checkpoint(keep_last=1), wf.callbacks.Checkpoint(keep_last=3)]
    trainer = wf.Trainer(nn.Linear(3), "cross_entropy", callbacks=both)
    with pytest.raises(wf.errors.ArgumentError, match="expected: one of them"):
        trainer.fit(DATA, epochs=1, folder=tmp_path / "run", verbose=False)
