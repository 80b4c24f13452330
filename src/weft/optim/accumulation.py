"""Gradients gathered over several small batches: one update, equal to that of the large batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weft.errors import ArgumentError, GradientError, is_whole
from weft.graph.recording import Trace, context
from weft.nn.check import positive
from weft.optim.optimizer import Optimizer, check_optimizer, matched, parameters_of
from weft.runtime.log import Log
from weft.tensor import Tensor


class Accumulate:
    """An optimizer that moves the parameters once in ``steps`` calls, by the mean over all examples seen in between.

    ``examples`` is what the loss of a call is a mean over: its examples (or its tokens, or the sum of its mask). So
    batches of unequal size count as they would in one large batch: g = Σ nᵢgᵢ / Σ nᵢ. `flush` makes the update of a
    last group that is not full.

    >>> import weft as wf
    >>> from weft import optim
    >>> w = wf.tensor([1.0], requires_grad=True)
    >>> opt = optim.Accumulate(optim.SGD(1.0), steps=2)
    >>> opt.update([w], [wf.tensor([1.0])], examples=3), w.tolist()
    (False, [1.0])
    >>> opt.update([w], [wf.tensor([0.0])], examples=1), w.tolist()
    (True, [0.25])
    """

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        if not is_whole(steps, 1):
            raise ArgumentError(f"Accumulate(steps={steps!r})", expected="a whole number ≥ 1")
        check_optimizer("Accumulate", optimizer)
        self.optimizer, self.steps = optimizer, steps
        self.clear()

    def clear(self) -> None:
        """Forget what has been gathered."""
        self.count = 0
        self.examples: Any = 0
        self.parameters: list[Tensor] = []
        self.sums: list[Any] = []

    def step(self, parameters: Any, examples: Any = 1) -> bool:
        """Take in the ``.grad`` of the parameters, which are then to be cleared; whether the parameters have moved."""
        pairs = [(p, g) for p in parameters_of(parameters) if (g := p.grad) is not None]
        if not pairs:
            raise GradientError("no parameter has a gradient", expected="loss.backward() before step()")
        return self.update([p for p, _ in pairs], [g for _, g in pairs], examples)

    def update(self, parameters: Sequence[Tensor], gradients: Sequence[Any], examples: Any = 1) -> bool:
        """Take in gradients in hand; whether the parameters have been moved."""
        if isinstance(context.recording, Trace):
            raise ArgumentError(
                "Accumulate inside a compiled function, where calls cannot be counted",
                expected="a loop by hand",
                cure="compile the function that computes the gradients, and call update outside of it",
            )
        if not (isinstance(examples, Tensor) and examples.ndim == 0):  # whose value may still be in the making
            positive("Accumulate.update", finite=True, examples=examples)
        gradients = matched(parameters, gradients)
        if self.count and [id(p) for p in parameters] != [id(p) for p in self.parameters]:
            raise ArgumentError(
                "other parameters than in the first call of this group", expected="the same in all of them"
            )
        with context.set(tracking=False):
            added = [examples * g for g in gradients]
            self.sums = [s + g for s, g in zip(self.sums, added, strict=True)] if self.count else added
            self.examples = self.examples + examples
        self.parameters, self.count = list(parameters), self.count + 1
        if self.count >= self.steps:
            return self.flush()
        if isinstance(context.recording, Log):
            context.recording.cut()  # the small batch runs now; only the sums are kept
        return False

    def flush(self) -> bool:
        """Move the parameters by what has been gathered; False where there is nothing."""
        if not self.count:
            return False
        with context.set(tracking=False):
            means = [s / self.examples for s in self.sums]
        parameters = self.parameters
        self.clear()
        self.optimizer.update(parameters, means)
        return True
