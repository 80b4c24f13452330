"""The namespace of the Array API standard is whole: every name, every argument of its kind, every method."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import array_api_strict
import pytest

import weft as wf

KINDS = inspect.Parameter


def functions(space: Any) -> list[str]:
    own = ("get_array_api_strict_flags", "set_array_api_strict_flags", "reset_array_api_strict_flags")
    return sorted(n for n in space.__all__ if inspect.isfunction(getattr(space, n)) and n not in own)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    array_api_strict.set_array_api_strict_flags(api_version="2024.12")
    SPACES = {"": array_api_strict, "linalg": array_api_strict.linalg, "fft": array_api_strict.fft}
    CASES = [(space, name) for space, module in SPACES.items() for name in functions(module)]


def ours(space: str) -> Any:
    return getattr(wf, space) if space else wf


def test_the_namespace_is_whole():
    names = [n for n in array_api_strict.__all__ if not n.endswith("_strict_flags") and n != "ArrayAPIStrictFlags"]
    assert [n for n in names if not hasattr(wf, n)] == []
    assert wf.zeros(1).__array_namespace__(api_version="2024.12") is wf
    with pytest.raises(ValueError, match=r"2020\.01"):
        wf.zeros(1).__array_namespace__(api_version="2020.01")


@pytest.mark.parametrize(("space", "name"), CASES, ids=lambda p: p)
def test_signature(space: str, name: str):
    """Positional arguments stand in the standard's order, and each argument has the standard's kind."""
    standard = list(inspect.signature(getattr(SPACES[space], name)).parameters.values())
    found = list(inspect.signature(getattr(ours(space), name)).parameters.values())
    by_name = {p.name: p for p in found}
    for position, expected in enumerate(standard):
        if expected.kind is KINDS.KEYWORD_ONLY:
            assert by_name[expected.name].kind in (KINDS.KEYWORD_ONLY, KINDS.POSITIONAL_OR_KEYWORD)
        else:
            assert found[position].kind is expected.kind, (found[position], expected)
            if expected.kind is KINDS.POSITIONAL_OR_KEYWORD:
                assert found[position].name == expected.name
        if (
            expected.default is not KINDS.empty
            and expected.name in by_name
            and type(expected.default).__name__ != "Undef"
        ):
            assert by_name[expected.name].default == expected.default


def test_every_method_of_an_array():
    array = type(array_api_strict.zeros(1))
    public = [n for n in dir(array) if n.startswith("__") or not n.startswith("_")]
    inherited = set(dir(object)) | {"__annotations__", "__firstlineno__", "__static_attributes__", "__module__"}
    foreign = {"__array__", "__buffer__", "__release_buffer__"}  # NumPy's and Python's own protocols
    missing = [n for n in public if n not in inherited | foreign and not hasattr(wf.Tensor, n)]
    assert missing == []


def test_information():
    info = wf.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.default_dtypes()["real floating"] is wf.float32
    assert set(info.dtypes(kind="integral")) == {f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)}
    assert info.default_device() in info.devices()
    most = info.capabilities()["max dimensions"]
    assert wf.ones((1,) * most).numpy().ndim == most
