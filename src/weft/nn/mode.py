"""Training and evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from weft.nn.module import Module


@contextmanager
def modes_kept(model: Module) -> Iterator[None]:
    """Each module's own mode comes back after the block, whatever was set in it."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            object.__setattr__(module, "training", training)  # no change of structure, so nothing is looked for anew


@contextmanager
def evaluation_mode(model: Module) -> Iterator[None]:
    """The model in evaluation mode for the length of a block."""
    with modes_kept(model):
        model.eval()
        yield
