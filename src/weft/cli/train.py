"""``weft train``: data, network and training from one line, and what the run showed."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.options import TrainOptions, add_options
from weft.cli.wording import command_lines, facts, reason, remedies, table, verdict_line, wrapped
from weft.errors import ArgumentError

if TYPE_CHECKING:
    from weft.cli.models import Perceptron
    from weft.data.dataset import Dataset
    from weft.data.split import Split
    from weft.train.run import Run
    from weft.train.trainer import Trainer

INTERRUPTED = 130


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train a network and diagnose it",
        description="Train a multilayer perceptron, and say whether it overfits.",
        epilog="Examples: weft train digits --hidden 256,256 --dropout 0.2; weft train homes.csv --target price",
    )
    parser.add_argument("data", metavar="DATA", help="iris, digits, wine, breast_cancer, diabetes, or FILE.csv")
    add_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Train as the options say; 0, or 130 after Ctrl-C, which keeps the best weights so far."""
    from weft.cli.folders import run_folder
    from weft.cli.sources import dataset_of
    from weft.data.split import split

    options = TrainOptions(**{f.name: getattr(arguments, f.name) for f in fields(TrainOptions)})
    data = dataset_of(options)
    share = validation_share(options, len(data))
    chosen = split(data, share, seed=options.seed)
    plan = planned(options, data, len(chosen.train))
    with run_folder(options.folder, data.name) as (folder, replaces):
        if not options.quiet:
            print(f"{opening(options, data, chosen, plan, replaces)}\n", flush=True)
        trainer, result = trained(options, data, share, plan, folder)
    if options.quiet:
        print(f"{verdict_line(result.diagnosis) if result.evidence else 'No diagnosis'}\n{folder / 'report.html'}")
    else:
        print(closing(options, data, chosen, trainer, result, folder))
    return INTERRUPTED if result.stopped == "interrupted" else 0


