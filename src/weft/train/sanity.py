"""Is a model able to learn at all? One small batch that never changes, and what stands in the way if it cannot."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.data.check import check_scaled
from weft.data.dataset import Dataset, as_dataset
from weft.errors import ArgumentError, WeftError
from weft.nn.layers.dropout import Disturbing
from weft.nn.losses import Loss, get_loss
from weft.nn.module import Module
from weft.optim.adam import Adam
from weft.optim.optimizer import Optimizer
from weft.random import hashed
from weft.tensor import Tensor
from weft.train.beginning import arrays, stand
from weft.train.firstbatch import Look, constant_inputs, disagreement, far, listed, look_at
from weft.train.gathering import constant_loss
from weft.train.options import Method, whole
from weft.train.preparation import Prepared, prepare
from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]
VANISHING = 1e-6  # of the largest gradient, per number
DEAD = 0.9  # of the units of a ReLU


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is as it should be, and the numbers or what to do."""

    name: str
    ok: bool
    words: str


@dataclass(frozen=True)
class Sanity:
    """What `sanity_check` found: ``ok``, the checks in order, and the losses of the batch, the first before a step."""

    ok: bool
    checks: tuple[Check, ...]
    losses: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> Check:
        found = {check.name: check for check in self.checks}
        if name not in found:
            raise KeyError(f"{name!r} is no check; there are {', '.join(found)}")
        return found[name]

    def __str__(self) -> str:
        wide = max(len(check.name) for check in self.checks)
        lines = [f"{'✓' if check.ok else '✗'} {check.name:<{wide}}  {check.words}" for check in self.checks]
        return "\n".join(lines)


def sanity_check(
    model: Module,
    data: Any,
    loss: Any = None,
    steps: int = 200,
    *,
    batch_size: int = 16,
    fraction: float = 0.5,
    optimizer: Optimizer | None = None,
    seed: int = 0,
) -> Sanity:
    """Train a copy of ``model`` on one small batch, again and again: it must learn these few examples by heart.

    Without a ``loss`` it is the usual one: "cross_entropy" where the targets are classes, "mse" where they are numbers.
    The loss must fall below ``fraction`` of that of the best constant prediction within ``steps`` steps of
    ``optimizer`` (by default ``optim.Adam(1e-2)``), without dropout. Besides, it looks at what is commonly wrong:
    labels out of range, inputs that are not scaled or all alike, a last layer that does not agree with the loss,
    outputs that do not depend on the inputs, gradients that are NaN, zero or vanishing, by layer, and ReLUs that are
    dead. The model is as it was afterwards, and so is every generator.

    >>> import weft as wf
    >>> model = wf.nn.Sequential(wf.nn.Linear(16), wf.nn.ReLU(), wf.nn.Linear(3))
    >>> bool(sanity_check(model, wf.data.iris(), "cross_entropy"))
    True
    """
    check(model, steps, batch_size, fraction)
    batch = some_rows(as_dataset(data), batch_size, seed)
    usual = "cross_entropy" if batch.task == "classification" else "mse"
    twin, judged = copy.deepcopy(model), get_loss(usual if loss is None else loss)
    made = Trainer(twin, judged, optimizer if optimizer is not None else Adam(1e-2), seed=seed)
    checks = [inputs_of(batch)]
    try:
        prepared = prepared_for(made, batch)
    except WeftError as error:
        return Sanity(False, (*checks, Check("targets", False, told(error))))
    y = np.asarray(prepared.y)
    checks.append(Check("targets", True, targets_in_words(y, judged)))
    try:
        found = look_at(twin, judged, prepared.x, y)
    except WeftError as error:
        return Sanity(False, (*checks, Check("last layer", False, told(error))))
    baseline = constant_loss(judged, y, len(np.unique(y)), None if math.isnan(found.loss) else found.loss)
    checks += [judgement(found, judged, y, baseline) for judgement in JUDGEMENTS]
    for path, p in twin.named_parameters():
        if found.norms.get(path) is None:  # `fit` refuses what no gradient can reach; the rest may learn
            p.requires_grad_(False)
    losses = learned(made, prepared, steps) if any(n is not None for n in found.norms.values()) else ()
    checks.append(learning(losses, baseline, fraction, steps))
    return Sanity(all(c.ok for c in checks), tuple(checks), losses)


