"""States whose numbers follow from their step, so that a mixture of two would be seen."""

import os
import subprocess
import sys

import ml_dtypes
import numpy as np

from weft.storage.checkpoints import Checkpoints

SCRIPT = """
import sys
from tests.storage.states import write_for_ever
write_for_ever(sys.argv[1], int(sys.argv[2]))
"""


def state(step, size=50):
    arrays = {
        "weight": np.full((2, size), step, np.float32),
        "half": np.full(3, step % 100, ml_dtypes.bfloat16),
        "count": np.array(step),
        "mask": np.array([True, False]),
    }
    return arrays, {"step": step, "loss": [0.1 * step, float("inf")], "name": "größe"}


def write(checkpoints, step, best=False, size=50):
    arrays, about = state(step, size)
    return checkpoints.write(arrays, about, step, best)


def is_whole(found):
    """Whether a checkpoint is all of its step."""
    arrays, about = state(found.step, found.arrays["weight"].shape[1])
    assert found.about == about
    assert found.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
    return True


def names(folder):
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def write_for_ever(folder, size):
    found = Checkpoints(folder).newest()
    step = found.step if found else 0
    with Checkpoints(folder) as checkpoints:
        while True:
            step += 1
            write(checkpoints, step, best=step % 3 == 0, size=size)
            print(step, flush=True)


def writer(folder, size=50):
    """Another process that writes checkpoints until it is killed, and says each step when it is written."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(size)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
