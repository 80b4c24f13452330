"""A node is one value of a computation: the application of an op, or a leaf that holds data."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import ref

from weft.graph.source import Place, Source
from weft.graph.spec import Spec

if TYPE_CHECKING:
    from weft.graph.op import Op
    from weft.graph.recording import Literal, Recording

next_order = count().__next__


class Node:
    """One value: what made it, from what, and either its place in a recording or its data.

    ``op``, ``params``      the application that made it; ``op`` is None for a leaf
    ``inputs``              its operands, kept only while it can be differentiated
    ``spec``                shape and data type
    ``recording, number``   where it is recorded, until it has run
    ``data``                its value on the device (a JAX array), or on the host (NumPy array, Python number)
    ``home``                the device on which the data is known to be
    ``tracked``             whether it depends on a tensor that requires a gradient
    ``ended``               the place where its history ended by assignment, if it did
    ``owner``               for a leaf that requires a gradient: the tensor whose ``.grad`` receives it
    ``order``               grows with every recorded operation of the process: a topological order
    """

    __slots__ = (
        "__dict__",  # of what few nodes have
        "__weakref__",
        "data",
        "inputs",
        "number",
        "op",
        "order",
        "params",
        "recording",
        "source",
        "spec",
        "tracked",
    )
    ended: Place | None = None
    owner: ref[Handle] | None = None
    home: Any = None

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Node, ...],
        params: tuple[tuple[str, Any], ...],
        spec: Spec,
        recording: Recording | None,
        number: int | Literal,
        tracked: bool,
        source: Place | None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.spec = spec
        self.recording = recording
        self.number = number
        self.tracked = tracked
        self.source = source
        self.order = next_order()
        self.data: Any = None

    def __repr__(self) -> str:
        return f"<{self.op.name if self.op else 'leaf'} {self.spec!r}>"

    @property
    def place(self) -> str:
        """Where it was made, for people: ``model.fc2, train.py:12: y = model(x)``."""
        return str(Source(*self.source)) if self.source else ""

    @property
    def path(self) -> str:
        """The layer in which it was made."""
        return self.source[2] if self.source else ""


def leaf(data: Any, spec: Spec, *, tracked: bool = False, source: Place | None = None) -> Node:
    """A node that holds data."""
    node = Node(None, (), (), spec, None, -1, tracked, source)
    node.data = data
    return node


class Handle:
    """What a person holds: a name for a node, which assignment may change. `weft.Tensor` is the one subclass tree."""

    __slots__ = ("__weakref__", "node")
    node: Node


def wrap(node: Node) -> Any:
    """A handle of ``node``; the class is set by `weft.tensor`, the one place where the graph meets the user."""
    handle = _new(_handle_class)
    handle.node = node
    handle._grad = None
    handle._requires_grad = False
    return handle


_handle_class: Any = None
_new: Any = object.__new__


def set_handle_class(cls: type[Handle]) -> None:
    global _handle_class
    _handle_class = cls
