"""The error at several training-set sizes, the power law through it, and what more data would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.overfit.powerlaw import PowerLaw
from weft.view.caption import caption, wrapped
from weft.view.style import BLUE, GREY, INK, VERMILLION, light, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

AHEAD = 4.0
"""The forecast is drawn up to this many times the largest measured size."""


def plot_learning_curve(law: PowerLaw, training: ArrayLike | None = None) -> Figure:
    """The validation error over the number of training examples, with ± SE, the fitted law and its forecast.

    Beyond the largest measured size the band is the 90 % interval, up to four times that size; there is none where
    the law refuses to forecast, and the caption says why. ``training`` (m,) or (m, repeats) are the errors on the
    training data, at the sizes of the law.

    Raises DataError if ``training`` has other sizes.

    >>> from weft.overfit import fit_power_law
    >>> law = fit_power_law([100, 200, 400, 800], [0.3, 0.2, 0.15, 0.125], se=[0.002] * 4)
    >>> [line.get_label() for line in plot_learning_curve(law).axes[0].get_lines()][-1]
    'fitted: 20 n^(-1.00) + 0.100'
    """
    below = wrapped(plain(law.sentence()))
    with look():
        figure = new_figure(7.0, 4.4 + 0.17 * len(below))
        axes = figure.subplots()
        axes.set_xscale("log")
        _measured(axes, law, training)
        if not np.isnan(law.b):
            _fitted(axes, law)
        axes.set_xlabel("training examples")
        axes.set_ylabel(plain(law.metric))
        axes.set_ylim(bottom=0)
        _ticks(axes)
        _legend(figure, axes)
        caption(axes, "Learning curve", below)
    return figure


def _legend(figure: Figure, axes: Any) -> None:
    """What was measured first, then what was concluded."""
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: not labels[i].startswith(("validation", "training")))
    figure.legend(
        [handles[i] for i in order], [labels[i] for i in order], loc="outside lower center", ncols=2, frameon=False
    )


def _measured(axes: Any, law: PowerLaw, training: ArrayLike | None) -> None:
    bars = {"capsize": 3, "elinewidth": 1.2, "zorder": 4, "markersize": 5.5}
    axes.errorbar(
        law.sizes, law.errors, law.noise, fmt="o", color=VERMILLION, label=f"validation {law.metric} ± SE", **bars
    )
    if training is None:
        return
    e = np.asarray(training, dtype=np.float64)
    if e.ndim not in (1, 2) or len(e) != len(law.sizes):
        raise DataError(f"training has shape {e.shape}", expected=f"({len(law.sizes)},) or ({len(law.sizes)}, repeats)")
    means = e.reshape(len(e), -1).mean(axis=1)
    se = e.std(axis=1, ddof=1) / np.sqrt(e.shape[1]) if e.ndim == 2 and e.shape[1] > 1 else np.zeros(len(e))
    axes.errorbar(
        law.sizes, means, se, fmt="s--", color=BLUE, markerfacecolor="white", label=f"training {law.metric}", **bars
    )


def _fitted(axes: Any, law: PowerLaw) -> None:
    first, last = min(law.sizes), max(law.sizes)
    inside, beyond = np.geomspace(first, last, 80), np.geomspace(last, AHEAD * last, 40)
    if not law.refusal:
        ranges = [law.range(float(n)) for n in beyond]
        low, high = [r.low for r in ranges], [r.high for r in ranges]
        axes.fill_between(beyond, low, high, color=light(VERMILLION), linewidth=0, label="forecast, 90 % interval")
        axes.plot(beyond, low, color=VERMILLION, linewidth=0.6)
        axes.plot(beyond, high, color=VERMILLION, linewidth=0.6)
        axes.plot(beyond, law(beyond), "--", color=INK, linewidth=1.4)
        axes.axvline(last, color=GREY, linestyle=":", linewidth=1, zorder=1)
        if law.c > 0:
            axes.axhline(law.c, color=GREY, linestyle="-.", linewidth=1, zorder=1, label=f"floor c = {law.c:.3f}")
    axes.plot(inside, law(inside), "-", color=INK, linewidth=1.4, label=f"fitted: {_formula(law)}")


def _formula(law: PowerLaw) -> str:
    return f"{law.a:.3g} n^(-{law.b:.2f})" + (f" + {law.c:.3f}" if law.c > 0 else "")


def _ticks(axes: Any) -> None:
    """Sizes as numbers: 100, 200, 500 and not powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low < 1000 else (1,)
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=steps, numticks=30))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda n, _: f"{n:,.0f}".replace(",", "\u202f") if n >= 1 else f"{n:g}")
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
