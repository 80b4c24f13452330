"""Losses of pairs, triplets and sequences as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.nn import functional as F
from weft.nn.check import number, positive, sizes
from weft.nn.functional.similarity import check_cosine
from weft.nn.layers.losses.base import LossLayer
from weft.tensor import Tensor


class HingeEmbeddingLoss(LossLayer):
    """`functional.hinge_embedding_loss`, of distances and targets −1 and 1."""

    function, options = staticmethod(F.hinge_embedding_loss), ("margin",)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        number("HingeEmbeddingLoss", margin=margin)
        self.margin = margin
        self._keep(reduction)


class MarginRankingLoss(LossLayer):
    """`functional.margin_ranking_loss`: called with two predictions and targets −1 and 1."""

    function, options = staticmethod(F.margin_ranking_loss), ("margin",)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        number("MarginRankingLoss", margin=margin)
        self.margin = margin
        self._keep(reduction)

    def forward(self, first: Any, second: Any, target: Any) -> Tensor:
        return self.compute(first, second, target, reduction=self.reduction)


class CosineEmbeddingLoss(LossLayer):
    """`functional.cosine_embedding_loss`: called with two vectors and targets −1 and 1."""

    function, options = staticmethod(F.cosine_embedding_loss), ("margin",)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        check_cosine("CosineEmbeddingLoss", margin)
        self.margin = margin
        self._keep(reduction)

    def forward(self, first: Any, second: Any, target: Any) -> Tensor:
        return self.compute(first, second, target, reduction=self.reduction)


class TripletMarginLoss(LossLayer):
    """`functional.triplet_margin_loss`: called with anchor, positive and negative."""

    function, options = staticmethod(F.triplet_margin_loss), ("margin", "p", "eps", "swap")

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        positive("TripletMarginLoss", margin=margin)
        number("TripletMarginLoss", 0, p=p, eps=eps)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap
        self._keep(reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return self.compute(anchor, positive, negative, reduction=self.reduction)


class TripletMarginWithDistanceLoss(LossLayer):
    """`functional.triplet_margin_with_distance_loss`: called with anchor, positive and negative."""

    function = staticmethod(F.triplet_margin_with_distance_loss)
    options = ("distance_function", "margin", "swap")

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        positive("TripletMarginWithDistanceLoss", margin=margin)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap
        self._keep(reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return self.compute(anchor, positive, negative, reduction=self.reduction)


class CTCLoss(LossLayer):
    """`functional.ctc_loss`: called with log-probabilities, targets, and the lengths of both."""

    function, options = staticmethod(F.ctc_loss), ("blank", "zero_infinity")

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        sizes("CTCLoss", 0, blank=blank)
        self.blank, self.zero_infinity = blank, zero_infinity
        self._keep(reduction)

    def forward(self, log_probabilities: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Tensor:
        return self.compute(log_probabilities, targets, input_lengths, target_lengths, reduction=self.reduction)
