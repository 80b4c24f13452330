"""Training and validation error against one setting: where the model begins to fit the noise."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """Mean ± standard error of the repeats, (values, repeats), for each value of a setting; (values,) of one each.

    Numbers that span decades lie on a logarithmic axis. With the ``chosen`` value, the caption says why it was.

    Raises DataError where there are not as many rows as values, or no validation score is finite.

    >>> figure = plot_setting([1, 10, 100], [[0.9], [0.5], [0.1]], [[1.0], [0.7], [0.8]], label="width", metric="loss")
    >>> [line.get_label() for line in figure.axes[0].get_lines()][:2]
    ['training', 'validation']
    """
    on_train, on_val = (a[:, None] if a.ndim == 1 else a for a in map(_floats, (training, validation)))
    if not len(values) == len(on_train) == len(on_val):
        raise DataError(
            f"{len(values)} values, scores of {len(on_train)} and {len(on_val)}", expected="one row a value"
        )
    means = on_val.mean(axis=1)
    if not np.isfinite(means).any():
        raise DataError(
            f"every value of {label} diverged", expected="at least one finite validation score", cure="smaller values"
        )
    numeric = all(isinstance(v, Real) for v in values)
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
        best = int(np.where(np.isfinite(means), means, np.inf).argmin())
        axes.axvline(places[best], color=GREY, linewidth=1, linestyle=":", label=f"lowest: {plain(str(values[best]))}")
        decades = numeric and places.min() > 0 and places.max() / places.min() >= 10
        if decades:
            axes.set_xscale("log")
            axes.minorticks_off()
        if decades or not numeric:
            step = 1 + (len(values) - 1) // 12
            axes.set_xticks(places[::step], [f"{v:g}" if numeric else plain(str(v)) for v in values][::step])
        axes.set_xlabel(plain(label))
        axes.set_ylabel(f"{plain(metric)}, mean ± standard error")
        axes.legend()
        caption(axes, f"{plain(metric[:1].upper() + metric[1:])} against {plain(label)}", below)
    return figure


def _floats(scores: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(scores, np.float64)