# ── the batch ───────────────────────────────────────────────────────────────────────────────────────────────


def some_rows(data: Dataset, size: int, seed: int) -> Dataset:
    """A few rows, always the same; where targets are labels, of as many classes as there is room for."""
    chosen = np.random.default_rng(hashed(seed, "sanity")).permutation(len(data))
    y = np.asarray(data.y) if data.y is not None else np.zeros(0)
    if y.ndim == 1 and y.dtype.kind in "iub":
        labels = y[chosen]
        turn = np.zeros(len(labels), np.int64)  # the how manieth of its class each row is
        for label in np.unique(labels):
            turn[labels == label] = np.arange((labels == label).sum())
        chosen = chosen[np.argsort(turn, kind="stable")]
    return data.take(np.sort(chosen[:size]))


def prepared_for(trainer: Trainer, batch: Dataset) -> Dataset:
    """The batch with targets as the loss takes them; what `fit` refuses is refused."""
    prepared = prepare(batch, None, trainer.model, trainer.loss, trainer.seed)
    training: Dataset = prepared.training
    trainer.classes = training.classes
    return training


def learned(trainer: Trainer, batch: Dataset, steps: int) -> tuple[float, ...]:
    """The losses of the batch before training and after each step of it, in evaluation mode but for normalisation."""
    for module in trainer.model.modules():
        if isinstance(module, Disturbing):
            setattr(module, module.strength, 0.0)
    course = stand(trainer, Prepared(batch, None, batch, None, ()), Method(), []).course
    x, y = map(Tensor, arrays(batch))
    index, order = Tensor(np.arange(len(batch), dtype=np.int32)), Tensor(np.arange(len(batch), dtype=np.int32)[None])
    losses = []
    for _ in range(steps + 1):
        course.run_batches(x, y, index, order, 0, 1)
        losses.append(float(course.sums.numpy()[2]) if bool(course.finite) else math.nan)
        if not math.isfinite(losses[-1]):
            break
    return tuple(losses)


# ── one judgement each ──────────────────────────────────────────────────────────────────────────────────────


def inputs_of(batch: Dataset) -> Check:
    """Inputs that are not scaled, or all alike."""
    found = [*constant_inputs(batch.x, batch.features), *filter(None, [check_scaled(batch.x, batch.features)])]
    size = float(np.abs(batch.x).max(initial=0)) if batch.x.dtype.kind == "f" else 0.0
    if not found and size > 100:
        found = [f"numbers up to {size:.3g}: scale them, fit(…, scale='standard')"]
    bad = batch.x.dtype.kind == "f" and (size > 100 or (batch.x == batch.x[:1]).all())
    words = found[0] if found else f"{len(batch)} examples of shape {batch.x.shape[1:]}, {batch.x.dtype}"
    return Check("inputs", not bad and not any("scale" in f or "pixels" in f for f in found), words)


def last_layer(found: Look, loss: Loss, y: Array, _: float) -> Check:
    """Whether the last layer gives what the loss takes."""
    wrong = disagreement(found, loss, y)
    return Check("last layer", not wrong, wrong[0] if wrong else f"{found.last or 'input'}, as {loss.name} takes it")


def outputs(found: Look, loss: Loss, y: Array, baseline: float) -> Check:
    """Outputs that do not depend on the inputs, or are not finite."""
    span = f"between {found.low:.3g} and {found.high:.3g}"
    if not math.isfinite(found.low + found.high):
        return Check("outputs", False, "not finite before the first step")
    if found.spread <= 1e-6 * max(1.0, abs(found.low), abs(found.high)):
        return Check(
            "outputs", False, f"the same for every example ({found.low:.3g}): they do not depend on the inputs"
        )
    return Check("outputs", True, f"{span}, and differ between the examples")


def loss_before(found: Look, loss: Loss, y: Array, baseline: float) -> Check:
    """A loss before training that no untrained model should have."""
    wrong = far(found.loss, baseline, loss)
    if wrong or not math.isfinite(found.loss):
        return Check("first loss", False, wrong[0] if wrong else f"{found.loss}: not finite before the first step")
    return Check("first loss", True, f"{found.loss:.3g}; that of the best constant prediction is {baseline:.3g}")


