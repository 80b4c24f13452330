"""Many models trained by one program: it takes the states of all, trains each as `fit` would, and gives them back.

On a CPU the members are *mapped*: one after the other inside the program, and one program for each core. Where an
accelerator has room for many small products at once they are *vectorised*.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from weft.control import scan
from weft.graph.recording import Trace, context
from weft.runtime.compiled import compile
from weft.runtime.devices import default_device
from weft.studies.member import dropouts
from weft.tensor import Tensor, number_cell
from weft.train.course import Course
from weft.train.trainer import Trainer
from weft.transforms.mapping import vmap

Array = np.ndarray[Any, Any]
HOW = ("auto", "mapped", "vectorised")


class Handles:
    """The tensors of a course that differ between members, by name; what a member's state is made of."""

    def __init__(self, trainer: Trainer, course: Course) -> None:
        found: dict[str, Tensor] = {f"model/{path}": w for path, w in course.weights.items()}
        found |= {f"course/{name}": t for name, t in course.state().items()}
        for part in trainer.parts:
            group = part.state.of(part.parameters, part.optimizer)
            tensors = [*group.slots, group.clock, *group.late, *group.memories]
            found |= {f"optimizer/{k}": t for k, t in enumerate(tensors)}
        self.state = found
        self.fixed: dict[str, Tensor] = {  # what a member has for its whole life
            "key": course.key,
            "augment_key": course.augment_key,
            "measure_key": course.measure_key,
            "numbers": trainer.parts[0].optimizer.numbers_of.tensor,
        }
        self.dropout = dropouts(course.step.model)
        for k, layer in enumerate(self.dropout):
            cell = number_cell(getattr(layer, layer.strength))
            setattr(layer, layer.strength, cell)
            self.fixed[f"dropout/{k}"] = cell


@contextmanager
def lent(handles: Sequence[Tensor], values: Sequence[Any]) -> Iterator[None]:
    """For the length of the block the tensors have these values; what the block assigns to them stays inside it.

    So a function that assigns tensors becomes one that takes and returns values.
    """
    trace = context.recording
    assert isinstance(trace, Trace)
    before = [handle.node for handle in handles]
    known = set(trace.writes)
    for handle, value in zip(handles, values, strict=True):
        handle.node = handle._leaf(value)
    try:
        yield
    finally:
        for handle, node in zip(handles, before, strict=True):
            handle.node = node
            if id(handle) not in known:
                trace.writes.pop(id(handle), None)


class PopulationProgram:
    """The program of a population: `run` trains all members by so many epochs and returns their rows."""

    def __init__(
        self,
        trainer: Trainer,
        course: Course,
        how: str,
        *,
        rest: bool,
        scaled: bool,
        scaled_targets: bool,
        labels: bool,
    ) -> None:
        self.course, self.handles = course, Handles(trainer, course)
        self.has_rest, self.scaled, self.scaled_targets, self.labels = rest, scaled, scaled_targets, labels
        self.how = how if how != "auto" else ("mapped" if default_device().kind == "cpu" else "vectorised")
        self.call = compile(self.all_members)
        assert course.resident is not None
        self.x, self.y = course.resident

    # ── what is recorded ────────────────────────────────────────────────────────────────────────────────────

    def all_members(self, states: list[Any], own: list[Any], data: list[Any], count: Any, wait: Any) -> Any:
        """Train every member: stacked states, numbers and rows in, stacked states and rows of histories out."""

        def one(state: list[Any], numbers: list[Any], rows: list[Any]) -> Any:
            return self.one_member(state, numbers, rows, count, wait)

        if self.how == "vectorised":
            return vmap(one)(states, own, data)
        return scan(lambda _, member: (None, one(*member)), None, (states, own, data))[1]

    def one_member(self, state: list[Any], own: list[Any], data: list[Any], count: Any, wait: Any) -> Any:
        """Train one member as `fit` would, from its state."""
        course = self.course
        rest = iter(data)
        orders, measured, steps = next(rest), next(rest), next(rest)
        rests = next(rest) if self.has_rest else None
        x = (self.x - next(rest)) / next(rest) if self.scaled else self.x
        shift, scale = (next(rest), next(rest)) if self.scaled_targets else (None, None)
        clean, y = self.y, next(rest) if self.labels else self.y
        if self.scaled_targets:
            clean, y = (clean - shift) / scale, (y - shift) / scale
        assert course.evaluated is not None
        (ex, ey), *_ = course.evaluated
        handles = [*self.handles.state.values(), *self.handles.fixed.values(), ex, ey]
        values = [*state, *own, x[measured].reshape(*ex.shape), clean[measured].reshape(*ey.shape)]
        lenders = [self.x, self.y] if self.scaled or self.scaled_targets or self.labels else []
        with lent([*handles, *lenders], [*values, *([x, y] if lenders else [])]):
            done, table, *_ = course.epochs(orders, rests, steps, count, wait)
            after = [handle.detach() for handle in self.handles.state.values()]
        return after, done, table

    # ── how it is run ───────────────────────────────────────────────────────────────────────────────────────

    def run(
        self,
        states: dict[str, Array],
        own: dict[str, Array],
        data: Callable[[Array], list[Array]],
        members: int,
        count: int,
        wait: int,
        size: int,
    ) -> tuple[dict[str, Array], Array, Array]:
        """Train all members by up to ``count`` epochs, ``size`` members in a launch; on the CPU a launch on each core.

        ``data(places)`` gives orders and rows of the members of one launch, which are made only then. Returns the
        states of all members, how many epochs each has done, and the rows of their histories (K, count, columns).
        """
        starts = range(0, members, size)

        def launch(start: int) -> Any:
            rows = np.minimum(np.arange(start, start + size), members - 1)  # the last one fills up
            lent_now, numbers = ([a[rows] for a in group.values()] for group in (states, own))
            after, done, table = self.call(lent_now, numbers, data(rows), count, wait)
            return [t.numpy() for t in after], done.numpy(), table.numpy()

        alone = [] if self.call.variants else [launch(starts[0])]  # so that the program is made once
        with ThreadPoolExecutor(workers(self.how)) as pool:
            found = [*alone, *pool.map(launch, starts[len(alone) :])]
        joined = [np.concatenate([part[0][k] for part in found])[:members] for k in range(len(states))]
        done, table = (np.concatenate([part[i] for part in found])[:members] for i in (1, 2))
        return dict(zip(states, joined, strict=True)), done, table


def workers(how: str) -> int:
    """How many launches run at once: one for each core where members are mapped."""
    if how != "mapped":
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
