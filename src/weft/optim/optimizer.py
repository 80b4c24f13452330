"""What all optimizers share: their numbers, their state, and one op that applies a formula to every parameter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from weft.errors import ArgumentError, GradientError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import int64
from weft.graph.function import make
from weft.graph.node import leaf
from weft.graph.op import Op, unchanged
from weft.graph.recording import Trace, context
from weft.graph.source import user_source
from weft.graph.spec import Spec
from weft.runtime.log import Log
from weft.tensor import Tensor


class Optimizer:
    """A formula with its numbers; the same object serves a `Trainer` and a loop written by hand.

    A subclass says which state it keeps for each parameter (``slots``) and how one parameter moves
    (``formula``). The numbers are run-time arguments: changing ``learning_rate`` compiles nothing. By hand the
    state belongs to the optimizer and follows the parameters; a `Trainer` keeps a state of its own.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ("learning_rate", "weight_decay")
    options: ClassVar[tuple[str, ...]] = ()  # settings that change the formula itself
    _op: ClassVar[Op]

    def __init__(self, learning_rate: float, weight_decay: float = 0.0) -> None:
        self._values: dict[str, float] = {}
        self._cells: dict[str, Tensor] = {}
        self.state = State(self)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def __init_subclass__(cls) -> None:
        for name in cls.numbers:
            if name not in cls.__dict__ and not hasattr(cls, name):
                setattr(cls, name, _number(name))
        cls._op = make(cls.__name__.lower(), _body(cls), takes=unchanged)

    @classmethod
    def formula(cls, w: Any, g: Any, state: tuple[Any, ...], t: Any, **numbers: Any) -> tuple[Any, tuple[Any, ...]]:
        """The parameter ``w`` after step ``t`` (counted from 1) with gradient ``g``, and its new state."""
        raise NotImplementedError

    def step(self, parameters: Any) -> None:
        """Move the parameters of a module (or of a list) by their ``.grad`` and run what was recorded."""
        wanted = parameters_of(parameters)
        moved = [p for p in wanted if p.grad is not None]
        if not moved:
            raise GradientError(
                "no parameter has a gradient",
                expected="loss.backward() before step()",
                cure="loss.backward(); optimizer.step(model); model.zero_grad()",
            )
        self.update(moved, [p.grad for p in moved])

    def update(self, parameters: Sequence[Tensor], gradients: Sequence[Any], state: State | None = None) -> None:
        """Move ``parameters`` by ``gradients`` in hand: one op for all of them, then a cut."""
        state = state or self.state
        for p, g in zip(parameters, gradients, strict=True):
            if p.shape != g.shape:
                raise ShapeError(f"a gradient of shape {g.shape} for a parameter of shape {p.shape}", expected="equal shapes")  # fmt: skip
        slots = [slot for p in parameters for slot in state.of(p)]
        steps = state.steps(parameters)
        numbers = [self._number(name) for name in self.numbers]
        settings = tuple((name, getattr(self, name)) for name in self.options)
        with context.set(tracking=False):
            moved = self._op(*parameters, *gradients, *slots, steps, *numbers, count=len(parameters), settings=settings)
            recording, source = context.recording, user_source()
            for handle, value in zip((*parameters, *slots, steps), moved, strict=True):
                recording.rebind(handle, handle._leaf(value), source)
        if isinstance(recording, Log):
            recording.cut()

    def _number(self, name: str) -> float | Tensor:
        """A number of the formula; inside a recorded function it is state, so that a change is seen there too."""
        if not isinstance(context.recording, Trace):
            return self._values[name]
        if name not in self._cells:
            self._cells[name] = number_cell(self._values[name])
        return self._cells[name]

    def describe(self) -> dict[str, Any]:
        """Its name and settings, for files and for people."""
        return {"name": type(self).__name__, **self._values, **{name: getattr(self, name) for name in self.options}}

    def __repr__(self) -> str:
        settings = {**self._values, **{name: getattr(self, name) for name in self.options}}
        return f"{type(self).__name__}({', '.join(f'{name}={value:g}' for name, value in settings.items())})"


class State:
    """What an optimizer remembers: its slots for each parameter, and how many steps each group has taken."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.names = optimizer.slots
        self.slots: dict[int, tuple[ref[Any], tuple[Tensor, ...]]] = {}
        self.counts: dict[tuple[int, ...], Tensor] = {}

    def of(self, parameter: Tensor) -> tuple[Tensor, ...]:
        """The slots of a parameter, made of zeros when it is first met."""
        known = self.slots.get(id(parameter))
        if known is None or known[0]() is not parameter:
            zeros = np.zeros(parameter.shape, parameter.dtype.numpy)
            known = self.slots[id(parameter)] = (ref(parameter), tuple(Tensor(zeros) for _ in self.names))
        return known[1]

    def steps(self, parameters: Sequence[Tensor]) -> Tensor:
        """The number of steps that these parameters have taken together."""
        key = tuple(id(p) for p in parameters)
        if key not in self.counts:
            self.counts[key] = number_cell(0, int64.numpy)
        return self.counts[key]

    def tensors(self, parameters: Sequence[Tensor]) -> list[Tensor]:
        """All of it for these parameters, in a fixed order: what a checkpoint holds."""
        return [*(slot for p in parameters for slot in self.of(p)), self.steps(parameters)]


def number_cell(value: float, dtype: Any = np.float32) -> Tensor:
    """A tensor of one number that recorded functions read anew at each call."""
    cell = Tensor.__new__(Tensor)
    cell._adopt(leaf(np.array(value, dtype), Spec((), data_type(dtype))))
    return cell


def _number(name: str) -> property:
    def get(self: Optimizer) -> float:
        return self._values[name]

    def set_(self: Optimizer, value: float) -> None:
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ArgumentError(f"{type(self).__name__}({name}={value!r})", expected="a finite number ≥ 0")
        self._values[name] = float(value)
        if name in self._cells:
            self._cells[name].node = leaf(np.array(value, np.float32), self._cells[name].node.spec)

    return property(get, set_)


Optimizer.learning_rate = _number("learning_rate")  # type: ignore[attr-defined]
Optimizer.weight_decay = _number("weight_decay")  # type: ignore[attr-defined]


def _body(cls: type[Optimizer]) -> Any:
    def body(*tensors: Any, count: int, settings: Any) -> tuple[Any, ...]:
        size = len(cls.slots)
        parameters, gradients = tensors[:count], tensors[count : 2 * count]
        slots = tensors[2 * count : (2 + size) * count]
        steps, *values = tensors[(2 + size) * count :]
        t = steps + 1
        new_parameters, new_slots = [], []
        for k, (w, g) in enumerate(zip(parameters, gradients, strict=True)):
            numbers = {name: v.astype(w.dtype) for name, v in zip(cls.numbers, values, strict=True)}
            own = slots[k * size : (k + 1) * size]
            moved, state = cls.formula(w, g.astype(w.dtype), own, t.astype(w.dtype), **numbers, **dict(settings))
            new_parameters.append(moved)
            new_slots += state
        return (*new_parameters, *new_slots, t)

    return body


def parameters_of(parameters: Any) -> list[Tensor]:
    """The tensors of a module, or of a list of tensors."""
    if isinstance(parameters, Tensor):
        return [parameters]
    given: Iterable[Tensor] = parameters.parameters() if hasattr(parameters, "parameters") else parameters
    return [p for p in given if p.requires_grad]


