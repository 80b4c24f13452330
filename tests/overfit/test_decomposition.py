"""The identities of bias and variance, exactly; the closed form of ridge regression, within the errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import ArgumentError, DataError, FileError, ShapeError
from weft.overfit import Decomposition, decompose

cases = st.tuples(st.integers(2, 7), st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**32 - 1))
few = settings(max_examples=25, deadline=None)


@few
@given(cases, st.floats(0.01, 100))
def test_squared_loss_is_bias_and_variance(case: Any, scale: float) -> None:
    r, s, n, seed = case
    rng = np.random.default_rng(seed)
    p, y = scale * rng.normal(size=(r, s, n, 2)), scale * rng.normal(size=(n, 2))
    d = decompose(p, y)
    assert d.loss == pytest.approx(((p - y) ** 2).mean(), rel=1e-9)
    assert d.bias2 == pytest.approx(((p.mean((0, 1)) - y) ** 2).mean(), rel=1e-9, abs=1e-12)
    assert d.variance == pytest.approx(p.reshape(r * s, n, 2).var(axis=0).mean(), rel=1e-9)
    assert d.bias2 + d.variance == pytest.approx(d.loss, rel=1e-9)
    correction = p.mean(axis=1).var(axis=0, ddof=1).mean() / r
    assert d.bias2_corrected == pytest.approx(d.bias2 - correction, rel=1e-9, abs=1e-9 * d.loss)
    assert d.bias2_corrected + d.variance_corrected == pytest.approx(d.loss, rel=1e-9)


@few
@given(cases)
def test_variance_is_that_of_the_data_and_that_of_the_seed(case: Any) -> None:
    r, s, n, seed = case
    p = np.random.default_rng(seed).normal(size=(r, s + 1, n))
    d = decompose(p, np.zeros(n))
    assert d.data_variance == pytest.approx(p.mean(axis=1).var(axis=0).mean(), rel=1e-9)
    assert d.seed_variance == pytest.approx(p.var(axis=1).mean(), rel=1e-9)
    assert d.data_variance + d.seed_variance == pytest.approx(d.variance, rel=1e-9)
    assert d.data_variance_corrected + d.seed_variance_corrected == pytest.approx(d.variance_corrected, rel=1e-9)


@few
@given(cases, st.integers(2, 5))
def test_zero_one_loss_by_domingos(case: Any, classes: int) -> None:
    r, s, n, seed = case
    rng = np.random.default_rng(seed)
    p, y = rng.integers(classes, size=(r, s, n)), rng.integers(classes, size=n)
    d = decompose(p, y, "zero_one")
    assert d.loss == pytest.approx((p != y).mean(), abs=1e-12)
    assert d.bias2 + d.unbiased_variance - d.factor * d.biased_variance == pytest.approx(d.loss, abs=1e-12)
    assert d.unbiased_variance + d.biased_variance == pytest.approx(d.variance, abs=1e-12)
    if classes == 2:
        assert d.factor == pytest.approx(1)
    # Point by point, as the definition reads.
    votes = p.reshape(-1, n)
    main = np.array([np.bincount(column, minlength=classes).argmax() for column in votes.T])
    assert d.bias2 == pytest.approx((main != y).mean(), abs=1e-12)
    total = 0.0
    for i in range(n):
        v = (votes[:, i] != main[i]).mean()
        if main[i] == y[i]:
            total += v
        elif v > 0:
            off = votes[:, i][votes[:, i] != main[i]]
            total += 1 - (off == y[i]).mean() * v
        else:
            total += 1
    assert d.loss == pytest.approx(total / n, abs=1e-12)


@few
@given(cases, st.integers(2, 4), st.booleans())
def test_log_loss_by_heskes(case: Any, classes: int, zeros: bool) -> None:
    r, s, n, seed = case
    rng = np.random.default_rng(seed)
    p, y = rng.dirichlet(np.full(classes, 0.5), size=(r, s, n)), rng.integers(classes, size=n)
    if zeros:
        p[0, 0, :, 0] = 0
        p[..., 1] += 1 - p.sum(-1)
    d = decompose(p, y, "log")
    assert (d.floored > 0) or not zeros
    p = np.maximum(p, np.finfo(float).eps)
    p /= p.sum(-1, keepdims=True)
    log_q = np.log(p).mean((0, 1))
    log_q -= np.log(np.exp(log_q).sum(-1, keepdims=True))
    at = np.arange(n)
    assert d.loss == pytest.approx(-np.log(p[:, :, at, y]).mean(), rel=1e-9)
    assert d.bias2 == pytest.approx(-log_q[at, y].mean(), rel=1e-6, abs=1e-9)
    kl = (np.exp(log_q) * (log_q - np.log(p))).sum(-1).mean()
    assert d.variance == pytest.approx(kl, rel=1e-6, abs=1e-9)
    assert d.bias2 + d.variance == pytest.approx(d.loss, rel=1e-6, abs=1e-9)
    if s > 1:
        assert d.data_variance + d.seed_variance == pytest.approx(d.variance, rel=1e-9, abs=1e-12)


def test_several_classes_by_hand() -> None:
    # Row 1: main 1 is wrong, one of three is right. Row 2: main 0 is right, one strays.
    d = decompose([[[1, 0]], [[1, 0]], [[0, 2]]], [0, 0], "zero_one")
    assert (d.bias2, d.loss) == (0.5, 0.5)
    assert (d.unbiased_variance, d.biased_variance, d.factor) == pytest.approx((1 / 6, 1 / 6, 1))
    d = decompose([[[1]], [[1]], [[2]], [[0]]], [0], "zero_one")
    assert (d.loss, d.biased_variance, d.factor) == pytest.approx((0.75, 0.5, 0.5))


def test_ridge_regression_inside_the_interval() -> None:
    """Fixed inputs, new noise in every training set: bias² = ‖(S-I)f‖²/n, variance = σ² tr(S Sᵀ)/n."""
    rng = np.random.default_rng(0)
    n, sigma, sets = 60, 0.5, 40
    x = rng.normal(size=(n, 12))
    f = np.sin(x[:, 0]) + 0.5 * x[:, 1]
    smoother = x @ np.linalg.solve(x.T @ x + 5 * np.eye(12), x.T)
    bias2, variance = (((smoother - np.eye(n)) @ f) ** 2).mean(), sigma**2 * np.trace(smoother @ smoother.T) / n
    hits = []
    for _ in range(40):
        p = (f + sigma * rng.normal(size=(sets, 1, n))) @ smoother.T
        d = decompose(p, f)
        hits.append(
            (
                abs(d.bias2_corrected - bias2) < 1.96 * d.se["bias2_corrected"],
                abs(d.variance_corrected - variance) < 1.96 * d.se["variance_corrected"],
            )
        )
    assert (np.mean(hits, axis=0) >= 0.85).all()


def test_noise_that_cannot_be_is_named_and_a_small_one_is_not_written_as_none() -> None:
    p, y = np.random.default_rng(0).normal(size=(6, 1, 50)), np.zeros(50)
    assert "the loss is below the noise, 50, which no model can avoid" in str(decompose(p, y, noise=50.0))
    assert "which no model can avoid" not in str(decompose(p, y, noise=0.1))
    rows = str(decompose(1000 * p, y, noise=0.1)).split("\n")
    assert [row.split()[-1] for row in rows if row.startswith("noise, known")] == ["0.1"]


def test_the_noise_is_taken_from_the_bias() -> None:
    rng = np.random.default_rng(1)
    p, f = 0.1 * rng.normal(size=(50, 1, 4000)), np.zeros(4000)
    d = decompose(p, f + 0.5 * rng.normal(size=4000), noise=0.25)
    assert d.bias2 > 0.2
    assert abs(d.bias2_corrected) < 0.02
    assert d.bias2_corrected + d.variance_corrected == pytest.approx(d.loss - 0.25)


def test_what_the_variance_adds_has_an_error_of_its_own() -> None:
    # Main predictions that are wrong with a large variance: it takes away nearly what it adds.
    rng = np.random.default_rng(0)
    y = np.zeros(60, int)
    d = decompose((rng.random((30, 1, 60)) < np.linspace(0.2, 0.8, 60)).astype(int), y, "zero_one")
    assert d.net_variance == pytest.approx(d.unbiased_variance - d.factor * d.biased_variance)
    # Over new training sets: the spread of loss - B.
    others = [
        decompose((rng.random((30, 1, 60)) < np.linspace(0.2, 0.8, 60)).astype(int), y, "zero_one").net_variance
        for _ in range(60)
    ]
    assert d.se["net_variance"] == pytest.approx(np.std(others), rel=0.6)
    squared = decompose(rng.normal(size=(8, 2, 5)), np.zeros(5))
    assert squared.se["net_variance"] == pytest.approx(squared.se["variance"])


def test_the_variance_of_the_seed_is_not_that_of_the_data() -> None:
    rng = np.random.default_rng(2)
    p = rng.normal(size=(400, 1, 50)) + 2 * rng.normal(size=(400, 3, 50))
    d = decompose(p, np.zeros(50))
    assert d.data_variance_corrected == pytest.approx(1, abs=4 * d.se["data_variance_corrected"])
    assert d.seed_variance_corrected == pytest.approx(4, abs=4 * d.se["seed_variance_corrected"])
    assert d.data_variance > 2  # as measured, a third of the seeds' variance is in it


def test_the_standard_error_is_that_of_other_training_sets() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=30)
    ds = [decompose(y + 0.3 + rng.normal(size=(25, 1, 30)), y) for _ in range(60)]
    for term in ("loss", "bias2_corrected", "variance"):
        measured = np.std([getattr(d, term) for d in ds], ddof=1)
        assert np.mean([d.se[term] for d in ds]) == pytest.approx(measured, rel=0.35)


def test_targets_of_two_classes_may_be_bool() -> None:
    p = np.random.default_rng(6).dirichlet([1, 1], size=(4, 1, 7))
    y = np.arange(7) % 2
    assert decompose(p, y == 1, "log") == decompose(p, y, "log")


def test_a_population_is_folded() -> None:
    rng = np.random.default_rng(4)
    p, y = rng.normal(size=(6, 2, 5)), rng.normal(size=5)
    assert decompose(p.reshape(12, 5), y, seeds=np.int64(2)) == decompose(p, y)


@pytest.mark.parametrize(
    ("predictions", "targets", "loss", "error", "lesson"),
    [
        (np.zeros((1, 3, 4)), np.zeros(4), "squared", DataError, "one training set"),
        (np.zeros((3, 4)), np.zeros(4), "squared", ShapeError, r"expected: \(R, S, n"),
        (np.zeros((3, 1, 4, 1)), np.zeros(4), "squared", ShapeError, r"targets \(4, 1\)"),
        (np.full((3, 1, 2), np.nan), np.zeros(2), "squared", DataError, "first at"),
        (np.zeros((3, 1, 2)), np.array([0, np.inf]), "squared", DataError, "targets have 1 value"),
        (np.zeros((3, 1, 2)), [0, 1], "zero_one", DataError, "argmax"),
        (np.zeros((3, 1, 2), int), [0, 1, 1], "zero_one", ShapeError, r"\(3,\)"),
        (np.zeros((3, 1, 2)), [0, 1], "log", ShapeError, "np.stack"),
        (np.ones((3, 1, 2, 2)), [0, 1], "log", DataError, "softmax"),
        (np.full((3, 1, 2, 2), 0.5), [0, 2], "log", DataError, "0 to 1"),
        (np.zeros((3, 1, 2)), np.zeros(2), "hinge", ArgumentError, "zero_one"),
    ],
)
def test_refusals_are_lessons(predictions: Any, targets: Any, loss: Any, error: Any, lesson: str) -> None:
    with pytest.raises(error, match=lesson):
        decompose(predictions, targets, loss)


def test_what_else_is_refused() -> None:
    p, y = np.zeros((4, 3)), np.zeros(3)
    with pytest.raises(ShapeError, match="multiple of 3"):
        decompose(p, y, seeds=3)
    with pytest.raises(ArgumentError, match="noise is -1"):
        decompose(p, y, seeds=1, noise=-1)
    with pytest.raises(ArgumentError, match="factor of the other terms"):
        decompose(p.astype(int), y.astype(int), "zero_one", seeds=1, noise=0.1)


def test_print_and_json() -> None:
    rng = np.random.default_rng(5)
    p = rng.dirichlet([1, 1], size=(5, 2, 9))
    for d in (
        decompose(rng.normal(size=(5, 2, 9)), np.zeros(9), noise=0.1),
        decompose(p.argmax(-1), rng.integers(2, size=9), "zero_one"),
        decompose(p, rng.integers(2, size=9), "log", noise=0.1),
    ):
        text = str(d)
        assert max(map(len, text.split("\n"))) <= 80
        assert "5 training sets × 2 seeds" in text
        assert Decomposition.from_json(d.to_json()) == d
    with pytest.raises(FileError, match="seeds is"):
        Decomposition.from_json(d.to_json().replace('"seeds": 2', '"seeds": "2"'))
    with pytest.raises(FileError, match="kind is"):
        Decomposition.from_json(d.to_json().replace('"log"', '"loge"'))
