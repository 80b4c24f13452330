"""Snapshots: copies of the weights along the way, of which `Run.animate` makes a film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from weft.train.callback import Callback
from weft.train.options import whole

if TYPE_CHECKING:
    from weft.train.loop import Loop

Array = np.ndarray[Any, Any]

MOST_BYTES = 1 << 28
"""What all copies together may take; of a model too large for that every other one is let go."""


class Snapshots(Callback):
    """Keeps copies of the weights along the way: before training, then evenly spaced epochs, and the last one.

    ``count``  at most so many (2 or more). As nobody knows when training will end, all epochs are kept at first; when
               there are too many, every other copy is let go and from then on twice as many epochs passed over. At the
               end there are between half as many and all of them
    ``every``  instead: the copy of every so many epochs, however many that becomes

    In either case the copies take 256 MB at most. It wants each epoch, so that no launch is longer than one.

    ``epochs``   the epochs of the copies, 0 before training
    ``weights``  the copies: arrays by path

    >>> import weft as wf
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", callbacks=[Snapshots(count=4)])
    >>> run = trainer.fit(wf.data.iris(), epochs=9, verbose=False)
    >>> run.callbacks[0].epochs, sorted(run.callbacks[0].weights[0])
    ([0, 4, 8, 9], ['bias', 'weight'])
    """

    def __init__(self, count: int = 60, *, every: int | None = None) -> None:
        whole("count", count, 2, of="Snapshots")
        if every is not None:
            whole("every", every, 1, of="Snapshots")
        self.count, self.every = count, every
        self.stride = every or 1
        self.epochs: list[int] = []
        self.weights: list[dict[str, Array]] = []

    def before_fit(self, loop: Loop) -> None:
        while len(self.epochs) > 1 and self.epochs[-1] % self.stride:  # the last one of a fit that goes on
            self.epochs.pop()
            self.weights.pop()
        if not self.epochs:
            self.take(loop)

    def after_epoch(self, loop: Loop) -> None:
        if loop.standing.done % self.stride == 0:
            self.take(loop)
            while len(self.epochs) >= self.most:  # there is room for the last one
                self.thin()

    def after_fit(self, loop: Loop) -> None:
        if loop.standing.done != self.epochs[-1]:
            self.take(loop)

    def take(self, loop: Loop) -> None:
        """Copy the weights as they are now."""
        self.weights.append({path: np.array(w.numpy()) for path, w in loop.course.weights.items()})
        self.epochs.append(loop.standing.done)

    @property
    def most(self) -> int:
        """How many copies there may be."""
        size = sum(a.nbytes for a in self.weights[-1].values())
        room = max(2, MOST_BYTES // max(size, 1))
        return room if self.every is not None else min(room, self.count)

    def thin(self) -> None:
        """From now on pass over twice as many epochs, and let go what was kept in between; the first copy stays."""
        self.stride *= 2
        keep = [k for k, epoch in enumerate(self.epochs) if k == 0 or epoch % self.stride == 0]
        self.epochs, self.weights = [self.epochs[k] for k in keep], [self.weights[k] for k in keep]

    def __repr__(self) -> str:
        return f"Snapshots(every={self.every})" if self.every is not None else f"Snapshots({self.count})"
