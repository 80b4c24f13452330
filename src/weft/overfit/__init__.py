"""Is this model overfitting? Evidence in, verdict with its numbers out.

- `evidence`: what the Trainer collects of a run
- `criteria`: Prechelt's stopping criteria, the paired test, the gap, McNemar's test
- `wobble`: a rise against the noise of stochastic training; second descent
- `measures`: every quantity of a run, computed when a rule asks for it
- `verdicts`: the table, one rule a function
- `remedies`: what to try, in order
- `diagnosis`: the verdict
"""

from weft.overfit.criteria import (
    gap,
    generalization_loss,
    mcnemar,
    paired_rise,
    progress,
    quotient,
    stop_gl,
    stop_pq,
    stop_up,
)
from weft.overfit.diagnosis import Diagnosis, diagnose
from weft.overfit.decomposition import Decomposition, decompose
from weft.overfit.estimates import Estimate, estimate, out_of_fold
from weft.overfit.evidence import Evidence

__all__ = [
    "Decomposition",
    "Diagnosis",
    "Estimate",
    "Evidence",
    "decompose",
    "diagnose",
    "estimate",
    "gap",
    "generalization_loss",
    "mcnemar",
    "out_of_fold",
    "paired_rise",
    "progress",
    "quotient",
    "stop_gl",
    "stop_pq",
    "stop_up",
]
