"""TimeLimit: the end of a fit after so much time."""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING

from weft.errors import ArgumentError
from weft.train.callback import Callback, StopTraining

if TYPE_CHECKING:
    from weft.train.loop import Loop

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[dhms])\s*")


class TimeLimit(Callback):
    """Ends the fit after so many seconds, or a time such as "1h30m", counted from the beginning of this call of `fit`.

    It looks at the clock whenever the device has finished a piece of work, about five times a second, so that it costs
    no speed. A fit that is resumed goes on, and has the whole time again.

    >>> TimeLimit("1h30m").seconds
    5400.0
    """

    def __init__(self, seconds: float | str) -> None:
        self.seconds = seconds_of(seconds)

    def before_fit(self, loop: Loop) -> None:
        self.__end = time.monotonic() + self.seconds

    def after_launch(self, loop: Loop) -> None:
        if time.monotonic() >= self.__end:
            raise StopTraining(f"time: {told(self.seconds)} have passed", final=False)


def seconds_of(given: float | str) -> float:
    """A time in seconds, from a number or a text.

    >>> seconds_of("2 min 30 s"), seconds_of(1.5)
    (150.0, 1.5)
    """
    if isinstance(given, str):
        pieces = PIECE.findall(given.strip().lower())
        whole = PIECE.sub("", given.strip().lower()) == ""
        found = sum(float(number) * UNITS[unit] for number, unit in pieces) if pieces and whole else math.nan
    else:
        known = isinstance(given, int | float) and not isinstance(given, bool)
        found = float(given) if known else math.nan
    if not (math.isfinite(found) and found > 0):
        raise ArgumentError(
            f"TimeLimit({given!r})", expected='seconds > 0, or a text such as "1h30m"', cure='TimeLimit("45m")'
        )
    return found


def told(seconds: float) -> str:
    """A time in words.

    >>> told(5400.0), told(0.5)
    ('1h 30m', '0.5s')
    """
    if seconds < 60:
        return f"{seconds:g}s"
    parts, rest = [], round(seconds)
    for unit in "dhms":
        count, rest = divmod(rest, int(UNITS[unit]))
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts)
