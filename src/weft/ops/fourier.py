"""Discrete Fourier transforms. They are linear: each one's gradient is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.errors import DTypeError
from weft.graph.dtype import complex64, complex128, float32, float64
from weft.graph.op import Casts, Kind, Op
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.conversion import REAL, conj
from weft.ops.engine import jnp
from weft.ops.matrices import check_floating, precise

_COMPLEX = {float32: complex64, float64: complex128}
# Which norm the transpose has: "backward" divides on the way back, "forward" on the way there, "ortho" by √n on both.
TURNED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}

# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────


def _as_complex(kinds: tuple[Kind, ...]) -> Casts:
    (wide,) = precise(kinds)
    return (_COMPLEX.get(wide, wide),)  # type: ignore[arg-type]


def _spectrum(x: Spec, **_: Any) -> Spec:
    check_floating("fft", x)
    return x


fft_op: Op = Op(  # unlike its meaning, its matrix is symmetric: the transform is its own transpose
    "fft",
    shape=_spectrum,
    takes=_as_complex,
    lower=lambda x, *, axes, inverse, norm: (jnp.fft.ifftn if inverse else jnp.fft.fftn)(x, axes=axes, norm=norm),
    vjp=lambda g, y, x, *, axes, inverse, norm: (fft_op(g, axes=axes, inverse=inverse, norm=norm),),
)


def _resized(shape: tuple[int, ...], axis: int, n: int) -> tuple[int, ...]:
    return tuple(n if k == axis else size for k, size in enumerate(shape))


def _rfft(x: Spec, *, axis: int, norm: str) -> Spec:
    check_real("rfft", x)
    return Spec(_resized(x.shape, axis, x.shape[axis] // 2 + 1), _COMPLEX[x.dtype])


def _irfft(x: Spec, *, n: int, axis: int, norm: str) -> Spec:
    check_floating("irfft", x)
    return Spec(_resized(x.shape, axis, n), REAL[x.dtype])


def check_real(name: str, x: Spec) -> None:
    check_floating(name, x)
    if x.dtype.kind == "complex":
        raise DTypeError(
            f"{name} of a {x.dtype.name} tensor",
            expected="real numbers",
            where=whereabouts(),
            cure="wf.fft.fft, or x.real",
        )


rfft_op: Op = Op(  # the half of the spectrum of real numbers that determines the other
    "rfft",
    shape=_rfft,
    takes=precise,
    lower=lambda x, *, axis, norm: jnp.fft.rfft(x, axis=axis, norm=norm),
    vjp=lambda g, y, x, *, axis, norm: (
        irfft_op(
            conj(middle_op(g, axis=axis, n=x.shape[axis], factor=0.5)), n=x.shape[axis], axis=axis, norm=TURNED[norm]
        ),
    ),
)
irfft_op: Op = Op(  # the real numbers of which a half is the spectrum
    "irfft",
    shape=_irfft,
    takes=_as_complex,
    lower=lambda x, *, n, axis, norm: jnp.fft.irfft(x, n, axis, norm),
    vjp=lambda g, y, x, *, n, axis, norm: (
        middle_op(conj(rfft_op(g, axis=axis, norm=TURNED[norm])), axis=axis, n=n, factor=2.0),
    ),
)


def _middle(x: Any, *, axis: int, n: int, factor: float) -> Any:
    weights = np.full(n // 2 + 1, factor)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    shape = tuple(-1 if k == axis else 1 for k in range(x.ndim))
    return x * weights.reshape(shape).astype(x.dtype)


middle_op: Op = Op(  # half a spectrum of n numbers, with every frequency that stands for two of them times ``factor``
    "middle",
    shape=lambda x, *, axis, n, factor: x,
    lower=_middle,
    vjp=lambda g, y, x, *, axis, n, factor: (middle_op(g, axis=axis, n=n, factor=factor),),
)
