"""What more data would bring: a power law through the errors measured at several training-set sizes.

``error(n) = a n^(-b) + c`` with a ≥ 0, 0 < b ≤ 2, c ≥ 0, fitted by weighted least squares: for each b the best a and c
are known in closed form, and b is searched. That learning curves of networks follow such a law over wide ranges was
measured by J. Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017; it is no law of nature.

All uncertainty is that of the parametric bootstrap: errors are drawn again about the fitted curve with the noise of the
measurements, and the law is fitted to them anew, 400 times, always with the same draws. Noise that was itself
estimated, with few degrees of freedom, is widened by Student's t; and an interval reaches as far as both the draws'
quantiles and their standard deviation say. In 600 simulated curves of each of seven kinds (5 or 7 sizes, 3 or 5
repeats, noise of 5 or 10 %), quantiles alone covered the true error of twice the data in 81–89 % instead of 90 %.
"""

from __future__ import annotations

import dataclasses
import math
import textwrap
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from weft.errors import ArgumentError, DataError
from weft.overfit import powerfit
from weft.overfit.powerfit import LEVEL, Floats, Three
from weft.overfit.result import Result, decimals, plus_minus, table
from weft.overfit.words import num

FEWEST_SIZES = 4
"""Three numbers are fitted; fewer sizes than this leave nothing to judge the fit by."""
MISFIT = 0.001
"""Points as far from the law as its own noise would put them more rarely than this are no power law."""


class Forecast(NamedTuple):
    """The error expected of n training examples, its standard error, and the bounds of its 90 % interval."""

    n: float
    error: float
    se: float
    low: float
    high: float

    def __str__(self) -> str:
        places = decimals([self.se])
        interval = f"{LEVEL:.0%} interval {self.low:.{places}f} to {self.high:.{places}f}".replace("%", " %")
        return f"{num(self.n)} examples: {plus_minus(self.error, self.se)} ({interval})"


@dataclass(frozen=True)
class PowerLaw(Result):
    """``error(n) = a n^(-b) + c`` with the standard errors of its numbers, and the points that it was fitted to.

    ``noise`` is the standard error of each measured error, as the fit used it, ``freedom`` the degrees of freedom that
    it was estimated with, 0 where it was given. ``refusal`` says why nothing may be
    forecast, or is empty; then `forecast` and `gain` are errors. With fewer than four sizes a, b, c are NaN.
    """

    FORMAT: ClassVar[str] = "weft.power_law/1"

    sizes: tuple[float, ...]
    errors: tuple[float, ...]
    noise: tuple[float, ...]
    a: float
    b: float
    c: float
    a_se: float
    b_se: float
    c_se: float
    refusal: str
    freedom: int = 0
    metric: str = "error"

    def __call__(self, n: ArrayLike) -> Floats:
        """The curve itself, at any n > 0; shape as n."""
        if math.isnan(self.b):
            raise DataError(self.refusal, expected="a fitted law")
        return self.a * _sizes(n) ** -self.b + self.c

    @property
    def misfits(self) -> bool:
        """Whether the errors lie further from the law than their noise explains: more repeats will not mend that."""
        return not math.isnan(self.b) and _misfit(self)[1] < MISFIT

    def forecast(self, n: float) -> Forecast:
        """The error with n training examples, and how uncertain it is.

        Raises DataError where the measured curve does not carry so far: see ``refusal``.

        >>> law = fit_power_law([100, 200, 400, 800, 1600], [0.40, 0.30, 0.225, 0.175, 0.1425], se=[0.004] * 5)
        >>> print(law.forecast(3200))
        3200 examples: 0.1171 ± 0.0057 (90 % interval 0.1070 to 0.1265)
        """
        if self.refusal:
            raise DataError(self.refusal, cure="more training-set sizes, more repeats of each, a wider range of sizes")
        found = self.range(n)
        if n > max(self.sizes):
            self._check_gain(n)
        return found

    def range(self, n: float) -> Forecast:
        """As `forecast`, without asking whether it is precise enough to be of use: for the band of a picture."""
        return _interval(n, float(self(n)), self._curves(n))

    def gain(self, n: float) -> Forecast:
        """The fall of the error from the largest measured size to n examples, as the ``error`` of a `Forecast`."""
        if self.refusal:
            raise DataError(self.refusal)
        return self._check_gain(n)

    def sentence(self, factor: float = 2.0) -> str:
        """What ``factor`` times the data would bring, or why that cannot be said.

        >>> law = fit_power_law([100, 200, 400, 800, 1600], [0.40, 0.30, 0.225, 0.175, 0.1425], se=[0.004] * 5)
        >>> print(law.sentence())
        twice the data (3200 examples) would bring 0.0243 ± 0.0026: error 0.1414 → 0.1171
        """
        if not factor > 1:
            raise ArgumentError(f"factor is {factor}", expected="above 1")
        largest = max(self.sizes)
        times = "twice" if factor == 2 else f"{factor:g} times"
        try:
            fall = self.gain(factor * largest)
        except DataError as error:
            return error.received
        places = decimals([fall.se])
        change = f"{float(self(largest)):.{places}f} → {float(self(factor * largest)):.{places}f}"
        brings = f"{times} the data ({num(factor * largest)} examples) would bring {plus_minus(fall.error, fall.se)}"
        return f"{brings}: {self.metric} {change}"

    def __str__(self) -> str:
        places = decimals(self.noise)
        rows = [("examples", self.metric, "± SE", "fitted")]
        for n, error, se in zip(self.sizes, self.errors, self.noise, strict=True):
            fitted = "" if math.isnan(self.b) else f"{float(self(n)):.{places}f}"
            rows.append((num(n), f"{error:.{places}f}", f"{se:.{places}f}" if se else "", fitted))
        lines = [f"Learning curve: {self.metric}(n) = a n^(-b) + c", *table(rows)]
        if not self.refusal:
            numbers = ((self.a, self.a_se), (self.b, self.b_se), (self.c, self.c_se))
            lines.append("   ".join(f"{k} = {plus_minus(*v)}" for k, v in zip("abc", numbers, strict=True)))
        return "\n".join([*lines, *textwrap.wrap(self.sentence(), 80)])

    def _check_gain(self, n: float) -> Forecast:
        largest = max(self.sizes)
        if not n > largest:
            raise ArgumentError(f"n is {n}", expected=f"more than the {num(largest)} examples that were measured")
        fall = _interval(n, float(self(largest) - self(n)), self._curves(largest) - self._curves(n))
        if fall.high - fall.low > fall.error:
            raise DataError(
                f"the curve is too noisy to forecast {num(n)} examples: the {self.metric} would fall by"
                f" {plus_minus(fall.error, fall.se)}, an interval ({LEVEL:.0%}) wider than the fall itself".replace(
                    "%)", " %)"
                ),
                expected="an interval narrower than the effect",
                cure="more repeats of each size, or larger sizes",
            )
        return fall

    def _curves(self, n: float) -> Floats:
        a, b, c = self._abc
        return a * float(_sizes(n)) ** -b + c

    @property
    def _abc(self) -> tuple[Floats, ...]:
        return powerfit.draws(self.sizes, (self.a, self.b, self.c), self.noise, self.freedom)


