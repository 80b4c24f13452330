"""Few members of few set-ups: the whole table is ``python -m benchmarks.calibration``."""

import pytest
from benchmarks.calibration import OVER, cases, counted, evidences, healthy, leaking, told_overfitting

import weft as wf

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")
MEMBERS = 12


@pytest.fixture(scope="module")
def fine():
    """A regularised linear model of enough data."""
    setup = healthy()[0]
    return setup, evidences(setup, MEMBERS)


def test_a_healthy_model_raises_no_alarm(fine):
    setup, found = fine
    assert counted(("good fit", "still improving"), setup.words, found).share == 1


def test_what_leaked_is_found_and_what_did_not_is_not(fine):
    assert counted(("leakage",), "", leaking(*fine, 3, shared=False)).share == 1
    assert counted(("leakage",), "", leaking(*fine, 0, shared=True)).share == 1
    assert counted(("leakage",), "", leaking(*fine, 0, shared=False), alarm=True).share == 0


def case(words):
    return next(c for c in cases() if words in c.setup.words)


@pytest.mark.parametrize("words", ["the same, 30 epochs", "none of validation's"])
def test_what_is_wrong_is_found(words):
    found = case(words)
    assert counted(found.right, words, evidences(found.setup, MEMBERS)).share >= 0.9


def test_every_verdict_has_a_set_up():
    named = {name for c in cases() for name in c.right}
    assert named == {name for name, _ in wf.overfit.verdicts.TABLE} - {"good fit", "leakage"}


def test_simulated_curves():
    noise = {"wobble": 0.04, "memory": 0.5, "single": 0.1, "n": 400, "epochs": 60}
    assert told_overfitting(100, rise=0.0, **noise) <= 0.08
    assert told_overfitting(50, rise=0.5, **noise) >= 0.95
    assert OVER == ("overfitting", "over-confident")
