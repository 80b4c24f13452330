"""What the standard says of signed zeros, infinities and NaN, where the engine alone would say something else."""

from __future__ import annotations

import cmath
import math
from typing import Any

import pytest

import weft as wf

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line meets every type

inf, nan = math.inf, math.nan


def alike(found: float, expected: float) -> bool:
    """Equal, down to the sign of zero."""
    if math.isnan(expected):
        return math.isnan(found)
    return math.isclose(found, expected, rel_tol=1e-6) and math.copysign(1, found) == math.copysign(1, expected)


@pytest.mark.parametrize("dtype", [wf.float32, wf.float64])
@pytest.mark.parametrize(
    ("function", "cases"),
    [
        (
            wf.floor_divide,
            [
                (inf, 2.0, inf),
                (inf, -2.0, -inf),
                (-inf, -2.0, inf),
                (3.0, inf, 0.0),
                (-3.0, inf, -0.0),
                (-3.0, -inf, 0.0),
                (inf, inf, nan),
                (-0.0, 3.0, -0.0),
                (-0.0, -3.0, 0.0),
                (-1.0, -2.0, 0.0),
                (-1.0, 2.0, -1.0),
                (1.0, 0.0, inf),
                (0.0, 0.0, nan),
            ],
        ),
        (
            wf.remainder,
            [
                (0.0, -1.0, -0.0),
                (-0.0, 1.0, 0.0),
                (4.0, -2.0, -0.0),
                (-4.0, 2.0, 0.0),
                (5.0, -3.0, -1.0),
                (1.0, nan, nan),
            ],
        ),
        (
            lambda x, bound: wf.clip(x, bound, None),
            [(1.0, nan, nan), (nan, 0.0, nan), (-1.0, 0.0, 0.0), (2.0, 0.0, 2.0)],
        ),
        (
            lambda x, bound: wf.clip(x, max=bound),
            [(1.0, nan, nan), (nan, 0.0, nan), (-1.0, 0.0, -1.0), (2.0, 0.0, 0.0)],
        ),
        (lambda x, _: wf.sign(x), [(-0.0, nan, 0.0), (0.0, nan, 0.0), (-inf, nan, -1.0), (nan, nan, nan)]),
    ],
    ids=["floor_divide", "remainder", "clip below", "clip above", "sign"],
)
def test_real_numbers(function: Any, cases: list[tuple[float, float, float]], dtype: Any):
    a, b, expected = zip(*cases, strict=True)
    found = function(wf.asarray(a, dtype=dtype), wf.asarray(b, dtype=dtype))
    assert found.dtype is dtype
    assert [case for case, value in zip(cases, found.tolist(), strict=True) if not alike(value, case[2])] == []
    assert alike(function(wf.asarray(a[0], dtype=dtype), b[0]).item(), expected[0])  # the number as it is


@pytest.mark.parametrize("bound", [nan, wf.tensor(nan)])
def test_the_gradient_is_not_that_of_a_bound_which_is_unknown(bound: Any):
    x = wf.tensor([1.0, 2.0], requires_grad=True)
    wf.clip(x, max=bound).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0]


