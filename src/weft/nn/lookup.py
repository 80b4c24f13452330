"""Tables of names: what is not in one is refused with the closest match."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from weft.errors import ArgumentError

T = TypeVar("T")


def find(table: Mapping[str, T], name: str, what: str) -> T:
    """The entry ``name`` of ``table``; an unknown name is an error that lists the known ones.

    >>> find({"relu": 1, "tanh": 2}, "rellu", "activation")
    Traceback (most recent call last):
    weft.errors.ArgumentError: there is no activation 'rellu'
      expected: one of relu, tanh
      try:      'relu'
    """
    if isinstance(name, str) and name in table:
        return table[name]
    close = get_close_matches(str(name).lower(), table, n=1, cutoff=0.5)
    raise ArgumentError(
        f"there is no {what} {name!r}",
        expected="one of " + ", ".join(sorted(table)),
        cure=repr(close[0]) if close else None,
    )
