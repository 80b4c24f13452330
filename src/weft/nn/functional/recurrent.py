"""Recurrences over the steps of a sequence, each one loop forward and one loop back.

Only what depends on the step before stays inside the loops: the product with the weight and the cell. The products
with the inputs are one matrix product before the loop, and the gradient of the weight is one after the loop back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from weft.control import scan
from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.function import function, make
from weft.graph.op import Casts, Kind, Op, floating
from weft.nn.functional.rectifiers import relu
from weft.ops.assembling import concat, split
from weft.ops.comparison import where
from weft.ops.creation import arange, zeros
from weft.ops.exponential import sigmoid
from weft.ops.linalg import dot
from weft.ops.trigonometry import tanh

# ── cells: (products with the input, products with the state before, states before) to the new states ───────
# An LSTM's come from its gates, and these from the products. They are kept for the way back in place of the product,
# which also makes XLA compute each of them once: else its kernels for h and c would both do so.


@function(takes=floating)
def _tanh_cell(x: Any, a: Any) -> Any:
    return (tanh(x + a),)


@function(takes=floating)
def _relu_cell(x: Any, a: Any) -> Any:
    return (relu(x + a),)


def _before_curves(of_gates: Any, gates: Any) -> Any:
    """The gradient of the sum of both products, from those of the gates i, f, g, o."""
    (di, df, dg, do), (i, f, g, o) = of_gates, gates
    return concat([di * (i * (1 - i)), df * (f * (1 - f)), dg * (1 - g * g), do * (o * (1 - o))], axis=-1)


@function(takes=floating, vjp=lambda g, y, x, a: (_before_curves(*(split(t, 4, axis=-1) for t in (g, y))),) * 2)
def _lstm_gates(x: Any, a: Any) -> Any:
    i, f, g, o = split(x + a, 4, axis=-1)
    return concat([sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)], axis=-1)


@function(takes=floating)
def _lstm_cell(i: Any, f: Any, g: Any, o: Any, c: Any) -> Any:
    c = f * c + i * g
    return o * tanh(c), c


@function(takes=floating)
def _gru_cell(x: Any, a: Any, h: Any) -> Any:
    (xr, xz, xn), (ar, az, an) = split(x, 3, axis=-1), split(a, 3, axis=-1)
    z = sigmoid(xz + az)
    n = tanh(xn + sigmoid(xr + ar) * an)
    return (n + z * (h - n),)


class Cell(NamedTuple):
    """A cell: its op, how many rows of the weight each unit has, and which states it looks at itself.

    With an op for the ``gates_of`` both products, the cell's op takes these gates in place of the products.
    """

    op: Op
    gates: int
    sees: tuple[int, ...]
    states: int = 1
    sums: bool = True  # whether it only sees the sum of both products, whose gradients are then one
    gates_of: Op | None = None

    def kept(self, x: Any, a: Any) -> Any:
        """What is kept of a step for the way back: its gates, or else the product with the state before."""
        return a if self.gates_of is None else self.gates_of(x, a)

    def operands(self, x: Any, kept: Any, states: Any) -> list[Any]:
        """What its op takes."""
        first = [x, kept] if self.gates_of is None else split(kept, self.gates, axis=-1)
        return [*first, *(states[k] for k in self.sees)]

    def back(self, d: Any, x: Any, kept: Any, states: Any, of_kept: Any) -> tuple[Any, Any, list[Any]]:
        """Gradients of both products, and of the states that it sees; ``of_kept`` is a further one of what is kept."""
        operands = self.operands(x, kept, states)
        assert self.op.vjp is not None
        found = self.op.vjp(tuple(d), None, *operands, needed=(True,) * len(operands))
        n = len(operands) - len(self.sees)
        of_first, of_states = list(found[:n]), list(found[n:])
        if self.gates_of is None:
            of_first[1] = of_first[1] if of_kept is None else of_first[1] + of_kept
            return of_first[0], of_first[1], of_states
        if of_kept is not None:
            of_first = [a + b for a, b in zip(of_first, split(of_kept, self.gates, axis=-1), strict=True)]
        of_sum = _before_curves(of_first, operands[:n])
        return of_sum, of_sum, of_states


CELLS = {
    "tanh": Cell(_tanh_cell, 1, ()),
    "relu": Cell(_relu_cell, 1, ()),
    "lstm": Cell(_lstm_cell, 4, (1,), states=2, gates_of=_lstm_gates),
    "gru": Cell(_gru_cell, 3, (0,), sums=False),
}


class Form(NamedTuple):
    """What a recurrence consists of; its operands are laid out alike everywhere.

    Operands: products with the inputs (steps, batch, rows), the weight (rows, features), the states before the first
    step (batch, features), then what there is of: a bias (rows,), a projection (features, units), and whether each
    step is inside the sequence (steps, batch, 1).
    """

    cell: str
    biased: bool
    projected: bool
    masked: bool
    reverse: bool

    def parts(self, rest: Sequence[Any]) -> tuple[list[Any], Any, Any, Any]:
        """The operands after the weight: states, bias, projection, mask; None for what there is not."""
        n = CELLS[self.cell].states
        tail = iter(rest[n:])
        return list(rest[:n]), *(next(tail) if has else None for has in (self.biased, self.projected, self.masked))  # type: ignore[return-value]

    def gradients(self, states: Sequence[Any], *parts: Any) -> tuple[Any, ...]:
        """The gradients of the same operands, in their order."""
        present = (self.biased, self.projected, self.masked)
        return (*states, *(part for part, has in zip(parts, present, strict=True) if has))


def _takes(kinds: tuple[Kind, ...]) -> Casts:
    return (None,) * len(kinds)


def step(cell: str, x: Any, weight: Any, states: Sequence[Any], bias: Any = None, projection: Any = None) -> Any:
    """The states after one step, and what is kept of it, from a weight that is (features, rows)."""
    kind = CELLS[cell]
    a = dot(states[0], weight, ta=False, tb=False)
    a = a if bias is None else a + bias
    kept = kind.kept(x, a)
    out, *others = kind.op(*kind.operands(x, kept, states))
    h = out if projection is None else dot(out, projection, ta=False, tb=True)
    return [h, *others], kept


# ── the loop forward: every step's states and what is kept of it, side by side in one tensor ────────────────


def _run(x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, bias, projection, inside = Form(**form).parts(rest)
    across = weight.T

    def forth(before: Any, given: Any) -> Any:
        after, kept = step(form["cell"], given[0], across, before, bias, projection)
        if inside is not None:
            after = [where(given[1], new, old) for new, old in zip(after, before, strict=True)]
        return after, concat([*after, kept], axis=-1)

    given = [x] if inside is None else [x, inside]
    return scan(forth, states, given, reverse=form["reverse"])[1]


def _run_vjp(g: Any, y: Any, x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, *_ = Form(**form).parts(rest)
    *of_states, of_kept = split(g, (*(s.shape[-1] for s in states), x.shape[-1]), axis=-1)
    return _back(y, of_states, of_kept, [None] * len(states), x, weight, *rest, **form)


_run_op = make("recurrence", _run, takes=_takes, vjp=_run_vjp)


# ── the loop back ───────────────────────────────────────────────────────────────────────────────────────────


def _back(
    y: Any,
    of_states: Sequence[Any],
    of_kept: Any,
    of_last: Sequence[Any],
    x: Any,
    weight: Any,
    *rest: Any,
    **options: Any,
) -> tuple[Any, ...]:
    """Gradients of the operands, from those of all states, of what is kept and of the last states (or None)."""
    form = Form(**options)
    states, _, projection, inside = form.parts(rest)
    cell = CELLS[form.cell]
    *after, kept = split(y, (*(s.shape[-1] for s in states), x.shape[-1]), axis=-1)
    before = [_shifted(first, all_, form.reverse) for first, all_ in zip(states, after, strict=True)]
    given = {"x": x if cell.gates_of is None else None, "kept": kept, "inside": inside, "of_kept": of_kept}
    given |= {f"s{k}": before[k] for k in cell.sees} | {f"d{k}": d for k, d in enumerate(of_states)}

    def back(carried: Any, now: Any) -> Any:
        d = [dc if now[f"d{k}"] is None else dc + now[f"d{k}"] for k, dc in enumerate(carried)]
        d_in = d if inside is None else [where(now["inside"], dk, 0) for dk in d]
        of_h = d_in[0]
        if projection is not None:
            d_in = [dot(of_h, projection, ta=False, tb=False), *d_in[1:]]
        seen = {k: now[f"s{k}"] for k in cell.sees}
        dx, da, of_seen = cell.back(d_in, now["x"], now["kept"], seen, now["of_kept"])
        made: list[Any] = [None if inside is None else where(now["inside"], 0, dk) for dk in d]
        for k, part in (*zip(cell.sees, of_seen, strict=True), (0, dot(da, weight, ta=False, tb=False))):
            made[k] = part if made[k] is None else made[k] + part
        shared = cell.gates_of is not None or (cell.sums and of_kept is None)
        return made, (da, None if shared else dx, None if projection is None else of_h)

    last = [zeros(s.shape, dtype=s.dtype) if d is None else d for s, d in zip(states, of_last, strict=True)]
    of_first, (da, dx, of_h) = scan(back, last, given, reverse=not form.reverse)
    d_weight = dot(_rows(da), _rows(before[0]), ta=True, tb=False)
    d_projection = None if of_h is None else dot(_rows(of_h), _rows(_hidden(form, x, kept, before)), ta=True, tb=False)
    return (
        da if dx is None else dx,
        d_weight,
        *form.gradients(of_first, da.sum(axis=(0, 1)), d_projection, None),
    )


def _shifted(first: Any, after: Any, reverse: bool) -> Any:
    """What each step began with: the states after the others, and the first one."""
    one = first.reshape(1, *first.shape)
    return concat([after[1:], one], axis=0) if reverse else concat([one, after[:-1]], axis=0)


def _hidden(form: Form, x: Any, kept: Any, before: Sequence[Any]) -> Any:
    """What was projected, computed again."""
    cell = CELLS[form.cell]
    return cell.op(*cell.operands(x, kept, before))[0]


def _rows(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1])


# ── what is seen of it ──────────────────────────────────────────────────────────────────────────────────────
# The tensor of all states has the gradient above, which takes cotangents of all that is in it. A network looks only
# at the outputs and the last states, so reading these has a gradient of its own, straight to the operands and without
# the zeros for the rest; through the tensor itself goes only the second derivative.


def _read(y: Any, x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, *_ = Form(**form).parts(rest)
    *after, _kept = split(y, (*(s.shape[-1] for s in states), x.shape[-1]), axis=-1)
    end = 0 if form["reverse"] else -1
    return (after[0], *(s[end] for s in after[1:]))


def _read_vjp(g: Any, _: Any, y: Any, x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, *_ = Form(**form).parts(rest)
    none = [None] * (len(states) - 1)
    return None, *_back(y, [g[0], *none], None, [None, *g[1:]], x, weight, *rest, **form)


_read_op = make("recurrence_outputs", _read, takes=_takes, vjp=_read_vjp)


def recurrence(
    cell: str,
    x: Any,
    weight: Any,
    states: Sequence[Any],
    bias: Any = None,
    projection: Any = None,
    inside: Any = None,
    *,
    reverse: bool = False,
) -> tuple[Any, list[Any]]:
    """Run a cell ("tanh", "relu", "lstm", "gru") over the steps; (outputs of all steps, states after the last).

    Shapes: x (steps, batch, rows) are the products with the inputs, weight (rows, features), each state
    (batch, features). Where ``inside`` (steps, batch, 1) is false the states stay what they are. With ``reverse``
    the steps are taken from the last to the first.
    """
    form = Form(cell, bias is not None, projection is not None, inside is not None, reverse)._asdict()
    operands = (x, weight, *states, *(t for t in (bias, projection, inside) if t is not None))
    outputs, *others = _read_op(_run_op(*operands, **form), *operands, **form)
    return outputs, [outputs[0 if reverse else -1], *others]


def inside_of(layer: str, lengths: Any, steps: int, batch: int) -> Any:
    """Whether each step is inside the sequence, (steps, batch, 1); lengths that cannot be are refused where known."""
    if not lengths.dtype.is_integer:
        raise DTypeError(f"{layer}: lengths of {lengths.dtype.name}", expected="whole numbers")
    if lengths.shape != (batch,):
        raise ShapeError(
            f"{layer}: lengths of shape {lengths.shape} for {batch} sequences", expected=f"({batch},): one for each"
        )
    known = lengths.node.data
    if known is not None:
        values = np.asarray(known)
        for k in np.flatnonzero((values < 0) | (values > steps))[:1]:
            raise ArgumentError(
                f"{layer}: sequence {k} has the length {values[k]}, and the input has {steps} steps",
                expected=f"0 ≤ length ≤ {steps}",
            )
    return arange(steps).reshape(steps, 1, 1) < lengths.reshape(1, batch, 1)
