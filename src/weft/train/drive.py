"""The host's side of a fit: it sends orders, receives rows, adapts the length of a launch, and says how it goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.order import batches, permutation
from weft.errors import ArgumentError
from weft.runtime.interrupt import held_back
from weft.tensor import Tensor
from weft.train.course import Course
from weft.train.progress import Progress

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]
UPDATES = 0.2  # seconds between two signs of life
SMALL = 4e9  # floating-point operations of an epoch that is not worth interrupting
ROWS = 1 << 21  # indices sent to the device at once


class Drive:
    """The host's side of a fit: sends orders, receives rows, adapts the length of a launch, and says how it goes."""

    def __init__(
        self,
        trainer: Trainer,
        course: Course,
        n: int,
        batch_size: int,
        shuffle: Any,
        patience: int | None,
        on_epoch: Any,
        verbose: bool,
    ) -> None:
        self.trainer, self.course, self.n, self.batch_size, self.shuffle = trainer, course, n, batch_size, shuffle
        self.patience = patience if patience is not None else 1 << 40
        self.on_epoch, self.verbose = on_epoch, verbose
        self.steps, self.rest = batches(n, batch_size)
        self.stretch = int(np.clip(ROWS // max(n, 1), 1, 256))  # epochs of one launch at most

    def run(self, epochs: int) -> str:
        """Train; why it ended."""
        trainer = self.trainer
        with Progress(epochs, trainer.epoch, self.verbose) as self.progress:
            try:
                return self.many_epochs(epochs) if self.is_small() else self.many_batches(epochs)
            except KeyboardInterrupt:
                return "interrupted"

    @property
    def launches(self) -> str:
        """How the work went to the device, and why."""
        if not self.is_small():
            return "stretches of batches: an epoch is too much work to wait for"
        most = (
            f"one epoch at a time, because {self.each} wants each" if self.each else f"up to {self.stretch} at a time"
        )
        return f"whole epochs, evaluation included, {most}: an epoch is little work"

    @property
    def each(self) -> str:
        """Who wants to see the model after every epoch, so that no launch may be longer."""
        return "on_epoch" if self.on_epoch else ", ".join(self.trainer.watched) if self.trainer._watch_on else ""

    def is_small(self) -> bool:
        """Whether an epoch is so little work that whole epochs go into one launch."""
        weights = sum(p.size for p in self.course.parameters)
        return 6.0 * self.n * weights < SMALL and not any(p.ndim > 2 for p in self.course.parameters)

    def order(self, epoch: int) -> Array:
        """The order of the examples in an epoch, counted from 0."""
        if callable(self.shuffle):
            given = np.asarray(self.shuffle(epoch))
            if sorted(given.tolist()) != list(range(self.n)):
                raise ArgumentError(f"shuffle({epoch}) gave no order of {self.n} examples", expected="each index once")
            return given.astype(np.int32)
        return permutation(self.n, self.trainer.seed, epoch) if self.shuffle else np.arange(self.n, dtype=np.int32)

    # ── small work: whole epochs in one program ─────────────────────────────────────────────────────────────

    def many_epochs(self, epochs: int) -> str:
        trainer, course = self.trainer, self.course
        last = trainer.epoch + epochs
        if trainer.initial is None:
            with held_back():
                trainer.initial = float(self.launch_epochs(0)[0]["train_loss"])
        count = 1
        while trainer.epoch < last:
            started = time.perf_counter()
            with held_back():
                rows = self.launch_epochs(min(count, last - trainer.epoch))
                for row in rows:
                    self.ended(row)
            if not bool(course.finite):
                return "diverged"
            if course.n_val and int(course.epoch) - int(course.best_epoch) >= self.patience:
                return "patience" if trainer.epoch < last else "epochs"
            took = (time.perf_counter() - started) / max(len(rows), 1)
            count = 1 if self.each else int(np.clip(UPDATES / max(took, 1e-6), 1, self.stretch))
        return "epochs"

    def launch_epochs(self, count: int) -> list[dict[str, float]]:
        """Train ``count`` epochs in one launch, or only evaluate where that is 0."""
        trainer, full = self.trainer, self.steps * self.batch_size
        orders = np.zeros((self.stretch, self.n), np.int32)
        for k in range(count):
            orders[k] = self.order(trainer.epoch + k)
        batched = orders[:, :full].reshape(self.stretch, self.steps, self.batch_size)
        rests = np.ascontiguousarray(orders[:, full:])[:, None] if self.rest else None
        done, table, _, _ = self.course.run_epochs(
            np.ascontiguousarray(batched), rests, self.steps if count else 0, max(count, 1), self.patience
        )
        return [dict(zip(trainer.measured, row.tolist(), strict=True)) for row in table.numpy()[: int(done)]]

    # ── large work: a stretch of batches in one program ─────────────────────────────────────────────────────

    def many_batches(self, epochs: int) -> str:
        trainer, course = self.trainer, self.course
        last = trainer.epoch + epochs
        if trainer.initial is None:
            with held_back():
                trainer.initial = float(self.end_epoch(0)["train_loss"])
        while trainer.epoch < last:
            self.one_epoch()
            with held_back():
                self.ended(self.end_epoch(1))
            if not bool(course.finite):
                return "diverged"
            if course.n_val and int(course.epoch) - int(course.best_epoch) >= self.patience:
                return "patience" if trainer.epoch < last else "epochs"
        return "epochs"

    def one_epoch(self) -> None:
        """All batches of an epoch, in launches as long as the time between two updates."""
        course, order = self.course, self.order(self.trainer.epoch)
        course.model.train()
        full = np.ascontiguousarray(order[: self.steps * self.batch_size].reshape(self.steps, self.batch_size))
        on_device, first, count = Tensor(full), 0, 1
        while first < self.steps and bool(course.finite):
            started = time.perf_counter()
            with held_back():
                sums = course.run_batches(on_device, first, min(first + count, self.steps)).numpy()
            done = min(first + count, self.steps) - first
            first += done
            self.progress.batch(first, self.steps, self.trainer.epoch + 1, float(sums[0] / max(sums[1], 1)))
            took = (time.perf_counter() - started) / done
            count = int(np.clip(UPDATES / max(took, 1e-6), 1, 2 * count))
        if self.rest and bool(course.finite):
            with held_back():
                course.run_batches(np.ascontiguousarray(order[None, -self.rest :]), 0, 1)

    def end_epoch(self, counts: int) -> dict[str, float]:
        self.course.model.eval()
        row, _ = self.course.run_epoch_end(counts)
        return dict(zip(self.trainer.measured, row.tolist(), strict=True))

    def ended(self, row: dict[str, float]) -> None:
        """Note the row of an epoch that has ended."""
        trainer = self.trainer
        assert trainer.history is not None
        trainer.epoch += 1
        row = row | trainer.watch()
        trainer.history.append(list(row.values()))
        self.progress.epoch(trainer.epoch, row)
        if self.on_epoch is not None:
            self.on_epoch(trainer.epoch, row)
