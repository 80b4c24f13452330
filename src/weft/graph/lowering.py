"""What a lowering may need to know of where it will run; set by the program compiler and by loops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Lowering(threading.local):
    """``platform`` is that of the device ("cpu", "gpu", "tpu"); ``in_loop`` holds inside a loop's body.

    ``host`` holds while NumPy interprets a graph of exact ops.
    ``older_kernels`` is set by a lowering whose convolutions or products XLA's older kernels for CPUs do faster.
    """

    platform = "cpu"
    in_loop = False
    host = False
    older_kernels = False

    @contextmanager
    def loop(self) -> Iterator[None]:
        """The lowering of a loop's body."""
        before, self.in_loop = self.in_loop, True
        try:
            yield
        finally:
            self.in_loop = before

    @contextmanager
    def on(self, platform: str) -> Iterator[None]:
        """The lowering of a program for a platform."""
        before, self.platform = self.platform, platform
        try:
            yield
        finally:
            self.platform = before


lowering = Lowering()
