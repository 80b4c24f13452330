"""Ctrl-C while a program runs: it is let through when the program's results are in place.

A launch gives away its buffers and puts the new ones in place when it returns. Python raises KeyboardInterrupt just
then, so the state would be lost nearly always.
"""

from __future__ import annotations

import signal
import threading

# The functions below Python's own `signal` module, whose conversions to enumerations cost 8 µs a call: a third of a
# launch.
from _signal import getsignal as handler_of  # type: ignore[import-not-found]
from _signal import signal as set_handler
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MAIN = threading.main_thread().ident


def hold() -> Callable[[bool], None]:
    """Hold Ctrl-C back until what this returns is called.

    Called with True it raises KeyboardInterrupt if Ctrl-C came meanwhile; with False, for an error on its way, not.
    Outside of the main thread, or where somebody handles the signal, nothing is changed.
    """
    if threading.get_ident() != _MAIN or handler_of(signal.SIGINT) is not signal.default_int_handler:
        return _nothing
    came: list[int] = []

    def release(well: bool) -> None:
        set_handler(signal.SIGINT, signal.default_int_handler)
        if came and well:
            raise KeyboardInterrupt

    set_handler(signal.SIGINT, lambda number, _: came.append(number))
    return release


def _nothing(well: bool) -> None:
    return None


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back during the block, and raise KeyboardInterrupt at its end if it came."""
    release = hold()
    try:
        yield
    except BaseException:
        release(False)
        raise
    release(True)
