"""A computation as vertices and edges: from what is recorded, and from the history of what has run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from weft.graph.check import entry_specs
from weft.graph.dtype import uint32
from weft.graph.node import Handle, Node
from weft.graph.recording import Graph, Literal, Recording
from weft.graph.source import Source
from weft.graph.spec import Spec

KEY = "random key"
_KEY = Spec((2,), uint32)


@dataclass(eq=False)
class Vertex:
    """One value, or the several of one application."""

    kind: str  # "op", "gradient", "parameter" or "data"
    label: str
    spec: str
    path: tuple[str, ...] = ()  # the layers around it, from the outside
    place: str = ""  # the user's line
    inputs: list[Vertex] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)  # constants among the operands


def collect(tensors: Sequence[Handle]) -> list[Vertex]:
    """The vertices from which ``tensors`` follow, each after its inputs."""
    return Collection().follow([t.node for t in tensors])


class Recorded:
    """A recording as it is now: which entry makes which value, and their specs."""

    def __init__(self, recording: Recording) -> None:
        self.entries, self.notes, self.leaves = recording.entries, recording.notes, recording.leaves
        self.specs = list(entry_specs(Graph(tuple(recording.specs), tuple(recording.entries), ())))
        self.position = [k for k, entry in enumerate(recording.entries) for _ in range(entry[3])]


class Collection:
    """The walk from results to inputs; without recursion, since a chain may be ten thousand long."""

    def __init__(self) -> None:
        self.recordings: dict[int, Recorded] = {}
        self.made: dict[Any, Vertex] = {}
        self.kept: list[Any] = []  # the nodes whose ids are keys

    def follow(self, roots: Sequence[Node]) -> list[Vertex]:
        """The vertices of all values behind ``roots``."""
        stack: list[tuple[Any, bool]] = [(self.key(root), False) for root in reversed(roots)]
        while stack:
            key, ready = stack.pop()
            if key in self.made:
                continue
            sources = self.sources(key)
            if not ready:
                stack.append((key, True))
                stack.extend((s, False) for s in reversed(sources) if not isinstance(s, str) and s not in self.made)
                continue
            vertex = self.vertex(key)
            vertex.inputs = [self.made[s] for s in sources if not isinstance(s, str)]
            vertex.numbers = [s for s in sources if isinstance(s, str)]
            self.made[key] = vertex
        return list(self.made.values())

    def key(self, node: Node) -> Any:
        """What stands for a node: the entry that makes it, itself, or the text of a number."""
        if isinstance(node.number, Literal):
            return node.number.text
        if type(node.data) in (bool, int, float, complex):
            return f"{node.data:g}" if isinstance(node.data, float) else str(node.data)
        if node.recording is not None and node.op is not None:
            if id(node.recording) not in self.recordings:
                self.recordings[id(node.recording)] = Recorded(node.recording)
            return (id(node.recording), self.recordings[id(node.recording)].position[node.number])
        origin = node.inputs[0] if node.params and node.params[0][0] == "result" and node.inputs else node
        self.kept.append(origin)
        return origin

    def sources(self, key: Any) -> list[Any]:
        """The keys of a value's operands."""
        if isinstance(key, Node):
            return [self.key(n) for n in key.inputs]
        recorded = self.recordings[key[0]]
        found: list[Any] = []
        for r in recorded.entries[key[1]][1]:
            if isinstance(r, Literal):
                found.append(r.text)
            elif r >= 0:
                found.append((key[0], recorded.position[r]))
            else:
                leaf = recorded.leaves[~r]
                node = leaf.node if isinstance(leaf, Handle) else leaf
                found.append(self.key(node) if isinstance(node, Node) else f"{node:g}")
        return found

    def vertex(self, key: Any) -> Vertex:
        """How a value is shown."""
        if not isinstance(key, Node):
            recorded = self.recordings[key[0]]
            (op, *_), source = recorded.entries[key[1]], recorded.notes[key[1]]
            return _application(op.name, recorded.specs[key[1]], source[2], source[:2])
        spec: Any = key.spec
        specs = spec if isinstance(spec, tuple) else (spec,)
        if key.op is not None:
            return _application(key.op.name, specs, key.path, key.source and key.source[:2])
        owner: Any = key.owner() if key.owner is not None else None
        if owner is None:
            return Vertex("data", KEY if specs[0] is _KEY else "data", _text(specs))
        name = str(getattr(owner, "name", "") or "parameter")
        return Vertex("parameter", name, _text(specs))


def _application(name: str, specs: Sequence[Spec], path: str, source: Any) -> Vertex:
    gradient = path.startswith("∇") or name.startswith("∇")
    layers = tuple(part for part in path.lstrip("∇").split(".") if part)
    place = str(Source(*source)) if source is not None else ""
    return Vertex("gradient" if gradient else "op", name, _text(specs), layers, place)


def _text(specs: Sequence[Spec]) -> str:
    return ", ".join(f"{s.dtype.name} {'×'.join(map(str, s.shape)) or 'scalar'}" for s in specs)
