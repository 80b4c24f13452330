"""Linear maps and distances, padding, and layers that only rearrange."""

from __future__ import annotations

from typing import Any

from weft import nn

from .bridge import Mapped, Sample, noise


def by_name(layer: nn.Module, *inputs: Any, **named: Any) -> Any:
    """PyTorch calls its input ``input``."""
    return layer(*inputs, *named.values())


def worded(cls: type[nn.Module], **words: str) -> Any:
    """``cls`` with PyTorch's names of the arguments."""
    return lambda *arguments, **options: cls(*arguments, **{words.get(k, k): v for k, v in options.items()})


def upsample(*arguments: Any, align_corners: bool | None = None, **options: Any) -> nn.Module:
    return nn.Upsample(*arguments, align_corners=bool(align_corners), **options)


MODULES = {
    "Linear": Mapped(nn.Linear, by_name),
    "Bilinear": nn.Bilinear,
    "CosineSimilarity": worded(nn.CosineSimilarity, dim="axis"),
    "PairwiseDistance": worded(nn.PairwiseDistance, keepdim="keepdims"),
    **{
        f"{kind}Pad{n}d": Mapped(getattr(nn, f"{kind}Pad{n}d"))
        for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero")
        for n in (1, 2, 3)
    },
    "Identity": lambda *_, **__: nn.Identity(),
    "Flatten": worded(nn.Flatten, start_dim="start", end_dim="stop"),
    "Unflatten": nn.Unflatten,
    "PixelShuffle": nn.PixelShuffle,
    "PixelUnshuffle": nn.PixelUnshuffle,
    "ChannelShuffle": nn.ChannelShuffle,
    "Upsample": upsample,
    "UpsamplingNearest2d": nn.UpsamplingNearest2d,
    "UpsamplingBilinear2d": nn.UpsamplingBilinear2d,
    "Unfold": nn.Unfold,
    "Fold": worded(nn.Fold, output_size="size"),
}

A, B, PICTURE = noise(5, 6), noise(5, 6, at=1), noise(2, 8, 6, 4)
WINDOW = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": 1, "stride": 2}
SAMPLES = {
    "CosineSimilarity": [Sample((), {}, (A, B)), Sample((), {"dim": 0, "eps": 1e-3}, (A, B))],
    "PairwiseDistance": [Sample((), {}, (A, B)), Sample((1.0,), {"keepdim": True}, (A, B))],
    "ConstantPad2d": [Sample(((1, -1, 0, 2), 3.5), {}, (PICTURE,))],
    "ZeroPad2d": [Sample(((-1, 2, 1, -2),), {}, (PICTURE,))],
    "ReplicationPad2d": [Sample(((3, 0, 9, 1),), {}, (PICTURE,))],
    "Identity": [Sample((1, 2), {"anything": 3}, (A,))],
    "Flatten": [Sample((), {}, (PICTURE,)), Sample((), {"start_dim": 0, "end_dim": -3}, (PICTURE,))],
    "Unflatten": [Sample((1, (2, -1)), {}, (A,)), Sample((-1, (3, 2)), {}, (A,))],
    "PixelShuffle": [Sample((2,), {}, (PICTURE,))],
    "PixelUnshuffle": [Sample((2,), {}, (PICTURE,))],
    "ChannelShuffle": [Sample((4,), {}, (PICTURE,))],
    "Upsample": [
        Sample((), {"scale_factor": 2}, (PICTURE,)),
        Sample((), {"size": (9, 7), "mode": "bilinear"}, (PICTURE,)),
        Sample((), {"scale_factor": (1.5, 2.5), "mode": "bicubic", "align_corners": True}, (PICTURE,)),
        Sample((), {"size": 11, "mode": "linear"}, (noise(2, 3, 5),)),
    ],
    "UpsamplingNearest2d": [Sample((), {"size": (9, 7)}, (PICTURE,))],
    "UpsamplingBilinear2d": [Sample((), {"scale_factor": 2}, (PICTURE,))],
    "Unfold": [Sample((), WINDOW, (PICTURE,)), Sample((2,), {}, (noise(8, 6, 4),))],
    "Fold": [Sample((), {"output_size": (6, 4), **WINDOW}, (noise(2, 48, 6),))],
}
