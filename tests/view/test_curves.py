import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from weft.errors import DataError
from weft.overfit import diagnose
from weft.view import plot_curves

from ..overfit.golden import GOLDEN, T, make


@dataclass(frozen=True)
class Verdict:
    verdict: str = "overfitting"
    best_epoch: int = 3
    confidence: str = "high"
    epoch: int = 6
    numbers: Mapping[str, float] = field(default_factory=dict)
    second_descent: bool = False
    explanation: str = "overfitting: validation loss has risen 60 % (0.50 → 0.80) since epoch 3"


HISTORY = {
    "loss": [1.0, 0.8, 0.6, 0.5, 0.4, 0.3],
    "train_loss": [0.9, 0.6, 0.4, 0.3, 0.2, 0.1],
    "val_loss": [1.0, 0.7, 0.5, 0.6, 0.7, 0.8],
    "accuracy": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    "val_accuracy": [0.5, 0.6, 0.7, 0.7, 0.7, 0.6],
}


def drawn(figure: Any) -> Any:
    FigureCanvasAgg(figure).draw()
    return figure


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_loss_and_metric_panels() -> None:
    figure = drawn(plot_curves(HISTORY, Verdict()))
    loss, metric = figure.axes
    assert (loss.get_ylabel(), metric.get_ylabel(), metric.get_xlabel()) == ("loss", "accuracy", "epoch")
    assert loss.lines[0].get_ydata().tolist() == HISTORY["train_loss"]
    assert loss.lines[1].get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert metric.lines[0].get_ydata().tolist() == HISTORY["accuracy"]


def test_the_verdict_is_drawn_in() -> None:
    axes = plot_curves(HISTORY, Verdict(numbers={"generalization_loss_percent": 60.0})).axes[0]
    assert axes.get_title("left") == "Overfitting  (confidence: high)"
    assert "risen 60 %" in axes.texts[0].get_text()
    assert labels(axes)[2:] == ["best epoch: 3", "rise since the best epoch: 60 %", "gap at epoch 3: 0.1"]
    assert len(axes.collections) == 1


def test_the_noise_of_the_validation_loss_is_a_band() -> None:
    axes = plot_curves(HISTORY, Verdict(numbers={"validation_standard_error": 0.02})).axes[0]
    assert "noise: best ± 2 SE" in labels(axes)
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 0].min(), band[:, 1].min(), band[:, 1].max()) == pytest.approx((3, 0.46, 0.54))
    # Nothing comes after the last epoch, and an error that is not known has no band.
    last = Verdict("good fit", 6, numbers={"validation_standard_error": 0.02})
    assert not plot_curves(HISTORY, last).axes[0].collections
    unknown = Verdict(numbers={"validation_standard_error": math.nan})
    assert len(plot_curves(HISTORY, unknown).axes[0].collections) == 1


def test_a_second_descent_is_marked() -> None:
    curve = np.r_[np.linspace(1, 0.5, 10), np.linspace(0.55, 0.9, 10), np.linspace(0.85, 0.3, 20)]
    evidence = make(np.exp(-T / 10), curve)
    axes = plot_curves(evidence, diagnose(evidence)).axes[0]
    assert "first minimum: 10" in labels(axes)
    assert "second descent: below it from 34" in labels(axes)


def test_the_picture_says_what_the_verdict_says() -> None:
    # The loss reaches 0.5 % of E_0: the rise is measured against E_0, and so is the hump.
    val = np.r_[np.linspace(1, 0.005, 12), np.linspace(0.02, 0.2, 28)]
    evidence = make(np.exp(-T), val)
    found = diagnose(evidence)
    assert "risen 20 % of what was learned" in found.explanation
    told = labels(plot_curves(evidence, found).axes[0])
    assert "rise since the best epoch:\n20 % of what was learned" in told
    # A bump of 2 % of what was learned, though ten times the minimum, is no second descent, in words or picture.
    val = np.r_[np.linspace(1, 0.002, 12), np.linspace(0.004, 0.02, 10), np.linspace(0.019, 0.001, 18)]
    evidence = make(np.exp(-T), val)
    assert "second_descent_epoch" not in diagnose(evidence).numbers
    assert not any("second descent" in text for text in labels(plot_curves(evidence, diagnose(evidence)).axes[0]))


@pytest.mark.parametrize("verdict", GOLDEN)
def test_every_verdict_can_be_told_in_grey(verdict: str) -> None:
    figure = plot_curves(GOLDEN[verdict], diagnose(GOLDEN[verdict]))
    axes = drawn(figure).axes[0]
    assert axes.get_title("left").lower().startswith(verdict)
    training, validation = axes.lines[:2]
    assert training.get_linestyle() != validation.get_linestyle()
    assert all(area.get_hatch() for area in axes.collections)
    # Nothing lies outside of the picture, and the legend not on the curves.
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -0.02
    assert box.x1 <= width + 0.02
    assert box.y1 <= height + 0.02
    assert axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1 - 1


def test_no_rise_is_shaded_without_overfitting() -> None:
    axes = plot_curves(HISTORY, Verdict(verdict="good fit", best_epoch=6)).axes[0]
    assert not axes.collections
    assert labels(axes)[2:] == ["best epoch: 6", "gap at epoch 6: 0.7"]


def test_evidence_has_no_metric() -> None:
    @dataclass
    class Evidence:
        train_loss = np.array([0.9, 0.5])
        val_loss = np.array([1.0, 0.7])

    figure = plot_curves(Evidence())
    assert len(figure.axes) == 1
    assert figure.axes[0].get_title("left") == "Loss per epoch"


def test_logarithmic_when_it_helps() -> None:
    assert plot_curves({"val_loss": [10.0, 1.0, 0.1]}).axes[0].get_yscale() == "log"
    assert plot_curves({"val_loss": [10.0, 1.0, 0.0]}).axes[0].get_yscale() == "linear"
    assert plot_curves(HISTORY).axes[0].get_yscale() == "linear"


def test_missing_values_are_gaps_and_infinities_crosses() -> None:
    missing: Any = {"train_loss": [0.9, 0.5, math.inf], "val_loss": [1.0, None, 0.7]}
    axes = drawn(plot_curves(missing, Verdict("diverged", 3))).axes[0]
    assert np.isnan(axes.lines[2].get_ydata()[1])
    assert axes.lines[1].get_xdata().tolist() == [3]
    assert "broke at epoch 6" in labels(axes)


def test_no_epoch_is_best() -> None:
    drawn(plot_curves({"train_loss": [math.nan], "val_loss": [math.nan]}, Verdict("diverged", 0)))


def test_no_loss_is_an_error() -> None:
    with pytest.raises(DataError, match="no loss among accuracy"):
        plot_curves({"accuracy": [0.5]})


def test_dollar_signs_are_no_formulas() -> None:
    drawn(plot_curves({"val_loss": [1.0], "val_$x_{": [0.1]}, Verdict(explanation="from $\\frac to $1", best_epoch=1)))


def test_the_callers_settings_stay() -> None:
    before = dict(mpl.rcParams)
    plot_curves(HISTORY)
    assert dict(mpl.rcParams) == before


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30), st.integers(0, 31))
def test_every_curve_can_be_drawn(values: list[float], best: int) -> None:
    drawn(plot_curves({"loss": values, "val_loss": values[::-1]}, Verdict(best_epoch=best)))
