"""Every function refuses what it cannot take, with a lesson that names it and the line; nothing becomes a number."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import WeftError
from weft.graph.op import Op


def is_numeric(name: str) -> bool:
    f = getattr(wf, name)
    return isinstance(f, Op) or (inspect.isfunction(f) and f.__module__.startswith("weft.ops"))


SEQUENCES = ("concat", "stack", "hstack", "vstack", "dstack", "column_stack", "broadcast_shapes")  # of tensors
FUNCTIONS = sorted(n for n in wf.__all__ if is_numeric(n) and n not in SEQUENCES)


def parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(wf, name)).parameters.values())


def required(name: str) -> list[inspect.Parameter]:
    return [
        p for p in parameters(name) if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if len(required(n)) == 1])
@pytest.mark.parametrize("wrong", ["text", None, {1, 2}, object()], ids=["text", "None", "set", "object"])
def test_what_is_no_tensor(name: str, wrong: Any):
    with pytest.raises((WeftError, TypeError)):
        getattr(wf, name)(wrong)


REDUCING = [n for n in FUNCTIONS if len(required(n)) == 1 and "axis" in [p.name for p in parameters(n)]]


@pytest.mark.parametrize("name", REDUCING)
@pytest.mark.parametrize("axis", [5, -6, "rows", 1.5])
def test_axes_that_do_not_exist(name: str, axis: Any):
    with pytest.raises(WeftError, match="axis") as caught:
        getattr(wf, name)(wf.ones((2, 3)), axis=axis)
    assert "getattr(wf, name)(wf.ones((2, 3)), axis=axis)" in str(caught.value)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if isinstance(getattr(wf, n), Op)])
def test_the_number_of_operands(name: str):
    op = getattr(wf, name)
    x = wf.ones(2)
    wanted = len(op.operands.split())
    with pytest.raises(ValueError, match=rf"expected: +{op.name}\("):
        op(*[x] * (wanted + 1))


class Closed:
    """Another library's array that cannot be NumPy's, such as PyTorch's of bfloat16."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("not for NumPy")


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "shapes that do not broadcast": (lambda: wf.ones(2) + wf.ones(3), ValueError, "do not broadcast"),
    "bits of floats": (lambda: wf.ones(2) & wf.ones(2), TypeError, "float32"),
    "order of complex numbers": (lambda: wf.tensor([1j]) < 0, TypeError, "complex64"),
    "subtraction of truth values": (lambda: wf.tensor([True]) - wf.tensor([True]), TypeError, "bool"),
    "uint64 with int64": (
        lambda: wf.ones(1, dtype=wf.uint64) + wf.ones(1, dtype=wf.int64),
        TypeError,
        "no integer type holds both",
    ),
    "reshape": (lambda: wf.reshape(wf.ones(6), (4, -1)), ValueError, "6 elements"),
    "two unknown sizes": (lambda: wf.reshape(wf.ones(6), (-1, -1)), ValueError, "at most one -1"),
    "an axis twice": (lambda: wf.sum(wf.ones((2, 2)), axis=(0, 0)), ValueError, "twice"),
    "max of nothing": (lambda: wf.max(wf.ones((0, 2)), axis=0), ValueError, "no elements"),
    "concat": (lambda: wf.concat([wf.ones((2, 2)), wf.ones((2, 3))]), ValueError, "tensor 1 has"),
    "concat of nothing": (lambda: wf.concat([]), ValueError, "no tensors"),
    "stack": (lambda: wf.stack([wf.ones(2), wf.ones(3)]), ValueError, "one shape for all"),
    "squeeze": (lambda: wf.squeeze(wf.ones((2, 1)), axis=0), ValueError, "size 2"),
    "split": (lambda: wf.split(wf.ones(5), 2), ValueError, "does not split into 2"),
    "permute": (lambda: wf.permute_dims(wf.ones((2, 2)), (0, 0)), ValueError, "each axis exactly once"),
    "repeat": (lambda: wf.repeat(wf.ones(2), -1), ValueError, "0 or more"),
    "tril of a vector": (lambda: wf.tril(wf.ones(3)), ValueError, "two axes"),
    "searchsorted": (lambda: wf.searchsorted(wf.ones((2, 2)), wf.ones(2)), ValueError, "one axis"),
    "a side": (lambda: wf.searchsorted(wf.ones(2), wf.ones(2), side="middle"), ValueError, "left"),
    "nonzero of a scalar": (lambda: wf.nonzero(wf.tensor(1)), ValueError, "without axes"),
    "a negative size": (lambda: wf.zeros((2, -1)), ValueError, "at least 0"),
    "arange": (lambda: wf.arange(3, 0, 0), ValueError, "step"),
    "linspace": (lambda: wf.linspace(0, 1, -1), ValueError, "0 or more"),
    "full with a complex number": (lambda: wf.full(2, 1j, dtype=wf.float32), TypeError, "float32"),
    "a data type": (lambda: wf.zeros(2, dtype="float31"), TypeError, "float31"),
    "no data type": (lambda: wf.ones(2).astype(None), TypeError, "None"),
    "finfo": (lambda: wf.finfo(wf.int8), TypeError, "iinfo"),
    "isdtype": (lambda: wf.isdtype(wf.int8, "whole"), ValueError, "integral"),
    "complex to real": (lambda: wf.tensor([1j]).astype(wf.float32), TypeError, "imaginary"),
    "one_hot of floats": (lambda: wf.one_hot(wf.ones(2), 3), TypeError, "integers"),
    "take": (lambda: wf.take(wf.ones((2, 2)), wf.tensor([0])), ValueError, "without axis"),
    "a ragged list": (lambda: wf.tensor([[1, 2], [3]]), ValueError, "equal length"),
    "text": (lambda: wf.tensor(["a"]), TypeError, "encode text"),
    "meshgrid": (lambda: wf.meshgrid(wf.ones((2, 2))), ValueError, "one axis"),
    "einsum": (lambda: wf.einsum("ij,jk->ik", wf.ones((2, 3)), wf.ones((2, 3))), ValueError, "one size"),
    "a mask of another shape": (lambda: wf.ones(3)[wf.tensor([True, False])], IndexError, "mask"),
    "two ellipses": (lambda: wf.ones((2, 2))[..., ...], IndexError, "more than one"),
    "the text of a number": (lambda: wf.text(3.0), ValueError, "the text of float"),
    "a slice with a fraction": (lambda: wf.ones(3)[0.5:], TypeError, "a slice with 0.5"),
    "a slice of step 0": (lambda: wf.ones(3)[::0], ValueError, "step 0"),
    "a number that the type does not hold": (
        lambda: wf.ones(3, dtype=wf.uint8).at[0].set(300),
        TypeError,
        "the number 300 with a uint8",
    ),
    "an array that NumPy cannot have": (lambda: wf.tensor(Closed()), TypeError, "not for NumPy"),
    "a value that does not fit": (lambda: wf.ones(3).at[:2].set(wf.ones(3)), ValueError, "place of shape"),
}


