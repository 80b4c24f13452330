"""What an optimizer remembers of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.recording import Trace, context
from weft.graph.spec import Spec
from weft.optim.groups import check_patterns
from weft.optim.plan import Plan, Unit, computing
from weft.runtime.compiled import compile
from weft.runtime.mesh import axes_of
from weft.tensor import Tensor, beside, number_cell

if TYPE_CHECKING:
    from weft.optim.optimizer import Optimizer

Array = np.ndarray[Any, Any]
PACKED = 1 << 16  # elements up to which parameters are laid end to end; beyond, copying costs more than it saves


@dataclass(frozen=True, eq=False)
class Group:
    """The state of parameters that step together: the slots of each unit, one step counter, and the plan."""

    parameters: tuple[ref[Tensor], ...]
    slots: tuple[Tensor, ...]
    clock: Tensor
    late: tuple[Tensor, ...]  # the clock when parameters that came later took their first step
    plan: Plan
    memories: tuple[Tensor, ...]
    version: int
    shapes: tuple[tuple[int, ...], ...]
    large: bool

    def launch(self, optimizer: Optimizer, parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        """Update large parameters by a program of its own, which takes over their memory instead of copying them."""
        if "run" not in vars(self):
            run = compile(lambda *given: optimizer.record(self, parameters, given))
            object.__setattr__(self, "run", run)
        vars(self)["run"](*gradients)

    def holds(self, parameters: Sequence[Tensor], version: int) -> bool:
        return (
            version == self.version
            and len(parameters) == len(self.parameters)
            and all(r() is p for r, p in zip(self.parameters, parameters, strict=True))
        )


@dataclass(eq=False)
class Memory:
    """What is remembered of one parameter."""

    parameter: ref[Tensor]
    slots: dict[str, Array]
    steps: int


@dataclass(eq=False)
class State:
    """The slots of every parameter and the number of steps it has taken; belongs to an optimizer, or to a run of it."""

    groups: list[Group] = field(default_factory=list)
    apart: list[Memory] = field(default_factory=list)  # of parameters that belong to no group now
    clock: int = 0  # steps taken before the first group was made
    memories: dict[int, Tensor] = field(default_factory=dict)  # of schedules that have one, by their id
    shared: bool = False  # whether schedules remember for themselves: a loop by hand
    version: int = 0

    def of(self, parameters: Sequence[Tensor], optimizer: Optimizer) -> Group:
        """The group of these parameters, made when they are first met in this company."""
        version = optimizer.numbers_of.version
        for group in self.groups:
            if group.holds(parameters, version):
                break
        else:
            group = self.gather(parameters, optimizer)
        recording = context.recording
        if isinstance(recording, Trace):  # what is being compiled holds for this structure only
            recording.guard(self, "version")
            numbers = optimizer.numbers_of
            recording.guard(numbers, "version")
        return group

    def memory(self, schedule: Any) -> Tensor:
        """What a schedule remembers in this run."""
        if self.shared:
            return schedule.memory
        if id(schedule) not in self.memories:
            self.memories[id(schedule)] = schedule.first()
        return self.memories[id(schedule)]

    # ── making groups ───────────────────────────────────────────────────────────────────────────────────────

    def gather(self, parameters: Sequence[Tensor], optimizer: Optimizer) -> Group:
        """A new group; what its parameters remember comes along, and so do those that it leaves behind."""
        self.groups = [g for g in self.groups if any(r() is not None for r in g.parameters)]  # the others are gone
        check_patterns(optimizer.numbers_of.groups, parameters)
        mine = {id(p) for p in parameters}
        touched = [g for g in self.groups if any((p := r()) is not None and id(p) in mine for r in g.parameters)]
        known = {id(m.parameter()): m for m in (*self.apart, *(m for g in touched for m in entries(g)))}
        clock = max((int(g.clock) for g in touched), default=self.clock)
        self.groups = [g for g in self.groups if g not in touched]
        self.apart = [m for m in known.values() if m.parameter() is not None and id(m.parameter()) not in mine]
        group = make_group(
            [known.get(id(p)) or begin(p, optimizer) for p in parameters], parameters, optimizer, clock, self
        )
        self.groups.append(group)
        self.version += 1
        return group

    def all(self) -> dict[int, Memory]:
        """What is remembered of every parameter, by its id."""
        found = (*self.apart, *(m for g in self.groups for m in entries(g)))
        return {id(m.parameter()): m for m in found if m.parameter() is not None}

    # ── as arrays ───────────────────────────────────────────────────────────────────────────────────────────

    def state_dict(self, names: Mapping[str, Tensor], remembering: Sequence[Any]) -> dict[str, Array]:
        """Copies of everything by path: ``fc.weight/m``, ``fc.weight/steps``, ``steps``, ``schedule/0``."""
        known = self.all()
        found: dict[str, Array] = {}
        for path, p in names.items():
            if (memory := known.get(id(p))) is not None:
                found |= {f"{path}/{name}": np.array(value) for name, value in memory.slots.items()}
                found[f"{path}/steps"] = np.array(memory.steps, np.int64)
        found["steps"] = np.array(max((int(g.clock) for g in self.groups), default=self.clock), np.int64)
        for k, schedule in enumerate(remembering):
            found[f"schedule/{k}"] = np.array(self.memory(schedule).numpy())
        return found

    def load_state_dict(
        self, values: Mapping[str, Any], names: Mapping[str, Tensor], remembering: Sequence[Any], optimizer: Optimizer
    ) -> None:
        """Take over what `state_dict` gave; all of it or, with an error, nothing."""
        given = {key: np.array(value) for key, value in values.items()}
        made: list[Memory] = []
        clock = given.pop("steps", None)
        for path, p in names.items():
            steps = given.pop(f"{path}/steps", None)
            if steps is None:
                continue
            wanted = first_slots(p, optimizer)
            slots = {}
            for name, like in wanted.items():
                value = given.pop(f"{path}/{name}", None)
                if value is None:
                    raise ArgumentError(f"{path}/{name} is missing", expected="the state of this very optimizer")
                if value.shape != like.shape or value.dtype != like.dtype:
                    raise ShapeError(
                        f"{path}/{name} is {value.dtype}{value.shape}", expected=f"{like.dtype}{like.shape}"
                    )
                slots[name] = value
            made.append(Memory(ref(p), slots, int(steps)))
        schedules = [given.pop(f"schedule/{k}", None) for k in range(len(remembering))]
        if clock is None or given or any(s is None for s in schedules):
            what = sorted(given)[0] if given else "the step counter or a schedule's memory"
            raise ArgumentError(
                f"a state with {what}" if given else f"a state without {what}", expected="that of state_dict()"
            )
        self.groups, self.apart, self.clock = [], made, int(clock)
        self.version += 1
        for schedule, value in zip(remembering, schedules, strict=True):
            self.memory(schedule).assign(Tensor(value))


def entries(group: Group) -> list[Memory]:
    """What a group remembers of each of its parameters."""
    found: list[Memory] = []
    slots, clock = iter(group.slots), int(group.clock)
    for unit in group.plan.units:
        own = {name: next(slots).numpy() for name in unit.names}
        steps = clock - (int(group.late[unit.began]) if unit.began >= 0 else 0)
        start = 0
        for k in unit.members:
            shape, values = group.shapes[k], own
            if len(unit.members) > 1:
                size = int(np.prod(shape))
                cut = slice(start, start + size)
                values = {
                    name: value if name in group.plan.rule.shared else value[cut].reshape(shape)
                    for name, value in own.items()
                }
                start += size
            if group.parameters[k]() is not None:
                found.append(Memory(group.parameters[k], values, steps))
    return found


def begin(p: Tensor, optimizer: Optimizer) -> Memory:
    """What is remembered of a parameter that has not been moved yet."""
    return Memory(ref(p), first_slots(p, optimizer), 0)


def first_slots(p: Tensor, optimizer: Optimizer) -> dict[str, Array]:
    """The first values of a parameter's slots."""
    spec = p.node.spec
    return optimizer.first(Spec(spec.shape, computing(spec.dtype)))


