"""Parameters, which are trained, and buffers, which are only saved."""

from __future__ import annotations

import copy
import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import DType, float32
from weft.graph.dtype import dtype as data_type
from weft.graph.node import Node
from weft.graph.recording import Recording, Trace, context
from weft.graph.spec import Spec
from weft.nn import init as initial
from weft.random import generator, hashed
from weft.runtime.devices import default_device
from weft.runtime.ingest import leaf_of
from weft.runtime.log import Log, log_of, run
from weft.tensor import Tensor, as_tensor, beside

if TYPE_CHECKING:
    from weft.nn.module import Module

_settling = threading.RLock()


class Start(NamedTuple):
    """How a parameter begins: what its first value is drawn from."""

    shape: tuple[int, ...] | None  # None until the size of the input is known
    dtype: DType
    init: Callable[..., Tensor]
    fan_in: int
    fan_out: int
    seed: int
    path: str | None = None  # the name under which it was drawn
    like: Parameter | None = None  # what it is a copy of, which decides the name


class Sketch(Trace):
    """A recording that is only looked at: in it a parameter without a value has its shape, and is not drawn."""

    def __init__(self, purpose: str) -> None:
        super().__init__(purpose)
        self.stand_ins: dict[int, Node] = {}

    def stand_in(self, tensor: Tensor, spec: Spec) -> Node:
        """The node that stands for a tensor without a value."""
        if id(tensor) not in self.stand_ins:
            self.stand_ins[id(tensor)] = node = Node(None, (), (), spec, self, 0, False, None)
            node.number = self.slot(node, node)
        return self.stand_ins[id(tensor)]


def sketch() -> Sketch | None:
    """The sketch that is being recorded, if one is, perhaps inside a loop of it."""
    recording: Recording | None = context.recording
    while recording is not None and not isinstance(recording, Sketch):
        recording = recording.parent
    return recording


def set_apart(tensor: Tensor, name: str, value: Any) -> None:
    """Set an attribute of a tensor without a value; what a sketch assigns to it stays in the sketch."""
    if name == "node" and (looking := sketch()) is not None:
        looking.stand_ins[id(tensor)] = value
    else:
        object.__setattr__(tensor, name, value)


