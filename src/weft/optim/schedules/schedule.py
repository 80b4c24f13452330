"""What a schedule is: a pure function of the number of steps taken, computed on the host or inside a program."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Real
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from weft.errors import ArgumentError
from weft.ops.arithmetic import clip, floor, maximum, minimum
from weft.ops.comparison import where
from weft.ops.exponential import exp, log, sqrt
from weft.ops.trigonometry import cos

# The same formula serves both: arrays on the host, tensors inside a program.
HOST: Any = np
PROGRAM: Any = SimpleNamespace(
    clip=clip, cos=cos, exp=exp, floor=floor, log=log, maximum=maximum, minimum=minimum, sqrt=sqrt, where=where
)

Structure = tuple[Any, ...]


class Schedule(ABC):
    """A number that depends on how many steps have been taken: ``schedule(step)``, the first step being 0.

    Given to an optimizer in the place of a number, it is computed inside the program from the step counter: it adds
    neither a launch nor a compilation. Schedules multiply: ``0.1 * schedule``, ``schedule * other``.

    >>> from weft import optim
    >>> schedule = optim.Step(1.0, every=10, factor=0.5)
    >>> [float(schedule(t)) for t in (0, 9, 10, 25)]
    [1.0, 1.0, 0.5, 0.25]
    """

    fields: ClassVar[tuple[str, ...]] = ()  # what the constructor was given, for people
    numbers: tuple[float, ...] = ()  # run-time values of the formula
    static: tuple[Any, ...] = ()  # what the formula itself depends on
    parts: tuple[Schedule, ...] = ()  # schedules that it is made of

    @staticmethod
    @abstractmethod
    def formula(xp: Any, t: Any, numbers: Sequence[Any], static: Any, parts: Sequence[Callable[[Any], Any]]) -> Any:
        """The value at step ``t``, written with the functions of ``xp``."""

    def __call__(self, step: Any) -> Any:
        """The value at a step, or at an array of steps."""
        t = np.asarray(step, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = evaluate(self.structure, HOST, t, iter(self.flat), iter(self.memories_as_arrays()))
            return np.broadcast_to(np.asarray(value, np.float64), t.shape)[()]

    @property
    def structure(self) -> Structure:
        """All that decides the program: equal for schedules that differ in their numbers alone."""
        return (type(self), len(self.numbers), self.static, tuple(part.structure for part in self.parts))

    @property
    def flat(self) -> tuple[float, ...]:
        """The numbers of this schedule and of its parts."""
        return (*self.numbers, *(number for part in self.parts for number in part.flat))

    @property
    def remembering(self) -> tuple[Any, ...]:
        """The schedules among these that have a memory (`Plateau`), in order."""
        own = (self,) if hasattr(self, "memory") else ()
        return (*own, *(found for part in self.parts for found in part.remembering))

    def memories_as_arrays(self) -> list[np.ndarray[Any, Any]]:
        """What is remembered by hand."""
        return [schedule.memory.numpy() for schedule in self.remembering]

    def __mul__(self, other: Any) -> Schedule:
        from weft.optim.schedules.composition import Product

        if isinstance(other, Real):
            nonnegative(type(self).__name__, factor=other)
        return Product(self, as_schedule(other))

    __rmul__ = __mul__

    def plot(self, steps: int | None = None, path: Any = None) -> Any:
        """Draw the first ``steps`` values (by default as many as it has, or 100); the figure, saved to ``path``."""
        from weft.optim.schedules.plot import plot

        return plot(self, getattr(self, "steps", 100) if steps is None else steps, path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={say(getattr(self, name))}' for name in self.fields)})"


class Constant(Schedule):
    """The same number at every step."""

    fields = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value
        self.numbers = (value,)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        return numbers[0]


def evaluate(structure: Structure, xp: Any, t: Any, numbers: Iterator[Any], memories: Iterator[Any]) -> Any:
    """The value at step ``t`` of a schedule of this structure, with its numbers and memories in order."""
    return bind(structure, xp, numbers, memories)(t)


def bind(structure: Structure, xp: Any, numbers: Iterator[Any], memories: Iterator[Any]) -> Callable[[Any], Any]:
    """A schedule of this structure as a function of the step."""
    cls, count, static, inner = structure
    own = [next(numbers) for _ in range(count)]
    if hasattr(cls, "first"):
        own.append(next(memories))
    parts = [bind(part, xp, numbers, memories) for part in inner]
    return partial(_apply, cls.formula, xp, own, static, parts)


def _apply(formula: Any, xp: Any, own: Any, static: Any, parts: Any, t: Any) -> Any:
    return formula(xp, t, own, static, parts)


def as_schedule(value: Any) -> Schedule:
    """A schedule as it is, a number as a constant one."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Real):
        return Constant(float(value))
    if hasattr(value, "parameters") or isinstance(value, Iterator):
        raise ArgumentError(
            f"{type(value).__name__} as a number of an optimizer",
            expected="a number or a schedule: optimizers hold no parameters",
            cure="opt = optim.Adam(1e-3); opt.step(model)",
        )
    if callable(value):
        from weft.optim.schedules.composition import Function

        return Function(value)
    raise ArgumentError(f"{value!r} as a number of an optimizer", expected="a number or a schedule")


def positive(name: str, **values: Any) -> None:
    """Refuse numbers that are not positive and finite."""
    for key, value in values.items():
        if not isinstance(value, Real) or not math.isfinite(value) or not float(value) > 0:
            raise ArgumentError(f"{name}({key}={value!r})", expected="a finite number > 0")


def nonnegative(name: str, **values: Any) -> None:
    """Refuse numbers that are negative or not finite."""
    for key, value in values.items():
        if not isinstance(value, Real) or not math.isfinite(value) or not float(value) >= 0:
            raise ArgumentError(f"{name}({key}={value!r})", expected="a finite number ≥ 0")


def say(value: Any) -> str:
    """A setting in few characters."""
    return f"{value:g}" if isinstance(value, float) else repr(value)
