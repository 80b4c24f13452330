"""What losses share: equal shapes or a lesson, types, and the last step from one number per element to a loss.

Losses of float16 and bfloat16 predictions are computed and given in float32: their sums and squares leave the range
of 16 bits long before the gradient does.
"""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import DType, float32
from weft.graph.op import Casts, Kind
from weft.ops.comparison import where
from weft.ops.rules import broadcast_shapes

REDUCTIONS = ("mean", "sum", "none")


def as_prediction(kinds: tuple[Kind, ...]) -> Casts:
    """All take the floating type of the prediction, never the other way round; of 16 bits, float32."""
    first = kinds[0]
    to = first if isinstance(first, DType) and first.is_differentiable and first.bits > 16 else float32
    return (to,) * len(kinds)


def labels_as_they_are(kinds: tuple[Kind, ...]) -> Casts:
    """As `as_prediction`, but targets that are whole numbers stay whole numbers."""
    (to, *_), second = as_prediction(kinds), kinds[1]
    whole = isinstance(second, DType) and not second.is_differentiable
    return (to, None if whole else to, *(to,) * (len(kinds) - 2))


def check_reduction(loss: str, reduction: str, *, batchmean: bool = False) -> None:
    if reduction not in REDUCTIONS and not (batchmean and reduction == "batchmean"):
        more = ', or "batchmean"' if batchmean else ""
        raise ArgumentError(f"{loss}: reduction={reduction!r}", expected='"mean", "sum" or "none"' + more)


def check_equal(loss: str, prediction: Any, target: Any, what: str = "target") -> None:
    """Refuse shapes that differ, even where they would broadcast: (N, 1) against (N) would compare all with all."""
    p, t = prediction.shape, target.shape
    if p == t:
        return
    raise ShapeError(
        f"{loss}: a prediction of shape {p} against a {what} of shape {t}",
        expected="equal shapes: losses do not broadcast",
        cure=_alignment(p, t),
    )


def _alignment(p: tuple[int, ...], t: tuple[int, ...]) -> str | None:
    if p == (*t, 1):
        return "prediction.squeeze(-1), or target.reshape(-1, 1)" if len(t) == 1 else "prediction.squeeze(-1)"
    if t == (*p, 1):
        return "target.squeeze(-1)"
    if sorted(p) == sorted(t):
        return f"target.reshape{p} if the order of the elements is the same"
    if len(p) == 2 and p[1] > 1 and t == (p[0],):
        return f"a last layer with 1 output instead of {p[1]}, or cross_entropy if these are classes"
    return None


def weigh(loss: str, losses: Any, weight: Any, what: str = "weight") -> Any:
    """The losses times weights that broadcast to them, never the other way round: (N, 1) against (N) would square N."""
    if broadcast_shapes(losses.shape, weight.shape) != losses.shape:
        raise ShapeError(
            f"{loss}: {what} of shape {weight.shape} for losses of shape {losses.shape}",
            expected=f"{losses.shape}, or what broadcasts to it",
            cure=f"{what}.squeeze(-1)" if weight.shape == (*losses.shape, 1) else None,
        )
    return losses * weight


def valid(losses: Any, target: Any, classes: int) -> Any:
    """The losses of labels in range; NaN for those that nobody could check before they were computed and are not."""
    return where((target >= 0) & (target < classes), losses, math.nan)


def reduce(values: Any, reduction: str) -> Any:
    """One loss per element brought to the mean, the sum, or left as it is."""
    return values if reduction == "none" else values.mean() if reduction == "mean" else values.sum()
