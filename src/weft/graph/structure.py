"""Nested tuples, lists and dicts of tensors: taken apart into a flat list and put together again."""

from __future__ import annotations

from typing import Any

from weft.graph.node import Handle

LEAF = object()  # stands in a structure for "a tensor belongs here"


def flatten(value: Any) -> tuple[list[Any], Any]:
    """The tensors of ``value``, and its structure without them (hashable: what is not a tensor is part of it).

    >>> leaves, structure = flatten((1, {"a": None}))
    >>> leaves, unflatten(structure, [])
    ([], (1, {'a': None}))
    """
    leaves: list[Any] = []
    return leaves, _strip(value, leaves)


def _strip(value: Any, leaves: list[Any]) -> Any:
    if isinstance(value, Handle):
        leaves.append(value)
        return LEAF
    if isinstance(value, tuple | list):
        made = tuple(_strip(v, leaves) for v in value)
        kind = type(value)
        return (kind, made)
    if isinstance(value, dict):
        return (dict, tuple((k, _strip(v, leaves)) for k, v in value.items()))
    return (None, value)


def unflatten(structure: Any, leaves: Any) -> Any:
    """The value of this structure with ``leaves`` in its places."""
    return _fill(structure, iter(leaves))


def _fill(structure: Any, leaves: Any) -> Any:
    if structure is LEAF:
        return next(leaves)
    kind, content = structure
    if kind is None:
        return content
    if kind is dict:
        return {k: _fill(v, leaves) for k, v in content}
    parts = [_fill(v, leaves) for v in content]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
