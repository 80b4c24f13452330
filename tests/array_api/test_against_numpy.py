"""Values and types of the standard's functions, in every data type, against NumPy."""

from __future__ import annotations

import operator
import warnings
from itertools import product
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft as wf

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line meets every type and shape

FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
WHOLE = tuple(f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64))
REAL = (*WHOLE, *FLOATS)
ALL = ("bool", *REAL, *COMPLEX)


def values(dtype: str) -> np.ndarray:
    if dtype == "bool":
        return np.array([[True, False, True], [False, False, True]])
    if dtype in COMPLEX:
        return np.array([[1 + 2j, -0.5j, 3], [0.25 - 1j, -2, 1j]], dtype)
    if dtype in FLOATS:
        return np.array([[0.5, -1.25, 3.0], [0.0, -2.5, 1.0]], dtype)
    return np.array([[5, 1, 3], [0, 7, 2]], dtype)


def same(found: Any, expected: np.ndarray, *, tolerance: float = 1e-5) -> None:
    assert found.dtype.name == expected.dtype.name
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance / 10)


UNARY = {
    "abs": (REAL, None),
    "acos": (FLOATS, "arccos"),
    "atan": (FLOATS, "arctan"),
    "bitwise_invert": (("bool", *WHOLE), "invert"),
    "ceil": (REAL, None),
    "conj": (COMPLEX, None),
    "cos": ((*FLOATS, *COMPLEX), None),
    "exp": ((*FLOATS, *COMPLEX), None),
    "expm1": ((*FLOATS, *COMPLEX), None),
    "floor": (REAL, None),
    "imag": (COMPLEX, None),
    "isfinite": ((*REAL, *COMPLEX), None),
    "log1p": ((*FLOATS, *COMPLEX), None),
    "logical_not": (("bool",), None),
    "negative": ((*REAL, *COMPLEX), None),
    "positive": ((*REAL, *COMPLEX), None),
    "real": (COMPLEX, None),
    "round": ((*REAL, *COMPLEX), None),
    "sign": ((*REAL, *COMPLEX), None),
    "signbit": (FLOATS, None),
    "sqrt": ((*FLOATS, *COMPLEX), None),
    "square": ((*REAL, *COMPLEX), None),
    "tanh": ((*FLOATS, *COMPLEX), None),
    "trunc": (REAL, None),
}


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, (types, _) in UNARY.items() for d in types])
def test_functions_of_one(name: str, dtype: str):
    x = values(dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, UNARY[name][1] or name)(x)
    same(getattr(wf, name)(wf.asarray(x)), np.asarray(expected))


@pytest.mark.parametrize(("a", "b"), list(product(ALL, ALL)))
def test_promotion_is_the_standards_where_it_speaks(a: str, b: str):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = strict.result_type(getattr(strict, a), getattr(strict, b))
    except TypeError:
        return
    name = str(expected).rpartition(".")[2]
    assert wf.result_type(getattr(wf, a), getattr(wf, b)).name == name
    assert (wf.zeros(2, dtype=getattr(wf, a)) == wf.zeros(2, dtype=getattr(wf, b))).dtype is wf.bool


OPERATORS = {
    "+": (operator.add, (*REAL, *COMPLEX)),
    "-": (operator.sub, (*REAL, *COMPLEX)),
    "*": (operator.mul, (*REAL, *COMPLEX)),
    "/": (operator.truediv, (*FLOATS, *COMPLEX)),
    "//": (operator.floordiv, REAL),
    "%": (operator.mod, REAL),
    "**": (operator.pow, (*REAL, *COMPLEX)),
    "&": (operator.and_, ("bool", *WHOLE)),
    "|": (operator.or_, ("bool", *WHOLE)),
    "^": (operator.xor, ("bool", *WHOLE)),
    "<<": (operator.lshift, WHOLE),
    ">>": (operator.rshift, WHOLE),
    "<": (operator.lt, REAL),
    "==": (operator.eq, ALL),
}


