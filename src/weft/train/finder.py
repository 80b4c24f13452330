"""A sweep of learning rates: each step of training with a higher one, and what it does to the loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.dataset import Dataset
from weft.data.order import permutation
from weft.errors import ArgumentError
from weft.optim.averaging import Averaged
from weft.optim.optimizer import Optimizer
from weft.optim.schedules.decay import Exponential
from weft.optim.state import State
from weft.runtime.compiled import compile
from weft.tensor import Tensor
from weft.train.beginning import arrays, stand
from weft.train.options import Method, whole
from weft.train.sources import prepare_any
from weft.train.trainer import Trainer

if TYPE_CHECKING:
    from weft.train.course import Course

Array = np.ndarray[Any, Any]
DIVERGED = 3.0  # times the lowest loss, or what has been gained, above the lowest loss
FLAT = 0.02  # of the first loss: less is no fall
WIDTH = 40  # the smoothing's standard deviation is that part of the sweep


@dataclass(frozen=True)
class RateSweep:
    """What `find_learning_rate` found.

    ``rates, losses``  the learning rate of each step, and after it the loss of a fixed sample of the training data
    ``smoothed``       the losses as means over neighbours
    ``suggestion``     a rate to train with; None where the curve does not tell
    ``why``            what the suggestion rests on, or why there is none
    """

    rates: Array
    losses: Array
    suggestion: float | None
    why: str
    smoothed: Array = field(repr=False)

    def plot(self, path: Any = None) -> Any:
        """The curve with the suggestion, as a figure of matplotlib; saved to ``path`` if there is one."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot(self.rates, self.losses, color="0.8", label="after each step")
        axes.plot(self.rates, self.smoothed, linewidth=2, label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, linestyle="--", color="0.3", label=f"suggestion {self.suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.set_title(self.why, fontsize=9, wrap=True)
        low, first = float(np.nanmin(self.smoothed)), float(self.smoothed[0])
        if self.suggestion is not None and first > low:  # what comes after it has broken down would hide the fall
            axes.set_ylim(low - 0.1 * (first - low), first + 0.5 * (first - low))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure


def find_learning_rate(
    trainer: Trainer,
    data: Any,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    *,
    scale: Any = None,
) -> RateSweep:
    """Train a copy of the model for ``steps`` batches, each with a higher rate than the last, and suggest a rate.

    The rates rise from ``lowest`` to ``highest`` by a constant factor. What is suggested is the rate at which the
    smoothed loss falls most steeply, or a tenth of that at which it begins to diverge if that is lower (Smith 2017,
    as fast.ai applies it). Where the loss falls at no rate, nothing is suggested.

    Nothing is changed: the model, the trainer, its optimizer and every generator are as they were, and the same call
    gives the same curve. ``data`` and ``scale`` are those of `Trainer.fit`; augmentation is left out. Of data that is
    read while training, the batches are drawn again and again from a sample of 256 rows.

    >>> import weft as wf
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", wf.optim.SGD(0.01))
    >>> sweep = find_learning_rate(trainer, wf.data.iris(), lowest=1e-5, steps=60)
    >>> 1e-4 < sweep.suggestion < 1
    True
    """
    check(trainer, lowest, highest, steps, batch_size)
    factor = (highest / lowest) ** (1 / (steps - 1))
    rising = Exponential(lowest, factor=factor)
    twin = twin_of(trainer, rising)
    given = trainer.scaler if scale is None else scale
    prepared = prepare_any(
        data, None, twin, given, trainer.target_scaler is not None, {"policy": "random", "groups": None}
    )
    twin.scaler, twin.target_scaler = prepared.scaler, prepared.target_scaler
    course = stand(twin, prepared, Method(), []).course
    in_memory = isinstance(prepared.training, Dataset)
    x, y = arrays(prepared.training if in_memory else prepared.sample)
    found = swept(course, x, y, steps, batch_size, trainer.seed)
    return judged(np.asarray(rising(np.arange(steps))), found)


def twin_of(trainer: Trainer, rate: Any) -> Trainer:
    """A trainer that shares nothing with ``trainer``, with this learning rate and no step taken."""
    given = trainer.optimizer
    if isinstance(given, Mapping):
        optimizer: Any = {name: with_rate(one, rate) for name, one in given.items()}
    else:
        optimizer = with_rate(given, rate)
    model = copy.deepcopy(trainer.model)
    model.train()
    made = Trainer(
        model, trainer.loss, optimizer, step=trainer.own, precision=trainer.precision, seed=trainer.seed
    )  # fmt: skip
    if made.precision.wide:
        model.to(made.precision.hold)
    return made


def with_rate(optimizer: Optimizer, rate: Any) -> Optimizer:
    """A copy of the optimizer, without averages and without a past, with another learning rate."""
    while isinstance(optimizer, Averaged):
        optimizer = optimizer.optimizer
    made = copy.copy(optimizer)
    made.numbers_of, made.state = copy.deepcopy(optimizer.numbers_of), State(shared=True)
    made.learning_rate = rate
    return made


def swept(course: Course, x: Array, y: Array, steps: int, batch_size: int, seed: int) -> Array:
    """The loss of the sample before the first step and after each; it ends early where training has broken down."""
    size = min(batch_size, len(x))
    epochs = -(-steps * size // len(x))
    rows = np.concatenate([permutation(len(x), seed, epoch) for epoch in range(epochs)])[: steps * size]
    given = Tensor(x), Tensor(y), Tensor(np.arange(len(x), dtype=np.int32))
    order = Tensor(np.ascontiguousarray(rows.reshape(steps, size).astype(np.int32)))
    place = course.columns.index("train_loss")

    def one(x: Tensor, y: Tensor, index: Tensor, order: Tensor, first: Any, last: Any) -> Tensor:
        course.batches(x, y, index, order, first, last)
        row: Tensor = course.epoch_end(0)[0][place]
        return row

    run, losses = compile(one), []
    for k in range(steps + 1):
        value = float(run(*given, order, max(k - 1, 0), k))  # before the first step only measured
        losses.append(value if math.isfinite(value) else math.inf)
        if losses[-1] > limit(losses):
            break
    return np.array(losses)


def limit(losses: Any) -> float:
    """The loss above which training has diverged: above the lowest, by so many times that or what has been gained."""
    known = [v for v in losses if math.isfinite(v)] or [0.0]
    lowest = min(known)
    return lowest + DIVERGED * max(abs(lowest), known[0] - lowest)


# ── the suggestion ──────────────────────────────────────────────────────────────────────────────────────────


def judged(rates: Array, found: Array) -> RateSweep:
    """The suggestion of a sweep: ``found`` are the loss before the first step and the losses after each."""
    top = limit(found)
    curve = smooth(np.minimum(found, top), max(len(rates) / WIDTH, 1.0))
    rates, losses = rates[: len(found) - 1], found[1:]
    broken = float(rates[-1]) if len(losses) and not losses[-1] < top else None
    bottom = int(curve.argmin())
    fall = float(curve[: bottom + 1].max() - curve[bottom])
    if not math.isfinite(found[0]) or len(losses) < 3 or fall <= FLAT * abs(float(curve[0])):
        return RateSweep(rates, losses, None, none(rates, found, broken), curve[1:])
    slope = np.gradient(curve)[1 : bottom + 1]  # by the logarithm of the rate, whose steps are equal
    steepest = float(rates[int(slope.argmin())])
    why = f"the loss falls most steeply at the rate {steepest:.2g}"
    if broken is None or steepest <= broken / 10:
        return RateSweep(rates, losses, steepest, why, curve[1:])
    chosen = max(broken / 10, float(rates[0]))
    why += f" and has diverged at {broken:.2g}: a tenth of that is suggested"
    return RateSweep(rates, losses, chosen, why, curve[1:])


def none(rates: Array, found: Array, broken: float | None) -> str:
    """Why there is no suggestion."""
    if not math.isfinite(found[0]):
        return "no suggestion: the loss is not finite before the first step"
    if broken is not None:
        start = f"{found[0]:.3g}, without having fallen, and has diverged at the rate {broken:.2g}"
        return f"no suggestion: the loss begins with {start}; lower rates with lowest=, or inputs that are scaled"
    return f"no suggestion: the loss does not fall at any rate from {rates[0]:.2g} to {rates[-1]:.2g}"


def smooth(values: Array, width: float) -> Array:
    """A mean over neighbours, weighted by a Gaussian of this standard deviation, without a lag.

    >>> smooth(np.ones(4), 2.0)
    array([1., 1., 1., 1.])
    """
    place = np.arange(len(values))
    weights = np.exp(-0.5 * ((place[:, None] - place) / width) ** 2)
    means: Array = (weights @ values) / weights.sum(axis=1)
    return means


def check(trainer: Any, lowest: Any, highest: Any, steps: Any, batch_size: Any) -> None:
    """Refuse what is no trainer, and numbers out of range."""
    if not isinstance(trainer, Trainer):
        raise ArgumentError(
            f"find_learning_rate({type(trainer).__name__}, …)",
            expected="a trainer",
            cure='find_learning_rate(wf.Trainer(model, "mse"), data)',
        )
    numbers = all(isinstance(v, int | float) and math.isfinite(v) for v in (lowest, highest))
    if not (numbers and 0 < lowest < highest):
        raise ArgumentError(
            f"find_learning_rate(lowest={lowest!r}, highest={highest!r})", expected="0 < lowest < highest, finite"
        )
    whole("steps", steps, 10)
    whole("batch_size", batch_size, 1)
