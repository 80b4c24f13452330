"""The table of verdicts: one function each, in order; the first that gives its reason is the verdict.

A rule returns its explanation, or None where it does not apply. E_tr and E_va are training and validation loss in
evaluation mode at the end of an epoch, t* the epoch of the lowest E_va, T the last, E_0 the loss of the best
constant predictor. Where a rule differs from the plain formula in its first line, the docstring says how and why.
"""

from __future__ import annotations

from collections.abc import Callable

from weft.overfit.criteria import Gap
from weft.overfit.measures import Measures
from weft.overfit.wobble import CLEAR
from weft.overfit.words import num, percent

Rule = Callable[[Measures], str | None]

ENOUGH_EPOCHS = 5
ENOUGH_EXAMPLES = 30
MOST_CHANCE_COPIES = 1.5
WIDER = 0.05  # the share by which a wider model must be better before this one is called too small


def diverged(m: Measures) -> str | None:
    """Anything non-finite, or E_tr(T) > 2 E_tr(0).

    Written ``E_tr(T) - E_tr(0) > max(|E_tr(0)|, 5 % of E_0)``: the same for a positive loss, meaningful for a
    negative one, and a well-trained model that is trained further does not diverge by going from 0.001 to 0.003.
    Without a loss before training, the worse of E_0 and the first epoch stands in for it.
    """
    e = m.evidence
    if m.broken is not None:
        return f"a value that is not finite appeared at epoch {m.broken + 1}: {_seen(m)}"
    start = max(e.baseline, float(e.train_loss[0])) if e.initial_train_loss is None else e.initial_train_loss
    end = float(e.train_loss[-1])
    if end - start > max(abs(start), 0.05 * abs(e.baseline)):
        return f"training loss ended at {num(end)}, more than twice the {num(start)} it started from"
    return None


def leakage(m: Measures) -> str | None:
    """Exact duplicate rows across the split, or one group id on both sides."""
    e, found = m.evidence, []
    # One copy is what measuring in tenths brings about by chance (iris has one such pair); several are a leak.
    if e.duplicates_percent * e.n_val / 100 > MOST_CHANCE_COPIES:
        found.append(f"{percent(e.duplicates_percent)} of the validation rows are exact copies of training rows")
    if e.shared_groups > 0:
        found.append(f"{e.shared_groups} {'group is' if e.shared_groups == 1 else 'groups are'} on both sides")
    if not found:
        return None
    return f"{' and '.join(found)}, so the validation loss of {_loss_at_best(m)} says little about new data"


def cannot_tell(m: Measures) -> str | None:
    """n_val < 30, or SE(E_va) / E_va > 10 %, or fewer than 5 epochs.

    The standard error is taken relative to the larger of E_va and E_0: see `Measures.relative_se`.
    """
    e, se = m.evidence, m.relative_se
    if e.epochs < ENOUGH_EPOCHS:
        return f"{e.epochs} epochs are too few to see a trend; at least {ENOUGH_EPOCHS} are needed"
    if e.n_val < ENOUGH_EXAMPLES:
        return f"{e.n_val} validation examples are too few; at least {ENOUGH_EXAMPLES} are needed"
    if se is not None and se > 0.10:
        return (
            f"the standard error of the validation loss, {num(m.val_se or 0)}, is {percent(100 * se)} of the loss's"
            f" scale with {e.n_val} examples; above 10 % the noise hides what the model does"
        )
    return None


def not_learning(m: Measures) -> str | None:
    """Min E_tr > 0.95 E_0.

    Written ``E_0 - min E_tr < 5 % of |E_0|``, which is the same for a positive loss.
    """
    if m.learned >= 0.05:
        return None
    return (
        f"training loss never fell below {num(float(m.evidence.train_loss.min()))}, and a constant prediction"
        f" already reaches {num(m.evidence.baseline)}: the model has learned next to nothing"
    )


