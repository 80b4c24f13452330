"""Are the probabilities to be trusted? How often a model is right when it says that it is sure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.errors import DataError
from weft.overfit.check import whole
from weft.overfit.result import Result, table
from weft.view.caption import caption
from weft.view.style import BLUE, GREY, INK, VERMILLION, light, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability(Result):
    """For each bin of confidence that has examples: how many, their mean confidence, the share that is right.

    ``bins`` is the number of bins of equal width from 0 to 1, ``places`` which of them have examples; ``ece`` is
    ``Σ (n_k / n) |accuracy_k - confidence_k|``, the expected calibration error.
    """

    FORMAT: ClassVar[str] = "weft.reliability/1"

    bins: int
    places: tuple[int, ...]
    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    ece: float

    @property
    def examples(self) -> int:
        """How many examples there are in all."""
        return sum(self.counts)

    @property
    def mean_confidence(self) -> float:
        """The mean probability of the class that the model decides for."""
        return sum(n * c for n, c in zip(self.counts, self.confidence, strict=True)) / self.examples

    @property
    def mean_accuracy(self) -> float:
        """The share of examples that are right."""
        return sum(n * a for n, a in zip(self.counts, self.accuracy, strict=True)) / self.examples

    @property
    def se(self) -> tuple[float, ...]:
        """The standard error of each bin's accuracy, √(p (1-p) / n) with p of Agresti and Coull's two extra of each."""
        return tuple(_share_se(a * n, n) for a, n in zip(self.accuracy, self.counts, strict=True))

    def __str__(self) -> str:
        rows = [("confidence", "examples", "mean confidence", "right", "± SE")]
        for k, n, c, a, se in zip(self.places, self.counts, self.confidence, self.accuracy, self.se, strict=True):
            edges = f"{k / self.bins:.2f} to {(k + 1) / self.bins:.2f}"
            rows.append((edges, str(n), f"{c:.3f}", f"{a:.3f}", f"{se:.3f}"))
        return "\n".join([*table(rows), f"expected calibration error: {self.ece:.4f} ({self.bins} bins)"])


def reliability(probabilities: ArrayLike, targets: ArrayLike, bins: int = 15) -> Reliability:
    """How often the predicted class is right, by the probability that the model gave it; C. Guo et al., 2017.

    ``probabilities`` (n, classes), or (n,) of class 1; ``targets`` (n,) class numbers. The confidence is the largest
    probability; each of the ``bins`` of equal width owns its upper edge.

    >>> reliability([[0.75, 0.25], [0.75, 0.25]], [0, 1]).ece
    0.25
    """
    p, y = _probabilities(probabilities, targets)
    bins = whole(bins, "bins", "a whole number, 1 or more", cure="bins=10")
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    used = np.flatnonzero(counts)
    n = counts[used]
    confidence = np.bincount(place, sure, minlength=bins)[used] / n
    accuracy = np.bincount(place, right, minlength=bins)[used] / n
    ece = float((n * np.abs(accuracy - confidence)).sum() / len(y))
    return Reliability(
        bins=bins,
        places=tuple(used.tolist()),
        counts=tuple(n.tolist()),
        confidence=tuple(confidence.tolist()),
        accuracy=tuple(accuracy.tolist()),
        ece=ece,
    )


def plot_reliability(found: Reliability) -> Figure:
    """The reliability diagram: the share that is right over confidence, the diagonal, and the counts of each bin.

    Points below the diagonal are over-confident. Each has ± SE and an area that grows with its examples.

    >>> figure = plot_reliability(reliability([0.9, 0.8, 0.3, 0.2], [1, 0, 0, 0], bins=5))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['share that is right', 'examples']
    """
    gap = found.mean_confidence - found.mean_accuracy
    side = "over-confident" if gap > 0 else "under-confident"
    text = (
        f"{found.examples} examples: {found.mean_accuracy:.1%} right, {found.mean_confidence:.1%} confident on average"
    ).replace("%", " %")
    with look():
        figure = new_figure(6.0, 5.8)
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=(7, 2))
        _diagram(top, found)
        _counts(low, found)
        below = [text, f"{side} by {abs(gap):.1%}".replace("%", " %")]
        caption(top, f"Reliability: calibration error {found.ece:.3f}", below)
    return figure


def _diagram(axes: Any, found: Reliability) -> None:
    x, y = np.array(found.confidence), np.array(found.accuracy)
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1.2, label="as sure as right")
    axes.vlines(
        x, np.minimum(x, y), np.maximum(x, y), color=light(VERMILLION, 0.55), linewidth=5, label="gap", zorder=2
    )
    area = 20 + 160 * np.array(found.counts) / max(found.counts)
    axes.errorbar(x, y, found.se, fmt="none", color=INK, capsize=3, elinewidth=1.1, zorder=3)
    axes.plot(x, y, "-", color=BLUE, linewidth=1.2, zorder=3)
    axes.scatter(x, y, s=area, color=BLUE, edgecolor="white", zorder=4, label="measured ± SE, area: examples")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04), ylabel="share that is right")
    axes.legend(loc="upper left")


def _counts(axes: Any, found: Reliability) -> None:
    middles = (np.array(found.places) + 0.5) / found.bins
    axes.bar(middles, found.counts, width=0.94 / found.bins, color=light(BLUE, 0.6), edgecolor=BLUE, linewidth=0.6)
    size = 7.5 if found.bins <= 20 else 6
    for x, n in zip(middles, found.counts, strict=True):
        axes.annotate(brief(n), (x, n), (0, 2), textcoords="offset points", ha="center", fontsize=size)
    axes.set(
        xlabel="confidence: probability of the predicted class", ylabel="examples", ylim=(0, 1.22 * max(found.counts))
    )


def brief(n: int) -> str:
    """A count in at most four characters, as wide as a bar.

    >>> brief(999), brief(3359), brief(72520), brief(999_950), brief(2_345_678)
    ('999', '3.4k', '73k', '1M', '2.3M')
    """
    for size, unit in ((1, ""), (1e3, "k"), (1e6, "M")):
        shown = n / size
        if round(shown, 0) < 1000 or unit == "M":
            break
    return f"{shown:.1f}".removesuffix(".0") + unit if unit and shown < 9.95 else f"{shown:.0f}{unit}"


def _share_se(right: float, n: int) -> float:
    """Of a bin in which all are right the plain formula would say that nothing is uncertain."""
    p = (right + 2) / (n + 4)
    return math.sqrt(p * (1 - p) / (n + 4))


def _probabilities(probabilities: ArrayLike, targets: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(targets)
    if y.ndim != 1 or p.ndim not in (1, 2) or len(p) != len(y) or not len(y):
        raise DataError(f"probabilities {p.shape} and targets {y.shape}", expected="(n, classes) or (n,), and (n,)")
    if not ((p >= 0) & (p <= 1)).all():
        bad = p[~((p >= 0) & (p <= 1))][0]
        raise DataError(
            f"probabilities such as {bad:g}", expected="numbers from 0 to 1", cure="softmax or sigmoid of the logits"
        )
    p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else np.hstack([1 - p, p]) if p.shape[1] == 1 else p
    if np.abs(p.sum(axis=1) - 1).max() > 1e-2:
        raise DataError("probabilities whose sum over the classes is not 1", expected="one of the classes for each row")
    wanted = f"class numbers, 0 to {p.shape[1] - 1}"
    if y.dtype.kind not in "iub":
        raise DataError(f"targets of type {y.dtype}", expected=wanted, cure="targets.astype(int)")
    if not 0 <= int(y.min()) <= int(y.max()) < p.shape[1]:
        raise DataError(f"targets from {int(y.min())} to {int(y.max())}", expected=wanted)
    return p, y.astype(np.int64)
