"""Averages: the averages of the weights that an optimizer keeps, measured after each epoch, and the best kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.dataset import Dataset
from weft.errors import ArgumentError
from weft.optim.averaging import Averaged, put
from weft.tensor import Tensor
from weft.train.callback import Callback
from weft.train.sources import measured_outside

if TYPE_CHECKING:
    from weft.nn.module import Module
    from weft.train.loop import Loop
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]


class Averages(Callback):
    """Measures the averages of the weights that ``optim.EMA(…)`` or ``optim.SWA(…)`` keeps, and keeps the best of them.

    The averages themselves cost nothing extra: they are moved in the program of the optimizer's step. After each
    epoch the validation loss at the averages stands in the column ``val_loss_average``; the lowest so far is kept
    with its weights. Buffers are those of the training weights: after `wf.nn.BatchNorm2d` and its like see
    `wf.optim.update_batch_statistics`.

    ``best``       the lowest validation loss of the averages
    ``best_epoch`` when that was
    ``apply``      puts these averages into a model

    >>> import weft as wf
    >>> adam = wf.optim.EMA(wf.optim.Adam(1e-2), decay=0.9)
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", adam, callbacks=[Averages()])
    >>> run = trainer.fit(wf.data.iris(), validation=0.2, epochs=3, verbose=False)
    >>> run.callbacks[0].best == min(run.history["val_loss_average"])
    True
    """

    columns = ("val_loss_average",)

    def __init__(self) -> None:
        self.best, self.best_epoch = math.inf, 0
        self._weights: dict[str, Array] | None = None

    def before_fit(self, loop: Loop) -> None:
        if not any(isinstance(part.optimizer, Averaged) for part in loop.trainer.parts):
            optimizer = type(loop.trainer.parts[0].optimizer).__name__
            raise ArgumentError(
                f"Averages() with the optimizer {optimizer}, which keeps no averages",
                expected="an optimizer of averages",
                cure=f"optim.EMA(optim.{optimizer}(…), decay=0.999)",
            )
        if not loop.course.n_val:
            raise ArgumentError(
                "Averages() without validation data",
                expected="data on which averages and weights are compared",
                cure="fit(…, validation=0.2)",
            )

    def measure(self, loop: Loop) -> dict[str, float]:
        found = averages_of(loop.trainer)
        loss = loss_at(loop.trainer, found, loop.course.n_val)
        if loss < self.best:
            self.best, self.best_epoch, self._weights = loss, loop.standing.done, found
        return {"val_loss_average": loss}

    def weights_to_hold(self, loop: Loop) -> tuple[Mapping[str, Array], str] | None:
        """The averages and a sentence on them, if they are better than the best weights; asked when a fit has ended."""
        lowest = float(loop.course.best_loss)
        if self._weights is None or not self.best < lowest:
            return None
        return self._weights, (
            f"the model holds the averages of its weights in epoch {self.best_epoch}: their validation loss is "
            f"{self.best:.4g}, that of the best weights {lowest:.4g}"
        )

    def apply(self, model: Module) -> None:
        """Give ``model`` the best averages."""
        if self._weights is None:
            raise ArgumentError("no averages yet", expected="those of a fit", cure="run.callbacks[0].apply(model)")
        for path, w in (*model.named_parameters(), *model.named_buffers()):
            w.assign(self._weights[path])


def averages_of(trainer: Trainer) -> dict[str, Array]:
    """The averages by path, as copies; of buffers, and of parameters that nothing averages, the values."""
    named = (*trainer.model.named_parameters(), *trainer.model.named_buffers())
    values = {path: np.array(p.numpy()) for path, p in named}
    for part in trainer.parts:
        if isinstance(part.optimizer, Averaged):
            module = getattr(trainer.model, part.name) if part.name else trainer.model
            prefix = f"{part.name}." if part.name else ""
            found = part.optimizer.averages(module, part.state)
            values |= {prefix + path: np.array(value) for path, value in found.items()}
    return values


def loss_at(trainer: Trainer, weights: Mapping[str, Array], n_val: int) -> float:
    """The validation loss at other weights; the model has its own again afterwards."""
    parameters = dict(trainer.model.named_parameters())
    kept = {path: np.array(p.numpy()) for path, p in parameters.items()}
    prepared = trainer.prepared
    assert prepared is not None
    held_out = prepared.held_out
    try:
        put(trainer.model, dict(weights))
        in_memory = isinstance(held_out, Dataset)
        if in_memory:
            return float(trainer.per_example(held_out)[0].mean())
        return float(trainer.measure.over_all(measured_outside(trainer, prepared)[:, :n_val])[0].mean())
    finally:
        for path, value in kept.items():
            parameters[path].assign(Tensor(value))
