"""Where the error comes from as models grow: bias² and variance, stacked, over capacity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.overfit.decomposed import Decomposition
from weft.view.caption import caption, wrapped
from weft.view.style import BLUE, GREY, INK, ORANGE, light, look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_BIAS = {"squared": "bias²", "zero_one": "bias B", "log": "bias -log q(y)"}
_LOSS = {"squared": "mean squared error", "zero_one": "share of wrong decisions", "log": "log loss (nats)"}


def plot_capacity(
    capacities: Sequence[float] | Sequence[str],
    decompositions: Sequence[Decomposition],
    training: ArrayLike | None = None,
    *,
    label: str = "capacity",
) -> Figure:
    """Bias² and variance stacked as areas over the capacity of the model, the total loss, and the training loss.

    ``capacities`` (m,) are numbers in increasing order (on a log axis where they span decades) or names, from the
    simplest; ``decompositions`` (m,) of one kind of loss. Known noise is the lowest area. For 0–1 loss the variance
    is what it adds to the loss; where it subtracts, the loss lies below the bias. ``label`` names the axis, with
    its unit: "units in the hidden layer".

    Raises DataError for unequal lengths, different losses, or capacities that do not increase.

    >>> from weft.overfit import decompose
    >>> studies = [decompose([[[a, 1.0]], [[-a, 1.0]]], [0.0, 2.0]) for a in (0.1, 0.5, 1.0)]
    >>> figure = plot_capacity([1, 2, 4], studies, label="degree")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('degree', 'mean squared error')
    """
    _check(capacities, decompositions)
    numeric = not isinstance(capacities[0], str)
    x = np.asarray(capacities, dtype=np.float64) if numeric else np.arange(len(capacities), dtype=np.float64)
    loss = np.array([d.loss for d in decompositions])
    best = int(loss.argmin())
    below = wrapped(_sentence(capacities, decompositions, best, label))
    with look():
        figure = new_figure(7.0, 4.2 + 0.17 * len(below))
        axes = figure.subplots()
        _areas(axes, x, decompositions)
        _lines(axes, x, decompositions, training, best)
        _axis(axes, x, capacities, numeric)
        axes.set_xlabel(plain(label))
        axes.set_ylabel(_LOSS[decompositions[0].kind])
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        caption(axes, "Bias and variance", below)
    return figure


def _check(capacities: Sequence[Any], decompositions: Sequence[Decomposition]) -> None:
    if not len(decompositions) or len(capacities) != len(decompositions):
        raise DataError(
            f"{len(capacities)} capacities and {len(decompositions)} decompositions", expected="equally many"
        )
    kinds = sorted({d.kind for d in decompositions})
    if len(kinds) > 1:
        raise DataError(f"decompositions of {' and '.join(kinds)} loss", expected="one kind of loss")
    if not isinstance(capacities[0], str) and not (np.diff(np.asarray(capacities, dtype=np.float64)) > 0).all():
        raise DataError(f"capacities {list(capacities)!s:.60}", expected="increasing numbers, or names")


def _areas(axes: Any, x: Floats, ds: Sequence[Decomposition]) -> None:
    noise = np.array([d.noise or 0.0 for d in ds])
    bias, net = np.array([d.bias2 for d in ds]), np.array([d.net_variance for d in ds])
    floor = np.minimum(noise, bias)
    # Hatches as well as colours: a grey printer shows two greys, but not which is which.
    if floor.any():
        _area(axes, x, np.zeros(len(x)), floor, "#8A8A8A", "....", "noise, known")
    _area(axes, x, floor, bias, BLUE, "////", _BIAS[ds[0].kind] + ("" if floor.any() else " (with noise)"))
    _area(axes, x, bias, bias + np.maximum(net, 0), ORANGE, "\\\\\\\\", "variance")


def _area(axes: Any, x: Floats, low: Floats, high: Floats, colour: str, hatch: str, name: str) -> None:
    axes.fill_between(
        x,
        low,
        high,
        facecolor=light(colour, 0.35),
        edgecolor=light(colour, 0.75),
        hatch=hatch,
        linewidth=0.8,
        label=name,
    )


def _lines(axes: Any, x: Floats, ds: Sequence[Decomposition], training: ArrayLike | None, best: int) -> None:
    loss, se = np.array([d.loss for d in ds]), np.array([d.se.get("loss", 0.0) for d in ds])
    axes.errorbar(x, loss, se, fmt="o-", color=INK, capsize=3, elinewidth=1.2, markersize=5, label="total loss ± SE")
    if training is not None:
        e = np.asarray(training, dtype=np.float64)
        if e.shape != x.shape:
            raise DataError(f"training has shape {e.shape}", expected=f"({len(x)},), one loss per capacity")
        axes.plot(x, e, "s--", color=GREY, markerfacecolor="white", markersize=5, label="training loss")
    axes.plot(x[best], loss[best], "*", color="white", markeredgecolor=INK, markersize=15, zorder=5, label="lowest")
    axes.axvline(x[best], color=GREY, linestyle=":", linewidth=1, zorder=1)


def _axis(axes: Any, x: Floats, capacities: Sequence[Any], numeric: bool) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_ylim(bottom=0)
    if numeric and x[0] > 0 and x[-1] >= 20 * x[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    names = [plain(str(c)) if not numeric else f"{c:g}" for c in capacities]
    step = 1 + (len(x) - 1) // 12
    axes.set_xticks(x[::step], names[::step])
    if not numeric and max(map(len, names)) > 8:
        for text in axes.get_xticklabels():
            text.set(rotation=30, ha="right", rotation_mode="anchor")
    axes.margins(x=0.02)


def _sentence(capacities: Sequence[Any], ds: Sequence[Decomposition], best: int, label: str) -> str:
    d = ds[best]
    at = capacities[best] if isinstance(capacities[best], str) else f"{label} = {capacities[best]:g}"
    return plain(
        f"lowest at {at}: loss {d.loss:.3g} = {d.bias2:.3g} {_BIAS[d.kind]} {'+' if d.net_variance >= 0 else '-'}"
        f" {abs(d.net_variance):.3g} variance ({d.training_sets} training sets × {d.seeds}"
        f" seed{'s' * (d.seeds != 1)}, {d.examples} examples)"
    )
