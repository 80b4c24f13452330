"""What the studies have in common: a set-up that is trained many times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from weft.errors import ArgumentError
from weft.nn.module import Module
from weft.optim.optimizer import Optimizer
from weft.studies.population import Population


def as_population(
    of: Population | Callable[..., Module] | Module,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    *,
    precision: str = "f32",
    seed: int = 0,
) -> Population:
    """A population as it is, or one of models that a function makes."""
    if isinstance(of, Population):
        if loss is not None or optimizer is not None or metrics:
            raise ArgumentError(
                "a Population with a loss, an optimizer or metrics beside it",
                expected="either of both: the population has its own",
                cure="wf.cross_validate(population, data, …)",
            )
        return of
    if loss is None:
        raise ArgumentError(
            "models without a loss", expected="a loss", cure='wf.cross_validate(make_model, data, loss="cross_entropy")'
        )
    return Population(of, loss, optimizer, metrics, precision=precision, seed=seed)
