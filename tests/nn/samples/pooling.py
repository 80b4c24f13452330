"""Samples of pooling layers."""

from typing import Any

import weft as wf
from weft import nn

from .sample import Sample

SIGNAL, IMAGE, VOLUME = (2, 4, 8), (2, 4, 6, 6), (1, 2, 4, 4, 4)
SHAPES = {1: SIGNAL, 2: IMAGE, 3: VOLUME}


@nn.register
class Restored(nn.Module):
    """Maxima put back where they were found."""

    def __init__(self, pool: nn.Module, unpool: nn.Module) -> None:
        self.pool, self.unpool = pool, unpool

    def forward(self, x: Any) -> wf.Tensor:
        y: wf.Tensor = self.unpool(*self.pool(x))
        return y


def restored(n: int) -> Sample:
    pool, unpool = getattr(nn, f"MaxPool{n}d"), getattr(nn, f"MaxUnpool{n}d")
    return Sample(lambda: Restored(pool(2, return_indices=True), unpool(2)), SHAPES[n])


def each(kind: str, *arguments: Any, axes: tuple[int, ...] = (1, 2, 3), **options: Any) -> dict[str, Sample]:
    """The layers of one kind, with the same arguments."""

    def sample(n: int) -> Sample:
        return Sample(lambda: getattr(nn, f"{kind}{n}d")(*arguments, **options), SHAPES[n])

    return {f"{kind}{n}d": sample(n) for n in axes}


SAMPLES: dict[str, Sample] = {
    **each("MaxPool", 3, stride=2, padding=1, ceil_mode=True),
    **each("AvgPool", 2, padding=1, count_include_pad=False),
    **each("AdaptiveAvgPool", 2),
    **each("AdaptiveMaxPool", 3),
    **each("LPPool", 2, 2),
    **{f"MaxUnpool{n}d": restored(n) for n in SHAPES},
    # So many windows that they leave no choice of places: the result is not random.
    "FractionalMaxPool2d": Sample(lambda: nn.FractionalMaxPool2d(2, 5), IMAGE),
    "FractionalMaxPool3d": Sample(lambda: nn.FractionalMaxPool3d(2, 3), VOLUME),
    "GlobalAveragePool": Sample(lambda: nn.GlobalAveragePool(), IMAGE),
    "GlobalMaxPool": Sample(lambda: nn.GlobalMaxPool(), SIGNAL),
}
