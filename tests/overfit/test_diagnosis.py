import dataclasses
import json
import math
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import ArgumentError, DataError
from weft.overfit import Diagnosis, Evidence, diagnose, generalization_loss
from weft.overfit.measures import Measures
from weft.overfit.remedies import REMEDIES, remedies
from weft.overfit.verdicts import TABLE

from .golden import FALLING, FLAT, GOLDEN, RISING_AFTER_14, T, correct, examples, make, simulate

OVER = ("overfitting", "over-confident")


@pytest.mark.parametrize("verdict", GOLDEN)
def test_one_golden_run_per_verdict(verdict: str) -> None:
    found = diagnose(GOLDEN[verdict])
    assert found.verdict == verdict
    assert found.explanation.startswith(f"{verdict}: ")


def test_the_table_has_a_golden_run_and_remedies_for_every_verdict() -> None:
    names = list(dict.fromkeys(name for name, _ in TABLE))
    assert names == list(GOLDEN) == list(REMEDIES)


def test_overfitting_says_everything() -> None:
    found = diagnose(GOLDEN["overfitting"])
    # The lowest of 0.4 + exp(-t/4) + 0.01 (t - 12) is where exp(-t/4) / 4 = 0.01: t = 4 ln 25 = 12.9, so epoch 13.
    assert found.best_epoch == 13
    assert found.confidence == "high"
    low, end = RISING_AFTER_14[12], RISING_AFTER_14[-1]
    assert found.numbers["generalization_loss_percent"] == pytest.approx(100 * (end / low - 1))
    assert f"risen {100 * (end / low - 1):.0f} % ({low:.3f} → {end:.3f}) since epoch 13" in found.explanation
    assert "training loss fell from 0.273 to 0.0183" in found.explanation
    assert "standard errors" in found.explanation
    assert "accuracy fell from 80 % to 67 %" in found.explanation
    # GL passes 5 % at the first epoch above 1.05 E_opt.
    assert found.epoch == 1 + int(np.argmax((1.05 * low <= RISING_AFTER_14) & (T > 13)))


def test_remedies_are_ordered_and_concrete() -> None:
    text = diagnose(GOLDEN["overfitting"]).remedies
    order = ("labels", "more data", "early stopping", "AdamW", "nn.Dropout(0.2)", "smaller model", "ensemble")
    assert [next(i for i, r in enumerate(text) if word in r) for word in order] == list(range(7))
    assert "epoch 13" in text[2]


def test_a_better_accuracy_is_over_confidence_not_overfitting() -> None:
    run = make(FALLING, RISING_AFTER_14, val_correct_best=correct(200), val_correct_last=correct(240))
    assert diagnose(run).verdict == "over-confident"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"initial_train_loss": 0.009}, "overfitting"),  # rose by less than 5 % of E_0: not diverged
        ({"val_examples_last": examples(0.6, 300, 0.3)[::-1]}, "overfitting"),
        ({"val_examples_last": RISING_AFTER_14[12] + examples(0.24, 300, 12.0)}, "good fit"),  # z = 1.5
        ({"val_examples_best": None}, "overfitting"),
    ],
)
def test_each_condition_of_overfitting(change: dict[str, Any], verdict: str) -> None:
    assert diagnose(make(FALLING, RISING_AFTER_14, **change)).verdict == verdict


def test_overfitting_needs_a_falling_training_loss() -> None:
    assert diagnose(make(np.full(40, 0.3), RISING_AFTER_14)).verdict not in OVER


def test_overfitting_needs_five_epochs_after_the_best() -> None:
    assert diagnose(make(FALLING[:17], RISING_AFTER_14[:17])).verdict not in OVER


def test_without_single_examples_confidence_is_low() -> None:
    bare = {"train_examples_best": None, "val_examples_best": None, "val_examples_last": None}
    rise = diagnose(make(FALLING, RISING_AFTER_14, **bare))
    assert (rise.verdict, rise.confidence) == ("overfitting", "low")
    assert "rise_in_standard_errors" not in rise.numbers
    fit = diagnose(make(FLAT, FLAT + 0.01, **bare))
    assert (fit.verdict, fit.confidence) == ("cannot tell", "low")
    assert "missing" in fit.explanation