@pytest.mark.parametrize(("sign", "dtype"), [(s, d) for s, (_, types) in OPERATORS.items() for d in types])
def test_operators_with_tensors_and_numbers_on_either_side(sign: str, dtype: str):
    f = OPERATORS[sign][0]
    y = np.array([[1, 2, 3], [2, 1, 4]]).astype(dtype)
    x = y[::-1] + y if sign in ("//", "%") else values(dtype)  # what division of whole numbers by 0 gives is open
    number = {"b": True, "c": 2 + 0j, "f": 2.0}.get(x.dtype.kind, 2)
    t = wf.asarray(x)
    with np.errstate(all="ignore"):
        same(f(t, wf.asarray(y)), f(x, y))
        same(f(t, number), f(x, number))
        same(f(number, t), f(number, x))


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "//", "%", "**"])
def test_in_place_operators_rebind_the_name(sign: str):
    scope: dict[str, Any] = {"x": wf.tensor([1.0, 2.0]), "y": wf.tensor([2.0, 4.0])}
    before = alias = scope["x"]
    expected = OPERATORS[sign][0](before.numpy(), scope["y"].numpy())
    exec(f"x {sign}= y", scope)
    assert scope["x"] is alias
    same(alias, expected)
    with pytest.raises(TypeError, match="would change the type"):
        exec("x += y", {"x": wf.tensor([1, 2]), "y": wf.tensor([0.5, 0.5])})
    with pytest.raises(ValueError, match="would change the shape"):
        exec("x += y", {"x": wf.tensor([1.0]), "y": wf.tensor([0.5, 0.5])})


REDUCTIONS = {
    "sum": (*REAL, *COMPLEX),
    "prod": (*REAL, *COMPLEX),
    "max": REAL,
    "min": REAL,
    "any": ALL,
    "all": ALL,
    "mean": FLOATS,
    "std": FLOATS,
    "count_nonzero": ALL,
}


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, types in REDUCTIONS.items() for d in types])
def test_reductions(name: str, dtype: str):
    x = values(dtype)
    for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}):
        expected = np.asarray(getattr(np, name)(x, **options))
        if name in ("count_nonzero", "any", "all"):  # NumPy's own types of these vary
            expected = expected.astype(np.int64 if name == "count_nonzero" else np.bool_)
        same(getattr(wf, name)(wf.asarray(x), **options), expected)


# ── indexing ────────────────────────────────────────────────────────────────────────────────────────────────

SHAPES = st.sampled_from([(), (3,), (2, 3), (2, 1, 3), (0, 2)])
BASE = {
    shape: np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    for shape in [(), (3,), (2, 3), (2, 1, 3), (0, 2)]
}


