"""The losses of PyTorch's module database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from weft import nn

from .bridge import Mapped, Sample, noise

OLD = ("size_average", "reduce")


def loss(cls: Callable[..., nn.Module], *names: str) -> Callable[..., nn.Module]:
    """A loss with PyTorch's order of arguments, in which the two deprecated ones stand among the others."""

    def make(*arguments: Any, **options: Any) -> nn.Module:
        given = dict(zip(names, arguments, strict=False)) | options
        return cls(**{name: value for name, value in given.items() if name not in (*OLD, "device", "dtype", "options")})

    return make


def _linear_cross_entropy(in_features: int, num_classes: int, **options: Any) -> nn.Module:
    """Without PyTorch's options of working in chunks, and with the number that its None stands for."""
    if options.get("ignore_index", 0) is None:
        options["ignore_index"] = -100
    return loss(nn.LinearCrossEntropyLoss)(in_features=in_features, num_classes=num_classes, **options)


def _no_distribution(sample: Sample) -> bool:
    target = sample.inputs[1]
    return not sample.options.get("log_target") and bool((target.isnan() | (target < 0)).any())


def _zeros(sample: Sample) -> bool:
    return bool((sample.inputs[2] == 0).any())


MODULES: dict[str, Any] = {
    "CosineEmbeddingLoss": loss(nn.CosineEmbeddingLoss, "margin"),
    "L1Loss": loss(nn.L1Loss),
    "SmoothL1Loss": loss(nn.SmoothL1Loss),
    "KLDivLoss": Mapped(
        loss(nn.KLDivLoss),
        skip={
            "targets that are no probabilities, refused": _no_distribution,
            "prediction and target are one tensor, whose gradients PyTorch adds": lambda s: s.inputs[0] is s.inputs[1],
        },
    ),
    "MSELoss": loss(nn.MSELoss),
    "MarginRankingLoss": Mapped(
        loss(nn.MarginRankingLoss, "margin"), skip={"targets of 0, which say nothing, refused": _zeros}
    ),
    "MultiLabelMarginLoss": loss(nn.MultiLabelMarginLoss),
    "MultiMarginLoss": loss(nn.MultiMarginLoss, "p", "margin", "weight"),
    "SoftMarginLoss": loss(nn.SoftMarginLoss),
    "MultiLabelSoftMarginLoss": loss(nn.MultiLabelSoftMarginLoss, "weight"),
    "NLLLoss": loss(nn.NLLLoss, "weight"),
    "GaussianNLLLoss": loss(nn.GaussianNLLLoss),
    "PoissonNLLLoss": loss(nn.PoissonNLLLoss, "log_input", "full"),
    "HingeEmbeddingLoss": loss(nn.HingeEmbeddingLoss, "margin"),
    "HuberLoss": loss(nn.HuberLoss, "reduction", "delta"),
    "BCELoss": loss(nn.BCELoss, "weight"),
    "BCEWithLogitsLoss": loss(nn.BCEWithLogitsLoss, "weight"),
    "CrossEntropyLoss": loss(nn.CrossEntropyLoss, "weight"),
    "LinearCrossEntropyLoss": _linear_cross_entropy,
    # PyTorch's gradient of this loss is that with respect to logits, as if log_softmax followed them, which changes
    # nothing of what is normalized already.
    "CTCLoss": Mapped(
        loss(nn.CTCLoss, "blank"), call=lambda layer, x, *rest: layer(nn.functional.log_softmax(x), *rest)
    ),
    "TripletMarginLoss": loss(nn.TripletMarginLoss, "margin", "p"),
    "TripletMarginWithDistanceLoss": loss(nn.TripletMarginWithDistanceLoss),
}
_SHARES = noise(4, 5).detach().softmax(dim=1).requires_grad_()
_SIGNS = torch.tensor([1, -1, -1, 1])
_FRAMES = noise(7, 3, 5).detach().log_softmax(dim=2).requires_grad_()
_SEQUENCES = torch.tensor([[1, 1, 2], [3, 4, 4], [2, 2, 2]])
_LENGTHS = (torch.tensor([7, 5, 4]), torch.tensor([3, 1, 2]))
_TOO_SHORT = (torch.tensor([7, 2, 4]), torch.tensor([3, 3, 3]))
_PIXELS = torch.randint(0, 3, (2, 4, 4), generator=torch.Generator().manual_seed(0))
_TRIPLET = tuple(noise(5, 4, at=k) for k in range(3))
SAMPLES: dict[str, list[Sample]] = {
    "CTCLoss": [
        *(
            Sample(options={"reduction": reduction}, inputs=(_FRAMES, _SEQUENCES, *_LENGTHS))
            for reduction in ("mean", "sum", "none")
        ),
        Sample(options={"zero_infinity": True, "reduction": "none"}, inputs=(_FRAMES, _SEQUENCES, *_TOO_SHORT)),
    ],
    "CrossEntropyLoss": [
        Sample(options={"weight": torch.tensor([0.5, 2.0, 1.0])} | options, inputs=(noise(2, 3, 4, 4), target))
        for options, target in (
            ({}, _PIXELS),
            ({"ignore_index": 1, "label_smoothing": 0.1}, _PIXELS),
            ({"reduction": "none"}, _PIXELS),
            ({"label_smoothing": 0.2}, noise(2, 3, 4, 4, at=1).detach().softmax(dim=1)),
        )
    ],
    "KLDivLoss": [
        Sample(options={"reduction": reduction}, inputs=(noise(4, 5, at=1), _SHARES))
        for reduction in ("mean", "sum", "none", "batchmean")
    ],
    "MarginRankingLoss": [
        Sample(options=options, inputs=(noise(4), noise(4, at=1), _SIGNS))
        for options in ({}, {"margin": 0.5}, {"reduction": "sum"}, {"reduction": "none"})
    ],
    "TripletMarginLoss": [
        Sample(options=options | {"reduction": reduction}, inputs=_TRIPLET)
        for options in ({}, {"margin": 0.5}, {"p": 1.0}, {"swap": True}, {"p": 3.0, "swap": True, "eps": 1e-4})
        for reduction in ("mean", "sum", "none")
    ],
    "TripletMarginWithDistanceLoss": [
        Sample(options=options, inputs=_TRIPLET) for options in ({}, {"swap": True}, {"margin": 2.0})
    ],
}
