"""What losses refuse: arguments swapped, activations applied twice, targets outside their range."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from weft.errors import ArgumentError, DataError, DTypeError
from weft.graph.node import Node
from weft.graph.recording import whereabouts
from weft.nn.functional.convolution import _conv as conv
from weft.nn.functional.linear import _linear as linear
from weft.nn.functional.softmax import _softmax as softmax_op
from weft.ops.conversion import cast
from weft.ops.exponential import sigmoid
from weft.ops.shape import permute_op, reshape_op
from weft.tensor import Tensor, as_tensor

_checked: WeakKeyDictionary[Node, set[str]] = WeakKeyDictionary()  # what was found in order, once for each tensor
ACTIVATIONS = {softmax_op: "softmax", sigmoid: "sigmoid"}
LOGITS = {linear: "linear layer", conv: "convolution"}  # what makes numbers of any size
VIEWS = {reshape_op, permute_op, cast}  # what shows the same numbers in another form


def operands(loss: str, prediction: Any, target: Any, *, real: bool = True) -> tuple[Tensor, Tensor]:
    """Prediction and target as tensors; a prediction of whole numbers is refused, and with ``real`` a complex one."""
    p, t = as_tensor(prediction), as_tensor(target)
    if not p.dtype.is_differentiable:
        raise swapped(loss, p, t)
    if real and p.dtype.kind == "complex":  # its square would be no size of an error
        raise DTypeError(
            f"{loss}: a prediction of type {p.dtype.name}",
            expected="real numbers",
            where=whereabouts(),
            cure=f"{loss}(wf.real(prediction), wf.real(target)) plus the same of wf.imag",
        )
    return p, t


def swapped(name: str, x: Tensor, t: Tensor) -> DTypeError:
    if t.dtype.is_differentiable:
        return DTypeError(
            f"{name}: the prediction is {x.dtype.name} {x.shape} and the target {t.dtype.name} {t.shape}: "
            "they look swapped",
            expected=f"{name}(prediction, target)",
            where=whereabouts(),
            cure=f"{name}(target, prediction) with the names as they are here",
        )
    return DTypeError(
        f"{name}: a prediction of type {x.dtype.name}",
        expected="floating-point results of a model",
        where=whereabouts(),
    )


def source(x: Tensor) -> Node:
    """What ``x`` shows in another shape, order or type, as far as its history is kept."""
    node = x.node
    while node.op in VIEWS and node.inputs:
        node = node.inputs[0]
    return node


def refuse_activation(loss: str, x: Tensor, own: str, instead: str) -> None:
    """Refuse the result of a softmax or sigmoid where the loss applies one, its ``own``, itself."""
    made = source(x)
    if made.op not in ACTIVATIONS:
        return
    applied = ACTIVATIONS[made.op]
    raise ArgumentError(
        f"{applied} applied twice: {loss} applies it itself and got the result of one"
        if applied == own
        else f"{loss} of the result of a {applied}: it takes logits and applies {own} itself",
        expected="logits: what comes before the activation",
        where=f"{whereabouts()}\nthe {applied} is at {made.place}",
        cure=f"leave the {applied} layer out of the model and apply it to predictions only; or {instead}",
    )


def refuse_logits(loss: str, p: Tensor, cure: str) -> None:
    """Refuse the result of a linear layer or of a convolution where probabilities are due."""
    made = source(p)
    if made.op in LOGITS:
        raise ArgumentError(
            f"{loss} takes probabilities and got the result of a {LOGITS[made.op]}",
            expected="numbers in [0, 1]",
            where=made.place or None,
            cure=cure,
        )


def refuse_probabilities(loss: str, x: Tensor) -> None:
    """Refuse the result of a softmax where logarithms of probabilities are due."""
    made = source(x)
    if made.op is softmax_op:
        raise ArgumentError(
            f"{loss} of probabilities: it takes their logarithms",
            expected="the result of log_softmax",
            where=made.place,
            cure="log_softmax(x) instead of softmax(x)" + (", or cross_entropy of the logits" if "nll" in loss else ""),
        )


# ── values of targets, where they are known ─────────────────────────────────────────────────────────────────


def check_probabilities(loss: str, target: Tensor) -> None:
    """Refuse targets outside [0, 1]."""
    _check(
        target,
        "probabilities",
        lambda y: ~((y < 0) | (y > 1)),
        f"{loss}: a target of",
        "targets in [0, 1]",
        lambda y: (
            f"{loss}(target, prediction) with the names as they are here, if they are swapped; "
            "(target + 1) / 2 if the targets are −1 and 1"
            if (y < 0).any()
            else f"target / {y.max():g} if these are shares of {y.max():g}; cross_entropy if they are class numbers"
        ),
    )


def check_predicted(loss: str, prediction: Tensor) -> None:
    """Refuse predictions outside [0, 1]."""
    _check(
        prediction,
        "probabilities",
        lambda y: ~((y < 0) | (y > 1)),
        f"{loss}: a prediction of",
        "probabilities in [0, 1]",
        lambda y: "wf.sigmoid(prediction) or F.softmax(prediction, axis=1) if these are logits",
    )


def check_signs(loss: str, target: Tensor) -> None:
    """Refuse targets other than −1 and 1."""
    _check(
        target,
        "signs",
        lambda y: (y == 1) | (y == -1),
        f"{loss}: a target of",
        "targets −1 and 1",
        lambda y: "2 * target - 1" if set(np.unique(y)) <= {0, 1} else "target: 1 for yes, −1 for no",
    )


def check_not_negative(loss: str, what: str, values: Tensor, cure: str) -> None:
    """Refuse numbers below 0."""
    _check(values, "not negative", lambda y: ~(y < 0), f"{loss}: {what} of", f"{what} ≥ 0", lambda y: cure)


def _check(tensor: Tensor, kind: str, holds: Any, received: str, expected: str, cure: Any) -> None:
    node = tensor.node
    if node.data is None or kind in _checked.setdefault(node, set()):
        return
    values = np.asarray(node.data)
    values = values.astype(np.float64) if values.dtype.kind not in "biuf" else values  # bfloat16
    wrong = ~holds(values)
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        place = f" at index {at[0] if len(at) == 1 else at}" if at else ""
        raise DataError(
            f"{received} {values[at]:g}{place} ({int(wrong.sum())} of {values.size} are out of range)",
            expected=expected,
            where=whereabouts(),
            cure=cure(values),
        )
    _checked[node].add(kind)