class Parameter(Tensor):
    """A tensor that is trained: a module finds it among its attributes.

    ``Parameter(data)`` takes its value from data, `Parameter.drawn` from random numbers.

    >>> from weft import nn
    >>> nn.Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ("home", "name", "start")
    start: Start | None  # None for a parameter made from data
    home: ref[Module] | None
    name: str

    def __init__(self, data: Any, dtype: Any = None) -> None:
        self._declare(None)
        self._take(leaf_of(data, dtype))

    @staticmethod
    def drawn(
        shape: tuple[int, ...] | None,
        init: str | Callable[..., Tensor] = "normal",
        *,
        fan_in: int | None = None,
        fan_out: int | None = None,
        dtype: Any = float32,
    ) -> Parameter:
        """A parameter whose value is drawn when it is first used, from the seed in force now and its own name.

        So the same seed gives a layer the same weights whatever other layers the model has, and two models built alike
        begin alike: ``make().initialize(seed)`` makes them differ. ``init`` is a function
        of `weft.nn.init`, or its name; the fans are those of the shape (out, in, …) unless they are given. A shape
        of None is filled in later by `shaped`, when a layer has seen its input.
        """
        check_trained(data_type(dtype))
        promised = Promised.__new__(Promised)
        first, second = initial.fans(shape or ())
        promised._declare(
            Start(
                shape,
                data_type(dtype),
                initial.initializer(init),
                first if fan_in is None else fan_in,
                second if fan_out is None else fan_out,
                seed_in_force(),
            )
        )
        return promised

    def shaped(self, shape: tuple[int, ...], *, fan_in: int | None = None) -> None:
        """Fill in the shape of a parameter that was declared without one."""
        assert self.start is not None
        if 0 in shape:
            raise ShapeError(
                f"{self.path} would have the shape {shape}", expected="an input with one feature or channel at least"
            )
        first, second = initial.fans(shape)
        self.start = self.start._replace(shape=shape, fan_in=first if fan_in is None else fan_in, fan_out=second)

    def _declare(self, start: Start | None) -> None:
        self._grad = None
        self._requires_grad = True
        self.start = start
        self.home = None
        self.name = ""

    def _take(self, node: Node) -> None:
        """Become ``node``, a leaf with a value: a parameter is never part of a recording."""
        check_trained(node.spec.dtype)
        node.tracked = self._requires_grad
        node.owner = ref(self) if self._requires_grad else None
        self.node = node

    @property
    def data(self) -> Tensor:
        """The value without history; assign to it to change the parameter."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        self.assign(value)

    @property
    def path(self) -> str:
        """Its name in the whole model: ``model.fc1.weight``."""
        home = self.home() if self.home is not None else None
        return f"{home.path}.{self.name}" if home is not None else self.name or "parameter"

    @property
    def known_shape(self) -> tuple[int, ...] | None:
        """The shape, without drawing a value for it; None while it waits for the size of an input."""
        return self.start.shape if isinstance(self, Promised) and self.start is not None else self.shape

    @property
    def known_dtype(self) -> DType:
        """The data type, without drawing a value."""
        return self.start.dtype if isinstance(self, Promised) and self.start is not None else self.dtype

    @property
    def settled(self) -> bool:
        """Whether it has its value."""
        return not isinstance(self, Promised)

    @property
    def origin(self) -> str:
        """The name from which the first value follows: its own, or that of the parameter of which it is a copy."""
        if self.start is None or self.start.like is None:
            return (self.start and self.start.path) or self.path
        return self.start.like.origin

    def reset(self, seed: int) -> None:
        """Draw the first value anew, from its own name; a parameter made from data keeps its value."""
        if self.start is not None:
            self._begin(self.start._replace(seed=seed, path=None, like=None))

    def _begin(self, start: Start) -> None:
        """Begin so from now on, with a new value if there is one; an error leaves everything as it was."""
        if self.settled:
            path = self.path
            value = beside(draw(start, path, path), self)
            self._grad = None
            self.assign(value)
            start = start._replace(path=path)
        self.start = start

    def forget(self) -> None:
        """Be as before the first use, when a value is drawn under its own name; what was made from data keeps it."""
        if self.start is not None:
            self.start = self.start._replace(path=None, like=None)
            if self.settled:
                self._grad = None
                del self.node
                self.__class__ = Promised

    def initialize(self, init: str | Callable[..., Tensor], *, seed: int | None = None, **options: Any) -> Parameter:
        """Draw the value anew by another initialisation, with ``options`` for it; the name and seed decide as before.

        >>> from weft import nn
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight.initialize("eye", gain=2.0).tolist()
        [[2.0, 0.0], [0.0, 2.0]]
        """
        f = initial.initializer(init)
        try:
            inspect.signature(f).bind(self.known_shape, 0, fan_in=1, fan_out=1, **options)
        except TypeError as error:
            raise ArgumentError(
                f"initialize({init!r}): {error}", expected=f"options of {init!r}: {inspect.signature(f)}"
            ) from None
        chosen = functools.partial(f, **options) if options else f
        if self.start is None:
            start = Start(self.shape, self.dtype, chosen, *initial.fans(self.shape), seed_in_force())
        else:
            start = self.start._replace(init=chosen)
        if seed is not None:
            start = start._replace(seed=seed, path=None, like=None)
        if not self.settled and start.shape is not None:
            draw(start, self.path, self.path)  # what cannot be drawn is refused here, not at the first call
        self._begin(start)
        return self

    def cast(self, to: DType) -> None:
        """Hold the numbers in another data type; what was computed from the old ones keeps its history."""
        if self.start is not None:
            self.start = self.start._replace(dtype=to)
        if self.settled:
            self._grad = None
            self._take(beside(self.numpy(), self, to).node)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        # A copy of the numbers: the training step may give the memory of this parameter to its successor.
        made: Parameter = type(self).__new__(type(self))
        memo[id(self)] = made
        start = self.start
        if start is not None:
            # Without a value yet the copy begins as this one will, whatever home and name either has then.
            like = None if self.settled else self
            start = start._replace(init=copy.deepcopy(start.init, memo), like=like)
        made._declare(start)
        made._requires_grad = self._requires_grad
        if self.settled:
            made._take(beside(np.array(self.numpy()), self).node)
        return made