quarter = math.pi / 2
COMPLEX: dict[str, list[tuple[complex, complex]]] = {
    "abs": [(complex(inf, nan), inf), (complex(nan, -inf), inf), (complex(nan, 1), nan)],
    "exp": [
        (complex(inf, nan), complex(inf, nan)),
        (complex(-inf, inf), complex(0, 0)),
        (complex(-inf, 3.0), complex(-0.0, 0.0)),
        (complex(1, -0.0), complex(math.e, -0.0)),
    ],
    "expm1": [(complex(inf, inf), complex(inf, nan)), (complex(-inf, nan), complex(-1, 0)), (0j, 0j)],
    "log": [(complex(inf, nan), complex(inf, nan)), (complex(nan, inf), complex(inf, nan)), (-0.0 + 0j, -inf + 0j)],
    "log1p": [(complex(-inf, nan), complex(inf, nan)), (complex(nan, inf), complex(inf, nan))],
    "log2": [(complex(inf, nan), complex(inf, nan)), (complex(2, -0.0), complex(1, -0.0))],
    "log10": [(complex(nan, inf), complex(inf, nan))],
    "sqrt": [
        (complex(inf, nan), complex(inf, nan)),
        (complex(nan, inf), complex(inf, inf)),
        (complex(-1, -0.0), complex(0, -1)),
        (complex(-1, 0.0), complex(0, 1)),
    ],
    "sinh": [
        (complex(0, inf), complex(0, nan)),
        (complex(inf, nan), complex(inf, nan)),
        (complex(-0.0, 1), complex(-0.0, math.sin(1))),
    ],
    "cosh": [
        (complex(0, nan), complex(nan, 0)),
        (complex(inf, inf), complex(inf, nan)),
        (complex(0, -1), complex(math.cos(1), -0.0)),
    ],
    "tanh": [
        (complex(0, inf), complex(0, nan)),
        (complex(inf, 2.5), complex(1, 0)),
        (complex(-inf, nan), complex(-1, 0)),
    ],
    "asinh": [
        (complex(nan, 0), complex(nan, 0)),
        (complex(nan, 1e30), complex(nan, nan)),
        (complex(-0.0, 2), cmath.asinh(complex(-0.0, 2))),
    ],
    "acosh": [(complex(0, nan), complex(nan, quarter)), (complex(1e30, nan), complex(nan, nan))],
    "atanh": [
        (complex(0, nan), complex(0, nan)),
        (complex(inf, nan), complex(0, nan)),
        (complex(nan, 1), complex(nan, nan)),
        (complex(1, nan), complex(nan, nan)),
    ],
    "acos": [
        (complex(0, nan), complex(quarter, nan)),
        (complex(1e30, nan), complex(nan, nan)),
        (complex(2, -0.0), cmath.acos(complex(2, -0.0))),
    ],
    "asin": [(complex(0, nan), complex(0, nan)), (complex(2, -0.0), cmath.asin(complex(2, -0.0)))],
    "atan": [(complex(nan, 0), complex(nan, 0)), (complex(1, 0), complex(math.pi / 4, 0))],
    "sin": [(complex(nan, 0), complex(nan, 0)), (complex(-0.0, 1), complex(-0.0, math.sinh(1)))],
    "cos": [(complex(nan, inf), complex(inf, nan)), (complex(0, 1), complex(math.cosh(1), -0.0))],
    "tan": [(complex(nan, 0), complex(nan, 0)), (complex(nan, inf), complex(0, 1))],
}


@pytest.mark.parametrize("dtype", [wf.complex64, wf.complex128])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_numbers(name: str, dtype: Any):
    z, expected = zip(*COMPLEX[name], strict=True)
    for number, value, right in zip(z, getattr(wf, name)(wf.asarray(z, dtype=dtype)).tolist(), expected, strict=True):
        value, right = complex(value), complex(right)
        assert alike(value.real, right.real), (number, value, right)
        assert alike(value.imag, right.imag), (number, value, right)


@pytest.mark.parametrize("name", [n for n in COMPLEX if n not in ("abs", "log2", "log10", "expm1", "log1p")])
def test_complex_functions_are_pythons_where_all_is_finite(name: str):
    parts = (-2.5, -0.75, -0.0, 0.0, 0.75, 2.5)
    z = [complex(a, b) for a in parts for b in parts if name not in ("log", "atanh") or a or b]
    for number, value in zip(z, getattr(wf, name)(wf.asarray(z, dtype=wf.complex128)).tolist(), strict=True):
        right = getattr(cmath, name)(number)
        assert cmath.isclose(value, right, rel_tol=1e-12), (number, value, right)
        for found, part in ((value.real, right.real), (value.imag, right.imag)):
            assert math.copysign(1, found) == math.copysign(1, part), (number, value, right)


def test_a_number_is_searched_for_in_the_type_of_the_vector():
    ordered = wf.asarray([1, 5, 9], dtype=wf.uint64)
    assert wf.searchsorted(ordered, 5).item() == 1
    assert wf.searchsorted(ordered, 5, side="right").item() == 2
    assert wf.searchsorted(wf.asarray([1, 5, 9]), 5.5).item() == 2
