"""A function of one example, applied to a whole batch at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.closure import Closure, reorder
from weft.graph.dtype import int64
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.graph.structure import flatten, unflatten
from weft.ops.calling import vmap_op
from weft.ops.creation import arange
from weft.ops.manipulation import moveaxis
from weft.ops.rules import normalize_axis
from weft.tensor import Tensor
from weft.transforms.bodies import record_body
from weft.transforms.structure import spread, tensors


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """``f``, written for one example, as a function of batches: every example at once, in one program.

    ``in_axes`` is the axis along which each positional argument holds the examples, None for one that all examples
    share: a number for all, or a tuple with one for each argument, in which a structure of tensors may have a
    structure of axes. ``out_axes`` says the same of the results. Tensors that ``f`` uses without taking them as
    arguments, and keyword arguments, are shared.

    Random numbers differ from example to example: each draws from a key folded with its number. The function must
    not assign tensors that live outside of it. Differentiable; ``vmap(grad(f), in_axes=(None, 0))`` gives a
    gradient for every example.

    >>> import weft as wf
    >>> x, w = wf.tensor([[1.0, 2.0], [3.0, 4.0]]), wf.tensor([1.0, 10.0])
    >>> vmap(wf.vecdot, in_axes=(0, None))(x, w).tolist()
    [21.0, 43.0]
    """

    @wraps(f, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, form = flatten(tensors(args))
        axes = [_axis(t, a, k) for k, (t, a) in enumerate(zip(leaves, spread(form, in_axes, "in_axes"), strict=True))]
        size = _size(leaves, axes)
        fronted = [t if not a else moveaxis(t, a, 0) for t, a in zip(leaves, axes, strict=True)]
        flags = [a is not None for a in axes]
        closure = _record(f, kwargs, fronted, flags, form)
        graph, drawn = _without_unused(closure.graph, len(leaves))
        operands = [*fronted, *([arange(size)] if drawn else []), *closure.captured]
        is_mapped = (*flags, *((True,) if drawn else ()), *(False for _ in closure.captured))
        made = vmap_op(*operands, graph=graph, mapped=is_mapped, size=size)
        return _placed(made, closure.structure, out_axes, _varying(graph, is_mapped))

    return mapped


def _axis(t: Tensor, axis: int | None, k: int) -> int | None:
    """The mapped axis, counted from the front."""
    if axis is None:
        return None
    if not -t.ndim <= axis < t.ndim:
        raise ShapeError(
            f"in_axes asks for axis {axis} of tensor {k} of the arguments, of shape {t.shape}",
            expected=f"{-t.ndim} ≤ axis < {t.ndim}" if t.ndim else "None: a single number has no axis of examples",
            cure="in_axes=(0, None), with None for each argument that all examples share",
        )
    return normalize_axis(axis, t.ndim)


def _size(leaves: Sequence[Tensor], axes: Sequence[int | None]) -> int:
    sizes = [t.shape[a] for t, a in zip(leaves, axes, strict=True) if a is not None]
    if not sizes:
        raise ArgumentError(
            "vmap without a mapped argument, so that the number of examples is unknown",
            expected="a tensor among the positional arguments whose axis in in_axes is not None",
        )
    if len(set(sizes)) > 1:
        shapes = ", ".join(
            f"tensor {k} of shape {t.shape} along axis {a}"
            for k, (t, a) in enumerate(zip(leaves, axes, strict=True))
            if a is not None
        )
        raise ShapeError(f"vmap over different numbers of examples: {shapes}", expected="one size for all mapped axes")
    return sizes[0]


def _record(
    f: Callable[..., Any], kwargs: dict[str, Any], leaves: Sequence[Tensor], flags: Sequence[bool], form: Any
) -> Closure:
    """``f`` recorded for one example; its number is one more operand."""
    operands = [
        (Spec(t.shape[1:], t.dtype) if m else t.node.spec, t.node.tracked) for t, m in zip(leaves, flags, strict=True)
    ]
    closure = record_body(
        lambda *args: tensors(f(*args, **kwargs), whole=True),
        [*operands, (Spec((), int64), False)],
        lambda arguments: unflatten(form, arguments),
        "the function of vmap",
        counter=len(operands),
    )
    if closure.written:
        raise ArgumentError(
            "the function of vmap assigns a tensor from outside, to which every example would give its own value",
            expected="a function that returns what it computes",
            where=closure.written[0].node.place or None,
            cure="return the new value, and assign its mean over the batch outside: w.assign(new.mean(axis=0));\n"
            "for a layer with running statistics: model.eval(), or apply it to the whole batch",
        )
    return closure


def _without_unused(graph: Graph, slot: int) -> tuple[Graph, bool]:
    """The graph without its input ``slot``, if nothing uses that; and whether something does."""
    if any(~slot in refs for _, refs, _, _ in graph.entries) or ~slot in graph.outputs:
        return graph, True
    order = [k for k in range(len(graph.inputs)) if k != slot]
    return reorder(graph, order, range(len(graph.outputs))), False


def _varying(graph: Graph, mapped: Sequence[bool]) -> list[bool]:
    """Which results differ from example to example."""
    varies = {~k for k, m in enumerate(mapped) if m}
    number = 0
    for _, refs, _, count in graph.entries:
        if any(type(r) is int and r in varies for r in refs):
            varies.update(range(number, number + count))
        number += count
    return [type(r) is int and r in varies for r in graph.outputs]


def _placed(made: Sequence[Tensor], form: Any, out_axes: Any, varying: Sequence[bool]) -> Any:
    """The results with their examples along the axes that are wanted."""
    found = []
    for t, axis, varies in zip(made, spread(form, out_axes, "out_axes"), varying, strict=True):
        if axis is None and varies:
            raise ArgumentError(
                f"out_axes=None for a result of shape {t.shape[1:]} that differs from example to example",
                expected="None only for a result that all examples share",
                cure="out_axes=0, and .mean(axis=0) or [0] of the result",
            )
        if axis is not None and not -t.ndim <= axis < t.ndim:
            raise ShapeError(
                f"out_axes asks for axis {axis} of a result with {t.ndim} axes", expected=f"{-t.ndim} ≤ axis < {t.ndim}"
            )
        found.append(t[0] if axis is None else t if axis == 0 else moveaxis(t, 0, axis))
    return unflatten(form, found)