def fit_power_law(
    sizes: ArrayLike, errors: ArrayLike, se: ArrayLike | None = None, *, metric: str = "error"
) -> PowerLaw:
    """The power law through a learning curve, its uncertainty, and whether it may be used to forecast.

    ``sizes`` (m,) training examples; ``errors`` (m,), lower is better, or (m, repeats), from whose scatter the noise
    is estimated: a power law of n for the standard deviation, as few repeats do not tell it size by size. For (m,)
    give ``se`` (m,), or the scatter about the curve is taken for the noise.

    Raises DataError for what is not finite or does not fit; a curve that is too short, does not fall, or is too
    noisy gives a result whose ``refusal`` says so.

    >>> law = fit_power_law([100, 200, 400, 800], [0.3, 0.2, 0.15, 0.125], se=[0.001] * 4)
    >>> round(law.a, 2), round(law.b, 2), round(law.c, 2)
    (20.0, 1.0, 0.1)
    """
    n, means, noise, freedom = _points(sizes, errors, se)
    if len(n) < FEWEST_SIZES:
        refusal = (
            f"the curve is too short to forecast: {len(n)} training-set size{'s' * (len(n) != 1)},"
            f" and at least {FEWEST_SIZES} are needed to fit three numbers and see how well they fit"
        )
        known = np.zeros(len(n)) if noise is None else noise
        return _law(n, means, known, (math.nan,) * 3, (math.nan,) * 3, refusal, freedom, metric)
    fit = powerfit.fit(n, means, np.ones(len(n)) if noise is None else noise)
    if noise is None:
        residual = means - (fit[0] * n ** -fit[1] + fit[2])
        freedom = len(n) - 3
        noise = np.full(len(n), math.sqrt(float(residual @ residual) / freedom))
    noise = np.maximum(noise, max(1e-9 * float(means.max()), 1e-12))  # a curve without any noise
    draws = powerfit.draws(tuple(n.tolist()), fit, tuple(noise.tolist()), freedom)
    spread = [float(draw.std(ddof=1)) for draw in draws]
    return _judged(_law(n, means, noise, fit, (spread[0], spread[1], spread[2]), "", freedom, metric))


def _law(
    n: Floats, e: Floats, noise: Floats, fit: Three, se: Three, refusal: str, freedom: int, metric: str
) -> PowerLaw:
    return PowerLaw(
        sizes=tuple(n.tolist()),
        errors=tuple(e.tolist()),
        noise=tuple(noise.tolist()),
        a=fit[0],
        b=fit[1],
        c=fit[2],
        a_se=se[0],
        b_se=se[1],
        c_se=se[2],
        refusal=refusal,
        freedom=freedom,
        metric=metric,
    )


