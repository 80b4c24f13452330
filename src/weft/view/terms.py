"""What a loss consists of: bias and variance as two parts of one bar, with what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.overfit.decomposed import Decomposition
from weft.view.caption import caption
from weft.view.style import BLUE, INK, VERMILLION, light, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_terms(found: Decomposition) -> Figure:
    """Bias and what the variance adds, side by side in one bar whose length is the loss, each ± standard error.

    >>> import numpy as np
    >>> from weft.overfit import decompose
    >>> figure = plot_terms(decompose(np.arange(8.0).reshape(4, 1, 2), [1.0, 2.0]))
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['bias² 4 ± 4.6', 'variance 5 ± 2.5']
    """
    bias = "bias²" if found.kind == "squared" else "bias"
    parts = (
        (bias, found.bias2, "bias2", BLUE, ""),
        ("variance", found.net_variance, "net_variance", VERMILLION, "//"),
    )
    with look():
        figure = new_figure(7.0, 2.4)
        axes = figure.subplots()
        start = 0.0
        for k, (name, value, term, colour, hatch) in enumerate(parts):
            se = found.se.get(term, 0.0)
            label = f"{name} {value:.3g} ± {se:.2g}"
            axes.barh([0], [value], left=start, color=light(colour, 0.6), edgecolor=colour, hatch=hatch, label=label)
            axes.errorbar([start + value], [0.15 - 0.3 * k], xerr=[se], color=INK, capsize=3, linewidth=1)
            start += value
        axes.set_yticks([])
        axes.set_ylim(-0.6, 0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("loss")
        figure.legend(loc="outside lower center", ncols=2)
        seeds = f"{found.seeds} seed{'s' * (found.seeds != 1)}"
        models = f"{found.training_sets} training sets × {seeds}, {found.examples} test rows"
        caption(axes, "Where the loss comes from", [models])
    return figure
