"""How many mappings of memory this process has: compiled kernels take some each, and the system allows only so many.

Beyond the limit (65,530 on Linux, unless it was set otherwise) the engine cannot map what it has compiled, and the
process dies. The program of a small fit takes 300.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

SHARE = 0.6  # of the limit: what is left is for programs of a size that is not known beforehand, and for everybody else


@cache
def allowed() -> int | None:
    """How many mappings the system allows; None where it has no such limit."""
    try:
        return int(Path("/proc/sys/vm/max_map_count").read_text())
    except (OSError, ValueError):
        return None


def running_out() -> bool:
    """Whether there are so many that compiled programs should make room."""
    most = allowed()
    if most is None:
        return False
    with Path("/proc/self/maps").open("rb") as mappings:
        return sum(1 for _ in mappings) > SHARE * most
