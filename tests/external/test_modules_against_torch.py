"""Every layer and loss of PyTorch's own test-suite that is ours to cover computes what PyTorch's does.

Its database has samples for each; what is left out is listed next to the mappings with a reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .modules import MODULES, OWN
from .modules.bridge import DATABASE, compare, samples

pytestmark = [
    pytest.mark.filterwarnings("ignore::weft.RecompileWarning"),  # one line runs every sample
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),  # PyTorch's own
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
]

LIST = Path(__file__).parent / "modules" / "unmapped.txt"
UNMAPPED = dict(line.split("\t") for line in LIST.read_text().splitlines())


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", MODULES)
def test_module(name: str, training: bool, record_property: Any) -> None:
    chosen, left_out = samples(name, MODULES[name], OWN.get(name, []), training)
    assert chosen, "no sample is left"
    for number, sample in enumerate(chosen):
        try:
            compare(name, MODULES[name], sample, training)
        except Exception as error:
            error.add_note(f"{name}, sample {number} of {len(chosen)}: {sample}")
            raise
    record_property("module samples", len(chosen))
    record_property("module samples left out", left_out)


def test_what_is_left_out_of_the_samples_has_reasons() -> None:
    assert all(reason for mapped in MODULES.values() for reason in mapped.skip)


def test_every_class_is_mapped_or_listed_with_a_reason() -> None:
    assert all(UNMAPPED.values())
    assert set(MODULES) & set(UNMAPPED) == set()
    assert set(MODULES) | set(UNMAPPED) == set(DATABASE) | set(OWN)
