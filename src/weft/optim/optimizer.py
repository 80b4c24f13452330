"""What all optimizers share: their numbers, and one op that applies a formula to every parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np

from weft.errors import ArgumentError, GradientError, ShapeError
from weft.graph.function import make
from weft.graph.node import leaf
from weft.graph.op import Op, unchanged
from weft.graph.recording import context
from weft.graph.source import user_source
from weft.ops.shape import concat_op, reshape_op, slice_op
from weft.optim.state import State
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
    elementwise: ClassVar[bool] = True  # whether the formula may be applied to many parameters laid end to end
    _op: ClassVar[Op]

    def __init__(self, learning_rate: float, weight_decay: float = 0.0) -> None:
        self._values: dict[str, float] = {}
        # All numbers in one tensor: one argument of the program, and state of a recorded function, which sees changes.
        self._cell = Tensor(np.zeros(len(self.numbers), np.float64))
        self.state = State(self.slots, self.elementwise)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def __init_subclass__(cls) -> None:
        for name in cls.numbers:
            if not isinstance(getattr(cls, name, None), property):
                setattr(cls, name, _number(name))
        cls._op = make(cls.__name__.lower(), _body(cls), takes=unchanged)

    @classmethod
    def formula(cls, *operands: Any, **numbers: Any) -> Any:
        """``(w, g, state, t, **numbers)``: the parameter after step t (from 1) with gradient g, and its new state."""
        raise NotImplementedError

    def step(self, parameters: Any) -> None:
        """Move the parameters of a module (or of a list) by their ``.grad`` and run what was recorded."""
        wanted = parameters_of(parameters)
        pairs = [(p, g) for p in wanted if (g := p.grad) is not None]
        if not pairs:
            raise GradientError(
                "no parameter has a gradient",
                expected="loss.backward() before step()",
                cure="loss.backward(); optimizer.step(model); model.zero_grad()",
            )
        self.update([p for p, _ in pairs], [g for _, g in pairs])

    def update(self, parameters: Sequence[Tensor], gradients: Sequence[Any], state: State | None = None) -> None:
        """Move ``parameters`` by ``gradients`` in hand: one op for all of them, then a cut."""
        for p, g in zip(parameters, gradients, strict=True):
            if p.node.spec.shape != g.node.spec.shape:
                raise ShapeError(
                    f"a gradient of shape {g.shape} for a parameter of shape {p.shape}", expected="equal shapes"
                )
        slots, steps, packed = (state or self.state).of(parameters)
        settings = tuple((name, getattr(self, name)) for name in self.options)
        tracking, context.tracking = context.tracking, False
        try:
            moved = self._op(
                *parameters, *gradients, *slots, steps, self._cell,
                count=len(parameters), packed=packed, settings=settings,
            )  # fmt: skip
        finally:
            context.tracking = tracking
        recording, source = context.recording, user_source()
        for handle, value in zip((*parameters, *slots, steps), moved, strict=True):
            handle._become(value, recording, source)
        if isinstance(recording, Log):
            recording.cut()

    def describe(self) -> dict[str, Any]:
        """Its name and settings, for files and for people."""
        return {"name": type(self).__name__, **self._values, **{name: getattr(self, name) for name in self.options}}

    def __repr__(self) -> str:
        settings = {**self._values, **{name: getattr(self, name) for name in self.options}}
        return f"{type(self).__name__}({', '.join(f'{name}={value:g}' for name, value in settings.items())})"


def _number(name: str) -> property:
    def get(self: Optimizer) -> float:
        return self._values[name]

    def set_(self: Optimizer, value: float) -> None:
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ArgumentError(f"{type(self).__name__}({name}={value!r})", expected="a finite number ≥ 0")
        self._values[name] = float(value)
        values = np.array([self._values.get(n, 0.0) for n in self.numbers], np.float64)
        self._cell.node = leaf(values, self._cell.node.spec)

    return property(get, set_)


for _name in Optimizer.numbers:
    setattr(Optimizer, _name, _number(_name))


def _body(cls: type[Optimizer]) -> Callable[..., Any]:
    """The op of an optimizer: its formula for each parameter, or once for all of them laid end to end."""

    def body(*tensors: Any, count: int, packed: bool, settings: Any) -> tuple[Any, ...]:
        parameters, gradients = tensors[:count], tensors[count : 2 * count]
        *slots, steps, values = tensors[2 * count :]
        t = steps + 1

        def move(w: Any, g: Any, own: Any) -> Any:
            numbers = {name: values[k].astype(w.dtype) for k, name in enumerate(cls.numbers)}
            return cls.formula(w, g.astype(w.dtype), tuple(own), t.astype(w.dtype), **numbers, **dict(settings))

        if packed:
            moved, state = move(end_to_end(parameters), end_to_end(gradients), slots)
            return (*apart(moved, parameters), *state, t)
        size = len(cls.slots)
        results = [
            move(w, g, slots[k * size : (k + 1) * size])
            for k, (w, g) in enumerate(zip(parameters, gradients, strict=True))
        ]
        return (*(w for w, _ in results), *(slot for _, own in results for slot in own), t)

    return body


def end_to_end(tensors: Sequence[Any]) -> Any:
    """All elements of all tensors in one vector."""
    return concat_op(*(reshape_op(x, shape=(-1,)) for x in tensors), axis=0)


def apart(vector: Any, like: Sequence[Any]) -> list[Any]:
    """A vector cut into tensors of the shapes of ``like``."""
    ends = list(accumulate(x.node.spec.size for x in like))
    starts = [0, *ends[:-1]]
    return [
        reshape_op(slice_op(vector, bounds=((a, b, 1),)), shape=x.shape)
        for a, b, x in zip(starts, ends, like, strict=True)
    ]


def parameters_of(parameters: Any) -> list[Tensor]:
    """The tensors of a module, or of a list of tensors, that are to be trained."""
    if isinstance(parameters, Tensor):
        return [parameters]
    given: Iterable[Tensor] = parameters.parameters() if hasattr(parameters, "parameters") else parameters
    return [p for p in given if p.requires_grad]
