"""The command to try after a verdict: the same run with one thing changed, or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from weft.cli.models import doubled
from weft.cli.options import CrossvalOptions, SetUp, TrainOptions
from weft.nn.layers.linear import Linear

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Change = Callable[[TrainOptions, tuple[int, ...]], SetUp]
ENOUGH = 30  # epochs from which a trend can be seen


def next_command(verdict: str, options: TrainOptions, trainer: Trainer) -> SetUp | None:
    """What to run next after this verdict; None where another run would not help. The old run is kept."""
    linear = [layer for layer in trainer.model.modules() if isinstance(layer, Linear)]
    change = _CHANGES.get(verdict)
    asked = options.with_changes(folder=None, resume=False)
    changed = change(asked, tuple(layer.out_features for layer in linear[:-1])) if change else asked
    return changed if changed != asked else None


def simpler(options: TrainOptions, hidden: tuple[int, ...]) -> TrainOptions:
    """Against overfitting, in the order of the remedies: more data, then regularisation, then a smaller model."""
    if options.examples is not None:
        return options.with_changes(examples=None)
    if not options.dropout and hidden:
        return options.with_changes(dropout=0.2, weight_decay=options.weight_decay or 0.01)
    if not hidden:
        return options.with_changes(weight_decay=max(0.01, 10 * options.weight_decay))
    return options.with_changes(hidden=tuple(max(width // 2, 2) for width in hidden))


def wider(options: TrainOptions, hidden: tuple[int, ...]) -> TrainOptions:
    """Against underfitting: twice as wide, and nothing that holds the model back."""
    return options.with_changes(hidden=doubled(hidden), dropout=0.0, weight_decay=0.0)


def other_rate(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against no learning at all: a larger rate, or a much smaller one if it was large."""
    return options.with_changes(learning_rate=1e-2 if options.learning_rate < 1e-2 else 1e-4)


def slower(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against divergence."""
    return options.with_changes(learning_rate=min(options.learning_rate / 10, 1e-3))


def longer(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against stopping too early: more epochs, as long as they take, and let validation decide."""
    return options.with_changes(epochs=4 * options.epochs, patience=max(options.patience or 0, 10), time_limit=None)


def more_evidence(options: TrainOptions, _: tuple[int, ...]) -> SetUp:
    """Where nothing can be told: enough epochs; then every row is a validation row once."""
    if options.epochs < ENOUGH:
        return options.with_changes(epochs=ENOUGH)
    return options.to_train(CrossvalOptions)


def other_split(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Where the validation rows may be easy by chance."""
    return options.with_changes(seed=options.seed + 1)


_CHANGES: dict[str, Change] = {
    "diverged": slower,
    "cannot tell": more_evidence,
    "not learning": other_rate,
    "over-confident": simpler,
    "overfitting": simpler,
    "still improving": longer,
    "large gap": simpler,
    "underfitting": wider,
    "validation easier": other_split,
}
