"""A schedule as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from weft.optim.schedules.schedule import Schedule


def plot(schedule: Schedule, steps: int, path: Any = None) -> Any:
    """The curve of a schedule over its first steps, as a figure of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    t = np.arange(steps)
    axes.plot(t, schedule(t), drawstyle="steps-post" if steps <= 200 else "default", linewidth=2)
    axes.set_xlabel("step")
    axes.set_ylabel("value")
    axes.set_title(repr(schedule), fontsize=9, wrap=True)
    axes.set_xlim(0, max(steps - 1, 1))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
