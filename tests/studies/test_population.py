"""Populations: every member is what it would be if it had been trained alone."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DataError

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
    ],
)
def test_what_makes_no_population_is_refused(options, match):
    with pytest.raises((ArgumentError, DataError), match=match):
        fit(population(), **options)


def test_a_model_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match="module"):
        wf.Population(lambda: 3, "mse").fit(wf.data.diabetes(), members=2, verbose=False)
