"""What glibc is told about freed memory."""

import subprocess
import sys

import numpy as np
import pytest

from weft.runtime import allocator

PROGRAM = """
import resource, sys
import weft as wf
if len(sys.argv) > 1:
    from weft.runtime.engine import jax
    jax()
import numpy as np
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = np.ones(50 << 17)  # 50 MiB: glibc maps such a block and unmaps it again, unless it is told to keep it
    del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(min(faults() for _ in range(5)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is there on Linux only")
def test_a_freed_block_is_kept_once_the_engine_is_in_use():
    def count(*arguments: str) -> int:
        made = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
        return int(made.stdout)

    assert count("with the engine") < count() / 2


@pytest.mark.parametrize(
    ("name", "value"), [("WEFT_KEEP_MEMORY", "0"), ("GLIBC_TUNABLES", ""), ("MALLOC_MMAP_MAX_", "3")]
)
def test_who_has_decided_otherwise_is_obeyed(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    assert not allocator.keep_freed_memory()


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()
    assert np.ones(3).sum() == 3