def over_confident(m: Measures) -> str | None:
    """Overfitting by the loss, but the change in accuracy is not significant (McNemar p > 0.05).

    Nor is a significant *gain* in accuracy overfitting.
    """
    if not _overfits(m) or m.mcnemar_p is None or m.accuracies is None:
        return None
    best, last = m.accuracies
    if m.mcnemar_p <= 0.05 and last < best:
        return None
    change = f"McNemar p = {num(m.mcnemar_p)}"
    return (
        f"{_rise(m)}; but accuracy went from {percent(100 * best)} to {percent(100 * last)}"
        f" ({'better' if m.mcnemar_p <= 0.05 else 'no significant change'}, {change}): the decisions are as good as"
        " before, their probabilities are too sure"
    )


def overfitting(m: Measures) -> str | None:
    """T - t* >= 5, GL(T) >= 5, z_rise > 3, E_tr(T) < E_tr(t*); and the rise is above the curve's own wobble.

    The last condition was added: see `weft.overfit.wobble`. Without the losses of single examples it stands alone.
    """
    if not _overfits(m):
        return None
    if m.accuracies is None or m.mcnemar_p is None:
        return _rise(m)
    best, last = m.accuracies
    return (
        f"{_rise(m)}; accuracy fell from {percent(100 * best)} to {percent(100 * last)}"
        f" (McNemar p = {num(m.mcnemar_p)})"
    )


def still_improving(m: Measures) -> str | None:
    """t* >= T - 1 and P_5(T) > 5."""
    if m.since_best > 1 or m.progress is None or m.progress <= 5:
        return None
    return (
        f"the lowest validation loss, {_loss_at_best(m)}, came at epoch {m.t_best + 1} of {m.evidence.epochs}, and"
        f" training loss is still falling (progress {num(m.progress)} per mille over 5 epochs; 5 counts as flat)"
    )


def large_gap(m: Measures) -> str | None:
    """G / SE_G > 3 and g > 0.25."""
    g = m.gap
    if g is None or g.relative is None or g.z <= 3 or g.relative <= 0.25:
        return None
    return (
        f"at epoch {m.t_best + 1} validation loss ({_loss_at_best(m)}) lies {num(g.size)} above training loss"
        f" ({_train_at_best(m)}): {percent(100 * g.relative)} of what was learned does not carry over; the gap is"
        f" {num(g.z)} standard errors"
    )


def underfitting(m: Measures) -> str | None:
    """With g <= 0.1, P_5(T) < 1, and a probe twice as wide lowers E_tr by > 5 %.

    Written so that noise does not decide: the gap is small where g <= 0.1 *or it is not significant*; training has
    settled where P_5 < 10 per mille (below 1 is less than the noise of small batches) or the last strip is no more
    than 1 % below the one before; and the wider model must lower E_va by > 5 % as well, where that was measured: any
    wider model memorises more, which is no sign that this one is too small.
    """
    e, g = m.evidence, m.gap
    if g is None or g.relative is None or (g.relative > 0.1 and g.z > 3) or not m.settled:
        return None
    if e.probe_gain is None or e.probe_gain <= WIDER or (e.probe_val_gain is not None and e.probe_val_gain <= WIDER):
        return None
    also = "" if e.probe_val_gain is None else f" and the validation loss by {percent(100 * e.probe_val_gain)}"
    return (
        f"training loss has stopped falling at {num(float(e.train_loss[-1]))}, validation loss ({_loss_at_best(m)}) is"
        f" not significantly higher, and a model twice as wide lowers the training loss by"
        f" {percent(100 * e.probe_gain)}{also}: this model is too small for the data"
    )


def validation_easier(m: Measures) -> str | None:
    """E_va < E_tr by more than 3 SE, both in evaluation mode."""
    if m.gap is None or m.gap.z >= -3:
        return None
    return (
        f"validation loss ({_loss_at_best(m)}) is {num(-m.gap.size)} below training loss ({_train_at_best(m)}),"
        f" {num(-m.gap.z)} standard errors, though neither has dropout on: the validation data is easier"
    )


