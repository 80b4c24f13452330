"""Pictures of many models: what is promised is drawn, nothing is cut off, and grey paper tells it apart."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from weft.errors import ArgumentError, DataError
from weft.overfit import compare, decompose, estimate, fit_power_law
from weft.studies.validation_curve import ValidationCurve
from weft.train.metrics import CalibrationError
from weft.view import (
    Reliability,
    plot_capacity,
    plot_fan,
    plot_folds,
    plot_learning_curve,
    plot_reliability,
    plot_setting,
    plot_terms,
    reliability,
)

RNG = np.random.default_rng(0)
SIZES = np.array([50, 100, 200, 400, 800])
CURVE = (2 * SIZES**-0.5 + 0.06)[:, None] * (1 + 0.05 * RNG.normal(size=(5, 5)))
LAW = fit_power_law(SIZES, CURVE)
T = np.arange(1, 41)
TRAIN = 0.1 + np.exp(-T / RNG.uniform(5, 15, (20, 1))) + 0.01 * RNG.normal(size=(20, 40))
VAL = TRAIN + 0.2 + 0.005 * RNG.random((20, 1)) * T
VERDICTS = ["good fit"] * 12 + ["overfitting"] * 7 + ["a $new$ verdict"]
STUDIES = [decompose(RNG.normal(0, 0.1 * i, (9, 2, 30)) + 1 / i, np.zeros(30), noise=0.05) for i in range(1, 6)]
SURE = reliability(1 / (1 + np.exp(-3 * RNG.normal(size=900))), RNG.integers(2, size=900))
FOLDS = {
    "wide": estimate(RNG.normal(0.9, 0.01, 5), name="F1"),
    "a $deep$ one": estimate([0.9, 0.92, 0.9, 0.8, 0.9], name="F1"),
}


def inside(figure: Any) -> Any:
    """Draws the figure; no text is cut off at its edge, and it is as large as a column of text."""
    FigureCanvasAgg(figure).draw()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -0.02
    assert box.x1 <= width + 0.02
    assert box.y1 <= height + 0.02
    assert 6 <= width <= 8
    for axes in figure.axes:
        assert axes.get_ylabel() or [t.get_text() for t in axes.get_yticklabels()]
    assert figure.axes[-1].get_xlabel()
    return figure


def labels(figure: Any) -> list[str]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def caption_of(figure: Any) -> str:
    return " ".join(figure.axes[0].texts[-1].get_text().split())


def test_learning_curve() -> None:
    figure = inside(plot_learning_curve(LAW, CURVE / 2))
    assert labels(figure)[:2] == ["validation error ± SE", "training error"]
    assert "forecast, 90 % interval" in labels(figure)
    assert any(label.startswith("floor c = 0.0") for label in labels(figure))
    assert "twice the data (1600 examples) would bring" in caption_of(figure)
    band = figure.axes[0].collections
    assert any(np.isclose(c.get_paths()[0].vertices[:, 0].max(), 3200) for c in band if len(c.get_paths()))


def test_a_refused_forecast_is_not_drawn() -> None:
    for errors in ([0.3, 0.31, 0.29, 0.305], [0.3, 0.2, 0.15]):
        figure = inside(plot_learning_curve(fit_power_law(SIZES[: len(errors)], errors)))
        assert not any("forecast" in label for label in labels(figure))
        assert "to forecast" in caption_of(figure)
    with pytest.raises(DataError, match=r"\(5, repeats\)"):
        plot_learning_curve(LAW, [1.0, 2.0])


def test_capacity() -> None:
    figure = inside(plot_capacity([1, 2, 4, 8, 64], STUDIES, [0.5, 0.3, 0.2, 0.1, 0.05], label="units"))
    assert set(labels(figure)) == {"noise, known", "bias²", "variance", "total loss ± SE", "training loss", "lowest"}
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "units"
    hatches = [c.get_hatch() for c in axes.collections if c.get_hatch()]
    assert len(set(hatches)) == 3
    tops = [c.get_paths()[0].vertices[:, 1].max() for c in axes.collections if c.get_hatch()]
    assert tops[-1] == pytest.approx(max(d.loss for d in STUDIES))
    assert "9 training sets × 2 seeds" in caption_of(figure)


def test_capacity_by_name_and_by_decisions() -> None:
    y = RNG.integers(3, size=50)
    studies = [decompose(np.where(RNG.random((8, 1, 50)) < p, y, 0), y, "zero_one") for p in (0.4, 0.6, 0.8)]
    figure = inside(
        plot_capacity(["linear", "a $small$ network", "a network with many layers"], studies, label="model")
    )
    assert "bias B (with noise)" in labels(figure)
    assert figure.axes[0].get_ylabel() == "share of wrong decisions"


@pytest.mark.parametrize(
    ("capacities", "lesson"), [([1, 2], "2 capacities and 5"), ([1, 2, 2, 3, 4], "increasing"), ([], "0 capacities")]
)
def test_capacity_refuses(capacities: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        plot_capacity(capacities, STUDIES)


def test_capacity_refuses_other_losses_and_lengths() -> None:
    other = decompose(np.zeros((2, 1, 3), int), np.zeros(3, int), "zero_one")
    with pytest.raises(DataError, match="squared and zero_one"):
        plot_capacity([1, 2], [STUDIES[0], other])
    with pytest.raises(DataError, match="one loss per capacity"):
        plot_capacity([1], STUDIES[:1], [1.0, 2.0])


def test_fan() -> None:
    figure = inside(plot_fan(TRAIN, VAL, VERDICTS))
    best = int(VAL.min(axis=1).argmin())
    assert labels(figure)[:3] == [
        "training: median, 5-95 %",
        "validation: median, 5-95 %",
        f"best, model {best}: validation",
    ]
    assert "good fit (12)" in labels(figure)
    assert f"model {best} (counted from 0" in caption_of(figure)
    train, val, own = figure.axes[0].get_lines()[:3]
    assert np.asarray(train.get_ydata()) == pytest.approx(np.median(TRAIN, axis=0))
    assert np.asarray(val.get_ydata()) == pytest.approx(np.median(VAL, axis=0))
    assert np.asarray(own.get_ydata()) == pytest.approx(VAL[best])
    assert len({line.get_linestyle() for line in (train, val, own)}) == 3
    assert max(figure.axes[0].get_xticks()) <= 40


def test_a_fan_with_members_that_diverged() -> None:
    train, val = TRAIN.copy(), VAL.copy()
    val[3, 20:], train[3, 20:], val[:, 7] = np.nan, np.inf, np.nan
    figure = inside(plot_fan(train, val))
    assert "not finite: 20 of 20 models" in caption_of(figure)
    assert len(figure.axes[0].get_lines()[1].get_xdata()) == 39
    inside(plot_fan(TRAIN[:1, :1], VAL[:1, :1], ["cannot tell"]))
    unmeasured = inside(plot_fan(np.full_like(VAL, np.nan), VAL))
    assert labels(unmeasured)[0] == "validation: median, 5-95 %"


@pytest.mark.parametrize(
    ("train", "val", "verdicts", "lesson"),
    [
        (TRAIN, VAL[:, 1:], None, "same models"),
        (TRAIN, VAL, ["good fit"], "1 verdicts for 20"),
        (TRAIN, np.full_like(VAL, np.nan), None, "no validation loss is finite"),
        (TRAIN[0], VAL[0], None, r"\(K, T\)"),
    ],
)
def test_fan_refuses(train: Any, val: Any, verdicts: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        plot_fan(train, val, verdicts)


def test_reliability_is_the_metrics() -> None:
    p, y = RNG.dirichlet([1, 1, 1], size=300), RNG.integers(3, size=300)
    found = reliability(p, y)
    assert found.ece == pytest.approx(CalibrationError()(p, y))
    assert found.examples == 300
    assert found.mean_accuracy == pytest.approx((p.argmax(1) == y).mean())
    assert found.mean_confidence == pytest.approx(p.max(1).mean())
    one = RNG.random(200)
    assert reliability(one, y[:200] % 2).ece == pytest.approx(CalibrationError()(one, y[:200] % 2))
    assert Reliability.from_json(found.to_json()) == found
    assert max(map(len, str(found).split("\n"))) <= 80


def test_reliability_picture() -> None:
    figure = inside(plot_reliability(SURE))
    top, low = figure.axes
    assert labels(figure) == ["as sure as right", "gap", "measured ± SE, area: examples"]
    assert top.get_title("left") == f"Reliability: calibration error {SURE.ece:.3f}"
    assert [text.get_text() for text in low.texts] == [str(n) for n in SURE.counts]
    assert "over-confident by" in caption_of(figure)
    inside(plot_reliability(reliability([1.0, 1.0], [1, 1], bins=np.int64(5))))
    many = inside(plot_reliability(reliability(RNG.dirichlet([0.1] * 3, 120_000), RNG.integers(3, size=120_000))))
    numbers = [text.get_window_extent() for text in many.axes[1].texts]
    for left, right in pairwise(numbers):
        assert left.x1 < right.x0 or left.y1 < right.y0


@pytest.mark.parametrize(
    ("p", "y", "bins", "error", "lesson"),
    [
        ([0.5, 2.0], [0, 1], 15, DataError, "softmax"),
        ([0.5, np.nan], [0, 1], 15, DataError, "such as nan"),
        ([[0.5, 0.1]], [0], 15, DataError, "is not 1"),
        ([0.5, 0.5], [0, 2], 15, DataError, "0 to 1"),
        ([0.5], [0, 1], 15, DataError, "targets"),
        ([0.5, 0.5], [0.0, 1.0], 15, DataError, "targets of type float64"),
        ([0.5, 0.5], [0, 7], 15, DataError, "targets from 0 to 7"),
        ([0.5, 0.5], [0, 1], 0, ArgumentError, "bins is 0"),
    ],
)
def test_reliability_refuses(p: Any, y: Any, bins: int, error: Any, lesson: str) -> None:
    with pytest.raises(error, match=lesson):
        reliability(p, y, bins)


def test_folds() -> None:
    found = compare(FOLDS["wide"].values, FOLDS["a $deep$ one"].values, metric="F1", lower_is_better=False)
    figure = inside(plot_folds(FOLDS, found))
    axes = figure.axes[0]
    assert labels(figure) == ["one fold", "mean ± SE"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["wide", r"a \$deep\$ one"]
    assert caption_of(figure).startswith(found.verdict[:20])
    points = [line for line in axes.get_lines() if line.get_marker() in ("o", "s") and len(line.get_xdata()) == 5]
    assert [np.asarray(p.get_xdata()).tolist() for p in points] == [list(e.values) for e in FOLDS.values()]
    assert len({p.get_marker() for p in points}) == 2
    assert sum(line.get_linestyle() == "-" and len(line.get_xdata()) == 2 for line in axes.get_lines()) == 5


def test_folds_of_one_and_left_out() -> None:
    figure = inside(plot_folds(estimate([[0.9, np.nan], [0.8, 0.7]], name="AUC", skip_undefined=True)))
    assert "repeat 1, fold 2" in caption_of(figure)
    inside(plot_folds(estimate(RNG.normal(size=(10, 5)))))
    with pytest.raises(DataError, match="no set-up"):
        plot_folds({})
    with pytest.raises(DataError, match="AUC and F1"):
        plot_folds({"a": FOLDS["wide"], "b": estimate([1.0, 2.0], name="AUC")})


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_learning_curve(LAW),
        lambda: plot_capacity([1, 2, 3, 4, 5], STUDIES),
        lambda: plot_fan(TRAIN, VAL, VERDICTS),
        lambda: plot_reliability(SURE),
        lambda: plot_folds(FOLDS),
    ],
)
def test_a_figure_is_freed_and_leaves_no_settings(draw: Any) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figure = draw()
    FigureCanvasAgg(figure).draw()
    gone = weakref.ref(figure)
    del figure
    gc.collect()
    assert gone() is None
    assert dict(mpl.rcParams) == before


# ── a setting, and what a loss consists of ──────────────────────────────────────────────────────────────────


def test_numbers_of_any_kind_lie_on_a_logarithmic_axis() -> None:
    scores = np.array([0.3, 0.1, 0.2])
    axes = inside(plot_setting(np.array([4, 16, 64]), scores / 2, scores, label="width", metric="loss")).axes[0]
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "16", "64"]
    assert "lowest: 16" in labels(axes.figure)
    diverged = np.array([0.3, np.nan, 0.2])
    axes = inside(plot_setting([4, 16, 64], diverged, diverged, label="width", metric="loss")).axes[0]
    assert "lowest: 64" in labels(axes.figure)
    with pytest.raises(DataError, match="every value of rate diverged"):
        plot_setting([1, 2], scores[:2], [[np.nan], [np.inf]], label="rate", metric="loss")


def test_a_validation_curve_of_accuracy_is_one_of_errors() -> None:
    errors = np.array([[0.3, 0.32], [0.1, 0.12], [0.2, 0.22]])
    curve = ValidationCurve("width", (4, 16, 64), errors / 2, errors, "accuracy", ())
    figure = inside(curve.plot())
    assert figure.axes[0].get_ylabel() == "1 − accuracy, mean ± standard error"
    assert "1 − accuracy" in caption_of(figure)
    assert "(1 − accuracy, mean" in str(curve)
    assert curve.best == 16
    lost = ValidationCurve("rate", (1e30, 1e35), errors[:2], np.full((2, 2), np.nan), "loss", ())
    assert "lowest" not in str(lost)
    for look_at in (lambda: lost.best, lost.plot):
        with pytest.raises(DataError, match="every value of rate diverged"):
            look_at()


def test_the_error_of_a_term_is_its_own() -> None:
    y = np.zeros(50, int)
    found = decompose((RNG.random((20, 1, 50)) < np.linspace(0.1, 0.9, 50)).astype(int), y, "zero_one")
    figure = plot_terms(found)
    FigureCanvasAgg(figure).draw()
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[1] == f"variance {found.net_variance:.3g} ± {found.se['net_variance']:.2g}"
    assert "1 seed, 50 test rows" in caption_of(figure)
