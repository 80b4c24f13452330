import math
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from weft.errors import DataError
from weft.view import plot_curves


@dataclass(frozen=True)
class Verdict:
    verdict: str = "overfitting"
    best_epoch: int = 3
    confidence: str = "high"
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
    axes = plot_curves(HISTORY, Verdict()).axes[0]
    assert axes.get_title("left") == "Overfitting  (confidence: high)"
    assert "risen 60 %" in axes.texts[0].get_text()
    assert labels(axes)[2:] == ["rise since the best epoch", "gap at epoch 3: 0.1", "best epoch: 3"]
    assert len(axes.collections) == 1


def test_no_rise_is_shaded_without_overfitting() -> None:
    axes = plot_curves(HISTORY, Verdict(verdict="good fit", best_epoch=6)).axes[0]
    assert not axes.collections
    assert labels(axes)[2:] == ["gap at epoch 6: 0.7", "best epoch: 6"]


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
