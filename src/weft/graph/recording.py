"""A recording: the append-only log of what was asked for, which already is the program and its cache key.

Values are named by integers. A value made by the recording has a number counted from 0; an input has a negative
one, ``~slot``. A `Literal` stands in the place of a number that belongs to the program's text.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from weakref import ref

from weft.errors import DeviceError, ValueNeededError
from weft.graph.dtype import DType, check_whole
from weft.graph.node import Handle, Node, leaf, next_order, wrap
from weft.graph.source import Place, Source, user_source
from weft.graph.spec import Spec

if TYPE_CHECKING:
    from weft.graph.op import Op


_new = object.__new__


class Literal(NamedTuple):
    """A number that is part of the program: equal when it is written the same."""

    text: str
    dtype: DType

    @property
    def value(self) -> bool | int | float | complex:
        """The number itself; whole numbers keep all their digits."""
        if self.text in ("True", "False"):
            return self.text == "True"
        if self.dtype.kind == "complex":
            return complex(self.text)
        return int(self.text) if self.text.lstrip("-").isdigit() else float(self.text)

    def __repr__(self) -> str:
        return self.text


Reference = int | Literal
Params = tuple[tuple[str, Any], ...]
Entry = tuple["Op", tuple[Reference, ...], Params, int]  # the last: how many results


class Graph:
    """A closed recording: the specs of its inputs, its entries, and which values are its results.

    Two graphs with the same structure are equal and hash alike, so a graph can be the key of its program and a
    static parameter of an op. ``numbers`` are the inputs that hold Python numbers; ``notes`` never compare.
    """

    __slots__ = ("_hash", "entries", "inputs", "notes", "numbers", "outputs")

    def __init__(
        self,
        inputs: tuple[Spec, ...],
        entries: tuple[Entry, ...],
        outputs: tuple[Reference, ...],
        notes: tuple[Place, ...] = (),
        numbers: tuple[int, ...] = (),
    ) -> None:
        self.inputs, self.entries, self.outputs = inputs, entries, outputs
        self.notes, self.numbers = notes, numbers
        self._hash = hash((inputs, entries, outputs, numbers))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Graph)
            and self._hash == other._hash
            and self.outputs == other.outputs
            and self.inputs == other.inputs
            and self.entries == other.entries
            and self.numbers == other.numbers
        )

    def __repr__(self) -> str:
        return f"<Graph {len(self.inputs)} inputs, {len(self.entries)} entries, {len(self.outputs)} results>"


class Recording:
    """The log itself: entries, the inputs met so far, and weak references to the nodes that somebody may hold."""

    parent: Recording | None = None
    generation = 0  # how often it has been cleared
    entries: list[Entry]
    notes: list[Place]
    tracked: list[int]
    count: int
    bytes: int
    nodes: list[ref[Node]]
    leaves: list[Any]
    specs: list[Spec]
    slots: dict[int, int]
    begun: bool
    most_values = 1 << 62  # a function's body is recorded whole, however long
    most_bytes = 1 << 62

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew; in one step, so that an interruption finds the old recording or the new one."""
        self.__dict__.update(self.blank())

    def blank(self) -> dict[str, Any]:
        """The attributes of a recording that holds nothing."""
        return {
            "entries": [],  # of Entry
            "notes": [],  # of Place, one for each entry: for errors, no part of the program
            "tracked": [],  # the first values of the entries whose results can be differentiated
            "count": 0,  # of values
            "bytes": 0,  # of values
            "nodes": [],  # weak references to what somebody may hold
            "leaves": [],  # the inputs met so far
            "specs": [],  # and their specs
            "slots": {},  # the place of each input, by the id of its node
            "begun": False,  # whether a history begins at a value that is recorded here and not at an input
            "generation": self.generation + 1,
        }

    def mend(self) -> None:
        """Take back what an interruption left half recorded: entries and inputs are whole, or not there."""
        whole = min(len(self.entries), len(self.notes))
        for part in (self.entries, self.notes):
            del part[whole:]
        self.count = sum(entry[3] for entry in self.entries)
        self.tracked = [number for number in self.tracked if number < self.count]
        known = min(len(self.leaves), len(self.specs))
        for inputs in (self.leaves, self.specs):
            del inputs[known:]
        self.slots = {key: slot for key, slot in self.slots.items() if slot < known}

    def full(self, source: Place) -> None:
        """Called when the recording passes its bounds; ``source`` is the line of its last entry."""

    def add(
        self,
        op: Op,
        refs: tuple[Reference, ...],
        params: Params,
        spec: Spec | tuple[Spec, ...],
        inputs: tuple[Node, ...],
        source: Any,
    ) -> Node | tuple[Node, ...]:
        """Append one application; its result, or its results where it has several."""
        if type(spec) is not Spec:
            return self.add_several(op, refs, params, spec, inputs, source)  # type: ignore[arg-type]
        number = self.count
        self.entries.append((op, refs, params, 1))
        self.notes.append(source)
        self.count = number + 1
        node = _new(Node)  # `Node(…)` written out: a call of the class would be a twentieth of all that recording costs
        node.op, node.inputs, node.params = op, inputs, params
        node.spec, node.recording, node.number = spec, self, number
        node.source, node.order, node.data = source, next_order(), None
        if inputs:
            self.tracked.append(number)
            node.tracked = True
        else:
            node.tracked = False
        self.nodes.append(ref(node))
        self.bytes += spec.nbytes
        if number >= self.most_values or self.bytes > self.most_bytes:
            self.full(source)
        return node

    def add_several(
        self, op: Op, refs: Any, params: Params, specs: tuple[Spec, ...], inputs: tuple[Node, ...], source: Any
    ) -> tuple[Node, ...]:
        """Append an application of several results: a node without a value, and one for each result of it."""
        number, tracked = self.count, bool(inputs)
        self.entries.append((op, refs, params, len(specs)))
        self.notes.append(source)
        self.count = number + len(specs)
        origin: tuple[Node, ...] = ()
        if tracked:
            self.tracked.append(number)
            origin = (Node(op, inputs, params, specs, self, number, True, source),)  # type: ignore[arg-type]
            self.nodes.append(ref(origin[0]))
        made = []
        for index, spec in enumerate(specs):
            smooth = tracked and spec.dtype.is_differentiable
            past = origin if smooth else ()
            result = Node(op, past, (("result", index),), spec, self, number + index, smooth, source)
            self.nodes.append(ref(result))
            self.bytes += spec.nbytes
            made.append(result)
        if self.count > self.most_values or self.bytes > self.most_bytes:
            self.full(source)
        return tuple(made)

    def slot(self, node: Node, held: Handle | Node) -> int:
        """The reference of an input, which is numbered when it is first met."""
        slot = self.slots.get(id(node))
        if slot is None:
            slot = self.slots[id(node)] = len(self.leaves)
            self.leaves.append(held)
            self.specs.append(node.spec)
        return ~slot

    def leaf(self, node: Node, handle: Handle) -> Reference:
        """The reference of a value that this recording did not make, and which ``handle`` holds."""
        raise NotImplementedError

    def number(self, value: complex, spec: Spec) -> Node:
        """A leaf for a Python number."""
        if type(value) is int:
            check_whole(value, spec.dtype)
        return literal(value, spec)

    def number_reference(self, value: complex, spec: Spec) -> Reference:
        """The reference of a Python number that no gradient will ask for."""
        if type(value) is int:
            check_whole(value, spec.dtype)
        return Literal(repr(value), spec.dtype)

    def reference(self, handle: Handle) -> Reference:
        """How this recording names the tensor ``handle``."""
        node = handle.node
        return node.number if node.recording is self else self.leaf(node, handle)

    def alias(self, handle: Handle, *, tracked: bool) -> Node:
        """A new leaf with the value of ``handle`` and no history."""
        node = Node(None, (), (), handle.node.spec, self, self.reference(handle), tracked, None)
        self.nodes.append(ref(node))
        self.begun = self.begun or tracked
        return node

    def before(self, node: Node) -> Node | None:
        """The operand of what made ``node``, an op of one operand in the same spec; None where it is not recorded."""
        made = self.entry(node.number)
        reference = made[1][0] if made else None
        if type(reference) is not int:
            return None
        if reference < 0:
            held = self.leaves[~reference]
            return held if isinstance(held, Node) else None
        earlier = self.entry(reference)
        operand = Node(earlier[0] if earlier else None, (), (), node.spec, self, reference, False, None)
        self.nodes.append(ref(operand))
        return operand

    def entry(self, number: int | Literal) -> Entry | None:
        """The application whose one result has this number."""
        first = self.count
        for entry in reversed(self.entries):
            first -= entry[3]
            if first == number and entry[3] == 1:
                return entry
        return None

    def rebind(self, handle: Handle, node: Node, source: Place) -> None:
        """Make ``handle`` a name of ``node``: the history of what was computed from its old value ends here."""
        raise NotImplementedError

    def end_of_history(self, node: Node) -> Place | None:
        """Where the history of ``node`` was ended by an assignment, if it was."""
        return node.ended


