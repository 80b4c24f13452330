"""Places: the devices, their names, and which place new tensors live on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from weft.errors import DeviceError
from weft.runtime.engine import jax, wide_types


class Place:
    """Where tensors live and programs run: one `Device`, or a mesh of several (`weft.Mesh`).

    ``kind``    "cpu", "gpu" or "tpu"
    ``name``    how it is written
    ``engine``  the engine's device that stands for it
    """

    kind: str

    @property
    def name(self) -> str:
        raise NotImplementedError

    @property
    def engine(self) -> Any:
        raise NotImplementedError

    def holds(self, array: Any) -> bool:
        """Whether an array of the engine's lies here."""
        raise NotImplementedError

    def put(self, data: Any) -> Any:
        """``data`` as an array of the engine's that lies here."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False)
class Device(Place):
    """One processor that can hold tensors, such as ``cpu:0`` or ``gpu:1``."""

    kind: str
    index: int

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.index}"

    @property
    def description(self) -> str:
        """What the engine calls it."""
        return str(self.engine.device_kind)

    @property
    def engine(self) -> Any:
        """The engine's own object for it."""
        return _engine_device(self.kind, self.index)

    def holds(self, array: Any) -> bool:
        return array.device is self.engine

    def put(self, data: Any) -> Any:
        with wide_types():
            return jax().device_put(data, self.engine)

    def __repr__(self) -> str:
        return f"<device {self.name}>"


@cache
def _engine_device(kind: str, index: int) -> Any:
    return jax().devices(kind)[index]


@cache
def of_engine(device: Any) -> Device:
    """Our name for one of the engine's devices."""
    found = [d for d in devices() if d.engine == device]
    return found[0]


@cache
def devices(kind: str | None = None) -> tuple[Device, ...]:
    """The devices of this machine, accelerators first; of one kind ("cpu", "gpu", "tpu") if it is named.

    >>> import weft as wf
    >>> wf.devices("cpu")[0]
    <device cpu:0>
    """
    kinds = [kind] if kind else ["tpu", "gpu", "cpu"]
    found = []
    for name in kinds:
        try:
            found += [Device(name, index) for index in range(len(jax().devices(name)))]
        except RuntimeError:  # the engine has no such platform here
            continue
    return tuple(found)


def as_place(of: Place | str) -> Place:
    """The device that ``of`` names: ``"gpu:1"``, ``"cpu"`` (the first one); or the place that it is."""
    if isinstance(of, Place):
        return of
    if not isinstance(of, str):
        raise DeviceError(
            f"{of!r} is no device", expected='a name such as "gpu:1", a device, or a mesh', cure="wf.devices()"
        )
    kind, _, index = of.partition(":")
    number = int(index) if index.isdigit() else 0
    if (index and not index.isdigit()) or not number < len(devices(kind)):
        raise DeviceError(
            f"there is no device {of!r} here",
            expected="one of " + ", ".join(d.name for d in devices()),
            cure="wf.devices()",
        )
    return devices(kind)[number]


def default_device() -> Place:
    """Where new tensors live: set by ``with wf.device(…)``, else the first device of the machine."""
    return current[-1] if current else devices()[0]


current: list[Place] = []
