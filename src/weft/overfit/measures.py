"""Every quantity that a verdict rests on, computed from the evidence when a rule first asks for it."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from weft.overfit import criteria, wobble
from weft.overfit.evidence import Evidence, Floats

SETTLED = 10
"""Training progress, per mille of a strip of epochs, that counts as none."""


class Measures:
    """The quantities of one run, by the names of the table; epochs here are indices, from 0.

    What the evidence does not allow is None, so that a rule can see that it may not judge.

    >>> run = Evidence(np.array([0.5, 0.3]), np.array([0.6, 0.9]), baseline=1.0, n_train=9, n_val=9, train_size=9)
    >>> measures = Measures(run)
    >>> measures.best, round(measures.gl), measures.rise_z
    (0, 50, None)
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def broken(self) -> int | None:
        """The first epoch at which either curve is not finite; T - 1 for an example that is not."""
        e = self.evidence
        bad = ~(np.isfinite(e.train_loss) & np.isfinite(e.val_loss))
        if bad.any():
            return int(bad.argmax())
        samples = (e.train_examples_best, e.val_examples_best, e.val_examples_last)
        return e.epochs - 1 if any(s is not None and not np.isfinite(s).all() for s in samples) else None

    @cached_property
    def best(self) -> int | None:
        """t*, the epoch of the lowest validation loss; None if no epoch's is finite."""
        e_va = self.evidence.val_loss
        finite = np.isfinite(e_va)
        return int(np.where(finite, e_va, np.inf).argmin()) if finite.any() else None

    @property
    def t_best(self) -> int:
        """t* of a run that is known to have one."""
        assert self.best is not None
        return self.best

    @property
    def since_best(self) -> int:
        """T - t*."""
        return self.evidence.epochs - 1 - self.t_best

    @cached_property
    def gl_curve(self) -> Floats:
        """GL(t), as a ratio of losses unless the validation loss reached zero."""
        return criteria.generalization_loss(self.evidence.val_loss, self._scale(self.evidence.val_loss))

    @property
    def gl(self) -> float:
        """GL(T)."""
        return float(self.gl_curve[-1])

    @property
    def against_baseline(self) -> bool:
        """Whether GL is measured against E_0."""
        return self._scale(self.evidence.val_loss) is not None

    @cached_property
    def progress(self) -> float | None:
        """P_5(T); None for fewer than 5 epochs."""
        value = float(criteria.progress(self.evidence.train_loss, baseline=self._scale(self.evidence.train_loss))[-1])
        return None if math.isnan(value) else value

    @cached_property
    def settled(self) -> bool:
        """Whether training gets nowhere any more: P_5(T) < 10 per mille, or a strip's mean that fell by < 1 %."""
        if self.progress is None:
            return False
        e_tr, k = self.evidence.train_loss, criteria.STRIP
        if self.progress < SETTLED or len(e_tr) < 2 * k:
            return self.progress < SETTLED
        before, now = float(e_tr[-2 * k : -k].mean()), float(e_tr[-k:].mean())
        return before - now < SETTLED / 1000 * abs(before)

    def _scale(self, loss: Floats) -> float | None:
        return criteria.reference(loss, self.evidence.baseline)

    @cached_property
    def rise_z(self) -> float | None:
        """z_rise between t* and T; 0 when they are the same epoch; None without the losses of single examples."""
        if self.since_best == 0:
            return 0.0
        last, best = self.evidence.val_examples_last, self.evidence.val_examples_best
        return criteria.paired_rise(last, best) if last is not None and best is not None and len(last) > 1 else None

    @cached_property
    def rise_over_wobble(self) -> float | None:
        """The rise in units of the curve's own wobble; None for fewer than 5 epochs."""
        e_va = self.evidence.val_loss
        long_enough = len(e_va) >= criteria.STRIP
        return wobble.rise_over_wobble(e_va, self.t_best, self.unit) if long_enough else None

    @property
    def unit(self) -> float:
        """What GL is a percentage of: E_opt, or E_0 - E_opt where losses reach zero."""
        return criteria.unit(self.evidence.val_loss, self.evidence.baseline)

    @cached_property
    def second_descent(self) -> int | None:
        """The first epoch whose validation loss was a new minimum after a hump of GL >= 5."""
        if self.broken is not None:
            return None
        return wobble.second_descent(self.evidence.val_loss, self.gl_curve, hump=5, scale=self.unit)

    @cached_property
    def gap(self) -> criteria.Gap | None:
        """G, SE_G, z and g at t*; None without the losses of single examples."""
        tr, va = self.evidence.train_examples_best, self.evidence.val_examples_best
        if tr is None or va is None or min(len(tr), len(va)) < 2:
            return None
        return criteria.gap(tr, va, self.evidence.baseline)

    @cached_property
    def val_se(self) -> float | None:
        """SE(E_va) at t*, from the spread of the single examples."""
        va = self.evidence.val_examples_best
        return float(va.std(ddof=1)) / math.sqrt(len(va)) if va is not None and len(va) > 1 else None

    @cached_property
    def relative_se(self) -> float | None:
        """SE(E_va) over the larger of E_va and E_0; None where neither is a scale.

        Not over E_va alone: E_va goes to zero as a model gets better, and with it the ratio to its standard error
        would say "cannot tell" of just the best models (30 flowers of iris: 30 % of E_va, 4 % of E_0).
        """
        scale = max(abs(float(self.evidence.val_loss[self.t_best])), abs(self.evidence.baseline))
        return None if self.val_se is None or scale == 0 else self.val_se / scale

    @cached_property
    def mcnemar_p(self) -> float | None:
        """The p of equal accuracy at t* and T; None for a task without accuracy."""
        best, last = self.evidence.val_correct_best, self.evidence.val_correct_last
        if best is None or last is None:
            return None
        return criteria.mcnemar(best, last)

    @cached_property
    def accuracies(self) -> tuple[float, float] | None:
        """The validation accuracy at t* and at T."""
        best, last = self.evidence.val_correct_best, self.evidence.val_correct_last
        return (float(best.mean()), float(last.mean())) if best is not None and last is not None else None

    @cached_property
    def learned(self) -> float:
        """The share of E_0 that the training loss fell below it, at its lowest."""
        return self._share_below_baseline(float(self.evidence.train_loss.min()))

    @cached_property
    def carried_over(self) -> float:
        """The share of E_0 that the validation loss fell below it, at its lowest."""
        return self._share_below_baseline(float(self.evidence.val_loss[self.t_best]))

    def _share_below_baseline(self, loss: float) -> float:
        e_0 = self.evidence.baseline
        return (e_0 - loss) / abs(e_0) if e_0 else float(loss < 0)
