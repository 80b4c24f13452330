"""Names in error messages: the closest known name, and a list that stays short."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from weft.errors import FileError

T = TypeVar("T")


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, whatever its case; None when nothing is like it.

    >>> closest("Prize", ["price", "rooms"])
    'price'
    """
    by_lower = {other.lower(): other for other in known}
    found = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def listing(names: Sequence[str], limit: int = 20) -> str:
    """The names in quotation marks, separated by commas; after ``limit`` of them only how many more there are.

    >>> listing(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def twice(names: Iterable[T]) -> T | None:
    """The first of the names that is there more than once; None if each is there once.

    >>> twice(["a", "b", "a"])
    'a'
    """
    return next((name for name, count in Counter(names).items() if count > 1), None)


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """The count with its noun.

    >>> plural(1, "row"), plural(2, "row"), plural(2, "class", "classes")
    ('1 row', '2 rows', '2 classes')
    """
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def missing_file(path: Path, expected: str, what: str = "file") -> FileError:
    """The lesson for a file, or another ``what``, that is not there.

    Its cure is the closest name in its folder, or says which folder is the current one.
    """
    near = closest(path.name, [p.name for p in path.parent.glob("*")]) if path.parent.is_dir() else None
    cure = repr(str(path.with_name(near))) if near else f"the current folder is {str(Path.cwd())!r}"
    return FileError(f"no {what} {str(path)!r}", expected=expected, cure=cure)
