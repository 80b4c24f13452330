"""The picture itself, as SVG that any browser shows: no other program is needed."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from weft.errors import ArgumentError
from weft.graph.node import Handle
from weft.storage.files import write_atomically
from weft.view.graph.layering import GAP_X, LINE, TITLE, Box, nest, place, text_of
from weft.view.graph.vertices import KEY, Vertex, collect
from weft.view.style import BLUE, GREEN, GREY, INK, ORANGE

MOST = 3000  # values: a larger picture helps nobody
_EDGE, _BETWEEN = 24.0, 3 * GAP_X
_COLOURS = {"op": INK, "gradient": ORANGE, "parameter": BLUE, "data": GREEN}
_FILLS = {"op": "#FFFFFF", "gradient": "#FDF3E0", "parameter": "#E3EFF7", "data": "#E0F3EC"}
_WORDS = {"op": "operation", "gradient": "gradient", "parameter": "parameter", "data": "data"}


class Drawing:
    """A picture of a computation: notebooks show it, ``save`` writes it, ``svg`` is its text."""

    def __init__(self, svg: str, vertices: int) -> None:
        self.svg, self.vertices = svg, vertices

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file whose name ends in ``.svg``, whole or not at all; folders are made."""
        target = Path(path)
        if target.suffix.lower() != ".svg":
            raise ArgumentError(f"a drawing saved as {target.name}", expected="a name that ends in .svg")
        return write_atomically(target, self.svg)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing of {self.vertices} values: .save('graph.svg') writes it>"


def draw(*tensors: Any, depth: int | None = None) -> Drawing:
    """The computation behind ``tensors``: layers as boxes, gradients in their own colour, beside what they belong to.

    What is recorded is drawn without being run; of what has run, the part that can be differentiated. ``depth``
    folds layers that lie deeper into one box each. Data flow downwards, gradients upwards.

    >>> import weft as wf
    >>> w = wf.tensor([1.0, 2.0], requires_grad=True)
    >>> wf.draw(((w - 3) ** 2).sum())
    <Drawing of 4 values: .save('graph.svg') writes it>
    """
    if not tensors or not all(isinstance(t, Handle) for t in tensors):
        raise ArgumentError("draw of something that is no tensor", expected="one or more tensors", cure="wf.draw(loss)")
    if depth is not None and depth < 1:
        raise ArgumentError(f"draw with depth={depth}", expected="1 or more: how many levels of layers are opened")
    vertices = collect(tensors)
    if len(vertices) > MOST:
        raise ArgumentError(
            f"a drawing of {len(vertices)} values",
            expected=f"at most {MOST}",
            cure="print(wf.text(t)), or a smaller model",
        )
    canvas = Canvas()
    canvas.lay(_at_first_use([v for v in vertices if v.kind != "gradient"]), depth, upwards=False)
    canvas.lay([v for v in vertices if v.kind == "gradient"], depth, upwards=True)
    return Drawing(canvas.svg(vertices), len(vertices))


def _at_first_use(vertices: list[Vertex]) -> list[Vertex]:
    """Parameters and data just before what first uses them; parameters and random keys inside its layer."""
    user: dict[int, Vertex] = {}
    for vertex in vertices:
        for source in vertex.inputs:
            user.setdefault(id(source), vertex)
    leaves: dict[int, list[Vertex]] = {}
    rest = []
    for vertex in vertices:
        first = user.get(id(vertex))
        if vertex.inputs or first is None:
            rest.append(vertex)
            continue
        if vertex.kind == "parameter" or vertex.label == KEY:
            vertex.path = first.path
        leaves.setdefault(id(first), []).append(vertex)
    return [v for vertex in rest for v in (*leaves.get(id(vertex), []), vertex)]


Rectangle = tuple[float, float, float, float]  # left, top, width, height


