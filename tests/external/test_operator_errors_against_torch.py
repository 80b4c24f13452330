"""What PyTorch's own test-suite says must be refused is refused, with words, or works for a reason that is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch.utils._pytree import tree_map

import weft as wf

from .operators import MAPPED
from .operators.bridge import DATABASE, leaves, ours, seed

pytestmark = [
    pytest.mark.filterwarnings("ignore::weft.RecompileWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),  # PyTorch's own, on its deprecated operators
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
]

LIST = Path(__file__).parent / "operators" / "accepted_errors.txt"
ACCEPTED = {
    (name, int(number)): reason for name, number, reason in (x.split("\t") for x in LIST.read_text().splitlines())
}
MOST_ACCEPTED = 149  # may become less
REFUSING = [name for name in MAPPED if DATABASE[name].error_inputs_func]


def refusal(name: str, sample: Any) -> Exception | None:
    """What is raised when the operator is called with the sample and its results are needed; None if nothing is."""
    try:
        x, args, kwargs = tree_map(ours, (sample.input, tuple(sample.args), dict(sample.kwargs)))
        for result in leaves(MAPPED[name].call(x, *args, **kwargs)):
            if isinstance(result, wf.Tensor):
                result.numpy()
    except (wf.WeftError, TypeError, ValueError, IndexError) as error:
        return error
    return None


@pytest.mark.parametrize("name", REFUSING)
def test_refused(name: str, record_property: Any) -> None:
    seed()
    refused = 0
    for number, given in enumerate(DATABASE[name].error_inputs("cpu")):
        error = refusal(name, given.sample_input)
        where = f"{name}, error input {number}: {given.sample_input.summary()}; PyTorch: {given.error_regex}"
        if (name, number) in ACCEPTED:
            assert error is None or "dimensions" in str(error), f"it is refused now; take it off the list: {where}"
        else:
            assert error is not None, f"accepted: {where}"
            assert len(str(error).split()) > 3, f"hardly a message: {error}: {where}"
            refused += 1
    record_property("refused inputs", refused)


def test_the_list_of_what_is_accepted_has_reasons_and_gets_no_longer() -> None:
    assert all(ACCEPTED.values())
    assert {name for name, _ in ACCEPTED} <= set(REFUSING)
    assert len(ACCEPTED) <= MOST_ACCEPTED
