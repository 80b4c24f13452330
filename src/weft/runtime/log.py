"""The root recording: it can run what it has recorded, and does so when a value is needed.

A cut runs the log as one program. Its results are the nodes that somebody still holds; each is computed once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

import numpy as np

from weft.errors import ValueNeededError
from weft.graph.dtype import check_whole
from weft.graph.node import Handle, Node, leaf
from weft.graph.recording import (
    ElsewhereError,
    Graph,
    Literal,
    Recording,
    Trace,
    context,
    escaped,
    literal,
    prune,
    set_root_factory,
)
from weft.graph.source import Place
from weft.graph.spec import Spec
from weft.runtime import devices
from weft.runtime.aside import peek, run_apart
from weft.runtime.mesh import place_of
from weft.runtime.programs import program_for

_NUMBER = (float, int, bool, complex)
USED_BEFORE = -2  # the number of a leaf whose array on the host has been an argument once
_FIRST = "the first device"


class Log(Recording):
    """What one thread has asked of one device and what has not run yet."""

    most_values = 500  # a longer recording costs more to compile than two programs cost to launch
    most_bytes = 1 << 30  # of results not yet computed

    numbers: list[int]  # the slots of Python numbers

    def __init__(self, device: devices.Place | None = None) -> None:
        super().__init__()
        self._device = device
        self.thread = threading.get_ident()  # the one that may record here
        self.chosen = device is not None  # by a `device` block
        self.home = device or _FIRST  # what a node's data must be on to be an argument here
        self.failure = ""  # why the last program that failed did
        self.cut_after: Place | None = None  # the line after which the log was cut because it was full
        self.history: list[ref[Node]] = []  # nodes that ran and can still be differentiated
        self.held = False  # whether an operation is half recorded, so that it must not be cut now

    def blank(self) -> dict[str, Any]:
        return super().blank() | {"numbers": []}

    def mend(self) -> None:
        super().mend()
        held = [leaf.data if type(leaf) is Node else leaf for leaf in self.leaves]
        self.numbers = [slot for slot, value in enumerate(held) if type(value) in _NUMBER]

    @property
    def device(self) -> devices.Place:
        """Where it runs; known only when something does, so that recording does not start the engine."""
        if self._device is None:
            self._device = devices.devices()[0]
        return self._device

    def full(self, source: Place) -> None:
        # Always after the same line: a loop is then cut into programs of whole iterations, all with one structure.
        if self.cut_after in (None, source) or self.count >= 2 * self.most_values or self.bytes > self.most_bytes:
            self.cut_after = source
            self.cut()

    def leaf(self, node: Node, handle: Handle) -> int | Literal:
        if isinstance(node.number, Literal):
            return node.number
        slot = self.slots.get(id(node))
        if slot is not None:
            return ~slot
        owner = node.recording
        if isinstance(owner, Trace):
            raise escaped(node, owner)
        if owner is not None:
            if isinstance(owner, Log) and owner.is_apart(self) and not peek(owner, node):
                raise elsewhere(node, owner, self.device)
            run(node)
        if node.home is not self.home:
            self.check(node)
        # The node itself is kept, not the handle: by the time the log runs, the handle may name another.
        return self.slot(node, node)

    def is_apart(self, other: Log) -> bool:
        """Whether this thread records here for another device; what the host can compute belongs nowhere yet."""
        return self.thread == other.thread and self.device != other.device

    def check(self, node: Node) -> None:
        """See that a leaf can be an argument here; an array that is used again moves to the device."""
        data = node.data
        if data is None:
            raise valueless(node)
        if type(data) in _NUMBER:
            self.numbers.append(len(self.leaves))
        elif not isinstance(data, np.ndarray):
            if not self.device.holds(data):
                raise elsewhere(node, log_of(place_of(data)), self.device)
            node.home = self.home
        elif node.number == USED_BEFORE:
            to_device(node, self.device)
            node.home = self.home
        elif node.recording is None:  # elsewhere it may still be one of what is recorded there, by this number
            node.number = USED_BEFORE

    def number(self, value: complex, spec: Spec) -> Node:
        if type(value) is int:
            check_whole(value, spec.dtype)
        return literal(value, spec) if context.literal else leaf(value, spec)

    def number_reference(self, value: complex, spec: Spec) -> int | Literal:
        if type(value) is int:
            check_whole(value, spec.dtype)
        slot = len(self.leaves)
        self.numbers.append(slot)
        self.leaves.append(value)
        self.specs.append(spec)
        return ~slot

    def alias(self, handle: Handle, *, tracked: bool) -> Node:
        source = handle.node
        if source.data is not None and not isinstance(source.number, Literal):
            return leaf(source.data, source.spec, tracked=tracked)  # what has a value already needs no entry
        owner = source.recording
        if isinstance(owner, Log) and owner is not self and owner.thread == self.thread:
            return owner.alias(handle, tracked=tracked)
        return super().alias(handle, tracked=tracked)

    def rebind(self, handle: Handle, node: Node, source: Place) -> None:
        handle.node.ended = source
        handle.node = node

    def cut(self) -> None:
        """Run everything recorded so far as one program.

        Interrupted, it leaves the recording as it was: asked again, it runs again.
        """
        self.settle()
        if not self.entries:
            self.bytes = 0
            return
        alive = [node for r in self.nodes if (node := r()) is not None and node.recording is self]
        valued = [node for node in alive if type(node.spec) is Spec]
        try:
            if valued:
                self.launch(valued)
        except Exception:
            self.rescue(valued)
            self.finish(alive)  # what cannot run must not be tried again at every later cut
            raise
        self.finish(alive)

    def cut_for(self, node: Node) -> None:
        """Cut because somebody needs the value of ``node``; that something else fails is no matter of theirs."""
        try:
            self.cut()
        except Exception:
            if node.data is None:
                raise

    def finish(self, alive: list[Node]) -> None:
        """Begin anew; the nodes of ``alive`` have their values, or will never have one."""
        self.remember(alive)
        for node in alive:
            node.recording = None
        self.clear()

    def rescue(self, nodes: list[Node]) -> None:
        """After a failure: run for each node alone what it needs, so that only those fail that must."""
        for node in nodes:
            try:
                self.launch([node], only=True)
            except Exception as error:
                self.failure = str(error)

    def launch(self, alive: list[Node], *, only: bool = False) -> None:
        """Run the program whose results are the nodes of ``alive``, ``only`` or with all else; give each its value."""
        outputs = tuple(sorted({node.number for node in alive}))
        graph = Graph(tuple(self.specs), tuple(self.entries), outputs, tuple(self.notes), tuple(self.numbers))
        arguments = [held.data if type(held) is Node else held for held in self.leaves]
        program = program_for(prune(graph) if only else graph, self.device)
        try:
            results = program(arguments)
        except ValueError:
            # An array that was on the host when it was recorded here has been moved for another device since.
            arguments = [self.brought(a) for a in arguments]
            results = program(arguments)
        values = dict(zip(outputs, results, strict=True))
        home = self.home
        for node in alive:
            value = values[node.number]
            if type(value) is np.ndarray:
                self.give(node, value)
            else:
                node.data, node.home = value, home

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is computed in the block neither runs nor changes what is recorded here.

        A parameter draws its first value in the midst of an operation, whose other operands are numbered already.
        """
        before, self.held = self.held, True
        try:
            with context.set(recording=Log(self._device)):
                yield
        finally:
            self.held = before

    def brought(self, data: Any) -> Any:
        """``data`` on this device."""
        if isinstance(data, np.ndarray) or type(data) in _NUMBER or self.device.holds(data):
            return data
        return self.device.put(data)

    def give(self, node: Node, value: Any) -> None:
        """Let ``node`` have its value; one from the host stays there, unless a device was asked for."""
        if isinstance(value, np.ndarray):
            if self.home is _FIRST:
                node.data = value
                return
            value = self.device.put(value)
        node.data, node.home = value, self.home

    def settle(self) -> None:
        """Let go of every history that an assignment has ended, in the order of recording."""
        for r in (*self.history, *self.nodes):
            node = r()
            if node is None or not node.inputs:
                continue
            for source in node.inputs:
                if source.tracked and source.ended is not None:  # the old value of a constant or buffer is kept
                    node.ended = source.ended
                    node.inputs = ()
                    break

    def remember(self, alive: list[Node]) -> None:
        """Keep sight of what ran and can still be differentiated; forget the rest."""
        kept = [r for r in self.history if (node := r()) is not None and node.inputs]
        self.history = kept + [ref(node) for node in alive if node.inputs]


