"""Recurrent cells: one step at a time."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import choice, sizes
from weft.nn.functional.cells import CELLS
from weft.nn.functional.recurrent import step
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.creation import zeros
from weft.tensor import Tensor, as_tensor


class RecurrentCell(Module):
    """What the cells have in common: parameters in PyTorch's names, and one step from (x, state) to the state after.

    Shapes: x (batch, input_size) or (input_size,), each state (batch, hidden_size) or (hidden_size,).
    ``input_size`` is learned from the first input if only one size is given.
    """

    cell: str

    def __init__(self, input_size: int | None, hidden_size: int | None = None, bias: bool = True) -> None:
        layer = type(self).__name__
        if hidden_size is None:
            input_size, hidden_size = None, input_size
        if hidden_size is None:
            raise ArgumentError(f"{layer}: no size", expected=f"nn.{layer}(features), or nn.{layer}(inputs, features)")
        sizes(layer, 1, hidden_size=hidden_size)
        sizes(layer, 1, optional=True, input_size=input_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = CELLS[self.cell].gates * hidden_size

        def drawn(shape: tuple[int, ...] | None) -> Parameter:
            return Parameter.drawn(shape, "fan_uniform", fan_in=hidden_size)

        self.weight_ih = drawn(None if input_size is None else (rows, input_size))
        self.weight_hh = drawn((rows, hidden_size))
        self.bias_ih = drawn((rows,)) if bias else None
        self.bias_hh = drawn((rows,)) if bias else None
        self._sized = input_size is not None

    def infer(self, x: Tensor, *_: Any) -> None:
        if x.ndim not in (1, 2):
            raise self._misfit(x)
        self.input_size = x.shape[-1]
        rows = CELLS[self.cell].gates * self.hidden_size
        self.weight_ih.shaped((rows, x.shape[-1]), fan_in=self.hidden_size)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The state after the step; ``hx`` is the state before it, or zeros."""
        x = as_tensor(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise self._misfit(x)
        rows = x.reshape(-1, x.shape[-1])
        products = functional.linear(rows, self.weight_ih, self.bias_ih)
        made, _ = step(self.cell, products, self.weight_hh.T, self._states(x, hx), self.bias_hh)
        after = [s.reshape(*x.shape[:-1], self.hidden_size) for s in made]
        return tuple(after) if len(after) > 1 else after[0]

    def _states(self, x: Any, hx: Any) -> list[Any]:
        count, batch = CELLS[self.cell].states, x.shape[0] if x.ndim == 2 else 1
        if hx is None:
            return [zeros((batch, self.hidden_size), dtype=x.dtype)] * count
        given = list(hx) if isinstance(hx, tuple | list) else [hx]
        wanted = [(*x.shape[:-1], self.hidden_size)] * count
        if (found := [s.shape for s in given]) != wanted:
            raise ShapeError(f"{type(self).__name__}: a state of shapes {found}", expected=f"{wanted}")
        return [s.reshape(batch, self.hidden_size) for s in given]

    def _misfit(self, x: Any) -> ShapeError:
        size = "features" if self.input_size is None else self.input_size
        name = type(self).__name__
        return ShapeError(
            f"an input of shape {x.shape} for {name} of input_size {size}",
            expected=f"(batch, {size}) or ({size},)",
            cure=f"nn.{name}({x.shape[-1]}, {self.hidden_size})" if x.ndim in (1, 2) else None,
        )

    def extra_repr(self) -> str:
        known = "?" if self.input_size is None else self.input_size
        return f"{known}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


@register
class RNNCell(RecurrentCell):
    """h′ = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.RNNCell(3, 5)(wf.zeros((2, 3))).shape
    (2, 5)
    """

    def __init__(
        self, input_size: int | None, hidden_size: int | None = None, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        choice("RNNCell", "nonlinearity", nonlinearity, ("tanh", "relu"))
        self.nonlinearity = self.cell = nonlinearity
        super().__init__(input_size, hidden_size, bias)


@register
class LSTMCell(RecurrentCell):
    """One step of `LSTM`, from x and (h, c) to (h′, c′).

    >>> import weft as wf
    >>> from weft import nn
    >>> h, c = nn.LSTMCell(3, 5)(wf.zeros((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    cell = "lstm"


@register
class GRUCell(RecurrentCell):
    """One step of `GRU`.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GRUCell(3, 5)(wf.zeros((2, 3))).shape
    (2, 5)
    """

    cell = "gru"
