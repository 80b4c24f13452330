"""From evidence to a verdict: what the run shows, how sure that is, and what to try."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from weft.errors import ArgumentError, DataError
from weft.overfit.criteria import STRIP
from weft.overfit.evidence import Evidence
from weft.overfit.measures import Measures
from weft.overfit.remedies import remedies
from weft.overfit.result import Result
from weft.overfit.verdicts import COUNTS, first_match
from weft.overfit.words import num, numbers

Confidence = Literal["high", "moderate", "low"]


@dataclass(frozen=True)
class Diagnosis(Result):
    """What a run shows. Epochs are counted from 1.

    ``verdict`` is a name of the table in `weft.overfit.verdicts`; ``epoch`` the epoch that it speaks of: where the
    run broke, where the rise passed 5 %, otherwise the last; ``best_epoch`` that of the lowest validation loss, 0
    if no epoch had a finite one. ``numbers`` is all that the verdict rests on. ``second_descent`` says that the
    validation loss reached a new minimum after a hump; then early stopping is never called optimal.
    """

    FORMAT: ClassVar[str] = "weft.diagnosis/1"

    verdict: str
    epoch: int
    best_epoch: int
    confidence: Confidence
    numbers: dict[str, float]
    explanation: str
    remedies: tuple[str, ...]
    second_descent: bool = False

    def __str__(self) -> str:
        """Several lines for a terminal, at most 100 columns wide."""
        width = max(map(len, self.numbers), default=0)
        lines = [f"Verdict: {self.verdict} (confidence: {self.confidence}; best epoch: {self.best_epoch or 'none'})"]
        reason = self.explanation.removeprefix(f"{self.verdict}: ")
        lines += textwrap.wrap(reason, 96, initial_indent="  ", subsequent_indent="  ")
        lines += ["Numbers:", *(f"  {k.replace('_', ' '):<{width}}  {num(v)}" for k, v in self.numbers.items())]
        lines += ["To try, in this order:"]
        for i, text in enumerate(self.remedies, 1):
            lines += textwrap.wrap(text, 94, initial_indent=f"  {i}. ", subsequent_indent="     ")
        return "\n".join(lines)


def diagnose(run: Evidence | Any) -> Diagnosis:
    """The first verdict of the table that applies to a run (or to its evidence), with numbers, reasons and remedies.

    Raises DataError for a run without validation data, which leaves nothing to judge by, ArgumentError for what is
    neither a run nor evidence.

    >>> import numpy as np
    >>> t = np.arange(1, 41)
    >>> train, val = np.exp(-t / 10), 0.4 + np.exp(-t / 4) + 0.01 * np.maximum(t - 12, 0)
    >>> spread = np.linspace(-0.1, 0.1, 100)
    >>> examples = {"train_examples_best": train[13] + spread, "val_examples_best": val[13] + spread,
    ...             "val_examples_last": val[39] + 2 * spread}
    >>> run = Evidence(train, val, baseline=1.1, n_train=100, n_val=100, train_size=100, **examples)
    >>> found = diagnose(run)
    >>> found.verdict, found.confidence
    ('overfitting', 'high')
    """
    evidence = getattr(run, "evidence", run)
    if evidence is None:
        raise DataError(
            "a diagnosis without validation data",
            expected="a run with examples that training did not see, or its evidence",
            cure="trainer.fit(data, validation=0.2)",
        )
    if not isinstance(evidence, Evidence):
        raise ArgumentError(
            f"a diagnosis of a {type(run).__name__}",
            expected="a run, or its evidence",
            cure="diagnose(population.run(0)) for a member of a population, Evidence.from_json(text) for a file",
        )
    m = Measures(evidence)
    verdict, rule, reason = first_match(m)
    again = m.second_descent
    if again is not None:
        reason += (
            f". The validation loss fell to a new minimum at epoch {again + 1} after a rise (second descent): stopping"
            " at the first minimum would have been too early, and stopping now may be"
        )
    best_epoch = 0 if m.best is None else m.best + 1
    return Diagnosis(
        verdict=verdict,
        epoch=_epoch(verdict, m),
        best_epoch=best_epoch,
        confidence=confidence(verdict, m),
        numbers=numbers(m),
        explanation=f"{verdict}: {reason}",
        remedies=remedies(
            verdict,
            best_epoch=best_epoch,
            epochs=evidence.epochs,
            n_train=evidence.n_train,
            second_descent=again is not None,
            n_val=evidence.n_val,
            kept=evidence.kept,
            rule=rule,
        ),
        second_descent=again is not None,
    )


def confidence(verdict: str, m: Measures) -> Confidence:
    """How sure a verdict is: the one rule for all.

    1. What was seen and not estimated (diverged, leakage) is high, but moderate for copies of which chance makes some;
       "cannot tell" is low.
    2. Without the losses of single examples nothing is known of the noise: low.
    3. Where a test decides (rise, gap), its z: high from 6, twice the threshold; moderate from 4; else low.
    4. Elsewhere the precision of the validation loss, SE over its scale: high up to 2 %, moderate up to 5 %.
    5. A good fit with a rise or a gap that would be large if it were significant is low.
    6. Of fewer than 10 epochs nothing is more than moderate.
    """
    if verdict in ("diverged", "leakage"):
        doubt = verdict == "leakage" and m.evidence.chance_duplicates >= COUNTS and not m.evidence.shared_groups
        return "moderate" if doubt else "high"
    z = _deciding_z(verdict, m)
    if verdict == "cannot tell" or m.relative_se is None or z is None or (verdict == "good fit" and _doubtful(m)):
        return "low"
    grade: Confidence
    if verdict in _TESTED:
        grade = "high" if z >= 6 else "moderate" if z >= 4 else "low"
    else:
        grade = "high" if m.relative_se <= 0.02 else "moderate" if m.relative_se <= 0.05 else "low"
    return "moderate" if grade == "high" and m.evidence.epochs < 2 * STRIP else grade


_TESTED = ("over-confident", "overfitting", "large gap", "validation easier")


def _deciding_z(verdict: str, m: Measures) -> float | None:
    if verdict in ("over-confident", "overfitting"):
        return None if m.rise_z is None or m.rise_over_wobble is None else min(m.rise_z, m.rise_over_wobble)
    return None if m.gap is None else abs(m.gap.z)


def _doubtful(m: Measures) -> bool:
    return m.gl >= 5 or (m.gap is not None and m.gap.relative is not None and m.gap.relative > 0.25)


def _epoch(verdict: str, m: Measures) -> int:
    if m.broken is not None:
        return m.broken + 1
    if verdict in ("over-confident", "overfitting"):
        return m.t_best + 1 + int((m.gl_curve[m.t_best :] >= 5).argmax())
    return m.evidence.epochs
