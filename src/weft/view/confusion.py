"""The confusion matrix: which classes a model takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.view.style import look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 20
"""With more classes than this, the numbers in the cells would not be legible."""


def confusion(y_true: ArrayLike, y_pred: ArrayLike, classes: int) -> NDArray[np.int64]:
    """C[i, j], how many examples of class i were predicted as class j; shape (classes, classes).

    Both arguments are class numbers (n,), 0 to classes - 1; DataError otherwise.

    >>> confusion([0, 0, 1, 1], [0, 1, 1, 1], classes=2)
    array([[1, 1],
           [0, 2]])
    """
    truth, found = _labels(y_true, "y_true", classes), _labels(y_pred, "y_pred", classes)
    if len(truth) != len(found):
        raise DataError(f"{len(truth)} true labels and {len(found)} predictions", expected="equally many")
    return np.bincount(truth * classes + found, minlength=classes**2).reshape(classes, classes)


def plot_confusion(y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[object]) -> Figure:
    """The confusion matrix as a picture: rows are the truth, colours the share of the row, numbers the counts.

    >>> plot_confusion([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"]).get_suptitle()
    'Confusion matrix: 3 of 4 right (75.0 %)'
    """
    names = [plain(str(name)) for name in classes]
    counts = confusion(y_true, y_pred, len(names))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    with look():
        side = 2.6 + min(0.42 * len(names), 7.0)
        figure = new_figure(side + 1.6, side)
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
        _name_axes(axes, names)
        if len(names) <= MOST_NUMBERS:
            _write_counts(axes, counts, shares)
        right, total = int(counts.trace()), int(counts.sum())
        title = f"Confusion matrix: {right} of {total} right ({100 * right / max(total, 1):.1f} %)"
        figure.suptitle(title, x=0.02, ha="left", fontsize=11, fontweight="bold")
    return figure


def _name_axes(axes: Any, names: list[str]) -> None:
    # Of very many classes only every so many can be named.
    shown = range(0, len(names), 1 + len(names) // 40)
    short = [names[i] if len(names[i]) <= 16 else names[i][:15] + "…" for i in shown]
    axes.set_xticks(shown, short)
    if max((len(name) for name in short), default=0) > 3:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(shown, short)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Any, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    size = 10 if counts.max(initial=0) < 1000 else 8
    for (i, j), count in np.ndenumerate(counts):
        if count:
            axes.text(
                j,
                i,
                str(count),
                ha="center",
                va="center",
                fontsize=size,
                color="white" if shares[i, j] > 0.5 else "black",
            )


def _labels(y: ArrayLike, name: str, classes: int) -> NDArray[np.int64]:
    labels = np.asarray(y)
    if labels.ndim != 1 or not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == np.bool_):
        raise DataError(
            f"{name} has shape {labels.shape} and type {labels.dtype}",
            expected="class numbers: integers, one axis",
            cure=f"{name}.argmax(axis=1) for one score per class",
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(f"{name} has labels from {labels.min()} to {labels.max()}", expected=f"0 to {classes - 1}")
    return labels.astype(np.int64)
