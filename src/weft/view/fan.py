"""The curves of many models at once: what is typical, how far they spread, and which is best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.view.caption import caption, wrapped
from weft.view.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    look,
    new_figure,
    plain,
    spans_decades,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_COLOURS = {
    "good fit": GREEN,
    "still improving": SKY,
    "overfitting": VERMILLION,
    "over-confident": ORANGE,
    "large gap": ORANGE,
    "underfitting": PURPLE,
    "not learning": PURPLE,
    "leakage": INK,
    "diverged": INK,
}
"""A colour for what a verdict is like; the others are grey. Markers tell apart those that share one."""


def plot_fan(
    train_loss: ArrayLike, val_loss: ArrayLike, verdicts: Sequence[str] | None = None, *, label: str = "loss"
) -> Figure:
    """The training and validation curves of K models: median, the band from 5 % to 95 %, and the best member.

    ``train_loss`` and ``val_loss`` (K, T) are losses at the end of each epoch; ``verdicts`` (K,) the names of each
    model's diagnosis: a marker at its last validation loss, in the colour of its verdict. The best member is the one
    with the lowest validation loss of any epoch. Values that are not finite belong to no band and no median; the
    caption counts the members that have some.

    Raises DataError for shapes that differ or without any finite validation loss.

    >>> fan = plot_fan([[0.9, 0.5], [0.8, 0.4]], [[1.0, 0.7], [0.9, 0.8]], ["good fit", "overfitting"])
    >>> fan.axes[0].get_title("left")
    '2 models: training and validation loss'
    """
    from matplotlib.ticker import MaxNLocator

    train, val = _curves(train_loss, "train_loss"), _curves(val_loss, "val_loss")
    _check(train, val, verdicts)
    lowest = np.where(np.isfinite(val), val, np.inf)
    best = int(lowest.min(axis=1).argmin())
    at = int(lowest[best].argmin())
    below = wrapped(_sentence(train, val, verdicts, best, at, label))
    with look():
        figure = new_figure(7.4, 4.2 + 0.17 * len(below))
        axes = figure.subplots()
        _band(axes, train, "training", BLUE, "--", "////")
        _band(axes, val, "validation", VERMILLION, "-", None)
        axes.plot(
            _epochs(val), _finite(val[best]), "-.", color=INK, linewidth=1.4, label=f"best, model {best}: validation"
        )
        axes.plot(at + 1, val[best, at], "*", color=INK, markersize=11, markeredgecolor="white", zorder=6)
        if spans_decades(train, val, most=0.99):  # a few that diverged decide nothing
            axes.set_yscale("log")
        if verdicts is not None:
            _ends(axes, val, verdicts)
        axes.set_xlabel("epoch")
        # No tick where the markers stand: that is no epoch.
        ticks = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]).tick_values(1, val.shape[1])
        axes.set_xticks([t for t in ticks if 1 <= t <= val.shape[1]])
        axes.set_xlim(left=0.5)
        axes.set_ylabel(plain(label))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        caption(axes, plain(f"{len(val)} model{'s' * (len(val) != 1)}: training and validation {label}"), below)
    return figure


def _curves(values: ArrayLike, name: str) -> Floats:
    curves = np.asarray(values, dtype=np.float64)
    if curves.ndim != 2 or 0 in curves.shape:
        raise DataError(f"{name} has shape {curves.shape}", expected="(K, T): a curve of T epochs for each of K models")
    return curves


def _check(train: Floats, val: Floats, verdicts: Sequence[str] | None) -> None:
    if train.shape != val.shape:
        raise DataError(f"train_loss {train.shape} and val_loss {val.shape}", expected="the same models and epochs")
    if verdicts is not None and len(verdicts) != len(val):
        raise DataError(f"{len(verdicts)} verdicts for {len(val)} models", expected="one for each")
    if not np.isfinite(val).any():
        raise DataError("no validation loss is finite", expected="at least one model that did not diverge")


def _band(axes: Any, curves: Floats, name: str, colour: str, dashes: str, hatch: str | None) -> None:
    """Only epochs at which some model has a finite loss."""
    seen = np.isfinite(curves).any(axis=0)
    if not seen.any():
        return
    low, middle, high = np.nanquantile(_finite(curves)[:, seen], [0.05, 0.5, 0.95], axis=0)
    t = _epochs(curves)[seen]
    face = (*_rgb(colour), 0.16)
    axes.fill_between(t, low, high, facecolor=face, edgecolor=(*_rgb(colour), 0.45), hatch=hatch, linewidth=0.6)
    few = "o" if len(t) < 12 else None
    axes.plot(t, middle, dashes, color=colour, marker=few, markersize=4, label=f"{name}: median, 5-95 %")


def _ends(axes: Any, val: Floats, verdicts: Sequence[str]) -> None:
    """A marker per model beside its last validation loss, spread so that equal ones do not hide each other."""
    last, epochs = val[:, -1], val.shape[1]
    column = epochs * (1.03 + 0.05 * np.random.default_rng(0).random(len(last)))
    for i, (verdict, count) in enumerate(Counter(verdicts).most_common()):
        own = np.array([v == verdict for v in verdicts]) & np.isfinite(last)
        marker, colour = MARKERS[i % len(MARKERS)], _COLOURS.get(verdict, GREY)
        axes.plot(
            column[own], last[own], marker, color=colour, markersize=5.5, markeredgecolor="white", markeredgewidth=0.4,
            label=f"{plain(verdict)} ({count})", clip_on=False,
        )  # fmt: skip
    axes.set_xlim(right=1.1 * epochs)


def _sentence(train: Floats, val: Floats, verdicts: Sequence[str] | None, best: int, at: int, label: str) -> str:
    of = f", {verdicts[best]}" if verdicts is not None else ""
    counts = "" if verdicts is None else ", ".join(f"{n} {v}" for v, n in Counter(verdicts).most_common()) + ". "
    text = f"{counts}Best member: model {best} (counted from 0{of}), validation {label} {val[best, at]:.4g}"
    text += f" at epoch {at + 1}; the best of many flatters itself"
    broken = int((~(np.isfinite(val) & np.isfinite(train))).any(axis=1).sum())
    return plain(text + (f". Losses that are not finite: {broken} of {len(val)} models" if broken else ""))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _epochs(curves: Floats) -> NDArray[np.int64]:
    return np.arange(1, curves.shape[-1] + 1)


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
