"""Clipping by hand, and penalties as terms of the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from weft.errors import ArgumentError, DTypeError, GradientError
from weft.graph.recording import context
from weft.nn.check import number, positive
from weft.ops.arithmetic import abs, clip
from weft.ops.exponential import sqrt
from weft.optim.groups import check_patterns, path_of
from weft.optim.plan import clipping, computing
from weft.tensor import Tensor, as_tensor


def clip_norm(gradients: Sequence[Any], most: float) -> tuple[list[Tensor], Tensor]:
    """Gradients scaled down together to a norm of at most ``most``, and the norm that they had.

    norm = √(Σ‖g‖²);  g ← g · min(1, most/norm)

    A norm that is not finite makes every gradient NaN, so that it cannot pass unseen: look at the norm to leave the
    step out, ``if math.isfinite(norm): opt.update(parameters, clipped)``.

    >>> import weft as wf
    >>> from weft import optim
    >>> clipped, norm = optim.clip_norm([wf.tensor([3.0, 4.0])], 1.0)
    >>> float(norm), [round(x, 3) for x in clipped[0].tolist()]
    (5.0, [0.6, 0.8])
    """
    positive("clip_norm", most=most)
    with context.set(tracking=False):
        gradients = as_gradients("clip_norm", gradients)
        given = [g.astype(computing(g.dtype)) for g in gradients]
        norm = sqrt(sum((g * g).sum() for g in given))
        share = clipping(norm, most)
        return [(x * share.astype(x.dtype)).astype(g.dtype) for x, g in zip(given, gradients, strict=True)], norm


def clip_value(gradients: Sequence[Any], most: float) -> list[Tensor]:
    """Gradients of which no element is larger than ``most`` in size.

    >>> import weft as wf
    >>> from weft import optim
    >>> optim.clip_value([wf.tensor([3.0, -0.5])], 1.0)[0].tolist()
    [1.0, -0.5]
    """
    positive("clip_value", most=most)
    with context.set(tracking=False):
        return [clip(g, -most, most) for g in as_gradients("clip_value", gradients)]


def penalty(
    model: Any, l1: float = 0.0, l2: float = 0.0, *, groups: Mapping[str, Mapping[str, float]] | None = None
) -> Any:
    """Σ l1·‖w‖₁ + l2·‖w‖²/2 over the parameters with at least two axes, as a term to add to a loss.

    ``groups`` gives other factors by pattern of paths, for any parameter: {"0.*": {"l1": 1e-4}}. Penalties that only
    move the weights, and do not show in the loss, are the settings ``l1`` and ``l2`` of every optimizer.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> layer = nn.Linear(2, 1)
    >>> layer.weight.assign([[3.0, -4.0]]) is layer.weight
    True
    >>> float(optim.penalty(layer, l1=1.0)), float(optim.penalty(layer, l2=1.0))
    (7.0, 12.5)
    """
    for given in ({"l1": l1, "l2": l2}, *(groups or {}).values()):
        if unknown := set(given) - {"l1", "l2"}:
            raise ArgumentError(f"penalty with {min(unknown)!r} for a group", expected="'l1' or 'l2'")
        number("penalty", 0, **given)
    check_patterns(groups or {}, model.parameters())
    total: Any = 0.0
    for _, p in model.named_parameters():
        factors = {"l1": l1, "l2": l2} if p.ndim > 1 else {"l1": 0.0, "l2": 0.0}
        for pattern, given in (groups or {}).items():
            if fnmatchcase(path_of(p), pattern):
                factors |= given
        if factors["l1"]:
            total = total + factors["l1"] * abs(p).sum()
        if factors["l2"]:
            total = total + factors["l2"] / 2 * (p * p).sum()
    return total


def as_gradients(name: str, gradients: Any) -> list[Tensor]:
    """The gradients as tensors; a missing one, and one of whole numbers, which has no share, are refused."""
    found = []
    for g in gradients:
        if g is None:
            raise GradientError(
                f"{name}: None among the gradients",
                expected="tensors",
                cure=f"{name}([g for g in gradients if g is not None], …)",
            )
        found.append(as_tensor(g))
        if not found[-1].dtype.is_differentiable:
            raise DTypeError(f"{name}: a gradient of type {found[-1].dtype.name}", expected="floating-point numbers")
    return found
