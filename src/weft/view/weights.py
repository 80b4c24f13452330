"""How the weights of each layer are distributed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.view.style import BLUE, GREY, VERMILLION, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 24
"""More panels than this are not drawn; the title says how many were left out."""


def plot_weights(weights: Mapping[str, ArrayLike]) -> Figure:
    """One histogram per array, with its mean, standard deviation and largest |W|.

    Values that are not finite cannot be drawn and are counted in red. Raises DataError for no arrays at all.

    >>> figure = plot_weights({"layer.weight": np.linspace(-1, 1, 50), "layer.bias": np.zeros(4)})
    >>> [axes.get_title("left") for axes in figure.axes]
    ['layer.weight', 'layer.bias']
    """
    if not weights:
        raise DataError("there are no weights to draw", expected='at least one array, as {"layer.weight": w}')
    shown = list(weights.items())[:MOST]
    columns = min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    with look():
        figure = new_figure(0.8 + 2.6 * columns, 0.6 + 2.1 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (name, values) in zip(panels, shown, strict=False):
            _histogram(axes, name, np.asarray(values, dtype=np.float64).ravel())
        for axes in panels[len(shown) :]:
            axes.remove()
        more = len(weights) - len(shown)
        figure.suptitle(
            f"Weights ({more} more arrays not drawn)" if more else "Weights", x=0.01, ha="left", fontweight="bold"
        )
    return figure


def _histogram(axes: Any, name: str, values: NDArray[np.float64]) -> None:
    finite = values[np.isfinite(values)]
    axes.set_title(plain(name if len(name) <= 28 else "…" + name[-27:]), fontsize=9)
    axes.tick_params(labelsize=8)
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=4)
    if len(finite):
        # One value alone has no range to divide into bins; their number is odd, so that it falls into the middle.
        low, high = float(finite.min()), float(finite.max())
        pad = 0.0 if high > low else max(abs(low), 1.0) * 0.5
        axes.hist(finite, bins=min(41, max(5, math.isqrt(len(finite)) | 1)), range=(low - pad, high + pad), color=BLUE)
        axes.axvline(0, ymax=0.74, color=GREY, linewidth=0.8)
    axes.margins(y=0.36)
    axes.text(0.03, 0.97, _summary(finite), transform=axes.transAxes, va="top", fontsize=7.5, linespacing=1.3)
    if len(finite) < len(values):
        bad = f"{len(values) - len(finite)} not finite"
        axes.text(0.97, 0.87, bad, transform=axes.transAxes, va="top", ha="right", fontsize=8, color=VERMILLION)


def _summary(finite: NDArray[np.float64]) -> str:
    if not len(finite):
        return "no finite values"
    return f"n {len(finite)}, mean {finite.mean():.2g}, sd {finite.std():.2g}\nlargest |W| {np.abs(finite).max():.3g}"
