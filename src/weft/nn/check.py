"""Checks of constructor arguments: each error names the layer, the argument, what it was and the valid range."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from weft.errors import ArgumentError, is_whole
from weft.tensor import Tensor


def sizes(layer: str, least: int = 1, *, optional: bool = False, **arguments: Any) -> None:
    """Every argument is a whole number ≥ ``least``, or a tuple of such; with ``optional`` None passes.

    >>> sizes("Linear", features=(4, 0))
    Traceback (most recent call last):
    weft.errors.ArgumentError: Linear: features=(4, 0)
      expected: whole numbers ≥ 1
    """
    for name, value in arguments.items():
        for n in value if isinstance(value, tuple | list) else (value,):
            if not (n is None and optional) and not is_whole(n, least):
                raise ArgumentError(f"{layer}: {name}={value!r}", expected=f"whole numbers ≥ {least}")


def fraction(layer: str, *, include_one: bool = True, **arguments: Any) -> None:
    """Every argument is a number in [0, 1], or in [0, 1)."""
    for name, value in arguments.items():
        taken = isinstance(value, Real) and not isinstance(value, bool)
        if not taken or not 0 <= value <= 1 or (value == 1 and not include_one):
            raise ArgumentError(f"{layer}: {name}={value!r}", expected=f"0 ≤ {name} {'≤' if include_one else '<'} 1")


def positive(layer: str, *, finite: bool = False, **arguments: Any) -> None:
    """Every argument is a number > 0, which may be infinite unless it must be ``finite``."""
    for name, value in arguments.items():
        taken = isinstance(value, Real) and not isinstance(value, bool)
        if not taken or not value > 0 or (finite and math.isinf(value)):
            expected = "a finite number > 0" if finite else f"{name} > 0"
            raise ArgumentError(f"{layer}: {name}={value!r}", expected=expected)


def number(layer: str, least: float = -math.inf, **arguments: Any) -> None:
    """Every argument is a finite number ≥ ``least``."""
    for name, value in arguments.items():
        taken = isinstance(value, Real) and not isinstance(value, bool)
        if not taken or not math.isfinite(value) or value < least:
            bound = f"{name} ≥ {least:g}" if math.isfinite(least) else name
            raise ArgumentError(f"{layer}: {name}={value!r}", expected=f"a finite number {bound}")


def spread(layer: str, name: str, value: Any, axes: int, least: int = 1, *, optional: bool = False) -> tuple[int, ...]:
    """One size for each axis, from one for all or from a tuple; with ``optional`` None is one.

    >>> spread("Conv2d", "stride", 2, 2)
    (2, 2)
    """
    each = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    sizes(layer, least, optional=optional, **{name: each})
    if len(each) != axes:
        raise ArgumentError(f"{layer}: {name}={value!r}", expected=f"one number, or {axes} of them")
    made: tuple[Any, ...] = tuple(n if n is None else int(n) for n in each)
    return made


def plain_sizes(value: Any) -> Any:
    """Sizes given in a call, which makes a tensor of a list, as Python's numbers."""
    return tuple(value.tolist()) if isinstance(value, Tensor) and value.ndim == 1 else value


def ordered(layer: str, low: float, high: float) -> None:
    """``low`` is less than ``high``."""
    if not low < high:
        raise ArgumentError(f"{layer}: low={low!r}, high={high!r}", expected="low < high")


def choice(layer: str, name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """The argument is one of ``choices``."""
    if value not in choices:
        raise ArgumentError(f"{layer}: {name}={value!r}", expected="one of " + ", ".join(map(repr, choices)))
