"""Examples mixed with each other, and the targets that belong to them.

The partner of an example is the next one in its batch, that of the last is the first: these augmentations depend on
how batches are composed, and only the share of the partner depends on the example's key alone. Data is shuffled
anew for every epoch, so partners change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from weft.augment.augmentation import Augmentation, Pair, check_pictures, number
from weft.augment.crops import box, centred, drawn
from weft.augment.draws import apart, beta
from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.function import function
from weft.ops.arithmetic import clip, maximum, minimum, round
from weft.ops.comparison import greater_equal, less, logical_and, where
from weft.ops.conversion import cast
from weft.ops.exponential import sqrt
from weft.ops.manipulation import roll
from weft.ops.searching import one_hot
from weft.tensor import Tensor

# ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Mixing(Augmentation):
    """An augmentation that makes probabilities of labels, for which it has to know how many classes there are."""

    def with_classes(self, classes: int) -> Augmentation:
        known = getattr(self, "classes", None)
        if known not in (None, classes):
            raise ArgumentError(
                f"{self.name}: classes={known}, of a model or data with {classes} classes",
                expected=f"classes={classes}, or none given: training fills them in",
            )
        return replace(self, classes=classes)  # type: ignore[call-arg]  # a field of every subclass, which checks it


def check_classes(name: str, classes: Any) -> None:
    """Refuse a number of classes that is none."""
    if classes is not None and (isinstance(classes, bool) or not isinstance(classes, int) or classes < 2):
        raise ArgumentError(f"{name}: classes={classes!r}", expected="a whole number ≥ 2, or None")


def probabilities(name: str, y: Tensor, classes: int | None) -> Tensor:
    """Targets that can be mixed: labels (B,) as probabilities (B, classes), floating-point ones as they are.

    A label that is none of the classes gives NaN, which no training overlooks.
    """
    if y.dtype.is_floating:
        return y
    if y.dtype.kind == "complex":
        raise DTypeError(f"{name}: targets of type {y.dtype.name}", expected="labels, or real numbers")
    if y.ndim != 1:
        raise ShapeError(
            f"{name}: targets of whole numbers of shape {y.shape}",
            expected="labels (B,), or floating-point targets",
            cure="y[:, 0]" if y.ndim == 2 and y.shape[1] == 1 else "y.astype(wf.float32) if they are amounts",
        )
    if classes is None:
        raise ArgumentError(
            f"{name}: labels {y.shape} of an unknown number of classes",
            expected="the number of classes: mixed labels are probabilities (B, classes)",
            cure=f"{name}(…, classes=10), or .with_classes(10)",
        )
    y = y if y.dtype.is_integer else y.astype("int32")
    valid = logical_and(greater_equal(y, 0), less(y, classes))
    made: Tensor = where(valid.reshape(-1, 1), one_hot(where(valid, y, 0), classes), float("nan"))
    return made


def _applied(op: Any, mixing: MixUp | CutMix, x: Tensor, y: Any, keys: Tensor) -> Pair:
    targets = () if y is None else (probabilities(mixing.name, y, mixing.classes),)
    made = op(x, keys, float(mixing.alpha), *targets)
    return made[0], made[1] if targets else None


def _mixed(x: Any, share: Any) -> Any:
    """The share of each example, (B,), and what is left of the next one."""
    part = cast(share, dtype=x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
    return x * part + roll(x, -1, axis=0) * (1 - part)


# ── mixtures ────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=apart)
def _mixup(x: Any, keys: Any, alpha: Any, *targets: Any) -> Any:
    share = beta(keys, 0, alpha, alpha)
    return (_mixed(x, share), *(_mixed(y, share) for y in targets))


@dataclass(frozen=True)
class MixUp(_Mixing):
    """λ x + (1 − λ) x′ and the same of the targets, with λ ~ Beta(alpha, alpha) for each example: Zhang et al. 2017.

    x′ is the next example of the batch. Labels (B,) become probabilities (B, classes); training fills in
    ``classes``. Floating-point targets are mixed as they are. Examples may have any form.

    >>> import weft as wf
    >>> from weft.augment import MixUp, example_keys
    >>> x, y = MixUp(0.4, classes=2)(wf.tensor([[0.0], [1.0]]), wf.tensor([0, 1]), example_keys(0, 0, [0, 1]))
    >>> bool(wf.allclose(x[:, 0], y[:, 1]))
    True
    """

    alpha: float = 0.2
    classes: int | None = None

    def __post_init__(self) -> None:
        number(self.name, "alpha", self.alpha, 0, open=True)
        check_classes(self.name, self.classes)

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        return _applied(_mixup, self, x, y, keys)


@function(takes=apart)
def _cutmix(x: Any, keys: Any, alpha: Any, *targets: Any) -> Any:
    high, wide = x.shape[2:]
    side = sqrt(1 - beta(keys, 0, alpha, alpha)).reshape(-1, 1, 1, 1)
    height, width = round(side * high), round(side * wide)
    down, right = drawn(keys, 1, 2)
    top, left = centred(down, high, height), centred(right, wide, width)
    inside = box(x.shape, top, left, height, width)
    rows, columns = (
        minimum(first + length, n) - maximum(first, 0)
        for first, length, n in ((top, height, high), (left, width, wide))
    )
    share = 1 - clip(rows * columns / (high * wide), 0, 1).reshape(-1)
    return (where(inside, roll(x, -1, axis=0), x), *(_mixed(y, share) for y in targets))


@dataclass(frozen=True)
class CutMix(_Mixing):
    """A rectangle of the next example's picture laid over each picture, the targets mixed by area: Yun et al. 2019.

    The rectangle has the picture's form and (1 − λ) of its area, λ ~ Beta(alpha, alpha), its middle anywhere in the
    picture; what lies outside is cut off, and the targets are mixed by the area that is left. Labels (B,) become
    probabilities (B, classes); training fills in ``classes``. Floating-point targets are mixed as they are.

    >>> import weft as wf
    >>> from weft.augment import CutMix, example_keys
    >>> pictures = wf.stack([wf.zeros((1, 8, 8)), wf.ones((1, 8, 8))])
    >>> x, y = CutMix(classes=2)(pictures, wf.tensor([0, 1]), example_keys(0, 0, [0, 1]))
    >>> bool(wf.allclose(x.mean(axis=(1, 2, 3)), y[:, 1]))
    True
    """

    alpha: float = 1.0
    classes: int | None = None

    def __post_init__(self) -> None:
        number(self.name, "alpha", self.alpha, 0, open=True)
        check_classes(self.name, self.classes)

    def check_examples(self, x: Tensor) -> None:
        super().check_examples(x)
        check_pictures(self.name, x)

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        return _applied(_cutmix, self, x, y, keys)


# ── labels alone ────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=apart)
def _smooth(y: Any, kept: Any, spread: Any) -> Any:
    return y * cast(kept, dtype=y.dtype) + cast(spread, dtype=y.dtype)


@dataclass(frozen=True)
class LabelSmoothing(_Mixing):
    """Targets that are a little less sure: (1 − amount) · y + amount / classes; the examples stay as they are.

    Labels (B,) become probabilities (B, classes); training fills in ``classes``. Probabilities (B, classes) are
    smoothed as they are. In validation the targets stay sharp, unlike with a loss that smooths.

    >>> import weft as wf
    >>> from weft.augment import LabelSmoothing, example_keys
    >>> _, y = LabelSmoothing(0.25, classes=2)(wf.zeros((1, 3)), wf.tensor([1]), example_keys(0, 0, [0]))
    >>> y.tolist()
    [[0.125, 0.875]]
    """

    amount: float = 0.1
    classes: int | None = None
    settles = False

    def __post_init__(self) -> None:
        number(self.name, "amount", self.amount, 0, 1)
        check_classes(self.name, self.classes)

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        if y is None:
            return x, None
        y = probabilities(self.name, y, self.classes)
        if y.ndim != 2 or y.shape[1] < 2 or self.classes not in (None, y.shape[1]):
            wanted = "classes" if self.classes is None else self.classes
            raise ShapeError(
                f"{self.name}: targets of type {y.dtype.name} and shape {y.shape}",
                expected=f"labels (B,) of an integer type, or probabilities (B, {wanted})",
                cure="y.astype(wf.int64) if they are labels; amounts cannot be smoothed" if y.ndim == 1 else None,
            )
        return x, _smooth(y, 1.0 - self.amount, self.amount / y.shape[1])