class Trace(Recording):
    """The recording of a function's body: nothing has a value, and what comes from outside is captured."""

    def __init__(self, purpose: str, parent: Recording | None = None) -> None:
        super().__init__()
        self.purpose = purpose
        self.parent = parent
        self.placeholders = 0
        self.writes: dict[int, tuple[Handle, Node]] = {}
        self.ended: dict[int, Place] = {}
        self.grads: dict[int, tuple[Any, Any]] = {}  # whose .grad was read or set, and what it was before
        self.guards: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self.chosen: set[tuple[int, str]] = set()  # attributes that the body sets
        self.keys: dict[int, Any] = {}  # of random numbers: one source for each generator that the body draws from
        self.closed = False

    def guard(self, obj: Any, name: str) -> None:
        """Note that what is recorded holds for the value that an attribute has now; unless the body itself set it."""
        key, recording = (id(obj), name), cast("Recording | None", self)
        while isinstance(recording, Trace):
            if key in recording.chosen:
                return
            recording = recording.parent
        self.guards[key] = (obj, name, getattr(obj, name))

    def placeholder(self, spec: Spec, *, tracked: bool = False, source: Place | None = None) -> Node:
        """An argument of the function; all of them come before anything is captured."""
        node = Node(None, (), (), spec, self, 0, tracked, source)
        node.number = self.slot(node, node)
        self.placeholders += 1
        return node

    def leaf(self, node: Node, handle: Handle) -> Reference:
        if isinstance(node.number, Literal):
            return node.number
        owner = node.recording
        if isinstance(owner, Trace) and owner.closed:
            raise escaped(node, owner)
        return self.slot(node, handle)

    def rebind(self, handle: Handle, node: Node, source: Place) -> None:
        old = handle.node
        self.writes.setdefault(id(handle), (handle, old))
        self.ended[id(old)] = source
        handle.node = node

    def touch_grad(self, owner: Any) -> None:
        """The body reads or sets ``owner.grad``: remember what it was."""
        self.grads.setdefault(id(owner), (owner, owner._grad))

    def slot_of(self, node: Node) -> Reference:
        """The reference of an outer value that a tensor was bound to without being read."""
        return node.number if isinstance(node.number, Literal) else self.slot(node, wrap(node))

    def end_of_history(self, node: Node) -> Place | None:
        return self.ended.get(id(node), node.ended)

    @property
    def captured(self) -> list[Handle]:
        """The tensors from outside that the body uses, in the order in which it met them."""
        return self.leaves[self.placeholders :]

    def close(self, outputs: tuple[Reference, ...]) -> Graph:
        """The finished graph, without the entries that none of its results needs."""
        self.closed = True
        return prune(Graph(tuple(self.specs), tuple(self.entries), outputs, tuple(self.notes)))


