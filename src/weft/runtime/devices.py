"""Devices: their names, and which one new tensors live on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from weft.errors import DeviceError
from weft.runtime.engine import jax


@dataclass(frozen=True, repr=False)
class Device:
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

    def __repr__(self) -> str:
        return f"<device {self.name}>"

    def __str__(self) -> str:
        return self.name


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


def as_device(of: Device | str) -> Device:
    """The device that ``of`` names: ``"gpu:1"``, ``"cpu"`` (the first one), or a device."""
    if isinstance(of, Device):
        return of
    kind, _, index = of.partition(":")
    number = int(index) if index.isdigit() else 0
    if (index and not index.isdigit()) or not number < len(devices(kind)):
        raise DeviceError(
            f"there is no device {of!r} here",
            expected="one of " + ", ".join(d.name for d in devices()),
            cure="wf.devices()",
        )
    return devices(kind)[number]


def default_device() -> Device:
    """The device of new tensors: set by ``with wf.device(…)``, else the first one of the machine."""
    return current[-1] if current else devices()[0]


current: list[Device] = []
