"""What runs on the device during a fit: steps, epochs, evaluation, and the record of the best.

Everything here is written with the same tensors as a loop by hand. A `Course` only decides what is recorded as one
program: for small work whole stretches of epochs, for large work a stretch of batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from weft.control import scan, while_loop
from weft.nn.module import Module
from weft.ops.assembling import concat, stack
from weft.ops.comparison import isfinite, where
from weft.ops.indexing import window_op
from weft.ops.manipulation import reshape
from weft.ops.random import fold_in
from weft.ops.statistics import all as all_true
from weft.optim.optimizer import Optimizer
from weft.optim.state import State
from weft.random import using, wrap_key
from weft.runtime.compiled import compile
from weft.tensor import Tensor, number_cell
from weft.train.metrics import Metric
from weft.transforms import gradients

CHUNK = 1024  # examples evaluated at once
Array = np.ndarray[Any, Any]


class Course:
    """The tensors and the programs of one fit.

    ``train`` and ``evaluated`` are pairs (x, y); the evaluated rows are first the ``n_val`` validation rows, then
    the fixed training subsample. All state is in tensors: what a stretch of training changes, its program returns.
    """

    def __init__(
        self,
        model: Module,
        loss: Any,
        optimizer: Optimizer,
        state: State,
        metrics: Sequence[Metric],
        train: tuple[Array, Array],
        evaluated: tuple[Array, Array],
        n_val: int,
        key: Array,
    ) -> None:
        self.model, self.loss, self.optimizer, self.state, self.metrics = model, loss, optimizer, state, metrics
        self.x, self.y = Tensor(train[0]), Tensor(train[1])
        self.outputs = 0  # the size of the model's last axis
        self.n_val, self.n_evaluated = n_val, len(evaluated[0])
        self.evaluated = tuple(Tensor(chunked(a)) for a in evaluated)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.weights: list[Tensor] = [*model.parameters(), *(b for _, b in model.named_buffers())]
        self.key = wrap_key(key)
        self.clock = number_cell(0, np.int64)
        self.epoch = number_cell(0, np.int64)
        self.finite = number_cell(True, np.bool_)
        self.sums = Tensor(np.zeros(3 + len(metrics), np.float32))  # Σ loss, examples, last loss, Σ metrics
        self.best_loss = number_cell(np.inf)
        self.best_epoch = number_cell(0, np.int64)
        self.best_weights = [Tensor(np.asarray(w.numpy())) for w in self.weights]
        per_example = np.zeros((1 + len(metrics), self.n_evaluated), np.float32)
        self.last_examples, self.best_examples = Tensor(per_example), Tensor(per_example)
        self.run_batches = compile(self.batches)
        self.run_epoch_end = compile(self.epoch_end)
        self.run_epochs = compile(self.epochs)

    def is_of(self, training: tuple[Array, Array], held_out: tuple[Array, Array] | None) -> bool:
        """Whether this is the course of these very numbers, and of the parameters that are trained now."""
        if list(map(id, self.parameters)) != [id(p) for p in self.model.parameters() if p.requires_grad]:
            return False
        if self.n_val != (len(held_out[0]) if held_out is not None else 0):
            return False
        ours: list[Any] = [self.x.numpy(), self.y.numpy()]
        ours += [e.numpy().reshape(-1, *e.shape[2:])[: self.n_val] for e in self.evaluated] if held_out else []
        theirs = [*training, *(held_out or ())]
        return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))

    # ── one step, as by hand ────────────────────────────────────────────────────────────────────────────────

    def step(self, rows: Tensor) -> None:
        """Train on the examples ``rows``: forward, gradients, update, and the running sums."""
        x, y = self.x[rows], self.y[rows]
        prediction = self.model(x)
        loss = self.loss.function(prediction, y)
        grads = gradients(loss, self.parameters)
        self.optimizer.update(self.parameters, grads, self.state)
        n = rows.shape[0]
        measured = [m.per_example(prediction.detach(), y).sum() for m in self.metrics]
        loss = loss.detach().astype("float32")
        added = stack([loss * n, loss * 0 + n, loss, *measured])
        keep = Tensor(np.array([1, 1, 0] + [1] * len(measured), np.float32))  # the last loss replaces, the rest adds
        self.sums.assign(self.sums * keep + added)
        self.finite.assign(self.finite & isfinite(loss))

    def batches(self, order: Tensor, first: Any, last: Any) -> Tensor:
        """Train on the batches ``order[first:last]``, as long as everything stays finite."""

        def one(i: Tensor) -> Tensor:
            rows = window_op(order, i, axes=(0,), sizes=(1,), drop=(0,))
            with using(fold_in(self.key, self.clock)):
                self.step(rows)
            self.clock.assign_add(1)
            return i + 1

        self.model.train()
        while_loop(lambda i: (i < last) & self.finite, one, first)
        return self.sums

    # ── the end of an epoch ─────────────────────────────────────────────────────────────────────────────────

    def epoch_end(self, counts: Any) -> tuple[Tensor, Tensor]:
        """Evaluate, remember the best, and give the history's row; ``counts`` is 0 before training, else 1."""
        self.model.eval()
        examples = evaluate(self.model, self.loss, self.metrics, *self.evaluated)[:, : self.n_evaluated]
        self.last_examples.assign(examples)
        self.epoch.assign_add(counts)
        n = self.n_val
        on_train = examples[:, n:].mean(axis=1)
        on_val = examples[:, :n].mean(axis=1) if n else on_train[:0]
        running = self.sums / self.sums[1]
        row = concat([running[:1], running[3:], self.sums[2:3], on_train, on_val])
        self.sums.assign(self.sums * 0)
        self.optimizer.observe(on_val[0] if n else on_train[0], self.state, when=counts > 0)
        if n:
            self.remember(on_val[0], examples, counts)
        finite = self.finite & all_true(isfinite(on_train))
        self.finite.assign(finite)
        return row, finite

    def remember(self, loss: Tensor, examples: Tensor, counts: Any) -> None:
        """Keep a copy of the weights if their validation loss is the lowest so far; NaN never is."""
        better = (loss < self.best_loss) & (counts > 0)
        self.best_loss.assign(where(better, loss, self.best_loss))
        self.best_epoch.assign(where(better, self.epoch, self.best_epoch))
        self.best_examples.assign(where(better, examples, self.best_examples))
        for best, w in zip(self.best_weights, self.weights, strict=True):
            best.assign(where(better, w, best))

    # ── many epochs in one program ──────────────────────────────────────────────────────────────────────────

    def epochs(self, orders: Tensor, rests: Tensor | None, steps: Any, count: Any, patience: Any) -> Any:
        """Train and evaluate ``count`` epochs; (number done, their rows). ``rests`` are the short last batches."""
        width = 2 + len(self.metrics) + (1 + len(self.metrics)) * (2 if self.n_val else 1)
        rows = Tensor(np.zeros((orders.shape[0], width), np.float32))
        counts = (steps > 0).astype("int64")

        def one(state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            e, table = state
            self.batches(window_op(orders, e, axes=(0,), sizes=(1,), drop=(0,)), e * 0, steps)
            if rests is not None:
                self.batches(window_op(rests, e, axes=(0,), sizes=(1,), drop=(0,)), e * 0, counts)
            row, _ = self.epoch_end(counts)
            at = Tensor(np.arange(orders.shape[0])[:, None]) == e
            return e + 1, where(at, row, table)

        def more(state: tuple[Tensor, Tensor]) -> Tensor:
            waited = (self.n_val > 0) & (self.epoch - self.best_epoch >= patience)
            return (state[0] < count) & self.finite & ~waited

        start = number_cell(0, np.int64)
        done, table = while_loop(more, one, (start, rows))
        return done, table, self.best_epoch, self.finite


def evaluate(model: Callable[[Tensor], Tensor], loss: Any, metrics: Sequence[Metric], x: Tensor, y: Tensor) -> Tensor:
    """The loss and the metrics of each example, (1 + M, chunks · size), of data in chunks (chunks, size, …)."""

    def one(_: None, chunk: tuple[Tensor, Tensor]) -> tuple[None, Tensor]:
        prediction = model(chunk[0]).detach()
        measured = [loss.per_example(prediction, chunk[1]), *(m.per_example(prediction, chunk[1]) for m in metrics)]
        return None, stack([m.astype("float32") for m in measured])

    if x.shape[0] == 1:
        return one(None, (x[0], y[0]))[1]
    _, examples = scan(one, None, (x, y))
    return reshape(examples.permute_dims(1, 0, 2), (examples.shape[1], -1))


def chunked(a: Array) -> Array:
    """Rows in chunks of one size, (chunks, size, …); the last chunk is filled up with the first row again."""
    size = min(len(a), CHUNK)
    chunks = -(-len(a) // size)
    rows = np.concatenate([np.arange(len(a)), np.zeros(chunks * size - len(a), int)])
    return a[rows].reshape(chunks, size, *a.shape[1:])