def literal(value: complex, spec: Spec) -> Node:
    """A leaf for a number that belongs to the program's text."""
    node = leaf(value, spec)
    node.number = Literal(repr(value), spec.dtype)
    return node


def escaped(node: Node, owner: Trace) -> ValueNeededError:
    """The error for a tensor of a function's body that is used after the recording of the body ended."""
    return ValueNeededError(
        f"a tensor made while recording {owner.purpose} is used outside of it",
        expected="results to leave the function through return",
        where=node.place or None,
        cure="return the tensor from the function",
    )


def prune(graph: Graph) -> Graph:
    """The same graph without the entries that none of its results needs."""
    counts = [entry[3] for entry in graph.entries]
    firsts = [0, *accumulate(counts)]
    needed = {r for r in graph.outputs if isinstance(r, int)}
    keep = [False] * len(graph.entries)
    for position in range(len(graph.entries) - 1, -1, -1):
        first = firsts[position]
        if any(first + k in needed for k in range(counts[position])):
            keep[position] = True
            needed.update(r for r in graph.entries[position][1] if isinstance(r, int))
    if all(keep):
        return graph
    renumbered: dict[int, int] = {}
    for position, kept in enumerate(keep):
        if kept:
            for k in range(counts[position]):
                renumbered[firsts[position] + k] = len(renumbered)

    def rename(r: Reference) -> Reference:
        return renumbered[r] if type(r) is int and r >= 0 else r

    entries = tuple(
        (op, tuple(map(rename, refs)), params, results)
        for (op, refs, params, results), kept in zip(graph.entries, keep, strict=True)
        if kept
    )
    notes = tuple(note for note, kept in zip(graph.notes, keep, strict=True) if kept) if graph.notes else ()
    return Graph(graph.inputs, entries, tuple(map(rename, graph.outputs)), notes, graph.numbers)


class ElsewhereError(DeviceError):
    """An operand lives on another device; ``recording`` is what records there."""

    recording: Recording


class Context(threading.local):
    """What each thread knows while it records: where, under which layer, and whether to keep history."""

    root_factory: Callable[[], Recording] | None = None

    def __init__(self) -> None:
        # Set by weft.runtime, which can run a root recording; until its import there is nothing to record into.
        self.recording: Recording = Context.root_factory() if Context.root_factory else Recording()
        self.path = ""
        self.tracking = True
        self.generator: Any = None  # of random numbers; None is the default one
        self.following = False  # whether an op has already gone to the device of an operand
        self.literal = False  # whether Python numbers belong to the program's text, as in gradient rules

    @contextmanager
    def set(self, **values: Any) -> Iterator[None]:
        """Change attributes for the length of a block."""
        before = {name: getattr(self, name) for name in values}
        self.__dict__.update(values)
        try:
            yield
        finally:
            self.__dict__.update(before)


context = Context()


def whereabouts() -> str:
    """Where the user's program is now, for errors: the layer and the line."""
    return str(Source(*user_source(context.path)))


def set_root_factory(factory: Callable[[], Recording]) -> None:
    """Say what records outside of every function, in this thread and in those to come."""
    Context.root_factory = staticmethod(factory)
    context.recording = factory()
