"""What a picture shows, in words above it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from weft.view.style import INK


def wrapped(text: str) -> list[str]:
    """Lines of small print as wide as a picture of seven inches: longer ones would squeeze its axes.

    >>> len(wrapped("twenty letters each " * 10))
    3
    """
    return textwrap.wrap(text, 98)


def caption(axes: Any, title: str, lines: Sequence[str]) -> None:
    """A bold title with lines of small print between it and the axes.

    >>> from weft.view.style import new_figure
    >>> axes = new_figure().subplots()
    >>> caption(axes, "Loss", ["lower is better"])
    >>> axes.texts[0].get_text()
    'lower is better'
    """
    axes.set_title(title, loc="left", pad=8 + 12.5 * len(lines))
    if lines:
        axes.annotate(
            "\n".join(lines),
            (0, 1),
            (0, 5),
            xycoords="axes fraction",
            textcoords="offset points",
            va="bottom",
            fontsize=8.5,
            linespacing=1.35,
            color=INK,
        )
