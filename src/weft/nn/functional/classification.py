"""Losses of classes: cross-entropy on logits, on probabilities, and on log-probabilities.

Each is one entry of a recording; its gradient, softmax − target, another.
"""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.graph.node import wrap
from weft.nn.functional.labels import check_labels, here
from weft.nn.functional.linear import _linear as linear
from weft.nn.functional.reduction import as_prediction, check_equal, check_reduction, labels_as_they_are, reduce
from weft.nn.functional.softmax import _softmax as softmax_op
from weft.ops.arithmetic import clip
from weft.ops.comparison import where
from weft.ops.creation import iota_op
from weft.ops.exponential import log, sigmoid, softplus
from weft.tensor import Tensor, as_tensor


@function(takes=labels_as_they_are)
def _cross_entropy(
    x: Any, target: Any, *weight: Any, reduction: str, smoothing: float, ignore_index: int, logs: bool
) -> Any:
    # With q = weight · target for each class: Σ q (log Σ exp x − x), whose gradient is Σq · softmax(x) − q.
    axis = _class_axis(x)
    classes = x.shape[axis]
    whole = not target.dtype.is_differentiable
    _check_target(x, target, whole)
    each = weight[0].reshape(*(classes if k == axis else 1 for k in range(x.ndim))) if weight else 1
    target = target.astype(int64) if whole else target  # narrow unsigned labels cannot be compared with −100
    kept = target != ignore_index if whole else True
    q = _one_hot(target, x, axis) if whole else target
    counted = (q * each).sum(axis=axis) if whole else None  # the weight of each label
    if smoothing:
        q = q * (1 - smoothing) + smoothing / classes
    q = q * each
    if logs:
        losses = -(q * x).sum(axis=axis)
    else:
        losses = (q * (x.logsumexp(axis=axis, keepdims=True) - x)).sum(axis=axis)
    if not whole:
        return reduce(losses, reduction)
    losses = where(kept, losses, 0)
    if reduction == "mean":
        return losses.sum() / where(kept, counted, 0).sum()
    return reduce(losses, reduction)


def _class_axis(x: Any) -> int:
    return 1 if x.ndim > 1 else 0


def _one_hot(target: Any, x: Any, axis: int) -> Any:
    # By comparison, which fuses with what uses it; no scatter.
    number = iota_op(shape=x.shape, axis=axis, dtype=int64)
    return (number == target.expand_dims(axis=axis)).astype(x.dtype)