def good_fit(m: Measures) -> str | None:
    """None of the above.

    Said only where it was seen: the gap could be measured, and the model beats a constant on validation data.
    """
    if m.gap is None or m.carried_over <= 0:
        return None
    return (
        f"validation loss reached {_loss_at_best(m)} at epoch {m.t_best + 1}, where training loss was"
        f" {_train_at_best(m)}; {_gap_in_words(m.gap)}, and {_no_rise(m)}"
    )


def unjudged(m: Measures) -> str | None:
    """What is left: no rule above applies, and a good fit was not seen either."""
    if m.carried_over <= 0:
        return (
            f"validation loss never fell below the {num(m.evidence.baseline)} of a constant prediction (lowest:"
            f" {_loss_at_best(m)}) although training loss did, and no rise is more than noise: nothing that was"
            " learned carries over"
        )
    return (
        "the losses of single examples are missing, so nothing says whether the difference between validation loss"
        f" ({_loss_at_best(m)}) and training loss ({_train_at_best(m)}) is more than chance"
    )


TABLE: tuple[tuple[str, Rule], ...] = (
    ("diverged", diverged),
    ("leakage", leakage),
    ("cannot tell", cannot_tell),
    ("not learning", not_learning),
    ("over-confident", over_confident),
    ("overfitting", overfitting),
    ("still improving", still_improving),
    ("large gap", large_gap),
    ("underfitting", underfitting),
    ("validation easier", validation_easier),
    ("good fit", good_fit),
    ("cannot tell", unjudged),
)


def first_match(m: Measures) -> tuple[str, str]:
    """The verdict and its explanation."""
    for name, rule in TABLE:
        reason = rule(m)
        if reason is not None:
            return name, reason
    raise AssertionError("the last rule of the table always applies")


def _overfits(m: Measures) -> bool:
    tr = m.evidence.train_loss
    return (
        m.since_best >= 5
        and m.gl >= 5
        and (m.rise_z is None or m.rise_z > 3)
        and float(tr[-1]) < float(tr[m.t_best])
        and m.rise_over_wobble is not None
        and m.rise_over_wobble > CLEAR
    )


def _rise(m: Measures) -> str:
    e, best = m.evidence, m.t_best
    amount = percent(m.gl) + (" of what was learned" if m.against_baseline else "")
    noise = (
        f"the rise is {num(m.rise_z)} standard errors"
        if m.rise_z is not None
        else "the losses of single examples are missing, so the rise was only compared with the curve's own wobble"
    )
    return (
        f"validation loss has risen {amount} ({num(float(e.val_loss[best]))} → {num(float(e.val_loss[-1]))}) since"
        f" epoch {best + 1} while training loss fell from {num(float(e.train_loss[best]))} to"
        f" {num(float(e.train_loss[-1]))}; {noise}"
    )


def _gap_in_words(g: Gap) -> str:
    share = "" if g.relative is None else f", {percent(100 * g.relative)} of what was learned"
    small = g.relative is not None and g.relative <= 0.25
    return f"the gap of {num(g.size)} ({num(g.z)} standard errors{share}) is {'small' if small else 'not significant'}"


def _no_rise(m: Measures) -> str:
    if m.since_best == 0:
        return "it was the lowest at the end"
    if m.gl < 5 or m.rise_z is None:
        return "it has not risen by 5 % since"
    return f"the rise of {percent(m.gl)} since ({num(m.rise_z)} standard errors) does not count as overfitting"


def _seen(m: Measures) -> str:
    e, at = m.evidence, m.broken or 0
    return f"training loss {num(float(e.train_loss[at]))}, validation loss {num(float(e.val_loss[at]))}"


def _loss_at_best(m: Measures) -> str:
    return num(float(m.evidence.val_loss[m.t_best])) if m.best is not None else "NaN"


def _train_at_best(m: Measures) -> str:
    return num(float(m.evidence.train_loss[m.t_best]))
