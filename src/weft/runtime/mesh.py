"""Meshes: several devices as one place, in a grid whose axes have names.

A tensor on a mesh is whole on every device, or split: each of its axes may be divided among the devices along axes
of the mesh. Programs are written as for one device; the engine's partitioner divides the work and inserts what the
devices have to tell each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DeviceError, ShapeError, is_whole
from weft.runtime.devices import Device, Place, as_place, devices, of_engine
from weft.runtime.engine import jax, wide_types

Axes = tuple[str | tuple[str, ...] | None, ...]  # for each axis of a tensor: the axes of the mesh that divide it


@dataclass(frozen=True, init=False, repr=False)
class Mesh(Place):
    """Several devices in a grid with named axes, such as 4 × 2 for ``wf.Mesh(data=4, model=2)``.

    A size of −1 takes all devices that are left. ``devices`` are those of the first kind of this machine, unless they
    are given. ``x.to(mesh)`` lies whole on every device, ``x.to(mesh, "data")`` is divided along its first axis,
    ``x.to(mesh, None, "model")`` along its second; ``wf.Trainer(…, mesh=mesh)`` divides every batch along "data".

    Raises DeviceError where there are not so many devices, ArgumentError for sizes that are no whole numbers ≥ 1.

    >>> import weft as wf
    >>> mesh = wf.Mesh(data=1)
    >>> mesh.sizes, wf.ones((4, 2)).to(mesh, "data").placement
    ({'data': 1}, ('data', None))
    """

    axes: tuple[tuple[str, int], ...]
    members: tuple[Device, ...]

    def __init__(self, *, devices: Sequence[Device | str] | None = None, **sizes: int) -> None:
        found = tuple(checked_devices(devices))
        if not sizes:
            raise ArgumentError(
                "a mesh without axes", expected="a name and a size for each", cure=f"wf.Mesh(data={len(found)})"
            )
        axes = counted(sizes, len(found))
        needed = prod(size for _, size in axes)
        if needed > len(found):
            raise DeviceError(
                f"a mesh of {' × '.join(f'{name}={size}' for name, size in axes)}, which is {needed} devices",
                expected=f"at most {len(found)}: {', '.join(map(str, found))}",
                cure=f"wf.Mesh(data={len(found)})",
            )
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "members", found[:needed])

    @property
    def sizes(self) -> dict[str, int]:
        """How many devices each axis has."""
        return dict(self.axes)

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.members[0].kind

    @property
    def name(self) -> str:
        return f"mesh({', '.join(f'{name}={size}' for name, size in self.axes)})"

    @property
    def engine(self) -> Any:
        return self.members[0].engine

    def __repr__(self) -> str:
        return f"<{self.name} of {', '.join(map(str, self.members))}>"

    # ── arrays of the engine's ──────────────────────────────────────────────────────────────────────────────

    @cached_property
    def grid(self) -> Any:
        """The engine's mesh."""
        members = np.array([device.engine for device in self.members], object)
        return jax().sharding.Mesh(members.reshape([size for _, size in self.axes]), tuple(self.sizes))

    def sharding(self, axes: Axes = ()) -> Any:
        """The engine's name for a placement."""
        return jax().sharding.NamedSharding(self.grid, jax().sharding.PartitionSpec(*axes))

    def holds(self, array: Any) -> bool:
        if on_mesh(array):
            return bool(array.sharding.mesh == self.grid)
        return len(self.members) == 1 and array.device is self.engine  # a program on one device forgets the mesh

    def put(self, data: Any, axes: Axes = ()) -> Any:
        with wide_types():
            return jax().device_put(data, self.sharding(axes))

    def divided(self, axes: Sequence[Any], shape: tuple[int, ...]) -> Axes:
        """The placement that a person wrote down, for a tensor of this shape; refused where it cannot be."""
        if len(axes) > len(shape):
            raise ShapeError(
                f"a placement {tuple(axes)} of a tensor of shape {shape}",
                expected=f"at most {len(shape)} entries",
                cure=f"x.to(mesh{''.join(f', {entry!r}' for entry in axes[: len(shape)])})",
            )
        named = [name for entry in axes for name in parts(entry)]
        if wrong := [name for name in named if name not in self.sizes]:
            raise ArgumentError(
                f"an axis {wrong[0]!r} of {self.name}",
                expected=f"one of {', '.join(map(repr, self.sizes))}, or None",
                cure=f"x.to(mesh, {next(iter(self.sizes))!r})",
            )
        if len(set(named)) < len(named):
            raise ArgumentError(
                f"a placement {tuple(axes)} on {self.name}",
                expected="each axis of the mesh at most once",
                cure=f"x.to(mesh, {max(named, key=named.count)!r})",
            )
        for k, entry in enumerate(axes):
            count = prod(self.sizes[name] for name in parts(entry))
            if shape[k] % count:
                raise ShapeError(
                    f"axis {k} of a tensor of shape {shape}, divided among {count} devices along {entry!r}",
                    expected=f"a size that {count} divides",
                    cure="None in its place, which leaves that axis whole",
                )
        return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in axes)


