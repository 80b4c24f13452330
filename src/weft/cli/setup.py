"""What is trained, by the options: network, loss, optimizer, augmentation, and how these are said."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from weft.cli.options import Held, SetUp
from weft.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from weft.cli.models import Perceptron
    from weft.data.dataset import Dataset
    from weft.data.split import Split
    from weft.optim.optimizer import Optimizer

USUAL = 0.2  # the share of the rows for validation


def planned(options: SetUp, data: Dataset, rows: int) -> Perceptron:
    """The network for this data, with the usual widths for so many training rows unless some were given."""
    from weft.cli.models import Perceptron, usual_widths

    hidden = usual_widths(rows) if options.hidden is None else options.hidden
    outputs = len(data.classes) if classifies(data) else 1
    return Perceptron(data.x.shape[1], hidden, outputs, options.activation, options.dropout)


def classifies(data: Dataset) -> bool:
    """Whether the target is a class."""
    return data.task == "classification"


def loss_of(data: Dataset) -> str:
    """The loss for this task."""
    return "cross_entropy" if classifies(data) else "mse"


def metric_of(data: Dataset) -> str:
    """What a person wants to know besides the loss."""
    return "accuracy" if classifies(data) else "mae"


def optimizer_of(options: SetUp) -> Optimizer:
    """Adam, or AdamW where there is decay."""
    from weft import optim

    rate, decay = options.learning_rate, options.weight_decay
    return optim.AdamW(rate, weight_decay=decay) if decay else optim.Adam(rate)


def scale_of(options: SetUp) -> str | None:
    """How inputs are scaled, as `fit` takes it."""
    return None if options.scale == "none" else options.scale


def augmentation_of(options: SetUp, data: Dataset) -> list[Any] | None:
    """What is done to the training rows, as `fit` takes it; None for nothing. Raises ArgumentError."""
    from weft import augment

    kinds: dict[str, Any] = {
        "noise": augment.GaussianNoise,
        "drop": augment.FeatureDropout,
        "mixup": augment.MixUp,
        "smoothing": augment.LabelSmoothing,
    }
    pairs = [part.split(":") for part in options.augment]
    if any(name == "smoothing" for name, _ in pairs) and not classifies(data):
        kept = tuple(part for part in options.augment if not part.startswith("smoothing"))
        raise ArgumentError(
            "--augment smoothing with a target that is a number",
            expected="classes: only their labels can be smoothed",
            cure=options.with_changes(augment=kept).command(),
        )
    return [kinds[name](float(amount)) for name, amount in pairs] or None


def parted(options: Held, data: Dataset, share: float) -> Split:
    """The rows for training and for validation; an error says the share that would do."""
    from weft.data.split import split

    if share * len(data) < 1:
        raise DataError(
            f"--validation {share:g} of {len(data)} rows is less than one row",
            expected="rows for validation: a tenth to a third of all is usual",
            cure=options.with_changes(validation=USUAL).command(),
        )
    try:
        return split(data, share, seed=options.seed)
    except DataError as error:
        if share == USUAL or "one side of the split" not in error.received or USUAL * len(data) < len(data.classes):
            raise
        cure = options.with_changes(validation=USUAL).command()
        raise DataError(error.received, expected=error.expected, cure=cure) from None


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────

SCALES = {
    "standard": "scaled to mean 0 and standard deviation 1 of the training rows",
    "minmax": "scaled to 0 … 1 by the range of the training rows",
    "none": "as they are",
}


def set_up(
    options: SetUp, data: Dataset, plan: Perceptron, batch_size: int, until: str = "", varied: str = ""
) -> list[tuple[str, str]]:
    """Data, task, inputs, network and training, as pairs of a name and a line; ``varied`` is said elsewhere."""
    from weft.cli.sources import described

    given = "" if options.hidden is not None else "; width chosen by the number of training rows, --hidden changes it"
    precision = "" if options.precision == "f32" else f", in {options.precision}"
    steps = f"batches of {batch_size}, {options.epochs} epochs{until}{precision}"
    if varied == "hidden":
        model = f"{plan.inputs} → … {options.activation} → {plan.outputs}"
    else:
        model = f"{dataclasses.replace(plan, dropout=0.0) if varied == 'dropout' else plan}{given}"
    pairs = [
        ("data", described(data)),
        ("task", data.table.reason if data.table is not None else data.task),
        ("inputs", SCALES[options.scale]),
        ("model", model),
        ("training", ", ".join([*optimizer_words(options, varied), steps])),
    ]
    if options.augment:
        pairs.insert(3, ("augment", ", ".join(part.replace(":", " ") for part in options.augment)))
    return pairs


def optimizer_words(options: SetUp, varied: str) -> list[str]:
    """The optimizer and those of its numbers that do not vary."""
    words = ["AdamW" if options.weight_decay else "Adam"]
    if options.weight_decay and varied != "weight_decay":
        words.append(f"weight decay {options.weight_decay:g}")
    return words + ([f"learning rate {options.learning_rate:g}"] if varied != "learning_rate" else [])
