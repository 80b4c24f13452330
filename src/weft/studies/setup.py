"""What the studies have in common: a set-up that is trained many times, and how it may be trained."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from weft.data.naming import closest
from weft.errors import ArgumentError
from weft.nn.module import Module
from weft.optim.optimizer import Optimizer
from weft.studies.population import Population
from weft.studies.result import PopulationRun

CHOSEN = {"self", "data", "members", "validation", "rows", "settings", "seeds"}  # by the study, not by its user


def as_population(
    of: Population | Callable[..., Module] | Module,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    *,
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
    return Population(of, loss, optimizer, metrics, seed=seed)


def check_how(study: str, how: Mapping[str, Any], *chosen: str) -> None:
    """Refuse what `Population.fit` does not take, or what the study chooses itself."""
    known = [name for name in inspect.signature(Population.fit).parameters if name not in {*CHOSEN, *chosen}]
    for name in how:
        if name not in known:
            near = closest(name, known)
            raise ArgumentError(
                f"{study}(…, {name}=…)",
                expected=f"of Population.fit: {', '.join(known)}",
                cure=f"{near}=" if near else None,
            )


def check_held_out(study: str, validation: Any) -> None:
    """Refuse a study of validation errors without validation rows."""
    if validation is None:
        raise ArgumentError(
            f"{study}(…, validation=None)", expected="a fraction of the data, or data of its own", cure="validation=0.2"
        )


def to_the_end(run: PopulationRun) -> PopulationRun:
    """A run that others are compared with: Ctrl-C in it is Ctrl-C in the study, as unequal epochs compare nothing."""
    if run.interrupted:
        raise KeyboardInterrupt
    return run
