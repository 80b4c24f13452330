"""Schedules that only fall (or only rise)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weft.errors import ArgumentError, is_whole
from weft.optim.schedules.schedule import Schedule, nonnegative, positive


class Step(Schedule):
    """η(t) = rate · factor^⌊t / every⌋."""

    fields = ("rate", "every", "factor")

    def __init__(self, rate: float, *, every: int, factor: float = 0.1) -> None:
        nonnegative("Step", rate=rate, factor=factor)
        positive("Step", every=every)
        self.rate, self.every, self.factor = rate, every, factor
        self.numbers = (rate, every, factor)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, every, factor = numbers
        return rate * factor ** xp.floor(t / every)


class MultiStep(Schedule):
    """η(t) = rate · factor^(how many milestones have been reached)."""

    fields = ("rate", "milestones", "factor")

    def __init__(self, rate: float, *, milestones: Sequence[int], factor: float = 0.1) -> None:
        nonnegative("MultiStep", rate=rate, factor=factor)
        self.rate, self.milestones, self.factor = rate, ascending("MultiStep", milestones), factor
        self.numbers = (rate, factor, *self.milestones)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, factor, *milestones = numbers
        for milestone in milestones:
            rate = rate * xp.where(t >= milestone, factor, 1.0)
        return rate


class Piecewise(Schedule):
    """Each value from its step on: ``Piecewise({0: 1e-3, 1000: 1e-4})``.

    >>> from weft import optim
    >>> [float(optim.Piecewise({0: 1.0, 10: 0.5})(t)) for t in (9, 10)]
    [1.0, 0.5]
    """

    fields = ("values",)

    def __init__(self, values: Mapping[int, float]) -> None:
        if not isinstance(values, Mapping):
            raise ArgumentError(f"Piecewise({values!r})", expected="values by steps", cure="{0: 1e-3, 1000: 1e-4}")
        nonnegative("Piecewise", **{f"value at {t}": v for t, v in values.items()})
        ascending("Piecewise", list(values))
        self.values = {int(t): float(v) for t, v in values.items()}
        if 0 not in self.values:
            raise ArgumentError(f"Piecewise({values!r})", expected="a value from step 0 on", cure="{0: 1e-3, …}")
        self.numbers = (*self.values.keys(), *self.values.values())

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        n = len(numbers) // 2
        found = numbers[n] + 0.0 * t
        for start, value in zip(numbers[1:n], numbers[n + 1 :], strict=True):
            found = xp.where(t >= start, value, found)
        return found


class Exponential(Schedule):
    """η(t) = rate · factorᵗ."""

    fields = ("rate", "factor")

    def __init__(self, rate: float, *, factor: float) -> None:
        nonnegative("Exponential", rate=rate, factor=factor)
        self.rate, self.factor = rate, factor
        self.numbers = (rate, factor)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, factor = numbers
        return rate * factor**t


class Linear(Schedule):
    """η(t) = rate · (start + (end − start) · min(t / steps, 1)): a straight line, then the end."""

    fields = ("rate", "steps", "start", "end")

    def __init__(self, rate: float, *, steps: int, start: float = 1.0, end: float = 0.0) -> None:
        nonnegative("Linear", rate=rate, start=start, end=end)
        positive("Linear", steps=steps)
        self.rate, self.steps, self.start, self.end = rate, steps, start, end
        self.numbers = (rate, steps, start, end)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, steps, start, end = numbers
        return rate * (start + (end - start) * xp.minimum(t / steps, 1.0))


class Polynomial(Schedule):
    """η(t) = end + (rate − end) · (1 − min(t / steps, 1))^power."""

    fields = ("rate", "steps", "power", "end")

    def __init__(self, rate: float, *, steps: int, power: float = 1.0, end: float = 0.0) -> None:
        nonnegative("Polynomial", rate=rate, end=end)
        positive("Polynomial", steps=steps, power=power)
        self.rate, self.steps, self.power, self.end = rate, steps, power, end
        self.numbers = (rate, steps, power, end)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, steps, power, end = numbers
        return end + (rate - end) * (1.0 - xp.minimum(t / steps, 1.0)) ** power


class InverseSquareRoot(Schedule):
    """η(t) = rate · min((t+1) / warmup, √(warmup / (t+1))): Vaswani et al. 2017, equation 3, with its peak named."""

    fields = ("rate", "warmup")

    def __init__(self, rate: float, *, warmup: int) -> None:
        nonnegative("InverseSquareRoot", rate=rate)
        positive("InverseSquareRoot", warmup=warmup)
        self.rate, self.warmup = rate, warmup
        self.numbers = (rate, warmup)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, warmup = numbers
        return rate * xp.minimum((t + 1.0) / warmup, xp.sqrt(warmup / (t + 1.0)))


def ascending(name: str, steps: Sequence[int]) -> tuple[int, ...]:
    """Numbers of steps in ascending order."""
    given = tuple(steps) if isinstance(steps, Iterable) else (steps,)
    if not given or not all(is_whole(t, 0) for t in given) or list(given) != sorted(set(given)):
        raise ArgumentError(
            f"{name} with the steps {steps!r}", expected="ascending whole numbers of steps", cure="[30, 80]"
        )
    return tuple(int(t) for t in given)
