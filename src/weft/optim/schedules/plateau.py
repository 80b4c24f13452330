"""A schedule that waits for a measured value to stop improving."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.graph.node import Handle
from weft.graph.recording import context
from weft.ops.assembling import stack
from weft.ops.comparison import where
from weft.optim.schedules.schedule import Schedule, nonnegative
from weft.tensor import Tensor


class Plateau(Schedule):
    """``rate``, times ``factor`` whenever ``patience`` observations in a row brought no improvement.

    An observation is an improvement if it is below best·(1 − threshold), or below best − threshold with
    ``relative=False`` (above, and with the other sign, for ``mode="max"``). After a reduction ``cooldown``
    observations are not counted. It never falls below ``least``. By hand ``schedule.observe(value)``, or
    ``optimizer.observe(value)``; in `fit` what is observed is the validation loss after each epoch (the training loss
    where there is none), and what is remembered belongs to the trainer.

    >>> from weft import optim
    >>> schedule = optim.Plateau(1.0, patience=1, factor=0.5)
    >>> for loss in (1.0, 0.9, 0.9, 0.9):
    ...     schedule.observe(loss)
    >>> float(schedule(0))
    0.5
    """

    fields = ("rate", "factor", "patience", "threshold", "cooldown", "least", "mode", "relative")

    def __init__(
        self,
        rate: float,
        *,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        least: float = 0.0,
        mode: str = "min",
        relative: bool = True,
    ) -> None:
        nonnegative(
            "Plateau", rate=rate, factor=factor, patience=patience, threshold=threshold, cooldown=cooldown, least=least
        )
        if factor >= 1 or mode not in ("min", "max"):
            raise ArgumentError(f"Plateau(factor={factor}, mode={mode!r})", expected='factor < 1, mode "min" or "max"')
        self.rate, self.factor, self.patience, self.threshold = rate, factor, patience, threshold
        self.cooldown, self.least, self.mode, self.relative = cooldown, least, mode, relative
        self.numbers = (rate,)
        self.memory = self.first()

    def first(self) -> Tensor:
        """What is remembered before the first observation: the rate's factor, the best, and two counters."""
        return Tensor(np.array([1.0, np.inf if self.mode == "min" else -np.inf, 0.0, 0.0], np.float64))

    @staticmethod
    def formula(xp: Any, t: Any, numbers: Any, static: Any, parts: Any) -> Any:
        rate, memory = numbers
        return rate * memory[0]

    def observe(self, value: Any, memory: Tensor | None = None, *, when: Any = True) -> None:
        """Take note of a measured value (a number or a tensor), if ``when`` holds."""
        memory = self.memory if memory is None else memory
        if not isinstance(value, Handle | Real) or (isinstance(value, Handle) and value.node.spec.shape):
            raise ArgumentError(f"Plateau: the observation {value!r}", expected="one number, such as a loss")
        tracking, context.tracking = context.tracking, False
        try:
            seen = value.detach() if isinstance(value, Handle) else Tensor(np.float64(value))  # type: ignore[attr-defined]
            noted = self.noted(memory, seen.astype("float64"))
            memory.assign(noted if when is True else where(when, noted, memory))
        finally:
            context.tracking = tracking

    def noted(self, memory: Any, seen: Any) -> Any:
        """The memory after an observation."""
        scale, best, bad, rest = (memory[k] for k in range(4))
        sign = 1.0 if self.mode == "min" else -1.0
        margin = best * (1.0 - sign * self.threshold) if self.relative else best - sign * self.threshold
        better = seen < margin if self.mode == "min" else seen > margin
        best = where(better, seen, best)
        bad = where(better, 0.0, bad + 1.0)
        waiting = rest > 0
        rest, bad = where(waiting, rest - 1.0, rest), where(waiting, 0.0, bad)
        due = bad > self.patience
        floor = self.least / self.rate if self.rate else 0.0
        lower = where(scale * self.factor > floor, scale * self.factor, min(floor, 1.0))
        # PyTorch leaves a rate alone whose reduction would be below its eps, 1e-8
        moves = due & ((scale - lower) * self.rate > 1e-8)
        return stack(
            [where(moves, lower, scale), best, where(due, 0.0, bad), where(due, float(self.cooldown), rest)], axis=0
        )
