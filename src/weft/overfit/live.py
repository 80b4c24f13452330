"""What can be said of a run while it is still training.

A diagnosis looks once; here somebody looks after every epoch, and with every look chance gets another turn. So the
thresholds are higher than those of the table of verdicts: instead of 3 standard errors, 4.5 over the noise of the
examples and 6 over the wobble of the curve, ten epochs after the lowest loss at the earliest. Simulated runs of 100
epochs that do not overfit, looked at after every epoch, measure what is left (``docs/verdicts.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.errors import ArgumentError
from weft.overfit.criteria import STRIP, paired_rise, reference, unit
from weft.overfit.evidence import Floats
from weft.overfit.verdicts import ENOUGH_EXAMPLES
from weft.overfit.wobble import rise_over_wobble
from weft.overfit.words import num, percent

SURE = 4.5
"""Standard errors of the examples' noise, where a single look asks for 3."""

CLEARER = 6.0
"""Standard errors of the curve's wobble, where a single look asks for 3."""

LASTING = 2 * STRIP
"""Epochs since the lowest validation loss before a rise is spoken of."""

PATIENT = 20
"""Epochs before "not learning" is spoken of."""


@dataclass(frozen=True)
class Sight:
    """Something that was noticed: the verdict, the epoch at which it first showed, and a line with its numbers."""

    verdict: str
    epoch: int
    text: str


def notice(
    train_loss: Floats,
    val_loss: Floats,
    best_examples: Floats,
    last_examples: Floats,
    *,
    baseline: float,
    said: str = "",
    since: int = 0,
) -> Sight | None:
    """What the epochs so far show beyond noise and was not ``said`` before, at epoch ``since``; usually None.

    ``train_loss`` and ``val_loss`` are the curves so far, (T,); the losses of the validation examples, (n,), are those
    of the best epoch and of the last one; ``baseline`` is the loss of the best constant prediction. What is noticed
    is "not learning", "overfitting", and "second descent": a new minimum after a rise that was called overfitting.

    >>> t = np.arange(1, 31)
    >>> train, val = np.exp(-t / 10), 0.4 + np.exp(-t / 4) + 0.01 * np.maximum(t - 12, 0)
    >>> spread = np.linspace(-0.1, 0.1, 100)
    >>> sight = notice(train, val, val[12] + spread, val[-1] + 2 * spread, baseline=1.1)
    >>> print(sight.text)
    epoch 26: validation loss has risen 21 % since epoch 13 while training loss falls: overfitting, z = 22.5
    """
    if len(last_examples) < ENOUGH_EXAMPLES or not np.isfinite(np.r_[train_loss, val_loss]).all():
        return None
    if said == "overfitting":
        return _descent(val_loss, since)
    if not said and len(train_loss) >= PATIENT and baseline - float(train_loss.min()) < 0.05 * abs(baseline):
        least = num(float(train_loss[:PATIENT].min()))
        text = f"training loss has not fallen below {least}, and a constant reaches {num(baseline)}"
        return Sight("not learning", PATIENT, f"epoch {PATIENT}: {text}: not learning so far")
    z = paired_rise(last_examples, best_examples) if val_loss[-1] > val_loss.min() else 0.0
    first = _first_rise(train_loss, val_loss, baseline) if z > SURE else None
    return None if first is None else _overfitting(val_loss, first, baseline, z)


def _first_rise(train_loss: Floats, val_loss: Floats, baseline: float) -> int | None:
    """If the curve has risen at its end: how many epochs there were when it first had."""
    best, now = int(val_loss.argmin()), len(val_loss)
    scale = unit(val_loss, baseline)
    if scale <= 0:  # nothing that was learned has carried over, so nothing of it can be lost again
        return None
    enough = (100 * (val_loss - val_loss[best]) >= 5 * scale) & (train_loss < train_loss[best])
    ends = [t for t in range(best + 1 + LASTING, now + 1) if enough[t - 1]]
    if not ends or ends[-1] != now or not _clear(val_loss, best, scale):
        return None
    return next(t for t in ends if _clear(val_loss[:t], best, scale))


def _clear(val_loss: Floats, best: int, scale: float) -> bool:
    return rise_over_wobble(val_loss, best, scale) > CLEARER


def _overfitting(val_loss: Floats, first: int, baseline: float, z: float) -> Sight:
    rise = float(val_loss[first - 1]) - float(val_loss.min())
    amount = percent(100 * rise / unit(val_loss, baseline)) + (
        "" if reference(val_loss, baseline) is None else " of what was learned"
    )
    return Sight(
        "overfitting",
        first,
        f"epoch {first}: validation loss has risen {amount} since epoch {int(val_loss.argmin()) + 1} while training"
        f" loss falls: overfitting, z = {z:.1f}",
    )


def _descent(val_loss: Floats, since: int) -> Sight | None:
    if not 1 <= since <= len(val_loss):
        raise ArgumentError(f'said="overfitting" with since={since}', expected="the epoch at which it was said")
    before = float(val_loss[:since].min())
    lower = np.flatnonzero(val_loss[since:] < before)
    if not len(lower):
        return None
    at = since + int(lower[0])
    return Sight(
        "second descent",
        at + 1,
        f"epoch {at + 1}: validation loss has fallen to {num(float(val_loss[at]))}, below its {num(before)} of before"
        " the rise: a second descent, stopping there would have been too early",
    )
