"""What an optimizer remembers of its parameters.

Small parameters share one vector for each slot: a program with few arguments launches faster than one with many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np

from weft.tensor import Tensor, number_cell

PACKED = 1 << 16  # elements up to which parameters are laid end to end; beyond, copying costs more than it saves


@dataclass(frozen=True, eq=False)
class Group:
    """The state of parameters that step together: one tensor for each slot (of each parameter unless packed)."""

    parameters: tuple[ref[Tensor], ...]
    slots: tuple[Tensor, ...]
    steps: Tensor
    packed: bool

    def holds(self, parameters: Sequence[Tensor]) -> bool:
        return len(parameters) == len(self.parameters) and all(
            r() is p for r, p in zip(self.parameters, parameters, strict=True)
        )


class State:
    """The slots of every parameter, made of zeros when it is first met, and the number of steps it has taken."""

    def __init__(self, names: tuple[str, ...], elementwise: bool = True) -> None:
        self.names, self.elementwise = names, elementwise
        self.groups: list[Group] = []

    def of(self, parameters: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Tensor, bool]:
        """The slots of these parameters, the number of steps they have taken, and whether they are packed."""
        for group in self.groups:
            if group.holds(parameters):
                return group.slots, group.steps, group.packed
        made = self.gather(parameters)
        self.groups = [g for g in self.groups if not any(r() is p for r in g.parameters for p in parameters)]
        self.groups.append(made)
        return made.slots, made.steps, made.packed

    def gather(self, parameters: Sequence[Tensor]) -> Group:
        """A new group; what its parameters remember of an earlier one comes along."""
        known = {id(p): (own, taken) for g in self.groups for p, own, taken in self.entries(g)}
        taken = max((known[id(p)][1] for p in parameters if id(p) in known), default=0)
        values = [known[id(p)][0] if id(p) in known else self.zeros(p) for p in parameters]
        small = sum(p.size for p in parameters) <= PACKED and len({p.dtype for p in parameters}) == 1
        packed = self.elementwise and small and len(parameters) > 1
        if packed:
            slots = [np.concatenate([own[k].ravel() for own in values]) for k in range(len(self.names))]
        else:
            slots = [slot for own in values for slot in own]
        owners = tuple(ref(p) for p in parameters)
        return Group(owners, tuple(Tensor(slot) for slot in slots), number_cell(taken, np.int64), packed)

    def zeros(self, p: Tensor) -> list[np.ndarray[Any, Any]]:
        return [np.zeros(p.shape, p.dtype.numpy) for _ in self.names]

    def entries(self, group: Group) -> list[tuple[Tensor, list[np.ndarray[Any, Any]], int]]:
        """For each living parameter of a group: it, the values of its slots, and its number of steps."""
        found: list[tuple[Tensor, list[np.ndarray[Any, Any]], int]] = []
        start, taken, n = 0, int(group.steps), len(self.names)
        for k, r in enumerate(group.parameters):
            p = r()
            if p is None:
                return found  # a packed vector cannot be read without the shapes before this one
            if group.packed:
                own = [slot.numpy()[start : start + p.size].reshape(p.shape) for slot in group.slots]
            else:
                own = [slot.numpy() for slot in group.slots[k * n : (k + 1) * n]]
            start += p.size
            found.append((p, own, taken))
        return found
