"""Ctrl-C while a program runs: it is let through when the program's results are in place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back during the block, and raise KeyboardInterrupt at its end if it came.

    A launch gives away its buffers and puts the new ones in place when it returns: stopped in between, the weights
    would be lost. Outside of the main thread, or where somebody handles the signal, nothing is changed.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: Any) -> None:
        came.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came:
        raise KeyboardInterrupt
