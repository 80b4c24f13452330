"""`weft.fft` has the standard's signatures, NumPy's values, and refuses by name what cannot be."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import fft
from weft.errors import ArgumentError, AxisError, DTypeError

rng = np.random.default_rng(5)
REAL = rng.normal(size=(3, 4, 5))
COMPLEX = REAL + 1j * rng.normal(size=REAL.shape)
LINES, PLANES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"), ("fftn", "ifftn", "rfftn", "irfftn")
OF_REALS = ("rfft", "rfftn", "ihfft")


@pytest.mark.parametrize("name", fft.__all__)
def test_signatures_are_the_standards(name: str) -> None:
    strict = pytest.importorskip("array_api_strict._fft")

    def shape(f: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    assert shape(getattr(fft, name)) == shape(getattr(strict, name))


# ── values: recorded here for one program, computed when the first is read ──────────────────────────────────


def cases() -> dict[str, tuple[Any, np.ndarray]]:
    found: dict[str, tuple[Any, np.ndarray]] = {}

    def add(name: str, *arrays: np.ndarray, **options: Any) -> None:
        for x in arrays:
            title = f"{name} of {x.dtype} {options}"
            found[title] = getattr(fft, name)(wf.tensor(x), **options), getattr(np.fft, name)(x, **options)

    for name in (*LINES, *PLANES):
        arrays = (REAL,) if name in OF_REALS else (REAL, COMPLEX)
        for norm in ("backward", "ortho", "forward"):
            add(name, *arrays, norm=norm)
        for options in (
            [{"n": 3}, {"n": 8, "axis": 1}, {"n": 1}]
            if name in LINES
            else [{"axes": (1,)}, {"axes": (2, 0), "s": (6, 2)}, {"axes": (0, 1, 2), "s": (-1, 2, 9)}]
        ):
            add(name, arrays[-1], **options)
    for options in ({}, {"axes": 1}, {"axes": (0, 2)}):
        add("fftshift", REAL, **options)
        add("ifftshift", COMPLEX, **options)
    for n in (1, 2, 5, 8):
        found[f"fftfreq {n}"] = fft.fftfreq(n, d=0.3, dtype=wf.float64), np.fft.fftfreq(n, 0.3)
        found[f"rfftfreq {n}"] = fft.rfftfreq(n, d=0.3, dtype=wf.float64), np.fft.rfftfreq(n, 0.3)
    many = rng.normal(size=(2, 3, 2, 3, 2))
    found["fftn over five axes"] = fft.fftn(many), np.fft.fftn(many)
    found["fftn over the last axes"] = fft.fftn(many, s=(2, 4)), np.fft.fftn(many, (2, 4), (-2, -1))
    return found


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_values_are_numpys(name: str) -> None:
    found, expected = CASES[name]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("given", "made"),
    [("float16", "complex64"), ("bfloat16", "complex64"), ("float32", "complex64"), ("float64", "complex128")],
)
def test_spectra_are_as_precise_as_what_is_transformed(given: str, made: str) -> None:
    x, to = wf.ones(4, dtype=given), wf.zeros((), dtype=made).dtype
    assert {f(x).dtype for f in (fft.fft, fft.ifft, fft.fftn, fft.rfft, fft.rfftn, fft.ihfft)} == {to}
    assert {f(x.astype(to)).dtype for f in (fft.fft, fft.ifftn)} == {to}
    real = "float64" if made == "complex128" else "float32"
    assert {f(x.astype(to)).dtype.name for f in (fft.irfft, fft.irfftn, fft.hfft)} == {real}


def test_frequencies_have_a_type_and_a_device() -> None:
    assert fft.fftfreq(4).dtype is fft.rfftfreq(4).dtype is wf.float32
    assert fft.fftfreq(4, dtype=wf.float64, device="cpu:1").device == wf.devices("cpu")[1]


def test_a_spectrum_of_no_signals() -> None:
    assert fft.rfft(wf.zeros((0, 4))).numpy().shape == (0, 3)
    assert fft.fftn(wf.zeros((0, 4)), axes=(1,)).numpy().shape == (0, 4)
    assert fft.fft(wf.zeros((2, 0)), n=3).numpy().tolist() == [[0j] * 3] * 2


def test_power_of_a_spectrum_has_the_gradient_of_parseval() -> None:
    x = wf.tensor(REAL, requires_grad=True)
    power = (wf.abs(fft.fft(x, norm="ortho")) ** 2).sum()
    np.testing.assert_allclose(wf.gradients(power, x).numpy(), 2 * REAL, rtol=1e-9)


x, whole = wf.ones((2, 3)), wf.ones((2, 3), dtype="int64")
WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "rfft of complex": (lambda: fft.rfft(x.astype("complex64")), DTypeError, "rfft of a complex64 tensor"),
    "rfftn of complex": (lambda: fft.rfftn(x.astype("complex64")), DTypeError, "rfftn of a complex64 tensor"),
    "fft of integers": (lambda: fft.fft(whole), DTypeError, "fft of a int64 tensor"),
    "irfftn of truth": (lambda: fft.irfftn(x > 0), DTypeError, "irfftn of a bool tensor"),
    "norm": (lambda: fft.ifft(x, norm="backwards"), ArgumentError, "ifft with norm='backwards'"),
    "n": (lambda: fft.fft(x, n=0), ArgumentError, "fft of 0 numbers along axis -1"),
    "n below zero": (lambda: fft.rfft(x, n=-1), ArgumentError, "rfft of -1 numbers"),
    "nothing": (lambda: fft.fft(wf.zeros((2, 0))), ArgumentError, "fft of 0 numbers along axis 1"),
    "half of nothing": (lambda: fft.irfft(wf.ones(1)), ArgumentError, "irfft of 0 numbers"),
    "axis": (lambda: fft.hfft(x, axis=2), AxisError, "axis 2 of a tensor with 2 axes"),
    "axis twice": (lambda: fft.fftn(x, axes=(0, 0)), ArgumentError, "names an axis twice"),
    "no axes": (lambda: fft.ifftn(x, axes=()), ArgumentError, r"ifftn .* axes=\(\)"),
    "scalar": (lambda: fft.fftn(wf.ones(())), ArgumentError, r"fftn of a tensor of shape \(\)"),
    "lengths": (lambda: fft.rfftn(x, s=(2, 2), axes=(0,)), ArgumentError, r"rfftn .* s=\(2, 2\), axes=\(0,\)"),
    "too many": (lambda: fft.irfftn(x, s=(2, 2, 2)), ArgumentError, r"irfftn of a tensor of shape \(2, 3\)"),
    "frequencies": (lambda: fft.fftfreq(0), ArgumentError, "fftfreq of 0 numbers"),
    "frequencies of integers": (lambda: fft.rfftfreq(4, dtype=wf.int32), DTypeError, "rfftfreq with dtype=int32"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_a_lesson_by_name(name: str) -> None:
    call, kind, words = WRONG[name]
    with pytest.raises(kind, match=words) as caught:
        call()
    assert caught.value.expected  # type: ignore[attr-defined]
