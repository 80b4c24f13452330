"""DLPack: arrays of other libraries for us, and ours for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.runtime.engine import jax, wide_types


def device_of(value: Any) -> tuple[int, int]:
    """The kind and number of the device that holds ``value``, as DLPack counts them."""
    return (1, 0) if isinstance(value, np.ndarray) else value.__dlpack_device__()


def exported(value: Any, stream: Any, version: Any, device: Any, copy: bool | None) -> Any:
    """A DLPack capsule of ``value``; what is on the host is copied, since the receiver may write into it.

    ``copy=False`` shares a read-only view where DLPack can say so (from version 1.0 on), else the engine's buffer.
    """
    version = version if _says_read_only(version) else None  # before 1.0 there is one kind of capsule
    if isinstance(value, np.ndarray) and (
        value.dtype.name == "bfloat16" or (copy is False and not _says_read_only(version))
    ):
        with wide_types():
            value = jax().device_put(value, jax().devices("cpu")[0])
    if isinstance(value, np.ndarray):
        held = value if copy is False else np.array(value)
        return held.__dlpack__(stream=stream, max_version=version, dl_device=device)
    return value.__dlpack__(stream=stream, max_version=version, dl_device=device, copy=copy)


def _says_read_only(version: tuple[int, int] | None) -> bool:
    return version is not None and version[0] >= 1


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
