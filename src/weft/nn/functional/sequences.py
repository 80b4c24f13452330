"""Connectionist temporal classification: the likelihood of a sequence of labels, over all its layouts in time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from weft.control import scan
from weft.errors import ArgumentError, DataError, ShapeError, is_whole
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.graph.op import Casts, Kind
from weft.graph.recording import whereabouts
from weft.nn.functional.guards import operands, refuse_probabilities
from weft.nn.functional.reduction import as_prediction, check_reduction, reduce
from weft.ops.arithmetic import maximum
from weft.ops.assembling import concat
from weft.ops.comparison import where
from weft.ops.creation import full, iota_op
from weft.ops.exponential import logaddexp
from weft.ops.indexing import take_along_op
from weft.tensor import Tensor, as_tensor

NEVER = -1e30  # the logarithm of no probability at all: finite, so that differences of two of them are numbers


def _takes(kinds: tuple[Kind, ...]) -> Casts:
    return (*as_prediction(kinds[:1]), *(int64 for _ in kinds[1:]))


@function(takes=_takes)
def _ctc_loss(
    x: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: Any, *, reduction: str, zero_infinity: bool
) -> Any:
    # Graves et al. 2006: α over the labels with blanks between them, in logarithms; a step stays, moves on by one,
    # or skips the blank between two different labels.
    steps, n, _ = x.shape
    within = iota_op(shape=targets.shape, axis=1, dtype=int64) < target_lengths.expand_dims(axis=1)
    targets = where(within, targets, blank)  # whatever fills the rest, such as −100, is no class
    places = 2 * targets.shape[1] + 1
    labels = _with_blanks(targets, blank)
    emitted = take_along_op(x, labels.expand_dims(axis=0).broadcast_to(steps, n, places), axis=2)
    emitted = maximum(emitted, NEVER)
    skips = (labels != blank) & (labels != _moved(labels, 2, -1))
    place = iota_op(shape=(n, places), axis=1, dtype=int64)
    start = where((place < 2) & (place < 2 * target_lengths.expand_dims(axis=1) + 1), emitted[0], NEVER)

    def step(alpha: Any, at: tuple[Any, Any]) -> tuple[Any, None]:
        emits, t = at
        ways = logaddexp(alpha, _moved(alpha, 1, NEVER))
        ways = logaddexp(ways, where(skips, _moved(alpha, 2, NEVER), NEVER))
        return where((t < input_lengths).expand_dims(axis=1), maximum(ways + emits, NEVER), alpha), None

    number = iota_op(shape=(steps, 1), axis=0, dtype=int64)[1:]
    last, _ = scan(step, start, (emitted[1:], number))
    ends = 2 * target_lengths.expand_dims(axis=1)
    total = where((place == ends) | (place == ends - 1), last, NEVER).logsumexp(axis=1)
    nothing = (input_lengths == 0) & (target_lengths == 0)
    possible = (total > NEVER / 2) & (input_lengths > 0)
    losses = where(possible, -total, where(nothing, 0, 0 if zero_infinity else math.inf))
    if reduction == "mean":
        return (losses / maximum(target_lengths, 1).astype(x.dtype)).mean()
    return reduce(losses, reduction)


def _with_blanks(targets: Any, blank: Any) -> Any:
    """(N, S) labels as blank, label, blank, …, blank (N, 2S + 1)."""
    n, s = targets.shape
    blanks = (targets * 0 + blank).expand_dims(axis=2)
    pairs = concat([blanks, targets.expand_dims(axis=2)], axis=2).reshape(n, 2 * s)
    return concat([pairs, full((n, 1), 0, dtype=int64) + blank], axis=1)


def _moved(x: Any, by: int, filler: float) -> Any:
    """The columns moved to the right by ``by``."""
    by = min(by, x.shape[1])
    return concat([full((x.shape[0], by), filler, dtype=x.dtype), x[:, : x.shape[1] - by]], axis=1)


def ctc_loss(
    log_probabilities: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    *,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """−log P(targets | inputs), over all alignments of a sequence of labels with a longer one of frames; Graves 2006.

    ``log_probabilities`` (T, N, C), what `log_softmax` gives, or (T, C); ``targets`` (N, S) padded at the end, or
    all sequences one after the other (sum of the lengths,); lengths of inputs and targets (N,). ``blank`` is the
    class of no label. "mean" divides each loss by the length of its target, then averages over the batch. A target
    that does not fit into its frames has the loss ∞, or with ``zero_infinity`` 0; its gradient is 0 either way.
    The gradient is the derivative with respect to the log-probabilities; that with respect to logits before
    `log_softmax` equals PyTorch's.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> frames = F.log_softmax(wf.zeros((2, 1, 3)))
    >>> round(float(F.ctc_loss(frames, wf.tensor([[1]]), [2], [1])), 4)  # 3 of 9 alignments
    1.0986
    """
    check_reduction("ctc_loss", reduction)
    x, t = operands("ctc_loss", log_probabilities, targets)
    refuse_probabilities("ctc_loss", x)
    lengths = [as_tensor(v) for v in (input_lengths, target_lengths)]
    single = x.ndim == 2
    if single:
        x = x.expand_dims(axis=1)
        lengths = [v.reshape(1) for v in lengths]
    if x.ndim != 3:
        raise ShapeError(
            f"ctc_loss: log-probabilities of shape {x.shape}", expected="(frames, N, classes) or (frames, classes)"
        )
    steps, n, classes = x.shape
    if not is_whole(blank, 0, classes - 1):
        raise ArgumentError(f"ctc_loss: blank={blank}", expected=f"0 ≤ blank < {classes}, the number of classes")
    for name, v in zip(("input_lengths", "target_lengths"), lengths, strict=True):
        if v.shape != (n,) or v.dtype.is_differentiable:
            raise ShapeError(f"ctc_loss: {name} {v.dtype.name} {v.shape}", expected=f"{n} whole numbers")
    if t.ndim == 1:
        t = t.reshape(1, -1) if single else _padded(t, lengths[1], n)
    _check(t, lengths, steps, n, classes, blank)
    if steps == 0:
        raise ShapeError(f"ctc_loss: no frames: {x.shape}", expected="(frames, N, classes)")
    y: Tensor = _ctc_loss(x, t, *lengths, int(blank), reduction=reduction, zero_infinity=zero_infinity)
    return y.reshape(()) if single else y


def _padded(targets: Tensor, lengths: Tensor, n: int) -> Tensor:
    """Sequences one after the other as rows (N, longest)."""
    counts, flat = lengths.numpy(), targets
    if counts.sum() != targets.shape[0]:
        raise ShapeError(
            f"ctc_loss: {targets.shape[0]} labels one after the other for target_lengths that sum to {counts.sum()}",
            expected="targets (N, S), or (sum of target_lengths,)",
        )
    longest = int(counts.max(initial=0))
    first = np.cumsum(counts) - counts
    at = np.minimum(first[:, None] + np.arange(longest), max(targets.shape[0] - 1, 0))
    return flat[as_tensor(at)] if targets.shape[0] else flat.reshape(n, 0)


def _check(t: Tensor, lengths: list[Tensor], steps: int, n: int, classes: int, blank: int) -> None:
    if t.ndim != 2 or t.shape[0] != n or t.dtype.is_differentiable:
        raise ShapeError(f"ctc_loss: targets {t.dtype.name} {t.shape}", expected=f"class numbers ({n}, S)")
    for name, v, most in zip(("input_lengths", "target_lengths"), lengths, (steps, t.shape[1]), strict=True):
        if v.node.data is not None and v.shape[0]:
            low, high = int(np.min(v.node.data)), int(np.max(v.node.data))
            if low < 0 or high > most:
                raise DataError(
                    f"ctc_loss: {name} from {low} to {high}", expected=f"0 ≤ length ≤ {most}", where=whereabouts()
                )
    if t.node.data is None or lengths[1].node.data is None or not t.shape[1]:
        return
    values, counts = np.asarray(t.node.data), np.asarray(lengths[1].node.data)
    used = np.arange(t.shape[1]) < counts[:, None]
    wrong = used & ((values < 0) | (values >= classes) | (values == blank))
    if wrong.any():
        row, place = (int(k) for k in np.argwhere(wrong)[0])
        raise DataError(
            f"ctc_loss: label {values[row, place]} at place {place} of sequence {row}",
            expected=f"0 ≤ label < {classes}, and not the blank, {blank}",
            where=whereabouts(),
            cure="labels + 1, where 0 is the blank" if blank == 0 and values[used].min() == 0 else None,
        )
