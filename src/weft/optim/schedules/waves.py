"""Schedules that rise and fall: cosine, with warm-up or restarts, one cycle, cycles."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError
from weft.optim.schedules.schedule import Schedule, nonnegative, positive


class Cosine(Schedule):
    """A linear warm-up, then half a cosine from ``rate`` down to ``end`` at step ``steps``, then ``end``.

    η(t) = rate·(t+1)/warmup for t < warmup, else
    end + (rate − end)·(1 + cos(π·u))/2 with u = min((t − warmup)/(steps − warmup), 1)

    Loshchilov & Hutter 2017, equation 5, for one period.

    >>> from weft import optim
    >>> [round(float(optim.Cosine(1.0, steps=20, warmup=10)(t)), 3) for t in (0, 9, 15, 20)]
    [0.1, 1.0, 0.5, 0.0]
    """

    fields = ("rate", "steps", "warmup", "end")

    def __init__(self, rate: float, *, steps: int, warmup: int = 0, end: float = 0.0) -> None:
        nonnegative("Cosine", rate=rate, warmup=warmup, end=end)
        positive("Cosine", steps=steps)
        if warmup >= steps:
            raise ArgumentError(f"Cosine(warmup={warmup}, steps={steps})", expected="warmup < steps, which counts both")
        self.rate, self.steps, self.warmup, self.end = rate, steps, warmup, end
        self.numbers = (rate, steps, warmup, end)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, steps, warmup, end = numbers
        u = xp.clip((t - warmup) / (steps - warmup), 0.0, 1.0)
        falling = end + (rate - end) * (1.0 + xp.cos(math.pi * u)) / 2.0
        return xp.where(t < warmup, rate * (t + 1.0) / xp.maximum(warmup, 1.0), falling)


class CosineRestarts(Schedule):
    """Half cosines from ``rate`` to ``end``, each ``growth`` times as long as the last: SGDR.

    η(t) = end + (rate − end)·(1 + cos(π·T_cur/T_i))/2, T_0 = period, T_{i+1} = growth·T_i (Loshchilov & Hutter 2017)
    """

    fields = ("rate", "period", "growth", "end")

    def __init__(self, rate: float, *, period: int, growth: int = 1, end: float = 0.0) -> None:
        nonnegative("CosineRestarts", rate=rate, end=end)
        positive("CosineRestarts", period=period)
        if growth < 1:
            raise ArgumentError(f"CosineRestarts(growth={growth})", expected="growth ≥ 1")
        self.rate, self.period, self.growth, self.end = rate, period, growth, end
        self.numbers, self.static = (rate, period, growth, end), (growth == 1,)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, period, growth, end = numbers
        if static[0]:
            began, length = xp.floor(t / period) * period, period
        else:
            # the restarts are at period·(growthⁱ − 1)/(growth − 1); a hair is added against rounding of the logarithm
            i = xp.floor(xp.log(t / period * (growth - 1.0) + 1.0) / xp.log(growth) + 1e-9)
            began = period * (growth**i - 1.0) / (growth - 1.0)
            length = period * growth**i
        return end + (rate - end) * (1.0 + xp.cos(math.pi * (t - began) / length)) / 2.0


class OneCycle(Schedule):
    """Up from rate/divide to ``rate``, then down to rate/divide/divide_last: Smith & Topin 2018.

    The way up takes the share ``rising`` of the ``steps``; between two corners runs half a cosine, or a straight line
    with ``shape="linear"``. With ``three_phases`` it comes down as it went up before it falls to the last value.
    """

    fields = ("rate", "steps", "rising", "divide", "divide_last", "shape", "three_phases")

    def __init__(
        self,
        rate: float,
        *,
        steps: int,
        rising: float = 0.3,
        divide: float = 25.0,
        divide_last: float = 1e4,
        shape: str = "cosine",
        three_phases: bool = False,
    ) -> None:
        nonnegative("OneCycle", rate=rate)
        positive("OneCycle", steps=steps, rising=rising, divide=divide, divide_last=divide_last)
        if shape not in ("cosine", "linear"):
            raise ArgumentError(f"OneCycle(shape={shape!r})", expected='"cosine" or "linear"')
        if not 1 < rising * steps < steps or (three_phases and 2 * rising * steps - 2 >= steps - 1):
            raise ArgumentError(f"OneCycle(steps={steps}, rising={rising})", expected="phases of at least one step")
        self.rate, self.steps, self.rising, self.divide, self.divide_last = rate, steps, rising, divide, divide_last
        self.shape, self.three_phases = shape, three_phases
        low = rate / divide
        corners = [(0.0, low), (rising * steps - 1, rate)]
        corners += [(2 * rising * steps - 2, low)] if three_phases else []
        corners += [(steps - 1, low / divide_last)]
        self.numbers = (*(t for t, _ in corners), *(v for _, v in corners))
        self.static = (shape,)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        n = len(numbers) // 2
        times, values = numbers[:n], numbers[n:]
        found = values[0] + 0.0 * t
        for k in range(n - 1):
            u = xp.clip((t - times[k]) / (times[k + 1] - times[k]), 0.0, 1.0)
            u = (1.0 - xp.cos(math.pi * u)) / 2.0 if static[0] == "cosine" else u
            found = xp.where(t > times[k], values[k] + (values[k + 1] - values[k]) * u, found)
        return found


class Cyclic(Schedule):
    """Triangles between ``low`` and ``high``: Smith 2017.

    ``up``, ``down``  steps of each flank (``down`` is ``up`` where it is left out)
    ``mode``          "triangular"; "halving": each triangle half as high; "exponential": height · factorᵗ
    """

    fields = ("low", "high", "up", "down", "mode", "factor")

    def __init__(
        self, low: float, high: float, *, up: int = 2000, down: int | None = None, mode: str = "triangular",
        factor: float = 1.0,
    ) -> None:  # fmt: skip
        nonnegative("Cyclic", low=low, high=high, factor=factor)
        if mode not in ("triangular", "halving", "exponential"):
            raise ArgumentError(f"Cyclic(mode={mode!r})", expected='"triangular", "halving" or "exponential"')
        down = up if down is None else down
        positive("Cyclic", up=up, down=down)
        self.low, self.high, self.up, self.down, self.mode, self.factor = low, high, up, down, mode, factor
        self.numbers, self.static = (low, high, up, down, factor), (mode,)

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        low, high, up, down, factor = numbers
        cycle = xp.floor(t / (up + down))
        x = t - cycle * (up + down)
        height = (high - low) * xp.minimum(x / up, (up + down - x) / down)
        if static[0] == "halving":
            height = height * 0.5**cycle
        if static[0] == "exponential":
            height = height * factor**t
        return low + height