def test_divergence_by_the_training_loss() -> None:
    rising = np.linspace(1.0, 2.5, 40)
    assert diagnose(make(rising, rising)).verdict == "diverged"
    assert diagnose(make(rising, rising, initial_train_loss=None)).verdict == "diverged"
    assert diagnose(make(rising, rising, initial_train_loss=1.4)).verdict == "not learning"


def test_a_negative_loss_does_not_diverge_by_being_negative() -> None:
    run = make(-FLAT[::-1] + 0.2, -FLAT[::-1] + 0.25, initial_train_loss=-0.5, baseline=-0.1)
    assert diagnose(run).verdict != "diverged"


def test_no_finite_epoch_has_no_best() -> None:
    found = diagnose(make([math.nan] * 6, [math.nan] * 6))
    assert (found.verdict, found.best_epoch, found.epoch) == ("diverged", 0, 1)
    assert "best epoch: none" in str(found)


def test_nan_in_the_examples_is_divergence() -> None:
    bad = np.full(300, 0.5)
    bad[3] = np.inf
    assert diagnose(make(FALLING, RISING_AFTER_14, val_examples_last=bad)).verdict == "diverged"


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_few_epochs_cannot_tell(epochs: int) -> None:
    assert diagnose(make(FALLING[:epochs], FALLING[:epochs])).verdict == "cannot tell"


def test_a_noisy_validation_loss_cannot_tell() -> None:
    wide = examples(0.5, 300, spread=4.0)
    assert diagnose(make(FLAT, FLAT + 0.1, val_examples_best=wide)).verdict == "cannot tell"


def test_a_very_good_model_is_not_a_noisy_one() -> None:
    # Thirty flowers: SE is 37 % of the validation loss, and 2 % of what a constant predictor loses.
    tiny = 0.05 + np.exp(-T / 3)
    run = make(tiny - 0.001, tiny, n_val=30, val_examples_best=examples(0.05, 30, spread=2.0))
    assert diagnose(run).verdict == "good fit"


def test_wobble_at_zero_is_no_overfitting() -> None:
    val = np.r_[np.exp(-T[:30] / 3), np.exp(-10) * np.linspace(1, 3, 10)]
    assert diagnose(make(np.exp(-T / 2), val)).verdict not in OVER


def test_learning_what_does_not_carry_over() -> None:
    run = make(1 - 0.004 * T, np.full(40, 1.02))
    found = diagnose(run)
    assert found.verdict == "cannot tell"
    assert "never fell below" in found.explanation


def test_second_descent_is_named_and_stopping_not_called_optimal() -> None:
    val = np.r_[np.linspace(0.9, 0.5, 10), np.linspace(0.55, 0.8, 10), np.linspace(0.78, 0.3, 20)]
    val = np.r_[val, np.linspace(0.31, 0.6, 20)]
    found = diagnose(make(np.exp(-np.arange(60) / 20), val))
    assert found.verdict == "overfitting"
    assert found.second_descent
    assert "second descent" in found.explanation
    assert not any("early stopping" in text for text in found.remedies)
    assert any("train longer" in text for text in found.remedies)


def test_a_new_minimum_at_the_end_is_named_as_well() -> None:
    val = np.r_[np.linspace(0.9, 0.5, 10), np.linspace(0.55, 0.8, 10), np.linspace(0.78, 0.3, 20)]
    found = diagnose(make(np.exp(-np.arange(40) / 20), val))
    assert found.second_descent
    assert found.best_epoch == 40
    assert not any("early stopping" in text for text in found.remedies)


@pytest.mark.parametrize("verdict", ["still improving", "good fit", "large gap", "underfitting"])
def test_without_a_hump_there_is_no_second_descent(verdict: str) -> None:
    assert not diagnose(GOLDEN[verdict]).second_descent


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "underfitting"),
        ({"probe_val_gain": 0.2}, "underfitting"),
        ({"probe_val_gain": 0.02}, "good fit"),  # the wider model only memorises more
        ({"probe_val_gain": -0.1}, "good fit"),
        ({"probe_gain": math.nan, "probe_val_gain": math.nan}, "good fit"),  # it diverged
        ({"probe_gain": math.inf}, "good fit"),
        ({"probe_gain": 0.04, "probe_val_gain": 0.2}, "good fit"),
        ({"train_examples_best": examples(0.2, 300, 0.1)}, "good fit"),  # a gap of 13 %, significant
        ({"train_examples_best": examples(0.2, 300, 12.0)}, "underfitting"),  # the same gap within its noise
    ],
)
def test_each_condition_of_underfitting(change: dict[str, Any], verdict: str) -> None:
    fields = {"probe_gain": 0.2, "val_examples_best": examples(0.31, 300, 0.1)} | change
    assert diagnose(make(FLAT, FLAT + 0.01, **fields)).verdict == verdict