def parts(entry: Any) -> tuple[Any, ...]:
    """The axes of the mesh that divide one axis of a tensor."""
    return () if entry is None else tuple(entry) if isinstance(entry, tuple | list) else (entry,)


def checked_devices(given: Sequence[Device | str] | None) -> list[Device]:
    """The devices of a mesh: of one kind, each once."""
    if given is None:
        first = devices()[0].kind
        return list(devices(first))
    places = [as_place(d) for d in given]
    found = [place for place in places if isinstance(place, Device)]
    if not found or len(found) < len(places) or len({d.kind for d in found}) > 1 or len(set(found)) < len(found):
        raise DeviceError(
            f"a mesh of the devices [{', '.join(map(str, places))}]",
            expected="devices of one kind, each once",
            cure=f"wf.Mesh(data=-1, devices=wf.devices({devices()[0].kind!r}))",
        )
    return found


def counted(sizes: dict[str, int], devices: int) -> tuple[tuple[str, int], ...]:
    """The sizes of the axes, with what −1 stands for."""
    for name, size in sizes.items():
        if not is_whole(size, -1) or size == 0:
            raise ArgumentError(
                f"{name}={size!r}",
                expected="a whole number of devices ≥ 1, or −1 for all that are left",
                cure=f"wf.Mesh({name}=-1)",
            )
    if list(sizes.values()).count(-1) > 1:
        first, *rest = sizes
        raise ArgumentError(
            f"a mesh of {sizes}",
            expected="−1 for one axis at most",
            cure=f"wf.Mesh({', '.join([f'{first}=-1', *(f'{name}=1' for name in rest)])})",
        )
    fixed = prod(size for size in sizes.values() if size != -1)
    return tuple((name, max(1, devices // fixed) if size == -1 else int(size)) for name, size in sizes.items())


def place_of(array: Any) -> Place:
    """The device, or the mesh, on which an array of the engine's lies."""
    place = array.device
    if isinstance(place, jax().Device):
        return of_engine(place)
    if not on_mesh(array):
        raise DeviceError(
            f"an array that lies on {place}",
            expected="one device, or a mesh whose axes have names",
            cure="wf.Mesh(data=4)",
        )
    return _mesh_of(place.mesh)


@cache
def _mesh_of(grid: Any) -> Mesh:
    sizes = dict(zip(grid.axis_names, grid.devices.shape, strict=True))
    return Mesh(devices=[of_engine(d) for d in grid.devices.flat], **sizes)


def on_mesh(data: Any) -> bool:
    """Whether data is an array of the engine's that lies on a mesh."""
    return hasattr(getattr(data, "sharding", None), "spec")


def axes_of(data: Any, rank: int) -> Axes:
    """How an array is divided, an entry for each of its axes; nothing is where it lies on one device or on the host."""
    given = tuple(data.sharding.spec) if on_mesh(data) else ()
    return (*given, *(None,) * (rank - len(given)))


@dataclass(frozen=True)
class Placement:
    """A mesh and how a tensor is divided among its devices."""

    mesh: Mesh
    axes: Axes

    @property
    def sharding(self) -> Any:
        """The engine's name for it."""
        return self.mesh.sharding(self.axes)

    def __repr__(self) -> str:
        return f"{self.mesh.name}: {', '.join('whole' if a is None else str(a) for a in self.axes) or 'whole'}"
