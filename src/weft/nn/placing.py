"""Where a model's tensors lie: on a device, or on a mesh, whole or divided by rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weft.errors import ArgumentError
from weft.nn import state
from weft.runtime.devices import as_place
from weft.runtime.mesh import Axes, Mesh
from weft.tensor import Tensor

if TYPE_CHECKING:
    from weft.nn.module import Module

Rules = str | Mapping[str, Sequence[Any]]


def move(module: Module, to: Any, divided: Rules | None) -> None:
    """Move all parameters and buffers to a place; see `Module.to`."""
    place = as_place(to)
    for p in module.parameters():
        state.shape_of(p)  # refuses one whose shape is not known, before anything has moved
    if divided is None:
        ways: dict[int, Axes] = {}
    elif not isinstance(place, Mesh):
        raise ArgumentError(f"model.to({str(place)!r}, {divided!r})", expected="a mesh, whose axes can divide a tensor")
    else:
        ways = evenly(module, place, divided) if isinstance(divided, str) else by_rules(module, place, divided)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.assign(Tensor.to(tensor, place, *ways.get(id(tensor), ())))


def evenly(module: Module, mesh: Mesh, axis: str) -> dict[int, Axes]:
    """Every parameter divided along its longest axis that can be; one that has none stays whole."""
    mesh.divided((axis,), (0,))  # refuses a name that is no axis of the mesh
    count = mesh.sizes[axis]
    ways: dict[int, Axes] = {}
    for p in module.parameters():
        fitting = [k for k, n in enumerate(p.shape) if n % count == 0]
        if fitting:
            at = max(fitting, key=lambda k: p.shape[k])
            ways[id(p)] = (*(None,) * at, axis)
    return ways


def by_rules(module: Module, mesh: Mesh, rules: Mapping[str, Sequence[Any]]) -> dict[int, Axes]:
    """The parameters that match a pattern divided as it says; of several patterns the last one counts."""
    ways: dict[int, Axes] = {}
    for pattern, axes in rules.items():
        for p in state.matching(module, (pattern,)):
            ways[id(p)] = mesh.divided((axes,) if isinstance(axes, str) else tuple(axes), p.shape)
    return ways
