"""Functions of complex numbers a + b·j whose parts may be signed zeros, infinities or NaN.

The engine's formulas hold where both parts are finite and not −0.0; else one part spoils what is known of the other.
These lowerings give the values of C99 (Annex G), which the Array API standard asks for. The functions are real on the
real line, so f(conj z) = conj f(z): they are computed for b ≥ 0 and mirrored, odd and even ones for a ≥ 0 as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from weft.graph.dtype import dtype
from weft.ops.engine import jnp, lax

Lowering = Callable[[Any], Any]
Edges = Callable[[Any, Any, Any], tuple[Any, Any]]  # (a, b, the engine's value) to the parts of the right value

inf, nan = math.inf, math.nan


def lowering(name: str, edges: Edges, parity: str = "neither") -> Lowering:
    """The engine's function ``name``; that of a complex number is put right by ``edges``."""
    function = getattr(jnp, name)

    def lower(z: Any) -> Any:
        if dtype(z.dtype).kind != "complex":
            return function(z)
        left, below = jnp.signbit(z.real), jnp.signbit(z.imag)
        a, b = z.real if parity == "neither" else jnp.abs(z.real), jnp.abs(z.imag)
        re, im = edges(a, b, function(lax.complex(a, b)))
        re = jnp.where(left, -re, re) if parity == "odd" else re
        return lax.complex(re, jnp.where(below ^ left if parity == "even" else below, -im, im))

    return lower


def _turned(edges: Edges, sister: str, *, even: bool = False) -> Edges:
    """Edges of a trigonometric function by those of its hyperbolic one: cos z = cosh(j·z), sin z = −j·sinh(j·z)."""

    def turned(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
        # With sinh(b + a·j) = p + q·j, sin(a + b·j) = q + p·j; cosh(−b + a·j) is the conjugate of cosh(b + a·j).
        p, q = edges(b, a, getattr(jnp, sister)(lax.complex(b, a)))
        re, im = (p, -q) if even else (q, p)
        inside = jnp.isfinite(a) & jnp.isfinite(b)
        return jnp.where(inside & (a != 0), y.real, re), jnp.where(inside & (b != 0) & (a != 0), y.imag, im)

    return turned


def size(z: Any) -> Any:
    """|z|, infinite if either part is, also beside a NaN."""
    if dtype(z.dtype).kind != "complex":
        return jnp.abs(z)
    return jnp.where(jnp.isinf(z.real) | jnp.isinf(z.imag), inf, jnp.abs(z))


# ── exponentials, logarithms, roots ─────────────────────────────────────────────────────────────────────────


def _zero(sign: Any) -> Any:
    """0 with that sign, +0 with that of NaN."""
    return jnp.where(sign < 0, -0.0, jnp.zeros_like(sign))


def _exp(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    re = jnp.where((a == inf) & ~jnp.isfinite(b), inf, y.real)
    return jnp.where(a == -inf, _zero(jnp.cos(b)), re), jnp.where(a == -inf, _zero(jnp.sin(b)), y.imag)


def _expm1(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    re, im = _exp(a, b, y)
    return jnp.where(a == -inf, -1, re), im


def _log(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    return jnp.where(jnp.isinf(a) | jnp.isinf(b), inf, y.real), y.imag


def _sqrt(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    unknown, high = jnp.isnan(b), b == inf
    re = jnp.where(high | (unknown & (a == inf)), inf, y.real)
    return re, jnp.where(high | (unknown & (a == -inf)), inf, y.imag)


exp, expm1 = lowering("exp", _exp), lowering("expm1", _expm1)
log, log1p = lowering("log", _log), lowering("log1p", _log)
log2, log10 = lowering("log2", _log), lowering("log10", _log)
sqrt = lowering("sqrt", _sqrt)

# ── hyperbolic and trigonometric ────────────────────────────────────────────────────────────────────────────


def _sinh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    re = jnp.where(~jnp.isfinite(b) & (a == inf), inf, y.real)
    return jnp.where(a == 0, _zero(jnp.cos(b)), re), y.imag


def _cosh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    re = jnp.where(~jnp.isfinite(b) & (a == inf), inf, y.real)
    return re, jnp.where(a == 0, _zero(jnp.sin(b)), y.imag)


def _tanh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    re = jnp.where(~jnp.isfinite(b) & (a == 0), 0, y.real)
    return jnp.where(a == inf, 1, re), jnp.where(a == inf, 0, y.imag)


def _asinh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    unknown = jnp.isnan(a)
    return jnp.where(unknown & jnp.isfinite(b), nan, y.real), jnp.where(unknown & (b == 0), 0, y.imag)


def _atanh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    unknown = jnp.isnan(b)
    re = jnp.where(unknown, jnp.where((a == 0) | (a == inf), 0, nan), y.real)
    return re, jnp.where(unknown | (jnp.isnan(a) & (b != inf)), nan, y.imag)


def _acos(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    unknown = jnp.isnan(b)
    re = jnp.where(unknown, jnp.where(a == 0, math.pi / 2, nan), y.real)
    return re, jnp.where(unknown & jnp.isfinite(a), nan, y.imag)


def _acosh(a: Any, b: Any, y: Any) -> tuple[Any, Any]:
    unknown = jnp.isnan(b)
    re = jnp.where(unknown & jnp.isfinite(a), nan, y.real)
    return re, jnp.where(unknown, jnp.where(a == 0, math.pi / 2, nan), y.imag)


sinh, cosh, tanh = lowering("sinh", _sinh, "odd"), lowering("cosh", _cosh, "even"), lowering("tanh", _tanh, "odd")
asinh, atanh = lowering("arcsinh", _asinh, "odd"), lowering("arctanh", _atanh, "odd")
acos, acosh = lowering("arccos", _acos), lowering("arccosh", _acosh)
sin, cos = lowering("sin", _turned(_sinh, "sinh"), "odd"), lowering("cos", _turned(_cosh, "cosh", even=True), "even")
tan = lowering("tan", _turned(_tanh, "tanh"), "odd")
asin, atan = (
    lowering("arcsin", _turned(_asinh, "arcsinh"), "odd"),
    lowering("arctan", _turned(_atanh, "arctanh"), "odd"),
)
