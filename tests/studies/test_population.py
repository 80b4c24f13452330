"""Populations: every member is what it would be if it had been trained alone."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DataError
from weft.studies.member import dropouts
from weft.studies.remodelling import with_dropout

pytestmark = pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")  # many fits, one line


def make():
    return nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(3))


def population(**options):
    return wf.Population(make, "cross_entropy", optim.AdamW(1e-2, weight_decay=0.01), ["accuracy"], **options)


def fit(of, **options):
    how = {"epochs": 5, "batch_size": 16, "scale": "standard", "verbose": False, **options}
    return of.fit(wf.data.iris(), **how)


def alone(seed, rows=None, rate=1e-2, decay=0.01, dropout=0.2, **options):
    """The same member by `Trainer.fit`."""
    wf.random.seed(seed)
    model = make()
    model[2].p = dropout
    trainer = wf.Trainer(model, "cross_entropy", optim.AdamW(rate, weight_decay=decay), ["accuracy"], seed=seed)
    data = wf.data.iris()
    if rows is None:
        chosen = wf.data.split(data, 0.2, seed=0)
        rows = (chosen.train, chosen.validation)
    how = {"epochs": 5, "batch_size": 16, "scale": "standard", "verbose": False, **options}
    return model, trainer.fit(data.take(rows[0]), validation=data.take(rows[1]), **how)


def check(run, k, model, by_itself):
    np.testing.assert_allclose(run.table[k], by_itself.history.rows, rtol=2e-5, atol=2e-6)
    assert run.best_epochs[k] == by_itself.best_epoch
    for name, value in run.model(k).state_dict().items():
        np.testing.assert_allclose(value, model.state_dict()[name], rtol=2e-4, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("how", ["mapped", "vectorised"])
def test_members_equal_models_trained_alone(how):
    run = fit(population(how=how), members=3)
    for k in range(3):
        check(run, k, *alone(k))


def test_members_with_settings_of_their_own_equal_models_with_them():
    settings = {"learning_rate": [1e-2, 3e-3], "weight_decay": [0.0, 0.3], "dropout": [0.0, 0.5]}
    run = fit(population(), settings=settings, seeds=[4, 4])
    for k in range(2):
        rate, decay, p = (settings[name][k] for name in settings)
        # A rate of 0 leaves no dropout in the program of a model alone, and so draws nothing: the numbers are the same.
        check(run, k, *alone(4, rate=rate, decay=decay, dropout=p))


def test_members_with_rows_of_their_own_even_of_other_sizes_equal_models_of_these_rows():
    mixed = np.random.default_rng(0).permutation(150)
    rows = [(mixed[:96], mixed[96:120]), (mixed[40:120], mixed[:24]), (mixed[30:81], mixed[90:114])]
    run = fit(population(), rows=rows)
    for k in range(3):
        model, by_itself = alone(k, rows[k])
        # Members share the size of the sample of training rows; everything else is compared.
        columns = [run.columns.index(c) for c in ("loss", "val_loss", "val_accuracy")]
        np.testing.assert_allclose(
            run.table[k][:, columns], np.array(by_itself.history.rows)[:, columns], rtol=2e-5, atol=2e-6
        )
        for name, value in run.model(k).state_dict().items():
            np.testing.assert_allclose(value, model.state_dict()[name], rtol=2e-4, atol=2e-6)


def test_patience_ends_each_member_where_it_would_end_alone():
    run = fit(population(), members=3, epochs=60, patience=3)
    for k in range(3):
        _, by_itself = alone(k, epochs=60, patience=3)
        assert run.done[k] == by_itself.history.epochs
        assert np.isnan(run["val_loss"][k, run.done[k] :]).all()


def test_what_a_member_is_taken_out_as():
    run = fit(population(), members=2)
    trainer, data = run.trainer(1), wf.data.iris()
    held = data.take(run.members[1].validation)
    assert trainer.evaluate(held)["loss"] == pytest.approx(run.held("val_loss")[1], rel=1e-4)
    as_run = run.run(1)
    assert as_run.history.rows == [tuple(row) for row in run.table[1].tolist()]
    assert as_run.diagnosis.verdict


def test_predictions_are_the_mean_and_spread_of_the_members():
    run, x = fit(population(), members=3), wf.data.iris().x[:7]
    outputs = np.stack([run.trainer(k).outputs(x) for k in range(3)])
    np.testing.assert_allclose(run.outputs(x), outputs, rtol=1e-4, atol=1e-5)
    shares = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True)
    found = run.predict(x)
    np.testing.assert_allclose(found.mean, shares.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.spread, shares.std(0), rtol=1e-2, atol=1e-6)
    assert (found.classes == shares.mean(0).argmax(-1)).all()


def test_bootstrap_draws_as_many_rows_with_replacement():
    run = fit(population(), members=2, rows="bootstrap", epochs=1)
    first, second = (m.train for m in run.members)
    assert len(first) == len(second) == 120
    assert len(np.unique(first)) < 100
    assert (first != second).any()


def test_label_noise_flips_that_share_of_the_training_labels_alone():
    run = fit(population(), settings={"label_noise": [0.0, 0.5]}, seeds=[0, 0], epochs=30)
    assert run["train_loss"][1, -1] < run["val_loss"][1, -1] or run["loss"][1, -1] > 2 * run["loss"][0, -1]
    check_alone = fit(population(), members=1, epochs=30)
    np.testing.assert_allclose(run.table[0], check_alone.table[0], rtol=1e-4, atol=1e-5)


def test_memory_is_bounded_by_launches_of_a_part_of_the_members(monkeypatch):
    from weft.studies import training as module

    whole = fit(population(), members=5)
    monkeypatch.setattr(module, "MEMORY", 12_000)
    parts = fit(population(), members=5)
    assert "1 in one launch" in parts.how or "2 in one launch" in parts.how
    np.testing.assert_allclose(parts.table, whole.table, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"settings": {"learning_rte": [1, 2]}}, "learning_rate"),
        ({"settings": {"learning_rate": [1, 2], "dropout": [0.1]}}, "unequal"),
        ({"members": 3, "seeds": [1, 2]}, "seeds"),
        ({"rows": "boot"}, "bootstrap"),
        ({"members": 0}, "no members"),
        ({"epochs": 0}, "epochs"),
        ({"members": 2.5}, "members=2.5"),
        ({"settings": {"learning_rate": 0.1}}, "a list of numbers"),
        ({"settings": {"dropout": [1.5, 0.1]}}, "dropout: p=1.5"),
        ({"shuffle": lambda epoch: range(120)}, "rows of their own"),
        ({"validation": None, "patience": 3}, "patience=3"),
        ({"scale_target": True}, "regression"),
        ({"rows": [([0, 1], [2, 9999])]}, "row 9999"),
        ({"rows": [([0.5, 1.5], [2, 3])]}, "float64"),
        ({"rows": [([0, 1, 2], [2, 3])]}, "1 row of a member for training and for validation: 2"),
        ({"rows": [3]}, "rows of int"),
    ],
)
def test_what_makes_no_population_is_refused(options, match):
    with pytest.raises((ArgumentError, DataError), match=match):
        fit(population(), **options)


def test_a_model_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match="module"):
        wf.Population(lambda: 3, "mse").fit(wf.data.diabetes(), members=2, verbose=False)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"optimizer": {"generator": optim.Adam()}}, "dict"),
        ({"metrics": "accuracy"}, r"\['accuracy'\]"),
        ({"metrics": [lambda p, t: p], "precision": "f23"}, "f23"),
    ],
)
def test_a_set_up_that_is_none_is_refused(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        wf.Population(make, "cross_entropy", **arguments)


def test_masks_choose_rows():
    mask = np.arange(150) % 3 > 0
    run = fit(population(), rows=[(mask, ~mask)], epochs=1)
    assert run.members[0].train.tolist() == np.flatnonzero(mask).tolist()
    assert run.members[0].validation.tolist() == np.flatnonzero(~mask).tolist()


def test_dropout_is_a_setting_of_dropout_alone():
    def noisy():
        return nn.Sequential(nn.GaussianNoise(0.01), nn.Linear(8), nn.DropPath(0.1), nn.Dropout(0.2), nn.Linear(3))

    assert [type(m).__name__ for m in dropouts(noisy())] == ["Dropout"]
    changed = with_dropout(noisy(), 0.5)
    assert (changed[0].std, changed[2].p, changed[3].p) == (0.01, 0.1, 0.5)
    with pytest.raises(ArgumentError, match="dropout"):
        fit(wf.Population(lambda: nn.Sequential(nn.DropPath(0.1), nn.Linear(3)), "mse"), settings={"dropout": [0.5]})


@pytest.mark.parametrize(
    "model", [nn.Linear(3), nn.Sequential(nn.Linear(3)), nn.Sequential(nn.Flatten(), nn.Linear(3))]
)
def test_dropout_goes_nowhere_but_between_linear_layers(model):
    assert with_dropout(model, 0.5) is None


@pytest.mark.parametrize("validation", [0.2, None])
def test_a_member_that_diverges_holds_no_epoch_that_it_has_not_been_through(validation):
    rates = {"learning_rate": [1e-2, 1e38]}
    of = wf.Population(make, "cross_entropy", optim.SGD(1e-2))
    run = fit(of, settings=rates, seeds=[0, 0], keep="last", validation=validation)
    assert run.stopped == ("epochs", "diverged")
    assert run.held_epochs.tolist() == [5, run.best_epochs[1]]
    assert np.isfinite(run.held("train_loss")).tolist() == [True, False]
    assert "diverged: member 1" in str(run)
    if validation:
        assert [run.run(k).stopped for k in range(2)] == ["epochs", "diverged"]
        assert run.run(1).held_epoch == 0


def test_metrics_of_whole_data_sets_are_those_of_the_trainer():
    of = wf.Population(make, "cross_entropy", optim.Adam(1e-2), ["accuracy", "roc_auc", "f1_macro"])
    run = fit(of, members=2)
    data = wf.data.iris()
    for k in range(2):
        member = run.members[k]
        for part, rows in (("train", member.train), ("val", member.validation)):
            measured = run.trainer(k).evaluate(data.take(rows))
            assert run.held(f"{part}_roc_auc")[k] == pytest.approx(measured["roc_auc"], abs=1e-6)
            assert run.held(f"{part}_f1_macro")[k] == pytest.approx(measured["f1_macro"], abs=1e-6)
    with pytest.raises(ArgumentError, match="numbers in an epoch"):
        fit(wf.Population(make, "cross_entropy", metrics=["confusion_matrix"]), members=2)


def test_what_an_interruption_leaves(monkeypatch):
    from weft.studies.training import Group

    train, calls = Group.run, []

    def run(self, done, count, **how):
        calls.append(done)
        if len(calls) > 2:
            raise KeyboardInterrupt
        train(self, done, count, **how)

    monkeypatch.setattr(Group, "run", run)
    found = fit(population(), members=2, epochs=9)
    assert found.stopped == ("interrupted", "interrupted")
    assert found.done.tolist() == found.held_epochs.tolist() == [1, 1]
    assert found.run(0).stopped == "interrupted"
    assert "interrupted after 1 of 9 epochs" in str(found)


def test_double_precision_and_scaled_targets_are_those_of_a_model_alone():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4))
    y = 1000 + 50 * x[:, :1] + rng.normal(size=(80, 1))
    data, how = (x, y), {"epochs": 4, "batch_size": 16, "scale": "standard", "scale_target": True, "verbose": False}
    rows = (np.arange(64), np.arange(64, 80))
    run = wf.Population(lambda: nn.Linear(1), "mse", optim.Adam(0.1), ["mae"], precision="f64").fit(
        data, rows=[rows], seeds=[3], **how
    )
    wf.random.seed(3)
    trainer = wf.Trainer(nn.Linear(1), "mse", optim.Adam(0.1), ["mae"], precision="f64", seed=3)
    by_itself = trainer.fit((x[:64], y[:64]), validation=(x[64:], y[64:]), **how)
    check(run, 0, trainer.model, by_itself)
    assert run.states[0]["weight"].dtype == np.float64
    said = run.predict((x, y)).mean
    np.testing.assert_allclose(said, trainer.predict(x), rtol=1e-5)
    assert abs(said.mean() - 1000) < 100
    assert run.trainer(0).evaluate((x[64:], y[64:]))["mae"] == pytest.approx(run.held("val_mae")[0], rel=1e-4)


def test_classes_are_axis_one_of_what_a_model_says():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2, 5)).astype(np.float32), rng.integers(0, 3, (40, 5))
    run = wf.Population(lambda: nn.Conv1d(2, 3, 1), "cross_entropy").fit((x, y), members=2, epochs=1, verbose=False)
    found = run.predict(x)
    assert found.mean.shape == (40, 3, 5)
    assert (found.classes == found.mean.argmax(axis=1)).all()
    assert run.outputs_size == 3


def test_what_fills_empty_cells_comes_from_the_members_own_training_rows(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("a,b,y\n" + "".join(f"{k if k % 4 else ''},1.5,{k % 2}\n" for k in range(1, 41)))
    data = wf.data.read_csv(path, target="y", missing="impute")
    low, high, held = np.arange(10), np.arange(20, 30), np.arange(30, 40)
    run = wf.Population(lambda: nn.Linear(2), "cross_entropy").fit(
        data, rows=[(low, held), (high, held), (low, held)], epochs=1, verbose=False
    )
    for member, rows in zip(run.members, (low, high, low), strict=True):
        alone = data.fitted_on(rows)
        np.testing.assert_array_equal(run.data.x[member.train], alone.x[rows])
        np.testing.assert_array_equal(run.data.x[member.validation], alone.x[held])
    assert len(run.data) == 80
    shared = wf.Population(lambda: nn.Linear(2), "cross_entropy").fit(data, validation=0.5, epochs=1, verbose=False)
    np.testing.assert_array_equal(shared.data.x, data.fitted_on(shared.members[0].train).x)
