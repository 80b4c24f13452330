"""The command to try after a verdict: the same run with one thing changed, or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from weft.cli.options import TrainOptions
from weft.nn.layers.linear import Linear

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Change = Callable[[TrainOptions, tuple[int, ...]], TrainOptions]


def next_command(verdict: str, options: TrainOptions, trainer: Trainer) -> TrainOptions | None:
    """What to run next after this verdict; None where another run would not help. The old run is kept."""
    linear = [layer for layer in trainer.model.modules() if isinstance(layer, Linear)]
    change = _CHANGES.get(verdict)
    changed = change(options, tuple(layer.out_features for layer in linear[:-1])) if change else None
    return changed.with_changes(folder=None) if changed is not None else None


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
    return options.with_changes(hidden=tuple(2 * width for width in hidden) or (32,), dropout=0.0, weight_decay=0.0)


def other_rate(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against no learning at all: a larger rate, or a much smaller one if it was large."""
    return options.with_changes(learning_rate=1e-2 if options.learning_rate < 1e-2 else 1e-4)


def slower(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against divergence."""
    return options.with_changes(learning_rate=min(options.learning_rate / 10, 1e-3))


def longer(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Against stopping too early: more epochs, and let validation decide."""
    return options.with_changes(epochs=4 * options.epochs, patience=max(options.patience or 0, 10))


def more_evidence(options: TrainOptions, _: tuple[int, ...]) -> TrainOptions:
    """Where nothing can be told: more validation rows, enough epochs."""
    return options.with_changes(validation=max(options.validation, 0.3), epochs=max(options.epochs, 30))


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
