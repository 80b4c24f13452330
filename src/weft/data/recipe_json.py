"""Checks of a recipe that comes from a file: every key, every type, nothing more."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import FileError


def checked_table(data: Any, names: list[str]) -> dict[str, Any]:
    """The fields of a Table, their columns still unchecked. Raises FileError unless they are exactly these."""
    what = "table recipe"
    _require(isinstance(data, dict) and data.get("format") == "weft.table", what, "another format")
    _require(data.get("version") == 1, what, f"version {data.get('version')!r}, this Weft reads version 1")
    _same_keys(data, ["format", "version", *names], what)
    _require(isinstance(data["columns"], list | tuple) and len(data["columns"]) > 0, what, "no columns")
    for name in ("target", "reason", "separator"):
        _require(isinstance(data[name], str), what, f"{name} {data[name]!r}")
    _require(data["task"] in ("classification", "regression"), what, f"task {data['task']!r}")
    _require(_are_texts(data["classes"]), what, f"classes {data['classes']!r}")
    _require(bool(data["classes"]) == (data["task"] == "classification"), what, "classes that do not fit the task")
    return {name: data[name] for name in names}


def checked_column(data: Any, names: list[str], place: int) -> dict[str, Any]:
    """The fields of a Column. Raises FileError unless they are exactly these and fit each other."""
    what = f"column {place} of the table recipe"
    _require(isinstance(data, dict), what, type(data).__name__)
    _same_keys(data, names, what)
    categories, fill = data["categories"], data["fill"]
    _require(isinstance(data["name"], str), what, f"name {data['name']!r}")
    _require(data["kind"] in ("number", "category"), what, f"kind {data['kind']!r}")
    _require(_are_texts(categories), what, f"categories {categories!r}")
    _require(bool(categories) == (data["kind"] == "category"), what, "categories that do not fit its kind")
    _require(fill is None or _fits(fill, data["kind"], categories), what, f"fill {fill!r}")
    return dict(data)


def _fits(fill: Any, kind: str, categories: list[str]) -> bool:
    if kind == "category":
        return fill in categories
    return isinstance(fill, int | float) and not isinstance(fill, bool) and math.isfinite(fill)


def _are_texts(values: Any) -> bool:
    return (
        isinstance(values, list | tuple)
        and all(isinstance(value, str) for value in values)
        and len(set(values)) == len(values)
    )


def _same_keys(data: dict[str, Any], names: list[str], what: str) -> None:
    absent, extra = sorted(set(names) - set(data)), sorted(map(str, set(data) - set(names)))
    _require(not absent, what, f"no {', '.join(absent)}")
    _require(not extra, what, f"unknown {', '.join(extra)}")


def _require(condition: bool, what: str, received: str) -> None:
    if not condition:
        raise FileError(f"{what}: {received}", expected="a recipe as Table.to_json writes it")
