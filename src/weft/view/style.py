"""One look for every picture: colours that survive colour blindness and a grey printer, no global state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, YELLOW, INK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
    "#222222",
)
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, YELLOW, INK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#767676"

_LOOK: dict[str, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "white",
    "legend.fancybox": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110.0,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.10,
    "svg.fonttype": "path",  # the same letters on every machine
    "svg.hashsalt": "weft",  # the same file for the same picture
    "path.simplify": True,
}


@contextmanager
def look() -> Iterator[None]:
    """Weft's style inside the block; the caller's own matplotlib settings are back after it."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def new_figure(width: float = 7.0, height: float = 4.2) -> Figure:
    """An empty figure in inches; it belongs to nobody's pyplot and is freed with its last reference."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plain(text: str) -> str:
    r"""The text with its dollar signs as dollar signs: a pair of them would begin matplotlib's formulas.

    >>> plain("from $1 to $2")
    'from \\$1 to \\$2'
    """
    return text.replace("$", r"\$")


def spans_decades(*curves: NDArray[np.float64] | None, most: float = 1.0) -> bool:
    """Whether a linear axis would flatten most of the curves: all positive, the largest over 20 times the least.

    ``most`` is the quantile that stands for the largest.

    >>> spans_decades(np.array([10.0, 0.1]), None), spans_decades(np.array([10.0, 0.0]))
    (True, False)
    """
    values = np.concatenate([c[np.isfinite(c)] for c in curves if c is not None])
    return bool(len(values) and values.min() > 0 and np.quantile(values, most) > 20 * values.min())


def light(colour: str, share: float = 0.25) -> tuple[float, float, float]:
    """The colour on white paper at this share: for areas behind points.

    >>> tuple(round(part, 2) for part in light("#000000", 0.25))
    (0.75, 0.75, 0.75)
    """
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (1 - share + share * part for part in parts)
    return r, g, b