def to_device(node: Node, device: devices.Place) -> Any:
    """Move a leaf's array from the host to the device, once."""
    if isinstance(node.data, np.ndarray):
        node.data = device.put(node.data)
    return node.data


def elsewhere(node: Node, log: Log, device: devices.Place) -> ElsewhereError:
    there = log.device
    error = ElsewhereError(
        f"a tensor on {there} in a computation on {device}",
        expected="all operands on one device",
        where=node.place or None,
        cure=f'x.to("{device}")' if isinstance(device, devices.Device) else f"x.to(mesh), for mesh = {device}",
    )
    error.recording = log
    return error


def run(node: Node) -> Any:
    """The value of ``node``, computed if it has none yet: where a recording becomes numbers."""
    if node.data is None:
        owner = node.recording
        if isinstance(owner, Trace):
            raise needed(node, owner)
        if isinstance(owner, Log):
            if owner.held or owner.thread != threading.get_ident():
                run_apart(owner, node)
            elif not peek(owner, node):
                owner.cut_for(node)
        elif isinstance(node.number, Literal):
            node.data = node.number.value
        if node.data is None:
            raise valueless(node)
    return node.data


def valueless(node: Node) -> ValueNeededError:
    """The error for a tensor whose program failed."""
    here = context.recording
    why = here.failure if isinstance(here, Log) else ""
    return ValueNeededError(
        "this tensor has no value: the program that was to compute it failed" + (f" ({why})" if why else ""),
        expected="a tensor that could be computed",
        where=node.place or None,
        cure="compute it again",
    )


