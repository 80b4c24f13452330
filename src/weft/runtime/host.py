"""Exact work on small values, done by NumPy: reading an element must not cost the compilation of a program.

Only ops that give the same bits on the host take part: those that move elements, and arithmetic of whole numbers
and truth values. Floating-point arithmetic always runs the same way, so that a result never depends on how often
it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.graph.check import entry_specs
from weft.graph.dtype import DType
from weft.graph.function import fetch
from weft.graph.lowering import lowering
from weft.graph.op import Op
from weft.graph.recording import Entry, Graph
from weft.graph.spec import Spec

SMALL = 1 << 16  # bytes: more is worth a program
MOST_ENTRIES = 64


def runs_on_host(graph: Graph, platform: str) -> bool:
    """Whether every entry of ``graph`` is exact, and small; a large input is no trouble where it need not be copied."""
    if platform != "cpu" and any(spec.nbytes > SMALL for spec in graph.inputs):
        return False
    if len(graph.entries) > MOST_ENTRIES or not all(entry[0].exact and entry[3] == 1 for entry in graph.entries):
        return False
    values: list[Spec] = []
    for (op, refs, _, _), (made,) in zip(graph.entries, entry_specs(graph), strict=True):
        specs = [(values[r] if r >= 0 else graph.inputs[~r]) for r in refs if type(r) is int]
        if not is_exact(op, specs) or made.nbytes > SMALL:
            return False
        values.append(made)
    return True


def is_exact(op: Op, operands: Sequence[Spec]) -> bool:
    """Whether NumPy gives the bits that XLA gives for operands of these specs."""
    if op.exact == "whole" and not all(_is_whole(x.dtype) for x in operands):
        return False
    large = operands[1:] if op.exact == "part" else operands  # a part of something large is small
    return bool(op.exact) and all(x.nbytes <= SMALL for x in large)


def _is_whole(dtype: DType) -> bool:
    return dtype.kind in ("bool", "int", "uint")


def interpret(entries: Sequence[Entry], arguments: Sequence[Any]) -> list[Any]:
    """The values of all ``entries``, by NumPy."""
    arrays = [np.asarray(a) for a in arguments]
    values: list[Any] = []
    lowering.host = True
    try:
        with np.errstate(all="ignore"):
            for op, refs, params, _ in entries:
                lower = op.host or op.lower
                values.append(np.asarray(lower(*(fetch(r, values, arrays) for r in refs), **dict(params))))
    finally:
        lowering.host = False
    return values


class HostProgram:
    """A graph of exact entries: called like a program, and as immutable in what it gives."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        graph = self.graph
        typed = [np.asarray(a, spec.dtype.numpy) for a, spec in zip(arguments, graph.inputs, strict=True)]
        values = interpret(graph.entries, typed)
        # Copies: a view of an argument would change with it when that is donated.
        return [np.array(fetch(r, values, typed)) for r in graph.outputs]
