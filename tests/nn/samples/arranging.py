"""Samples of linear maps, distances, padding, and layers that only rearrange."""

from typing import Any

from weft import nn

from .sample import Sample

ROWS, SIGNAL, IMAGE, VOLUME = (4, 6), (2, 4, 8), (2, 4, 6, 6), (1, 2, 3, 3, 3)


def padded(kind: str, *arguments: Any) -> dict[str, Sample]:
    shapes = {1: SIGNAL, 2: IMAGE, 3: VOLUME}

    def sample(n: int) -> Sample:
        return Sample(lambda: getattr(nn, f"{kind}Pad{n}d")((1, 2) + (1, 0) * (n - 1), *arguments), shapes[n])

    return {f"{kind}Pad{n}d": sample(n) for n in shapes}


SAMPLES: dict[str, Sample] = {
    "Linear": Sample(lambda: nn.Linear(3), ROWS),
    "Bilinear": Sample(lambda: nn.Bilinear(3), ROWS, more=(ROWS,)),
    "CosineSimilarity": Sample(lambda: nn.CosineSimilarity(), ROWS, more=(ROWS,)),
    "PairwiseDistance": Sample(lambda: nn.PairwiseDistance(keepdims=True), ROWS, more=(ROWS,)),
    "Identity": Sample(lambda: nn.Identity(), ROWS),
    "Flatten": Sample(lambda: nn.Flatten(), SIGNAL),
    "Unflatten": Sample(lambda: nn.Unflatten(1, (2, -1)), ROWS),
    **padded("Circular"),
    **padded("Constant", 0.5),
    **padded("Reflection"),
    **padded("Replication"),
    **padded("Zero"),
    "PixelShuffle": Sample(lambda: nn.PixelShuffle(2), IMAGE),
    "PixelUnshuffle": Sample(lambda: nn.PixelUnshuffle(2), IMAGE),
    "ChannelShuffle": Sample(lambda: nn.ChannelShuffle(2), SIGNAL),
    "Upsample": Sample(lambda: nn.Upsample(size=5, mode="linear"), SIGNAL),
    "UpsamplingNearest2d": Sample(lambda: nn.UpsamplingNearest2d(scale_factor=2), IMAGE),
    "UpsamplingBilinear2d": Sample(lambda: nn.UpsamplingBilinear2d((7, 5)), IMAGE),
    "Unfold": Sample(lambda: nn.Unfold(2, stride=2), IMAGE),
    "Fold": Sample(lambda: nn.Fold((3, 5), (2, 1)), (2, 6, 10)),
}