def realize(*tensors: Any) -> None:
    """Compute these tensors now, or everything recorded so far if none is named; waits until they are there.

    >>> import weft as wf
    >>> x = wf.ones(3) * 2
    >>> wf.realize(x)
    >>> x.node.data is not None
    True
    """
    if not tensors and isinstance(context.recording, Log):
        context.recording.cut()
    for t in tensors:
        value = run(t.node)
        if hasattr(value, "block_until_ready"):
            value.block_until_ready()


def needed(node: Node, owner: Trace) -> ValueNeededError:
    if owner.closed:
        return escaped(node, owner)
    return ValueNeededError(
        f"the value of a tensor is needed while {owner.purpose} is only being recorded",
        expected="computations whose course does not depend on values",
        where=node.place or None,
        cure="wf.where(condition, a, b) or wf.cond(condition, f, g) for a choice, wf.scan for a loop;\n"
        "print(…) and float(…) belong outside the function",
    )


_logs: threading.local = threading.local()


def log_of(device: devices.Place | None) -> Log:
    """This thread's log for a place."""
    if not hasattr(_logs, "by_device"):
        _logs.by_device = {}
    logs: dict[Any, Log] = _logs.by_device
    if device not in logs:
        logs[device] = Log(device)
    return logs[device]


def beside(node: Node) -> Recording:
    """What records on the device where ``node`` lives; inside a function there is only the function's recording."""
    here, owner, data = context.recording, node.recording, node.data
    if owner is here or not isinstance(here, Log):
        return here
    if isinstance(owner, Log):
        return owner if owner.thread == here.thread else here
    if data is None or node.home is here.home or type(data) is np.ndarray or type(data) in _NUMBER:
        return here
    there = place_of(data)
    return here if there == here.device else log_of(there)


def where_all_are(handles: Iterable[Handle], here: Log) -> Log:
    """The log of the one device on which these tensors live; what is only on the host can be anywhere."""
    first: tuple[Node, Log] | None = None
    for handle in handles:
        there = beside(handle.node)
        if handle.node.data is None or not hasattr(handle.node.data, "devices") or not isinstance(there, Log):
            continue
        if first is not None and there.device != first[1].device:
            raise elsewhere(handle.node, there, first[1].device)
        first = handle.node, there
    return first[1] if first else here


@contextmanager
def device(of: devices.Place | str) -> Iterator[devices.Place]:
    """New tensors of the block live on this device, or on this mesh of devices.

    >>> import weft as wf
    >>> with wf.device("cpu:0"):
    ...     wf.zeros(3).device
    <device cpu:0>
    """
    chosen = devices.as_place(of)
    devices.current.append(chosen)
    try:
        with context.set(recording=log_of(chosen)):
            yield chosen
    finally:
        devices.current.pop()


set_root_factory(lambda: log_of(None))
