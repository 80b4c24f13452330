"""Places for a graph: rows by the longest path, boxes in boxes, few crossings (Sugiyama, Tagawa and Toda, 1981)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from weft.view.graph.vertices import Vertex

GAP_X, GAP_Y, MARGIN, TITLE = 18.0, 30.0, 10.0, 18.0
LINE, CHARACTER = 15.0, 6.6  # the height of a line of text and the width of a letter


@dataclass(eq=False)
class Box:
    """A rectangle: of one vertex, or of a layer with what is in it; ``x, y`` are relative to the box around it."""

    title: str
    vertex: Vertex | None = None
    inside: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    def vertices(self) -> list[Vertex]:
        """All vertices inside, at any depth."""
        found, stack = [], [self]
        while stack:
            box = stack.pop()
            if box.vertex is not None:
                found.append(box.vertex)
            stack.extend(box.inside)
        return found


def nest(vertices: Sequence[Vertex], depth: int = 0, most: int | None = None) -> list[Box]:
    """Boxes for runs of vertices of the same layer, in their order, so that no two boxes depend on each other."""
    boxes: list[Box] = []
    run: list[Vertex] = []
    for k, vertex in enumerate(vertices):
        name = vertex.path[depth] if len(vertex.path) > depth else None
        if name is None:
            boxes.append(Box("", vertex))
            continue
        run.append(vertex)
        after = vertices[k + 1].path[depth : depth + 1] if k + 1 < len(vertices) else ()
        if after != (name,):
            boxes.append(_layer(name, run, depth, most))
            run = []
    return boxes


def _layer(name: str, run: list[Vertex], depth: int, most: int | None) -> Box:
    if most is not None and depth + 1 >= most:
        last = run[-1]
        ops = f"{len(run)} operation{'s' * (len(run) > 1)}"
        folded = Vertex(last.kind, f"{name}: {ops}", last.spec, last.path, last.place)
        return Box("", folded, [Box("", v) for v in run])
    return Box(name, None, nest(run, depth + 1, most))


def place(boxes: list[Box]) -> tuple[float, float]:
    """Give every box its place and size; the size of all together."""
    for box in boxes:
        _measure(box)
    sources = _sources(boxes)
    rows = _rows(boxes, sources)
    _order(rows, boxes, sources)
    widths = [sum(b.width for b in row) + GAP_X * (len(row) - 1) for row in rows]
    total, y = max(widths, default=0.0), 0.0
    for row, width in zip(rows, widths, strict=True):
        x = (total - width) / 2
        for box in row:
            box.x, box.y = x, y
            x += box.width + GAP_X
        y += max(b.height for b in row) + GAP_Y
    return total, max(y - GAP_Y, 0.0)


def _measure(box: Box) -> None:
    if box.vertex is not None:
        letters = max(len(text_of(box.vertex)), len(box.vertex.spec))
        box.width, box.height = max(64.0, letters * CHARACTER + 16), 2 * LINE + 8
        return
    width, height = place(box.inside)
    box.width = max(width, len(box.title) * CHARACTER) + 2 * MARGIN
    box.height = height + TITLE + 2 * MARGIN
    for inner in box.inside:
        inner.x += (box.width - width) / 2
        inner.y += TITLE + MARGIN


def text_of(vertex: Vertex) -> str:
    """The first line of a vertex: what it is, and the numbers it takes."""
    return " ".join([vertex.label, *vertex.numbers[:2], *(["…"] if len(vertex.numbers) > 2 else [])])


def _sources(boxes: list[Box]) -> dict[int, list[Box]]:
    """For each box the boxes beside it from which it takes something."""
    home = {id(v): box for box in boxes for v in box.vertices()}
    found: dict[int, list[Box]] = {}
    for box in boxes:
        near: dict[int, Box] = {}
        for vertex in box.vertices():
            for source in vertex.inputs:
                other = home.get(id(source))
                if other is not None and other is not box:
                    near[id(other)] = other
        found[id(box)] = list(near.values())
    return found


def _rows(boxes: list[Box], sources: dict[int, list[Box]]) -> list[list[Box]]:
    """Each box below all that it takes from; what takes from nothing stands just above its first use."""
    rank: dict[int, int] = {}
    for box in boxes:  # in an order in which sources come first
        rank[id(box)] = max((rank[id(s)] + 1 for s in sources[id(box)]), default=0)
    users: dict[int, list[int]] = {}
    for box in boxes:
        for s in sources[id(box)]:
            users.setdefault(id(s), []).append(rank[id(box)])
    for box in boxes:
        if not sources[id(box)] and id(box) in users:
            rank[id(box)] = min(users[id(box)]) - 1
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        rows.setdefault(rank[id(box)], []).append(box)
    return [rows[k] for k in sorted(rows)]


def _order(rows: list[list[Box]], boxes: list[Box], sources: dict[int, list[Box]]) -> None:
    """Sort each row by where its neighbours stand, downwards and upwards in turns, to cross few lines."""
    targets: dict[int, list[Box]] = {}
    for box in boxes:
        for s in sources[id(box)]:
            targets.setdefault(id(s), []).append(box)
    for turn in range(4):
        near: Any = sources if turn % 2 == 0 else targets
        at = {id(b): k / max(len(row) - 1, 1) for row in rows for k, b in enumerate(row)}
        for row in rows if turn % 2 == 0 else reversed(rows):
            middle = {}
            for b in row:
                places = [at[id(n)] for n in near.get(id(b), [])]
                middle[id(b)] = sum(places) / len(places) if places else at[id(b)]
            row.sort(key=lambda b: middle[id(b)])
            at.update({id(b): k / max(len(row) - 1, 1) for k, b in enumerate(row)})
