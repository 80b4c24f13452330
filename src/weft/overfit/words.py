"""Numbers in words: how a diagnosis writes a loss, a percentage, a list of quantities."""

from __future__ import annotations

import math

from weft.overfit.measures import Measures


def num(value: float) -> str:
    """A number to three significant digits, for people.

    >>> [num(v) for v in (0.4, 60, 12.345, 99.96, 1234.5, 0.00002, -0.0, float("nan"))]
    ['0.400', '60', '12.3', '100', '1234', '2.00e-05', '0', 'NaN']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if value == round(value) and abs(value) < 1e6:
        return f"{value + 0.0:.0f}"  # 0.0 and no -0
    if abs(value) >= 100:
        return f"{value:.0f}" if abs(value) < 1e6 else f"{value:.2e}"
    return f"{value:#.3g}".rstrip(".") if abs(value) >= 0.0005 else f"{value:.2e}"


def percent(value: float) -> str:
    """A percentage: two digits below ten, none after the point above; never a zero that is none.

    >>> percent(38.1), percent(4.25), percent(1200.0), percent(0.02)
    ('38 %', '4.2 %', '1200 %', '0.02 %')
    """
    if value and abs(value) < 0.05:
        return f"{value:.1g} %"
    return f"{value:.0f} %" if abs(value) >= 10 else f"{value:.1f} %"


def numbers(m: Measures) -> dict[str, float]:
    """Everything that was measured, by name; what could not be measured is left out.

    Of a run with a value that is not finite only the plain facts remain: no statistic of NaN means anything.
    """
    found = _facts(m)
    if m.broken is None:
        found |= _statistics(m)
    return {name: float(value) for name, value in found.items() if value is not None}


def _facts(m: Measures) -> dict[str, float | None]:
    e = m.evidence
    return {
        "epochs": e.epochs,
        "train_examples": e.n_train,
        "validation_examples": e.n_val,
        "baseline_loss": e.baseline,
        "initial_train_loss": e.initial_train_loss,
        "train_loss_at_best": None if m.best is None else float(e.train_loss[m.best]),
        "validation_loss_at_best": None if m.best is None else float(e.val_loss[m.best]),
        "train_loss_at_end": float(e.train_loss[-1]),
        "validation_loss_at_end": float(e.val_loss[-1]),
        "duplicates_percent": e.duplicates_percent,
        "duplicates_by_chance": e.chance_duplicates or None,
        "shared_groups": e.shared_groups,
        "probe_gain": e.probe_gain,
        "probe_validation_gain": e.probe_val_gain,
    }


def _statistics(m: Measures) -> dict[str, float | None]:
    gap, accuracies = m.gap, m.accuracies
    return {
        "generalization_loss_percent": m.gl,
        "training_progress_per_mille": m.progress,
        "rise_in_standard_errors": m.rise_z,
        "rise_over_wobble": m.rise_over_wobble,
        "validation_standard_error": m.val_se,
        "gap": gap and gap.size,
        "gap_in_standard_errors": gap and gap.z,
        "relative_gap": gap and gap.relative,
        "accuracy_at_best": accuracies and accuracies[0],
        "accuracy_at_end": accuracies and accuracies[1],
        "mcnemar_p": m.mcnemar_p,
        "second_descent_epoch": None if m.second_descent is None else m.second_descent + 1,
    }
