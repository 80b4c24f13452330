"""``weft crossval``: how good this set-up is on rows that it has not seen, and how sure that is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.cli.options import BiasVarianceOptions, CrossvalOptions, PrescribeOptions, add_options
from weft.cli.study import Study, place
from weft.cli.wording import command_lines, table, wrapped
from weft.errors import DataError

if TYPE_CHECKING:
    from weft.data.dataset import Dataset
    from weft.studies.cross_validation import CrossValidation

Array = np.ndarray[Any, Any]
SHORT = {"mae": "mean absolute error"}


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "crossval",
        help="cross-validate: mean ± standard error",
        description="Train on all parts of the data but one and measure on that one, for each part.",
        epilog="Example: weft crossval iris --folds 5 --repeats 3",
    )
    add_options(parser, CrossvalOptions)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Cross-validate as the options say."""
    from weft.cli.sources import dataset_of, groups_of
    from weft.studies.cross_validation import cross_validate

    options = CrossvalOptions.of(arguments)
    groups = None if options.group is None else groups_of(options, options.group)
    data = dataset_of(options.with_changes(ignore=options.left_out))
    check(options, data, groups)
    study = Study.of(options, data, len(data) - len(data) // options.folds)
    with place(options, data.name) as here:
        here.open(study.opening(("folds", folds(options, data)), *filled(data)))
        try:
            found = cross_validate(
                study.population(), study.data, options.folds, repeats=options.repeats, groups=groups,
                seed=options.seed, keep=options.keep, **study.how,
            )  # fmt: skip
            then = following(study, found)
        except DataError as error:
            if "not finite" not in error.received:
                raise
            slower = options.with_changes(learning_rate=min(options.learning_rate / 10, 1e-3))
            raise DataError(error.received, expected="training that does not diverge", cure=slower.command()) from None
        text = "\n".join(
            [*reading(study, found), "", "Next, for example:", command_lines(then), *ungrouped(options, then)]
        )
        here.leave(verdict(study, found), text, result(study, found), picture(study, found))
    return 0


def check(options: CrossvalOptions, data: Dataset, groups: Array | None) -> None:
    """Refuse folds that the rows, the classes or the groups cannot fill."""
    most, what = len(data), "rows"
    labels = np.asarray(data.y).reshape(-1)
    if groups is not None:
        most, what = len(np.unique(groups)), f"different values in the column {options.group!r}"
    elif data.task == "classification":
        counts = np.bincount(labels, minlength=len(data.classes))
        most, what = int(counts.min()), f"rows of the class {data.classes[int(counts.argmin())]!r}"
    if most >= options.folds:
        return
    cure = options.with_changes(folds=most).command() if most > 1 else None
    raise DataError(
        f"--folds {options.folds}, and the data has {most} {what}",
        expected=f"2 to {most} folds, so that each holds one" if most > 1 else "2 or more of each",
        cure=cure,
    )


def filled(data: Dataset) -> list[tuple[str, str]]:
    """Where the values in empty cells come from, if there are any."""
    if data.source is None:
        return []
    where = "each fold's training rows" if data.task == "classification" else "all rows, unseen ones too"
    return [("missing", f"what fills empty cells comes from {where}")]


def folds(options: CrossvalOptions, data: Dataset) -> str:
    """The folds in words."""
    how = "the same share of every class" if data.task == "classification" else "at random"
    if options.group is not None:
        how = f"rows with the same {options.group} together"
    again = f", {options.repeats} times over" if options.repeats > 1 else ""
    kept = "the last epoch" if options.keep == "last" else "the best epoch by its own fold, which flatters"
    return f"{options.folds}, {how} (seed {options.seed}){again}; each measured at {kept}"


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def verdict(study: Study, found: CrossValidation) -> str:
    """The metric with its uncertainty, and whether it is better than guessing."""
    from weft.overfit.result import plus_minus

    estimate = found[study.metric]
    mean, se = study.in_unit(study.metric, estimate.mean), study.in_unit(study.metric, estimate.se)
    said = f"{study.named(study.metric)} {plus_minus(mean, se)} on rows not seen in training"
    if not learns(study, found):
        said += f"; that is not shown to be better than always guessing the same ({study.baseline:.3g})"
    return said


def learns(study: Study, found: CrossValidation) -> bool:
    """Whether the whole interval is on the better side of always guessing the same."""
    low, high = (study.in_unit(study.metric, end) for end in found[study.metric].interval())
    return bool(low > study.baseline if study.metric == "accuracy" else high < study.baseline)


def reading(study: Study, found: CrossValidation) -> list[str]:
    """The numbers, and what to make of them."""
    from weft.overfit.result import decimals

    rows = [["", "training", "unseen", "± SE", "95 % interval"]]
    for name, e in found.estimates.items():
        mean, se, train = (
            study.in_unit(name, v) for v in (e.mean, e.se, float(found.run.held(f"train_{name}").mean()))
        )
        low, high = (study.in_unit(name, end) for end in e.interval())
        places = decimals([se])
        low, high = (max(low, 0.0), min(high, 1.0) if name == "accuracy" else high)
        rows.append(
            [
                SHORT.get(name, name),
                *(f"{v:.{places}f}" for v in (train, mean, se)),
                f"{low:.{places}f} to {high:.{places}f}",
            ]
        )
    guess = "always guessing the same"
    rows.append([guess, "", f"{study.baseline:.3g}", "", f"({study.metric})"])
    what = f"{study.named('loss').capitalize()}; {len(found.rows)} models in {found.run.seconds:.1f} s."
    note = f"{what} The standard error is corrected for training sets that overlap."
    return ["", table(rows), "", wrapped(note)]


def picture(study: Study, found: CrossValidation) -> Any:
    """The folds as points, in the unit that a person counts in, as a matplotlib figure."""
    from weft.overfit.estimates import estimate
    from weft.view.folds import plot_folds

    scores = study.in_unit(study.metric, found.scores[study.metric])
    return plot_folds(estimate(scores, name=study.named(study.metric)))


def gap(found: CrossValidation) -> bool:
    """Whether the loss on unseen rows exceeds that on training rows by more than two standard errors."""
    loss = found["loss"]
    return bool(loss.mean - float(found.run.held("train_loss").mean()) > 2 * loss.se)


def following(study: Study, found: CrossValidation) -> str:
    """What to run next: against overfitting, against not learning, or for a smaller standard error."""
    options: CrossvalOptions = study.options
    if gap(found):
        return options.to_train(PrescribeOptions).command()
    if not learns(study, found):
        return options.to_train(BiasVarianceOptions).command()
    return options.with_changes(repeats=max(3, 2 * options.repeats)).command()


def ungrouped(options: CrossvalOptions, command: str) -> list[str]:
    """What to beware of where the next command cannot keep groups together."""
    if options.group is None or command.startswith("weft crossval"):
        return []
    return [wrapped(f"There, rows with the same {options.group} may lie on both sides: only crossval takes --group.")]


def result(study: Study, found: CrossValidation) -> dict[str, Any]:
    """All numbers: losses and errors as trained on, and the unit that makes them the target's own."""
    return {
        "data": study.data.name,
        "target_unit": study.unit,
        "estimates": found.estimates,
        "baseline": {study.metric: study.baseline},
        "training": {
            name: found.run.held(f"train_{name}").reshape(scores.shape) for name, scores in found.scores.items()
        },
        "scores": found.scores,
        "predictions": found.predictions,
        "seconds": found.run.seconds,
    }
