"""Fourier transforms, and what they are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft import fft
from weft.ops import fourier

from ..contract import Sample, one
from .decompositions import in_parts, normal, parts
from .numbers import TALL, X

HALF = normal(2, 4)  # the half of the spectrum of 6 numbers or of 7


def complex_sample(name: str, x: np.ndarray, **options: Any) -> Sample:
    """A transform of `weft.fft` against NumPy's of the same name."""
    ours, numpys = getattr(fft, name), getattr(np.fft, name)
    if name in ("rfftn", "ihfft"):  # of real numbers: those of the imaginary part
        return in_parts(name, lambda x: ours(x.imag, **options), lambda x: numpys(x.imag, **options), *parts(x))
    return in_parts(name, lambda x: ours(x, **options), lambda x: numpys(x, **options), *parts(x))


SAMPLES = [
    one(
        fourier.fft_op,
        X,
        like=lambda x: np.fft.ifft(x, axis=0),
        axes=(0,),
        inverse=True,
        norm="backward",
        smooth=False,
    ),
    one(fourier.rfft_op, TALL, like=lambda x: np.fft.rfft(x, axis=1), axis=1, norm="backward", smooth=False),
    one(fourier.irfft_op, HALF, like=lambda x: np.fft.irfft(x, 7, 1, "ortho"), n=7, axis=1, norm="ortho"),
    one(fourier.middle_op, HALF, like=lambda x: x * [1, 0.5, 0.5, 1], axis=1, n=6, factor=0.5),
    complex_sample("fftn", TALL, norm="forward"),
    complex_sample("ifft", X, n=5),
    complex_sample("rfftn", TALL),
    complex_sample("irfftn", HALF, s=(3, 5), axes=(0, 1)),
    complex_sample("irfft", HALF, n=6),
    complex_sample("hfft", HALF, norm="forward"),
    complex_sample("ihfft", X, norm="ortho"),
]
