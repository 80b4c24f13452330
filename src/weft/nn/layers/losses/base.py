"""What all losses as layers share: a function, its options, and how they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from weft.nn.functional.reduction import check_reduction
from weft.nn.module import Module
from weft.nn.parameter import Buffer
from weft.tensor import Tensor, as_tensor


class LossLayer(Module):
    """A loss with its options: called with prediction and target.

    ``table``     its name in `LOSSES`; None for a loss that a `Trainer` has no name for
    ``function``  the function of `weft.nn.functional` that it calls
    ``options``   the attributes that the function takes as keywords of the same names
    """

    table: ClassVar[str | None] = None
    function: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()
    reduction: str
    _name = "loss"

    def __init__(self, reduction: str = "mean") -> None:
        self._keep(reduction)

    def _keep(self, reduction: str) -> None:
        check_reduction(type(self).__name__, reduction, batchmean=type(self).__name__ == "KLDivLoss")
        self.reduction = reduction

    def compute(self, *inputs: Any, reduction: str = "mean") -> Tensor:
        """The loss with another reduction than the layer's own."""
        options = {name: getattr(self, name) for name in self.options}
        return type(self).function(*inputs, reduction=reduction, **options)

    def forward(self, *inputs: Any) -> Tensor:
        return self.compute(*inputs, reduction=self.reduction)

    def extra_repr(self) -> str:
        shown = {name: getattr(self, name) for name in (*self.options, "reduction")}
        shown = {name: "…" if isinstance(value, Tensor) else repr(value) for name, value in shown.items()}
        return ", ".join(f"{name}={value}" for name, value in shown.items() if value != "None")


def constant(value: Any) -> Buffer | None:
    """Weights of a loss: a buffer, which moves and is saved with the layer, as in PyTorch."""
    if value is None or isinstance(value, Buffer):
        return value
    return Buffer(as_tensor(value).numpy())
