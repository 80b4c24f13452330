"""Arguments and results of transformed functions: tensors, or nested tuples, lists and dicts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.node import wrap
from weft.graph.recording import context
from weft.graph.structure import LEAF, flatten, unflatten
from weft.ops.arithmetic import positive
from weft.tensor import Tensor, as_tensor

Form = Any


def tensors(value: Any, *, whole: bool = False) -> Any:
    """``value`` with its arrays, floats and complex numbers as tensors; with ``whole`` also integers and truths.

    Integers and truths among arguments stay as they are: they choose an axis, a count, a mode.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, tuple | list):
        parts = [tensors(v, whole=whole) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {k: tensors(v, whole=whole) for k, v in value.items()}
    number = isinstance(value, float | complex | np.ndarray | np.generic) or (whole and isinstance(value, int))
    return as_tensor(value) if number else value


def leaves_of(value: Any, what: str, *, whole: bool = True) -> tuple[list[Tensor], Form]:
    """The tensors of a result or an argument, of which there must be some, and its structure."""
    leaves, form = flatten(tensors(value, whole=whole))
    if not leaves:
        raise ArgumentError(
            f"{what} is {type(value).__name__}, which holds no tensor",
            expected="a tensor, or nested tuples, lists and dicts of tensors",
            cure="wf.gradients(loss, model.parameters()) for what a module holds"
            if hasattr(value, "forward")
            else None,
        )
    return leaves, form


def aligned(form: Form, value: Any, what: str) -> list[Any]:
    """The parts of ``value`` that stand where ``form`` has tensors; None stands for a whole part without any."""
    if form is LEAF:
        return [None if value is None else as_tensor(value)]
    kind, content = form
    if kind is None:
        return []
    if value is None:
        return [None] * leaf_count(form)
    parts = _parts(kind, content, value, what)
    return [leaf for part, inner in parts for leaf in aligned(inner, part, what)]


def spread(form: Form, axes: Any, what: str) -> list[int | None]:
    """For each tensor of ``form`` the axis that ``axes`` says: one for all, or a structure of them."""
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return [axes] * leaf_count(form)
    if form is LEAF:
        raise ArgumentError(f"{what} says {axes!r} for a single tensor", expected="an axis, or None")
    kind, content = form
    if kind is None:
        return []
    return [axis for part, inner in _parts(kind, content, axes, what) for axis in spread(inner, part, what)]


def _parts(kind: Any, content: Any, value: Any, what: str) -> list[tuple[Any, Form]]:
    """Pairs of the parts of ``value`` and of the form, which must be alike."""
    if kind is dict:
        names = [name for name, _ in content]
        if not isinstance(value, dict) or set(value) != set(names):
            given = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise ArgumentError(f"{what} is {given}", expected=f"a dict of {', '.join(map(str, names))}")
        return [(value[name], inner) for name, inner in content]
    if not isinstance(value, tuple | list) or len(value) != len(content):
        given = f"{len(value)} parts" if isinstance(value, tuple | list) else type(value).__name__
        raise ArgumentError(f"{what} has {given}", expected=f"{len(content)} parts, as what it belongs to")
    return list(zip(value, content, strict=True))


def leaf_count(form: Form) -> int:
    """How many tensors a structure has."""
    if form is LEAF:
        return 1
    kind, content = form
    if kind is None:
        return 0
    return sum(leaf_count(inner[1] if kind is dict else inner) for inner in content)


def derivatives(form: Form, leaves: Any) -> Any:
    """Tangents or gradients in the structure of what they belong to, with None for what is not a tensor."""
    return unflatten(_without_constants(form), leaves)


def _without_constants(form: Form) -> Form:
    if form is LEAF:
        return LEAF
    kind, content = form
    if kind is None:
        return (None, None)
    if kind is dict:
        return (dict, tuple((name, _without_constants(inner)) for name, inner in content))
    return (kind, tuple(map(_without_constants, content)))


def fitting(parts: Sequence[Any], leaves: Sequence[Tensor], what: str) -> list[Any]:
    """Tangents or cotangents, which must have the shapes of their tensors, in the types of these."""
    found: list[Any] = []
    for part, t in zip(parts, leaves, strict=True):
        if part is None:
            found.append(None)
            continue
        if part.shape != t.shape:
            raise ShapeError(f"{what} of shape {part.shape} for a tensor of shape {t.shape}", expected="equal shapes")
        if not t.dtype.is_differentiable:
            raise DTypeError(
                f"{what} for a {t.dtype.name} tensor", expected="None: integers and truths have no derivative"
            )
        found.append(part.astype(t.dtype))
    return found


# ── the start of a history, and its end ─────────────────────────────────────────────────────────────────────


def as_tracked(x: Any) -> Tensor:
    """``x`` as the start of a history of its own, still connected to the history that it may have itself."""
    t = as_tensor(x)
    if not t.dtype.is_differentiable and isinstance(x, int):
        t = t.astype("float32")
    if not t.dtype.is_differentiable:
        raise DTypeError(
            f"a gradient with respect to a {t.dtype.name} argument",
            expected="floating-point numbers: integers have no derivative",
            cure="x.astype(wf.float32)",
        )
    # A node of its own also where x is tracked: the same tensor may come in by another way, as a constant.
    return positive(t) if t.node.tracked and context.tracking else wrap(context.recording.alias(t, tracked=True))


def released(results: Sequence[Any], starts: Sequence[Tensor]) -> list[Any]:
    """``results`` without the history that ends at ``starts``, so that a loop over a transform does not grow.

    What depends on another tracked tensor, or on a start that is connected to one, keeps its history.
    """
    if context.tracking and _reach_beyond(results, starts):
        return list(results)
    return [wrap(context.recording.alias(t, tracked=False)) if t is not None and t.node.tracked else t for t in results]


def _reach_beyond(results: Sequence[Any], starts: Sequence[Tensor]) -> bool:
    own = {id(t.node) for t in starts if not t.node.inputs}
    oldest = min((t.node.order for t in starts), default=0)
    stack = [t.node for t in results if t is not None and t.node.tracked]
    while stack:
        node = stack.pop()
        if id(node) in own:
            continue
        own.add(id(node))
        if node.order < oldest or not node.inputs:
            return True
        stack.extend([n for n in node.inputs if n.tracked])
    return False
