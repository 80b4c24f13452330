"""Evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from weft.nn.module import Module


@contextmanager
def evaluation_mode(model: Module) -> Iterator[None]:
    """The model in evaluation mode for the length of a block; each module's own mode comes back after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
