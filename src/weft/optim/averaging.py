"""Averages of the weights along the way: exponential (EMA), and equal (SWA)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.nn.layers.batch_normalization import BatchNorm
from weft.nn.mode import modes_kept
from weft.ops.arithmetic import floor, minimum
from weft.ops.comparison import where
from weft.optim.adam import bias
from weft.optim.numbers import Rate
from weft.optim.optimizer import Array, Optimizer, check_optimizer, named
from weft.optim.plan import Rule
from weft.optim.state import State
from weft.runtime.log import realize


class Averaged(Optimizer):
    """An optimizer whose steps are averaged: the average is one more slot, moved in the same program.

    The settings are those of the optimizer inside, with which it shares them. `applied` puts the averages into the
    model for a while, `copy_to` into another one.
    """

    numbers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, optimizer: Optimizer, **own: Rate) -> None:
        check_optimizer(type(self).__name__, optimizer)
        if any(name in optimizer.numbers_of.values for name in self.numbers):
            raise ArgumentError(
                f"{type(self).__name__} of an optimizer that is averaged already",
                expected="one average of one optimizer",
                cure="another object: optim.EMA(optim.Adam(1e-3))",
            )
        self.optimizer = optimizer
        self.maximize, self.numbers_of = optimizer.maximize, optimizer.numbers_of
        self.elementwise, self.shared, self.state = optimizer.elementwise, optimizer.shared, State(shared=True)
        for name, value in own.items():
            self.numbers_of.set(type(self).__name__, name, value)
        self.numbers_of.version += 1  # the numbers of what the optimizer has moved by itself have other places now
        self.numbers_of.refresh()

    @property
    def rule(self) -> Rule:
        bound = ("max_norm",) if "max_norm" in self.numbers_of.values else ()  # comes before the average
        names = tuple(dict.fromkeys((*self.optimizer.rule.numbers, *self.numbers, *bound)))
        options = tuple((name, getattr(self, name)) for name in self.options)
        return Rule(type(self), names, (("inner", self.optimizer.rule), *options), self.shared)

    def first(self, spec: Spec) -> dict[str, Array]:
        return self.optimizer.first(spec) | {"average": np.zeros(spec.shape, spec.dtype.numpy)}

    @classmethod
    def formula(cls, w: Any, g: Any, state: Any, t: Any, *, inner: Rule, **settings: Any) -> Any:
        before = {name: value for name, value in state.items() if name != "average"}
        moved, after = inner.apply(w, g, before, t, settings)
        average = state["average"]
        return moved, after | {"average": average + cls.share(t, settings) * (moved - average)}

    @classmethod
    @abstractmethod
    def share(cls, t: Any, settings: Any) -> Any:
        """How much of the way to the weights of step t the average goes; 1 at the first step."""

    def averages(self, parameters: Any, state: State | None = None) -> dict[str, Array]:
        """The averages by path; those of parameters that have not been moved are their values."""
        known = (state or self.state).all()
        return {
            path: known[id(p)].slots["average"].astype(p.dtype.numpy) if id(p) in known else p.numpy()
            for path, p in named(parameters).items()
        }

    @contextmanager
    def applied(self, model: Any, state: State | None = None) -> Iterator[Any]:
        """The averages are the model's weights inside the block, and the weights again after it."""
        kept = {path: np.array(p.numpy()) for path, p in named(model).items()}
        self.copy_to(model, model, state)
        try:
            yield model
        finally:
            put(model, kept)

    def copy_to(self, target: Any, source: Any, state: State | None = None) -> None:
        """Give ``target`` the averages of ``source``'s parameters; buffers stay (see `update_batch_statistics`)."""
        put(target, self.averages(source, state))

    def settings(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer} | {name: getattr(self, name) for name in (*self.numbers, *self.options)}


