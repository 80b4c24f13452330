"""Losses against their formulas in float64, at the edges of their types, and what is defined by convention."""

import itertools
import math

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DataError, DTypeError, ShapeError
from weft.nn import functional as F

random = np.random.default_rng(1)
X = random.normal(size=(4, 3))
PIXELS = random.normal(size=(2, 3, 4, 4)).astype(np.float32)
CLASSES = random.integers(0, 3, (2, 4, 4))
LABELS = np.array([0, 2, 1, 1])
BITS = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]])
SIGNS = 2 * BITS - 1


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ── formulas that PyTorch does not have ─────────────────────────────────────────────────────────────────────

P = sigmoid(X)
RIGHT = np.where(BITS, P, 1 - P)
SHARES = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
HIT = SHARES[np.arange(4), LABELS]
FORMULAS = {
    "hinge": (F.hinge_loss(X, SIGNS, reduction="none"), np.maximum(0, 1 - SIGNS * X)),
    "squared hinge": (F.squared_hinge_loss(X, SIGNS, reduction="none"), np.maximum(0, 1 - SIGNS * X) ** 2),
    "categorical hinge": (
        F.categorical_hinge_loss(X, np.eye(3)[LABELS], reduction="none"),
        np.maximum(0, 1 + ((1 - np.eye(3)[LABELS]) * X).max(axis=1) - X[np.arange(4), LABELS]),
    ),
    "binary focal": (
        F.binary_focal_loss_with_logits(X, BITS, gamma=1.5, reduction="none"),
        np.where(BITS, 0.25, 0.75) * (1 - RIGHT) ** 1.5 * -np.log(RIGHT),
    ),
    "focal": (F.focal_loss(X, LABELS, gamma=3.0, reduction="none"), (1 - HIT) ** 3 * -np.log(HIT)),
    "tversky": (
        F.tversky_loss(P, BITS, alpha=0.3, beta=0.7, smooth=0.5, reduction="none"),
        1
        - ((P * BITS).sum(1) + 0.5)
        / ((P * BITS).sum(1) + 0.3 * (P * (1 - BITS)).sum(1) + 0.7 * ((1 - P) * BITS).sum(1) + 0.5),
    ),
    "dice": (
        F.dice_loss(P, BITS, reduction="none"),
        1 - (2 * (P * BITS).sum(1) + 1) / (P.sum(1) + BITS.sum(1) + 1),
    ),
    "iou": (
        F.iou_loss(P, BITS, reduction="none"),
        1 - ((P * BITS).sum(1) + 1) / (P.sum(1) + BITS.sum(1) - (P * BITS).sum(1) + 1),
    ),
    "weighted squares": (F.mse_loss(X, BITS, weight=P), ((X - BITS) ** 2 * P).sum() / P.sum()),
    "weighted sizes": (F.l1_loss(X, BITS, weight=P), (np.abs(X - BITS) * P).sum() / P.sum()),
    "weighted huber": (
        F.huber_loss(X, BITS, weight=P, delta=0.5),
        (np.where(np.abs(X - BITS) < 0.5, (X - BITS) ** 2 / 2, 0.5 * (np.abs(X - BITS) - 0.25)) * P).mean(),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    made, expected = FORMULAS[name]
    np.testing.assert_allclose(made.numpy(), expected, rtol=1e-9)


def test_losses_that_are_others_in_disguise():
    close = lambda a, b: np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    close(F.focal_loss(PIXELS, CLASSES, gamma=0.0), F.cross_entropy(PIXELS, CLASSES))
    close(F.binary_focal_loss_with_logits(X, BITS, alpha=None, gamma=0.0), F.binary_cross_entropy_with_logits(X, BITS))
    close(F.soft_margin_loss(X, SIGNS), F.binary_cross_entropy_with_logits(X, BITS))
    close(F.categorical_hinge_loss(X, LABELS), F.categorical_hinge_loss(X, np.eye(3)[LABELS]))
    close(F.tversky_loss(P, BITS, alpha=1.0, beta=1.0), F.iou_loss(P, BITS))
    one = nn.LinearCrossEntropyLoss(3, 2, bias=True)
    rows, labels = X.astype(np.float32), LABELS % 2
    close(one(rows, labels), F.cross_entropy(one.linear(rows), labels))


def test_overlap_has_one_number_for_each_class_of_each_image():
    p = F.softmax(PIXELS, 1)
    each = F.dice_loss(p, np.moveaxis(np.eye(3)[CLASSES], -1, 1), reduction="none")
    assert each.shape == (2, 3)
    assert float(F.dice_loss(wf.zeros((1, 2)), wf.zeros((1, 2)))) == 0


# ── connectionist temporal classification, by going through all alignments ──────────────────────────────────


def every_alignment(shares, labels, blank=0):
    """The probability of ``labels``: the sum over all paths that collapse to them."""
    total = 0.0
    for path in itertools.product(range(shares.shape[1]), repeat=len(shares)):
        collapsed = [k for k, _ in itertools.groupby(path) if k != blank]
        if collapsed == list(labels):
            total += math.prod(shares[t, k] for t, k in enumerate(path))
    return total


def test_ctc_sums_over_all_alignments():
    frames = F.log_softmax(random.normal(size=(4, 3, 3)))
    shares = np.exp(frames.numpy())
    sequences, lengths, labels = np.array([[1, 2], [2, 2], [1, 0]]), np.array([4, 4, 2]), np.array([2, 2, 1])
    found = F.ctc_loss(frames, sequences, lengths, labels, reduction="none").numpy()
    for k in range(3):
        expected = -math.log(every_alignment(shares[: lengths[k], k], sequences[k, : labels[k]]))
        assert found[k] == pytest.approx(expected, rel=1e-9)
    flat = F.ctc_loss(frames, [1, 2, 2, 2, 1], lengths, labels, reduction="none").numpy()
    np.testing.assert_allclose(flat, found, rtol=1e-12)
    one = F.ctc_loss(frames[:, 0], [1, 2], 4, 2, reduction="none")
    assert one.shape == ()
    assert float(one) == pytest.approx(found[0])


def test_ctc_does_not_look_behind_the_end_of_a_target():
    logits = wf.tensor(random.normal(size=(9, 1, 4)), requires_grad=True)
    lay = lambda targets: wf.gradients(F.ctc_loss(F.log_softmax(logits), [targets], [9], [2]), logits).numpy()
    expected = lay([1, 2, 3])
    for filler in (-100, 999):
        np.testing.assert_array_equal(lay([1, 2, filler]), expected)


def test_ctc_of_what_cannot_be_laid_out():
    logits = wf.tensor(random.normal(size=(2, 1, 3)), requires_grad=True)
    lay = lambda **how: F.ctc_loss(F.log_softmax(logits), [[1, 1]], [2], [2], **how)
    assert float(lay()) == math.inf
    loss = lay(zero_infinity=True)
    loss.backward()
    assert float(loss) == 0
    np.testing.assert_array_equal(logits.grad.numpy(), 0)


def test_ctc_refuses_blanks_and_lengths_that_do_not_fit():
    frames = F.log_softmax(wf.zeros((3, 1, 3)))
    with pytest.raises(DataError, match="not the blank"):
        F.ctc_loss(frames, [[0]], [3], [1])
    with pytest.raises(DataError, match="label 3"):
        F.ctc_loss(frames, [[3]], [3], [1])
    with pytest.raises(DataError, match="input_lengths"):
        F.ctc_loss(frames, [[1]], [4], [1])
    with pytest.raises(ShapeError, match="sum to 2"):
        F.ctc_loss(frames, [1], [3], [2])
    with pytest.raises(ArgumentError, match="softmax"):
        F.ctc_loss(F.softmax(wf.zeros((3, 1, 3))), [[1]], [3], [1])


# ── conventions ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.focal_loss])
def test_a_batch_of_ignored_labels_costs_nothing_and_moves_nothing(loss):
    x = wf.tensor(X, requires_grad=True)
    y = loss(x, np.full(4, -100))
    y.backward()
    assert float(y) == 0
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_classes_that_are_out_of_the_question_cost_nothing():
    masked = X.copy()
    masked[:, 2] = -np.inf
    x = wf.tensor(masked, requires_grad=True)
    F.cross_entropy(x, [0, 1, 0, 1]).backward()
    expected = float(F.cross_entropy(X[:, :2], [0, 1, 0, 1]))
    assert float(F.cross_entropy(masked, [0, 1, 0, 1])) == pytest.approx(expected)
    assert np.isfinite(x.grad.numpy()).all()
    soft = np.eye(3)[[0, 1, 0, 1]]
    assert float(F.cross_entropy(masked, soft)) == pytest.approx(expected)
    assert float(F.kl_div(F.log_softmax(masked), soft, reduction="batchmean")) == pytest.approx(expected)


def test_labels_out_of_range_that_only_the_device_knows_are_no_number():
    unknown = lambda: wf.tensor(LABELS) + 1
    assert math.isnan(float(F.cross_entropy(X, unknown())))
    assert np.isnan(F.focal_loss(X, wf.tensor(LABELS) + 1, reduction="none").numpy()).tolist() == [
        False,
        True,
        False,
        False,
    ]
    assert np.isnan(F.multi_margin_loss(X, unknown(), reduction="none").numpy()).tolist() == [False, True, False, False]
    assert math.isnan(float(F.multi_margin_loss(X, unknown() - 2)))
    assert math.isnan(float(F.categorical_hinge_loss(X, unknown())))
    lists = wf.tensor([[0, -1, 0], [1, 2, 3], [-2, 0, 0], [1, -1, -1]]) + 0
    found = F.multilabel_margin_loss(X, lists, reduction="none").numpy()
    assert np.isnan(found).tolist() == [False, True, True, False]


# ── sixteen bits ────────────────────────────────────────────────────────────────────────────────────────────

LARGE = np.array([[3e4, -3e4, 0.0], [-3e4, 3e4, 8.0], [2e4, 1e4, -1e4], [0.0, -2e4, 3e4]])
INSIDE = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 1e-4], [0.25, 1.0, 0.0], [0.0, 1e-3, 0.75]])
STABLE = {
    "cross_entropy": (F.cross_entropy, LARGE, LABELS),
    "cross_entropy of shares": (F.cross_entropy, LARGE, SHARES),
    "focal": (F.focal_loss, LARGE, LABELS),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, LARGE, BITS),
    "binary_focal": (F.binary_focal_loss_with_logits, LARGE, BITS),
    "multilabel_soft_margin": (F.multilabel_soft_margin_loss, LARGE, BITS),
    "soft_margin": (F.soft_margin_loss, LARGE, SIGNS),
    "hinge": (F.hinge_loss, LARGE, SIGNS),
    "squared_hinge": (F.squared_hinge_loss, LARGE, SIGNS),
    "multi_margin": (lambda x, t: F.multi_margin_loss(x, t, p=2), LARGE, LABELS),
    "mse": (F.mse_loss, LARGE, -LARGE),
    "huber": (F.huber_loss, LARGE, -LARGE),
    "mae": (F.l1_loss, LARGE, -LARGE),
    "gaussian": (lambda x, t: F.gaussian_nll_loss(x, t, 4.0), LARGE, -LARGE),
    "binary_cross_entropy": (F.binary_cross_entropy, INSIDE, BITS),
    "dice": (F.dice_loss, INSIDE, BITS),
    "kl_div": (F.kl_div, -np.abs(LARGE), SHARES),
    "triplet": (lambda x, t: F.triplet_margin_loss(x, t, -x), LARGE, LARGE / 2),
    "cosine": (lambda x, t: F.cosine_embedding_loss(x, t, [1, -1, 1, -1]), LARGE, LARGE[::-1].copy()),
}


