"""Values computed beside a recording, which neither runs nor changes: exact ones on the host, and for other threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from weft.graph.node import Node
from weft.graph.recording import Entry, Graph, prune
from weft.runtime.host import MOST_ENTRIES, interpret, runs_on_host
from weft.runtime.programs import program_for

if TYPE_CHECKING:
    from weft.runtime.log import Log


def peek(log: Log, node: Node) -> bool:
    """Give ``node`` alone its value, where exact work on the host is enough for it."""
    found = _exact_past(log, node)
    if found is None:
        return False
    entries, arguments = found
    log.give(node, np.array(interpret(entries, arguments)[-1], node.spec.dtype.numpy))
    node.recording = None
    if node.inputs:
        log.history.append(ref(node))
    _forget_tail(log)
    return True


def _exact_past(log: Log, node: Node) -> tuple[list[Entry], list[Any]] | None:
    """The entries that lead to ``node`` and the values they begin with, if all are exact, small and there."""
    if not node.op or not node.op.exact or len(log.entries) != log.count:
        return None  # an entry of several results: positions are not numbers
    places = _places(log, node.number)
    if places is None:
        return None
    order = sorted(n for n in places if n >= 0)
    inputs = sorted(~n for n in places if n < 0)
    renamed = {n: k for k, n in enumerate(order)} | {~slot: ~k for k, slot in enumerate(inputs)}
    entries = [
        (op, tuple(renamed[r] if type(r) is int else r for r in refs), params, 1)
        for op, refs, params, _ in (log.entries[n] for n in order)
    ]
    specs = tuple(log.specs[slot] for slot in inputs)
    if not runs_on_host(Graph(specs, tuple(entries), (len(entries) - 1,)), log.device.kind):
        return None
    held = [log.leaves[slot] for slot in inputs]
    values = [leaf.data if type(leaf) is Node else leaf for leaf in held]
    return entries, [np.asarray(v, spec.dtype.numpy) for v, spec in zip(values, specs, strict=True)]


def _places(log: Log, last: Any) -> set[int] | None:
    """The numbers of all values behind the value ``last``, if few entries make them and all are exact."""
    wanted: list[Any] = [last]
    places: set[int] = set()
    while wanted:
        number = wanted.pop()
        if type(number) is not int or number in places:
            continue
        if number >= 0:
            op, refs, _, _ = log.entries[number]
            if not op.exact or len(places) > MOST_ENTRIES:
                return None
            wanted.extend(refs)
        places.add(number)
    return places


def _forget_tail(log: Log) -> None:
    """Take back the last entries if nobody holds their values: they are no part of what is being recorded."""
    while log.nodes and log.nodes[-1]() is None:
        log.nodes.pop()
    live = {node.number for r in log.nodes if (node := r()) is not None and node.recording is log}
    kept = log.count
    while kept and kept - 1 not in live:
        kept -= 1
    if kept == log.count:
        return
    used = {r for entry in log.entries[:kept] for r in entry[1] if type(r) is int} | live
    inputs = len(log.leaves)
    while inputs and ~(inputs - 1) not in used:
        inputs -= 1
    del log.notes[kept:]  # what is left over, `mend` takes back
    del log.leaves[inputs:]
    log.mend()


def run_apart(log: Log, node: Node) -> None:
    """Compute ``node`` for another thread than that of ``log``: from a copy of what is recorded."""
    while node.data is None and node.recording is log:
        generation, number = log.generation, node.number
        entries, notes, specs = tuple(log.entries), tuple(log.notes), tuple(log.specs)
        leaves = log.leaves[: len(specs)]
        numbers = tuple(slot for slot in log.numbers if slot < len(specs))
        if log.generation != generation:
            continue  # its own thread has cut it meanwhile
        graph = prune(Graph(specs, entries, (number,), notes[: len(entries)], numbers))
        arguments = [held.data if type(held) is Node else held for held in leaves]
        log.give(node, program_for(graph, log.device)(arguments)[0])