class Canvas:
    """Where everything stands: data flow down the first column, gradients up the second."""

    def __init__(self) -> None:
        self.spots: dict[int, Rectangle] = {}  # of each vertex, by its id
        self.cells: list[tuple[Vertex, Rectangle]] = []
        self.layers: list[tuple[str, Rectangle]] = []
        self.right = _EDGE
        self.height = 0.0

    def lay(self, vertices: list[Vertex], depth: int | None, *, upwards: bool) -> None:
        """Place a column."""
        if not vertices:
            return
        boxes = nest(vertices, most=depth)
        width, height = place(boxes)
        self.settle(boxes, self.right, _EDGE, height if upwards else None)
        self.right += width + _BETWEEN
        self.height = max(self.height, height)

    def settle(self, boxes: list[Box], x: float, y: float, mirrored: float | None) -> None:
        """Note the place of each box on the page; ``mirrored``: within this height, from the bottom up."""
        for box in boxes:
            top = y + (box.y if mirrored is None else mirrored - box.y - box.height)
            spot = (x + box.x, top, box.width, box.height)
            if box.vertex is None:
                self.layers.append((box.title, spot))
                self.settle(box.inside, spot[0], top, None if mirrored is None else box.height + TITLE)
                continue
            self.cells.append((box.vertex, spot))
            self.spots.update({id(v): spot for v in box.vertices()})

    def svg(self, vertices: list[Vertex]) -> str:
        """The picture as text."""
        kinds = [k for k in _COLOURS if any(v.kind == k for v in vertices)]
        width = max(self.right - _BETWEEN + _EDGE, 2 * _EDGE + 100.0 * len(kinds))
        height = self.height + 2 * _EDGE + 24
        lines = {_line(self.spots[id(s)], self.spots[id(v)]) for v in vertices for s in v.inputs}
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '  # noqa: ISC004
                f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="11">',
                f'<rect width="{width:.0f}" height="{height:.0f}" fill="#FFFFFF"/>',
                *(_layer(title, spot) for title, spot in self.layers),
                *sorted(lines - {""}),
                *(_cell(vertex, spot) for vertex, spot in self.cells),
                *_legend(kinds, height - 22),
                "</svg>",
            ]
        )


def _layer(title: str, spot: Rectangle) -> str:
    x, y, width, height = spot
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8" fill="{GREY}" '
        f'fill-opacity="0.08" stroke="{GREY}" stroke-opacity="0.5"/>'
        f'<text x="{x + 10:.1f}" y="{y + 16:.1f}" font-weight="bold" fill="{GREY}">{escape(title)}</text>'
    )


def _cell(vertex: Vertex, spot: Rectangle) -> str:
    (x, y, width, height), colour = spot, _COLOURS[vertex.kind]
    middle = x + width / 2
    radius = 4 if vertex.inputs or vertex.kind in ("op", "gradient") else height / 2
    return (
        f"<g><title>{escape(vertex.place or _WORDS[vertex.kind])}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.0f}" '
        f'fill="{_FILLS[vertex.kind]}" stroke="{colour}"/>'
        f'<text x="{middle:.1f}" y="{y + LINE + 1:.1f}" text-anchor="middle" fill="{INK}">'
        f"{escape(text_of(vertex))}</text>"
        f'<text x="{middle:.1f}" y="{y + 2 * LINE - 1:.1f}" text-anchor="middle" font-size="9" fill="{GREY}">'
        f"{escape(vertex.spec)}</text></g>"
    )


def _line(source: Rectangle, target: Rectangle) -> str:
    """A curve from the edge of one cell to that of another; nothing within a folded layer."""
    if source == target:
        return ""
    (sx, sy, sw, sh), (tx, ty, tw, th) = source, target
    x1, x2 = sx + sw / 2, tx + tw / 2
    if ty >= sy + sh:
        y1, y2 = sy + sh, ty
    elif ty + th <= sy:
        y1, y2 = sy, ty + th
    else:  # side by side
        y1, y2 = sy + sh / 2, ty + th / 2
        x1, x2 = (sx + sw, tx) if tx > sx else (sx, tx + tw)
    bend = (y2 - y1) / 2
    return (
        f'<path d="M{x1:.1f},{y1:.1f} C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 - bend:.1f} {x2:.1f},{y2:.1f}" '
        f'fill="none" stroke="{GREY}" stroke-opacity="0.7"/><circle cx="{x2:.1f}" cy="{y2:.1f}" r="2.2" fill="{GREY}"/>'
    )


def _legend(kinds: list[str], y: float) -> list[str]:
    made = []
    for k, kind in enumerate(kinds):
        x = _EDGE + 100.0 * k
        made.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="12" height="12" rx="2" fill="{_FILLS[kind]}" '
            f'stroke="{_COLOURS[kind]}"/>'
            f'<text x="{x + 18:.0f}" y="{y + 10:.0f}" fill="{INK}">{_WORDS[kind]}</text>'
        )
    return made
