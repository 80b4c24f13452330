"""``weft train`` and ``weft resume``: data, network and training from one line, and what the run showed."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.options import TrainOptions, add_options
from weft.cli.parsing import whole
from weft.cli.wording import command_lines, facts, reason, remedies, table, verdict_line, wrapped
from weft.errors import ArgumentError

if TYPE_CHECKING:
    from weft.cli.models import Perceptron
    from weft.data.dataset import Dataset
    from weft.data.split import Split
    from weft.train.run import Run
    from weft.train.trainer import Trainer

INTERRUPTED = 130  # as a shell counts a process that Ctrl-C ended


def add_commands(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "train",
        help="train a network and diagnose it",
        description="Train a multilayer perceptron, and say whether it overfits.",
        epilog="Examples: weft train digits --hidden 256,256 --dropout 0.2; weft train homes.csv --target price",
    )
    add_options(parser, TrainOptions)
    parser.set_defaults(run=run, parser=parser)
    parser = commands.add_parser(
        "resume",
        help="go on with a run that was interrupted",
        description="Go on with a run of weft train from its newest checkpoint, exactly as if it had not stopped.",
        epilog="Example: weft resume runs/iris --epochs 200",
    )
    parser.add_argument("folder", metavar="RUN", help="the folder of the run, such as runs/iris")
    parser.add_argument("--epochs", type=whole(1), metavar="N", help="up to so many epochs in all (as it was begun)")
    parser.add_argument("--quiet", action="store_true", help="print the verdict and the folder only")
    parser.set_defaults(run=resume, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Train as the options say."""
    return perform(TrainOptions.of(arguments))[0]


def resume(arguments: argparse.Namespace) -> int:
    """Go on with a run as it was begun, perhaps for longer; 0 as well if there is nothing left to do."""
    from weft.cli.stored import stored

    options, folder = stored(arguments.folder)
    epochs = arguments.epochs or options.epochs
    options = options.with_changes(folder=str(folder), resume=True, quiet=arguments.quiet, epochs=epochs)
    done, stopped, final = begun(folder)
    if done > epochs:
        raise ArgumentError(
            f"--epochs {epochs}, and the run has {done}",
            expected=f"more than {done}, in all",
            cure=f"weft resume {shlex.quote(str(folder))} --epochs {2 * done}",
        )
    if (final or done == epochs) and reported(folder):
        why = f"it stopped by itself: {stopped}" if final else f"weft resume {folder} --epochs {2 * done} trains longer"
        print(wrapped(f"{folder} has all of its {done} epochs; {why}."))
        return 0
    return perform(options)[0]


def perform(options: TrainOptions) -> tuple[int, Path]:
    """Train as the options say; the exit status, and the folder of the run.

    0, 1 after a verdict of --fail-on, 130 after Ctrl-C, which keeps the best weights
    """
    from weft.cli.folders import run_folder
    from weft.cli.setup import augmentation_of, parted, planned
    from weft.cli.sources import dataset_of
    from weft.cli.stored import store

    data = dataset_of(options)
    share = validation_share(options, len(data))
    chosen = parted(options, data, share)
    plan = planned(options, data, len(chosen.train))
    augment = augmentation_of(options, data)
    if options.resume and options.folder is None:
        raise ArgumentError(
            "--resume without --folder",
            expected="the folder with the checkpoints",
            cure=options.with_changes(folder=f"runs/{data.name}").command(),
        )
    with run_folder(options.folder, data.name, resume=options.resume) as (folder, replaces):
        if not options.quiet:
            print(f"{opening(options, data, chosen, plan, folder if replaces else None)}\n", flush=True)
        store(options, folder)
        trainer, result = trained(options, data, share, plan, augment, folder)
    if options.quiet:
        print(f"{verdict_line(result.diagnosis) if result.evidence else 'No diagnosis'}\n{folder / 'report.html'}")
    else:
        print(closing(options, data, chosen, trainer, result, folder))
    if result.stopped == "interrupted":
        return INTERRUPTED, folder
    return int(result.evidence is not None and result.diagnosis.verdict in options.fail_on), folder


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


def trained(
    options: TrainOptions, data: Dataset, share: float, plan: Perceptron, augment: Any, folder: Path | None
) -> tuple[Trainer, Run]:
    """Train, and leave the run in its folder."""
    from weft import random
    from weft.cli.models import doubled
    from weft.cli.setup import classifies, loss_of, metric_of, optimizer_of, scale_of
    from weft.train.callbacks import TimeLimit
    from weft.train.trainer import Trainer

    random.seed(options.seed)
    trainer = Trainer(
        plan.build(),
        loss_of(data),
        optimizer_of(options),
        [metric_of(data)],
        [TimeLimit(options.time_limit)] if options.time_limit else [],
        precision=options.precision,
        seed=options.seed,
    )
    result = trainer.fit(
        data,
        validation=share,
        epochs=options.epochs,
        batch_size=options.batch_size,
        scale=scale_of(options),
        scale_target=not classifies(data),
        augment=augment,
        pieces=options.pieces,
        nonfinite=options.nonfinite,
        patience=options.patience,
        keep=options.keep,
        probe=dataclasses.replace(plan, hidden=doubled(plan.hidden)).build() if options.probe else None,
        folder=folder,
        resume=options.resume,
        verbose=not options.quiet,
    )
    return trainer, result


def begun(folder: Path) -> tuple[int, str, bool]:
    """How many whole epochs the newest checkpoint has, why training had stopped then, and whether for good."""
    from weft.storage.checkpoints import Checkpoints

    found = Checkpoints(folder).newest()
    return (0, "", False) if found is None else (
        int(found.about["done"]), str(found.about["stopped"]), bool(found.about["final"])
    )  # fmt: skip


def reported(folder: Path) -> bool:
    """Whether the results of the newest checkpoint are there: the report is what is written last."""
    report, latest = folder / "report.html", folder / "checkpoints" / "latest"
    return report.is_file() and latest.is_file() and report.stat().st_mtime_ns >= latest.stat().st_mtime_ns


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def opening(options: TrainOptions, data: Dataset, chosen: Split, plan: Perceptron, earlier: Path | None) -> str:
    """What will be done: data, task, network, training, split; ``earlier`` is a folder that holds a run already."""
    from weft.cli.setup import set_up

    until = f", or {options.patience} without improvement" if options.patience else ""
    until += f", or {options.time_limit}" if options.time_limit else ""
    pairs = [*set_up(options, data, plan, options.batch_size, until), ("split", chosen.describe())]
    if earlier is not None and options.resume:
        done, _, _ = begun(earlier)
        pairs.append(
            ("resume", f"{earlier}, after {done} of {options.epochs} epochs" if done else "from the beginning")
        )
    elif earlier is not None:
        pairs.append(("folder", f"{earlier} holds an earlier run, which is replaced"))
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
    if result.stopped == "interrupted" or result.stopped.startswith("time"):
        parts += [
            "",
            "To go on with this run, exactly where it stopped:",
            command_lines(f"weft resume {shlex.quote(str(folder))}"),
        ]
    return "\n".join([*parts, "", where(folder)])


def ended(result: Run) -> str:
    """How long it took, why it ended, and which weights are kept."""
    why = {
        "patience": ", stopped because the validation loss no longer fell",
        "interrupted": ", interrupted",
        "diverged": ", stopped because a number was no longer finite",
    }.get(result.stopped, "" if result.stopped == "epochs" else f", stopped by {result.stopped}")
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
    epochs = {f"epoch {held} (kept)": held} if held else {}  # 0: the weights from before the first epoch
    epochs |= {f"epoch {last} (last)": last} if last != held else {}
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
