"""Two set-ups compared on the same folds, and a winner only where there is evidence for one."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import ArgumentError, DataError
from weft.overfit.comparison import Comparison
from weft.overfit.comparison import compare as compare_scores
from weft.overfit.estimates import listed
from weft.studies.cross_validation import cross_validate
from weft.studies.population import Population
from weft.studies.scores import direction
from weft.studies.setup import to_the_end


def compare(
    first: Population,
    second: Population,
    data: Any,
    folds: int = 5,
    *,
    metric: str = "loss",
    mode: str | None = None,
    repeats: int = 2,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    alpha: float = 0.05,
    **how: Any,
) -> Comparison:
    """Cross-validate two set-ups on the same folds with the same seeds, and judge the differences.

    The test is Student's t with the correction for overlapping training sets (Nadeau and Bengio, 2003). ``mode`` says
    whether the ``metric`` should fall ("min") or rise ("max"), where its name does not; ``how`` as of `cross_validate`.

    Raises ArgumentError for what is not measured, before anything is trained; DataError for a set-up that diverged.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> wide = lambda: nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3))
    >>> wide = wf.Population(wide, "cross_entropy", optim.Adam(0.01))
    >>> blind = wf.Population(lambda: nn.Sequential(nn.Linear(3)), "cross_entropy", optim.SGD(1e-9))
    >>> wf.compare(wide, blind, wf.data.iris(), names=("wide", "blind"), epochs=10, verbose=False).winner
    'wide'
    """
    for of, name in zip((first, second), names, strict=True):
        if not isinstance(of, Population):
            raise ArgumentError(
                f"{name} is {type(of).__name__}", expected="a Population", cure='wf.Population(make, "cross_entropy")'
            )
    better, _ = (direction(of, metric, mode) for of in (first, second))
    scores = []
    for of, name in zip((first, second), names, strict=True):
        found = cross_validate(of, data, folds, repeats=repeats, seed=seed, **how)
        to_the_end(found.run)
        scores.append(found.scores[metric])
        if not np.isfinite(scores[-1]).all():
            lost = np.flatnonzero(~np.isfinite(scores[-1].ravel()))
            raise DataError(
                f"the {metric} of {name} is not finite in model {listed(map(str, lost))} of 0 to {scores[-1].size - 1}",
                expected="a finite value in every fold",
                cure="a lower learning rate, if it diverged",
            )
    return compare_scores(*scores, names=names, metric=metric, lower_is_better=better == "min", alpha=alpha)
