"""The numbers of an optimizer, for every group of parameters, in one tensor.

One tensor is one argument of the program; what it holds may change without a compilation. A number is stored as the
numbers of a schedule, a plain one as those of a constant schedule; which schedules there are is structure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from weft.errors import ArgumentError
from weft.graph.node import leaf
from weft.optim.groups import matching
from weft.optim.schedules.schedule import PROGRAM, Constant, Schedule, Structure, as_schedule, bind
from weft.tensor import Tensor

Rate = float | Schedule
# Settings that every optimizer takes; a number that does nothing stands for one that is not used.
NEUTRAL = {"clip_norm": math.inf, "clip_value": math.inf, "l1": 0.0, "l2": 0.0, "max_norm": math.inf}

# Settings of which a plain 0 is structure: what they are for (a slot, reading the weights) is not there then.
SPARED = ("momentum", "weight_decay")


# Settings whose range is narrower than the finite numbers ≥ 0.
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    **dict.fromkeys(("beta1", "beta2", "decay"), (lambda x: x < 1, "0 ≤ {} < 1")),
    "rho": (lambda x: x <= 1, "0 ≤ {} ≤ 1"),
    **dict.fromkeys(("clip_norm", "clip_value", "max_norm"), (lambda x: x > 0, "{} > 0")),
    **dict.fromkeys(("start", "every"), (lambda x: x >= 1, "{} ≥ 1")),
}


class Cell(NamedTuple):
    """Where the numbers of one setting begin, and what they are the numbers of; None: the plain number 0."""

    structure: Structure | None
    start: int


class Row(NamedTuple):
    """The settings of one group of parameters: which patterns hold for it, and whether it is exempt from decay."""

    patterns: tuple[str, ...]
    exempt: bool


class Numbers:
    """The settings of an optimizer: numbers or schedules by name, and what groups of parameters have instead.

    ``version`` changes with the structure: another schedule, a setting that was not used before, a new group.
    """

    def __init__(self, groups: Mapping[str, Mapping[str, Any]] | None, decay: str) -> None:
        self.values: dict[str, Schedule] = {}
        self.groups: dict[str, dict[str, Schedule]] = {}
        self.given_groups, self.decay = groups or {}, decay
        if decay not in ("all", "matrices"):
            raise ArgumentError(f"decay={decay!r}", expected='"all" or "matrices" (no decay of biases and norms)')
        self.rows: list[Row] = [Row((), False)]
        self.version = 0
        self.tensor = Tensor(np.zeros(1, np.float64))

    def complete(self, owner: str) -> None:
        """Read the groups, when all names are known."""
        if not isinstance(self.given_groups, Mapping) or not all(
            isinstance(settings, Mapping) for settings in self.given_groups.values()
        ):
            raise ArgumentError(
                f"{owner}(groups={self.given_groups!r})",
                expected="settings by patterns of paths",
                cure='groups={"*.bias": {"learning_rate": 1e-3}}',
            )
        for pattern, settings in self.given_groups.items():
            for name in settings:
                if (name not in self.values and name not in NEUTRAL and name != "scale") or name == "clip_norm":
                    known = ", ".join([*self.values, *(n for n in NEUTRAL if n != "clip_norm"), "scale"])
                    raise ArgumentError(
                        f"groups={{{pattern!r}: {{{name!r}: …}}}} of {owner}", expected=f"one of {known}"
                    )
            self.groups[pattern] = {name: checked(owner, name, value) for name, value in settings.items()}
            for name in settings:
                if name in NEUTRAL:
                    self.values.setdefault(name, Constant(NEUTRAL[name]))
        self.refresh()

    # ── changes ─────────────────────────────────────────────────────────────────────────────────────────────

    def set(self, owner: str, name: str, value: Any) -> None:
        """Give a setting another value; only another structure makes another program."""
        new, old = checked(owner, name, value), self.values.get(name)
        self.values[name] = new
        if old is not None:  # else the optimizer is only being made
            spared = name in SPARED and is_zero(old) != is_zero(new)
            if spared or old.structure != new.structure or remembered(old) != remembered(new):
                self.version += 1
            self.refresh()

    def get(self, name: str) -> Any:
        """A setting as a person gave it: a number, or a schedule."""
        value = self.values.get(name)
        return value.value if isinstance(value, Constant) else value

    def refresh(self) -> None:
        """Put the numbers as they are now into the tensor."""
        flat = [number for row in self.schedules() for schedule in row.values() for number in schedule.flat]
        values = np.array(flat or [0.0], np.float64)
        if self.tensor.shape == values.shape:
            self.tensor.node = leaf(values, self.tensor.node.spec)
        else:
            self.tensor = Tensor(values)

    # ── groups ──────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, parameter: Any) -> int:
        """The row of a parameter's settings."""
        exempt = self.decay == "matrices" and len(parameter.node.spec.shape) < 2
        found = Row(matching(self.groups, parameter), exempt)
        if found not in self.rows:
            self.rows.append(found)
            self.version += 1
            self.refresh()
        return self.rows.index(found)

    def of_row(self, row: Row) -> dict[str, Schedule]:
        """The settings of a group: those of the optimizer, except where a pattern says otherwise; the last one wins."""
        settings = dict(self.values)
        for pattern in row.patterns:
            settings.update(self.groups[pattern])
            if "scale" in settings:
                settings["learning_rate"] = settings["learning_rate"] * settings.pop("scale")
        if row.exempt:
            settings["weight_decay"] = Constant(0.0)
        return settings

    def schedules(self) -> list[dict[str, Schedule]]:
        """The settings of every row."""
        return [self.of_row(row) for row in self.rows]

    @property
    def remembering(self) -> list[Any]:
        """Every schedule that has a memory, in the order in which the program asks for them."""
        return [s for row in self.schedules() for schedule in row.values() for s in schedule.remembering]

    def layout(self) -> tuple[tuple[tuple[str, Cell], ...], ...]:
        """For each row its settings' places in the tensor: part of the program's structure."""
        rows, start = [], 0
        for settings in self.schedules():
            cells = []
            for name, schedule in settings.items():
                spared = name in SPARED and is_zero(schedule)
                cells.append((name, Cell(None if spared else schedule.structure, start)))
                start += len(schedule.flat)
            rows.append(tuple(cells))
        return tuple(rows)


