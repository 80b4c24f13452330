"""Normalisation, dropout and tables."""

from __future__ import annotations

from typing import Any

import torch

from weft import nn

from .bridge import Mapped, Sample, noise

NORMS = (
    *(f"{kind}{n}d" for kind in ("BatchNorm", "InstanceNorm") for n in (1, 2, 3)),
    *("GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"),
)
DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")


def plain(cls: type[nn.Module]) -> Any:
    """Without what only says where PyTorch keeps its results."""

    def make(*arguments: Any, inplace: bool = False, device: Any = None, sparse: bool = False, **options: Any) -> Any:
        return cls(*arguments, **options)

    return make


MODULES = {
    **{name: plain(getattr(nn, name)) for name in NORMS},
    **{name: Mapped(plain(getattr(nn, name)), random=lambda sample: sample.arguments[0] > 0) for name in DROPOUTS},
    "Embedding": plain(nn.Embedding),
    "EmbeddingBag": Mapped(
        plain(nn.EmbeddingBag),
        skip={
            "PyTorch halves the gradient of an index that occurs once": lambda sample: sample.options.get(
                "scale_grad_by_freq", False
            )
        },
    ),
}


def whole(*shape: int, below: int = 7) -> torch.Tensor:
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(0))


BAG = whole(9)
STARTS = torch.tensor([0, 2, 2, 5])


def dropouts(shape: tuple[int, ...]) -> list[Sample]:
    return [Sample((p,), inputs=(noise(*shape),)) for p in (0.0, 0.3, 1.0)]


SAMPLES = {
    "Dropout": dropouts((64, 64)),
    "Dropout1d": dropouts((64, 32, 2)),
    "Dropout2d": dropouts((64, 32, 2, 2)),
    "Dropout3d": dropouts((64, 32, 1, 2, 2)),
    "AlphaDropout": dropouts((64, 64)),
    "FeatureAlphaDropout": dropouts((64, 32, 2)),
    "Embedding": [
        Sample((7, 3), options, (indices,))
        for indices in (whole(4), whole(2, 5))
        for options in (
            {},
            {"padding_idx": 2},
            {"padding_idx": -1, "scale_grad_by_freq": True},
            {"max_norm": 1.0},
            {"max_norm": 2.0, "norm_type": 1.0},
        )
    ],
    "EmbeddingBag": [
        *(Sample((7, 3), {"mode": mode}, (whole(4, 3),)) for mode in ("sum", "mean", "max")),
        *(Sample((7, 3), {"mode": mode}, (BAG, STARTS)) for mode in ("sum", "mean", "max")),
        *(Sample((7, 3), {"mode": mode, "padding_idx": 5}, (BAG, STARTS)) for mode in ("sum", "mean", "max")),
        Sample((7, 3), {"include_last_offset": True}, (BAG, torch.tensor([0, 4, 9]))),
        Sample((7, 3), {"mode": "sum", "scale_grad_by_freq": True}, (BAG, STARTS)),
        Sample((7, 3), {"max_norm": 1.0}, (whole(4, 3),)),
        Sample((7, 3), {"mode": "sum"}, (whole(4, 3), None, noise(4, 3))),
        Sample((7, 3), {"mode": "sum", "padding_idx": 1}, (BAG, STARTS, noise(9))),
    ],
}