def validation_share(options: TrainOptions, rows: int) -> float:
    """The share of the rows for validation: what ``--examples`` leaves, or ``--validation``."""
    if options.examples is None:
        return options.validation
    if options.examples >= rows:
        raise ArgumentError(
            f"--examples {options.examples}, but the data has {rows} rows",
            expected=f"1 to {rows - 1}, so that rows are left for validation",
            cure=options.with_changes(examples=max(1, rows // 2)).command(),
        )
    return (rows - options.examples) / rows


def planned(options: TrainOptions, data: Dataset, rows: int) -> Perceptron:
    """The network for this data, with the usual widths for so many training rows unless some were given."""
    from weft.cli.models import Perceptron, usual_widths

    hidden = usual_widths(rows) if options.hidden is None else options.hidden
    outputs = len(data.classes) if data.task == "classification" else 1
    return Perceptron(data.x.shape[1], hidden, outputs, options.activation, options.dropout)


def trained(options: TrainOptions, data: Dataset, share: float, plan: Perceptron, folder: Path) -> tuple[Trainer, Run]:
    """Train, and leave the run in its folder."""
    from weft import optim, random
    from weft.train.trainer import Trainer

    random.seed(options.seed)
    classifies = data.task == "classification"
    rate, decay = options.learning_rate, options.weight_decay
    trainer = Trainer(
        plan.build(),
        "cross_entropy" if classifies else "mse",
        optim.AdamW(rate, weight_decay=decay) if decay else optim.Adam(rate),
        ["accuracy"] if classifies else ["mae"],
        seed=options.seed,
    )
    result = trainer.fit(
        data,
        validation=share,
        epochs=options.epochs,
        batch_size=options.batch_size,
        scale=None if options.scale == "none" else options.scale,
        scale_target=not classifies,
        patience=options.patience,
        keep=options.keep,
        probe=dataclasses.replace(plan, hidden=tuple(2 * n for n in plan.hidden)).build() if options.probe else None,
        folder=folder,
        verbose=not options.quiet,
    )
    return trainer, result


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────

_SCALES = {
    "standard": "scaled to mean 0 and standard deviation 1 of the training rows",
    "minmax": "scaled to 0 … 1 by the range of the training rows",
    "none": "as they are",
}


def opening(options: TrainOptions, data: Dataset, chosen: Split, plan: Perceptron, replaces: bool) -> str:
    """What will be done: data, task, network, training, split."""
    from weft.cli.sources import described

    optimizer = f"AdamW, weight decay {options.weight_decay:g}" if options.weight_decay else "Adam"
    steps = f"learning rate {options.learning_rate:g}, batches of {options.batch_size}, {options.epochs} epochs"
    until = f", or {options.patience} without improvement" if options.patience else ""
    given = "" if options.hidden is not None else "; width chosen by the number of training rows, --hidden changes it"
    pairs = [
        ("data", described(data)),
        ("task", data.table.reason if data.table is not None else data.task),
        ("inputs", _SCALES[options.scale]),
        ("model", f"{plan}{given}"),
        ("training", f"{optimizer}, {steps}{until}"),
        ("split", chosen.describe()),
    ]
    if replaces:
        pairs.append(("folder", f"{options.folder} holds an earlier run, which is replaced"))
    return facts(pairs)


def closing(options: TrainOptions, data: Dataset, chosen: Split, trainer: Trainer, result: Run, folder: Path) -> str:
    """What the run showed: verdict, reason, numbers, what to try, and where everything is."""
    from weft.cli.advice import next_command

    parts = [ended(result)]
    parts += [wrapped(note, "note: ") for note in result.notes if note != chosen.describe() and "laid out" not in note]
    if result.evidence is not None:
        found = result.diagnosis
        parts += ["", verdict_line(found), reason(found), "", measured(result)]
        if data.task == "regression" and result.stopped != "diverged":
            parts += ["", own_unit(data, chosen, trainer)]
        parts += ["", remedies(found)]
        if (following := next_command(found.verdict, options, trainer)) is not None:
            parts += ["", "Next, for example:", command_lines(following.command())]
    return "\n".join([*parts, "", where(folder)])


def ended(result: Run) -> str:
    """How long it took, why it ended, and which weights are kept."""
    why = {
        "patience": ", stopped because the validation loss no longer fell",
        "interrupted": ", interrupted",
        "diverged": ", stopped because a number was no longer finite",
    }.get(result.stopped, "")
    which = "the best by validation loss" if result.held_epoch == result.best_epoch else "the last"
    held = f"the model holds the weights of epoch {result.held_epoch}, {which}"
    if not result.history.epochs:
        held = "before the first epoch ended: the model holds its first weights"
    elif result.diagnosis.best_epoch == 0:
        held = "no epoch had a finite validation loss"
    return wrapped(f"{result.history.epochs} epochs in {result.seconds:.1f} s{why}; {held}.")


def measured(result: Run) -> str:
    """Loss and metric on both parts at the epoch that is kept and at the last one."""
    from weft.overfit.words import num

    assert result.evidence is not None
    history, held, last = result.history, result.held_epoch, result.history.epochs
    epochs = {f"epoch {held} (kept)": held} | ({f"epoch {last} (last)": last} if last != held else {})
    names = [name.removeprefix("val_") for name in history.columns if name.startswith("val_")]
    rows = [["", *epochs]]
    for name in names:
        for part, said in (("train", "training"), ("val", "validation")):
            rows.append([f"{said} {name}", *(num(history.row(epoch)[f"{part}_{name}"]) for epoch in epochs.values())])
    rows.append(["loss of always guessing the same", *(num(result.evidence.baseline) for _ in epochs)])
    return table(rows)


def own_unit(data: Dataset, chosen: Split, trainer: Trainer) -> str:
    """The errors of a regression on the validation rows, in the unit of its target."""
    from weft.cli.scores import Errors

    _, held_out = chosen.apply(data)
    assert held_out.y is not None
    return table(Errors.of(held_out.y, trainer.predict(held_out.x)).lines(str(data.target)))


def where(folder: Path) -> str:
    """The files that a person will want next."""
    return facts(
        [
            ("report", str(folder / "report.html")),
            ("model", f"{folder / 'model.weft'}; to use it: weft predict {folder} FILE.csv"),
        ]
    )