def read(layout: Any, tensor: Any, step: Any, memories: Sequence[Any]) -> list[dict[str, Any]]:
    """Inside a program: the value of every setting of every row at a step (the first is 0)."""
    at = step.astype("float64")
    remembered = iter(memories)
    rows = []
    for cells in layout:
        found = {}
        for name, (structure, start) in cells:
            if structure is None:
                found[name] = 0
                continue
            numbers = _from(tensor, start)
            found[name] = bind(structure, PROGRAM, numbers, remembered)(at)
        rows.append(found)
    return rows


def _from(tensor: Any, start: int) -> Iterator[Any]:
    while True:
        yield tensor[start]
        start += 1


def checked(owner: str, name: str, value: Any) -> Schedule:
    """A setting that has been given, if it is one."""
    if isinstance(value, Real | bool):
        number = float(value)
        finite = math.isfinite(number) or (number == math.inf and name in NEUTRAL)
        if isinstance(value, bool) or not (number >= 0 and finite):
            raise ArgumentError(f"{owner}({name}={value!r})", expected="a finite number ≥ 0, or a schedule")
        if name in RANGES and not RANGES[name][0](number):
            raise ArgumentError(f"{owner}({name}={value!r})", expected=RANGES[name][1].format(name))
    return as_schedule(value)


def remembered(schedule: Schedule) -> list[int]:
    return [id(s) for s in schedule.remembering]


def is_zero(schedule: Schedule) -> bool:
    """Whether a setting is the plain number 0, so that what it is for need not exist."""
    return isinstance(schedule, Constant) and schedule.value == 0
