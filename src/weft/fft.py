"""Fourier transforms, by the names of the Python Array API standard: ``wf.fft.rfft(x)``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from weft.ops.spectra import (
    fft,
    fftn,
    fftshift,
    frequencies,
    hfft,
    ifft,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfftn,
    rfft,
    rfftn,
)
from weft.runtime.log import device as on_device

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the elements of `fft` of ``n`` samples at distance ``d``: 0, 1, …, −2, −1 over n·d.

    >>> from weft import fft
    >>> fft.fftfreq(4, d=0.5).tolist()
    [0.0, 0.5, -1.0, -0.5]
    """
    with nullcontext() if device is None else on_device(device):
        return frequencies(n, d, dtype, half=False)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of the elements of `rfft` of ``n`` samples at distance ``d``: 0, 1, …, n//2 over n·d.

    >>> from weft import fft
    >>> fft.rfftfreq(4, d=0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    with nullcontext() if device is None else on_device(device):
        return frequencies(n, d, dtype, half=True)
