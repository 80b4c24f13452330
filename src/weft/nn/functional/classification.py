"""Losses of classes that exclude each other: cross-entropy on logits, and on log-probabilities.

Each is one entry of a recording; its gradient, softmax − target, another.
"""

from __future__ import annotations

import math
from typing import Any

from weft.errors import ArgumentError, ShapeError, is_whole
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.nn.check import fraction
from weft.nn.functional.guards import operands, refuse_activation, refuse_probabilities
from weft.nn.functional.labels import check_labels
from weft.nn.functional.reduction import check_reduction, labels_as_they_are, reduce, valid
from weft.nn.functional.softmax import log_shares
from weft.ops.comparison import where
from weft.ops.creation import iota_op
from weft.tensor import Tensor, as_tensor


@function(takes=labels_as_they_are)
def _cross_entropy(
    x: Any, target: Any, *weight: Any, reduction: str, smoothing: float, ignore_index: int, logs: bool
) -> Any:
    # With q = weight · target for each class: Σ q · −log softmax(x), whose gradient is Σq · softmax(x) − q.
    axis = class_axis(x)
    classes = x.shape[axis]
    whole = not target.dtype.is_differentiable
    _check_target(x, target, whole)
    each = weight[0].reshape(*(classes if k == axis else 1 for k in range(x.ndim))) if weight else 1
    costs = -x if logs else -log_shares(x, axis=axis)  # −log p of each class
    if not whole:
        q = (target * (1 - smoothing) + smoothing / classes if smoothing else target) * each
        # A class that is out of the question (a logit of −∞) and has no share costs nothing.
        return reduce((q * where((q == 0) & (x == -math.inf), 0, costs)).sum(axis=axis), reduction)
    target = target.astype(int64)  # narrow unsigned labels cannot be compared with −100
    right = is_label(target, x, axis)
    losses = where(right, costs * each, 0).sum(axis=axis)
    if smoothing:
        losses = (1 - smoothing) * losses + smoothing / classes * (costs * each).sum(axis=axis)
    kept = target != ignore_index
    losses = where(kept, valid(losses, target, classes), 0)
    if reduction != "mean":
        return reduce(losses, reduction)
    counted = where(kept, where(right, each, 0).sum(axis=axis), 0).sum() if weight else kept.astype(x.dtype).sum()
    return losses.sum() / where(counted == 0, 1, counted)


def class_axis(x: Any) -> int:
    """The axis of the classes: (classes,) or (N, classes, …)."""
    return 1 if x.ndim > 1 else 0


def is_label(target: Any, x: Any, axis: int) -> Any:
    """Of each element of ``x`` whether it stands at the place along ``axis`` that its label names."""
    # By comparison, which fuses with what uses it; no scatter.
    number = iota_op(shape=x.shape, axis=axis, dtype=int64)
    return number == target.expand_dims(axis=axis)


def _check_target(x: Any, target: Any, whole: bool) -> None:
    if x.ndim == 0:
        raise ShapeError("cross_entropy: a prediction without axes", expected="(classes,) or (N, classes, …)")
    axis = class_axis(x)
    expected = x.shape[:axis] + x.shape[axis + 1 :] if whole else x.shape
    if target.shape == expected:
        return
    kind = "labels" if whole else "probabilities"
    raise ShapeError(
        f"cross_entropy: {kind} of shape {target.shape} for logits of shape {x.shape}, "
        f"which have {x.shape[axis]} classes along axis {axis}",
        expected=f"{'labels' if whole else 'probabilities'} of shape {expected}",
        cure=_target_cure(x, target, expected, whole),
    )


def _target_cure(x: Any, target: Any, expected: tuple[int, ...], whole: bool) -> str | None:
    if whole and target.shape == x.shape:
        return "target.astype(wf.float32) if these are one-hot"
    if target.shape == (*expected, 1):
        return "target.squeeze(-1)"
    if not whole and target.shape == x.shape[:-1]:
        return "target.astype(wf.int64) if these are class numbers"
    return None


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """−log softmax(logits)[target], the cross-entropy of classes; from logits, without overflow.

    ``logits`` (N, classes, …) or (classes,): rows, sequences (N, classes, L), images (N, classes, H, W). ``target``:
    class numbers (N, …), or probabilities in the shape of the logits. ``weight`` (classes,) weighs the classes;
    ``ignore_index`` marks labels to leave out; with ``label_smoothing`` ε the target is (1 − ε)·target + ε/classes.
    The mean of class numbers is divided by the sum of the weights of the labels, as in PyTorch; where all labels are
    left out, the mean is 0 and so is its gradient.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.cross_entropy(wf.tensor([[0.0, 0.0]]), wf.tensor([1]))), 4)
    0.6931
    """
    x, t = operands("cross_entropy", logits, target)
    refuse_activation("cross_entropy", x, "softmax", "nll_loss(log(probabilities), target)")
    y: Tensor = _apply_cross_entropy("cross_entropy", x, t, weight, ignore_index, label_smoothing, reduction, False)
    return y


def nll_loss(
    log_probabilities: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """−log_probabilities[target], the negative log-likelihood, from what `log_softmax` gives.

    Shapes and arguments are those of `cross_entropy`.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> float(F.nll_loss(wf.tensor([[-3.0, -0.5]]), wf.tensor([1])))
    0.5
    """
    x, t = operands("nll_loss", log_probabilities, target)
    refuse_probabilities("nll_loss", x)
    y: Tensor = _apply_cross_entropy("nll_loss", x, t, weight, ignore_index, 0.0, reduction, True)
    return y


def check_ignored(name: str, ignore_index: Any) -> None:
    """Refuse a label to leave out that no label can be."""
    if not is_whole(ignore_index):
        raise ArgumentError(
            f"{name}: ignore_index={ignore_index!r}", expected="a whole number", cure="ignore_index=-100 for none"
        )


def _apply_cross_entropy(
    name: str, x: Tensor, t: Tensor, weight: Any, ignore_index: int, smoothing: float, reduction: str, logs: bool
) -> Any:
    check_reduction(name, reduction)
    fraction(name, label_smoothing=smoothing)
    check_ignored(name, ignore_index)
    if not t.dtype.is_differentiable and x.ndim:
        axis = class_axis(x)
        check_labels(t, x.shape[axis], ignore_index, x.shape, axis, name)
    weights = () if weight is None else (as_tensor(weight),)
    if weights and weights[0].shape != (x.shape[class_axis(x)],):
        raise ShapeError(
            f"{name}: weight of shape {weights[0].shape}",
            expected=f"one number per class: ({x.shape[class_axis(x)]},)",
        )
    return _cross_entropy(
        x, t, *weights, reduction=reduction, smoothing=float(smoothing), ignore_index=ignore_index, logs=logs
    )