@pytest.mark.parametrize(
    ("f", "name"), [(lambda x: -x, "negative"), (wf.floor, "floor"), (lambda x: wf.max(1j * x), "max")]
)
def test_the_operation_that_refuses_is_named(f: Any, name: str):
    with pytest.raises(TypeError, match=rf"does not take .*\n.*\n.*where: +{name}\("):
        f(wf.tensor([True, False]))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str):
    f, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message) as caught:
        f()
    assert isinstance(caught.value, WeftError)
    assert "expected:" in str(caught.value) or "try:" in str(caught.value)


@pytest.mark.parametrize("data", [None, [1.0, None], "3", ["1", "2"], [[1], [None]]])
@pytest.mark.parametrize("make", [wf.tensor, wf.asarray])
def test_what_numpy_would_make_a_number_of_is_none_even_where_a_type_is_asked_for(make: Any, data: Any):
    for dtype in (None, wf.float32):
        with pytest.raises(TypeError, match="cannot make a tensor"):
            make(data, dtype=dtype)


def test_whole_numbers_beyond_all_types_are_numbers_of_a_floating_type():
    assert wf.tensor([2**70, 1.5], dtype=wf.float64).tolist() == [2.0**70, 1.5]


def test_the_running_sum_of_no_axis_says_what_to_do():
    with pytest.raises(ValueError, match=r"x\.reshape\(1\)"):
        wf.cumulative_sum(wf.tensor(1.0))


@pytest.mark.parametrize(
    ("refused", "expected", "cure"),
    [
        (lambda: wf.bitwise_and(wf.ones(2), 1), "truth values, whole numbers", "int32"),
        (lambda: ~wf.ones(2), "truth values, whole numbers", "int32"),
        (lambda: wf.floor(wf.tensor([1j])), "whole numbers, floating-point numbers", "real"),
        (lambda: wf.tensor([True]) - wf.tensor([True]), "whole numbers, floating-point numbers, complex", "float32"),
    ],
)
def test_a_type_that_is_not_taken_is_answered_by_those_that_are(refused: Any, expected: str, cure: str):
    with pytest.raises(wf.errors.DTypeError) as caught:
        refused()
    assert str(caught.value.expected).startswith(expected)
    assert cure in str(caught.value.cure)


@pytest.mark.parametrize("labels", [[5], [-1], [[0, 3]]])
def test_one_hot_of_what_is_no_class(labels: Any):
    with pytest.raises(wf.errors.AxisError, match="among 3 classes"):
        wf.one_hot(wf.tensor(labels), 3)
