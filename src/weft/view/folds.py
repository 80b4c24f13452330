"""The scores of every fold as points, with their mean and its standard error."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import DataError
from weft.overfit.comparison import Comparison
from weft.overfit.estimates import Estimate
from weft.overfit.result import plus_minus
from weft.view.caption import caption, wrapped
from weft.view.style import GREY, INK, MARKERS, PALETTE, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_folds(estimates: Estimate | Mapping[str, Estimate], comparison: Comparison | None = None) -> Figure:
    """Each fold's score as a point, one row per set-up, and the mean ± SE that they support.

    Several set-ups are given by name. Grey lines join what was measured on the same fold, where no fold was left
    out: if they all lean the same way, the difference is real even where the points overlap. With a ``comparison``
    the caption says what it found.

    Raises DataError for no set-up, or for set-ups with different metrics.

    >>> from weft.overfit import estimate
    >>> figure = plot_folds({"wide": estimate([0.9, 0.92, 0.88]), "deep": estimate([0.91, 0.95, 0.9])})
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['wide', 'deep']
    """
    rows = {estimates.name: estimates} if isinstance(estimates, Estimate) else dict(estimates)
    if not rows:
        raise DataError("there is no set-up to draw", expected='at least one, as {"wide": estimate(scores)}')
    metrics = sorted({e.name for e in rows.values()})
    if len(metrics) > 1:
        raise DataError(f"set-ups measured by {' and '.join(metrics)}", expected="one metric for all")
    below = _sentences(rows, comparison)
    with look():
        figure = new_figure(7.0, 1.6 + 0.62 * len(rows) + 0.17 * len(below))
        axes = figure.subplots()
        _join(axes, list(rows.values()))
        for i, estimate in enumerate(rows.values()):
            _row(axes, i, estimate)
        axes.set_yticks(range(len(rows)), [plain(name) for name in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(plain(metrics[0]))
        _legend(axes)
        caption(axes, "Scores by fold" if len(rows) > 1 else f"{plain(metrics[0]).capitalize()} by fold", below)
    return figure


def _row(axes: Any, i: int, estimate: Estimate) -> None:
    values, colour = np.array(estimate.values), PALETTE[i % len(PALETTE)]
    spread = np.random.default_rng(0).uniform(-0.09, 0.09, len(values)) if len(values) > 10 else np.zeros(len(values))
    axes.plot(
        values, i + spread, MARKERS[i % len(MARKERS)], color=colour, markersize=6, alpha=0.75, markeredgecolor="white"
    )
    axes.errorbar(
        estimate.mean, i + 0.26, xerr=estimate.se, fmt="D", color=INK, capsize=4, markersize=5, elinewidth=1.6
    )
    axes.annotate(
        plus_minus(estimate.mean, estimate.se),
        (estimate.mean, i + 0.26),
        (0, -6),
        textcoords="offset points",
        va="top",
        ha="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )


def _join(axes: Any, rows: list[Estimate]) -> None:
    for i, (one, other) in enumerate(itertools.pairwise(rows)):
        same = len(one.values) == len(other.values) and not one.left_out and not other.left_out
        if same and len(one.values) <= 10:
            axes.plot([one.values, other.values], [i, i + 1], "-", color=GREY, linewidth=0.7, alpha=0.6, zorder=1)


def _legend(axes: Any) -> None:
    axes.plot([], [], "o", color=GREY, label="one fold")
    axes.errorbar([], [], xerr=[], fmt="D", color=INK, capsize=4, markersize=5, label="mean ± SE")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _sentences(rows: Mapping[str, Estimate], comparison: Comparison | None) -> list[str]:
    lines = [] if comparison is None else wrapped(plain(comparison.verdict))
    left_out = [f"{name}: {', '.join(e.left_out)}" for name, e in rows.items() if e.left_out]
    if left_out:
        lines += wrapped(plain(f"left out, not defined there: {'; '.join(left_out)}"))
    return lines
