"""Two set-ups compared on the same folds, and a winner only where there is evidence for one."""

from __future__ import annotations

from typing import Any

from weft.nn.lookup import find
from weft.overfit.comparison import Comparison
from weft.overfit.comparison import compare as compare_scores
from weft.studies.cross_validation import cross_validate
from weft.studies.learning_curve import is_share
from weft.studies.population import Population


def compare(
    first: Population,
    second: Population,
    data: Any,
    folds: int = 5,
    *,
    metric: str = "loss",
    repeats: int = 2,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    alpha: float = 0.05,
    **how: Any,
) -> Comparison:
    """Cross-validate two set-ups on the same folds with the same seeds, and judge the differences.

    The test is Student's t with the correction for overlapping training sets (Nadeau and Bengio, 2003). ``how`` as of
    `cross_validate`.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> wide = lambda: nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3))
    >>> wide = wf.Population(wide, "cross_entropy", optim.Adam(0.01))
    >>> blind = wf.Population(lambda: nn.Sequential(nn.Linear(3)), "cross_entropy", optim.SGD(1e-9))
    >>> wf.compare(wide, blind, wf.data.iris(), names=("wide", "blind"), epochs=10, verbose=False).winner
    'wide'
    """
    found = [cross_validate(of, data, folds, repeats=repeats, seed=seed, **how) for of in (first, second)]
    return compare_scores(
        find(found[0].scores, metric, "metric"),
        find(found[1].scores, metric, "metric"),
        names=names,
        metric=metric,
        lower_is_better=not is_share(metric),
        alpha=alpha,
    )
