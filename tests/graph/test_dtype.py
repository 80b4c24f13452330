"""Promotion: NumPy's where the Array API standard defines it, documented where it does not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from weft.errors import DTypeError
from weft.graph.dtype import ALL, DType, bfloat16, dtype, float16, float32, int64, promote, promote_number, uint64

PAIRS = list(product(ALL, ALL))


def defined(a: DType, b: DType) -> bool:
    """Whether the standard says what two types give, and NumPy has both."""
    kinds = {a.kind, b.kind}
    if bfloat16 in (a, b) or (uint64 in (a, b) and kinds == {"int", "uint"}):
        return False
    return len(kinds) == 1 or kinds <= {"int", "uint"} or kinds <= {"float", "complex"}


@pytest.mark.parametrize(("a", "b"), [pair for pair in PAIRS if defined(*pair)], ids=str)
def test_promotion_is_numpys(a: DType, b: DType) -> None:
    assert promote(a, b).numpy == np.promote_types(a.numpy, b.numpy)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
def test_promotion_is_commutative_and_never_lowers(a: DType, b: DType) -> None:
    try:
        found = promote(a, b)
    except DTypeError:
        assert {a.kind, b.kind} == {"int", "uint"}
        assert uint64 in (a, b)
        return
    assert promote(b, a) is found
    assert promote(found, a) is found
    if a.kind in ("bool", "int", "uint") and b.is_differentiable:
        assert found is b  # the floating type wins: half precision stays half


def test_the_two_halves_meet_in_single_precision() -> None:
    assert promote(float16, bfloat16) is float32


@pytest.mark.parametrize("t", ALL, ids=str)
def test_python_numbers_are_weak(t: DType) -> None:
    assert promote_number(t, bool) is t
    assert promote_number(t, int) is (int64 if t.kind == "bool" else t)
    assert promote_number(t, float) is (t if t.is_differentiable else float32)
    wide = t.name in ("float64", "complex128")
    assert promote_number(t, complex).name == ("complex128" if wide else "complex64")


@pytest.mark.parametrize("t", ALL, ids=str)
def test_names_and_numpy_types_name_the_type(t: DType) -> None:
    assert dtype(t) is dtype(t.name) is dtype(t.numpy) is t
    assert t.itemsize * 8 == t.bits


def test_other_types_are_refused_with_the_list_of_those_that_exist() -> None:
    for wrong in ("float8", np.dtype("U3"), object):
        with pytest.raises(DTypeError, match="float32"):
            dtype(wrong)
