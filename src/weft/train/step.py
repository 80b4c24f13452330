"""One training step, written as by hand: forward, gradients, update; kept only if all of it is finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from weft.control import scan
from weft.errors import ArgumentError
from weft.graph.gradient import backpropagate
from weft.graph.node import wrap
from weft.graph.recording import Trace, context
from weft.nn.losses import Loss
from weft.nn.module import Module
from weft.ops.comparison import isfinite, where
from weft.ops.creation import zeros
from weft.ops.statistics import all as all_true
from weft.optim.optimizer import Optimizer
from weft.optim.state import State
from weft.random import using
from weft.runtime.mesh import Mesh
from weft.tensor import Tensor, as_tensor
from weft.train.meshing import across
from weft.train.metrics import Metric
from weft.train.precision import LossScale, Precision
from weft.transforms.tracked import conjugated, one_for, untracked


class Batch(NamedTuple):
    """What a step of one's own gets: inputs and targets (None where the data has none)."""

    x: Any
    y: Any


@dataclass(eq=False)
class Part:
    """What one optimizer moves, by the gradient of one loss: the whole model, or the submodule of that name."""

    name: str
    optimizer: Optimizer
    state: State
    parameters: list[Tensor] = field(default_factory=list)


class Learned(NamedTuple):
    """What a batch (or a piece of one) gives: the weight of its mean, losses and gradients by part, measured sums."""

    weight: Any
    losses: list[Any]
    gradients: list[list[Any]]
    measured: list[Any]


