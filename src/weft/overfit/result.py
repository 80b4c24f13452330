"""What the studies hand back: frozen objects that print in 80 columns and travel as strict JSON."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from weft.errors import FileError
from weft.overfit import jsontext

MOST_DECIMALS = 9


class Result:
    """The base of a frozen dataclass of plain numbers, words and tuples of them; ``FORMAT`` names its JSON.

    >>> from weft.overfit import estimate
    >>> found = estimate([0.8, 0.9, 0.85])
    >>> type(found).from_json(found.to_json()) == found
    True
    """

    FORMAT: ClassVar[str]

    def to_json(self) -> str:
        """Standard JSON; a NaN or an infinity is written as a string."""
        return jsontext.dump(self.FORMAT, {name: getattr(self, name) for name in _types(type(self))})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The result that `to_json` wrote; FileError if anything is missing, unknown or of another kind."""
        fields, known = jsontext.load(cls.FORMAT, text), _types(cls)
        if set(fields) != set(known):
            wrong = [f"missing {n}" for n in sorted(set(known) - set(fields))]
            wrong += [f"unknown {jsontext.shortened(n)}" for n in sorted(set(fields) - set(known))]
            raise FileError(f"this {cls.FORMAT} has other fields: {', '.join(wrong)}", expected=", ".join(known))
        return cls(**{name: _decode(kind, fields[name], name) for name, kind in known.items()})


def _types(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


def _decode(kind: Any, value: Any, name: str) -> Any:
    """The value of a field from its JSON, by the field's declared type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else _decode(inner[0], value, name)
    if origin is tuple:
        expected = None if inner[-1] is ... else len(inner)
        if not isinstance(value, list) or expected not in (None, len(value)):
            length = "" if expected is None else f" of {expected}"
            raise FileError(f"{name} is {jsontext.shortened(value)}", expected=f"a list{length}")
        return tuple(_decode(inner[0], item, name) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise FileError(f"{name} is {jsontext.shortened(value)}", expected="an object")
        return {key: _decode(inner[1], item, f"{name}.{key}") for key, item in value.items()}
    if origin is typing.Literal:
        if value not in inner:
            raise FileError(f"{name} is {jsontext.shortened(value)}", expected=" or ".join(map(repr, inner)))
        return value
    return _scalar(kind, value, name)


def _scalar(kind: Any, value: Any, name: str) -> Any:
    if kind is float:
        return jsontext.number(value, name)
    if kind is int:
        return jsontext.count(value, name)
    if not isinstance(value, kind):
        raise FileError(f"{name} is {jsontext.shortened(value)}", expected="true or false" if kind is bool else "text")
    return value


def decimals(errors: Iterable[float | None]) -> int:
    """How many decimals show two digits of the smallest standard error above zero.

    >>> decimals([0.013, 0.2]), decimals([12.0]), decimals([0.0])
    (3, 0, 4)
    """
    sizes = [e for e in errors if e is not None and math.isfinite(e) and e > 0]
    # One that is nearly zero beside the others is the error of rounding.
    sizes = [e for e in sizes if e > 1e-3 * max(sizes)]
    return min(max(1 - math.floor(math.log10(min(sizes))), 0), MOST_DECIMALS) if sizes else 4


def plus_minus(value: float, se: float | None, places: int | None = None) -> str:
    """A number and its standard error, both to the two leading digits of the error.

    >>> plus_minus(0.91234, 0.0131), plus_minus(-1234.5, 20.4), plus_minus(0.5, None)
    ('0.912 ± 0.013', '-1234 ± 20', '0.5000')
    """
    if se is None or not math.isfinite(se):
        return f"{value:.{4 if places is None else places}f}"
    places = decimals([se]) if places is None else places
    return f"{value:.{places}f} ± {se:.{places}f}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    r"""Lines of aligned columns: the first to the left, where names stand, the others to the right.

    >>> print(*table([["bias²", "0.12"], ["variance", "12.30"]]), sep="\n")
    bias²      0.12
    variance  12.30
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    ]
