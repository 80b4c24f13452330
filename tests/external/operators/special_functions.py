"""Special functions, complex numbers, and what NumPy names beside the Array API."""

from __future__ import annotations

from typing import Any

import weft as wf
from weft.ops import arithmetic, exponential, missing, trigonometry
from weft.ops import special as S

from .bridge import Mapped


def polygamma(x: Any, n: int) -> Any:
    return S.polygamma(n, x)


def complex_samples(f: Any) -> Mapped:
    return Mapped(f, dtype="complex64")


def view_as_real(z: Any) -> Any:
    return wf.stack([wf.real(z), wf.imag(z)], axis=-1)


OPERATORS = {
    "digamma": S.digamma,
    "erfc": S.erfc,
    "erfinv": S.erfinv,
    "i0": S.i0,
    "igamma": Mapped(S.gammainc, gradients=False),  # PyTorch refuses the gradient by the order, and so do we
    "igammac": Mapped(S.gammaincc, gradients=False),
    "lgamma": S.lgamma,
    "logit": lambda x, eps=None: S.logit(x, eps=eps),
    **{f"mvlgamma.mvlgamma_p_{p}": S.multigammaln for p in (1, 3, 5)},
    **{f"polygamma.polygamma_n_{n}": polygamma for n in range(5)},
    "sinc": S.sinc,
    "special.entr": S.entr,
    "special.erfcx": S.erfcx,
    "special.i0e": S.i0e,
    "special.i1": S.i1,
    "special.i1e": S.i1e,
    "special.log_ndtr": S.log_ndtr,
    "special.modified_bessel_i0": S.i0,
    "special.modified_bessel_i1": S.i1,
    "special.ndtr": S.ndtr,
    "special.ndtri": S.ndtri,
    "special.polygamma.special_polygamma_n_0": polygamma,
    "special.xlog1py": S.xlog1py,
    "special.zeta": S.zeta,
    # NumPy's
    "deg2rad": trigonometry.deg2rad,
    "rad2deg": trigonometry.rad2deg,
    "logaddexp2": exponential.logaddexp2,
    "ldexp": exponential.ldexp,
    "heaviside": arithmetic.heaviside,
    "gcd": Mapped(arithmetic.gcd, dtype="int64"),
    "lcm": Mapped(arithmetic.lcm, dtype="int64"),
    "fmax": missing.fmax,
    "fmin": missing.fmin,
    "isposinf": missing.isposinf,
    "isneginf": missing.isneginf,
    "isreal": missing.isreal,
    "nan_to_num": lambda x, nan=0.0, posinf=None, neginf=None: missing.nan_to_num(
        x, nan=nan or 0.0, posinf=posinf, neginf=neginf
    ),
    # complex numbers
    "angle": complex_samples(trigonometry.angle),
    "complex": wf.complex,
    "conj": complex_samples(wf.conj),
    "conj_physical": complex_samples(wf.conj),
    "imag": complex_samples(wf.imag),
    "real": complex_samples(wf.real),
    "polar": lambda r, phi: wf.complex(r * wf.cos(phi), r * wf.sin(phi)),
    "view_as_real": complex_samples(view_as_real),
    "view_as_complex": lambda x: wf.complex(x[..., 0], x[..., 1]),
}
