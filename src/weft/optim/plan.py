"""The op behind every optimizer: a rule applied to all parameters at once.

Small parameters that are treated alike are laid end to end, so that the program is short and has few arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple

from weft.graph.dtype import float32
from weft.graph.function import make
from weft.graph.op import Op, unchanged
from weft.ops.arithmetic import clip, minimum, sign
from weft.ops.comparison import isfinite, where
from weft.ops.exponential import sqrt
from weft.ops.shape import concat_op, reshape_op, slice_op
from weft.optim.numbers import read


class Rule(NamedTuple):
    """A formula: the class that has it, the numbers it takes, its options, and its slots of one number."""

    cls: Any
    numbers: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]
    shared: tuple[str, ...] = ()

    def apply(self, w: Any, g: Any, state: dict[str, Any], t: Any, numbers: dict[str, Any]) -> Any:
        """The parameter after step t, and its new state."""
        own = {name: numbers[name] for name in self.numbers}
        moved, state = self.cls.formula(w, g, state, t, **own, **dict(self.options))
        if "max_norm" in numbers and "max_norm" not in own and w.ndim > 1:  # else the rule inside bounds them
            moved = bounded(moved, numbers["max_norm"])
        return moved, state


class Unit(NamedTuple):
    """What one application of the formula moves: one parameter, or several laid end to end."""

    members: tuple[int, ...]
    row: int
    names: tuple[str, ...]  # of its slots
    began: int  # which of the late beginnings is its own; -1: it has been there from the first step on


class Plan:
    """The structure of an update: equal plans are one object, and make one program."""

    __slots__ = ("count", "late", "layout", "maximize", "memories", "rule", "units")
    rule: Rule
    count: int
    units: tuple[Unit, ...]
    layout: Any
    late: int
    memories: int
    maximize: bool
    _known: ClassVar[dict[Any, Plan]] = {}

    def __new__(
        cls, rule: Rule, count: int, units: tuple[Unit, ...], layout: Any, late: int, memories: int, maximize: bool
    ) -> Plan:
        """The one plan of this structure."""
        key = (rule, count, units, layout, late, memories, maximize)
        made = cls._known.get(key)
        if made is None:
            made = object.__new__(cls)
            for name, value in zip(
                ("rule", "count", "units", "layout", "late", "memories", "maximize"), key, strict=True
            ):
                object.__setattr__(made, name, value)
            made = cls._known.setdefault(key, made)
        return made

    def __repr__(self) -> str:
        return f"<{self.rule.cls.__name__}: {self.count} tensors, {len(self.units)} units>"


def op_of(cls: type) -> Op:
    """The op of an optimizer, under its own name."""
    return make(cls.__name__.lower(), _body, takes=unchanged)


def _body(*tensors: Any, plan: Plan) -> tuple[Any, ...]:
    """Operands: parameters, gradients, slots, [late beginnings], [memories], step counter, numbers."""
    n, rest = plan.count, len(tensors) - 2 - plan.late - plan.memories
    parameters, gradients, slots = tensors[:n], tensors[n : 2 * n], iter(tensors[2 * n : rest])
    late, memories = tensors[rest : rest + plan.late], tensors[rest + plan.late : -2]
    steps, values = tensors[-2:]
    rows = read(plan.layout, values, steps, memories)
    t = steps + 1
    work = [_Work(plan, unit, parameters, gradients, rows) for unit in plan.units]
    if "clip_norm" in rows[0]:
        share = clipping(sqrt(sum(w.square() for w in work)), rows[0]["clip_norm"].astype(float32))
        for w in work:
            w.g = w.g * share.astype(w.kind)
    moved: list[Any] = [None] * n
    states: list[Any] = []
    for unit, w in zip(plan.units, work, strict=True):
        age = t if unit.began < 0 else t - late[unit.began]
        made, state = w.move(plan.rule, {name: next(slots) for name in unit.names}, age)
        states += [state[name] for name in unit.names]
        for k, value in zip(unit.members, made, strict=True):
            moved[k] = value
    return (*moved, *states, t)


def clipping(norm: Any, most: Any) -> Any:
    """By what gradients of this norm are multiplied: min(1, most/norm), and NaN where the norm is not finite."""
    return where(isfinite(norm), minimum(most / norm, 1.0), float("nan"))


class _Work:
    """One unit in the making."""

    def __init__(self, plan: Plan, unit: Unit, parameters: Any, gradients: Any, rows: Any) -> None:
        self.of = [parameters[k] for k in unit.members]
        self.kind = computing(self.of[0].dtype)
        self.w = end_to_end(self.of).astype(self.kind)
        g = end_to_end([gradients[k] for k in unit.members]).astype(self.kind)
        self.numbers = {name: x if type(x) is int else x.astype(self.kind) for name, x in rows[unit.row].items()}
        if plan.maximize:
            g = -g
        if "clip_value" in self.numbers:
            g = clip(g, -self.numbers["clip_value"], self.numbers["clip_value"])
        self.g = g

    def square(self) -> Any:
        """The sum of the squares of its gradients."""
        return (self.g * self.g).sum().astype(float32)

    def move(self, rule: Rule, state: dict[str, Any], t: Any) -> tuple[list[Any], dict[str, Any]]:
        """Its parameters and its state after step t."""
        w, g, numbers = self.w, self.g, self.numbers
        if "l1" in numbers:
            g = g + numbers["l1"] * sign(w)
        if "l2" in numbers:
            g = g + numbers["l2"] * w
        moved, state = rule.apply(w, g, state, t.astype(self.kind), numbers)
        return [x.astype(p.dtype) for x, p in zip(apart(moved, self.of), self.of, strict=True)], state


def bounded(w: Any, most: Any) -> Any:
    """Weights of which none of a unit's incoming ones have a norm above ``most``: Srivastava et al. 2014, 5.1."""
    norms = sqrt((w * w).sum(axis=tuple(range(1, w.ndim)), keepdims=True))
    return w * minimum(most / norms, 1.0)


def computing(dtype: Any) -> Any:
    """The type in which parameters of a type are moved, and their state is kept: at least single precision."""
    return float32 if dtype.itemsize < 4 else dtype


def end_to_end(tensors: Sequence[Any]) -> Any:
    """All elements of all tensors in one vector; a single tensor as it is."""
    if len(tensors) == 1:
        return tensors[0]
    return concat_op(*(reshape_op(x, shape=(-1,)) for x in tensors), axis=0)


def apart(vector: Any, like: Sequence[Any]) -> list[Any]:
    """A vector cut into tensors of the shapes of ``like``."""
    if len(like) == 1:
        return [vector]
    ends = list(accumulate(x.node.spec.size for x in like))
    starts = [0, *ends[:-1]]
    return [
        reshape_op(slice_op(vector, bounds=((a, b, 1),)), shape=x.shape)
        for a, b, x in zip(starts, ends, like, strict=True)
    ]
