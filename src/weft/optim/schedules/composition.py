"""Schedules made of schedules, and of any function."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError
from weft.optim.schedules.decay import ascending
from weft.optim.schedules.schedule import Schedule, as_schedule


class Product(Schedule):
    """The product of two schedules; ``a * b`` makes it."""

    fields = ("a", "b")

    def __init__(self, a: Schedule, b: Schedule) -> None:
        self.a, self.b = a, b
        self.parts = (a, b)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        a, b = parts
        return a(t) * b(t)


class Sequence(Schedule):
    """One schedule after the other, each counting its own steps from 0 when its turn comes.

    >>> from weft import optim
    >>> warm = optim.Linear(1.0, steps=4, start=0.0, end=1.0)
    >>> both = optim.Sequence([warm, optim.Exponential(1.0, factor=0.5)], milestones=[4])
    >>> [float(both(t)) for t in range(7)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    fields = ("schedules", "milestones")

    def __init__(self, schedules: abc.Sequence[Any], *, milestones: abc.Sequence[int]) -> None:
        self.schedules = [as_schedule(schedule) for schedule in schedules]
        self.milestones = ascending("Sequence", milestones)
        if len(self.milestones) != len(self.schedules) - 1:
            raise ArgumentError(
                f"{len(self.schedules)} schedules with {len(self.milestones)} milestones",
                expected="one milestone between each two schedules",
            )
        self.numbers, self.parts = self.milestones, tuple(self.schedules)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        found = parts[0](t)
        for milestone, part in zip(numbers, parts[1:], strict=True):
            found = xp.where(t >= milestone, part(xp.maximum(t - milestone, 0.0)), found)
        return found


class Function(Schedule):
    """Any formula of the step: ``Function(lambda t: 1e-3 / (1 + t))``; inside a program ``t`` is a tensor."""

    fields = ("function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        if not callable(function):
            raise ArgumentError(
                f"Function({function!r})", expected="a function of the step", cure="lambda t: 0.1 / (1 + t)"
            )
        self.function = function
        self.static = (function,)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        return static[0](t)
