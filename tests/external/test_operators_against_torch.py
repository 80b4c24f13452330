"""Every operator that PyTorch's own test-suite has samples for and that is ours to cover computes what PyTorch's does."""

from __future__ import annotations

from typing import Any

import pytest

from .operators import MAPPED
from .operators.bridge import compare, samples

pytestmark = [
    pytest.mark.filterwarnings("ignore::weft.RecompileWarning"),  # one line runs every sample
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]


@pytest.mark.parametrize("name", MAPPED)
def test_operator(name: str, record_property: Any) -> None:
    mapped = MAPPED[name]
    chosen = samples(name, mapped)
    assert chosen, "no sample is left"
    for number, sample in enumerate(chosen):
        try:
            compare(name, mapped, sample)
        except Exception as error:
            error.add_note(f"{name}, sample {number} of {len(chosen)}: {sample.summary()}")
            raise
    record_property("samples", len(chosen))
