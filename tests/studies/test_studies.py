"""Cross-validation, curves, bias and variance, comparison and prescription: what they measure, and what they refuse."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DataError, WeftError
from weft.studies.prescription import as_it_was, remedies_for, thresholds
from weft.studies.scores import direction

pytestmark = pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")  # many fits, one line
IRIS = wf.data.iris()


def make():
    return nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))


HOW = {"loss": "cross_entropy", "optimizer": optim.Adam(1e-2), "metrics": ["accuracy"], "verbose": False}


# ── cross-validation ────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_is_predicted_by_a_model_that_has_not_seen_it():
    found = wf.cross_validate(make, IRIS, 5, epochs=30, scale="standard", **HOW)
    assert sorted(np.concatenate([held for _, held in found.rows]).tolist()) == list(range(150))
    for k, (train, held) in enumerate(found.rows):
        assert not set(train) & set(held)
        alone = found.run.trainer(k)
        measured = alone.evaluate(IRIS.take(held))
        assert measured["accuracy"] == pytest.approx(found.scores["accuracy"][0, k], abs=1e-6)
        shares = np.exp(alone.outputs(IRIS.x[held]))
        np.testing.assert_allclose(found.predictions[held], shares / shares.sum(1, keepdims=True), rtol=1e-3, atol=1e-5)
    assert found["accuracy"].mean == pytest.approx((found.predictions.argmax(1) == IRIS.y).mean(), abs=1e-6)
    assert found["accuracy"].mean > 0.8


def test_folds_are_stratified_grouped_and_repeated():
    found = wf.cross_validate(make, IRIS, 3, repeats=2, epochs=1, **HOW)
    assert found.scores["loss"].shape == (2, 3)
    for _, held in found.rows:
        assert np.bincount(IRIS.y[held]).max() - np.bincount(IRIS.y[held]).min() <= 1
    groups = np.repeat(np.arange(30), 5)
    grouped = wf.cross_validate(make, IRIS, 3, groups=groups, stratify=False, epochs=1, **HOW)
    for train, held in grouped.rows:
        assert not set(groups[train]) & set(groups[held])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"folds": 1}, "folds"),
        ({"folds": 200}, "folds"),
        ({"folds": 51}, "class"),
        ({"groups": [0] * 75 + [1] * 75}, "2 groups"),
        ({"groups": [0, 1]}, "groups of shape"),
    ],
)
def test_folds_that_cannot_be_are_refused(options, match):
    with pytest.raises(WeftError, match=match):
        wf.cross_validate(make, IRIS, **{"folds": 5, "epochs": 1, **HOW, **options})


def test_a_class_that_a_fold_has_not_seen_is_said():
    """A class all of whose rows are in one group is in the training rows of no model that is asked about it."""
    with pytest.raises(DataError, match="rows of class 'virginica' are in groups of fold 1, none is left for training"):
        wf.cross_validate(make, IRIS, 3, groups=IRIS.y, epochs=1, **HOW)
    found = wf.cross_validate(make, IRIS, 3, groups=IRIS.y, stratify=False, epochs=1, repeats=2, **HOW)
    assert str(found).count("no training row of class") == 6
    assert found.remarks[0].startswith("repeat 1, fold 1: ")
    assert wf.cross_validate(make, IRIS, 3, epochs=1, **HOW).remarks == []
    with pytest.raises(DataError, match="every row is of class '0'"):
        wf.cross_validate(make, (IRIS.x, np.zeros(150, int)), 3, epochs=1, **HOW)


def test_planted_copies_are_called_leakage_in_a_fit_of_these_rows():
    x, y = np.concatenate([IRIS.x, IRIS.x]), np.concatenate([IRIS.y, IRIS.y])
    run = wf.fit(make(), (x, y), "cross_entropy", validation=0.5, epochs=6, verbose=False)
    assert run.diagnosis.verdict == "leakage"


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_learning_curve_falls_with_the_rows():
    curve = wf.learning_curve(make, IRIS, [16, 48, 96], repeats=2, epochs=20, batch_size=16, scale="standard", **HOW)
    assert curve.validation.shape == curve.train.shape == (3, 2)
    means = curve.validation.mean(axis=1)
    assert means[2] < means[0]
    assert [len(m.train) for m in curve.run.members[:3]] == [16, 48, 96]
    with pytest.raises(ArgumentError, match="sizes"):
        wf.learning_curve(make, IRIS, [16, 500], epochs=1, **HOW)


def test_a_validation_curve_over_a_number_is_one_program_and_over_a_model_one_each():
    wf.validation_curve(make, IRIS, "weight_decay", [0.0, 1.0], repeats=2, epochs=3, **HOW)
    before = wf.explain().count
    curve = wf.validation_curve(make, IRIS, "weight_decay", [0.1, 0.2, 0.4, 0.8], repeats=1, epochs=3, **HOW)
    assert wf.explain().count - before <= 4
    assert len(curve.runs) == 1
    wide = wf.validation_curve(
        lambda width: nn.Sequential(nn.Linear(width), nn.ReLU(), nn.Linear(3)), IRIS, "width", [1, 16],
        repeats=2, epochs=30, scale="standard", **HOW,
    )  # fmt: skip
    assert wide.best == 16
    assert wide.select().chosen == "16"
    assert wide.select().looks == 2 * 30  # the best epoch of each value was chosen on the same rows
    last = wf.validation_curve(make, IRIS, "weight_decay", [0.1, 0.2], repeats=2, epochs=3, keep="last", **HOW)
    assert last.select().looks == 2
    with pytest.raises(ArgumentError, match="width"):
        wf.validation_curve(wf.Population(make, "cross_entropy"), IRIS, "width", [1, 2], verbose=False)


# ── bias and variance ───────────────────────────────────────────────────────────────────────────────────────


def wave(n=60, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    return x, (np.cos(1.5 * np.pi * x) + noise * rng.normal(size=x.shape)).astype(np.float32)


def test_bias_falls_and_variance_rises_with_capacity_and_they_add_up():
    test = wave(100, 0.0, seed=1)
    how = {"loss": "mse", "optimizer": optim.Adam(2e-2), "replicas": 6, "seeds": 2, "epochs": 60, "verbose": False}
    line = wf.bias_variance(lambda: nn.Linear(1, 1), wave(), test=test, **how)
    curve = wf.bias_variance(lambda: nn.Sequential(nn.Linear(32), nn.Tanh(), nn.Linear(1)), wave(), test=test, **how)
    for found in (line, curve):
        assert found.bias2 + found.variance == pytest.approx(found.loss, rel=1e-9)
        assert found.predictions.shape == (6, 2, 100, 1)
    assert line.bias2 > 3 * curve.bias2
    assert line.bias2 > line.variance


@pytest.mark.parametrize("kind", ["log", "zero_one"])
def test_classification_is_decomposed_too(kind):
    found = wf.bias_variance(make, IRIS, test=0.3, replicas=3, epochs=3, decompose_by=kind, **HOW)
    d = found.decomposition
    if kind == "log":
        assert d.bias2 + d.variance == pytest.approx(d.loss, rel=1e-6)
    else:
        assert d.loss == pytest.approx(d.bias2 + d.unbiased_variance - d.factor * d.biased_variance, abs=1e-9)


def test_one_replica_has_no_variance():
    with pytest.raises(ArgumentError, match="replicas"):
        wf.bias_variance(make, IRIS, test=0.3, replicas=1, **HOW)


# ── comparison and prescription ─────────────────────────────────────────────────────────────────────────────


def test_no_winner_without_evidence():
    one, same = (wf.Population(make, "cross_entropy", optim.Adam(1e-2)) for _ in range(2))
    equal = wf.compare(one, same, IRIS, repeats=1, epochs=3, verbose=False)
    assert (equal.winner, equal.effect) == (None, 0.0)
    blind = wf.Population(make, "cross_entropy", optim.SGD(1e-9))
    found = wf.compare(one, blind, IRIS, repeats=1, epochs=20, names=("one", "blind"), scale="standard", verbose=False)
    assert found.winner == "one"


def overfitted():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 10)).astype(np.float32)
    y = ((x[:, 0] > 0) ^ (rng.random(160) < 0.2)).astype(np.int64)
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(64), nn.ReLU(), nn.Linear(2))
    return wf.Trainer(model, "cross_entropy", optim.Adam(1e-2)).fit((x, y), validation=0.4, epochs=40, verbose=False)


def test_remedies_are_tried_and_measured_seed_by_seed():
    found = wf.prescribe(overfitted(), seeds=3, epochs=20, verbose=False)
    names = [t.remedy.name for t in found.tried]
    assert {"weight decay 0.1", "dropout 0.5", "half the width", "mixup", "smoothed labels"} <= set(names)
    means = [t.losses.mean() for t in found.tried]
    assert means == sorted(means)
    for t in found.tried:
        assert t.comparison.effect == pytest.approx(t.losses.mean() - found.before.mean(), rel=1e-6, abs=1e-9)
    assert "set-ups were compared on the same validation rows" in str(found)
    lost, se = found.later  # an earlier stop is a remedy too: this model overfits
    assert lost > 3 * se > 0
    assert lost == pytest.approx((found.last - found.before).mean())
    assert (found.last >= found.before).all()
    assert f"not stopped early    {found.last.mean():.4f}" in str(found)
    assert max(map(len, str(found).splitlines())) <= 100


def test_what_cannot_be_prescribed_for_is_said():
    run = wf.fit(make(), IRIS, "cross_entropy", epochs=2, verbose=False)
    with pytest.raises(DataError, match="validation"):
        wf.prescribe(run)
    run.origin = None
    with pytest.raises(ArgumentError, match="trainer"):
        wf.prescribe(run)


def test_unknown_metrics_and_members_are_lessons():
    found = wf.cross_validate(make, IRIS, 3, epochs=1, **HOW)
    with pytest.raises(ArgumentError, match="there is no metric 'acuracy'"):
        found["acuracy"]
    with pytest.raises(ArgumentError, match="member 3 of 3"):
        found.run.model(3)
    with pytest.raises(ArgumentError, match="keep"):
        wf.cross_validate(make, IRIS, 3, epochs=1, keep="first", **HOW)
    with pytest.raises(ArgumentError, match="repeats"):
        wf.cross_validate(make, IRIS, 3, repeats=0, epochs=1, **HOW)


# ── what is refused before anything is trained, and what survives ───────────────────────────────────────────


def hit_rate(prediction, target):
    return (prediction.argmax(axis=1) == target).astype("float32")


ONE = wf.Population(make, "cross_entropy", metrics=["accuracy", "top3", hit_rate])


@pytest.mark.parametrize(
    ("study", "match"),
    [
        (lambda: wf.bias_variance(lambda: nn.Linear(1), IRIS, test=0.3, loss="binary_cross_entropy"), "decomposition"),
        (lambda: wf.bias_variance(make, IRIS, test=0.3, loss="cross_entropy", decompose_by="sqared"), "sqared"),
        (lambda: wf.bias_variance(make, IRIS, test=0.3, loss="cross_entropy", decompose_by="squared"), "'zero_one'"),
        (lambda: wf.bias_variance(make, IRIS, test=0.3, loss="cross_entropy", seeds=1.5), "seeds=1.5"),
        (lambda: wf.bias_variance(ONE, IRIS, test=0.3, patience=3), "patience"),
        (lambda: wf.bias_variance(ONE, IRIS, test=None), "test=None"),
        (lambda: wf.bias_variance(ONE, IRIS, test=1.0), "test=1.0"),
        (lambda: wf.learning_curve(ONE, IRIS, metric="acuracy"), "acuracy"),
        (lambda: wf.learning_curve(ONE, IRIS, metric="hit_rate"), 'mode="min" or mode="max"'),
        (lambda: wf.learning_curve(ONE, IRIS, validation=None), "validation=None"),
        (lambda: wf.learning_curve(ONE, IRIS, batch_size=0), "batch_size=0"),
        (lambda: wf.learning_curve(ONE, IRIS, [16.5, 32]), "sizes=16.5"),
        (lambda: wf.validation_curve(ONE, IRIS, "learning_rate", [1, 2], metric="auc"), "'auc'"),
        (lambda: wf.validation_curve(ONE, IRIS, "learning_rate", [1, 2], validation=None), "validation=None"),
        (lambda: wf.validation_curve(ONE, IRIS, "learning_rate", [1, 2], repeats=2.5), "repeats=2.5"),
        (lambda: wf.validation_curve(make, IRIS, "weight_decy", [1, 2], loss="mse"), "(?s)decy.*'weight_decay'"),
        (lambda: wf.compare(ONE, ONE, IRIS, metric="acc"), "'acc'"),
        (lambda: wf.compare(ONE, ONE, IRIS, metric="loss", mode="down"), "mode='down'"),
        (lambda: wf.compare(make, ONE, IRIS), "first is function"),
        (lambda: wf.cross_validate(ONE, IRIS, validation=0.2), "validation="),
        (lambda: wf.cross_validate(ONE, IRIS, epoch=3), "epochs="),
    ],
)
def test_nothing_is_trained_before_all_is_known_to_be_right(study, match, monkeypatch):
    monkeypatch.setattr("weft.studies.population.Training", lambda *_: pytest.fail("it trained"))
    with pytest.raises(ArgumentError, match=match):
        study()


def test_more_may_be_better_and_then_errors_are_what_is_missing():
    assert [direction(ONE, name, None) for name in ("loss", "accuracy", "top3")] == ["min", "max", "max"]
    assert direction(ONE, "hit_rate", "max") == "max"
    rates = [1e-9, 3e-2]
    how = {"repeats": 1, "epochs": 20, "scale": "standard", "verbose": False}
    curve = wf.validation_curve(ONE, IRIS, "learning_rate", rates, metric="hit_rate", mode="max", **how)
    assert curve.best == rates[1]
    assert "(1 − hit_rate, mean" in str(curve)
    assert curve.validation[1, 0] == pytest.approx(1 - curve.runs[0].held("val_hit_rate")[1])
    blind = wf.Population(make, "cross_entropy", optim.SGD(1e-9), ["top3", hit_rate])
    good = wf.Population(make, "cross_entropy", optim.Adam(3e-2), ["top3", hit_rate])
    names = ("good", "blind")
    found = wf.compare(good, blind, IRIS, metric="hit_rate", mode="max", names=names, **how)
    assert (found.lower_is_better, found.wins, found.losses) == (False, 5, 0)
    assert found.effect > 0


def test_scores_survive_a_fold_that_diverged():
    found = wf.cross_validate(
        make, IRIS, 3, loss="cross_entropy", optimizer=optim.SGD(1e38), metrics=["roc_auc"], epochs=2, verbose=False
    )
    assert np.isnan(found.scores["loss"]).all()
    assert found.scores["roc_auc"].shape == (1, 3)
    assert "loss: not finite in every fold" in str(found)
    with pytest.raises(DataError, match="fold 1"):
        found["loss"]
    with pytest.raises(DataError, match="diverged"):
        wf.bias_variance(
            make, IRIS, test=0.3, loss="cross_entropy", optimizer=optim.SGD(1e38), replicas=2, epochs=2, verbose=False
        )


def test_a_metric_that_validation_rows_do_not_define_has_not_diverged():
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) < 20
    one_class = x[20:], y[20:].astype(int)  # no area under a curve without both classes
    how = {"loss": "binary_cross_entropy_with_logits", "metrics": ["roc_auc"], "epochs": 1, "verbose": False}
    with pytest.warns(UserWarning, match="1 class missing"):
        found = wf.validation_curve(
            lambda: nn.Linear(1), (x, y.astype(int)), "learning_rate", [1e-2, 1e-1], metric="roc_auc",
            validation=one_class, **how,
        )  # fmt: skip
    assert str(found).count("not finite") == 2
    for ask in (lambda: found.best, found.select, found.plot):
        with pytest.raises(DataError, match="roc_auc is not defined on these 20 rows of validation"):
            ask()


def test_an_imputed_table_is_predicted_by_models_that_saw_neither_the_row_nor_its_part_in_a_median(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("a,b,y\n" + "".join(f"{k * k / 400 if k % 4 else ''},{k % 3},{k % 2}\n" for k in range(1, 41)))
    data = wf.data.read_csv(path, target="y", missing="impute")
    found = wf.cross_validate(lambda: nn.Linear(2), data, 4, loss="cross_entropy", epochs=1, verbose=False)
    for k, (train, held) in enumerate(found.rows):
        x = data.fitted_on(train).x[held]
        shares = np.exp(found.run.trainer(k).outputs(x))
        np.testing.assert_allclose(found.predictions[held], shares / shares.sum(1, keepdims=True), rtol=1e-4)


# ── remedies beside what was there ──────────────────────────────────────────────────────────────────────────


def test_as_it_was_is_with_the_augmentation_of_the_run():
    x = IRIS.x[:, :, None]
    shifted = wf.augment.GaussianNoise(0.3)
    model = nn.Sequential(nn.Conv1d(4, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3))
    trainer = wf.Trainer(model, "cross_entropy", optim.Adam(1e-2))
    run = trainer.fit((x, IRIS.y), validation=0.4, epochs=2, augment=[shifted], verbose=False)
    remedies, left_out = remedies_for(run.origin)
    assert as_it_was(run.origin).augment == [shifted]
    added = {r.name: r.augment for r in remedies}
    assert added["weight decay 0.1"] == [shifted]
    assert added["mixup"] == [shifted, wf.augment.MixUp(0.2)]
    assert [why.partition(":")[0] for why in left_out] == ["dropout", "a smaller model", "noise on the inputs"]
    found = wf.prescribe(run, seeds=2, epochs=1, verbose=False)
    assert {t.remedy.name for t in found.tried} == set(added)
    assert all(t.comparison.alpha <= 0.05 / 2 for t in found.tried)
    labels = [text.get_text() for text in found.plot().axes[0].get_yticklabels()]
    assert labels == [t.remedy.name for t in sorted(found.tried, key=lambda t: t.comparison.effect)]
    assert "at most 5 %" in str(found)
    model[0].requires_grad_(False)
    with pytest.raises(ArgumentError, match="frozen"):
        wf.prescribe(run)


def test_many_looks_have_stricter_thresholds():
    assert thresholds([0.2, 0.001, 0.02]) == pytest.approx([0.05, 0.05 / 3, 0.025])
    assert thresholds([0.04, 0.001, 0.03]) == pytest.approx([0.025, 0.05 / 3, 0.025])
    assert thresholds([0.04]) == [0.05]
