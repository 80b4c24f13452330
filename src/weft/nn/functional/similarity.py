"""Losses of distances and angles between learned vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.nn.check import number
from weft.nn.check import positive as check_positive
from weft.nn.functional.distance import pairwise_distance
from weft.nn.functional.guards import check_signs, operands
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, reduce
from weft.ops.arithmetic import minimum
from weft.ops.comparison import where
from weft.ops.exponential import relu, rsqrt
from weft.tensor import Tensor, as_tensor

Distance = Callable[[Tensor, Tensor], Tensor]


@function(takes=as_prediction)
def _cosine_embedding_loss(a: Any, b: Any, target: Any, margin: Any, *, reduction: str) -> Any:
    # ε under the root, as in PyTorch: a vector of zeros has the cosine 0 with all.
    squares = [(x * x).sum(axis=-1) + 1e-12 for x in (a, b)]
    cosine = (a * b).sum(axis=-1) * rsqrt(squares[0]) * rsqrt(squares[1])
    return reduce(where(target == 1, 1 - cosine, relu(cosine - margin)), reduction)


def cosine_embedding_loss(
    first: Any, second: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 − cos(first, second) where the target is 1, max(0, cos − margin) where it is −1.

    Vectors (N, d) and targets (N,), or (d,) and ().

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> a, b = wf.tensor([[1.0, 0.0]]), wf.tensor([[0.0, 2.0]])
    >>> float(F.cosine_embedding_loss(a, b, wf.tensor([1])))
    1.0
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    check_cosine(name, margin)
    a, t = operands(name, first, target)
    b = as_tensor(second)
    check_equal(name, a, b, "second vector")
    if a.ndim not in (1, 2) or t.shape != a.shape[:-1]:
        raise ShapeError(
            f"{name}: targets of shape {t.shape} for vectors of shape {a.shape}",
            expected="vectors (N, d) and targets (N,)",
        )
    check_signs(name, t)
    y: Tensor = _cosine_embedding_loss(a, b, t, float(margin), reduction=reduction)
    return y


def check_cosine(name: str, margin: Any) -> None:
    """Refuse a margin that no cosine reaches."""
    number(name, margin=margin)
    if not -1 <= margin <= 1:
        raise ArgumentError(f"{name}: margin={margin!r}", expected="−1 ≤ margin ≤ 1: it is a cosine")


# ── triplets ────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=as_prediction)
def _margin_of(near: Any, far: Any, margin: Any, *other: Any, reduction: str) -> Any:
    return reduce(relu(margin + near - (minimum(far, other[0]) if other else far)), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, ‖a − p‖ − ‖a − n‖ + margin): the positive should be nearer to the anchor than the negative is.

    Vectors (N, d) or (d,), and the distance of order ``p``; with ``swap`` the negative's distance from the positive
    counts where it is smaller.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> a, p, n = wf.tensor([[0.0]]), wf.tensor([[1.0]]), wf.tensor([[4.0]])
    >>> float(F.triplet_margin_loss(a, p, n)), round(float(F.triplet_margin_loss(a, n, p)), 3)
    (0.0, 4.0)
    """
    check_positive("triplet_margin_loss", margin=margin)
    number("triplet_margin_loss", 0, p=p, eps=eps)
    distance = lambda a, b: pairwise_distance(a, b, p, eps)
    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` by a distance of one's own, a function of two tensors; Euclid's by default.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> a, p, n = wf.tensor([[0.0]]), wf.tensor([[1.0]]), wf.tensor([[1.5]])
    >>> float(F.triplet_margin_with_distance_loss(a, p, n, distance_function=lambda x, y: abs(x - y).sum(axis=-1)))
    0.5
    """
    name = "triplet_margin_with_distance_loss"
    check_positive(name, margin=margin)
    if not (distance_function is None or callable(distance_function)):
        raise ArgumentError(
            f"{name}: distance_function={distance_function!r}", expected="a function of two tensors, or None"
        )
    distance = distance_function if distance_function is not None else pairwise_distance
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    name: str, anchor: Any, positive: Any, negative: Any, distance: Distance, margin: float, swap: bool, reduction: str
) -> Tensor:
    check_reduction(name, reduction)
    a, p = operands(name, anchor, positive, real=False)
    n = as_tensor(negative)
    for what, other in (("positive", p), ("negative", n)):
        check_equal(name, a, other, what)
    to = as_prediction((a.dtype,))[0]  # squares of differences leave the range of 16 bits
    a, p, n = (x if x.dtype is to else x.astype(to) for x in (a, p, n))
    swapped = (distance(p, n),) if swap else ()
    y: Tensor = _margin_of(distance(a, p), distance(a, n), float(margin), *swapped, reduction=reduction)
    return y
