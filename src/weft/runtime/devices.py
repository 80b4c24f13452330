"""Devices: their names, and which one new tensors live on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

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


# ── DLPack: arrays of other libraries, and ours for them ────────────────────────────────────────────────────


def dlpack_device(value: Any) -> tuple[int, int]:
    """The kind and number of the device that holds ``value``, as DLPack counts them."""
    return (1, 0) if isinstance(value, np.ndarray) else value.__dlpack_device__()


def exported(value: Any, stream: Any, version: Any, device: Any, copy: bool | None) -> Any:
    """A DLPack capsule of ``value``. What is on the host is copied: the receiver may write into it."""
    if isinstance(value, np.ndarray) and value.dtype.name == "bfloat16":
        with wide_types():
            value = jax().device_put(value, jax().devices("cpu")[0])  # NumPy cannot say this type
    if isinstance(value, np.ndarray):
        if copy is False and version is None:
            raise BufferError("a tensor is read-only, which DLPack can say from version 1.0 on: max_version=(1, 0)")
        held = value if copy is False else np.array(value)
        return held.__dlpack__(stream=stream, max_version=version, dl_device=device)
    return value.__dlpack__(stream=stream, max_version=version, dl_device=device, copy=copy)


def imported(x: Any, *, share: bool) -> Any:
    """The data of an object with ``__dlpack__``: on the host a copy, since its owner may change it, unless shared."""
    if x.__dlpack_device__()[0] == 1:
        try:
            view = np.from_dlpack(x)
        except (BufferError, RuntimeError, TypeError):  # a type that NumPy does not know, such as bfloat16
            view = None
        if view is not None:
            return view if share else np.array(view)
    with wide_types():
        return jax().dlpack.from_dlpack(x, copy=None if share else True)
