"""Special functions of each element: of error, gamma, Bessel and their relatives, each with its derivative.

A derivative that has no closed form, such as that of the incomplete gamma function by its order, is refused where a
gradient asks for it. Numbers of 16 bits are computed in 32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, GradientError, is_whole
from weft.graph.function import function
from weft.graph.op import Op, floating, tensor_like
from weft.ops.arithmetic import abs, clip, sign, square
from weft.ops.comparison import PAIR, X, logical_and, where
from weft.ops.engine import jnp, lax, special
from weft.ops.exponential import exp, log, log1p
from weft.ops.rules import broadcast, refusing, same
from weft.ops.trigonometry import cos

_one = refusing("complex", rule=same)
_two = refusing("complex", rule=broadcast)


def _wide(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` computed in 32 bits where its operands have 16."""

    def lower(*xs: Any, **params: Any) -> Any:
        to = xs[0].dtype
        if to.itemsize > 2:
            return f(*xs, **params)
        return f(*(x.astype("float32") for x in xs), **params).astype(to)

    return lower


def _function(
    name: str,
    slope: Callable[[Any, Any], Any],
    doc: str,
    f: Callable[..., Any] | None = None,
    example: tuple[str, str] | None = None,
) -> Op:
    """A function of one number whose derivative is ``slope(y, x)``."""
    lower = _wide(f or getattr(special, name))
    vjp = lambda g, y, x: (g * slope(y, x),)
    return Op(name, shape=_one, takes=floating, lower=lower, vjp=vjp, operands=X, doc=doc, example=example)


# ── error functions and the normal distribution ─────────────────────────────────────────────────────────────

erfc = _function(
    "erfc",
    lambda y, x: -2 / math.sqrt(math.pi) * exp(-x * x),
    "1 − erf(x), exact where it is nearly 0.",
    example=("[0.0]", "[1.0]"),
)
erfcx = _function(
    "erfcx",
    lambda y, x: 2 * x * y - 2 / math.sqrt(math.pi),
    "exp(x²)·erfc(x), the scaled complementary error function, which does not vanish.",
)
erfinv = _function(
    "erfinv",
    lambda y, x: math.sqrt(math.pi) / 2 * exp(y * y),
    "The inverse of erf, from (−1, 1) to all numbers.",
    example=("[0.0]", "[0.0]"),
)
ndtr = _function(
    "ndtr",
    lambda y, x: exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
    "Φ(x), the distribution function of the normal distribution.",
)
log_ndtr = _function(
    "log_ndtr",
    lambda y, x: exp(-0.5 * x * x - y) / math.sqrt(2 * math.pi),
    "log Φ(x), exact also far to the left, where Φ is 0 in floating point.",
)
ndtri = _function(
    "ndtri",
    lambda y, x: math.sqrt(2 * math.pi) * exp(0.5 * y * y),
    "The inverse of Φ: the quantile of the normal distribution.",
)
dawsn = _function("dawsn", lambda y, x: 1 - 2 * x * y, "Dawson's integral exp(−x²) ∫₀ˣ exp(t²) dt.")

# ── gamma, beta and zeta ────────────────────────────────────────────────────────────────────────────────────

lgamma = _function(
    "lgamma",
    lambda y, x: digamma(x),
    "log |Γ(x)|, the logarithm of the gamma function.",
    special.gammaln,
    ("[4.0]", "[1.7917...]"),
)
digamma: Op = _function(
    "digamma",
    lambda y, x: polygamma_op(x, n=1),
    "ψ(x), the derivative of log Γ.",
    example=("[3.0]", "[0.9227...]"),
)


