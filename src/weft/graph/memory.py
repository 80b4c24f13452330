"""Backward passes remembered: a recording that has been differentiated once is not walked again.

A training loop records the same operations at every step. What ``backward`` adds to them follows from what is
recorded already, so it is kept under that key and appended as a whole: a few microseconds instead of a walk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import ref

from weft.graph.gradient import gradients_of_owners
from weft.graph.node import Node, wrap
from weft.graph.recording import Literal, Recording, Trace, context
from weft.graph.source import user_source

CAPACITY = 256


class Passage(NamedTuple):
    """What a backward pass appends, and which values of it belong to which input."""

    entries: list[Any]
    paths: list[str]
    values: int
    bytes: int
    found: tuple[tuple[int, Any, Any, Any, int], ...]  # slot of the owner; op, params, spec and number of its gradient


_passages: dict[Any, Passage] = {}


def backward_pass(result: Any, cotangent: Any, finish: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
    """The owners from which ``result`` was computed, with ``finish`` of their gradients, recorded without history.

    ``finish`` is one function for all passes: what it records is remembered with the rest.
    """
    recording, root = context.recording, result.node
    key = _key(recording, root, cotangent.node)
    if key is None:
        return gradients_of_owners(result, cotangent, finish)
    passage = _passages.get(key)
    if passage is not None:
        return _append(recording, passage)
    generation, entries, values, size, slots = (
        recording.generation,
        len(recording.entries),
        recording.count,
        recording.bytes,
        len(recording.leaves),
    )
    found = gradients_of_owners(result, cotangent, finish)
    unbroken = recording.generation == generation and len(recording.leaves) == slots
    if unbroken and all(g.node.recording is recording and g.node.op is not None for _, g in found):
        if len(_passages) >= CAPACITY:
            _passages.clear()
        _passages[key] = Passage(
            recording.entries[entries:],
            [path for *_, path in recording.notes[entries:]],
            recording.count - values,
            recording.bytes - size,
            tuple(
                (~recording.slots[id(o.node)], g.node.op, g.node.params, g.node.spec, g.node.number) for o, g in found
            ),
        )
    return found


def _key(recording: Recording, root: Node, seed: Node) -> Any:
    """All that a backward pass depends on, or None where it reaches beyond this recording."""
    if (
        isinstance(recording, Trace)
        or recording.begun
        or root.recording is not recording
        or type(seed.number) is not Literal
        or seed.spec is not root.spec
    ):
        return None
    for leaf in recording.leaves:
        # An input with a past of its own, or one that has been assigned since, takes the long way.
        if type(leaf) is Node and leaf.tracked and (leaf.inputs or leaf.ended is not None or leaf.owner is None):
            return None
    tracked = tuple([type(leaf) is Node and leaf.tracked for leaf in recording.leaves])
    return (root.number, tuple(recording.entries), tuple(recording.specs), tuple(recording.tracked), tracked)


def _append(recording: Recording, passage: Passage) -> list[tuple[Any, Any]]:
    source = user_source()
    try:
        recording.entries.extend(passage.entries)
        recording.notes.extend([(*source[:2], path) for path in passage.paths])
        recording.count += passage.values
    except BaseException:  # an interruption
        recording.mend()
        raise
    recording.bytes += passage.bytes
    result = []
    for slot, op, params, spec, number in passage.found:
        owner = recording.leaves[~slot].owner()
        if owner is not None:
            node = Node(op, (), params, spec, recording, number, False, source)
            recording.nodes.append(ref(node))
            result.append((owner, wrap(node)))
    return result
