"""Metrics equal scikit-learn's, however the data is cut into batches and in whatever order the parts are merged."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DataError, ShapeError
from weft.train import metrics as M

FEW = settings(max_examples=40, deadline=None)


@st.composite
def labelled(draw, most=3):
    """True and predicted classes, scores with ties, and weights; classes may be missing, one alone may occur."""
    n = draw(st.integers(1, 25))
    classes = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.integers(0, classes, n)
    levels = draw(st.sampled_from([2, 5, 1000]))  # few levels: many ties
    scores = rng.integers(0, levels + 1, (n, most)) / levels
    weights = rng.integers(1, 5, n) / 2 if draw(st.booleans()) else None
    return y, scores, weights, rng


def gathered(make, prediction, target, weights, rng):
    """The value from batches of random sizes, gathered by several metrics that are merged in random order."""
    n = len(target)
    cuts = np.sort(rng.integers(0, n + 1, 3))
    parts = [make() for _ in range(4)]
    for part, rows in zip(parts, np.split(rng.permutation(n), cuts), strict=True):
        part.update(prediction[rows], target[rows], weights[rows] if weights is not None else None)
    order = rng.permutation(4)
    total = make()
    for k in order:
        state = parts[k].state
        total.merge(parts[k] if k % 2 or state is None else state)
    return total.compute()


def quiet(f, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*arguments, **options)


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


# ── from the confusion matrix ───────────────────────────────────────────────────────────────────────────────


@FEW
@given(labelled())
def test_class_scores(data):
    y, scores, w, rng = data
    chosen = scores.argmax(axis=1)
    every = range(3)
    total = gathered(lambda: M.ConfusionMatrix(classes=3), scores, y, w, rng)
    same(total, sk.confusion_matrix(y, chosen, labels=every, sample_weight=w))
    pairs = [
        (M.Precision, sk.precision_score, {}),
        (M.Recall, sk.recall_score, {}),
        (M.FBeta, sk.fbeta_score, {"beta": 2.0}),
        (M.IoU, sk.jaccard_score, {}),
    ]
    for ours, theirs, options in pairs:
        for average in ("macro", "micro", "weighted"):
            expected = quiet(theirs, y, chosen, average=average, sample_weight=w, zero_division=0, **options)
            same(gathered(lambda c=ours, a=average, o=options: c(a, **o), scores, y, w, rng), expected)
        each = quiet(theirs, y, chosen, average=None, labels=every, sample_weight=w, zero_division=0, **options)
        same(gathered(lambda c=ours, o=options: c(None, classes=3, **o), scores, y, w, rng), each)


@FEW
@given(labelled())
def test_agreement(data):
    y, scores, w, rng = data
    chosen = scores.argmax(axis=1)
    same(gathered(M.BalancedAccuracy, scores, y, w, rng), quiet(sk.balanced_accuracy_score, y, chosen, sample_weight=w))
    same(gathered(M.MatthewsCorrelation, scores, y, w, rng), quiet(sk.matthews_corrcoef, y, chosen, sample_weight=w))
    for weighting in (None, "linear", "quadratic"):
        expected = quiet(sk.cohen_kappa_score, y, chosen, weights=weighting, sample_weight=w, labels=[0, 1, 2])
        same(gathered(lambda how=weighting: M.CohenKappa(3, weighting=how), scores, y, w, rng), expected)


@FEW
@given(labelled(most=2))
def test_two_classes(data):
    y, scores, w, rng = data
    p = scores[:, 1]
    chosen = p > 0.5
    for ours, theirs in ((M.Precision, sk.precision_score), (M.Recall, sk.recall_score), (M.FBeta, sk.f1_score)):
        same(gathered(ours, p, y, w, rng), quiet(theirs, y, chosen, sample_weight=w, zero_division=0))
    same(gathered(M.Accuracy, p, y, w, rng), sk.accuracy_score(y, chosen, sample_weight=w))
    same(gathered(lambda: M.Accuracy(threshold=0.0), p - 0.5, y, w, rng), sk.accuracy_score(y, chosen, sample_weight=w))


@FEW
@given(labelled())
def test_several_labels_at_once(data):
    _, scores, w, rng = data
    y = (rng.random(scores.shape) < 0.4).astype(int)
    chosen = scores > 0.5
    for average in ("macro", "micro", "weighted", None):
        expected = quiet(sk.f1_score, y, chosen, average=average, sample_weight=w, zero_division=0)
        same(gathered(lambda a=average: M.FBeta(a, multilabel=True), scores, y, w, rng), expected)


# ── rankings ────────────────────────────────────────────────────────────────────────────────────────────────


@FEW
@given(labelled(most=2))
def test_rankings_of_two_classes(data):
    y, scores, w, rng = data
    p = scores[:, 1]
    same(gathered(M.ROCAUC, p, y, w, rng), quiet(sk.roc_auc_score, y, p, sample_weight=w))
    same(gathered(M.AveragePrecision, p, y, w, rng), quiet(sk.average_precision_score, y, p, sample_weight=w))


@FEW
@given(labelled())
def test_rankings_of_several_labels(data):
    _, scores, w, rng = data
    y = (rng.random(scores.shape) < 0.5).astype(int)
    for average in ("macro", "micro", "weighted", None):
        options = {"average": average, "sample_weight": w}
        same(
            gathered(lambda a=average: M.AveragePrecision(a), scores, y, w, rng),
            quiet(sk.average_precision_score, y, scores, **options),
        )
        if y.any(axis=0).all() and not y.all(axis=0).any():
            same(gathered(lambda a=average: M.ROCAUC(a), scores, y, w, rng), sk.roc_auc_score(y, scores, **options))


@FEW
@given(labelled())
def test_one_class_against_the_rest(data):
    y, scores, w, rng = data
    if len(set(y)) < 3:
        assert math.isnan(gathered(M.ROCAUC, scores, y, w, rng))
        return
    p = (scores + 0.1) / (scores + 0.1).sum(axis=1, keepdims=True)
    for average in ("macro", "weighted"):
        expected = sk.roc_auc_score(y, p, multi_class="ovr", average=average, sample_weight=w)
        same(gathered(lambda a=average: M.ROCAUC(a), p, y, w, rng), expected)


# ── probabilities ───────────────────────────────────────────────────────────────────────────────────────────


@FEW
@given(labelled())
def test_probabilities(data):
    y, scores, w, rng = data
    p = scores / np.where(scores.sum(axis=1, keepdims=True) > 0, scores.sum(axis=1, keepdims=True), 1)
    p[p.sum(axis=1) == 0] = 1 / 3
    same(gathered(M.LogLoss, p, y, w, rng), sk.log_loss(y, p, labels=[0, 1, 2], sample_weight=w))
    same(gathered(M.BrierScore, p, y, w, rng), sk.brier_score_loss(y, p, labels=[0, 1, 2], sample_weight=w))
    bits, q = (y > 0).astype(int), scores[:, 1]
    same(gathered(M.LogLoss, q, bits, w, rng), sk.log_loss(bits, q, labels=[0, 1], sample_weight=w))
    same(gathered(M.BrierScore, q, bits, w, rng), sk.brier_score_loss(bits, q, labels=[0, 1], sample_weight=w))
    narrow = p.astype(np.float32)
    same(gathered(M.LogLoss, narrow, y, w, rng), quiet(sk.log_loss, y, narrow, labels=[0, 1, 2], sample_weight=w))


@FEW
@given(labelled())
def test_calibration(data):
    y, scores, w, rng = data
    p = (scores + 0.05) / (scores + 0.05).sum(axis=1, keepdims=True)
    found = gathered(lambda: M.CalibrationError(bins=7), p, y, w, rng)
    weight = np.ones(len(y)) if w is None else w
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    expected = 0.0
    for k in range(7):
        inside = np.ceil(confidence * 7) == k + 1
        expected += abs((weight * (right - confidence.astype(float)))[inside].sum()) / weight.sum()
    same(found, expected)


@FEW
@given(labelled(most=6))
def test_the_best_scores(data):
    y, scores, w, rng = data
    apart = scores + np.arange(6) * 1e-6 + rng.permutation(6) * 1e-4  # scikit-learn takes the last of equal scores
    for k in (2, 3, 5):
        expected = sk.top_k_accuracy_score(y, apart, k=k, labels=range(6), sample_weight=w)
        same(gathered(lambda k=k: M.Accuracy(top=k), apart, y, w, rng), expected)
        each = M.top(k)(wf.tensor(scores), wf.tensor(y)).numpy()
        same(M.Accuracy(top=k)(scores, y), each.mean())


@FEW
@given(labelled(most=4))
def test_perplexity(data):
    y, scores, w, rng = data
    target = np.where(rng.random(len(y)) < 0.3, -100, y)
    target[0] = y[0]
    kept = target >= 0
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = sk.log_loss(y[kept], p[kept], labels=range(4), sample_weight=None if w is None else w[kept])
    same(gathered(M.Perplexity, scores, target, w, rng), math.exp(expected))


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────


@FEW
@given(labelled(), st.sampled_from([0.0, 1e7]), st.booleans())
def test_errors_of_numbers(data, offset, columns):
    labels, scores, w, rng = data
    y, p = (rng.normal(size=(len(labels), 2)), scores[:, :2]) if columns else (labels * 1.0, scores[:, 0])
    y, p = y + offset, p + offset
    options = {"sample_weight": w}
    same(gathered(M.MeanSquaredError, p, y, w, rng), sk.mean_squared_error(y, p, **options))
    same(gathered(M.RootMeanSquaredError, p, y, w, rng), math.sqrt(sk.mean_squared_error(y, p, **options)))
    same(gathered(M.MeanAbsoluteError, p, y, w, rng), sk.mean_absolute_error(y, p, **options))
    expected = sk.mean_absolute_percentage_error(y, p, **options)
    same(gathered(M.MeanAbsolutePercentageError, p, y, w, rng), expected)
    same(gathered(M.R2, p, y, w, rng), quiet(sk.r2_score, y, p, **options))


# ── what a metric of a data set does ────────────────────────────────────────────────────────────────────────


def test_what_is_not_defined_is_said():
    metric = M.ROCAUC()
    assert math.isnan(metric([0.2, 0.7], [1, 1]))
    assert "only one class" in metric.note
    metric = M.Precision()
    assert metric([0, 0], [0, 1]) == 0
    assert "no predictions of it" in metric.note
    assert math.isnan(M.Recall(undefined=math.nan)([0, 1], [0, 0]))
    assert M.AveragePrecision()([0.5, 0.2], [0, 0]) == 0
    metric = M.R2()
    assert math.isnan(metric([1.0], [1.0]))
    assert "two examples" in metric.note
    assert M.R2()([1.0, 1.0], [1.0, 1.0]) == 1
    with pytest.raises(DataError, match="no examples"):
        M.Accuracy().compute()


def test_classes_that_come_later_make_room():
    metric = M.ConfusionMatrix().update([0, 1], [0, 0]).update([3], [2])
    assert metric.compute().shape == (4, 4)
    assert metric.compute()[2, 3] == 1
    with pytest.raises(DataError, match="class 3"):
        M.ConfusionMatrix(classes=3).update([3], [2])


def test_masks_leave_out_and_reset_forgets():
    scores, y = wf.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), wf.tensor([0, -1, 1])
    metric = M.Accuracy()
    assert metric.update(scores, y, mask=y >= 0).compute() == 0.5
    assert metric([0, 1], [0, 1]) == 1
    assert metric.compute() == 0.5
    with pytest.raises(DataError, match="no examples"):
        metric.reset().compute()


def test_images_and_narrow_types():
    scores = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    y = np.random.default_rng(1).integers(0, 3, (2, 4, 4))
    chosen = scores.argmax(axis=1)
    same(M.IoU()(wf.tensor(scores), y), sk.jaccard_score(y.ravel(), chosen.ravel(), average="macro"))
    same(M.Accuracy()(wf.tensor(scores), y), (chosen == y).mean())
    holes = np.random.default_rng(2).random(y.shape) < 0.3
    marked = np.where(holes, 255, y)
    expected = sk.jaccard_score(y[~holes], chosen[~holes], average=None)
    same(M.IoU(None, classes=3)(scores, marked, mask=marked != 255), expected)
    assert M.Accuracy()(wf.tensor([0.25, 0.75]).astype(wf.bfloat16), [0, 1]) == 1


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: M.Accuracy()([0.5, 0.2, 0.1], [0, 1]), ShapeError, "3 predictions for 2"),
        (lambda: M.MeanSquaredError()(np.ones((3, 1)), np.ones(3)), ShapeError, "squeeze"),
        (lambda: M.Precision()([0, 1, 2], [0, 1, 2]), ArgumentError, "macro"),
        (lambda: M.Accuracy()([0.5, 0.2], [0, 2]), DataError, "target 2"),
        (lambda: M.Accuracy()([[0.5, 0.2]], [[1, 1]]), DataError, "one-hot"),
        (lambda: M.LogLoss()([[2.0, -1.0]], [0]), DataError, "softmax"),
        (lambda: M.LogLoss()([[0.5, 0.5]], [2]), DataError, "class 2"),
        (lambda: M.ROCAUC()([[0.5, 0.5]], [2]), DataError, "class 2"),
        (lambda: M.ROCAUC()([np.nan, 0.5], [0, 1]), DataError, "finite"),
        (lambda: M.ConfusionMatrix()([0, 1], [0, -1]), DataError, "mask=target"),
        (lambda: M.Accuracy()([0, 1], [0, 1], weights=[1.0]), ShapeError, "weights"),
        (lambda: M.Accuracy().merge(M.Accuracy(top=2)), ArgumentError, "same options"),
        (lambda: M.get_metric("roc-auc"), ArgumentError, "roc_auc"),
        (lambda: M.FBeta("mean"), ArgumentError, "macro"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, says):
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)


def test_metrics_of_the_table_by_name():
    p, y = np.array([0.1, 0.8, 0.6, 0.3]), np.array([0, 1, 0, 1])
    found = M.measure(["accuracy", "roc_auc", "f1", "f1_macro", "log_loss", "confusion_matrix"], p, y)
    assert found["accuracy"] == 0.5
    assert found["roc_auc"] == 0.75
    same(found["f1_macro"], sk.f1_score(y, p > 0.5, average="macro"))
    rows = np.random.default_rng(0).random((4, 5))
    rows /= rows.sum(axis=1, keepdims=True)
    numbers = {"mse", "rmse", "mae", "mape", "r2"}
    several = {"top3", "top5", "perplexity"}
    for name in M.STREAMING:
        value = M.get_metric(name)(rows if name in several else p, y * 1.0 if name in numbers else y)
        assert np.isfinite(value).all(), name


# ── in a trainer ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_trainer_computes_means_in_its_program_as_the_metrics_do_by_hand():
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    trainer = wf.Trainer(nn.Sequential(nn.Linear(6)), loss="cross_entropy", metrics=["accuracy", "top3"])
    trainer.fit((x, y), validation=0.25, epochs=2, verbose=False)
    found, outputs = trainer.evaluate((x, y)), trainer.outputs(x)
    again = M.measure(["accuracy", "top3", "perplexity"], outputs, y)
    assert found["accuracy"] == pytest.approx(again["accuracy"])
    assert found["top3"] == pytest.approx(again["top3"])
    assert math.exp(found["loss"]) == pytest.approx(again["perplexity"], rel=1e-5)


def test_a_trainer_measures_whole_data_sets_after_every_epoch():
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    held = x[:12], y[:12]
    wanted = ["accuracy", "roc_auc", "perplexity", M.LogLoss(), M.FBeta("macro", beta=2)]
    trainer = wf.Trainer(nn.Sequential(nn.Linear(2)), loss="cross_entropy", metrics=wanted)
    run = trainer.fit((x, y), validation=held, epochs=3, verbose=False, keep="last")
    last, now = run.history.row(3), trainer.evaluate(held)
    outputs = trainer.outputs(held[0])
    chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    assert now["roc_auc"] == M.ROCAUC()(chances, held[1]) == last["val_roc_auc"]
    assert now["log_loss"] == pytest.approx(last["val_loss"], rel=1e-5)
    assert now["perplexity"] == pytest.approx(math.exp(now["loss"]), rel=1e-5)
    name = next(name for name in now if name.startswith("FBeta"))
    assert now[name] == last[f"val_{name}"]
    assert run.settings["launches"].endswith("wants each: an epoch is little work")
    same_course = wf.Trainer(nn.Sequential(nn.Linear(2)), loss="cross_entropy", metrics=["accuracy"])
    plain = same_course.fit((x, y), validation=held, epochs=3, verbose=False, keep="last")
    assert plain.history["val_loss"] == run.history["val_loss"]  # watching changes nothing


def test_a_metric_of_many_numbers_is_for_evaluate_and_refused_before_the_first_step():
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.float32)
    trainer = wf.Trainer(nn.Linear(1), loss="binary_cross_entropy_with_logits", metrics=["confusion_matrix"])
    with pytest.raises(ArgumentError, match=r"confusion_matrix gives \(2, 2\) numbers"):
        trainer.fit((x, y), validation=0.5, epochs=2, verbose=False)
    assert trainer.epoch == 0
    table = trainer.evaluate((x, y))["confusion_matrix"]
    np.testing.assert_array_equal(table, sk.confusion_matrix(y, trainer.predict(x)[:, 0]))


def test_any_metric_after_every_epoch():
    x = np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32)
    y = (x[:, 0] > 0.3) * 1.0
    trainer = wf.Trainer(nn.Sequential(nn.Linear(1)), loss="binary_cross_entropy_with_logits")
    areas = []
    see = lambda epoch, row: areas.append(M.ROCAUC()(trainer.outputs(x), y))
    trainer.fit((x, y), epochs=3, on_epoch=see, verbose=False)
    assert len(areas) == 3
    assert areas[-1] == M.ROCAUC()(trainer.outputs(x), y)


@pytest.mark.parametrize("loss", ["hinge", "binary_focal_with_logits", "soft_margin", "multilabel_soft_margin"])
def test_accuracy_knows_where_the_answer_of_a_loss_turns(loss):
    random = np.random.default_rng(0)
    x = random.normal(size=(32, 2)).astype(np.float32)
    y = (x[:, 0] > 0.3).astype(np.int64)
    trainer = wf.Trainer(nn.Sequential(nn.Linear(1)), loss=loss, metrics=["accuracy"])
    trainer.fit((x, y), epochs=3, verbose=False)
    expected = ((trainer.outputs(x)[:, 0] > 0) == y).mean()
    assert trainer.evaluate((x, y))["accuracy"] == pytest.approx(expected)


def test_scores_that_are_not_numbers_are_refused():
    for metric in (M.Accuracy(), M.Precision(), M.CohenKappa(), M.FBeta(multilabel=True)):
        with pytest.raises(DataError, match="not finite"):
            metric(np.full((2, 2), np.nan), np.eye(2, dtype=np.int64))


@pytest.mark.parametrize(("scores", "targets"), [((4, 1), (4, 3)), ((3, 3), (3,)), ((4, 3), (4,))])
def test_several_labels_need_targets_in_the_shape_of_the_scores(scores, targets):
    with pytest.raises(ShapeError, match="multilabel"):
        M.Precision("macro", multilabel=True)(np.zeros(scores), np.zeros(targets, np.int64))


def test_a_perplexity_beyond_all_bounds_is_infinite():
    assert M.Perplexity()([[0.0, 2000.0]], [0]) == math.inf


def test_both_names_of_binary_accuracy_know_logits():
    x, y = np.array([[0.3], [-0.3]], np.float32), np.array([[1], [0]])
    model = nn.Linear(1, 1)
    model.weight.assign([[1.0]])
    model.bias.assign([0.0])
    trainer = wf.Trainer(model, "binary_cross_entropy_with_logits", metrics=["accuracy", "binary_accuracy"])
    found = trainer.evaluate((x, y))
    assert (found["accuracy"], found["binary_accuracy"]) == (1.0, 1.0)


def test_a_fit_that_diverges_has_no_metrics_and_ends_as_such():
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    trainer = wf.Trainer(model, "binary_cross_entropy_with_logits", wf.optim.SGD(1e30), ["roc_auc"])
    run = trainer.fit((x, y), validation=0.3, epochs=4, batch_size=140, verbose=False)
    assert run.stopped == "diverged"
    assert len(run.history["val_roc_auc"]) == run.history.epochs
