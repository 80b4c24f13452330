"""Training and validation loss per epoch, with the verdict drawn in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.errors import DataError
from weft.overfit.criteria import reference
from weft.overfit.diagnosis import Diagnosis
from weft.overfit.evidence import Evidence
from weft.overfit.words import percent
from weft.view.caption import caption, wrapped
from weft.view.style import BLUE, GREY, INK, VERMILLION, light, look, new_figure, plain, spans_decades

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
History = Mapping[str, Sequence[float]]


def plot_curves(evidence_or_history: Evidence | History, diagnosis: Diagnosis | None = None) -> Figure:
    """The loss curves of one run and, below, those of its first metric, if it has one.

    From a history it takes ``train_loss`` (evaluation mode; the running ``loss`` if that is all there is),
    ``val_loss``, and the first other ``val_…`` with its training counterpart. A missing value, None or NaN, is a
    gap in the line. With a diagnosis: the best epoch, the gap there, the rise after it, the noise of the validation
    loss (± 2 standard errors, a band that a rise must leave), a second descent, and the epoch of a divergence.

    Raises DataError if there is no loss to draw.

    >>> history = {"train_loss": [0.9, 0.5, 0.3], "val_loss": [1.0, 0.7, 0.8], "val_accuracy": [0.5, 0.7, 0.7]}
    >>> figure = plot_curves(history)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['loss', 'accuracy']
    """
    history = _history(evidence_or_history)
    train, val = history.get("train_loss", history.get("loss")), history.get("val_loss")
    if train is None and val is None:
        raise DataError(f"no loss among {', '.join(history) or 'nothing'}", expected="train_loss, loss or val_loss")
    metric = _metric(history)
    below = [] if diagnosis is None else wrapped(plain(diagnosis.explanation.removeprefix(f"{diagnosis.verdict}: ")))
    with look():
        figure = new_figure(7.0 if diagnosis is None else 8.6, 3.9 + 0.17 * len(below) + (2.0 if metric else 0.0))
        rows = figure.subplots(2, 1, sharex=True, height_ratios=(5, 3), squeeze=False) if metric else None
        top = figure.subplots() if rows is None else rows[0, 0]
        _lines(top, train, val, "loss")
        if spans_decades(train, val):
            top.set_yscale("log")
        if diagnosis is not None:
            _verdict(top, train, val, diagnosis)
        if metric and rows is not None:
            name, train_metric, val_metric = metric
            _lines(rows[1, 0], train_metric, val_metric, name)
            if diagnosis is not None and diagnosis.best_epoch:
                rows[1, 0].axvline(diagnosis.best_epoch, color=GREY, linestyle=":")
        caption(top, _title(diagnosis), below)
        (rows[1, 0] if rows is not None else top).set_xlabel("epoch")
    return figure


def _title(diagnosis: Diagnosis | None) -> str:
    return (
        "Loss per epoch"
        if diagnosis is None
        else f"{diagnosis.verdict.capitalize()}  (confidence: {diagnosis.confidence})"
    )


def _history(source: Evidence | History) -> dict[str, Floats]:
    if not isinstance(source, Mapping):
        return {"train_loss": source.train_loss, "val_loss": source.val_loss}
    # None becomes NaN, which a line leaves out.
    return {name: np.array(values, dtype=np.float64) for name, values in source.items() if len(values)}


def _metric(history: dict[str, Floats]) -> tuple[str, Floats | None, Floats] | None:
    for key, values in history.items():
        if key.startswith("val_") and key != "val_loss":
            name = key.removeprefix("val_")
            return name, history.get(f"train_{name}", history.get(name)), values
    return None


def _lines(axes: Any, train: Floats | None, val: Floats | None, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    # Dashes as well as colour, so that a grey printer tells them apart.
    for values, name, colour, dashes in ((train, "training", BLUE, "--"), (val, "validation", VERMILLION, "-")):
        if values is not None:
            shown = np.where(np.isfinite(values), values, np.nan)
            few = "o" if len(values) < 12 else None
            axes.plot(_epochs(values), shown, dashes, color=colour, label=name, marker=few, markersize=4)
            _mark_broken(axes, values, colour)
    axes.set_ylabel(plain(label))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    longest = max((len(v) for v in (train, val) if v is not None), default=1)
    axes.set_xlim(0.5, 1.01 * longest + 0.5)
    axes.legend(loc="best")


def _mark_broken(axes: Any, values: Floats, colour: str) -> None:
    """A cross on the axis where an infinity stands; NaN may only mean that nothing was measured."""
    bad = _epochs(values)[np.isinf(values)]
    if len(bad):
        axes.plot(bad, np.full(len(bad), 0.02), "x", color=colour, transform=axes.get_xaxis_transform(), markersize=7)


def _verdict(axes: Any, train: Floats | None, val: Floats | None, diagnosis: Diagnosis) -> None:
    t = diagnosis.best_epoch
    if diagnosis.verdict == "diverged" and diagnosis.epoch:
        axes.axvline(
            diagnosis.epoch, color=INK, linestyle="-.", linewidth=1.4, label=f"broke at epoch {diagnosis.epoch}"
        )
    if val is not None and 1 <= t <= len(val):
        # Zorder: the bands lie below the lines, the annotation above both.
        axes.axvline(t, color=GREY, linestyle=":", zorder=1, label=f"best epoch: {t}")
        _noise(axes, val, t, diagnosis)
        if diagnosis.verdict in ("overfitting", "over-confident"):
            _rise(axes, val, t, diagnosis)
        if train is not None and len(train) >= t and np.isfinite([train[t - 1], val[t - 1]]).all():
            _gap(axes, train[t - 1], val[t - 1], t)
        axes.plot(t, val[t - 1], "o", color=VERMILLION, markersize=7, markeredgecolor="white", zorder=4)
        if "second_descent_epoch" in diagnosis.numbers:
            _again(axes, val, diagnosis)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)  # beside the curves: it hides nothing


def _noise(axes: Any, val: Floats, t: int, diagnosis: Diagnosis) -> None:
    """What the validation loss would vary by with other examples; a rise inside the band shows nothing by itself."""
    se = diagnosis.numbers.get("validation_standard_error", math.nan)
    if not (math.isfinite(se) and se > 0) or t == len(val):  # nothing comes after it
        return
    best, low = val[t - 1], axes.get_ylim()[0]
    floor = best / 10 if axes.get_yscale() == "log" else min(low, best - 2 * se)
    axes.fill_between(
        [t, len(val) + 0.5],
        max(best - 2 * se, floor),
        best + 2 * se,
        facecolor=light(GREY, 0.14),
        edgecolor=light(GREY, 0.5),
        hatch="....",
        linewidth=0.0,
        zorder=0.5,
        label="noise: best ± 2 SE",
    )


def _rise(axes: Any, val: Floats, t: int, diagnosis: Diagnosis) -> None:
    """The area between the best loss and the curve after it, where the curve is higher; the verdict's own number."""
    best, after, numbers = val[t - 1], val[t - 1 :], diagnosis.numbers
    where = np.isfinite(after) & (after > best)
    of = " of what was learned" if reference(val, numbers.get("baseline_loss", 0.0)) is not None else ""
    rise = numbers.get("generalization_loss_percent")
    share = "" if rise is None else f": {percent(rise)}" if not of else f":\n{percent(rise)}{of}"
    axes.fill_between(
        _epochs(val)[t - 1 :],
        best,
        np.where(where, after, best),
        facecolor=(*light(VERMILLION, 1.0), 0.18),
        edgecolor=(*light(VERMILLION, 1.0), 0.55),
        hatch="////",
        linewidth=0.0,
        label=f"rise since the best epoch{share}",
    )


def _gap(axes: Any, low: float, high: float, t: int) -> None:
    axes.plot(
        [t, t],
        [low, high],
        color=INK,
        linewidth=2.6,
        solid_capstyle="butt",
        zorder=3,
        label=f"gap at epoch {t}: {high - low:.3g}",
    )


def _again(axes: Any, val: Floats, diagnosis: Diagnosis) -> None:
    """The minimum before a hump, and the first epoch below it."""
    found = int(diagnosis.numbers["second_descent_epoch"]) - 1
    first = int(val[:found].argmin())
    axes.plot(
        first + 1, val[first], "o", color=VERMILLION, markerfacecolor="white", markersize=7, zorder=4,
        label=f"first minimum: {first + 1}",
    )  # fmt: skip
    axes.plot(
        found + 1, val[found], "D", color=INK, markeredgecolor="white", markersize=7, zorder=4,
        label=f"second descent: below it from {found + 1}",
    )  # fmt: skip


def _epochs(values: Floats) -> NDArray[np.int64]:
    return np.arange(1, len(values) + 1)
