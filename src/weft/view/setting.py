"""Training and validation error against one setting: where the model begins to fit the noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from weft.errors import DataError
from weft.overfit.selection import Selection
from weft.view.caption import caption, wrapped
from weft.view.style import BLUE, GREY, VERMILLION, light, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_setting(
    values: Sequence[Any],
    training: ArrayLike,
    validation: ArrayLike,
    *,
    label: str,
    metric: str,
    chosen: Selection | None = None,
) -> Figure:
    """Mean ± standard error of the repeats, (values, repeats), for each value of a setting.

    Numbers that span decades lie on a logarithmic axis. With the ``chosen`` value, the caption says why it was.

    Raises DataError where there are not as many rows as values.

    >>> figure = plot_setting([1, 10, 100], [[0.9], [0.5], [0.1]], [[1.0], [0.7], [0.8]], label="width", metric="loss")
    >>> [line.get_label() for line in figure.axes[0].get_lines()][:2]
    ['training', 'validation']
    """
    on_train, on_val = (np.atleast_2d(np.asarray(a, np.float64)) for a in (training, validation))
    if not len(values) == len(on_train) == len(on_val):
        raise DataError(
            f"{len(values)} values, scores of {len(on_train)} and {len(on_val)}", expected="one row a value"
        )
    numeric = all(isinstance(v, int | float) for v in values)
    places = np.array(values, float) if numeric else np.arange(len(values))
    below = wrapped(plain(chosen.sentence())) if chosen is not None else []
    with look():
        figure = new_figure(7.0, 4.0 + 0.17 * len(below))
        axes = figure.subplots()
        for scores, colour, style, marker, name in (
            (on_train, BLUE, "--", "s", "training"),
            (on_val, VERMILLION, "-", "o", "validation"),
        ):
            mean = scores.mean(axis=1)
            axes.plot(places, mean, style, marker=marker, color=colour, label=name)
            if scores.shape[1] > 1:
                se = scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
                axes.fill_between(places, mean - se, mean + se, color=light(colour), linewidth=0)
        best = int(np.nanargmin(on_val.mean(axis=1)))
        axes.axvline(places[best], color=GREY, linewidth=1, linestyle=":", label=f"lowest: {plain(str(values[best]))}")
        if not numeric:
            axes.set_xticks(places, [plain(str(v)) for v in values])
        elif places.min() > 0 and places.max() / places.min() >= 10:
            axes.set_xscale("log")
        axes.set_xlabel(plain(label))
        axes.set_ylabel(f"{plain(metric)}, mean ± standard error")
        axes.legend()
        caption(axes, f"{plain(metric).capitalize()} against {plain(label)}", below)
    return figure
