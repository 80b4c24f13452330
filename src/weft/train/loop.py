"""The loop of a fit, on the host: it sends work to the device, receives rows, tells callbacks, and says how it goes."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ArgumentError
from weft.runtime.interrupt import held_back
from weft.tensor import Tensor
from weft.train.callback import Callback, SkipBatch, StopTraining, measured, wants
from weft.train.course import Course
from weft.train.gathering import baseline_of
from weft.train.guard import explain_measured, explain_trip
from weft.train.history import History
from weft.train.options import Method
from weft.train.progress import EVERY, Progress
from weft.train.supply import Block, Resident, Supply

if TYPE_CHECKING:
    from weft.nn.module import Module
    from weft.train.trainer import Trainer

SMALL = 4e9  # floating-point operations of an epoch that is not worth interrupting
ROWS = 1 << 21  # indices sent to the device at once
BATCH_EVENTS = ("before_batch", "after_batch")  # one who wants these sees the model after each batch,
WITHIN_EPOCH = (*BATCH_EVENTS, "before_validation")  # these, before it is measured,
EPOCH_EVENTS = ("before_epoch", "after_validation", "after_epoch", "measure")  # and these, after each epoch


@dataclass(eq=False)
class Standing:
    """How far training has come: what a later fit goes on from, and what a checkpoint holds besides tensors."""

    course: Course
    columns: tuple[str, ...]  # of the history, that the program computes
    history: History
    method: Method
    done: int = 0  # epochs
    position: int = 0  # batches of the epoch in progress
    begun: int = 0  # epochs before this call of `fit`, from which patience counts
    initial: float | None = None  # the training loss before training
    notes: list[str] = field(default_factory=list)  # what was found in training: a model that cannot learn, a NaN


class Loop:
    """A fit in progress, as callbacks see it.

    ``trainer, model``  what is being trained
    ``epoch``           the number of the epoch, from 1
    ``batch``           how many batches of it are done
    ``loss``            the running mean of the loss in it
    ``row``             what was measured at the end of the last epoch, by name
    ``history``         the table of the epochs so far
    """

    def __init__(
        self,
        trainer: Trainer,
        standing: Standing,
        supply: Supply,
        callbacks: list[Callback],
        *,
        patience: int | None,
        verbose: bool,
    ) -> None:
        self.trainer, self.standing, self.course, self.supply = trainer, standing, standing.course, supply
        self.callbacks = callbacks
        self.patience = patience if patience is not None else 1 << 40
        self.verbose = verbose
        n = supply.examples or 0
        self.count = 1  # batches of the next launch
        self.number = standing.done  # of the epoch in progress, or of the last one
        self.row: dict[str, float] = {}
        self.loss = float("nan")
        self.finite = True  # whether every number of the batches so far was
        self.final = False  # whether a fit that is resumed has nothing to go on with
        self.by_batch = any(wants(callbacks, event) for event in BATCH_EVENTS)
        self.stretch = 1 if self.each else int(np.clip(ROWS // max(n, 1), 1, 256))  # epochs of one launch at most

    # ── what callbacks look at ──────────────────────────────────────────────────────────────────────────────

    @property
    def model(self) -> Module:
        return self.trainer.model

    @property
    def epoch(self) -> int:
        """The number of the epoch that is in progress, or has just ended."""
        return self.number

    @property
    def batch(self) -> int:
        return self.standing.position

    @property
    def history(self) -> History:
        return self.standing.history

    @property
    def baseline(self) -> float:
        """The loss of the best prediction that ignores the input."""
        assert self.trainer.prepared is not None
        return baseline_of(self.course, self.trainer.prepared, self.trainer.loss, self.standing.initial)

    def tell(self, event: str) -> None:
        """Let the callbacks know."""
        for callback in wants(self.callbacks, event):
            self.call(callback, event)

    def call(self, callback: Callback, event: str) -> None:
        """Let one of them know."""
        try:
            getattr(callback, event)(self)
        except StopTraining:
            if event != "after_fit":  # then it has ended, and the others are to know
                raise
        except SkipBatch as error:
            if event == "before_batch":
                raise
            raise ArgumentError(
                f"SkipBatch in {type(callback).__name__}.{event}",
                expected="before_batch, whose batch is passed over",
                cure="StopTraining, which ends the fit at any event",
            ) from error

    # ── how the work is cut ─────────────────────────────────────────────────────────────────────────────────

    @property
    def each(self) -> str:
        """Who wants to see the model after every epoch, so that no launch may be longer."""
        names = [type(c).__name__ for c in self.callbacks if any(wants([c], event) for event in EPOCH_EVENTS)]
        return ", ".join([*names, *(self.trainer.watched if self.trainer.watches else [])])

    @property
    def in_whole_epochs(self) -> bool:
        """Whether an epoch is so little work that whole epochs go into one launch."""
        if not isinstance(self.supply, Resident) or any(wants(self.callbacks, event) for event in WITHIN_EPOCH):
            return False
        if self.course.evaluated is None or self.standing.position:
            return False
        parameters = [p for part in self.course.step.parts for p in part.parameters]
        work = 6.0 * (self.supply.examples or 0) * sum(p.size for p in parameters)
        return work < SMALL and not any(p.ndim > 2 for p in parameters)

    @property
    def launches(self) -> str:
        """How the work went to the device, and why."""
        if not self.in_whole_epochs:
            if self.by_batch:
                return "one batch at a time, because a callback wants each"
            why = "it is read while training" if not isinstance(self.supply, Resident) else "it is too much to wait for"
            return f"stretches of batches, not whole epochs: {why}"
        most = (
            f"one epoch at a time, because {self.each} wants each" if self.each else f"up to {self.stretch} at a time"
        )
        return f"whole epochs, evaluation included, {most}: an epoch is little work"

    # ── the loop ────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, last: int) -> str:
        """Train up to epoch ``last``; why it ended."""
        standing, self.last = self.standing, last
        with Progress(last - standing.done, standing.done, self.verbose) as self.progress:
            try:
                self.begin()
                self.refresh()
                if standing.initial is None:
                    self.measure_first()
                why = "" if bool(self.course.finite) else "diverged"
                while not why and standing.done < last:
                    self.number = standing.done + 1
                    self.tell("before_epoch")
                    self.refresh()
                    if self.in_whole_epochs:
                        self.whole_epochs()
                    else:
                        self.one_epoch()
                    why = self.verdict()
                self.final = why != ""
            except StopTraining as stop:
                why, self.final = stop.why, stop.final
            except KeyboardInterrupt:
                why = "interrupted"
            self.tell("after_fit")
        return why or "epochs"

    def begin(self) -> None:
        """Tell every callback that the fit begins, also those behind one that ends it at once."""
        ended: StopTraining | None = None
        for callback in wants(self.callbacks, "before_fit"):
            try:
                self.call(callback, "before_fit")
            except StopTraining as stop:
                ended = ended or stop
        if ended is not None:
            raise ended

    def verdict(self) -> str:
        """Why training ends now; nothing if it goes on."""
        course = self.course
        if not bool(course.finite):
            return "diverged"
        since = max(int(course.best_epoch), self.standing.begun)
        waited = course.n_val and int(course.epoch) - since >= self.patience
        return "patience" if waited and self.standing.done < self.last else ""

    def refresh(self) -> None:
        """Take note of parameters that have been frozen or freed since the programs were recorded."""
        before = [list(map(id, part.parameters)) for part in self.course.step.parts]
        self.course.step.choose()
        if before != [list(map(id, part.parameters)) for part in self.course.step.parts]:
            self.course.renew()

    def measure_first(self) -> None:
        """Measure the model before training: the first point of every curve."""
        with held_back():
            row = self.launch_epochs(0)[0] if self.in_whole_epochs else self.end_epoch(0)
            self.standing.initial = float(row["train_loss"])
            if not bool(self.course.finite):
                self.standing.notes.append(explain_measured(self.course, "before training"))
        for note in self.trainer.looked_over(self.standing.initial):
            self.standing.notes.append(note)
            self.progress.say(note)

    # ── small work: whole epochs in one program ─────────────────────────────────────────────────────────────

    def whole_epochs(self) -> None:
        """As many epochs as fit between two signs of life, or one if somebody wants each."""
        started, clock, skipped = time.perf_counter(), int(self.course.clock), int(self.course.skipped)
        with held_back():
            rows = self.launch_epochs(min(self.count, self.last - self.standing.done))
            if not bool(self.course.finite) and int(self.course.skipped) == skipped:  # every batch was
                epoch = self.standing.done + len(rows)
                self.standing.notes.append(explain_measured(self.course, f"after epoch {epoch}"))
            elif not bool(self.course.finite):
                batches = (self.supply.examples or 0) // self.supply.batch_size
                batches += bool((self.supply.examples or 0) % self.supply.batch_size)
                self.tripped(int(self.course.clock) - 1 - clock - (len(rows) - 1) * batches, len(rows))
            for row in rows:
                self.ended(row)
        self.tell("after_launch")
        took = (time.perf_counter() - started) / max(len(rows), 1)
        self.count = int(np.clip(EVERY / max(took, 1e-6), 1, self.stretch))

    def launch_epochs(self, count: int) -> list[dict[str, float]]:
        """Train ``count`` epochs in one launch, or only evaluate where that is 0."""
        assert isinstance(self.supply, Resident)
        n, size = self.supply.examples or 0, self.supply.batch_size
        steps, rest = divmod(n, size)
        orders = np.zeros((self.stretch, n), np.int32)
        for k in range(count):
            orders[k] = self.supply.order(self.standing.done + k)
        batched = orders[:, : steps * size].reshape(self.stretch, steps, size)
        rests = np.ascontiguousarray(orders[:, steps * size :])[:, None] if rest else None
        done, table, _, _ = self.course.run_epochs(
            np.ascontiguousarray(batched),
            rests,
            steps if count else 0,
            max(count, 1),
            self.patience,
            self.standing.begun,
        )
        return [self.named(row) for row in table.numpy()[: int(done)]]

    # ── large work: a stretch of batches in one program ─────────────────────────────────────────────────────

    def one_epoch(self) -> None:
        """All batches of an epoch, in launches as long as the time between two updates; then the measurements."""
        with closing(self.supply.blocks(self.standing.done, self.standing.position)) as blocks:  # type: ignore[type-var]
            for block, first in blocks:
                self.train_on(block, first)
                if not self.finite:
                    break
        self.tell("before_validation")
        with held_back():
            row = self.end_epoch(1)
            if self.finite and not bool(self.course.finite):
                self.standing.notes.append(explain_measured(self.course, f"after epoch {self.number}"))
            self.ended(row)
        self.tell("after_launch")

    def train_on(self, block: Block, begun: int) -> None:
        """The batches of a block, which begins with batch ``begun`` of the epoch."""
        standing, rows = self.standing, (block.x, block.y, block.index)
        while (at := standing.position - begun) < block.batches and self.finite:
            if self.by_batch and not self.wanted():
                standing.position += 1
                continue
            if at < block.steps:
                self.launch(rows, block.order, at, min(at + (1 if self.by_batch else self.count), block.steps))
            else:
                assert block.rest is not None
                self.launch(rows, block.rest, 0, 1)
            if self.by_batch:
                self.tell("after_batch")
            self.tell("after_launch")

    def wanted(self) -> bool:
        """Whether nobody passes over the next batch."""
        try:
            self.tell("before_batch")
        except SkipBatch:
            return False
        return True

    def launch(self, rows: tuple[Tensor, ...], order: Any, first: int, last: int) -> None:
        """Train on some batches of a block, and adapt how many the next launch takes."""
        course, standing, started = self.course, self.standing, time.perf_counter()
        with held_back():
            *sums, finite, made = course.run_batches(*rows, order, first, last).numpy().tolist()
            self.finite, done = bool(finite), int(made)
            standing.position += done
            if not self.finite:
                chosen = np.asarray(order if isinstance(order, np.ndarray) else order.numpy())[first + done - 1]
                standing.notes.append(
                    explain_trip(course, [t[Tensor(chosen)] for t in rows], standing, self.numbers(rows[2], chosen))
                )
        self.loss = sums[0] / max(sums[1], 1)
        self.progress.batch(standing.position, self.batches, standing.done + 1, self.loss)
        took = (time.perf_counter() - started) / max(done, 1)
        self.count = max(1, min(int(EVERY / max(took, 1e-6)), 2 * max(done, self.count)))

    @property
    def batches(self) -> int | None:
        """How many batches an epoch has, if that is known."""
        n = self.supply.examples
        return None if n is None else -(-n // self.supply.batch_size)

    def end_epoch(self, counts: int) -> dict[str, float]:
        """Measure, in the program or outside of it, and give the row."""
        self.course.step.model.eval()
        measured = () if self.course.evaluated is not None else (Tensor(self.trainer.measured_outside()),)
        row, _ = self.course.run_epoch_end(counts, *measured)
        return self.named(row.numpy())

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def named(self, row: Any) -> dict[str, float]:
        """A row of the program with the names of its columns."""
        return dict(zip(self.standing.columns, row.tolist(), strict=True))

    def ended(self, row: dict[str, float]) -> None:
        """Note the row of an epoch that has ended."""
        standing = self.standing
        standing.done, standing.position = standing.done + 1, 0
        columns = standing.history.columns
        self.number, self.row = standing.done, dict.fromkeys(columns, math.nan) | row
        try:
            self.row |= self.trainer.watch()
            for callback in self.callbacks:
                if callback.columns:
                    self.row |= measured(callback, self)
            self.tell("after_validation")
        finally:  # whatever is raised, the epoch has been trained and has its row
            standing.history.append([self.row[name] for name in columns])
        self.progress.epoch(standing.done, self.row)
        self.tell("after_epoch")

    def numbers(self, index: Tensor, chosen: Any) -> Any:
        """The numbers in the given data of some examples, whose numbers in the training part ``index`` holds."""
        own = index.numpy()[chosen]
        split = self.trainer.prepared.split if self.trainer.prepared is not None else None
        return own if split is None else split.train[own]

    def tripped(self, batch: int, epochs: int) -> None:
        """Explain what was not finite in a launch of whole epochs: batch number ``batch`` of its last epoch."""
        assert isinstance(self.supply, Resident)
        assert self.course.resident is not None
        order = self.supply.order(self.standing.done + epochs - 1)
        size = self.supply.batch_size
        chosen = order[batch * size : (batch + 1) * size]
        if len(chosen):
            rows = [t[Tensor(chosen)] for t in (*self.supply.data, self.supply.index)]
            self.standing.position = batch + 1
            self.standing.notes.append(
                explain_trip(self.course, rows, self.standing, self.numbers(self.supply.index, chosen), epochs)
            )
            self.standing.position = 0