def test_noisy_steps_do_not_hide_that_training_has_settled() -> None:
    noisy = FLAT * (1 + 0.05 * np.random.default_rng(0).normal(size=40))
    run = make(noisy, FLAT + 0.01 + 0.001 * (T > 35), probe_gain=0.2)
    assert Measures(run).progress > 10
    assert diagnose(run).verdict == "underfitting"


def test_a_diagnosis_loads_no_library_of_statistics() -> None:
    code = (
        "import sys; from tests.overfit.golden import GOLDEN; from weft.overfit import diagnose;"
        " found = [diagnose(run) for run in GOLDEN.values()]; assert 'scipy.stats' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("verdict", GOLDEN)
def test_text_and_json(verdict: str) -> None:
    found = diagnose(GOLDEN[verdict])
    text = str(found)
    assert text.startswith(f"Verdict: {verdict} (confidence: {found.confidence}")
    assert max(map(len, text.splitlines())) <= 100
    assert all(f"  {i}. " in text for i in range(1, len(found.remedies) + 1))
    json.loads(found.to_json(), parse_constant=pytest.fail)
    back = Diagnosis.from_json(found.to_json())
    assert str(back) == str(found)
    assert back.numbers.keys() == found.numbers.keys()


positive = st.floats(0.05, 5)
curves = st.integers(5, 30).flatmap(lambda n: st.tuples(*(st.lists(positive, min_size=n, max_size=n),) * 2))


@given(curves)
def test_a_falling_validation_loss_is_never_overfitting(pair: tuple[list[float], list[float]]) -> None:
    train, val = pair
    assert diagnose(make(train, sorted(val, reverse=True))).verdict not in OVER


@given(curves, st.integers(0, 1000))
def test_a_rise_within_the_noise_is_never_overfitting(pair: tuple[list[float], list[float]], seed: int) -> None:
    train, val = pair
    noise = np.random.default_rng(seed).normal(size=(2, 300))
    run = make(train, val, val_examples_best=noise[0], val_examples_last=noise[1])
    found = diagnose(run)
    assert found.numbers.get("rise_in_standard_errors", 9) > 3 or found.verdict not in OVER


@given(st.lists(positive, min_size=1, max_size=30), st.floats(1e-6, 1e6))
def test_generalization_loss_does_not_depend_on_the_unit(val: list[float], scale: float) -> None:
    np.testing.assert_allclose(generalization_loss(scale * np.array(val)), generalization_loss(val), atol=1e-9)


@given(curves, st.data())
def test_nan_anywhere_is_divergence(pair: tuple[list[float], list[float]], data: st.DataObject) -> None:
    bad = data.draw(st.sampled_from((math.nan, math.inf, -math.inf)))
    curve = data.draw(st.sampled_from(pair))
    curve[data.draw(st.integers(0, len(curve) - 1))] = bad
    found = diagnose(make(*pair, val_examples_best=None, val_examples_last=None, train_examples_best=None))
    assert found.verdict == "diverged"
    assert found.best_epoch == 0 or math.isfinite(pair[1][found.best_epoch - 1])


@given(curves, st.sampled_from((0.001, 0.5, 1024.0)))
def test_the_verdict_does_not_depend_on_the_unit_of_the_loss(
    pair: tuple[list[float], list[float]], scale: float
) -> None:
    train, val = map(np.array, pair)
    plain = diagnose(make(train, val))
    scaled = diagnose(make(scale * train, scale * val, baseline=scale, initial_train_loss=1.1 * scale))
    assert (plain.verdict, plain.best_epoch) == (scaled.verdict, scaled.best_epoch)


@given(st.sampled_from(sorted(GOLDEN)))
@settings(max_examples=20)
def test_diagnosis_of_what_was_saved_is_the_same(verdict: str) -> None:
    saved = Evidence.from_json(GOLDEN[verdict].to_json())
    assert diagnose(saved) == diagnose(GOLDEN[verdict]) or verdict == "diverged"


@pytest.mark.parametrize(
    ("noise", "most"),
    [
        ({"wobble": 0.0}, 15),
        ({"wobble": 0.04, "single": 0.1}, 15),
        ({"epochs": 20}, 15),
        ({"wobble": 0.04, "single": 0.1, "memory": 0.5}, 15),
        ({"wobble": 0.04, "single": 0.4, "memory": 0.8}, 15),
    ],
)
def test_noise_alone_is_rarely_overfitting(noise: dict[str, Any], most: int) -> None:
    assert sum(diagnose(simulate(seed, rise=0.0, **noise)).verdict in OVER for seed in range(300)) <= most


@pytest.mark.parametrize("noise", [{"n": 400}, {"wobble": 0.04, "single": 0.1}, {"epochs": 20, "n": 400}])
def test_a_real_rise_is_found(noise: dict[str, Any]) -> None:
    assert sum(diagnose(simulate(seed, rise=0.6, **noise)).verdict in OVER for seed in range(300)) >= 285


def test_one_copy_by_chance_is_no_leak():
    clean = GOLDEN["good fit"]
    one, three = (dataclasses.replace(clean, duplicates_percent=100 * k / clean.n_val) for k in (1, 3))
    assert diagnose(one).verdict == "good fit"
    assert (diagnose(three).verdict, diagnose(three).confidence) == ("leakage", "high")
    assert "3 of 300 validation rows (1.0 %)" in diagnose(three).explanation


def test_copies_that_chance_makes_are_no_leak():
    found = dataclasses.replace(GOLDEN["good fit"], duplicates_percent=10.0, chance_duplicates=28.0)
    assert diagnose(found).verdict == "good fit"
    more = diagnose(dataclasses.replace(found, duplicates_percent=20.0))
    assert (more.verdict, more.confidence) == ("leakage", "moderate")
    assert "by chance it would be about 28" in more.explanation


@pytest.mark.parametrize("start", [math.nan, math.inf])
def test_a_loss_before_training_that_is_not_finite_is_as_good_as_none(start: float) -> None:
    rising = np.linspace(1.0, 2.5, 40)
    assert diagnose(make(rising, rising, initial_train_loss=start)).verdict == "diverged"
    assert diagnose(make(FLAT, FLAT + 0.01, initial_train_loss=start)).verdict == "good fit"


def test_stopping_says_what_was_kept() -> None:
    def told(**change: Any) -> str:
        found = diagnose(make(FALLING, RISING_AFTER_14, **change))
        return next(text for text in found.remedies if text.startswith("early stopping"))

    assert "the weights of epoch 13 are kept; trainer.fit(…, patience=10)" in told()
    assert told(kept="last") == 'early stopping: trainer.fit(…, keep="best") would have kept the weights of epoch 13'
    assert "what a callback chose is kept" in told(kept="other")
    short = remedies("overfitting", best_epoch=13, epochs=20, n_train=9, second_descent=False)
    assert any(text.endswith("the weights of epoch 13 are kept") for text in short)  # patience=10 would not end sooner


@pytest.mark.parametrize(
    ("run", "first"),
    [
        (make(FALLING[:4], FALLING[:4]), "more epochs: 4 now"),
        (make(FALLING, RISING_AFTER_14, n_val=29), "more validation data: 29 examples now"),
        (make(1 - 0.004 * T, np.full(40, 1.02)), "the data: do the targets belong"),
        (make(FLAT, FLAT, train_examples_best=None), "the losses of single examples"),
    ],
)
def test_what_to_do_when_nothing_can_be_told_depends_on_why(run: Evidence, first: str) -> None:
    found = diagnose(run)
    assert found.verdict == "cannot tell"
    assert found.remedies[0].startswith(first)


def test_a_rise_that_was_not_tested_is_not_denied() -> None:
    val = np.r_[FLAT[:37], FLAT[37:] + 0.1]
    found = diagnose(make(FLAT, val, val_examples_last=None))
    assert found.verdict == "good fit"
    assert "was not tested" in found.explanation


def test_what_cannot_be_diagnosed_is_told_from_what_has_no_validation_data() -> None:
    with pytest.raises(DataError, match="without validation data"):
        diagnose(SimpleNamespace(evidence=None))
    for wrong in ("runs/mine", {"val_loss": [1.0]}):
        with pytest.raises(ArgumentError, match=f"a diagnosis of a {type(wrong).__name__}"):
            diagnose(wrong)
