"""Is this model overfitting? Evidence in, verdict with its numbers out.

- `evidence`: what the Trainer collects of a run
- `criteria`: Prechelt's stopping criteria, the paired test, the gap, McNemar's test
- `wobble`: a rise against the noise of stochastic training; second descent
- `measures`: every quantity of a run, computed when a rule asks for it
- `verdicts`: the table, one rule a function
- `remedies`: what to try, in order
- `diagnosis`: the verdict
- `live`: what can be said while a run still trains

And what many models show together, from their predictions and scores alone:

- `decomposition`, `decomposed`: bias and variance of squared, 0-1 and log loss
- `powerlaw`, `powerfit`: a learning curve, and what more data would bring
- `estimates`, `comparison`, `selection`: mean ± standard error, two set-ups, the simplest of many
- `result`, `words`, `jsontext`: how all of these print and travel
- `check`: what is refused before it becomes a number
"""

from weft.overfit.comparison import Comparison, compare, compare_decisions
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
from weft.overfit.decomposed import Decomposition
from weft.overfit.decomposition import decompose
from weft.overfit.diagnosis import Diagnosis, diagnose
from weft.overfit.estimates import Estimate, estimate, out_of_fold
from weft.overfit.evidence import Evidence
from weft.overfit.powerlaw import Forecast, PowerLaw, fit_power_law
from weft.overfit.selection import Selection, expected_optimism, one_standard_error

__all__ = [
    "Comparison",
    "Decomposition",
    "Diagnosis",
    "Estimate",
    "Evidence",
    "Forecast",
    "PowerLaw",
    "Selection",
    "compare",
    "compare_decisions",
    "decompose",
    "diagnose",
    "estimate",
    "expected_optimism",
    "fit_power_law",
    "gap",
    "generalization_loss",
    "mcnemar",
    "one_standard_error",
    "out_of_fold",
    "paired_rise",
    "progress",
    "quotient",
    "stop_gl",
    "stop_pq",
    "stop_up",
]