@pytest.mark.parametrize("name", STABLE)
def test_the_loss_of_extreme_numbers_is_finite_and_near_that_of_float64(name):
    loss, x, target = STABLE[name]
    for dtype in (wf.float16, wf.bfloat16, wf.float32):
        narrow = wf.tensor(x).astype(dtype)
        fine = wf.tensor(np.asarray(narrow.numpy(), np.float64), requires_grad=True)
        narrow = wf.tensor(narrow.numpy(), requires_grad=True)
        assert narrow.dtype is dtype
        y, exact = loss(narrow, target), loss(fine, target)
        assert y.dtype is wf.float32
        y.backward()
        exact.backward()
        slope = np.asarray(narrow.grad.numpy(), np.float64)
        assert np.isfinite(slope).all()
        np.testing.assert_allclose(float(y), float(exact), rtol=2e-5)
        size = np.abs(fine.grad.numpy()).max()
        np.testing.assert_allclose(
            slope, fine.grad.numpy(), rtol=1e-2, atol=1e-3 * size + 6e-8
        )  # half of the smallest float16


def test_small_losses_keep_their_digits():
    """Of logits that are large, or right and certain, all that is left is a small difference of large numbers."""
    close = lambda y, expected, rtol=1e-6: np.testing.assert_allclose(y.numpy(), np.float64(expected), rtol=rtol)
    close(F.log_softmax(wf.tensor([1000.0, 1000.0])), [-math.log(2)] * 2)
    for loss in (F.cross_entropy, lambda x, t: F.focal_loss(x, t, gamma=0.0)):
        close(loss(wf.tensor([[1000.0, 990.0]]), [0]), math.log1p(math.exp(-10)), rtol=1e-3)
    x, costs = np.float32([[15.0, -15.0, 40.0]]), [[math.log1p(math.exp(-a)) for a in (15, 15, 40)]]
    right = [[1.0, 0.0, 1.0]]
    close(F.binary_cross_entropy_with_logits(x, right, reduction="none"), costs)
    close(F.binary_cross_entropy_with_logits(x, right, pos_weight=np.ones(3), reduction="none"), costs)
    close(F.multilabel_soft_margin_loss(x, right, reduction="none"), np.mean(costs, axis=1))
    close(F.binary_focal_loss_with_logits(x, right, alpha=None, gamma=0.0, reduction="none"), costs)


