"""Every operator of PyTorch's own test-suite that is ours to cover computes what PyTorch's does.

Its database has samples for each; what is left out is listed next to the mappings with a reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .operators import MAPPED
from .operators.bridge import DATABASE, compare, samples

pytestmark = [
    pytest.mark.filterwarnings("ignore::weft.RecompileWarning"),  # one line runs every sample
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),  # PyTorch's own, on its deprecated operators
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
]

UNMAPPED = Path(__file__).parent / "operators" / "unmapped.txt"
MOST_UNMAPPED = 172  # may become less


@pytest.mark.parametrize("name", MAPPED)
def test_operator(name: str, record_property: Any) -> None:
    chosen = samples(name, MAPPED[name])
    assert chosen, "no sample is left"
    for number, sample in enumerate(chosen):
        try:
            compare(name, MAPPED[name], sample)
        except Exception as error:
            error.add_note(f"{name}, sample {number} of {len(chosen)}: {sample.summary()}")
            raise
    record_property("operator samples", len(chosen))


def test_every_operator_is_mapped_or_listed_with_a_reason() -> None:
    listed = dict(line.split("\t") for line in UNMAPPED.read_text().splitlines())
    assert all(listed.values())
    assert set(MAPPED) & set(listed) == set()
    assert set(MAPPED) | set(listed) == set(DATABASE)
    assert len(listed) <= MOST_UNMAPPED