def _judged(law: PowerLaw) -> PowerLaw:
    n, e, noise = (np.array(v) for v in (law.sizes, law.errors, law.noise))
    slope, se = powerfit.slope(np.log(n), e, powerfit.widened(noise, law.freedom))
    refusal = ""
    if slope > -2 * se:
        refusal = (
            f"the curve is too noisy to forecast: the {law.metric} does not fall by more than its noise between"
            f" {num(n[0])} and {num(n[-1])} examples ({plus_minus(slope, se)} for each factor e)"
        )
    elif law.misfits:
        refusal = (
            f"the curve is no single power law to forecast by: between {num(n[0])} and {num(n[-1])} examples the"
            f" {law.metric} lies {num(_misfit(law)[0])} times its noise from the best one; the larger sizes alone may"
            " follow one"
        )
    else:
        try:
            law.gain(2 * n[-1])
        except DataError as error:
            refusal = error.received
    return dataclasses.replace(law, refusal=refusal)


def _misfit(law: PowerLaw) -> tuple[float, float]:
    """How far the errors lie from the law, in units of their noise, and the chance of lying so far if it were true.

    ``F = χ²/(m-3)``, with the degrees of freedom of the noise below it. A law that is none has parameters that are
    known very well, and forecasts that are far off: their standard errors believe in it.
    """
    from scipy.stats import chi2, f

    n, e, noise = (np.array(v) for v in (law.sizes, law.errors, law.noise))
    free = len(n) - 3
    ratio = float((((e - law(n)) / noise) ** 2).sum()) / free
    chance = f.sf(ratio, free, law.freedom) if law.freedom else chi2.sf(ratio * free, free)
    return math.sqrt(ratio), float(chance)


# ── the points ──────────────────────────────────────────────────────────────────────────────────────────────


def _points(sizes: ArrayLike, errors: ArrayLike, se: ArrayLike | None) -> tuple[Floats, Floats, Floats | None, int]:
    """Sizes in increasing order, the mean errors, their standard errors where known, and the freedom of these."""
    n, e = _sizes(sizes), np.asarray(errors, dtype=np.float64)
    if n.ndim != 1 or e.ndim not in (1, 2) or len(e) != len(n) or e.size == 0:
        raise DataError(f"sizes {n.shape} and errors {e.shape}", expected="sizes (m,); errors (m,) or (m, repeats)")
    if not np.isfinite(e).all():
        named = ", ".join(num(v) for v in np.unique(n[~np.isfinite(e.reshape(len(n), -1)).all(axis=1)]))
        raise DataError(f"errors are not finite at {named} examples", expected="a finite error of every model")
    if (e < 0).any():
        raise DataError(
            f"an error of {e.min():g}", expected="errors of zero or more: the law's floor c is not below it"
        )
    if len(np.unique(n)) < len(n):
        raise DataError("a training-set size occurs twice", expected="each size once, its errors as (m, repeats)")
    order = np.argsort(n)
    n, e = n[order], e[order]
    if se is not None:
        given = np.asarray(se, dtype=np.float64)
        if given.shape != n.shape or e.ndim != 1 or not (np.isfinite(given) & (given > 0)).all():
            raise DataError(
                f"se {given.shape} with errors {e.shape}", expected="one standard error above zero per mean error (m,)"
            )
        return n, e, given[order], 0
    if e.ndim == 1 or e.shape[1] == 1:
        return n, e.reshape(-1), None, 0
    return n, e.mean(axis=1), _smooth_noise(n, e), max(len(n) * (e.shape[1] - 1) - 2, 1)


def _smooth_noise(n: Floats, e: Floats) -> Floats | None:
    """Standard errors of the means over repeats, the standard deviation smoothed to a power of n.

    From five repeats a standard deviation is known to a third; weights so rough would do more harm than good.
    """
    sd = e.std(axis=1, ddof=1)
    if not (sd > 0).all() or len(n) < 3:
        return np.full(len(n), math.sqrt(float((sd**2).mean()) / e.shape[1])) if (sd > 0).any() else None
    power = np.polynomial.Polynomial.fit(np.log(n), np.log(sd), 1)(np.log(n))
    level = math.sqrt(float((sd**2 / np.exp(2 * power)).mean()))
    return level * np.exp(power) / math.sqrt(e.shape[1])


def _sizes(n: ArrayLike) -> Floats:
    found = np.asarray(n, dtype=np.float64)
    if not (np.isfinite(found) & (found > 0)).all():
        raise DataError(f"sizes {found.tolist()!s:.60}", expected="numbers of training examples, above zero")
    return found


def _interval(n: float, value: float, draws: Floats) -> Forecast:
    """The hull of two intervals: near a bound (c = 0) the quantiles alone are too short, elsewhere the other."""
    from scipy.stats import norm

    se, z = float(draws.std(ddof=1)), float(norm.ppf(0.5 + LEVEL / 2))
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    low, high = min(float(low), value - z * se), max(float(high), value + z * se)
    return Forecast(float(n), value, se, max(low, 0.0), high)