@pytest.mark.parametrize("dtype", [wf.float16, wf.bfloat16, wf.float32, wf.float64])
def test_certain_and_wrong_probabilities_have_a_finite_loss_and_a_finite_slope(dtype):
    p = wf.tensor(np.asarray(wf.tensor([0.0, 1.0, 1.0]).astype(dtype).numpy()), requires_grad=True)
    loss = F.binary_cross_entropy(p, [1.0, 0.0, 1.0], reduction="sum")
    loss.backward()
    slope = np.asarray(p.grad.numpy(), np.float64)
    assert float(loss) == pytest.approx(200)
    assert np.isfinite(slope).all()
    assert (np.sign(slope) == [-1, 1, 0]).all()


# ── guards of the new losses ────────────────────────────────────────────────────────────────────────────────

COLUMN, ROW = wf.zeros((6, 1)), np.ones(6, np.float32)
GUARDED = [
    F.mse_loss,
    F.l1_loss,
    F.huber_loss,
    F.smooth_l1_loss,
    F.kl_div,
    F.poisson_nll_loss,
    lambda x, t: F.gaussian_nll_loss(x, t, 1.0),
    F.binary_cross_entropy,
    F.binary_focal_loss_with_logits,
    F.hinge_loss,
    F.squared_hinge_loss,
    F.soft_margin_loss,
    F.hinge_embedding_loss,
    F.multilabel_soft_margin_loss,
    F.categorical_hinge_loss,
    F.dice_loss,
    F.iou_loss,
    F.tversky_loss,
    lambda x, t: F.margin_ranking_loss(x, x, t),
    lambda x, t: F.triplet_margin_loss(x, t, t),
    lambda x, t: F.cosine_embedding_loss(x, t, t),
]


