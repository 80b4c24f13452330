"""Every operator of PyTorch's own test-suite that is ours to cover computes what PyTorch's does.

Its database has samples for each; what is left out is listed next to the mappings with a reason.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from .operators import MAPPED
from .operators.bridge import DATABASE, Mapped, compare, samples

pytestmark = [
    pytest.mark.filterwarnings("ignore::weft.RecompileWarning"),  # one line runs every sample
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),  # PyTorch's own, on its deprecated operators
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
]

FOLDER = Path(__file__).parent / "operators"


def listed(file: str) -> dict[str, str]:
    return dict(line.split("\t") for line in (FOLDER / file).read_text().splitlines())


UNMAPPED, REAL_ONLY = listed("unmapped.txt"), listed("real_only.txt")
TAKE_COMPLEX = [
    name
    for name, mapped in MAPPED.items()
    if mapped.dtype == "float32" and torch.complex64 in DATABASE[name].supported_dtypes("cpu")
]
MOST_UNMAPPED, MOST_REASONS, MOST_REAL_ONLY = 156, 40, 18  # may become less, all together


def compare_all(name: str, mapped: Mapped, chosen: list[Any]) -> None:
    assert chosen, "no sample is left"
    for number, sample in enumerate(chosen):
        try:
            compare(name, mapped, sample)
        except Exception as error:
            error.add_note(f"{name}, sample {number} of {len(chosen)}: {sample.summary()}")
            raise


@pytest.mark.parametrize("name", MAPPED)
def test_operator(name: str, record_property: Any) -> None:
    chosen, left_out = samples(name, MAPPED[name])
    compare_all(name, MAPPED[name], chosen)
    record_property("operator samples", len(chosen))
    record_property("operator samples left out", left_out)


@pytest.mark.parametrize("name", [name for name in TAKE_COMPLEX if name not in REAL_ONLY])
def test_operator_of_complex_numbers(name: str, record_property: Any) -> None:
    mapped = replace(MAPPED[name], dtype="complex64")
    chosen, _ = samples(name, mapped, 3)
    compare_all(name, mapped, chosen)
    record_property("complex operator samples", len(chosen))


def test_what_is_left_out_of_the_samples_has_reasons_which_become_fewer() -> None:
    reasons = [reason for mapped in MAPPED.values() for reason in mapped.skip]
    assert all(reasons)
    assert len(reasons) <= MOST_REASONS


def test_every_operator_is_mapped_or_listed_with_a_reason() -> None:
    assert all(UNMAPPED.values())
    assert set(MAPPED) & set(UNMAPPED) == set()
    assert set(MAPPED) | set(UNMAPPED) == set(DATABASE)
    assert len(UNMAPPED) <= MOST_UNMAPPED
    assert all(REAL_ONLY.values())
    assert set(REAL_ONLY) <= set(TAKE_COMPLEX)
    assert len(REAL_ONLY) <= MOST_REAL_ONLY
