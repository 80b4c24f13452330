"""Losses: guards, gradients to second order, the table by name, and baselines."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DataError, DTypeError, ShapeError
from weft.nn import LOSSES, get_loss
from weft.nn import functional as F

random = np.random.default_rng(0)
LOGITS = wf.tensor(random.normal(size=(6, 3)).astype(np.float32))
LABELS = np.array([0, 1, 2, 0, 1, 2])


# ── guards ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ShapeError) as caught:
        loss(wf.zeros((6, 1)), wf.zeros(6))
    text = str(caught.value)
    assert "(6, 1)" in text
    assert "(6,)" in text
    assert "squeeze(-1)" in text
    assert "target.reshape(-1, 1)" in text
    assert "test_losses.py" in text


@pytest.mark.parametrize(
    ("target", "cure"),
    [
        (LABELS.reshape(6, 1), r"target\.squeeze\(-1\)"),
        (np.eye(3, dtype=np.int64)[LABELS], "one-hot"),
        (LABELS.astype(np.float32), r"target\.astype\(wf\.int64\)"),
    ],
)
def test_labels_of_the_wrong_shape_name_the_cure(target, cure):
    with pytest.raises(ShapeError, match=cure):
        F.cross_entropy(LOGITS, target)


def test_swapped_arguments_are_named():
    with pytest.raises(DTypeError, match="swapped"):
        F.cross_entropy(LABELS, LOGITS)
    with pytest.raises(DTypeError, match="swapped"):
        F.binary_cross_entropy_with_logits(np.array([0, 1]), wf.zeros(2))


def test_softmax_twice_is_refused_also_when_a_layer_did_it_and_while_recording():
    with pytest.raises(ArgumentError, match="softmax applied twice"):
        F.cross_entropy(F.softmax(LOGITS), LABELS)
    model = nn.Sequential(nn.Linear(3, 3), nn.Softmax())
    step = wf.compile(lambda x, y: F.cross_entropy(model(x), y))
    with pytest.raises(ArgumentError, match=r"model\.1"):
        step(LOGITS, LABELS)
    with pytest.raises(ArgumentError, match="sigmoid applied twice"):
        F.binary_cross_entropy_with_logits(wf.sigmoid(LOGITS), wf.zeros((6, 3)))
    with pytest.raises(ArgumentError, match="log_softmax"):
        F.nll_loss(F.softmax(LOGITS), LABELS)


def test_logits_of_a_linear_layer_are_not_probabilities():
    with pytest.raises(ArgumentError, match="binary_cross_entropy_with_logits"):
        F.binary_cross_entropy(nn.Linear(3, 1)(LOGITS), wf.zeros((6, 1)))
    with pytest.raises(ArgumentError, match="the result of a linear layer"):
        F.binary_cross_entropy(nn.Linear(3, 1)(LOGITS).squeeze(-1).astype(wf.float64), wf.zeros(6))
    with pytest.raises(ArgumentError, match="the result of a convolution"):
        F.dice_loss(nn.Conv1d(1, 1, 1)(wf.ones((2, 1, 3))), wf.zeros((2, 1, 3)))
    x = wf.tensor(LOGITS.numpy(), requires_grad=True)
    with pytest.raises(ArgumentError, match="softmax applied twice"):
        F.cross_entropy(F.softmax(x).reshape(3, 2, 3).permute_dims(0, 2, 1), LABELS.reshape(3, 2))


def test_labels_out_of_range_are_named_where_they_are_known():
    with pytest.raises(DataError) as caught:
        F.cross_entropy(LOGITS, np.array([0, 1, 2, 0, 3, 7]))
    text = str(caught.value)
    assert "label 3 at index 4 (2 of 6" in text
    assert "0 ≤ label < 3" in text
    assert "axis 1 of the logits (6, 3)" in text
    with pytest.raises(DataError, match="count from 1"):
        F.cross_entropy(LOGITS, LABELS + 1)
    with pytest.raises(DataError, match="ignore_index=-1"):
        F.cross_entropy(LOGITS, LABELS - 1)
    F.cross_entropy(LOGITS, LABELS - 1, ignore_index=-1)


def test_labels_that_are_only_recorded_are_not_computed_for_the_check():
    labels = wf.tensor(LABELS) + 0
    F.cross_entropy(LOGITS, labels)
    assert labels.node.data is None


@pytest.mark.parametrize("bad", [{"reduction": "avg"}, {"label_smoothing": 1.5}])
def test_options_out_of_range(bad):
    with pytest.raises(ArgumentError):
        F.cross_entropy(LOGITS, LABELS, **bad)


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_cross_entropy_is_one_entry_and_its_gradient_another():
    x = wf.tensor(LOGITS.numpy(), requires_grad=True)
    wf.realize()
    before = len(wf.graph.recording.context.recording.entries)
    F.cross_entropy(x, LABELS).backward()
    assert len(wf.graph.recording.context.recording.entries) - before == 2
    expected = np.exp(LOGITS.numpy()) / np.exp(LOGITS.numpy()).sum(1, keepdims=True) - np.eye(3)[LABELS]
    np.testing.assert_allclose(x.grad.numpy(), expected / 6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: F.cross_entropy(x, LABELS[:2]),
        lambda x: (F.softmax(x) ** 3).sum(),
        lambda x: (F.log_softmax(x) ** 2).sum(),
        lambda x: F.binary_cross_entropy_with_logits(x, wf.ones((2, 3)) * 0.3),
        lambda x: (F.gelu(x) ** 2).sum() + (F.silu(x) ** 2).sum() + (F.elu(x) ** 2).sum(),
        lambda x: (F.layer_norm(x, 3) ** 3).sum(),
    ],
    ids=["cross_entropy", "softmax", "log_softmax", "binary", "activations", "layer_norm"],
)
def test_second_derivatives(f):
    at = random.normal(size=(2, 3))
    direction = random.normal(size=(2, 3))
    slope = wf.grad(f)
    along = wf.grad(lambda x: (slope(x) * wf.tensor(direction)).sum())(wf.tensor(at)).numpy()
    h = 1e-5
    difference = slope(wf.tensor(at + h * direction)).numpy() - slope(wf.tensor(at - h * direction)).numpy()
    np.testing.assert_allclose(along, difference / (2 * h), rtol=1e-4, atol=1e-6)


def test_the_gradient_of_dropout_passes_where_the_value_did():
    x = wf.tensor(np.ones(50, np.float32), requires_grad=True)
    y = F.dropout(x, 0.4, wf.random.Generator(1).key())
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


def test_a_new_dropout_rate_compiles_nothing():
    key = wf.random.Generator(1).key()

    def drop(p):
        return F.dropout(LOGITS, p, key).numpy()

    drop(0.1)
    before = wf.explain().count
    drop(0.2)
    assert wf.explain().count == before


def test_binary_cross_entropy_of_a_sigmoid_loses_nothing_to_rounding():
    x = wf.tensor([40.0], requires_grad=True)
    F.binary_cross_entropy(wf.sigmoid(x), wf.zeros(1)).backward()
    assert float(x.grad) == 1.0


def test_binary_cross_entropy_of_a_sigmoid_is_one_number_with_a_history_and_without():
    model, x = nn.Sequential(nn.Identity(), nn.Sigmoid()), np.float32([17.5])
    loss = lambda x: F.binary_cross_entropy(model(x), wf.zeros(1))
    measured = lambda x: F.binary_cross_entropy(model(x * 2.0).detach(), wf.zeros(1))
    assert float(loss(wf.tensor(x, requires_grad=True))) == pytest.approx(17.5)
    assert float(loss(x)) == float(wf.compile(loss)(x)) == pytest.approx(17.5)
    assert float(measured(x)) == float(wf.compile(measured)(x)) == pytest.approx(35)
    with wf.no_grad():
        assert float(loss(wf.tensor(x, requires_grad=True) * 2.0)) == pytest.approx(35)


def test_narrow_labels_and_truth_values_are_labels():
    whole = float(F.cross_entropy(LOGITS, LABELS))
    assert float(F.cross_entropy(LOGITS, LABELS.astype(np.uint8))) == pytest.approx(whole)
    two = LOGITS[:, :2]
    assert float(F.cross_entropy(two, LABELS > 0)) == pytest.approx(float(F.cross_entropy(two, (LABELS > 0) * 1)))


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────

SMOOTH = random.random((6, 3)).astype(np.float32)
TARGETS = {"classification": LABELS, "binary": (SMOOTH > 0.5) * 1.0, "regression": SMOOTH * 4}


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_of_the_table(name):
    loss = get_loss(name)
    y = loss.prepare(TARGETS[loss.kind])
    shares = loss.kind == "binary" and loss.threshold == 0.5
    prediction = F.log_softmax(LOGITS) if name == "nll" else wf.tensor(SMOOTH) if shares else LOGITS
    each = loss.per_example(prediction, y).numpy()
    assert each.shape == (6,)
    assert each.mean() == pytest.approx(float(loss(prediction, y)), rel=1e-5)
    assert float(loss.function(prediction, y, reduction="sum")) > 0


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_no_constant_beats_the_baseline_of_numbers(name):
    loss, y = get_loss(name), (SMOOTH[:, :1] * 6).astype(np.float32)
    grid = np.linspace(y.min(), y.max(), 400, dtype=np.float32)
    losses = loss.function(wf.tensor(np.tile(grid, (6, 1))), np.tile(y, (1, 400)), reduction="none").numpy()
    assert losses.mean(axis=0).min() == pytest.approx(loss.baseline(y), rel=1e-3)


def test_the_baseline_of_classes_is_the_loss_of_their_frequencies():
    labels = np.array([0, 0, 1, 0, 2, 1])
    q = np.bincount(labels) / 6
    constant = np.tile(np.log(q), (6, 1)).astype(np.float32)
    expected = float(F.cross_entropy(constant, labels))
    assert get_loss("cross_entropy").baseline(labels, 3) == pytest.approx(expected, rel=1e-5)
    assert get_loss("cross_entropy").baseline(np.eye(3)[labels], 3) == pytest.approx(expected, rel=1e-5)
    bits = (SMOOTH > 0.4) * 1.0
    p = np.tile(bits.mean(axis=0), (6, 1)).astype(np.float32)
    assert get_loss("binary_cross_entropy").baseline(bits, None) == pytest.approx(
        float(F.binary_cross_entropy(p, bits)), rel=1e-5
    )


def test_losses_are_found_by_name_layer_or_function():
    with pytest.raises(ArgumentError, match="cross_entropy") as caught:
        get_loss("crossentropy")
    assert caught.value.cure == "'cross_entropy'"
    layer = get_loss(nn.HuberLoss(delta=2.0))
    assert layer.kind == "regression"
    assert layer.baseline(SMOOTH, None) == pytest.approx(SMOOTH.var(axis=0).mean() / 2, rel=1e-4)
    own = get_loss(lambda p, t: ((p - t) ** 2).mean())
    assert own.kind == "custom"
    assert np.isnan(own.baseline(SMOOTH, None))
    np.testing.assert_allclose(own.per_example(wf.tensor([1.0, 2.0]), wf.zeros(2)).numpy(), [1.0, 4.0])


WEIGHT = [1.0, 5.0, 0.2]
MARKED = np.where(np.arange(6) % 2, LABELS, np.array([2, 0, 1, 2, 2, 0]))  # label 2 is left out below
WEIGHTED = {
    "cross_entropy": nn.CrossEntropyLoss(WEIGHT, ignore_index=2, label_smoothing=0.1),
    "nll": nn.NLLLoss(WEIGHT, ignore_index=2),
    "focal": nn.FocalLoss(WEIGHT, ignore_index=2),
    "multi_margin": nn.MultiMarginLoss(weight=WEIGHT),
    "kl_div": nn.KLDivLoss(reduction="batchmean"),
}


@pytest.mark.parametrize("name", WEIGHTED)
def test_the_loss_of_a_batch_follows_from_its_pieces_and_from_its_examples(name):
    layer = WEIGHTED[name]
    loss, x = get_loss(layer), F.log_softmax(LOGITS)
    y = np.exp(F.log_softmax(LOGITS * 2).numpy()) if name == "kl_div" else MARKED
    whole = float(layer(x, y))
    cuts = [slice(0, 1), slice(1, 4), slice(4, 6)]
    counted = [float(loss.counted(x[cut], y[cut])) for cut in cuts]
    means = [float(loss(x[cut], y[cut])) for cut in cuts]
    assert np.dot(counted, means) / sum(counted) == pytest.approx(whole, rel=1e-5)
    assert float(loss(x, y)) == pytest.approx(whole, rel=1e-6)
    assert float(loss.per_example(x, y).mean()) == pytest.approx(whole, rel=1e-5)
    added, weights = loss.each(x, y), loss.weight_of_each(y)
    assert float(added.sum() / (len(y) if weights is None else weights.sum())) == pytest.approx(whole, rel=1e-5)


def test_the_loss_of_examples_with_ignored_positions_is_that_of_the_others():
    x = wf.tensor(random.normal(size=(2, 3, 4)))
    y = np.array([[0, 1, -100, -100], [2, 1, 0, 1]])
    each = get_loss("cross_entropy").per_example(x, y)
    assert float(each.mean()) == pytest.approx(float(F.cross_entropy(x, y)))
    assert not get_loss("cross_entropy").per_example(x, np.full((2, 4), -100)).numpy().any()


def test_a_reduction_that_grows_with_the_batch_and_a_class_are_no_losses_of_training():
    with pytest.raises(ArgumentError, match="the mean"):
        get_loss(nn.MSELoss("sum"))
    with pytest.raises(ArgumentError, match="the class MSELoss") as caught:
        get_loss(nn.MSELoss)
    assert caught.value.cure == "loss=MSELoss()"


def test_ignored_labels_do_not_count_in_the_baseline():
    assert get_loss("cross_entropy").baseline(np.array([[0, 1, -100], [1, 0, -100]]), 2) == pytest.approx(np.log(2))
    assert get_loss(nn.NLLLoss(ignore_index=0)).baseline(np.array([0, 1, 2, 0]), 3) == pytest.approx(np.log(2))
    assert np.isnan(get_loss("nll").baseline(np.array([-100, -100]), 2))
    rows = np.exp(F.log_softmax(LOGITS).numpy())
    by_rows = get_loss(nn.KLDivLoss(reduction="batchmean")).baseline(rows)
    assert by_rows == pytest.approx(3 * get_loss("kl_div").baseline(rows))


def test_layers_keep_their_options():
    loss = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0], label_smoothing=0.1)
    expected = F.cross_entropy(LOGITS, LABELS, weight=wf.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)
    assert float(loss(LOGITS, LABELS)) == float(expected)
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", "soft_margin", "poisson_nll"])
def test_no_constant_beats_the_baseline_of_answers_and_counts(name):
    loss = get_loss(name)
    y = (SMOOTH[:, :1] * 6).round().astype(np.float32) if name == "poisson_nll" else np.array([[0.0, 1, 1, 1, 0, 1]]).T
    grid = np.linspace(-2, 2, 401, dtype=np.float32)
    losses = loss.function(wf.tensor(np.tile(grid, (6, 1))), np.tile(y, (1, 401)), reduction="none").numpy()
    assert losses.mean(axis=0).min() == pytest.approx(loss.baseline(y), rel=1e-3)


def test_the_baseline_of_distributions_is_their_divergence_from_the_mean():
    y = np.exp(LOGITS.numpy()) / np.exp(LOGITS.numpy()).sum(axis=1, keepdims=True)
    constant = np.log(np.tile(y.mean(axis=0), (6, 1)))
    assert get_loss("kl_div").baseline(y) == pytest.approx(float(F.kl_div(constant, y)), rel=1e-4)


def test_targets_that_a_loss_does_not_take_are_refused_before_training():
    for name, bad in (("binary_cross_entropy", [1, 2]), ("hinge", [0, 2]), ("poisson_nll", [-1.0])):
        with pytest.raises(DataError, match="out of range"):
            get_loss(name).prepare(np.array(bad))
    with pytest.raises(DataError, match="targets in"):
        F.binary_cross_entropy_with_logits(wf.zeros(2), [1.0, 2.0])


def test_losses_by_layer_take_the_answers_of_the_table():
    layer, y = get_loss(nn.HingeLoss()), np.array([0.0, 1.0])
    assert layer.threshold == 0
    assert float(layer(wf.tensor([-2.0, 0.5]), y)) == float(get_loss("hinge")(wf.tensor([-2.0, 0.5]), y)) == 0.25
    assert get_loss(nn.MultiLabelMarginLoss()).kind == "custom"
    weighted = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    assert list(weighted.state_dict()) == ["weight"]
    assert list(weighted.parameters()) == []


def test_prepare_makes_labels_of_what_people_have():
    prepare = get_loss("cross_entropy").prepare
    assert prepare(np.array([[1.0], [2.0]])).tolist() == [1, 2]
    assert prepare(np.eye(2)).dtype == np.float32
    with pytest.raises(ArgumentError, match=r"1\.5"):
        prepare(np.array([1.0, 1.5]))