@pytest.mark.parametrize("loss", GUARDED)
def test_no_loss_broadcasts(loss):
    with pytest.raises(ShapeError, match=r"\(6, 1\).*\(6,\)"):
        loss(COLUMN, ROW)


def test_weights_do_not_enlarge_a_loss():
    p, t = wf.zeros(6) + 0.5, ROW
    for loss, name in ((F.binary_cross_entropy, "weight"), (F.binary_cross_entropy_with_logits, "pos_weight")):
        with pytest.raises(ShapeError, match=name + r"\.squeeze\(-1\)"):
            loss(p, t, **{name: COLUMN})
    with pytest.raises(ShapeError, match=r"weight of shape \(6, 1\)"):
        F.mse_loss(p, t, weight=COLUMN)


@pytest.mark.parametrize("loss", GUARDED[:18])
def test_whole_numbers_are_no_predictions(loss):
    with pytest.raises(DTypeError, match="swapped"):
        loss(np.ones((6, 1), np.int64), COLUMN)


def test_targets_outside_of_their_range_are_named_with_a_cure():
    zeros = wf.zeros((2, 2))
    for loss in (
        F.binary_cross_entropy_with_logits,
        F.binary_cross_entropy,
        F.binary_focal_loss_with_logits,
        F.dice_loss,
    ):
        with pytest.raises(DataError, match=r"2 at index \(0, 1\) \(1 of 4"):
            loss(zeros, [[0.0, 2.0], [1.0, 0.0]])
    with pytest.raises(DataError, match="swapped"):
        F.binary_cross_entropy_with_logits(zeros, [[0.0, -2.0], [1.0, 0.0]])
    for loss in (F.hinge_loss, F.soft_margin_loss, F.squared_hinge_loss, F.hinge_embedding_loss):
        with pytest.raises(DataError, match=r"2 \* target - 1"):
            loss(zeros, [[0, 1], [1, 0]])
    with pytest.raises(DataError, match="log_target=True"):
        F.kl_div(zeros, -np.ones((2, 2)))
    with pytest.raises(DataError, match="counts"):
        F.poisson_nll_loss(zeros, -np.ones((2, 2)))
    with pytest.raises(DataError, match="Softplus"):
        F.gaussian_nll_loss(zeros, zeros, [[1.0, -1.0], [1.0, 1.0]])
    with pytest.raises(DataError, match="multi_margin_loss: label 2"):
        F.multi_margin_loss(zeros, [0, 2])
    with pytest.raises(DataError, match="multilabel_margin_loss: label 5"):
        F.multilabel_margin_loss(zeros, [[0, 5], [0, -1]])
    with pytest.raises(DataError, match="focal_loss: label 2"):
        F.focal_loss(zeros, [0, 2])


