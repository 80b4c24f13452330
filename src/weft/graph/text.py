"""The printer: a recording as text, stable enough to compare and short enough to read."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase
from textwrap import indent
from typing import Any

from weft.errors import ArgumentError
from weft.graph.check import entry_specs
from weft.graph.dtype import DType
from weft.graph.node import Handle
from weft.graph.recording import Graph, Params, Reference, prune
from weft.graph.source import Place, Source

_NOTE_COLUMN = 64


def to_text(graph: Graph, *, notes: bool = False) -> str:
    """``graph`` as text: inputs are letters, values numbers; with ``notes`` also where each entry comes from.

    A line reads ``%0: float32[4,3] = multiply %a, 2.0``: result, its spec, op, operands, parameters.
    """
    inputs = ", ".join(f"%{letters(slot)}: {spec!r}" for slot, spec in enumerate(graph.inputs))
    lines, number = [], 0
    for position, ((op, refs, params, _), specs) in enumerate(zip(graph.entries, entry_specs(graph), strict=True)):
        results = ", ".join(f"%{number + k}: {spec!r}" for k, spec in enumerate(specs))
        operands = ", ".join([*map(name, refs), *_parameters(params)])
        line = f"{results} = {op.name} {operands}".rstrip()
        lines.append(_annotated(line, graph.notes[position]) if notes and graph.notes else line)
        number += len(specs)
    lines.append("return " + ", ".join(map(name, graph.outputs)) if graph.outputs else "return")
    return f"graph({inputs}) {{\n{indent(chr(10).join(lines), '  ')}\n}}"


def tensor_text(tensor: Handle, *, notes: bool = False) -> str:
    """The text of what is recorded and has not run yet, as far as ``tensor`` needs it.

    >>> import weft as wf
    >>> from weft.graph.text import tensor_text
    >>> print(tensor_text(wf.tensor([1.0, 2.0]) * 3.0))
    graph(%a: float32[2], %b: float32[]) {
      %0: float32[2] = multiply %a, %b
      return %0
    }
    """
    if not isinstance(tensor, Handle):
        raise ArgumentError(f"the text of {type(tensor).__name__}", expected="a tensor", cure="print(wf.text(loss))")
    node, recording = tensor.node, tensor.node.recording
    if recording is None:
        return f"{node.spec!r}, computed" + (f" by {node.op.name}" if node.op else "")
    entries, inputs = tuple(recording.entries), tuple(recording.specs)
    return to_text(_trimmed(prune(Graph(inputs, entries, (node.number,), tuple(recording.notes)))), notes=notes)


def name(reference: Reference) -> str:
    """How the text names a value: ``%0``, the input ``%a``, or a number itself."""
    if type(reference) is not int:
        return str(reference)
    return f"%{reference}" if reference >= 0 else f"%{letters(~reference)}"


def letters(slot: int) -> str:
    """a, b, …, z, aa, ab, …

    >>> letters(0), letters(25), letters(26)
    ('a', 'z', 'aa')
    """
    rest, last = divmod(slot, 26)
    return (letters(rest - 1) if rest else "") + ascii_lowercase[last]


def _parameters(params: Params) -> list[str]:
    return [f"{key}={_parameter(value)}" for key, value in params]


def _parameter(value: Any) -> str:
    if isinstance(value, DType):
        return value.name
    return to_text(value) if isinstance(value, Graph) else repr(value)


def _annotated(line: str, note: Place) -> str:
    source = Source(*note)
    place = f"{Path(source.code.co_filename).name}:{source.line}"
    first, *rest = line.split("\n")
    return "\n".join([f"{first:<{_NOTE_COLUMN}}# {place}  {source.path}".rstrip(), *rest])


def _trimmed(graph: Graph) -> Graph:
    """The graph without the inputs that nothing uses."""
    references = [r for _, refs, _, _ in graph.entries for r in refs] + list(graph.outputs)
    used = sorted({~r for r in references if type(r) is int and r < 0})
    places = {~old: ~new for new, old in enumerate(used)}

    def rename(r: Reference) -> Reference:
        return places.get(r, r) if type(r) is int else r

    entries = tuple((op, tuple(map(rename, refs)), params, n) for op, refs, params, n in graph.entries)
    return Graph(tuple(graph.inputs[k] for k in used), entries, tuple(map(rename, graph.outputs)), graph.notes)