def _check_target(x: Any, target: Any, whole: bool) -> None:
    if x.ndim == 0:
        raise ShapeError("cross_entropy: a prediction without axes", expected="(classes,) or (N, classes, …)")
    axis = _class_axis(x)
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

    ``logits`` (N, classes, …) or (classes,). ``target``: class numbers (N, …), or probabilities in the shape of the
    logits. ``weight`` (classes,) weighs the classes; ``ignore_index`` marks labels to leave out; with
    ``label_smoothing`` ε the target is (1 − ε)·target + ε/classes. The mean of class numbers is divided by the sum
    of the weights of the labels, as in PyTorch.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.cross_entropy(wf.tensor([[0.0, 0.0]]), wf.tensor([1]))), 4)
    0.6931
    """
    x, t = as_tensor(logits), as_tensor(target)
    if x.node.op is softmax_op:
        raise twice("softmax", x, "cross_entropy", "nll_loss(log(probabilities), target)")
    y: Tensor = _apply_cross_entropy("cross_entropy", x, t, weight, ignore_index, label_smoothing, reduction, False)
    return y


def nll_loss(
    log_probabilities: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """−log_probabilities[target], the negative log-likelihood, from what `log_softmax` gives.

    Shapes and arguments are those of `cross_entropy`.
    """
    x, t = as_tensor(log_probabilities), as_tensor(target)
    if x.node.op is softmax_op:
        raise ArgumentError(
            "nll_loss of probabilities: it takes their logarithms",
            expected="the result of log_softmax",
            where=x.node.place,
            cure="log_softmax(x) instead of softmax(x), or cross_entropy of the logits",
        )
    y: Tensor = _apply_cross_entropy("nll_loss", x, t, weight, ignore_index, 0.0, reduction, True)
    return y


def _apply_cross_entropy(
    name: str, x: Tensor, t: Tensor, weight: Any, ignore_index: int, smoothing: float, reduction: str, logs: bool
) -> Any:
    check_reduction(name, reduction)
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"{name}: label_smoothing={smoothing}", expected="0 ≤ label_smoothing ≤ 1")
    if not x.dtype.is_differentiable:
        raise swapped(name, x, t)
    if not t.dtype.is_differentiable and x.ndim:
        axis = _class_axis(x)
        check_labels(t, x.shape[axis], ignore_index, x.shape, axis)
    weights = () if weight is None else (as_tensor(weight),)
    if weights and weights[0].shape != (x.shape[_class_axis(x)],):
        raise ShapeError(
            f"{name}: weight of shape {weights[0].shape}",
            expected=f"one number per class: ({x.shape[_class_axis(x)]},)",
        )
    return _cross_entropy(
        x, t, *weights, reduction=reduction, smoothing=float(smoothing), ignore_index=ignore_index, logs=logs
    )


def swapped(name: str, x: Tensor, t: Tensor) -> DTypeError:
    if t.dtype.is_differentiable:
        return DTypeError(
            f"{name}: the prediction is {x.dtype.name} {x.shape} and the target {t.dtype.name} {t.shape}: "
            "they look swapped",
            expected=f"{name}(prediction, target)",
            where=here(),
            cure=f"{name}(target, prediction) with the names as they are here",
        )
    return DTypeError(f"{name}: a prediction of type {x.dtype.name}", expected="floating-point logits of a model")


def twice(applied: str, x: Tensor, loss: str, instead: str) -> ArgumentError:
    return ArgumentError(
        f"{applied} applied twice: {loss} applies it itself and got the result of one",
        expected="logits: what comes before the activation",
        where=f"{here()}\nthe {applied} is at {x.node.place}",
        cure=f"leave the {applied} layer out of the model and apply it to predictions only; or {instead}",
    )


# ── two classes, or several that do not exclude each other ──────────────────────────────────────────────────


@function(takes=as_prediction)
def _bce(p: Any, target: Any, *weight: Any, reduction: str) -> Any:
    check_equal("binary_cross_entropy", p, target)
    # Logarithms are held at −100, as in PyTorch, so that a certain and wrong prediction has a finite loss.
    yes, no = (clip(log(q), -100.0, float("inf")) for q in (p, 1 - p))
    losses = -(target * yes + (1 - target) * no)
    return reduce(losses * weight[0] if weight else losses, reduction)


@function(takes=as_prediction)
def _bce_logits(x: Any, target: Any, *factors: Any, weighted: bool, reduction: str) -> Any:
    check_equal("binary_cross_entropy_with_logits", x, target)
    # log(1 + exp(−x)) = softplus(−x) and −log(1 − sigmoid(x)) = softplus(x).
    given = list(factors)
    weight = given.pop(0) if weighted else None
    if given:
        losses = (1 - target) * x + (1 + (given[0] - 1) * target) * softplus(-x)
    else:
        losses = softplus(x) - target * x
    return reduce(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy(probability: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Tensor:
    """−target·log(p) − (1 − target)·log(1 − p) for probabilities p in [0, 1]; all of one shape.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> round(float(F.binary_cross_entropy(wf.tensor([0.5]), wf.tensor([1.0]))), 4)
    0.6931
    """
    check_reduction("binary_cross_entropy", reduction)
    p, t = as_tensor(probability), as_tensor(target)
    if not p.dtype.is_differentiable:
        raise swapped("binary_cross_entropy", p, t)
    if p.node.op is linear:
        raise ArgumentError(
            "binary_cross_entropy takes probabilities and got the result of a linear layer",
            expected="numbers in [0, 1]",
            where=p.node.place or None,
            cure="binary_cross_entropy_with_logits, or nn.Sigmoid() as the last layer",
        )
    if p.node.op is sigmoid and p.node.inputs and weight is None:
        # From what came before the sigmoid, where nothing is lost to rounding.
        return binary_cross_entropy_with_logits(wrap(p.node.inputs[0]), t, reduction=reduction)
    y: Tensor = _bce(p, t, *(() if weight is None else (as_tensor(weight),)), reduction=reduction)
    return y


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """The same for p = sigmoid(logits), without overflow: softplus(x) − target·x.

    ``weight`` multiplies each loss, ``pos_weight`` the part of the positive targets.
    """
    check_reduction("binary_cross_entropy_with_logits", reduction)
    x, t = as_tensor(logits), as_tensor(target)
    if x.node.op is sigmoid:
        raise twice("sigmoid", x, "binary_cross_entropy_with_logits", "binary_cross_entropy(probabilities, target)")
    if not x.dtype.is_differentiable:
        raise swapped("binary_cross_entropy_with_logits", x, t)
    factors = [as_tensor(f) for f in (weight, pos_weight) if f is not None]
    y: Tensor = _bce_logits(x, t, *factors, weighted=weight is not None, reduction=reduction)
    return y
