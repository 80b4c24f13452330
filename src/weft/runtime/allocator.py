"""Temporary memory of programs stays with the process between two launches."""

from __future__ import annotations

import ctypes
import os
import sys

KEPT = 256 << 20  # bytes: blocks up to this size, and so much freed memory, are not given back to the system
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's numbers for mallopt
_SOMEBODY_DECIDED = (
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "GLIBC_TUNABLES",
)


def keep_freed_memory() -> bool:
    """Let glibc keep freed blocks of up to `KEPT` bytes; whether it does.

    The engine takes its temporary memory anew at each launch on a CPU. glibc maps a large block and unmaps it again,
    and the system clears every page of it in between: a quarter of the time of a small transformer's training step.
    Whoever has set glibc's own variables, or ``WEFT_KEEP_MEMORY=0``, has decided otherwise.
    """
    if sys.platform != "linux" or os.environ.get("WEFT_KEEP_MEMORY") == "0":
        return False
    if any(name in os.environ for name in _SOMEBODY_DECIDED):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, KEPT)) and bool(mallopt(_TRIM_THRESHOLD, KEPT))
