"""The errors of Weft: each says what was received, what was expected, where, and the cure."""

from __future__ import annotations

import linecache
import math
import os
from numbers import Integral
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

_PACKAGE = str(Path(__file__).resolve().parent) + os.sep
# The standard library, such as contextlib, comes between; what is installed lies in a folder of it.
_STANDARD = str(Path(os.__file__).parent) + os.sep


def _called(frame: FrameType) -> str:
    """What the user's line called: a function, a class, or something that is called like a function, by its name."""
    name, owner = frame.f_code.co_name, frame.f_locals.get("self")
    if name == "__init__":
        return type(owner).__name__
    return getattr(owner, "name", None) or type(owner).__name__ if name == "__call__" else name


def is_ours(filename: str) -> bool:
    """Whether a line is of this package, or of the standard library, which calls for it."""
    is_standard = filename.startswith(_STANDARD) and "site-packages" not in filename
    return is_standard or filename.startswith(_PACKAGE)


def _place_of(traceback: TracebackType | None) -> str | None:
    """The function that was called, and the line outside of this package that called it."""
    place = None
    while traceback is not None:
        code, inner = traceback.tb_frame.f_code, traceback.tb_next
        if code.co_filename.startswith("<"):  # typed by hand: it is in sight
            place = None
        elif inner is not None and not is_ours(code.co_filename):
            line = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
            called = f"{_called(inner.tb_frame)}(…), {Path(code.co_filename).name}:{traceback.tb_lineno}"
            place = f"{called}: {line}" if line else called
        traceback = inner
    return place


class WeftError(Exception):
    """The base of every error that Weft raises on purpose.

    The first argument says what was received; the keywords complete the lesson and are printed on lines of
    their own. Each subclass also inherits the built-in exception that fits, so ``except ValueError`` works.

    >>> print(WeftError("got 3 columns", expected="4 columns", cure="weft train table.csv --target price"))
    got 3 columns
      expected: 4 columns
      try:      weft train table.csv --target price
    """

    def __init__(
        self, received: str, *, expected: str | None = None, where: str | None = None, cure: str | None = None
    ) -> None:
        self.received, self.expected, self.where, self.cure = received, expected, where, cure
        super().__init__(received)

    def __str__(self) -> str:
        lines = [self.received]
        where = self.where or _place_of(self.__traceback__)
        for label, text in (("expected:", self.expected), ("where:", where), ("try:", self.cure)):
            if text is not None:
                first, *rest = text.split("\n")
                lines.append(f"  {label:<9} {first}")
                lines += [f"  {'':<9} {line}" for line in rest]
        return "\n".join(lines)


class ShapeError(WeftError, ValueError):
    """Shapes that do not fit together."""


class NoAxesError(ShapeError, TypeError):
    """A tensor without axes where a sequence is needed; Python and NumPy ask for a TypeError to see that it is none."""


class AxisError(ShapeError, IndexError):
    """An axis or an index that a tensor does not have."""


class DTypeError(WeftError, TypeError):
    """A data type that an operation does not take."""


class ArgumentError(WeftError, ValueError):
    """An argument outside its valid range, or an unknown name."""


class GradientError(WeftError, RuntimeError):
    """A derivative that was asked for and does not exist."""


class ValueNeededError(WeftError, RuntimeError):
    """A number was needed while a computation was only being recorded, as inside ``wf.compile``."""


class DeviceError(WeftError, RuntimeError):
    """An unknown device, or tensors of different devices in one operation."""


class DataError(WeftError, ValueError):
    """Data that cannot be trained on: empty, not finite, of unequal lengths, labels out of range."""


class FileError(WeftError, OSError):
    """A file that is missing, truncated, or not one of ours."""


def is_whole(value: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether ``value`` is a whole number of any type, NumPy's too, within ``least … most``; true and false are none.

    >>> is_whole(3, 1), is_whole(3.0), is_whole(True), is_whole(0, 1)
    (True, False, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Integral) and least <= int(value) <= most
