"""Pooling."""

from __future__ import annotations

from typing import Any

import torch

import weft as wf
from weft import nn

from .bridge import Sample, noise

# PyTorch's names of the arguments in ours.
WORDS = {"kernel_size": "window", "output_size": "size", "output_ratio": "ratio", "norm_type": "p"}


def pool(cls: type[nn.Module]) -> Any:
    """PyTorch takes a tuple of one number for all axes as well."""

    def plain(x: Any) -> Any:
        return x[0] if isinstance(x, tuple) and len(x) == 1 else x

    def make(*arguments: Any, **options: Any) -> nn.Module:
        return cls(*map(plain, arguments), **{WORDS.get(k, k): plain(v) for k, v in options.items()})

    return make


class WithSamples(nn.Module):
    """Fractional pooling with the given random numbers."""

    def __init__(self, layer: nn.Module, samples: wf.Tensor) -> None:
        self.layer, self._random_samples = layer, nn.Buffer(samples)  # which PyTorch's state has too

    def forward(self, x: wf.Tensor) -> Any:
        examples = x.shape[0] if x.ndim == len(self.layer.window) + 2 else 1  # PyTorch passes over samples for more
        return self.layer(x, self._random_samples[:examples])


def fractional(cls: type[nn.Module]) -> Any:
    def make(*arguments: Any, _random_samples: Any, **options: Any) -> nn.Module:
        return WithSamples(pool(cls)(*arguments, **options), _random_samples)

    return make


KINDS = ("AdaptiveAvgPool", "AdaptiveMaxPool", "AvgPool", "LPPool", "MaxPool", "MaxUnpool")
MODULES = {
    **{f"{kind}{n}d": pool(getattr(nn, f"{kind}{n}d")) for kind in KINDS for n in (1, 2, 3)},
    **{f"FractionalMaxPool{n}d": fractional(getattr(nn, f"FractionalMaxPool{n}d")) for n in (2, 3)},
}

SIGNAL, PICTURE, VOLUME = noise(2, 3, 9), noise(2, 3, 7, 9), noise(1, 2, 5, 6, 7)
INPUTS = (SIGNAL, PICTURE, VOLUME)


def pooled(n: int, x: torch.Tensor, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """What unpooling takes."""
    y, at = getattr(torch.nn.functional, f"max_pool{n}d")(x.detach(), 2, **options, return_indices=True)
    return y.requires_grad_(), at


AVERAGES = [
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
]
MAXIMA = [
    {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True, "return_indices": True},
]
SAMPLES = {
    **{f"AvgPool{n}d": [Sample((), given, (x,)) for given in AVERAGES] for n, x in enumerate(INPUTS, 1)},
    **{f"MaxPool{n}d": [Sample((), given, (x,)) for given in MAXIMA] for n, x in enumerate(INPUTS, 1)},
    **{f"AdaptiveMaxPool{n}d": [Sample((2,), {"return_indices": True}, (x,))] for n, x in enumerate(INPUTS, 1)},
    **{f"LPPool{n}d": [Sample((3, 2), {"ceil_mode": True}, (x.detach().abs(),))] for n, x in enumerate(INPUTS, 1)},
    **{
        f"MaxUnpool{n}d": [
            Sample((2,), {"stride": 2}, pooled(n, x), {"output_size": x.shape}),
            Sample((2, 2, 1), {}, pooled(n, x[0], padding=1), {"output_size": x.shape[2:]}),
        ]
        for n, x in enumerate(INPUTS, 1)
    },
}
