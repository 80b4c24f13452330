"""The decision boundary of a classifier of two columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import ArgumentError, DataError
from weft.view.style import MARKERS, PALETTE, light, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

GRID = 240


class Applies(Protocol):
    """What was fitted on the training inputs, such as `weft.data.Scaler`."""

    def apply(self, x: Any, /) -> Any: ...


class Transforms(Protocol):
    """The same in scikit-learn's words."""

    def transform(self, x: Any, /) -> Any: ...


Scaler = Applies | Transforms


def plot_boundary(predict: Callable[[Any], Any], x: ArrayLike, y: ArrayLike, scaler: Scaler | None = None) -> Figure:
    """The regions that a model assigns to each class, and the points, in the units of the data.

    ``x`` (n, 2) and the axes are in the data's own units; with a ``scaler``, what ``predict`` receives is scaled
    first, points and grid alike: a boundary drawn on unscaled inputs is the boundary of nothing. ``trainer.predict``
    scales by itself, and a second scaler is refused. ``y`` (n,) are class numbers. ``predict`` maps (m, 2) to class
    numbers (m,), to one score per class (m, classes), or, for two classes, to the probability of class 1, (m,) or
    (m, 1).

    Raises DataError for other shapes, for a single column that is no probability, and for scores that are not finite.

    >>> points = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> plot_boundary(lambda x: (x[:, 0] > 0.5).astype(int), points, [0, 1]).axes[0].get_title("left")
    'Decision regions: 2 of 2 points right'
    """
    points, labels, change = _points(x), _labels(y), _change(predict, scaler)
    if len(points) != len(labels):
        raise DataError(f"{len(points)} points and {len(labels)} labels", expected="equally many")
    across, up, grid = grid_over(points, GRID)

    def classify(inputs: Floats) -> NDArray[np.int64]:
        return as_classes(np.asarray(predict(change(inputs))), len(inputs))

    regions, found = classify(grid).reshape(len(up), len(across)), classify(points)
    with look():
        figure = new_figure(5.6, 4.6)
        axes = figure.subplots()
        _draw_regions(axes, regions, across, up)
        draw_points(axes, points, labels)
        axes.set_title(f"Decision regions: {int((found == labels).sum())} of {len(labels)} points right")
        axes.set_xlabel("first column")
        axes.set_ylabel("second column")
    return figure


def _change(predict: Any, scaler: Any) -> Callable[[Floats], Any]:
    """What is done to inputs before they are given to ``predict``."""
    if scaler is None:
        return lambda inputs: inputs
    if getattr(getattr(predict, "__self__", None), "scaler", None) is not None:
        raise ArgumentError(
            "a scaler beside a predict that scales by itself: the inputs would be scaled twice",
            expected="one of the two",
            cure="plot_boundary(trainer.predict, x, y)",
        )
    change = getattr(scaler, "transform", None) or getattr(scaler, "apply", None)
    if change is None:
        raise ArgumentError(
            f"a scaler of type {type(scaler).__name__}", expected="weft.data.Scaler, or one of scikit-learn"
        )
    return change


def _points(x: ArrayLike) -> Floats:
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise DataError(f"x has shape {points.shape}", expected="(n, 2): a boundary is drawn over two columns")
    if not np.isfinite(points).all():
        raise DataError("x has values that are not finite", expected="numbers that can be drawn")
    return points


def _labels(y: ArrayLike) -> NDArray[np.int64]:
    labels, expected = np.asarray(y), "class numbers from 0, one axis"
    if labels.ndim != 1:
        raise DataError(f"y has shape {labels.shape}", expected=expected, cure="y.ravel()")
    if labels.dtype.kind not in "biuf":
        raise DataError(f"y holds {labels.dtype}", expected=expected, cure="np.unique(y, return_inverse=True)[1]")
    numbers = labels.astype(np.float64)
    bad = ~((numbers >= 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))
    if bad.any():
        cure = "np.unique(y, return_inverse=True)[1]"
        raise DataError(f"y holds {numbers[bad][0]:g} at row {int(bad.argmax())}", expected=expected, cure=cure)
    return labels.astype(np.int64)


def grid_over(points: Floats, size: int) -> tuple[Floats, Floats, Floats]:
    """The columns (size,) and rows (size,) of a grid around the points, and its places, (size², 2)."""
    low, high = points.min(0), points.max(0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    across, up = (np.linspace(low[i] - margin[i], high[i] + margin[i], size) for i in (0, 1))
    return across, up, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)


def as_classes(output: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Class numbers (n,) from what a model says of n points: class numbers, a score per class, or a probability."""
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        raise DataError(
            "predict gave values that are not finite", expected="a model that has not diverged", cure="run.diagnosis"
        )
    if output.ndim == 2 and output.shape[1] > 1 and len(output) == n:
        winners: NDArray[np.int64] = output.argmax(1)
        return winners
    if output.shape not in ((n,), (n, 1)):
        raise DataError(f"predict gave shape {output.shape} for {n} points", expected=f"({n},) or ({n}, classes)")
    column: NDArray[Any] = output.reshape(n)
    if np.issubdtype(column.dtype, np.integer) or column.dtype == np.bool_:
        return column.astype(np.int64)
    if (column == np.floor(column)).all() and (column >= 0).all():
        return column.astype(np.int64)
    if not ((column >= 0) & (column <= 1)).all():
        raise DataError(
            f"predict gave single numbers from {column.min():.3g} to {column.max():.3g}",
            expected="class numbers, or probabilities of class 1 between 0 and 1",
            cure="plot_boundary(lambda x: model(x) > 0, …) for logits",
        )
    return (column > 0.5).astype(np.int64)


def _draw_regions(axes: Any, regions: NDArray[np.int64], across: Floats, up: Floats) -> None:
    from matplotlib.colors import to_rgb

    axes.imshow(
        tints(int(regions.max()) + 1)[np.maximum(regions, 0)],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(across[0], across[-1], up[0], up[-1]),
    )
    for c in np.unique(regions)[1:]:
        axes.contour(across, up, (regions >= c).astype(float), levels=[0.5], colors=[to_rgb("#444444")], linewidths=1.0)


def tints(classes: int) -> Floats:
    """A light colour for the region of each class, (classes, 3)."""
    return np.array([light(to_hex(PALETTE, c), 0.3) for c in range(classes)])


def to_hex(palette: tuple[str, ...], c: int) -> str:
    """The colour of class c; they repeat after the palette's end, the markers make the difference."""
    return palette[c % len(palette)]


def draw_points(axes: Any, points: Floats, labels: NDArray[np.int64], *, hollow: bool = False) -> None:
    """The points, each class in its colour and with its marker; ``hollow`` ones are validation rows."""
    for c in np.unique(labels):
        at = points[labels == c]
        colour = to_hex(PALETTE, c)
        axes.scatter(
            at[:, 0],
            at[:, 1],
            s=28,
            color="white" if hollow else colour,
            marker=MARKERS[(c + c // len(PALETTE)) % len(MARKERS)],
            edgecolor=colour if hollow else "white",
            linewidth=1.3 if hollow else 0.6,
            label=f"class {c}, validation" if hollow else f"class {c}",
        )
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.grid(visible=False)
