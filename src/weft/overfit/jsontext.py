"""Standard JSON for numbers that standard JSON lacks: NaN and the infinities travel as strings."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np

from weft.errors import FileError

_SPOKEN = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> Any:
    """The JSON value of a number, an array, a mapping, a sequence, text, or None.

    >>> encode(np.array([0.5, np.nan, -np.inf]))
    [0.5, 'NaN', '-Infinity']
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return encode(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def dump(format_name: str, fields: dict[str, Any]) -> str:
    """The fields as one JSON object that names its own format."""
    return json.dumps({"format": format_name, **encode(fields)}, allow_nan=False, indent=1) + "\n"


def load(format_name: str, text: str) -> dict[str, Any]:
    """The fields of an object that `dump` wrote; FileError for anything else."""
    try:
        found = json.loads(text, parse_constant=_not_standard, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError, TypeError) as error:
        raise FileError(f"this is not standard JSON: {error}", expected=f"a {format_name} object") from None
    if not isinstance(found, dict) or found.pop("format", None) != format_name:
        raise FileError('this JSON does not say what it is in "format"', expected=f'"format": "{format_name}"')
    return found


def number(value: Any, name: str) -> float:
    """The float of a JSON number, or of one of the three words."""
    if isinstance(value, str) and value in _SPOKEN:
        return _SPOKEN[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FileError(f"{name} is {shortened(value)}", expected='a number, "NaN", "Infinity" or "-Infinity"')
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if math.isinf(result):
        raise FileError(f"{name} is a number beyond the range of float64", expected='"Infinity" for an infinity')
    return result


def count(value: Any, name: str) -> int:
    """The int of a JSON integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FileError(f"{name} is {shortened(value)}", expected="a whole number")
    return value


def shortened(value: Any) -> str:
    """A value as an error shows it: never more than a line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _not_standard(word: str) -> NoReturn:
    raise ValueError(f"the word {word} is not standard JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    return fields
