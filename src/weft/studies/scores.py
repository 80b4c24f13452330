"""Metrics of a study as errors: which way is better, and something that should be small."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.nn.lookup import find
from weft.studies.population import Population
from weft.studies.result import PopulationRun
from weft.train.callbacks.monitoring import mode_of

Array = np.ndarray[Any, Any]


def direction(population: Population, metric: str, mode: str | None) -> str:
    """Whether a metric that the population measures should fall ("min") or rise ("max"): as said, or by its name."""
    find(dict.fromkeys(population.measured), metric, "metric")
    if mode not in (None, "min", "max"):
        raise ArgumentError(f"mode={mode!r}", expected='"min", "max", or None for what the name says')
    try:
        return mode_of(metric, mode)
    except ArgumentError:
        raise ArgumentError(
            f"metric={metric!r}: its name does not say whether it should fall or rise",
            expected='mode="min" or mode="max"',
            cure=f'metric={metric!r}, mode="max"',
        ) from None


def error_name(metric: str, mode: str | None = None) -> str:
    """What the errors of a metric are called.

    >>> error_name("accuracy"), error_name("loss"), error_name("dice", "max")
    ('1 − accuracy', 'loss', '1 − dice')
    """
    return f"1 − {metric}" if mode_of(metric, mode) == "max" else metric


def errors(run: PopulationRun, part: str, metric: str, mode: str) -> Array:
    """A metric on "train" or "val" rows at the epoch that each member holds, as something that should be small."""
    found = run.held(f"{part}_{metric}")
    return 1 - found if mode == "max" else found