@dataclass(eq=False)
class Step:
    """What is done with one batch.

    ``loss, metrics``   the loss and the per-example metrics of the built-in step
    ``own``             the user's step instead, ``(model, batch) -> (loss, logs)``
    ``names``           of the logs of the user's step
    ``parts``           what moves; several where the user's step gives a loss for each
    ``pieces``          in how many pieces, one after the other, a batch is computed; the update is that of the whole
    ``augment``         ``(x, y, keys) -> (x, y)``, with a key for each example
    ``mesh``            the devices among which a batch, or each piece of it, is divided
    """

    model: Module
    loss: Loss | None
    metrics: Sequence[Metric]
    parts: list[Part]
    precision: Precision
    scale: LossScale
    own: Callable[[Module, Batch], Any] | None = None
    names: tuple[str, ...] = ()
    pieces: int = 1
    augment: Callable[[Any, Any, Any], tuple[Any, Any]] | None = None
    guarded: bool = True
    labelled: bool = True
    mesh: Mesh | None = None

    @property
    def logged(self) -> tuple[str, ...]:
        """What is measured of each batch besides its loss, by name."""
        return self.names if self.own is not None else tuple(m.name for m in self.metrics)

    def choose(self) -> None:
        """Find what is to be trained now."""
        for part in self.parts:
            module = getattr(self.model, part.name) if part.name else self.model
            part.parameters = [p for p in module.parameters() if p.requires_grad]

    def __call__(self, x: Any, y: Any, keys: Any, dropout: Any) -> tuple[Any, Any, list[Any]]:
        """Train on a batch; whether all was finite, the loss, and the sums over examples of what is measured.

        ``keys`` (B, 2) are those of the examples, ``dropout`` is that of the step. Where something is not finite,
        nothing changes.
        """
        with using(dropout):
            x, y = across(x, self.mesh), across(y, self.mesh)
            ax, ay = (x, y) if self.augment is None else self.augment(x, y, keys)
            with self.kept_if_finite() as verdict:
                running = [(b, b.node) for b in self.model.buffers() if b.dtype.is_differentiable]
                learned = self.learn(ax, ay, y)
                finite = all_finite(learned, [b for b, before in running if b.node is not before])
                for part, grads in zip(self.parts, learned.gradients, strict=True):
                    part.optimizer.update(part.parameters, grads, part.state)
                verdict.append(finite)
        total = sum(learned.losses[1:], learned.losses[0]).detach().astype(self.precision.counted)
        return finite, total, learned.measured

    @contextmanager
    def kept_if_finite(self) -> Iterator[list[Any]]:
        """Whatever the block assigns keeps its old value unless what the block appends to the list holds."""
        trace = context.recording
        if not (self.guarded and isinstance(trace, Trace)):
            yield []
            return
        begun = {key: handle.node for key, (handle, _) in trace.writes.items()}
        verdict: list[Any] = []
        yield verdict
        with context.set(tracking=False):
            for key, (handle, first) in list(trace.writes.items()):
                handle.assign(where(verdict[0], handle, wrap(begun.get(key, first))))  # type: ignore[attr-defined]

    # ── losses and gradients ────────────────────────────────────────────────────────────────────────────────

    def learn(self, x: Any, y: Any, told: Any) -> Learned:
        """Losses and gradients of a batch, whole or in pieces; ``told`` are the targets before augmentation."""
        n = x.shape[0]
        size = -(-n // self.pieces)
        whole, rest = divmod(n, size)
        if whole == 1 and not rest:
            return self.piece(x, y, told)
        cut = [t[: whole * size].reshape(whole, size, *t.shape[1:]) for t in (x, y, told)]
        begun = self.nothing()

        def add(sums: Any, one: Any) -> tuple[Any, None]:
            return added(sums, self.piece(*one)), None

        sums, _ = scan(add, begun, tuple(cut))
        if rest:
            sums = added(sums, self.piece(*(t[whole * size :] for t in (x, y, told))))
        return divided(Learned(*sums))

    def nothing(self) -> tuple[Any, ...]:
        """The sums before the first piece."""
        count = len(self.logged)
        zero = as_tensor(0.0).astype(self.precision.hold)
        grads = [[zeros(p.shape, dtype=p.dtype) for p in part.parameters] for part in self.parts]
        return (zero, [zero for _ in self.parts], grads, [zero for _ in range(count)])

    def piece(self, x: Any, y: Any, told: Any) -> Learned:
        """Losses and gradients of examples that are computed at once."""
        x, y, told = (across(rows, self.mesh) for rows in (x, y, told))
        with self.precision.computing(self.model):
            losses, measured, weight = self.forward(self.precision.given(x), y, told)
        grads = []
        for part, loss in zip(self.parts, losses, strict=True):
            found = steepest(self.scale.scaled(loss), part.parameters)
            grads.append([self.scale.unscaled(g) for g in found])
        hold = self.precision.hold
        return Learned(weight, [v.detach().astype(hold) for v in losses], grads, [v.astype(hold) for v in measured])

    def forward(self, x: Any, y: Any, told: Any) -> tuple[list[Any], list[Any], Any]:
        """The loss of each part, the sums of what is measured, and what the loss is a mean over."""
        n = x.shape[0]
        if self.own is not None:
            losses, logs = answer(self.own(self.model, Batch(x, y if self.labelled else None)), self.parts)
            return losses, [as_tensor(logs[name]).detach() * n for name in self.names], as_tensor(float(n))
        assert self.loss is not None
        prediction = self.model(x)
        weight = as_tensor(self.loss.counted(prediction.detach(), y))
        measured = [m.total(prediction.detach(), told) for m in self.metrics]
        return [self.loss.function(prediction, y)], measured, weight


def steepest(loss: Any, parameters: Sequence[Tensor]) -> list[Any]:
    """The gradients of a loss; zeros for parameters from which no way leads to it, of which the run's notes tell."""
    if not loss.node.tracked:
        raise untracked(loss)
    found = backpropagate([loss], [one_for(loss)], [p.node for p in parameters])
    return [
        zeros(p.shape, dtype=p.dtype) if g is None else conjugated(g) for p, g in zip(parameters, found, strict=True)
    ]


def answer(made: Any, parts: Sequence[Part]) -> tuple[list[Any], Mapping[str, Any]]:
    """What a step of one's own returned: a loss (one for each part), and logs."""
    loss, logs = made if isinstance(made, tuple) and len(made) == 2 else (made, {})
    names = [part.name for part in parts]
    given = list(loss.values()) if isinstance(loss, Mapping) else [loss]
    if (set(loss) != set(names)) if isinstance(loss, Mapping) else names != [""]:
        made_of = f"losses of {', '.join(map(repr, loss))}" if isinstance(loss, Mapping) else "one loss"
        raise ArgumentError(
            f"the step returned {made_of}",
            expected=f"a loss for each optimizer: {', '.join(map(repr, names))}" if names != [""] else "one loss",
            cure=f"return {{{', '.join(f'{name!r}: …' for name in names)}}}, logs" if names != [""] else "return loss",
        )
    if isinstance(loss, Mapping):
        given = [loss[name] for name in names]
    for value in given:
        if not isinstance(value, Tensor) or value.shape != ():
            raise ArgumentError(
                f"the step returned {value!r} as a loss" if not isinstance(value, Tensor) else
                f"the step returned a loss of shape {value.shape}",
                expected="one number, a tensor of shape ()",
                cure="return loss.mean(), {\"accuracy\": …}",
            )  # fmt: skip
    if not isinstance(logs, Mapping):
        raise ArgumentError(f"the step returned logs of {type(logs).__name__}", expected="a dict: {name: number}")
    for name, value in logs.items():
        is_one = value.shape == () if isinstance(value, Tensor) else isinstance(value, int | float | np.number)
        if not (isinstance(name, str) and is_one):
            shown = f"of shape {value.shape}, {value.dtype.name}" if isinstance(value, Tensor) else repr(value)
            raise ArgumentError(
                f"the step logged {name!r}: {shown}",
                expected="a name, and one number: a tensor of shape ()",
                cure=f'logs = {{"{name}": value.mean()}}',
            )
    return given, logs


def all_finite(learned: Learned, buffers: Sequence[Tensor]) -> Any:
    """Whether every loss, every gradient and the buffers that have changed are finite, as one truth value."""
    finite = isfinite(learned.losses[0])
    for loss in learned.losses[1:]:
        finite = finite & isfinite(loss)
    for numbers in (*learned.gradients, buffers):
        for t in numbers:
            finite = finite & all_true(isfinite(t))
    return finite


def added(sums: Any, one: Learned) -> Any:
    """The sums with those of one more piece: each mean times its weight."""
    weight, losses, grads, measured = sums
    w = one.weight.astype(weight.dtype)
    return (
        weight + w,
        [a + w * b for a, b in zip(losses, one.losses, strict=True)],
        [[a + w * b for a, b in zip(p, q, strict=True)] for p, q in zip(grads, one.gradients, strict=True)],
        [a + b for a, b in zip(measured, one.measured, strict=True)],
    )


def divided(sums: Learned) -> Learned:
    """The means over all pieces; of nothing but ignored examples, 0."""
    weight = where(sums.weight == 0, 1.0, sums.weight)
    return Learned(
        sums.weight,
        [v / weight for v in sums.losses],
        [[g / weight for g in grads] for grads in sums.gradients],
        sums.measured,
    )
