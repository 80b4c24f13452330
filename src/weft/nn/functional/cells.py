"""Cells of recurrences: a step forward, and the slopes by which a gradient goes back through it.

A cell is elementwise, so its gradient multiplies whatever comes by numbers that depend only on values of the way
forward. These slopes are found for all steps at once, before the loop back, which is left with a few products.

Letters: x products with the input, a products with the state before, h and c states, i f g o and r z n gates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.functional.rectifiers import relu
from weft.ops.assembling import concat, split
from weft.ops.comparison import where
from weft.ops.exponential import sigmoid
from weft.ops.trigonometry import tanh

Slopes = tuple[Any, ...]


class Cell(ABC):
    """A cell; ``gates`` is how many rows of the weights each unit has, ``states`` how many states it carries.

    Where it ``sums``, x and a enter it as one sum, and their gradients are one. Tensors of all steps have the layout
    (steps, batch, features), those of one step (batch, features).
    """

    gates = 1
    states = 1
    sums = True

    @abstractmethod
    def forth(self, x: Any, a: Any, before: Sequence[Any]) -> tuple[list[Any], Any]:
        """The output and the other states after the step, and what is kept for the way back (None: nothing)."""

    @abstractmethod
    def slopes(self, x: Any, kept: Any, before: Sequence[Any], after: Sequence[Any]) -> Slopes:
        """What `back` multiplies by, for all steps."""

    @abstractmethod
    def back(self, d: Sequence[Any], slopes: Slopes) -> tuple[Any, list[Any]]:
        """From the gradients of the states after a step: those of a, and of what it takes of the states before."""

    def of_products(self, of_kept: Any, kept: Any) -> Any:
        """The gradient of a of all steps, from that of what is kept of them."""
        return of_kept

    def of_inputs(self, da: Any, dh: Any, x: Any, kept: Any, before: Sequence[Any]) -> Any:
        """The gradient of x of all steps, from those of a and of the outputs."""
        return da

    def outputs(self, kept: Any, after: Sequence[Any]) -> Any:
        """The outputs of all steps before their projection, where h is the projected one."""
        return after[0]


class Elman(Cell):
    """h′ = curve(x + a)."""

    def __init__(self, op: Any, slope: Any) -> None:
        self.op, self.slope = op, slope

    def forth(self, x: Any, a: Any, before: Sequence[Any]) -> tuple[list[Any], Any]:
        return [self.op(x, a)], None

    def slopes(self, x: Any, kept: Any, before: Sequence[Any], after: Sequence[Any]) -> Slopes:
        return (self.slope(after[0]),)

    def back(self, d: Sequence[Any], slopes: Slopes) -> tuple[Any, list[Any]]:
        return d[0] * slopes[0], [None]


@function(takes=floating)
def _tanh_of_sum(x: Any, a: Any) -> Any:
    return tanh(x + a)


@function(takes=floating)
def _relu_of_sum(x: Any, a: Any) -> Any:
    return relu(x + a)


class Lstm(Cell):
    """c′ = f · c + i · g, h′ = o · tanh c′ with i, f, o = σ(x + a), g = tanh(x + a), each of its own rows.

    The gates are kept in place of the products, which also makes XLA compute each of them once: else its kernels for
    h and c would both do so.
    """

    gates, states = 4, 2

    def forth(self, x: Any, a: Any, before: Sequence[Any]) -> tuple[list[Any], Any]:
        gates = _lstm_gates(x, a)
        return list(_lstm_states(*split(gates, 4, axis=-1), before[1])), gates

    def slopes(self, x: Any, kept: Any, before: Sequence[Any], after: Sequence[Any]) -> Slopes:
        (i, f, g, o), (si, sf, sg, so) = (split(t, 4, axis=-1) for t in (kept, _lstm_curves(kept)))
        t = tanh(after[1])
        return concat([g * si, before[1] * sf, i * sg], axis=-1), t * so, o * (1 - t * t), f

    def back(self, d: Sequence[Any], slopes: Slopes) -> tuple[Any, list[Any]]:
        by_c, by_h, through, f = slopes
        dh, dc = d
        dc = dc + dh * through
        n, units = dc.shape
        of_ifg = (dc.reshape(n, 1, units) * by_c.reshape(n, 3, units)).reshape(n, 3 * units)
        return concat([of_ifg, dh * by_h], axis=-1), [None, dc * f]

    def of_products(self, of_kept: Any, kept: Any) -> Any:
        return of_kept * _lstm_curves(kept)

    def outputs(self, kept: Any, after: Sequence[Any]) -> Any:
        return split(kept, 4, axis=-1)[3] * tanh(after[1])


def _lstm_curves(gates: Any) -> Any:
    """The slopes of the curves of the gates, by the gates."""
    i, f, g, o = split(gates, 4, axis=-1)
    return concat([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], axis=-1)


@function(takes=floating, vjp=lambda g, y, x, a: (g * _lstm_curves(y),) * 2)
def _lstm_gates(x: Any, a: Any) -> Any:
    i, f, g, o = split(x + a, 4, axis=-1)
    return concat([sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)], axis=-1)


@function(takes=floating)
def _lstm_states(i: Any, f: Any, g: Any, o: Any, c: Any) -> Any:
    c = f * c + i * g
    return o * tanh(c), c


class Gru(Cell):
    """h′ = n + z · (h − n) with r, z = σ(x + a), n = tanh(x + r · a), each of its own rows; a is kept."""

    gates, sums = 3, False

    def forth(self, x: Any, a: Any, before: Sequence[Any]) -> tuple[list[Any], Any]:
        return [_gru_state(x, a, before[0])], a

    def slopes(self, x: Any, kept: Any, before: Sequence[Any], after: Sequence[Any]) -> Slopes:
        r, z, an, rest, of_n = self._parts(x, kept, before[0])
        return concat([of_n * an * r * (1 - r), rest, of_n * r], axis=-1), z

    def back(self, d: Sequence[Any], slopes: Slopes) -> tuple[Any, list[Any]]:
        (dh,), (by_h, z) = d, slopes
        n, units = dh.shape
        return (dh.reshape(n, 1, units) * by_h.reshape(n, 3, units)).reshape(n, 3 * units), [dh * z]

    def of_inputs(self, da: Any, dh: Any, x: Any, kept: Any, before: Sequence[Any]) -> Any:
        r, _, an, rest, of_n = self._parts(x, kept, before[0])
        return concat([dh * (of_n * an * r * (1 - r)), dh * rest, dh * of_n], axis=-1)

    @staticmethod
    def _parts(x: Any, a: Any, h: Any) -> tuple[Any, ...]:
        (xr, xz, xn), (ar, az, an) = split(x, 3, axis=-1), split(a, 3, axis=-1)
        r, z = sigmoid(xr + ar), sigmoid(xz + az)
        n = tanh(xn + r * an)
        return r, z, an, (h - n) * z * (1 - z), (1 - z) * (1 - n * n)


@function(takes=floating)
def _gru_state(x: Any, a: Any, h: Any) -> Any:
    (xr, xz, xn), (ar, az, an) = split(x, 3, axis=-1), split(a, 3, axis=-1)
    z = sigmoid(xz + az)
    n = tanh(xn + sigmoid(xr + ar) * an)
    return n + z * (h - n)


CELLS: dict[str, Cell] = {
    "tanh": Elman(_tanh_of_sum, lambda h: 1 - h * h),
    "relu": Elman(_relu_of_sum, lambda h: where(h > 0, 1, 0).astype(h.dtype)),
    "lstm": Lstm(),
    "gru": Gru(),
}
