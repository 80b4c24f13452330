"""Recurrent layers over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

from typing import Any, ClassVar

from weft.errors import ArgumentError, ShapeError
from weft.nn import functional
from weft.nn.check import choice, fraction, sizes
from weft.nn.functional.cells import CELLS
from weft.nn.functional.recurrent import inside_of, recurrence
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.ops.assembling import concat, stack
from weft.ops.comparison import where
from weft.ops.creation import zeros
from weft.tensor import Tensor, as_tensor


class Recurrent(Module):
    """What RNN, LSTM and GRU have in common: layers of one cell, each over all steps, in one or both directions.

    Shapes: x (steps, batch, input_size), or (batch, steps, input_size) with ``batch_first``, or (steps, input_size);
    the outputs alike with hidden_size features, twice as many in both directions; each state
    (layers · directions, batch, hidden_size). ``input_size`` is learned from the first input if only one size is
    given: ``nn.LSTM(64)``.

    ``lengths`` (batch,) says how many steps of each sequence count. What comes after them changes nothing: outputs
    are zero there, the last states are those of the true end, and the way back begins at the true end. Lengths are
    data: however long the sequences are, padded batches of one shape are one program.
    """

    cell: str
    proj_size = 0
    several: ClassVar[bool] = False  # whether the state is a pair

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        layer = type(self).__name__
        if hidden_size is None:
            input_size, hidden_size = None, input_size
        if hidden_size is None:
            raise ArgumentError(f"{layer}: no size", expected=f"nn.{layer}(features), or nn.{layer}(inputs, features)")
        sizes(layer, 1, hidden_size=hidden_size, num_layers=num_layers)
        sizes(layer, 1, optional=True, input_size=input_size)
        fraction(layer, dropout=dropout)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        self._declare()

    # ── parameters, in PyTorch's names ──────────────────────────────────────────────────────────────────────

    def _declare(self) -> None:
        rows, features = CELLS[self.cell].gates * self.hidden_size, self.proj_size or self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_hh": (rows, features)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes |= {"weight_hr": (self.proj_size, self.hidden_size)}
        for k, suffix in enumerate(self._suffixes):
            width = self.input_size if k < self._directions else features * self._directions
            first = None if width is None else (rows, width)
            for name, shape in {"weight_ih": first, **shapes}.items():
                setattr(self, name + suffix, Parameter.drawn(shape, "fan_uniform", fan_in=self.hidden_size))
        self._sized = self.input_size is not None

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _suffixes(self) -> list[str]:
        ends = ("", "_reverse")[: self._directions]
        return [f"_l{k}{end}" for k in range(self.num_layers) for end in ends]

    def infer(self, x: Tensor, *_: Any) -> None:
        if x.ndim not in (2, 3):
            raise self._misfit(x)
        self.input_size = x.shape[-1]
        for suffix in self._suffixes[: self._directions]:
            rows = CELLS[self.cell].gates * self.hidden_size
            getattr(self, "weight_ih" + suffix).shaped((rows, x.shape[-1]), fan_in=self.hidden_size)

    # ── the call ────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
        """The outputs of all steps, and the state after the last one; ``hx`` is the state to begin with, or zeros."""
        x = as_tensor(x)
        alone = x.ndim == 2
        time = 1 if self.batch_first and not alone else 0
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or x.shape[time] == 0:
            raise self._misfit(x)
        if alone:
            x = x.reshape(x.shape[0], 1, x.shape[1])
        elif self.batch_first:
            x = x.swapaxes(0, 1)
        states = self._states(x, hx, alone)
        inside = None if lengths is None else inside_of(type(self).__name__, as_tensor(lengths), *x.shape[:2])
        y, last = self._layers(x, states, inside)
        if alone:
            y, last = y[:, 0], [s[:, 0] for s in last]
        elif self.batch_first:
            y = y.swapaxes(0, 1)
        return y, tuple(last) if self.several else last[0]

    def _layers(self, x: Any, states: Any, inside: Any) -> tuple[Any, list[Any]]:
        """All layers one after the other; the last states of all of them, for each kind of state."""
        ends = []
        if inside is not None:
            x = where(inside, x, 0)  # whatever stands there, NaN included, takes no part in any gradient
        for k in range(self.num_layers):
            x = self._dropped(x) if k else x
            outputs = []
            for direction in range(self._directions):
                at = k * self._directions + direction
                y, last = self._one(x, self._suffixes[at], [s[at] for s in states], inside, direction == 1)
                outputs.append(y)
                ends.append(last)
            x = outputs[0] if len(outputs) == 1 else concat(outputs, axis=-1)
            if inside is not None:
                x = where(inside, x, 0)
        return x, [stack(each) for each in zip(*ends, strict=True)]

    def _dropped(self, x: Any) -> Any:
        return functional.dropout(x, self.dropout) if self.dropout and self.training else x

    def _one(self, x: Any, suffix: str, states: Any, inside: Any, reverse: bool) -> Any:
        """One layer in one direction."""
        weights = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        w_in, w, b_in, b, projection = (getattr(self, name + suffix, None) for name in weights)
        products = functional.linear(x, w_in, b_in)
        return recurrence(self.cell, products, w, states, b, projection, inside, reverse=reverse)

    def _states(self, x: Any, hx: Any, alone: bool) -> list[Any]:
        """The states to begin with, (layers · directions, batch, features) each."""
        n = len(self._suffixes)
        widths = [self.proj_size or self.hidden_size, self.hidden_size][: CELLS[self.cell].states]
        if hx is None:
            return [zeros((n, x.shape[1], width), dtype=x.dtype) for width in widths]
        given = [as_tensor(s) for s in (hx if isinstance(hx, tuple | list) else [hx])]
        wanted = [(n, *(() if alone else (x.shape[1],)), width) for width in widths]
        found = [s.shape for s in given]
        if found != wanted:
            raise ShapeError(
                f"{type(self).__name__}: a state of shapes {found}",
                expected=f"{wanted}: (layers · directions, batch, features)",
            )
        return [s.reshape(n, x.shape[1], width) for s, width in zip(given, widths, strict=True)]

    def _misfit(self, x: Any) -> ShapeError:
        layout = "(batch, steps, {})" if self.batch_first else "(steps, batch, {})"
        size = "features" if self.input_size is None else self.input_size
        name = type(self).__name__
        return ShapeError(
            f"an input of shape {x.shape} for {name} of input_size {size}",
            expected=f"{layout.format(size)} or (steps, {size}), one step at least",
            cure=f"nn.{name}({x.shape[-1]}, {self.hidden_size})" if x.ndim in (2, 3) else None,
        )

    def extra_repr(self) -> str:
        known = "?" if self.input_size is None else self.input_size
        parts = [f"{known}, {self.hidden_size}"]
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        defaults |= {"proj_size": 0}
        parts += [f"{name}={getattr(self, name)}" for name, usual in defaults.items() if getattr(self, name) != usual]
        return ", ".join(parts)


@register
class RNN(Recurrent):
    """h′ = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it: Elman 1990.

    Shapes and ``lengths`` as in all recurrent layers: x (steps, batch, inputs), or batch first; the result is the
    outputs (steps, batch, features) and the last state (layers · directions, batch, features).

    >>> import weft as wf
    >>> from weft import nn
    >>> y, h = nn.RNN(3, 5)(wf.zeros((7, 2, 3)))
    >>> y.shape, h.shape
    ((7, 2, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        choice("RNN", "nonlinearity", nonlinearity, ("tanh", "relu"))
        self.nonlinearity = self.cell = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)


@register
class LSTM(Recurrent):
    """c′ = f ⊙ c + i ⊙ g and h′ = o ⊙ tanh(c′), with gates i, f, o and a candidate g: Hochreiter and Schmidhuber 1997.

    The rows of the weights are i, f, g, o as in PyTorch. With ``proj_size`` h′ is multiplied by a matrix: Sak et al.
    2014. The state is the pair (h, c).

    >>> import weft as wf
    >>> from weft import nn
    >>> y, (h, c) = nn.LSTM(3, 5, batch_first=True)(wf.zeros((2, 7, 3)), lengths=[7, 4])
    >>> y.shape, h.shape, c.shape
    ((2, 7, 5), (1, 2, 5), (1, 2, 5))
    """

    cell = "lstm"
    several = True

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        sizes("LSTM", 0, proj_size=proj_size)
        units = input_size if hidden_size is None else hidden_size
        if isinstance(units, int) and proj_size >= units:
            raise ArgumentError(
                f"LSTM: proj_size={proj_size} with {units} units", expected=f"0 ≤ proj_size < {units}, the hidden_size"
            )
        self.proj_size = proj_size
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)


@register
class GRU(Recurrent):
    """h′ = (1 − z) ⊙ n + z ⊙ h with n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)) and gates r, z: Cho et al. 2014.

    The rows of the weights are r, z, n as in PyTorch.

    >>> import weft as wf
    >>> from weft import nn
    >>> y, h = nn.GRU(3, 5, bidirectional=True)(wf.zeros((7, 2, 3)))
    >>> y.shape, h.shape
    ((7, 2, 10), (2, 2, 5))
    """

    cell = "gru"
