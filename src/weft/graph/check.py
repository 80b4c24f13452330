"""The checker: what every recording must satisfy, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weft.errors import WeftError
from weft.graph.dtype import ALL
from weft.graph.op import Op
from weft.graph.recording import Entry, Graph, Literal, Reference
from weft.graph.spec import Spec


def check(graph: Graph, results: tuple[Spec, ...] | None = None) -> None:
    """Raise a `WeftError` that names the first entry of ``graph`` that is wrong; ``results`` are specs to expect.

    Every reference names an input or an earlier value, operands have the types that their op takes, each op's
    shape rule accepts them and gives as many results as the entry says, parameters are hashable.
    """
    for slot, spec in enumerate(graph.inputs):
        _check_spec(spec, f"input {slot}")
    values: list[Spec] = []
    for position, entry in enumerate(graph.entries):
        where = f"entry {position} ({getattr(entry[0], 'name', entry[0])})"
        values.extend(_check_entry(graph, entry, values, where))
    found = tuple(_spec_of(graph, r, values, f"result {k}") for k, r in enumerate(graph.outputs))
    if results is not None and found != results:
        raise WeftError(f"the results have the specs {found}", expected=str(results))
    for slot in graph.numbers:
        if not 0 <= slot < len(graph.inputs) or graph.inputs[slot].shape:
            raise WeftError(f"numbers name the input {slot}", expected="a scalar among the inputs")
    if graph.notes and len(graph.notes) != len(graph.entries):
        raise WeftError(f"{len(graph.notes)} notes for {len(graph.entries)} entries", expected="one each, or none")


def entry_specs(graph: Graph) -> Iterator[tuple[Spec, ...]]:
    """For each entry the specs of its results, by the ops' own rules."""
    values: list[Spec] = []
    for position, (op, refs, params, _) in enumerate(graph.entries):
        made = op.shape(*(_spec_of(graph, r, values, f"entry {position}") for r in refs), **dict(params))
        specs = made if isinstance(made, tuple) else (made,)
        values.extend(specs)
        yield specs


def _check_entry(graph: Graph, entry: Entry, values: list[Spec], where: str) -> tuple[Spec, ...]:
    op, refs, params, count = entry
    if not isinstance(op, Op):
        raise WeftError(f"{where}: {op!r} is not an op")
    operands = [_spec_of(graph, r, values, where) for r in refs]
    _check_params(params, where)
    _check_types(op, operands, where)
    try:
        made = op.shape(*operands, **dict(params))
    except (WeftError, TypeError, ValueError, IndexError) as error:
        given = ", ".join(map(repr, operands))
        raise WeftError(f"{where}: its shape rule refuses {given}: {error}") from error
    specs = made if isinstance(made, tuple) else (made,)
    if len(specs) != count:
        raise WeftError(f"{where} says {count} results", expected=f"{len(specs)}, as its shape rule gives")
    for spec in specs:
        _check_spec(spec, where)
    return specs


def _spec_of(graph: Graph, reference: Reference, values: list[Spec], where: str) -> Spec:
    if isinstance(reference, Literal):
        return Spec((), reference.dtype)
    if type(reference) is not int:
        raise WeftError(f"{where} refers to {reference!r}", expected="the number of a value, or a literal")
    known, place = (values, reference) if reference >= 0 else (graph.inputs, ~reference)
    if place >= len(known):
        what = f"value %{place}" if reference >= 0 else f"input {place}"
        raise WeftError(f"{where} uses {what}, which is not there yet", expected=f"one of the first {len(known)}")
    return known[place]


def _check_params(params: Any, where: str) -> None:
    try:
        hash(params)
        names = [name for name, _ in params]
    except (TypeError, ValueError) as error:
        raise WeftError(
            f"{where}: parameters {params!r}: {error}", expected="hashable pairs of name and value"
        ) from None
    if len(set(names)) != len(names):
        raise WeftError(f"{where}: a parameter is given twice: {names}")
    for _, value in params:
        if isinstance(value, Graph):
            check(value)


def _check_types(op: Op, operands: list[Spec], where: str) -> None:
    takes = op.takes(tuple(spec.dtype for spec in operands)) if operands else ()
    for k, (spec, to) in enumerate(zip(operands, takes, strict=True)):
        if to is not None and to is not spec.dtype:
            raise WeftError(f"{where}: operand {k} is {spec!r}", expected=f"{to.name}: casts are entries of their own")


def _check_spec(spec: Any, where: str) -> None:
    if not isinstance(spec, Spec) or spec.dtype not in ALL:
        raise WeftError(f"{where} has the spec {spec!r}", expected="a shape and a data type of tensors")
    if not all(type(n) is int and n >= 0 for n in spec.shape):
        raise WeftError(f"{where} has the shape {spec.shape}", expected="sizes of at least 0")
