"""Losses of PyTorch's operator database."""

from __future__ import annotations

from typing import Any

import torch

from weft.nn import functional as F

from .bridge import Mapped
from .functional import loss


def _no_signs(*arguments: Any, **options: Any) -> bool:
    target = next(x for x in reversed(arguments) if isinstance(x, torch.Tensor))
    return not bool(((target == 1) | (target == -1)).all())


def _negative(which: int) -> Any:
    return lambda *arguments, **options: bool((arguments[which] < 0).any())


def _no_shares(x: Any, target: Any, *rest: Any, **options: Any) -> bool:
    return not options.get("log_target") and bool((target < 0).any())


def _broadcasts(*arguments: Any, **options: Any) -> bool:
    return len({x.shape for x in arguments[:2] if isinstance(x, torch.Tensor)}) > 1


SIGNS = {"targets other than −1 and 1, refused": _no_signs}
SHAPES = {"operands that broadcast, refused": _broadcasts}


OPERATORS: dict[str, Any] = {
    "nn.functional.cosine_embedding_loss": Mapped(loss(F.cosine_embedding_loss), skip=SIGNS),
    "nn.functional.gaussian_nll_loss": Mapped(
        lambda x, t, v, **o: F.gaussian_nll_loss(x, t, v, **o),
        skip=SHAPES
        | {"negative variances, refused": lambda x, t, v, *r, **o: not isinstance(v, float) and bool((v < 0).any())},
    ),
    "nn.functional.hinge_embedding_loss": Mapped(loss(F.hinge_embedding_loss), skip=SIGNS | SHAPES),
    "nn.functional.kl_div": Mapped(
        loss(F.kl_div), skip=SHAPES | {"targets that are no probabilities, refused": _no_shares}
    ),
    "nn.functional.multi_margin_loss": Mapped(
        loss(F.multi_margin_loss),
        skip={
            "a label with an axis that the scores have not, refused": lambda x, t, *r, **o: (
                t.shape != x.shape[:-1] or not x.ndim
            )
        },
    ),
    "nn.functional.multilabel_margin_loss": Mapped(
        loss(F.multilabel_margin_loss), skip={"scores without an axis, refused": lambda x, *r, **o: not x.ndim}
    ),
    "nn.functional.poisson_nll_loss": Mapped(
        loss(F.poisson_nll_loss), skip=SHAPES | {"negative counts, refused": _negative(1)}
    ),
    "nn.functional.triplet_margin_loss": loss(F.triplet_margin_loss),
    # PyTorch's gradient is that with respect to logits of what is normalized.
    "nn.functional.ctc_loss": Mapped(lambda x, t, a, b, **o: F.ctc_loss(F.log_softmax(x), t, a, b, **o)),
}