def _cotangent_derivative(n: int) -> list[int]:
    """Coefficients of the polynomial P with dⁿ/dxⁿ cot x = P(cot x), from the constant up: cot′ = −1 − cot²."""
    coefficients = [0, 1]
    for _ in range(n):
        slopes = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [-low - high for low, high in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    return coefficients


def _polygamma(x: Any, *, n: int) -> Any:
    # The engine's series holds for positive numbers; others are reflected: (−1)ⁿ ψₙ(1 − x) − ψₙ(x) = π dⁿ/dxⁿ cot πx.
    reflected = x <= 0
    there = jnp.where(reflected, 1 - x, x)
    value = lax.polygamma(jnp.full_like(x, n), there)
    cotangent = 1 / jnp.tan(math.pi * (x - jnp.round(x)))
    squared, total = cotangent * cotangent, jnp.zeros_like(x)
    parts = _cotangent_derivative(n)[(n + 1) % 2 :: 2]  # the others are 0: the polynomial is even or odd
    for c in reversed(parts):
        total = total * squared + c
    total = total if n % 2 else total * cotangent
    return jnp.where(reflected, (-1) ** n * value - math.pi ** (n + 1) * total, value)


polygamma_op: Op = Op(
    "polygamma",
    shape=lambda x, *, n: _one(x),
    takes=floating,
    lower=_wide(_polygamma),
    vjp=lambda g, y, x, *, n: (g * polygamma_op(x, n=n + 1),),
)


def _no_derivative(name: str, operand: str, cure: str) -> GradientError:
    return GradientError(
        f"the derivative of {name} by {operand}, which has no closed form",
        expected="a gradient by the other operand",
        cure=cure,
    )


def _incomplete_vjp(name: str, direction: int) -> Callable[..., Any]:
    def vjp(g: Any, y: Any, a: Any, x: Any, *, needed: tuple[bool, ...]) -> tuple[Any, Any]:
        if needed[0]:
            raise _no_derivative(name, "a", "a.detach() if no gradient is meant to reach it")
        return None, g * direction * exp(xlogy(a - 1, x) - x - lgamma(a))

    return vjp


def _of_two(name: str, vjp: Callable[..., Any], operands: str, doc: str, selective: bool = False) -> Op:
    lower = _wide(getattr(special, name))
    return Op(name, _two, lower, vjp, takes=floating, selective=selective, operands=operands, doc=doc)


gammainc = _of_two(
    "gammainc",
    _incomplete_vjp("gammainc", 1),
    "a x",
    "The regularised lower incomplete gamma function ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a); differentiable by ``x``.",
    selective=True,
)
gammaincc = _of_two(
    "gammaincc",
    _incomplete_vjp("gammaincc", -1),
    "a x",
    "The regularised upper incomplete gamma function 1 − gammainc(a, x); differentiable by ``x``.",
    selective=True,
)


def _zeta_vjp(g: Any, y: Any, x: Any, q: Any, *, needed: tuple[bool, ...]) -> tuple[Any, Any]:
    if needed[0]:
        raise _no_derivative("zeta", "x", "x.detach() if no gradient is meant to reach it")
    return None, -g * x * zeta(x + 1, q)


zeta: Op = _of_two(
    "zeta", _zeta_vjp, "x q", "Hurwitz's zeta function Σₖ (k + q)⁻ˣ; differentiable by ``q``.", selective=True
)
betaln = _of_two(
    "betaln",
    lambda g, y, a, b: (g * (digamma(a) - digamma(a + b)), g * (digamma(b) - digamma(a + b))),
    "a b",
    "log |B(a, b)|, the logarithm of the beta function: log Γ(a) + log Γ(b) − log Γ(a + b).",
)

# ── Bessel functions ────────────────────────────────────────────────────────────────────────────────────────


def _over(y: Any, x: Any) -> Any:
    """The quotient y / x of a Bessel function of order 1: at 0 one half."""
    return where(x == 0, 0.5, y / where(x == 0, 1, x))


i0 = _function("i0", lambda y, x: i1(x), "I₀(x), the modified Bessel function of order 0.")
i1: Op = _function("i1", lambda y, x: i0(x) - _over(y, x), "I₁(x), the modified Bessel function of order 1.")
i0e = _function("i0e", lambda y, x: i1e(x) - sign(x) * y, "exp(−|x|)·I₀(x), which does not overflow.")
i1e: Op = _function("i1e", lambda y, x: i0e(x) - sign(x) * y - _over(y, x), "exp(−|x|)·I₁(x), which does not overflow.")

# ── with logarithms ─────────────────────────────────────────────────────────────────────────────────────────


def _slope_of_log(value: Any, a: Any, b: Any) -> Any:
    # 0·log 0 counts as 0, and so does its derivative by the factor.
    nothing = logical_and(a == 0, b <= 0)
    return where(nothing, 0, value(where(nothing, 1, b)))


xlogy: Op = _of_two(
    "xlogy",
    lambda g, y, a, b: (g * _slope_of_log(log, a, b), g * a / b),
    PAIR,
    "x1 · log x2, and 0 where x1 is 0.",
)
xlog1py = _of_two(
    "xlog1py",
    lambda g, y, a, b: (g * _slope_of_log(lambda c: log1p(c - 1), a, b + 1), g * a / (b + 1)),
    PAIR,
    "x1 · log(1 + x2), exact for small ``x2``, and 0 where x1 is 0.",
)
entr = _function("entr", lambda y, x: -(1 + log(x)), "−x · log x, the part of an entropy; −∞ for negative numbers.")
logit_op = _function(
    "logit",
    lambda y, x: where(logical_and(x >= 0, x <= 1), 1 / (x * (1 - x)), math.nan),
    "log(x / (1 − x)) for x between 0 and 1.",
)

# ── the sine over its argument ──────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def sinc_slope(x: Any) -> Any:
    """The derivative of sinc: a series near 0, where the closed form (cos πx − sinc x) / x loses all digits."""
    near = abs(x) < 0.25
    small, large = where(near, x, 0), where(near, 1, x)
    series: Any = 0.0
    for k in range(9, 0, -1):
        series = series * square(small) + (-1) ** k * math.pi ** (2 * k) * 2 * k / math.factorial(2 * k + 1)
    return where(near, series * small, (cos(math.pi * large) - sinc(large)) / large)


sinc = _function("sinc", lambda y, x: sinc_slope(x), "sin(πx) / (πx), and 1 at 0.", lambda x: jnp.sinc(x))

# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def polygamma(n: int, x: Any, /) -> Any:
    """The ``n``-th derivative of the digamma function ψ.

    >>> import weft as wf
    >>> from weft.ops.special import polygamma
    >>> round(polygamma(1, wf.tensor(1.0)).item(), 4)
    1.6449
    """
    if not is_whole(n, 0):
        raise ArgumentError(f"polygamma of order {n!r}", expected="a whole number ≥ 0")
    return polygamma_op(tensor_like(x), n=int(n)) if n else digamma(tensor_like(x))


@function(takes=floating)
def _multigammaln(a: Any, *, order: int) -> Any:
    total: Any = order * (order - 1) / 4 * math.log(math.pi)
    for j in range(order):
        total = total + lgamma(a - j / 2)
    return total


def multigammaln(a: Any, order: int, /) -> Any:
    """The logarithm of the multivariate gamma function: p(p−1)/4 · log π + Σⱼ log Γ(a − j/2) for j < p = ``order``.

    >>> import weft as wf
    >>> from weft.ops.special import multigammaln
    >>> round(multigammaln(wf.tensor(2.0), 1).item(), 4)
    0.0
    """
    if not is_whole(order, 1):
        raise ArgumentError(f"multigammaln of order {order!r}", expected="a whole number ≥ 1")
    return _multigammaln(tensor_like(a), order=int(order))


def logit(x: Any, /, *, eps: float | None = None) -> Any:
    """log(x / (1 − x)), the inverse of the sigmoid; with ``eps`` x is first held between eps and 1 − eps.

    >>> import weft as wf
    >>> from weft.ops.special import logit
    >>> logit(wf.tensor([0.5, 2.0])).tolist(), logit(wf.tensor([0.5]), eps=0.1).tolist()
    ([0.0, nan], [0.0])
    """
    x = tensor_like(x)
    if eps is None:
        return logit_op(x)
    if not 0 <= eps <= 0.5:
        raise ArgumentError(f"logit with eps={eps!r}", expected="0 ≤ eps ≤ 0.5")
    x = x if x.dtype.is_differentiable else x.astype("float32")
    return logit_op(clip(x, eps, 1 - eps))