def make_group(
    memories: Sequence[Memory], parameters: Sequence[Tensor], optimizer: Optimizer, clock: int, state: State
) -> Group:
    """Parameters that are treated alike become one unit where they are small, or a unit each."""
    numbers = optimizer.numbers_of
    alike: dict[Any, list[int]] = {}
    for k, (p, memory) in enumerate(zip(parameters, memories, strict=True)):
        memory.slots = completed(memory.slots, p, optimizer)
        common = tuple(memory.slots[name].item() for name in optimizer.shared)
        alike.setdefault((numbers.row(p), p.dtype, memory.steps, common), []).append(k)
    late: list[int] = []
    units, slots = [], []
    for (row, _, steps, _), members in alike.items():
        began = clock - steps
        if began and began not in late:
            late.append(began)
        place = late.index(began) if began else -1
        small = sum(parameters[k].size for k in members) <= PACKED
        divided = any(any(axes_of(parameters[k].node.data, parameters[k].ndim)) for k in members)
        together = optimizer.elementwise and small and not divided and "max_norm" not in numbers.values
        for part in [members] if together else [[k] for k in members]:
            names = tuple(memories[part[0]].slots)
            units.append(Unit(tuple(part), row, names, place))
            for name in names:
                arrays = [memories[k].slots[name] for k in part]
                whole = len(part) == 1 or name in optimizer.shared
                if not whole:
                    slots.append(Tensor(np.concatenate([a.ravel() for a in arrays])))
                    continue
                slots.append(beside(arrays[0], parameters[part[0]]))
    remembering = numbers.remembering
    plan = Plan(
        optimizer.rule, len(parameters), tuple(units), numbers.layout(), len(late), len(remembering), optimizer.maximize
    )
    return Group(
        tuple(ref(p) for p in parameters),
        tuple(slots),
        number_cell(clock, np.int64),
        tuple(number_cell(began, np.int64) for began in late),
        plan,
        tuple(state.memory(schedule) for schedule in remembering),
        numbers.version,
        tuple(p.shape for p in parameters),
        sum(p.size for p in parameters) > PACKED,
    )


def completed(slots: dict[str, Array], p: Tensor, optimizer: Optimizer) -> dict[str, Array]:
    """The slots that the optimizer wants now: a setting may have been changed that adds one or makes one needless."""
    wanted = first_slots(p, optimizer)
    return {name: slots.get(name, value) for name, value in wanted.items()}
