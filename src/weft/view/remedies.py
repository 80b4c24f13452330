"""What remedies change: the difference of each to the model as it was, with its standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from weft.errors import DataError
from weft.overfit.comparison import Comparison
from weft.view.caption import caption, wrapped
from weft.view.style import BLUE, GREY, INK, VERMILLION, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HELPED, HARMED = ("helped", BLUE, "o", BLUE), ("harmed", VERMILLION, "s", VERMILLION)
NEITHER = ("no difference shown", GREY, "D", "white")


def plot_remedies(effects: Mapping[str, Comparison], before: float) -> Figure:
    """Each remedy as a point: the mean change of the validation loss, ± standard error; the best one on top.

    ``before`` is the mean validation loss of the model as it was, which is the line at 0.

    Raises DataError where nothing was tried.

    >>> from weft.overfit import compare
    >>> names = ("mixup", "as it was")
    >>> found = compare([0.31, 0.29, 0.3, 0.32], [0.4, 0.41, 0.39, 0.4], names=names, test_over_train=0)
    >>> figure = plot_remedies({"mixup": found}, before=0.4)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['mixup']
    """
    if not effects:
        raise DataError("there is no remedy to draw", expected="at least one that was tried")
    rows = sorted(effects.items(), key=lambda item: item[1].effect)
    with look():
        figure = new_figure(7.0, 1.7 + 0.3 * len(rows))
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1.2, linestyle="--", label="as it was")
        seen = set()
        for i, (name, found) in enumerate(rows):
            drawn = NEITHER if found.winner is None else HELPED if found.winner == name else HARMED
            kind, colour, marker, face = drawn
            axes.errorbar(
                found.effect, i, xerr=found.se, fmt=marker, color=colour, markerfacecolor=face, markersize=7, capsize=4,
                elinewidth=1.6, label=None if kind in seen else f"{kind} ± SE",
            )  # fmt: skip
            seen.add(kind)
        axes.set_yticks(range(len(rows)), [plain(name) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("change of the validation loss: to the left is better")
        figure.legend(loc="outside lower center", ncols=4)
        seeds = rows[0][1].pairs
        below = wrapped(f"as it was: {before:.4g}; {seeds} seeds each, compared in pairs")
        caption(axes, "What each remedy changes", below)
    return figure
