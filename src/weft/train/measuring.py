"""What is measured of a model in evaluation mode: the loss and the metrics of each example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.control import scan
from weft.nn.losses import Loss
from weft.nn.module import Module
from weft.ops.assembling import stack
from weft.ops.creation import full
from weft.ops.manipulation import broadcast_to, reshape
from weft.runtime.mesh import Mesh
from weft.tensor import Tensor, as_tensor
from weft.train.meshing import across
from weft.train.metrics import Metric
from weft.train.precision import Precision
from weft.train.step import Batch, Part, answer

CHUNK = 1024  # examples evaluated at once
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Measure:
    """The loss and the metrics by which a model is judged; where there is only a step of one's own, its loss and logs.

    Such a step says what a batch costs, not what an example does: each example then counts as the mean of its batch.
    """

    model: Module
    loss: Loss | None
    metrics: Sequence[Metric]
    precision: Precision
    own: Callable[..., Any] | None = None
    names: tuple[str, ...] = ()
    parts: Sequence[Part] = ()
    labelled: bool = True
    mesh: Mesh | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """What is measured, by name."""
        return ("loss", *((m.name for m in self.metrics) if self.loss is not None else self.names))

    @property
    def by_example(self) -> bool:
        """Whether each example has a loss of its own."""
        return self.loss is not None

    @property
    def weighted(self) -> bool:
        """Whether examples count differently, as with labels that are left out."""
        return self.loss is not None and (
            self.loss.weights is not None or any(m.weights is not None for m in self.metrics)
        )

    def examples(self, x: Any, y: Any) -> Any:
        """The loss and each metric of every example, (1 + M, n), and as many rows of weights if it is `weighted`."""
        x, y = across(x, self.mesh), across(y, self.mesh)
        with self.precision.computing(self.model):
            if self.loss is not None:
                prediction = self.model(self.precision.given(x)).detach()
                measured = [self.loss.each(prediction, y), *(m.per_example(prediction, y) for m in self.metrics)]
                if self.weighted:
                    ones = full(x.shape[:1], 1.0)
                    weights = self.loss.weight_of_each(y)
                    measured.append(ones if weights is None else weights)
                    measured += [ones if m.weights is None else m.weights(y) for m in self.metrics]
            else:
                assert self.own is not None
                losses, logs = answer(
                    self.own(self.model, Batch(self.precision.given(x), y if self.labelled else None)), self.parts
                )
                means = [sum(losses[1:], losses[0]), *(as_tensor(logs[name]) for name in self.names)]
                measured = [broadcast_to(v.detach(), (x.shape[0],)) for v in means]
        return stack([m.astype(self.precision.counted) for m in measured])

    def over_all(self, found: Any) -> Any:
        """What `examples` gives of a whole data set as numbers (1 + M, n) whose plain means are loss and metrics."""
        if not self.weighted:
            return found
        rows = len(self.columns)
        means = found[rows:].mean(axis=1, keepdims=True)
        return found[:rows] / (means + (means == 0).astype(means.dtype))

    def chunks(self, x: Tensor, y: Tensor) -> Tensor:
        """The same, (1 + M, chunks · size), of data in chunks (chunks, size, …)."""
        if x.shape[0] == 1:
            return self.examples(x[0], y[0])
        _, found = scan(lambda _, chunk: (None, self.examples(*chunk)), None, (x, y))
        return reshape(found.permute_dims(1, 0, 2), (found.shape[1], -1))


def laid_out(parts: Sequence[tuple[Array, Array]], *, by_example: bool) -> list[tuple[Array, Array]]:
    """Data sets one after the other in chunks, (chunks, size, …).

    Where each example has a number of its own all of them go together, and the last chunk is filled up. Where a batch
    has one, no chunk may mix two sets or be filled up: what is left over is a chunk by itself.
    """
    if by_example:
        return [(chunked(np.concatenate([x for x, _ in parts])), chunked(np.concatenate([y for _, y in parts])))]
    found = []
    for x, y in parts:
        whole = len(x) // CHUNK * CHUNK
        cuts = [slice(0, whole)] * (whole > 0) + [slice(whole, len(x))] * (whole < len(x))
        found += [(chunked(x[cut]), chunked(y[cut])) for cut in cuts]
    return found


def chunked(a: Array) -> Array:
    """Rows in chunks of one size, (chunks, size, …); the last chunk is filled up with the first row again."""
    size = min(len(a), CHUNK)
    chunks = -(-len(a) // size)
    rows = np.concatenate([np.arange(len(a)), np.zeros(chunks * size - len(a), int)])
    return a[rows].reshape(chunks, size, *a.shape[1:])
