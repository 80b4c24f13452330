"""The table of verdicts: one function each, in order; the first that gives its reason is the verdict.

A rule returns its explanation, or None where it does not apply. E_tr and E_va are training and validation loss in
evaluation mode at the end of an epoch, t* the epoch of the lowest E_va, T the last, E_0 the loss of the best
constant predictor. Where a rule differs from the plain formula in its first line, the docstring says how and why.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from weft.overfit.criteria import Gap
from weft.overfit.measures import Measures
from weft.overfit.wobble import CLEAR
from weft.overfit.words import num, percent

Rule = Callable[[Measures], str | None]

ENOUGH_EPOCHS = 5
ENOUGH_EXAMPLES = 30
MOST_CHANCE_COPIES = 1.5
COUNTS = 0.5  # fewer copies by chance than this are not worth a word
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
    start = e.initial_train_loss
    if start is None or not math.isfinite(start):
        start = max(e.baseline, float(e.train_loss[0]))
    end = float(e.train_loss[-1])
    if end - start > max(abs(start), 0.05 * abs(e.baseline)):
        return f"training loss ended at {num(end)}, more than twice the {num(start)} it started from"
    return None


def leakage(m: Measures) -> str | None:
    """Exact duplicate rows across the split, or one group id on both sides.

    Written ``copies > m_0 + 3 √m_0 + 1.5`` with the m_0 copies that chance makes: in tables of a few categories equal
    rows are the nature of the data, and measuring in tenths repeats a row now and then (iris has one such pair).
    """
    e, found = m.evidence, []
    copies, chance = e.duplicates_percent * e.n_val / 100, e.chance_duplicates
    if copies > chance + 3 * math.sqrt(chance) + MOST_CHANCE_COPIES:
        count = f"{copies:.0f} of {e.n_val} validation rows ({percent(e.duplicates_percent)})"
        expected = f" (by chance it would be about {num(chance)})" if chance >= COUNTS else ""
        found.append(f"{count} are exact copies of training rows{expected}")
    if e.shared_groups > 0:
        found.append(f"{e.shared_groups} {'group is' if e.shared_groups == 1 else 'groups are'} on both sides")
    if not found:
        return None
    return f"{' and '.join(found)}, so the validation loss of {_loss_at_best(m)} says little about new data"


def few_epochs(m: Measures) -> str | None:
    """Fewer than 5 epochs."""
    if m.evidence.epochs >= ENOUGH_EPOCHS:
        return None
    return f"{m.evidence.epochs} epochs are too few to see a trend; at least {ENOUGH_EPOCHS} are needed"


def few_examples(m: Measures) -> str | None:
    """n_val < 30."""
    if m.evidence.n_val >= ENOUGH_EXAMPLES:
        return None
    return f"{m.evidence.n_val} validation examples are too few; at least {ENOUGH_EXAMPLES} are needed"


def noisy(m: Measures) -> str | None:
    """SE(E_va) / E_va > 10 %.

    The standard error is taken relative to the larger of E_va and E_0: see `Measures.relative_se`.
    """
    se = m.relative_se
    if se is None or se <= 0.10:
        return None
    return (
        f"the standard error of the validation loss, {num(m.val_se or 0)}, is {percent(100 * se)} of the loss's"
        f" scale with {m.evidence.n_val} examples; above 10 % the noise hides what the model does"
    )


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
    if e.probe_gain is None or not all(_better(gain) for gain in (e.probe_gain, e.probe_val_gain) if gain is not None):
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


def useless(m: Measures) -> str | None:
    """E_va was never below E_0, though E_tr was, and no rule above applies."""
    if m.carried_over > 0:
        return None
    return (
        f"validation loss never fell below the {num(m.evidence.baseline)} of a constant prediction (lowest:"
        f" {_loss_at_best(m)}) although training loss did, and no rise is more than noise: nothing that was"
        " learned carries over"
    )


def unmeasured(m: Measures) -> str | None:
    """What is left: no rule above applies, and a good fit was not seen either."""
    return (
        "the losses of single examples are missing, so nothing says whether the difference between validation loss"
        f" ({_loss_at_best(m)}) and training loss ({_train_at_best(m)}) is more than chance"
    )


TABLE: tuple[tuple[str, Rule], ...] = (
    ("diverged", diverged),
    ("leakage", leakage),
    ("cannot tell", few_epochs),
    ("cannot tell", few_examples),
    ("cannot tell", noisy),
    ("not learning", not_learning),
    ("over-confident", over_confident),
    ("overfitting", overfitting),
    ("still improving", still_improving),
    ("large gap", large_gap),
    ("underfitting", underfitting),
    ("validation easier", validation_easier),
    ("good fit", good_fit),
    ("cannot tell", useless),
    ("cannot tell", unmeasured),
)


def first_match(m: Measures) -> tuple[str, str, str]:
    """The verdict, the name of the rule that gave it, and its explanation."""
    for name, rule in TABLE:
        reason = rule(m)
        if reason is not None:
            return name, rule.__name__, reason
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


def _better(gain: float) -> bool:
    """Whether a wider model was clearly better; one that diverged was not, whatever it is written as."""
    return WIDER < gain < math.inf


def _gap_in_words(g: Gap) -> str:
    share = "" if g.relative is None else f", {percent(100 * g.relative)} of what was learned"
    small = g.relative is not None and g.relative <= 0.25
    return f"the gap of {num(g.size)} ({num(g.z)} standard errors{share}) is {'small' if small else 'not significant'}"


def _no_rise(m: Measures) -> str:
    if m.since_best == 0:
        return "it was the lowest at the end"
    if m.gl < 5:
        return "it has not risen by 5 % since"
    if m.rise_z is None:
        return f"whether the rise of {percent(m.gl)} since is more than chance was not tested"
    return f"the rise of {percent(m.gl)} since ({num(m.rise_z)} standard errors) does not count as overfitting"


def _seen(m: Measures) -> str:
    e, at = m.evidence, m.broken or 0
    return f"training loss {num(float(e.train_loss[at]))}, validation loss {num(float(e.val_loss[at]))}"


def _loss_at_best(m: Measures) -> str:
    return num(float(m.evidence.val_loss[m.t_best])) if m.best is not None else "NaN"


def _train_at_best(m: Measures) -> str:
    return num(float(m.evidence.train_loss[m.t_best]))