@st.composite
def keys(draw: Any, shape: tuple[int, ...]) -> Any:
    parts: list[Any] = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        if draw(st.booleans()) and n:
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            parts.append(draw(st.slices(n)))
        if draw(st.integers(0, 3)) == 0:
            parts.append(None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_reading_and_writing_parts(data: Any):
    shape = data.draw(SHAPES)
    key = data.draw(keys(shape))
    x = BASE[shape].copy()
    t = wf.asarray(x)
    same(t[key], np.asarray(x[key]))
    value = data.draw(st.sampled_from([7, np.int64(-3)]))
    t[key] = wf.asarray(value) if isinstance(value, np.int64) else value
    x[key] = value
    same(t, x)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_masks(data: Any):
    shape = data.draw(SHAPES)
    x = BASE[shape].copy()
    bits = data.draw(st.lists(st.booleans(), min_size=x.size, max_size=x.size))
    mask = np.array(bits, bool).reshape(shape)
    t = wf.asarray(x)
    same(t[wf.asarray(mask)], x[mask])
    t[wf.asarray(mask)] = -1
    x[mask] = -1
    same(t, x)


def test_index_tensors():
    x = np.arange(24).reshape(2, 3, 4)
    t = wf.asarray(x)
    i, j = np.array([[0, 1], [1, -1]]), np.array([2, 0])
    same(t[wf.asarray(i)], x[i])
    same(t[wf.asarray(i), wf.asarray(j)], x[i, j])
    same(t[:, wf.asarray(j), 1:3], x[:, j, 1:3])
    same(t[0, wf.asarray(j)], x[0, j])
    same(t[[1, 0]], x[[1, 0]])
    for wrong in (5, (0, 3), wf.tensor([0, 2]), (slice(None), wf.tensor([3])), (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            t[wrong]
    with pytest.raises(TypeError, match="index of type float32"):
        t[wf.tensor([0.5])]


def test_places_make_new_tensors():
    x = wf.tensor([1.0, 2.0, 3.0])
    at = wf.tensor([0, 2, 0])
    assert x.at[at].add(1.0).tolist() == [3.0, 2.0, 4.0]
    assert x.at[at].subtract(1.0).tolist() == [-1.0, 2.0, 2.0]
    assert x.at[1:].set(9).tolist() == [1.0, 9.0, 9.0]
    assert x.at[at].max(wf.tensor([0.0, 7.0, 5.0])).tolist() == [5.0, 2.0, 7.0]
    assert x.at[x > 1.5].min(2.5).tolist() == [1.0, 2.0, 2.5]
    assert x.tolist() == [1.0, 2.0, 3.0]


# ── the rest of the namespace, one call each ────────────────────────────────────────────────────────────────

K, F = np.array([[3, 1, 2], [2, 0, 1]]), np.array([[0.5, -1.0, 2.0], [4.0, 0.0, 1.5]])
CALLS: dict[str, Any] = {
    "arange": lambda xp, a: xp.arange(1, 10, 3),
    "arange of fractions": lambda xp, a: xp.arange(0.0, 1.0, 0.25, dtype=xp.float64),
    "arange backwards": lambda xp, a: xp.arange(5, -2, -2),
    "broadcast_to": lambda xp, a: xp.broadcast_to(a(K), (2, 2, 3)),
    "concat": lambda xp, a: xp.concat([a(K), a(K)], axis=1),
    "concat flat": lambda xp, a: xp.concat([a(K), a(K)], axis=None),
    "copysign": lambda xp, a: xp.copysign(a(F), a(F[::-1])),
    "cumulative_prod": lambda xp, a: xp.cumulative_prod(a(F), axis=0),
    "cumulative_sum": lambda xp, a: xp.cumulative_sum(a(K), axis=1, include_initial=True),
    "diff": lambda xp, a: xp.diff(a(K), axis=1, n=2),
    "expand_dims": lambda xp, a: xp.expand_dims(a(K), axis=-1),
    "eye": lambda xp, a: xp.eye(3, 4, k=1, dtype=xp.float64),
    "flip": lambda xp, a: xp.flip(a(K), axis=1),
    "floor_divide": lambda xp, a: xp.floor_divide(a(F), a(np.array([0.3]))),
    "full": lambda xp, a: xp.full((2, 2), 7),
    "hypot": lambda xp, a: xp.hypot(a(F), a(F)),
    "linspace": lambda xp, a: xp.linspace(-1, 2, 7, dtype=xp.float64, endpoint=False),
    "logaddexp": lambda xp, a: xp.logaddexp(a(F), a(F[::-1])),
    "matmul": lambda xp, a: xp.matmul(a(F), a(F.T)),
    "maximum": lambda xp, a: xp.maximum(a(F), a(F[::-1])),
    "meshgrid": lambda xp, a: xp.meshgrid(a(np.arange(2)), a(np.arange(3)), indexing="xy")[1],
    "moveaxis": lambda xp, a: xp.moveaxis(a(K), 0, 1),
    "nextafter": lambda xp, a: xp.nextafter(a(F), a(F[::-1])),
    "permute_dims": lambda xp, a: xp.permute_dims(a(K), (1, 0)),
    "remainder": lambda xp, a: xp.remainder(a(F), a(np.array([-0.7]))),
    "repeat": lambda xp, a: xp.repeat(a(K), 2, axis=1),
    "repeat each": lambda xp, a: xp.repeat(a(K), a(np.array([2, 0, 1])), axis=1),
    "roll": lambda xp, a: xp.roll(a(K), (1, 2), axis=(0, 1)),
    "searchsorted": lambda xp, a: xp.searchsorted(a(np.array([0.0, 1.0, 2.0])), a(F), side="right"),
    "sort": lambda xp, a: xp.sort(a(F), axis=1, descending=True),
    "argsort": lambda xp, a: xp.argsort(a(K), axis=0),
    "squeeze": lambda xp, a: xp.squeeze(a(K[None]), axis=0),
    "stack": lambda xp, a: xp.stack([a(K), a(K)], axis=1),
    "take": lambda xp, a: xp.take(a(K), a(np.array([2, 0])), axis=1),
    "take_along_axis": lambda xp, a: xp.take_along_axis(a(F), a(K - 1), axis=1),
    "tensordot": lambda xp, a: xp.tensordot(a(F), a(F), axes=((0, 1), (0, 1))),
    "tile": lambda xp, a: xp.tile(a(K), (2, 1)),
    "tril": lambda xp, a: xp.tril(a(F), k=-1),
    "triu": lambda xp, a: xp.triu(a(F), k=1),
    "unique_counts": lambda xp, a: xp.unique_counts(a(K)).counts,
    "unique_inverse": lambda xp, a: xp.unique_inverse(a(K)).inverse_indices,
    "unique_values": lambda xp, a: xp.unique_values(a(K)),
    "unstack": lambda xp, a: xp.unstack(a(K), axis=1)[1],
    "vecdot": lambda xp, a: xp.vecdot(a(F), a(F[::-1])),
    "where": lambda xp, a: xp.where(a(K > 1), a(F), 0.0),
    "nonzero": lambda xp, a: xp.nonzero(a(K))[1],
    "clip": lambda xp, a: xp.clip(a(F), 0.0, 1.0),
    "clip below": lambda xp, a: xp.clip(a(K), 1),
    "argmax": lambda xp, a: xp.argmax(a(F), axis=1, keepdims=True),
    "var": lambda xp, a: xp.var(a(F), axis=0, correction=1.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.from_dlpack(CALLS[name](strict, strict.asarray))
    same(CALLS[name](wf, wf.asarray), expected, tolerance=1e-12)


def test_isin_and_broadcast_shapes_of_the_next_version():
    assert wf.isin(wf.asarray(K), wf.tensor([1, 3]), invert=True).tolist() == (~np.isin(K, [1, 3])).tolist()
    assert wf.broadcast_shapes((3, 1), (4,)) == (3, 4)


def test_numbers_that_a_type_does_not_hold_are_refused():
    for wrong in (
        lambda: wf.tensor([1], wf.uint8) + 300,
        lambda: wf.tensor([300], wf.uint8),
        lambda: wf.full(2, -1, dtype=wf.uint16),
    ):
        with pytest.raises(TypeError, match=r"300|-1"):
            wrong().numpy()
    with pytest.raises(TypeError, match="float values written into a int64 tensor"):
        wf.tensor([1, 2])[0] = 1.5


@pytest.mark.parametrize(("dtype", "num"), [("float32", 2374), ("float64", 1389)])
def test_linspace_meets_both_ends_exactly(dtype: str, num: int):
    found = wf.linspace(-3.7, 1e5, num, dtype=dtype).numpy()
    expected = np.linspace(-3.7, 1e5, num, dtype=dtype)
    assert (found[0], found[-1]) == (expected[0], expected[-1])
    np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-13)
