"""The checker refuses graphs that are broken on purpose, and names the entry."""

from __future__ import annotations

from typing import Any

import pytest

from weft.errors import WeftError
from weft.graph.check import check, entry_specs
from weft.graph.dtype import float32, float64, int64
from weft.graph.recording import Graph, Literal
from weft.graph.source import user_source
from weft.graph.spec import Spec
from weft.ops.arithmetic import add
from weft.ops.control import cond_op
from weft.ops.exponential import exp
from weft.ops.reduction import sum_op

VECTOR, DOUBLE = Spec((3,), float32), Spec((3,), float64)
ONE = Literal("1", float32)
TOTAL = (("axis", (0,)), ("keepdims", False))


def test_a_good_graph_passes() -> None:
    graph = Graph((VECTOR,), ((add, (~0, ONE), (), 1), (sum_op, (0,), TOTAL, 1)), (1, ~0))
    check(graph, (Spec((), float32), VECTOR))
    assert list(entry_specs(graph)) == [(VECTOR,), (Spec((), float32),)]


BROKEN: dict[str, tuple[Any, str]] = {
    "a value used before it is made": (((add, (~0, 1), (), 1), (exp, (0,), (), 1)), r"entry 0 \(add\) uses value %1"),
    "a value used by itself": (((exp, (0,), (), 1),), r"entry 0 \(exp\) uses value %0"),
    "an input that does not exist": (((exp, (~1,), (), 1),), r"entry 0 \(exp\) uses input 1"),
    "a reference that is not one": (((exp, ("a",), (), 1),), "refers to 'a'"),
    "a wrong number of results": (((exp, (~0,), (), 2),), "says 2 results"),
    "a shape that the op refuses": (((sum_op, (~0,), (("axis", (5,)), ("keepdims", 3, 4)), 1),), "entry 0"),
    "operands that do not broadcast": (((sum_op, (~0,), TOTAL, 1), (add, (~0, ~2), (), 1)), r"entry 1 \(add\)"),
    "missing parameters": (((sum_op, (~0,), (), 1),), "shape rule refuses"),
    "parameters that do not hash": (((sum_op, (~0,), (("axis", [0]),), 1),), "hash"),
    "a parameter given twice": (((sum_op, (~0,), (*TOTAL, *TOTAL), 1),), "twice"),
    "types without a cast": (((add, (~0, ~1), (), 1),), "input 1"),
    "something that is not an op": ((("add", (~0, ~0), (), 1),), "not an op"),
}


class Loose(Graph):
    """A graph that may hold what does not hash, as a bug would make it."""

    def __init__(self, inputs: Any, entries: Any, outputs: Any) -> None:
        self.inputs, self.entries, self.outputs, self.notes, self.numbers = inputs, entries, outputs, (), ()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_entries_are_named(name: str) -> None:
    entries, says = BROKEN[name]
    with pytest.raises(WeftError, match=says):
        check(Loose((VECTOR,), entries, (0,)))


def test_casts_are_entries_of_their_own() -> None:
    with pytest.raises(WeftError, match="operand 0 is float32"):
        check(Graph((VECTOR, DOUBLE), ((add, (~0, ~1), (), 1),), (0,)))


def test_results_are_checked() -> None:
    with pytest.raises(WeftError, match="result 1 uses value %7"):
        check(Graph((VECTOR,), ((exp, (~0,), (), 1),), (0, 7)))
    with pytest.raises(WeftError, match="expected"):
        check(Graph((VECTOR,), ((exp, (~0,), (), 1),), (0,)), (DOUBLE,))


def test_numbers_and_notes_are_checked() -> None:
    entries = ((exp, (~0,), (), 1),)
    with pytest.raises(WeftError, match="numbers"):
        check(Graph((VECTOR,), entries, (0,), (), (0,)))
    with pytest.raises(WeftError, match="2 notes for 1"):
        check(Graph((VECTOR,), entries, (0,), (user_source(depth=1),) * 2))


def test_recordings_in_parameters_are_checked_too() -> None:
    bad = Graph((VECTOR,), ((exp, (~3,), (), 1),), (0,))
    good = Graph((VECTOR,), ((exp, (~0,), (), 1),), (0,))
    outer = Graph((Spec((), int64), VECTOR), ((cond_op, (~0, ~1), (("yes", good), ("no", bad)), 1),), (0,))
    with pytest.raises(WeftError, match="input 3"):
        check(outer)