class Promised(Parameter):
    """A parameter before its first use: no value yet, since its name, which decides it, is not final."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name != "node":
            raise AttributeError(f"a Parameter has no attribute {name!r}")
        assert self.start is not None
        if self.start.shape is not None and (looking := sketch()) is not None:
            return looking.stand_in(self, Spec(self.start.shape, self.start.dtype))
        with _settling:
            if type(self) is Promised:
                path = self.origin
                value = draw(self.start, path, self.path)
                self.start = self.start._replace(path=path, like=None)
                self.settle(value)
        return self.node

    def __setattr__(self, name: str, value: Any) -> None:
        set_apart(self, name, value)

    def requires_grad_(self, required: bool = True) -> Tensor:
        """Train this parameter or not, once it has a value."""
        self._requires_grad = required
        return self

    def settle(self, value: Any) -> None:
        """Take its first value: from here on it is a parameter like any other."""
        self._take(leaf_of(value))
        self.__class__ = Parameter  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Parameter(not drawn yet, shape={self.known_shape})"


def check_trained(dtype: DType) -> None:
    """Refuse a type whose numbers cannot be trained."""
    if not dtype.is_differentiable:
        raise DTypeError(
            f"a parameter of type {dtype.name}",
            expected="floating-point numbers: integers have no derivative",
            cure="nn.Parameter(data, wf.float32), or nn.Buffer(data) for what is not trained",
        )


def seed_in_force() -> int:
    """The seed of the generator in force."""
    seed: int = getattr(generator(), "seed", 0)  # the stream of a key has none
    return seed


@contextmanager
def aside(path: str = "") -> Iterator[None]:
    """Compute a first value without a trace in what is being recorded, which may be in the midst of an operation."""
    log = context.recording if isinstance(context.recording, Log) else log_of(default_device())
    with log.aside(), context.set(tracking=False, literal=False, path=path):
        yield


def draw(start: Start, origin: str, path: str) -> np.ndarray | Tensor:
    """The first value that follows from the name ``origin``, computed outside of whatever is being recorded."""
    if start.shape is None:
        raise ArgumentError(
            f"the shape of {path} is not known yet",
            expected="a layer that has seen its input",
            cure="model.build((batch, features)), or call the model once, or give both sizes: nn.Linear(4, 16)",
        )
    key = (hashed(start.seed), hashed(origin))
    with aside(path):
        value = as_tensor(start.init(start.shape, key, fan_in=start.fan_in, fan_out=start.fan_out))
        if value.shape != start.shape:
            raise ShapeError(
                f"the first value of {path} has shape {value.shape}", expected=f"{start.shape}", where=path
            )
        run(value.node)
        return value.astype(start.dtype)


class Buffer(Tensor):
    """State that a module saves and does not train, such as a running mean; it changes by ``assign``.

    >>> from weft import nn
    >>> nn.Buffer([0.0, 0.0]).requires_grad
    False
    """

    __slots__ = ("late",)
    late: tuple[Spec, Callable[[], Any]] | None  # of a value that is not computed yet

    def __init__(self, data: Any, dtype: Any = None) -> None:
        super().__init__(data, dtype)
        self.late = None

    def cast(self, to: DType) -> None:
        """Hold floating-point numbers in another data type; other buffers stay as they are."""
        if self.dtype.is_floating:
            self.node = beside(self.numpy(), self, to).node

    @property
    def known_spec(self) -> Spec:
        """Shape and data type, without computing a first value."""
        return self.node.spec

    def settle(self, value: Any) -> None:
        """Take another value."""
        self.assign(value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        made = memo[id(self)] = Buffer(np.array(self.numpy()))
        made.node = beside(made.numpy(), self).node
        return made


class LateBuffer(Buffer):
    """A buffer whose first value follows from parameters, and so is computed when it is first used."""

    __slots__ = ()
    late: tuple[Spec, Callable[[], Any]]

    def __init__(self, spec: Spec, first: Callable[[], Any]) -> None:
        self._grad = None
        self._requires_grad = False
        self.late = spec, first

    def __getattr__(self, name: str) -> Any:
        if name != "node":
            raise AttributeError(f"a Buffer has no attribute {name!r}")
        if (looking := sketch()) is not None:
            return looking.stand_in(self, self.known_spec)
        with _settling:
            if type(self) is LateBuffer:
                with aside():
                    first = np.asarray(self.late[1](), self.known_spec.dtype.numpy)
                self.settle(first)
        return self.node

    def __setattr__(self, name: str, value: Any) -> None:
        set_apart(self, name, value)

    @property
    def known_spec(self) -> Spec:
        return self.late[0]

    def settle(self, value: Any) -> None:
        self.node = leaf_of(value, self.late[0].dtype)
        self.__class__ = Buffer  # type: ignore[assignment]

    def cast(self, to: DType) -> None:
        self.late = Spec(self.known_spec.shape, to), self.late[1]

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        made = memo[id(self)] = LateBuffer(self.known_spec, copy.deepcopy(self.late[1], memo))
        return made


def count(parameters: Any) -> int:
    """How many numbers the parameters hold."""
    return sum(math.prod(p.known_shape or (0,)) for p in parameters)
