"""The base of metrics that are gathered over batches: a state of sums, so that parts in any order give the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from weft.errors import ArgumentError, DataError, DTypeError, ShapeError

Array = np.ndarray[Any, Any]
State = dict[str, Array]


class StreamingMetric:
    """A metric of a whole data set, gathered batch by batch: ``update``, ``merge``, ``compute``, ``reset``.

    ``state`` holds sums in float64 (or, where exactness needs them, all scores): states of batches, of devices and of
    machines add up, so that the result depends neither on how the data is cut nor on the order of the parts.
    ``note`` says after ``compute`` why a value is not defined (it is NaN then, or what the docstring says).

    >>> from weft.train.metrics import Accuracy
    >>> metric = Accuracy()
    >>> metric.update([0, 1, 1], [0, 1, 0]).update([1], [1]).compute()
    0.75
    """

    options: tuple[str, ...] = ()  # the attributes that two metrics must share to be merged
    takes = "probabilities"  # what `fit` hands it of a classifier: these, or "logits"

    def __init__(self) -> None:
        self.reset()

    # ── what a metric says ──────────────────────────────────────────────────────────────────────────────────

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        """The state of one batch."""
        raise NotImplementedError

    def result(self, state: State) -> Any:
        """The value of a state that is not empty."""
        raise NotImplementedError

    def add(self, first: State, second: State) -> State:
        """The state of two parts: their sums, laid out for as many classes as either has seen."""
        return {name: _padded_sum(first[name], second[name]) for name in first}

    # ── what people call ────────────────────────────────────────────────────────────────────────────────────

    def reset(self) -> Self:
        """Forget all batches."""
        self.state: State | None = None
        self.note = ""
        return self

    def update(self, prediction: Any, target: Any, weights: Any = None, mask: Any = None) -> Self:
        """Take in a batch; ``weights`` (N,) weigh the examples, and those where ``mask`` is False are left out.

        Both may have the shape of the targets instead, as for the pixels of images.
        """
        p, t = as_array(prediction), as_array(target)
        w = None if weights is None else self._weights(weights, t.shape)
        if p.ndim == 0 or t.ndim == 0:
            raise ShapeError(f"{self.name}: predictions {p.shape}, targets {t.shape}", expected="a batch: (N, …)")
        if len(p) != len(t):
            raise ShapeError(f"{self.name}: {len(p)} predictions for {len(t)} targets", expected="one for each")
        if mask is not None:
            kept = self._kept(mask)
            if kept.shape == (len(t),):
                p, t, w = p[kept], t[kept], w[kept] if w is not None else None
            elif kept.shape == t.shape:
                t, w = np.where(kept, t, np.zeros((), t.dtype)), spread_weights(w, t.shape) * kept
            else:
                raise ShapeError(f"{self.name}: a mask of shape {kept.shape}", expected=f"({len(t)},) or {t.shape}")
        if len(t):
            batch = self.sums(p, t, w)
            self.state = batch if self.state is None else self.add(self.state, batch)
        return self

    def _weights(self, weights: Any, shape: tuple[int, ...]) -> Array:
        w = as_array(weights).astype(np.float64)
        if not w.ndim or w.shape != shape[: w.ndim]:
            raise ShapeError(f"{self.name}: weights {w.shape} for targets {shape}", expected=f"{shape[:1]} or {shape}")
        wrong = ~(np.isfinite(w) & (w >= 0))
        if wrong.any():
            raise DataError(f"{self.name}: the weight {w[wrong][0]:g}", expected="finite weights ≥ 0")
        return w

    def _kept(self, mask: Any) -> Array:
        kept = as_array(mask)
        if not np.isin(kept, (0, 1)).all():
            raise DataError(
                f"{self.name}: a mask with {kept[~np.isin(kept, (0, 1))][0]:g}",
                expected="True and False",
                cure="weights=… for examples that count in part",
            )
        return kept.astype(bool)

    def merge(self, other: StreamingMetric | Mapping[str, Array]) -> Self:
        """Take in what another metric of the same kind, or its ``state``, has gathered."""
        if isinstance(other, StreamingMetric):
            if type(other) is not type(self) or self._settings() != other._settings():
                raise ArgumentError(
                    f"{self!r} merged with {other!r}", expected="a metric of the same kind with the same options"
                )
            given = other.state
        elif isinstance(other, Mapping) and (self.state is None or set(other) == set(self.state)):
            given = dict(other)
        else:
            names = f" with {', '.join(self.state)}" if self.state is not None else ""
            what = f"a state with {', '.join(other)}" if isinstance(other, Mapping) else repr(other)
            raise ArgumentError(
                f"{self.name}.merge of {what}", expected=f"a metric of the same kind, or its state{names}"
            )
        if given is not None:
            self.state = dict(given) if self.state is None else self.add(self.state, given)
        return self

    def compute(self) -> Any:
        """The value over all that was taken in."""
        if self.state is None:
            raise DataError(f"{self.name} of no examples", expected="update(prediction, target) before compute()")
        self.note = ""
        return self.result(self.state)

    def __call__(self, prediction: Any, target: Any, weights: Any = None, mask: Any = None) -> Any:
        """The value of one batch alone; what was gathered stays as it is."""
        kept = self.state
        try:
            return self.reset().update(prediction, target, weights, mask).compute()
        finally:
            self.state = kept

    def weightless(self) -> float:
        """NaN, and the note for it: what was taken in has no weight."""
        self.note = "all weights are 0"
        return math.nan

    @property
    def name(self) -> str:
        return type(self).__name__

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.options}

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self._settings().items())})"


class CollectingMetric(StreamingMetric):
    """A metric that needs all scores at once: its state is the scores, targets and weights themselves."""

    def sums(self, prediction: Array, target: Array, weights: Array | None) -> State:
        w = np.ones(len(target)) if weights is None else weights
        if w.ndim != 1:
            raise ShapeError(f"{self.name}: weights of shape {w.shape}", expected=f"({len(target)},)")
        return {"scores": np.array(prediction), "targets": np.array(target), "weights": np.array(w)}

    def add(self, first: State, second: State) -> State:
        for name in ("scores", "targets"):
            if first[name].shape[1:] != second[name].shape[1:]:
                raise ShapeError(
                    f"{self.name}: a batch of {name} (N, {second[name].shape[1:]}) after (N, {first[name].shape[1:]})",
                    expected="the same in every batch",
                )
        return {name: np.concatenate([first[name], second[name]]) for name in first}


def as_array(x: Any) -> Array:
    """The values of a tensor, array or list; 16-bit floating types as float32."""
    try:
        a = x.numpy() if hasattr(x, "numpy") else np.asarray(x)
    except ValueError:
        raise ShapeError("a list with parts of different lengths", expected="one length for each axis") from None
    if a.dtype.kind in "cOUSMm":  # a cast would drop imaginary parts, and make NaN of None
        raise DTypeError(
            f"metrics of {a.dtype}" + (f", such as {a.flat[0]!r}" if a.size else ""),
            expected="real numbers",
            cure="np.unique(labels, return_inverse=True)[1] numbers classes that have names"
            if a.dtype.kind in "OUS"
            else None,
        )
    if a.dtype.kind not in "biuf":
        a = a.astype(np.float32)  # bfloat16
    return a.astype(np.float32) if a.dtype == np.float16 else a


def _padded_sum(a: Array, b: Array) -> Array:
    if a.shape == b.shape:
        return a + b
    if a.ndim != b.ndim:
        raise ShapeError(f"states of shapes {a.shape} and {b.shape}", expected="batches of one kind")
    total = np.zeros(np.maximum(a.shape, b.shape))
    for part in (a, b):
        total[tuple(slice(n) for n in part.shape)] += part
    return total


def spread_weights(weights: Array | None, shape: tuple[int, ...]) -> Array:
    """A weight for each element of ``shape``, from one for each example or each element."""
    if weights is None:
        return np.ones(shape)
    return np.broadcast_to(weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim)), shape)
