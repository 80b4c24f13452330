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
from weft.graph.function import make
from weft.graph.op import Casts, Kind
from weft.nn.functional.cells import CELLS
from weft.ops.assembling import concat, split
from weft.ops.comparison import where
from weft.ops.creation import arange, zeros
from weft.ops.linalg import dot


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
    a = dot(states[0], weight, ta=False, tb=False)
    (out, *others), kept = CELLS[cell].forth(x, a if bias is None else a + bias, states)
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
        made = after if kept is None else [*after, kept]
        return after, made[0] if len(made) == 1 else concat(made, axis=-1)

    given = [x] if inside is None else [x, inside]
    return scan(forth, states, given, reverse=form["reverse"])[1]


def _parts_of(y: Any, states: Sequence[Any]) -> tuple[list[Any], Any]:
    """The states of all steps, and what is kept of them or None; also of a gradient of y."""
    widths = [s.shape[-1] for s in states]
    rest = y.shape[-1] - sum(widths)
    if not rest:
        return [y] if len(widths) == 1 else list(split(y, tuple(widths), axis=-1)), None
    *after, kept = split(y, (*widths, rest), axis=-1)
    return after, kept


def _run_vjp(g: Any, y: Any, x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, *_ = Form(**form).parts(rest)
    of_states, of_kept = _parts_of(g, states)
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
    after, kept = _parts_of(y, states)
    before = [_shifted(first, all_, form.reverse) for first, all_ in zip(states, after, strict=True)]
    given = {"slopes": cell.slopes(x, kept, before, after), "inside": inside, "of_states": list(of_states)}
    given["of_a"] = None if of_kept is None else cell.of_products(of_kept, kept)

    def back(carried: Any, now: Any) -> Any:
        d = [dc if dk is None else dc + dk for dc, dk in zip(carried, now["of_states"], strict=True)]
        d_in = d if inside is None else [where(now["inside"], dk, 0) for dk in d]
        of_h = d_in[0]
        if projection is not None:
            d_in = [dot(of_h, projection, ta=False, tb=False), *d_in[1:]]
        da, of_before = cell.back(d_in, now["slopes"])
        da = da if now["of_a"] is None else da + now["of_a"]
        made: list[Any] = [None if inside is None else where(now["inside"], 0, dk) for dk in d]
        for k, part in (*enumerate(of_before), (0, dot(da, weight, ta=False, tb=False))):
            made[k] = part if made[k] is None else made[k] if part is None else made[k] + part
        return made, (da, None if cell.sums and projection is None else of_h)

    last = [zeros(s.shape, dtype=s.dtype) if d is None else d for s, d in zip(states, of_last, strict=True)]
    of_first, (da, of_h) = scan(back, last, given, reverse=not form.reverse)
    dx = cell.of_inputs(da, of_h, x, kept, before)
    d_weight = dot(_rows(da), _rows(before[0]), ta=True, tb=False)
    outputs = _rows(cell.outputs(kept, after))
    d_projection = None if projection is None else dot(_rows(of_h), outputs, ta=True, tb=False)
    return dx, d_weight, *form.gradients(of_first, da.sum(axis=(0, 1)), d_projection, None)


def _shifted(first: Any, after: Any, reverse: bool) -> Any:
    """What each step began with: the states after the others, and the first one."""
    one = first.reshape(1, *first.shape)
    return concat([after[1:], one], axis=0) if reverse else concat([one, after[:-1]], axis=0)


def _rows(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1])


# ── what is seen of it ──────────────────────────────────────────────────────────────────────────────────────
# The tensor of all states has the gradient above, which takes cotangents of all that is in it. A network looks only
# at the outputs and the last states, so reading these has a gradient of its own, straight to the operands and without
# the zeros for the rest; through the tensor itself goes only the second derivative.


def _read(y: Any, x: Any, weight: Any, *rest: Any, **form: Any) -> Any:
    states, *_ = Form(**form).parts(rest)
    after, _ = _parts_of(y, states)
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
