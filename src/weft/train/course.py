"""What runs on the device during a fit: batches, epochs, evaluation, and the record of the best.

Everything here is written with the same tensors as a loop by hand. A `Course` only decides what is recorded as one
program: for small work whole stretches of epochs, for large work a stretch of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.augment import example_keys
from weft.control import while_loop
from weft.ops.arithmetic import maximum
from weft.ops.assembling import concat, stack
from weft.ops.comparison import isfinite, where
from weft.ops.indexing import window_op
from weft.ops.random import fold_in
from weft.ops.statistics import all as all_true
from weft.random import hashed, using, wrap_key
from weft.runtime.compiled import compile
from weft.tensor import Tensor, beside, number_cell
from weft.train.measuring import Measure, laid_out
from weft.train.step import Step

Array = np.ndarray[Any, Any]
POLICIES = ("stop", "raise", "skip", "ignore")


class Course:
    """The tensors and the programs of one fit.

    ``resident`` is the training set (x, y) if it lies on the device as a whole; ``evaluated`` are the sets (x, y)
    that are measured after each epoch: the ``n_val`` validation rows, if there are any, and the fixed training
    subsample (None where they are measured outside of the program); together they have ``n_evaluated`` rows. All
    state is in tensors: what a stretch of training changes, its program returns.
    """

    def __init__(
        self,
        step: Step,
        measure: Measure,
        resident: tuple[Array, Array] | None,
        evaluated: Sequence[tuple[Array, Array]] | None,
        n_val: int,
        n_evaluated: int,
        seed: int,
        policy: str = "stop",
        most_skipped: int = 0,
    ) -> None:
        self.step, self.measure, self.policy, self.most_skipped = step, measure, policy, most_skipped
        self.resident = (Tensor(resident[0]), Tensor(resident[1])) if resident is not None else None
        self.index = Tensor(np.arange(len(resident[0]) if resident is not None else 0, dtype=np.int32))
        self.n_val, self.n_evaluated = n_val, n_evaluated
        self.evaluated: list[tuple[Tensor, Tensor]] | None = None
        if evaluated is not None:
            laid = laid_out(evaluated, by_example=measure.by_example)
            self.evaluated = [(Tensor(x), Tensor(y)) for x, y in laid]
        model = step.model
        self.weights: dict[str, Tensor] = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        self.key, self.augment_key, self.measure_key = map(wrap_key, keys_for(seed).values())
        self.clock = number_cell(0, np.int64)
        self.epoch = number_cell(0, np.int64)
        self.finite = number_cell(True, np.bool_)
        self.skipped = number_cell(0, np.int64)
        self.counted = step.precision.counted
        zeros = np.zeros(3 + len(step.logged))
        self.sums = Tensor(zeros, self.counted)  # Σ loss, examples, last loss, Σ of what is logged
        self.best_loss = number_cell(np.inf, self.counted.numpy)
        self.best_epoch = number_cell(0, np.int64)
        self.best_weights = {path: beside(np.array(w.numpy()), w) for path, w in self.weights.items()}
        per_example = np.zeros((len(measure.columns), n_evaluated), self.counted.numpy)
        self.last_examples, self.best_examples = Tensor(per_example), Tensor(per_example)
        self.outputs = 1  # the size of the model's axis of classes
        self.baseline: float | None = None  # the loss of the best constant prediction, once somebody has asked
        self.renew()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the history that the program computes."""
        measured = self.measure.columns
        on_val = tuple(f"val_{name}" for name in measured) if self.n_val else ()
        return ("loss", *self.step.logged, "last_loss", *(f"train_{name}" for name in measured), *on_val)

    def renew(self) -> None:
        """Record the programs anew, for what is to be trained now."""
        self.step.choose()
        self.run_batches, self.run_epochs = compile(self.batches), compile(self.epochs)
        self.run_epoch_end = compile(self.epoch_end)

    @property
    def memory(self) -> str:
        """The most memory that one of its programs needs, in words."""
        programs = (self.run_epochs, self.run_batches, self.run_epoch_end)
        held, temporary = max((p.memory for p in programs), key=sum)
        parts = f"{held / 1e6:,.1f} of data, weights and state, {temporary / 1e6:,.1f} in between"
        return f"{(held + temporary) / 1e6:,.1f} MB at most: {parts}"

    def state(self) -> dict[str, Tensor]:
        """Everything that training changes besides the weights and the optimizers, by name."""
        names = ("clock", "epoch", "finite", "skipped", "sums", "best_loss", "best_epoch")
        found = {name: getattr(self, name) for name in (*names, "last_examples", "best_examples")}
        found |= {f"best/{path}": w for path, w in self.best_weights.items()}
        return found | {"scale": self.step.scale.factor, "scale_good": self.step.scale.good}

    # ── batches ─────────────────────────────────────────────────────────────────────────────────────────────

    def batch(self, x: Tensor, y: Tensor, index: Tensor) -> None:
        """Train on one batch, count, and note whether all was finite."""
        keys = None if self.step.augment is None else example_keys(self.augment_key, self.epoch, index)
        finite, loss, measured = self.step(x, y, keys, fold_in(self.key, self.clock))
        n = x.shape[0]
        added = stack([loss * n, loss * 0 + n, loss, *(m.astype(self.counted) for m in measured)])
        keep = Tensor(np.array([1, 1, 0] + [1] * len(measured)), self.counted)  # the last loss replaces, the rest adds
        sums = self.sums * keep + added
        self.clock.assign_add(1)
        curable = self.step.scale.note(finite)
        if self.policy == "ignore":
            self.sums.assign(sums)
            return
        self.sums.assign(where(finite, sums, self.sums))
        tripped = ~finite & ~curable if self.step.scale.used else ~finite
        self.skipped.assign(self.skipped + tripped)
        self.finite.assign(self.finite & (self.skipped <= self.most_skipped))

    def batches(self, x: Tensor, y: Tensor, index: Tensor, order: Tensor, first: Any, last: Any) -> Tensor:
        """Train on the batches ``order[first:last]`` of these rows, as long as everything stays finite.

        Returns the sums so far, whether everything is finite, and how many batches were trained on, as one tensor:
        each tensor that the host reads costs it some microseconds.
        """

        def one(i: Tensor) -> Tensor:
            rows = window_op(order, i, axes=(0,), sizes=(1,), drop=(0,))
            self.batch(x[rows], y[rows], index[rows])
            return i + 1

        self.step.model.train()
        end = while_loop(lambda i: (i < last) & self.finite, one, first)
        return concat([self.sums, stack([self.finite, end - first]).astype(self.counted)])

    # ── the end of an epoch ─────────────────────────────────────────────────────────────────────────────────

    def epoch_end(self, counts: Any, measured: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Evaluate, remember the best, and give the history's row; ``counts`` is 0 before training, else 1.

        What was ``measured`` of each example is computed here unless it is given.
        """
        self.step.model.eval()
        if measured is None:
            assert self.evaluated is not None
            with using(fold_in(self.measure_key, self.epoch)):  # a step of one's own may draw random numbers
                measured = concat([self.measure.chunks(x, y) for x, y in self.evaluated], axis=1)
            measured = measured[:, : self.n_evaluated]
        n = self.n_val
        sets = [measured[:, :n], measured[:, n:]] if n else [measured]
        measured = concat([self.measure.over_all(part) for part in sets], axis=1) if self.measure.weighted else measured
        self.last_examples.assign(measured)
        self.epoch.assign_add(counts)
        on_train = measured[:, n:].mean(axis=1)
        on_val = measured[:, :n].mean(axis=1) if n else on_train[:0]
        running = self.sums / self.sums[1]
        if self.policy != "ignore":  # what a batch that was not finite left unfinished is no epoch
            on_train, on_val = (where(self.finite, v, np.nan) for v in (on_train, on_val))
        row = concat([running[:1], running[3:], self.sums[2:3], on_train, on_val])
        self.sums.assign(self.sums * 0)
        for part in self.step.parts:
            part.optimizer.observe(on_val[0] if n else on_train[0], part.state, when=counts > 0)
        if n:
            self.remember(on_val[0], measured, counts)
        if self.policy in ("stop", "raise"):
            self.finite.assign(self.finite & all_true(isfinite(on_train)))
        return row, self.finite

    def remember(self, loss: Tensor, examples: Tensor, counts: Any) -> None:
        """Keep a copy of the weights if their validation loss is the lowest so far; NaN never is."""
        better = (loss < self.best_loss) & (counts > 0)
        self.best_loss.assign(where(better, loss, self.best_loss))
        self.best_epoch.assign(where(better, self.epoch, self.best_epoch))
        self.best_examples.assign(where(better, examples, self.best_examples))
        for path, best in self.best_weights.items():
            best.assign(where(better, self.weights[path], best))

    # ── many epochs in one program ──────────────────────────────────────────────────────────────────────────

    def epochs(
        self, orders: Tensor, rests: Tensor | None, steps: Any, count: Any, patience: Any, begun: Any = 0
    ) -> Any:
        """Train and evaluate ``count`` epochs; (number done, their rows). ``rests`` are the short last batches.

        Epochs are waited for a better one by ``patience``, counted from epoch ``begun`` at the earliest.
        """
        assert self.resident is not None
        rows = Tensor(np.zeros((orders.shape[0], len(self.columns))), self.counted)
        counts = (steps > 0).astype("int64")
        x, y, index = *self.resident, self.index

        def one(state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            e, table = state
            self.batches(x, y, index, window_op(orders, e, axes=(0,), sizes=(1,), drop=(0,)), e * 0, steps)
            if rests is not None:
                self.batches(x, y, index, window_op(rests, e, axes=(0,), sizes=(1,), drop=(0,)), e * 0, counts)
            row, _ = self.epoch_end(counts)
            at = Tensor(np.arange(orders.shape[0])[:, None]) == e
            return e + 1, where(at, row, table)

        def more(state: tuple[Tensor, Tensor]) -> Tensor:
            waited = (self.n_val > 0) & (self.epoch - maximum(self.best_epoch, begun) >= patience)
            return (state[0] < count) & self.finite & ~waited

        start = number_cell(0, np.int64)
        done, table = while_loop(more, one, (start, rows))
        return done, table, self.best_epoch, self.finite


def keys_for(seed: int) -> dict[str, Array]:
    """The keys of a course: of steps (dropout), of augmentation, and of what is drawn while measuring."""
    purposes = {"key": "steps", "augment_key": "augmentation", "measure_key": "measure"}
    return {name: np.array([hashed(seed, purpose), 0], np.uint32) for name, purpose in purposes.items()}