def gradients(found: Look, loss: Loss, y: Array, baseline: float) -> Check:
    """Parameters that no gradient reaches, or only a vanishing one."""
    known = {path: n for path, n in found.norms.items() if n is not None}
    apart = [path for path, n in found.norms.items() if n is None]
    broken = [path for path, n in known.items() if not math.isfinite(n)]
    zero = [path for path, n in known.items() if n == 0]
    most = max((n for n in known.values() if math.isfinite(n)), default=0.0)
    small = [f"{path} ({n:.1e})" for path, n in known.items() if 0 < n < VANISHING * most]
    parts = [f"{what}: {listed(paths)}" for what, paths in (
        ("NaN or infinite", broken), ("exactly zero", zero), ("no way to the loss", apart), ("vanishing", small),
    ) if paths]  # fmt: skip
    if not known and not apart:
        parts = ["nothing is to be trained"]
    sizes = f"‖∂loss/∂w‖ between {min(known.values()):.1e} and {most:.1e}" if known else ""
    return Check("gradients", not parts, "; ".join(parts) or sizes)


def rectifiers(found: Look, loss: Loss, y: Array, baseline: float) -> Check:
    """ReLUs of which hardly a unit is alive."""
    dead = [f"{path}: {share:.0%}" for path, share in found.dead.items() if share >= DEAD]
    if dead:
        return Check("ReLUs", False, f"units that are zero for every example: {listed(dead)}")
    shares = list(found.dead.values())
    return Check("ReLUs", True, f"at most {max(shares):.0%} of a layer's units are dead" if shares else "none")


JUDGEMENTS: tuple[Callable[[Look, Loss, Array, float], Check], ...] = (
    last_layer,
    outputs,
    loss_before,
    gradients,
    rectifiers,
)


def learning(losses: tuple[float, ...], baseline: float, fraction: float, steps: int) -> Check:
    """Whether the batch has been learned."""
    if not losses:
        return Check("learns", False, "no gradient reaches any parameter")
    if not math.isfinite(losses[-1]):
        return Check("learns", False, f"the loss is not finite after {len(losses) - 1} steps, from {losses[0]:.3g}")
    if not baseline > 1e-6:  # targets that are all alike, or a loss below zero: from where it began
        baseline = losses[0]
    goal = fraction * baseline if baseline > 0 else baseline - abs(baseline) * (1 - fraction)
    reached = next((k for k, value in enumerate(losses) if value < goal), None)
    course = f"the loss of the batch goes from {losses[0]:.3g} to {losses[-1]:.3g} in {steps} steps"
    if reached is not None:
        return Check("learns", True, f"{course}, below {goal:.3g} after {reached}")
    return Check("learns", False, f"{course}, not below {goal:.3g}, {fraction:.0%} of a constant's")


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def targets_in_words(y: Array, loss: Loss) -> str:
    """What the targets are."""
    if loss.kind == "classification" and y.ndim == 1:
        return f"{len(np.unique(y))} of the classes in the batch, labels {y.min()} to {y.max()}"
    return f"between {y.min():.3g} and {y.max():.3g}" if y.size else "none"


def told(error: WeftError) -> str:
    """An error in one line: what was received, and what to do."""
    lines = str(error).splitlines()
    cure = next((line.strip().removeprefix("try:").strip() for line in lines if line.strip().startswith("try:")), "")
    return lines[0] + (f": {cure}" if cure else "")


def check(model: Any, steps: Any, batch_size: Any, fraction: Any) -> None:
    """Refuse what is no model, and numbers out of range."""
    if not isinstance(model, Module):
        raise ArgumentError(
            f"sanity_check({type(model).__name__}, …)", expected="a module", cure="sanity_check(model, data, loss)"
        )
    whole("steps", steps, 1)
    whole("batch_size", batch_size, 2)
    if not (isinstance(fraction, int | float) and 0 < fraction <= 1):
        raise ArgumentError(f"fraction={fraction!r}", expected="a number above 0, and 1 at most")
