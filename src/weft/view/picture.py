"""A figure as an <img> that carries its own data: sharp where that is small, a bitmap where it is not."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from weft.view.style import look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARP_BYTES = 250_000
"""A vector picture above this size (a thousand points, say) is drawn as a bitmap."""


def embed(name: str, figure: Figure, budget: int) -> str:
    """An <img> element with a data URI of at most ``budget`` bytes where the coarsest bitmap allows it.

    >>> from weft.view.style import new_figure
    >>> embed("empty", new_figure(), budget=100_000)[:39]
    '<img alt="empty" src="data:image/svg+xm'
    """
    svg = _uri("image/svg+xml", _draw(figure, "svg"))
    if len(svg) <= min(SHARP_BYTES, budget):
        return _img(name, svg)
    for dpi in (160, 110, 80, 50):
        png = _uri("image/png", _draw(figure, "png", dpi))
        if len(png) <= budget:
            break
    return _img(name, png)


def _draw(figure: Figure, kind: str, dpi: int = 100) -> bytes:
    buffer = io.BytesIO()
    # Without a date the same run gives the same file.
    metadata = {"Date": None} if kind == "svg" else None
    with look():
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _img(name: str, uri: str) -> str:
    return f'<img alt="{html.escape(name)}" src="{uri}">'