def test_activations_before_a_loss_that_applies_them_are_refused():
    x, bits = wf.tensor(X), wf.tensor(BITS.astype(float))
    for loss in (F.multilabel_soft_margin_loss, F.binary_focal_loss_with_logits):
        with pytest.raises(ArgumentError, match="sigmoid applied twice"):
            loss(wf.sigmoid(x), bits)
    with pytest.raises(ArgumentError, match="softmax applied twice"):
        F.focal_loss(F.softmax(x), LABELS)
    with pytest.raises(ArgumentError, match="of the result of a sigmoid: it takes logits and applies softmax itself"):
        F.cross_entropy(wf.sigmoid(x), LABELS)
    with pytest.raises(ArgumentError, match="logarithms"):
        F.kl_div(F.softmax(x), bits)
    with pytest.raises(ArgumentError, match="Sigmoid"):
        F.dice_loss(nn.Linear(3, 3)(X.astype(np.float32)), bits)


def test_a_new_margin_compiles_nothing():
    margins = iter([0.1, 0.2, 0.3])
    counts = []
    for margin in margins:
        F.multi_margin_loss(X, LABELS, margin=margin).numpy()
        F.huber_loss(X, BITS, delta=margin).numpy()
        counts.append(wf.explain().count)
    assert counts[1] == counts[2]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: F.focal_loss(x, LABELS, gamma=1.5),
        lambda x: F.binary_focal_loss_with_logits(x, BITS),
        lambda x: F.tversky_loss(wf.sigmoid(x), BITS),
        lambda x: F.gaussian_nll_loss(x, BITS, wf.exp(x)),
        lambda x: F.kl_div(F.log_softmax(x), SHARES),
        lambda x: F.ctc_loss(F.log_softmax(x).expand_dims(axis=1), [[1, 2]], [4], [2]),
    ],
    ids=["focal", "binary focal", "tversky", "gaussian", "kl", "ctc"],
)
def test_second_derivatives(f):
    direction = random.normal(size=X.shape)
    slope = wf.grad(f)
    along = wf.grad(lambda x: (slope(x) * wf.tensor(direction)).sum())(wf.tensor(X)).numpy()
    h = 1e-5
    ahead, behind = (slope(wf.tensor(X + s * h * direction)).numpy() for s in (1, -1))
    np.testing.assert_allclose(along, (ahead - behind) / (2 * h), rtol=1e-4, atol=1e-7)
    first = [float(f(wf.tensor(X + s * h * direction))) for s in (1, -1)]
    expected = (slope(wf.tensor(X)).numpy() * direction).sum()
    assert (first[0] - first[1]) / (2 * h) == pytest.approx(expected, rel=1e-5, abs=1e-9)
