"""The text of a recording, as it was when somebody last looked at it."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import weft as wf
from weft.graph.dtype import bool_, float32
from weft.graph.function import function, record
from weft.graph.gradient import backpropagate
from weft.graph.recording import Graph
from weft.graph.spec import Spec
from weft.graph.text import letters, tensor_text, to_text
from weft.ops.control import cond_op
from weft.ops.conversion import cast

VECTOR, MATRIX = Spec((3,), float32), Spec((4, 3), float32)


def graph_of(body: Any, *specs: Spec) -> Graph:
    return record("body", body, specs, {})[0]


def check_text(graph: Graph, expected: str) -> None:
    assert to_text(graph) == dedent(expected).strip()


def test_operands_literals_and_parameters() -> None:
    check_text(
        graph_of(lambda a, b: (a * 2.0 + b).sum(axis=0), MATRIX, VECTOR),
        """
        graph(%a: float32[4,3], %b: float32[3]) {
          %0: float32[4,3] = multiply %a, 2.0
          %1: float32[4,3] = add %0, %b
          %2: float32[3] = sum %1, axis=(0,), keepdims=False
          return %2
        }
        """,
    )


def test_data_types_have_their_names() -> None:
    check_text(
        graph_of(lambda a: cast(a, dtype=bool_), VECTOR),
        """
        graph(%a: float32[3]) {
          %0: bool[3] = cast %a, dtype=bool
          return %0
        }
        """,
    )


def test_the_gradient_is_a_recording_like_any_other() -> None:
    def slope(a: Any, b: Any) -> Any:
        y = (a * b).exp().sum()
        return backpropagate([y], [y * 0 + 1], [b.node])[0]

    check_text(
        graph_of(slope, MATRIX, VECTOR),
        """
        graph(%a: float32[4,3], %b: float32[3]) {
          %0: float32[4,3] = multiply %a, %b
          %1: float32[4,3] = exp %0
          %2: float32[] = sum %1, axis=(0, 1), keepdims=False
          %3: float32[] = multiply %2, 0
          %4: float32[] = add %3, 1
          %5: float32[1,1] = reshape %4, shape=(1, 1)
          %6: float32[4,3] = broadcast_to %5, shape=(4, 3)
          %7: float32[4,3] = multiply %6, %1
          %8: float32[4,3] = multiply %7, %a
          %9: float32[3] = sum %8, axis=(0,), keepdims=False
          %10: float32[3] = reshape %9, shape=(3,)
          return %10
        }
        """,
    )


@function
def halves(x: Any) -> Any:
    return x * 0.5, x > 0


def test_an_op_of_several_results_numbers_each() -> None:
    check_text(
        graph_of(lambda a: halves(a)[1], VECTOR),
        """
        graph(%a: float32[3]) {
          %0: float32[3], %1: bool[3] = halves %a
          return %1
        }
        """,
    )


def test_recordings_inside_of_recordings_are_printed_in_place() -> None:
    yes, no = graph_of(lambda x: -x, VECTOR), graph_of(lambda x: x, VECTOR)
    graph = Graph((Spec((), bool_), VECTOR), ((cond_op, (~0, ~1), (("yes", yes), ("no", no)), 1),), (0,))
    check_text(
        graph,
        """
        graph(%a: bool[], %b: float32[3]) {
          %0: float32[3] = cond %a, %b, yes=graph(%a: float32[3]) {
            %0: float32[3] = negative %a
            return %0
          }, no=graph(%a: float32[3]) {
            return %a
          }
          return %0
        }
        """,
    )


def test_notes_name_the_line() -> None:
    graph = graph_of(lambda a: a * 2.0, VECTOR)
    line = to_text(graph, notes=True).splitlines()[1]
    assert line.startswith("  %0: float32[3] = multiply %a, 2.0")
    assert f"# test_text.py:{test_notes_name_the_line.__code__.co_firstlineno + 1}" in line
    assert to_text(graph, notes=False) == to_text(graph)


def test_the_text_of_a_tensor_is_what_it_still_needs() -> None:
    x = wf.tensor([1.0, 2.0])
    unrelated, y = x.exp(), (x + x).sum()
    assert (
        tensor_text(y)
        == dedent(
            """
        graph(%a: float32[2]) {
          %0: float32[2] = add %a, %a
          %1: float32[] = sum %0, axis=(0,), keepdims=False
          return %1
        }
        """
        ).strip()
    )
    assert unrelated.shape == (2,)
    assert float(y) == 6.0
    assert tensor_text(y) == "float32[], computed by sum"
    assert tensor_text(x) == "float32[2], computed"


def test_inputs_past_z_go_on() -> None:
    assert [letters(k) for k in (0, 25, 26, 51, 52, 701, 702)] == ["a", "z", "aa", "az", "ba", "zz", "aaa"]