class EMA(Averaged):
    """Steps of ``optimizer``, and the exponential moving average a of the weights: a ← a + s·(w − a).

    ``start="corrected"``  s = (1 − decay)/(1 − decayᵗ): without the bias towards the beginning (as Adam's m̂)
    ``start="copy"``       s = 1 − decay, and at first a = w (PyTorch's `get_ema_multi_avg_fn`)
    ``start="warmup"``     s = 1 − min(decay, (1+t)/(10+t)), and at first a = w (TensorFlow's ExponentialMovingAverage)

    >>> import weft as wf
    >>> from weft import optim
    >>> w = wf.tensor([0.0], requires_grad=True)
    >>> opt = optim.EMA(optim.SGD(1.0), decay=0.5, start="copy")
    >>> for g in (-1.0, -2.0):
    ...     opt.update([w], [wf.tensor([g])])
    >>> with opt.applied([w]):
    ...     w.tolist()
    [2.0]
    >>> w.tolist()
    [3.0]
    """

    numbers = ("decay",)
    options = ("start",)
    decay: Rate
    start: str

    def __init__(self, optimizer: Optimizer, decay: Rate = 0.999, *, start: str = "corrected") -> None:
        if start not in ("corrected", "copy", "warmup"):
            raise ArgumentError(f"EMA(start={start!r})", expected='"corrected", "copy" or "warmup"')
        super().__init__(optimizer, decay=decay)
        self.start = start

    @classmethod
    def share(cls, t: Any, settings: Any) -> Any:
        decay, start = settings["decay"], settings["start"]
        if start == "corrected":
            return (1 - decay) / bias(decay, t)
        if start == "warmup":
            decay = minimum(decay, (1 + t) / (10 + t))
        return where(t > 1, 1 - decay, 1.0)


class SWA(Averaged):
    """Steps of ``optimizer``, and the equal average of the weights after step ``start``, ``start + every``, …

    a ← a + (w − a)/(n + 1) with the n weights averaged before; until ``start`` the average is the weights themselves.
    Stochastic weight averaging (Izmailov et al. 2018) wants a learning rate that stays high or cycles, and, with batch
    normalisation, `update_batch_statistics` before the averages are used.
    """

    numbers = ("start", "every")
    start: Rate
    every: Rate

    def __init__(self, optimizer: Optimizer, *, start: int, every: int = 1) -> None:
        super().__init__(optimizer, start=start, every=every)

    @classmethod
    def share(cls, t: Any, settings: Any) -> Any:
        start, every = settings["start"], settings["every"]
        since = t - start
        n = floor(since / every)
        taken = where(since - n * every == 0, 1 / (n + 1), 0.0)
        return where(since < 0, 1.0, taken)


def put(parameters: Any, values: dict[str, Array]) -> None:
    """Assign values by path: all of them, or with an error none."""
    wanted = named(parameters)
    for path, p in wanted.items():
        if path not in values or values[path].shape != p.shape:
            there = f"of shape {values[path].shape}" if path in values else "not there"
            raise ShapeError(
                f"the average of {path} is {there}",
                expected=f"shape {p.shape}: averages of a model built alike",
            )
    for path, p in wanted.items():
        p.assign(values[path])


def update_batch_statistics(model: Any, batches: Iterable[Any]) -> None:
    """Compute the running statistics of every batch normalisation anew, as equal averages over ``batches`` of inputs.

    For weights that no batch has seen with these statistics, such as averages: Izmailov et al. 2018, section 3.2.
    Layers inside `nn.Frozen` keep theirs, and an error leaves all as they were.
    """
    with modes_kept(model), context.set(tracking=False):
        model.train()
        layers = [m for m in model.modules() if isinstance(m, BatchNorm) and m.training and m.running_mean is not None]
        momenta = [(layer, layer.momentum) for layer in layers]
        before = [(b, np.array(b.numpy())) for layer in layers for b in layer.buffers()]
        count = 0
        try:
            for layer in layers:
                layer.reset_buffers()
                layer.momentum = None  # an equal average over all batches
            for x in batches:
                model(x)
                realize(*(layer.running_mean for layer in layers))
                count += 1
            if not count:
                raise ArgumentError("update_batch_statistics of no batch", expected="batches of inputs, at least one")
        except BaseException:
            for buffer, value in before:
                buffer.assign(value)
            raise
        finally:
            for layer, momentum in momenta:
                layer.momentum = momentum
