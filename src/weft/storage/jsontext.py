"""Strict JSON: no name twice, no word outside the standard, no depth without end; and floats that come back exactly.

Standard JSON has no NaN and no infinities. `dump` writes them as ``{"$float": "nan"}``, ``"inf"`` and ``"-inf"``,
so that text which happens to be ``"nan"`` stays text; every other float is written by ``repr``, which is exact.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from weft.errors import ArgumentError, FileError

DEPTH = 64
_MARK = "$float"
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_LONGEST = 14_000  # bits: Python reads no integer of more than 4300 digits
# An unclosed string runs to the end: so the search stays linear in the length of the text.
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_FLAT = re.compile(r"[^\[\]{}]+")
_EMPTY = re.compile(r"\[\]|\{\}")
_Pairs = list[tuple[str, Any]]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def parse(text: bytes | str, *, depth: int = DEPTH, words: bool = False) -> Any:
    """The value of a JSON text; anything but standard JSON, nested at most ``depth`` times, is a FileError.

    With ``words`` also NaN, Infinity and -Infinity are read, which Python's own ``json.dumps`` writes.

    >>> parse('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    return _parse(text, depth, words, _mapping)


def load(text: bytes | str) -> Any:
    """What `dump` wrote, equal to what it was given, floats bit for bit."""
    return _parse(text, DEPTH, False, _mapping_or_float)


def _parse(text: bytes | str, depth: int, words: bool, pairs: Callable[[_Pairs], Any]) -> Any:
    try:
        plain = text if isinstance(text, str) else text.decode("utf-8")
        _check_depth(plain, depth)
        constant = None if words else _not_standard
        return json.loads(
            plain, parse_constant=constant, parse_float=_finite, parse_int=_whole, object_pairs_hook=pairs
        )
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileError(f"this is not strict JSON: {_shortened(str(error) or type(error).__name__)}") from None


def _check_depth(text: str, depth: int) -> None:
    """Peel the brackets from inside out, one level a time, before the parser goes down into them."""
    left = _FLAT.sub("", _TEXT.sub("", text))
    for _ in range(depth):
        left = _EMPTY.sub("", left)
        if not left:
            return
    raise ValueError(f"brackets that do not close, or more than {depth} of them inside each other")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {_shortened(text)} is beyond the range of float64")
    return value


def _whole(text: str) -> int | float:
    return int(text) if text != "-0" else -0.0  # no integer is minus zero


def _not_standard(word: str) -> NoReturn:
    raise ValueError(f"the word {word} is not standard JSON")


def _mapping(pairs: _Pairs) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {_shortened(repr(twice))} occurs twice")
    return fields


def _mapping_or_float(pairs: _Pairs) -> dict[str, Any] | float:
    if [name for name, _ in pairs] != [_MARK]:
        return _mapping(pairs)
    word = pairs[0][1]
    if not isinstance(word, str) or word not in _WORDS:
        raise ValueError(f"{_MARK} is {_shortened(repr(word))}, not one of {', '.join(_WORDS)}")
    return _WORDS[word]


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "…"


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def dump(value: Any, what: str) -> str:
    """The JSON text from which `load` gives back an equal value; what would not come back equal is an error.

    >>> load(dump({"loss": [0.1, float("inf")]}, "about"))
    {'loss': [0.1, inf]}
    """
    return json.dumps(_encoded(value, (what,), 0), allow_nan=False)


def _encoded(value: Any, path: tuple[Any, ...], level: int) -> Any:
    """The value for ``json.dumps``; ``path`` is its key behind the path of its holder, spelled out in errors only."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_MARK: repr(float(value))}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _integer(value, path)
    if level > DEPTH - 4:  # room for what the value is put into
        raise ArgumentError(f"{_spelled(path)} is nested more than {DEPTH - 4} times", expected="flatter data")
    if isinstance(value, list):
        return [_encoded(item, (path, i), level + 1) for i, item in enumerate(value)]
    if isinstance(value, dict):
        _check_keys(value, path)
        return {key: _encoded(item, (path, key), level + 1) for key, item in value.items()}
    raise ArgumentError(
        f"{_spelled(path)} is of the type {type(value).__name__}, which JSON does not give back",
        expected="None, bool, int, float, str, list, or dict with text as keys",
        cure={"tuple": "list(…)", "ndarray": "arrays go with the tensors"}.get(type(value).__name__),
    )


def _integer(value: int, path: tuple[Any, ...]) -> int:
    if value.bit_length() > _LONGEST:
        raise ArgumentError(
            f"{_spelled(path)} is an integer of {value.bit_length()} bits", expected=f"at most {_LONGEST} bits"
        )
    return int(value)


def _check_keys(fields: dict[Any, Any], path: tuple[Any, ...]) -> None:
    for key in fields:
        if not isinstance(key, str):
            raise ArgumentError(f"{_spelled(path)} has the key {key!r}", expected="text", cure=repr(str(key)))
    if list(fields) == [_MARK]:
        raise ArgumentError(
            f"{_spelled(path)} has {_MARK!r} as its only key, which means a float here", expected="another key"
        )


def _spelled(path: tuple[Any, ...]) -> str:
    keys = []
    while len(path) == 2:
        path, key = path
        keys.append(f"[{key!r}]")
    return _shortened(path[0] + "".join(reversed(keys)))
