"""Fourier transforms: the samples are complex where the transform takes complex numbers."""

from __future__ import annotations

from typing import Any

from weft import fft

from .bridge import Mapped


def one(f: Any) -> Any:
    return lambda x, n=None, dim=-1, norm="backward": f(x, n=n, axis=dim, norm=norm or "backward")


def many(f: Any, axes: Any = None) -> Any:
    return lambda x, s=None, dim=axes, norm="backward": f(
        x, s=s, axes=(dim,) if isinstance(dim, int) else dim, norm=norm or "backward"
    )


def complex_samples(f: Any) -> Mapped:
    return Mapped(f, dtype="complex64")


OPERATORS = {
    "fft.fft": complex_samples(one(fft.fft)),
    "fft.ifft": complex_samples(one(fft.ifft)),
    "fft.hfft": complex_samples(one(fft.hfft)),
    "fft.irfft": complex_samples(one(fft.irfft)),
    "fft.rfft": one(fft.rfft),
    "fft.ihfft": one(fft.ihfft),
    "fft.fft2": complex_samples(many(fft.fftn, (-2, -1))),
    "fft.ifft2": complex_samples(many(fft.ifftn, (-2, -1))),
    "fft.fftn": complex_samples(many(fft.fftn)),
    "fft.ifftn": complex_samples(many(fft.ifftn)),
    "fft.irfft2": complex_samples(many(fft.irfftn, (-2, -1))),
    "fft.irfftn": complex_samples(many(fft.irfftn)),
    "fft.rfft2": many(fft.rfftn, (-2, -1)),
    "fft.rfftn": many(fft.rfftn),
    "fft.fftshift": lambda x, dim=None: fft.fftshift(x, axes=dim),
    "fft.ifftshift": lambda x, dim=None: fft.ifftshift(x, axes=dim),
}
