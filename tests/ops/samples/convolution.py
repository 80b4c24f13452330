"""Convolutions against the definition, window by window."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.ops import convolution as V

from ..contract import Sample, one
from .numbers import (
    normal,
    transposed,
)


def _conv(x: np.ndarray, w: np.ndarray, *, stride: Any, padding: Any, dilation: Any, groups: int) -> np.ndarray:
    """The definition, window by window."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    out = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride, strict=True)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    each, channels = w.shape[0] // groups, w.shape[1]
    for place in np.ndindex(*out):
        window = tuple(
            slice(p * s, p * s + span, d) for p, s, span, d in zip(place, stride, spans, dilation, strict=True)
        )
        for o in range(w.shape[0]):
            part = x[:, (o // each) * channels : (o // each + 1) * channels][:, :, *window]
            y[:, o, *place] = (part * w[o]).reshape(len(x), -1).sum(1)
    return y


def _convolutions(x_shape: tuple[int, ...], w_shape: tuple[int, ...], **window: Any) -> list[Sample]:
    x, w = normal(*x_shape), normal(*w_shape)
    g = normal(*_conv(x, w, **window).shape)
    return [
        one(V.conv, x, w, like=lambda x, w: _conv(x, w, **window), **window),
        one(
            V.conv_input_gradient,
            g,
            w,
            like=lambda g, w: transposed(lambda x: _conv(x, w, **window), x_shape, g),
            spatial=x_shape[2:],
            **window,
        ),
        one(
            V.conv_kernel_gradient,
            x,
            g,
            like=lambda x, g: transposed(lambda w: _conv(x, w, **window), w_shape, g),
            kernel=w_shape[2:],
            **window,
        ),
    ]


SAMPLES = [
    *_convolutions((3, 4, 7), (2, 4, 3), stride=(2,), padding=((1, 0),), dilation=(1,), groups=1),
    *_convolutions((2, 2, 5, 6), (4, 1, 2, 3), stride=(1, 2), padding=((1, 1), (0, 2)), dilation=(2, 1), groups=2),
    *_convolutions(
        (1, 1, 3, 4, 3),
        (2, 1, 2, 2, 1),
        stride=(1, 1, 2),
        padding=((0, 0), (1, 0), (0, 0)),
        dilation=(1, 2, 1),
        groups=1,
    ),
]
