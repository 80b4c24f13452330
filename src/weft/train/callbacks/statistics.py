"""Statistics and LearningRate: columns that show how training goes inside the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ArgumentError
from weft.optim.schedules.schedule import HOST, Schedule, evaluate
from weft.train.callback import Callback
from weft.train.firstbatch import few, look_at
from weft.train.options import several, whole

if TYPE_CHECKING:
    from weft.train.loop import Loop
    from weft.train.step import Part

Array = np.ndarray[Any, Any]
COLUMNS = ("weight_max", "update_ratio", "gradient_norm", "dead_units")


class Statistics(Callback):
    """Columns on the weights, their updates, the gradient, and ReLUs that are dead; measured every so many epochs.

    ``weight_max``     the largest |w| of what is trained. Healthy: a few units, and after the first epochs no longer
                       growing; more and more: a learning rate too high, or weight decay is missing
    ``update_ratio``   ‖ΔW‖ / ‖W‖ over the epoch, of all that is trained together. Healthy: falling from about 0.1 to
                       0.001; 1 and more: the weights are thrown about; below 1e-5: nothing is learned
    ``gradient_norm``  ‖∂loss/∂W‖ in evaluation mode on at most 256 of the training rows that are measured after each
                       epoch. Healthy: falling slowly; growing by powers of ten announces divergence; 0 means that
                       nothing reaches the weights
    ``dead_units``     the share of ReLU units that are zero for every one of these rows, and so learn nothing. Healthy:
                       below 0.1; 0.4 and more: a learning rate too high, or inputs that are not scaled

    What is not measured in an epoch is NaN: ``dead_units`` without a ReLU, the gradient with a step of one's own.
    ``of`` chooses among the columns.

    >>> import weft as wf
    >>> model = wf.nn.Sequential(wf.nn.Linear(8), wf.nn.ReLU(), wf.nn.Linear(3))
    >>> trainer = wf.Trainer(model, "cross_entropy", callbacks=[Statistics(every=2)])
    >>> run = trainer.fit(wf.data.iris(), epochs=2, verbose=False)
    >>> run.history["weight_max"][0], run.history["update_ratio"][1] < 1
    (nan, True)
    """

    def __init__(self, every: int = 1, of: Sequence[str] = COLUMNS) -> None:
        whole("every", every, 1, of="Statistics")
        chosen = several(of)
        for name in chosen:
            if name not in COLUMNS:
                raise ArgumentError(f"Statistics(of={name!r})", expected=f"some of {', '.join(COLUMNS)}")
        self.every, self.columns = every, chosen
        self._before: dict[str, Array] | None = None  # the weights at the beginning of the epoch

    def due(self, loop: Loop) -> bool:
        """Whether the epoch in progress is one that is measured."""
        return (loop.standing.done + 1) % self.every == 0

    def before_epoch(self, loop: Loop) -> None:
        if loop.batch == 0:  # else the fit goes on within an epoch, and this is known
            self._before = weights(loop) if self.due(loop) and "update_ratio" in self.columns else None

    def measure(self, loop: Loop) -> dict[str, float]:
        values = dict.fromkeys(self.columns, math.nan)
        if loop.standing.done % self.every:
            return values
        now = weights(loop)
        if now:
            values["weight_max"] = max(float(np.abs(w).max(initial=0)) for w in now.values())
        if self._before is not None:
            values["update_ratio"] = ratio(self._before, now)
            self._before = None
        return values | (gradient(loop) if {"gradient_norm", "dead_units"} & set(self.columns) else {})


def weights(loop: Loop) -> dict[str, Array]:
    """Copies of what is trained now, by path."""
    return {path: np.array(p.numpy(), np.float32) for path, p in loop.model.named_parameters() if p.requires_grad}


def ratio(before: Mapping[str, Array], now: Mapping[str, Array]) -> float:
    """‖now − before‖ / ‖before‖ over all arrays that both have.

    >>> ratio({"w": np.array([3.0, 4.0])}, {"w": np.array([3.0, 4.5])})
    0.1
    """
    paths = [path for path in now if path in before]
    moved = math.sqrt(sum(float(np.square(now[p] - before[p], dtype=np.float64).sum()) for p in paths))
    size = math.sqrt(sum(float(np.square(before[p], dtype=np.float64).sum()) for p in paths))
    return moved / size if size else math.nan


def gradient(loop: Loop) -> dict[str, float]:
    """The norm of the gradient, and the share of dead units, on the rows that are measured after each epoch."""
    trainer = loop.trainer
    if trainer.loss is None or trainer.prepared is None:
        return {}
    sample = trainer.prepared.sample
    found = look_at(trainer.model, trainer.loss, *few(sample.x, sample.y))
    norms = [n for n in found.norms.values() if n is not None]
    dead = list(found.dead.values())
    return {
        "gradient_norm": math.hypot(*norms),
        "dead_units": sum(dead) / len(dead) if dead else math.nan,
    }


class LearningRate(Callback):
    """The column ``learning_rate``: what the next step of the optimizer will use, a schedule's value included.

    Where a trainer has several optimizers, ``of`` names one of them and the column ``learning_rate_…``; parameters in
    groups may have rates of their own.

    >>> import weft as wf
    >>> halved = wf.optim.SGD(wf.optim.Step(0.1, every=15, factor=0.5))
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", halved, callbacks=[LearningRate()])
    >>> trainer.fit(wf.data.iris(), epochs=3, batch_size=15, verbose=False).history["learning_rate"]
    [0.1, 0.05, 0.025]
    """

    def __init__(self, of: str = "") -> None:
        self.of = of
        self.columns = (f"learning_rate_{of}" if of else "learning_rate",)

    def before_fit(self, loop: Loop) -> None:
        names = [part.name for part in loop.trainer.parts]
        if self.of not in names:
            raise ArgumentError(
                f"LearningRate({self.of!r})",
                expected=f"one of {', '.join(map(repr, names))}"
                if names != [""]
                else "no name: there is one optimizer",
                cure=f"LearningRate({names[0]!r})" if names[0] else "LearningRate()",
            )

    def measure(self, loop: Loop) -> dict[str, float]:
        part = next(part for part in loop.trainer.parts if part.name == self.of)
        return {self.columns[0]: rate_of(part)}


def rate_of(part: Part) -> float:
    """The learning rate of the next step."""
    rate, state = part.optimizer.learning_rate, part.state
    if not isinstance(rate, Schedule):
        return float(rate)
    steps = max((int(group.clock) for group in state.groups), default=state.clock)
    memories = (state.memory(schedule).numpy() for schedule in rate.remembering)
    return float(evaluate(rate.structure, HOST, np.float64(steps), iter(rate.flat), memories))
