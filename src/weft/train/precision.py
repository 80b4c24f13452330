"""In how many bits a model computes: parameters of 32, calculations of 16, a loss scale where those underflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from weft.graph.dtype import DType, bfloat16, float16, float32, float64
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.ops.arithmetic import clip
from weft.ops.comparison import where
from weft.tensor import Tensor, number_cell

GROWTH = 2000  # good steps after which the loss scale doubles: P. Micikevicius et al., "Mixed Precision Training", 2018
FIRST_SCALE, MOST = 2.0**15, 2.0**24


@dataclass(frozen=True)
class Precision:
    """A name ("bf16", "f16", "f32", "f64"), the type of calculations, the type of parameters, and whether to scale.

    With 16 bits the parameters, their gradients and the optimizer keep 32: small updates would round away. Numbers
    below 6e-8 vanish in float16, so its loss is multiplied by a scale that is halved whenever a gradient overflows
    and doubled after 2,000 good steps; bfloat16 has the range of float32 and needs none.
    """

    name: str
    compute: DType
    hold: DType
    scales: bool = False

    @property
    def mixed(self) -> bool:
        """Whether calculations have another type than parameters."""
        return self.compute is not self.hold

    @property
    def wide(self) -> bool:
        """Whether data keeps its 64 bits."""
        return self.hold is float64

    @property
    def counted(self) -> DType:
        """The type of losses and metrics while they are summed, and in the history."""
        return float64 if self.wide else float32

    @contextmanager
    def computing(self, model: Module) -> Iterator[None]:
        """The block sees the parameters of ``model`` in the type of calculations; gradients reach the originals."""
        if not self.mixed:
            yield
            return
        held = [(p, p.node) for p in model.parameters() if p.dtype is self.hold]
        try:
            for p, _ in held:
                p.node = p.astype(self.compute).node
            yield
        finally:
            for p, node in held:
                p.node = node

    def given(self, x: Any) -> Any:
        """An input in the type of calculations, if it holds floating-point numbers."""
        return x.astype(self.compute) if x.dtype.is_floating and x.dtype is not self.compute else x


PRECISIONS = {
    "f32": Precision("f32", float32, float32),
    "bf16": Precision("bf16", bfloat16, float32),
    "f16": Precision("f16", float16, float32, scales=True),
    "f64": Precision("f64", float64, float64),
}


def get_precision(of: str | Precision) -> Precision:
    """The precision of this name.

    >>> get_precision("bf16").hold.name
    'float32'
    """
    return of if isinstance(of, Precision) else find(PRECISIONS, of, "precision")


class LossScale:
    """The factor of the loss, as state of a run: halved at an overflow, doubled after many good steps."""

    def __init__(self, used: bool) -> None:
        self.used = used
        self.factor: Tensor = number_cell(FIRST_SCALE if used else 1.0)
        self.good: Tensor = number_cell(0.0)

    def scaled(self, loss: Any) -> Any:
        """The loss whose gradients are computed."""
        return loss * self.factor if self.used else loss

    def unscaled(self, gradient: Any) -> Any:
        """The gradient of the loss itself."""
        return gradient / self.factor if self.used else gradient

    def note(self, finite: Any) -> Any:
        """Take note of a step; whether what was not finite can be cured by a smaller scale."""
        if not self.used:
            return False
        curable = ~finite & (self.factor > 1)
        grown = finite & (self.good + 1 >= GROWTH)
        factor = where(finite, where(grown, self.factor * 2, self.factor), self.factor / 2)
        self.good.assign(where(finite & ~grown, self.good + 1, 0.0))
        self.factor.assign(clip(factor, 1.0, MOST))
        return curable
