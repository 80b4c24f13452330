"""``weft prescribe``: remedies against overfitting, tried and compared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.options import DATA, OWN, LearningCurveOptions, PrescribeOptions, TrainOptions, add_options
from weft.cli.study import place, spread
from weft.cli.wording import command_lines, reason, table, verdict_line, wrapped

if TYPE_CHECKING:
    from weft.studies.prescription import Prescription, Tried
    from weft.train.run import Run

# Remedies that change the rows: the word of --augment, and the number of it; what was there before stays.
ADDED = {
    "noise on the inputs": ("noise", "std"),
    "mixup": ("mixup", "alpha"),
    "smoothed labels": ("smoothing", "amount"),
}


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "prescribe",
        help="try remedies against overfitting",
        description="Train, diagnose, then try what may help: weight decay, dropout, a smaller model, noise, mixing, "
        "smoothed labels; each with several seeds, compared with the model as it was. Of the folder of a run, the "
        "same training is done again first.",
        epilog="Examples: weft prescribe iris; weft prescribe runs/iris --seeds 10",
    )
    add_options(parser, PrescribeOptions, help=f"{DATA}; or the folder of a run", metavar="DATA|RUN")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, diagnose, try."""
    from weft.cli.setup import augmentation_of, parted, planned, set_up
    from weft.cli.sources import dataset_of, is_run
    from weft.cli.stored import store
    from weft.cli.train import trained, validation_share
    from weft.cli.wording import facts
    from weft.studies.prescription import prescribe

    options = PrescribeOptions.of(arguments)
    training = training_of(options)
    asked = training if is_run(options.data) else options  # what an error is about
    data = dataset_of(asked)
    share = validation_share(training, len(data))
    chosen = parted(asked, data, share)
    plan = planned(training, data, len(chosen.train))
    augment = augmentation_of(asked, data)
    name = data.name if asked is options else Path(options.data).resolve().name
    with place(options, name) as here:
        pairs = [*set_up(training, data, plan, training.batch_size), ("split", chosen.describe())]
        here.open(facts(pairs))
        store(training, here.folder, options.command())
        _, before = trained(training, data, share, plan, augment, here.folder)
        if not options.quiet:
            here.say(f"{verdict_line(before.diagnosis)}\n{reason(before.diagnosis)}\n")
        found = prescribe(before, seeds=options.seeds, verbose=not options.quiet)
        text = "\n".join([*reading(found), *following(training, plan.hidden, found)])
        here.leave(verdict(found), text, result(before, found), found.plot())
    return 0


def training_of(options: PrescribeOptions) -> TrainOptions:
    """How the model is trained: by the options, or as the run in a folder was; then options that were given count."""
    from weft.cli.sources import is_run
    from weft.cli.stored import stored

    if not is_run(options.data):
        return options.to_train(TrainOptions).with_changes(quiet=options.quiet)
    found, _ = stored(options.data)
    known = {f.name for f in TrainOptions.declared()} - OWN
    given = {name: getattr(options, name) for name in options.given if name in known}
    if "validation" in given:
        given["examples"] = None  # which says as well how many rows are held out
    return found.with_changes(**given, folder=None, resume=False, quiet=options.quiet, probe=False)


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def verdict(found: Prescription) -> str:
    """The remedy to take, or that none helped."""
    best = found.best
    if best is None:
        said = "none of the remedies lowered the validation loss by more than chance"
    else:
        c = best.comparison
        said = f"take {best.remedy.name}: the validation loss changes by {c.effect:+.4f} ± {c.se:.4f}"
    return said


def reading(found: Prescription) -> list[str]:
    """The table of remedies, and what was left out."""
    from weft.studies.prescription import LAST

    lost, se = found.later
    rows = [["remedy", "validation loss", "change", ""], ["as it was", spread(found.before), "", ""]]
    rows.append([LAST, spread(found.last), f"{lost:+.4f} ± {se:.4f}", ""])
    for tried in found.tried:
        change = f"{tried.comparison.effect:+.4f} ± {tried.comparison.se:.4f}"
        rows.append([tried.remedy.name, spread(tried.losses), change, mark(tried)])
    seeds = len(found.before)
    note = (
        f"{len(found.tried) + 1} set-ups of {seeds} seeds each in {found.seconds:.1f} s, all measured on the same "
        "validation rows, where their loss is lowest: the best of so many flatters. Measure what you take on rows "
        "that took no part."
    )
    return ["", table(rows), "", wrapped(note), *(wrapped(why, "Left out: ", "  ") for why in found.left_out)]


def mark(tried: Tried) -> str:
    """Whether it helped, harmed, or neither was shown."""
    if tried.helped:
        return "helped"
    return "harmed" if tried.comparison.winner is not None else "no difference shown"


def following(training: TrainOptions, hidden: tuple[int, ...], found: Prescription) -> list[str]:
    """The command that trains with the remedy, or that asks whether data is what is missing."""
    best = found.best
    if best is None:
        following = training.to_train(LearningCurveOptions)
        return ["", "Next, for example:", command_lines(following.command())]
    return ["", "Next, for example:", command_lines(with_remedy(training, hidden, best).command())]


def with_remedy(training: TrainOptions, hidden: tuple[int, ...], best: Tried) -> TrainOptions:
    """The same training with the remedy."""
    made, remedy = training.with_changes(quiet=False, **best.remedy.settings), best.remedy
    if remedy.settings:
        return made
    if remedy.name not in ADDED:
        return made.with_changes(hidden=tuple(max(1, round(width / 2)) for width in hidden))
    name, amount = ADDED[remedy.name]
    kinds = remedy.augment if isinstance(remedy.augment, list | tuple) else [remedy.augment]
    return made.with_changes(augment=(*training.augment, f"{name}:{getattr(kinds[-1], amount):g}"))


def result(before: Run, found: Prescription) -> dict[str, Any]:
    """The verdict before, and the losses and comparison of each remedy."""
    return {
        "before": {"verdict": before.diagnosis.verdict, "losses": found.before, "last": found.last},
        "remedies": [
            {
                "name": tried.remedy.name,
                "code": tried.remedy.code,
                "losses": tried.losses,
                "helped": tried.helped,
                "comparison": tried.comparison,
            }
            for tried in found.tried
        ],
        "best": None if found.best is None else found.best.remedy.name,
        "left_out": found.left_out,
        "seconds": found.seconds,
    }
