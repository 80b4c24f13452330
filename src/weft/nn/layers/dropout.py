"""Dropout."""

from __future__ import annotations

from typing import Any

from weft.graph.recording import Trace, context
from weft.nn import functional
from weft.nn.check import fraction
from weft.nn.module import Module
from weft.nn.registry import register
from weft.tensor import Tensor


@register
class Dropout(Module):
    """In training mode each element becomes 0 with probability ``p``, and the others are divided by 1 − p.

    In evaluation mode nothing happens. The random numbers are those of `weft.random`, new for every call.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Dropout(0.5).eval()(wf.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        fraction("Dropout", p=p)
        self.p: float | Tensor = p

    def forward(self, x: Any) -> Tensor:
        recording = context.recording
        if isinstance(recording, Trace) and not isinstance(self.p, Tensor):
            # A number is part of what is being compiled; a new one must make a new program.
            recording.guards[id(self), "p"] = (self, "p", self.p)
        if not self.training or (not isinstance(self.p, Tensor) and self.p == 0):
            return x
        return functional.dropout(x, self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"
