"""A loss taken apart into bias and variance: the terms, their standard errors, and how they print."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from weft.overfit.result import Result, decimals, table

Kind = Literal["squared", "zero_one", "log"]

TITLES = {"squared": "squared loss", "zero_one": "0-1 loss (Domingos 2000)", "log": "log loss (Heskes 1998)"}


@dataclass(frozen=True)
class Decomposition(Result):
    """A mean loss and its terms. ``se`` holds the standard error of each term by its name, of ``net_variance`` too.

    ``bias2`` is bias² for squared loss, the share of wrong main predictions B for 0–1 loss, ``-log q(y)`` of the
    main prediction q for log loss. It includes the noise of the targets; ``noise`` is that noise, if it was given.
    ``variance`` is what varies from model to model. For squared and log loss ``loss = bias2 + variance`` and
    ``variance = data_variance + seed_variance`` (None with one seed), the parts due to the training set and due to
    the seed. For 0–1 loss ``variance = unbiased_variance + biased_variance`` (V where the main prediction is right
    and where it is wrong), and ``loss = bias2 + unbiased_variance - factor · biased_variance``.

    For squared loss the ``…_corrected`` terms remove what R and S too small do: the mean of R models is itself
    uncertain, which adds var_{ddof=1}/R to bias² and takes it from the variance; with S seeds the mean over them
    carries 1/S of the seed variance into the data variance. They estimate what infinitely many training sets and
    seeds would show, and may come out below zero where the truth is near it. Known noise is taken out of the
    corrected bias: with it, ``loss - noise = bias2_corrected + variance_corrected``. ``floored`` counts the
    probabilities below the precision of their type, 0 among them, which were raised to it.
    """

    FORMAT: ClassVar[str] = "weft.decomposition/1"

    kind: Kind
    training_sets: int
    seeds: int
    examples: int
    loss: float
    bias2: float
    variance: float
    data_variance: float | None = None
    seed_variance: float | None = None
    bias2_corrected: float | None = None
    variance_corrected: float | None = None
    data_variance_corrected: float | None = None
    seed_variance_corrected: float | None = None
    unbiased_variance: float | None = None
    biased_variance: float | None = None
    factor: float | None = None
    noise: float | None = None
    floored: int = 0
    se: dict[str, float] = field(default_factory=dict)

    @property
    def net_variance(self) -> float:
        """What the variance adds to the loss, ``loss - bias2``; for 0–1 loss it may be negative."""
        return self.loss - self.bias2

    def __str__(self) -> str:
        models = f"{self.training_sets} training sets × {self.seeds} seed{'s' * (self.seeds != 1)}"
        lines = [f"Bias and variance of {TITLES[self.kind]}", f"{models}, {self.examples} examples"]
        return "\n".join([*lines, *table(_rows(self)), *_notes(self)])


_PARTS = (("    from the data", "data_variance"), ("    from the seed", "seed_variance"))
_ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "squared": (("loss", "loss"), ("= bias²", "bias2"), ("+ variance", "variance"), *_PARTS),
    "zero_one": (
        ("loss", "loss"),
        ("= bias B", "bias2"),
        ("+ variance where right", "unbiased_variance"),
        ("- factor × variance where wrong", "biased_variance"),
        ("    factor", "factor"),
    ),
    "log": (("loss", "loss"), ("= bias -log q(y)", "bias2"), ("+ variance KL(q || p)", "variance"), *_PARTS),
}


def _rows(d: Decomposition) -> list[tuple[str, ...]]:
    rows = [(label, name) for label, name in _ROWS[d.kind] if getattr(d, name) is not None]
    places = decimals(d.se.get(name) for _, name in rows)
    corrected = d.kind == "squared"
    lines = [("", "measured", "± SE", "corrected", "± SE")[: 5 if corrected else 3]]
    for label, name in rows:
        lines.append((label, *_pair(d, name, places), *(_pair(d, f"{name}_corrected", places) if corrected else ())))
    if d.noise is not None:
        shown = f"{d.noise:.{places}f}" if round(d.noise, places) else f"{d.noise:.2g}"  # small is not nothing
        lines.append(("noise, known", shown, *[""] * (3 if corrected else 1)))
    return lines


def _pair(d: Decomposition, name: str, places: int) -> tuple[str, str]:
    value, se = getattr(d, name, None), d.se.get(name)
    shown = "" if value is None else f"{value:.{places}f}"
    return shown, "" if value is None or se is None else f"{se:.{places}f}"


def _notes(d: Decomposition) -> list[str]:
    notes = ["standard errors: over training sets, by bootstrap; the examples stay the same"]
    if d.noise is None:
        notes.append("the bias includes the noise of the targets, which is not known")
    elif d.kind == "squared":
        notes.append("the noise is subtracted from the corrected bias² only")
    else:
        notes.append(f"bias without the noise: {d.bias2 - d.noise:.4g}")
    if d.noise is not None and d.noise > d.loss:
        notes.append(
            f"the loss is below the noise, {d.noise:.4g}, which no model can avoid: is that in the loss's units?"
        )
    if d.seeds == 1:
        notes.append("one seed: the variance from the seed cannot be told from that of the data")
    if d.floored:
        notes.append(f"{d.floored} probabilities were 0, or nearly, and raised to the precision of their type")
    return notes
