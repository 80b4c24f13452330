"""``weft sweep``: the same training with one setting varied, and the simplest value that is as good as the best."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.cli.options import SweepOptions, TrainOptions, add_options, shown
from weft.cli.parsing import number, widths
from weft.cli.study import Study, place, spread
from weft.cli.wording import command_lines, table, wrapped
from weft.errors import ArgumentError

if TYPE_CHECKING:
    from weft.overfit.selection import Selection
    from weft.studies.validation_curve import ValidationCurve

SUGGESTED = {
    "weight_decay": ("1e-4", "1e-3", "1e-2", "1e-1"),
    "dropout": ("0", "0.2", "0.5"),
    "learning_rate": ("1e-4", "1e-3", "1e-2"),
    "hidden": ("4", "16", "64", "256"),
}
PARSERS: dict[str, Callable[[str], Any]] = {
    "weight_decay": number(lambda v: 0 <= v < float("inf"), "0 or more"),
    "dropout": number(lambda v: 0 <= v < 1, "0 or more and less than 1"),
    "learning_rate": number(lambda v: 0 < v < float("inf"), "more than 0"),
    "hidden": widths,
}


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "sweep",
        help="vary one setting",
        description="Train with each value of one setting, several times each, and choose the simplest value within "
        "one standard error of the best.",
        epilog="Examples: weft sweep iris --vary weight_decay --values 1e-4 1e-3 1e-2; "
        "weft sweep digits --vary hidden --values 4 16 64",
    )
    add_options(parser, SweepOptions)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Vary what the options say."""
    from weft.cli.sources import dataset_of
    from weft.studies.validation_curve import validation_curve

    options = SweepOptions.of(arguments)
    values = values_of(options)
    data = dataset_of(options)
    study, chosen = Study.held(prepared(options, values), data)
    order = simplest_first(study, values)
    with place(options, data.name) as here:
        how = f"{options.vary} {', '.join(map(shown, order))}; {options.repeats} models each"
        here.open(study.opening(("vary", how), ("split", chosen.describe()), varied=options.vary))
        set_up = study.population()
        how_to: dict[str, Any] = {
            "repeats": options.repeats,
            "validation": options.validation,
            "seed": options.seed,
            **study.how,
        }
        if options.vary == "hidden":
            make = lambda named: dataclasses.replace(study.plan, hidden=widths(str(named))).build()
            parts: dict[str, Any] = {"loss": set_up.loss, "optimizer": set_up.optimizer, "metrics": set_up.metrics}
            found = validation_curve(make, study.data, "hidden", as_drawn(order), **parts, **how_to)
        else:
            found = validation_curve(set_up, study.data, options.vary, order, **how_to)
        choice = chosen_of(found)
        text = "\n".join([*reading(study, found, choice), *following(options, choice, found)])
        whole = bool(np.isfinite(found.validation).all())  # what diverged cannot be drawn
        here.leave(verdict(options, choice, found), text, result(study, found, choice), found.plot() if whole else None)
    return 0


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────


def values_of(options: SweepOptions) -> list[Any]:
    """The values as numbers, or as widths. Raises ArgumentError."""
    cure = options.with_changes(values=SUGGESTED[options.vary]).command()
    parse: Callable[[str], Any] = PARSERS[options.vary]
    texts = list(options.values)
    if options.vary != "hidden":  # there a comma parts the layers of one network
        texts = [part for text in options.values for part in text.split(",") if part]
    try:
        values = [parse(text) for text in texts]
    except argparse.ArgumentTypeError as error:
        received, _, expected = str(error).partition("; expected ")
        raise ArgumentError(f"--vary {options.vary} --values {received}", expected=expected, cure=cure) from None
    if len(set(values)) < 2 or len(set(values)) < len(values):
        raise ArgumentError(
            f"--values {' '.join(options.values) or 'not given'}", expected="2 or more different values", cure=cure
        )
    if options.vary == "dropout" and options.hidden == ():
        raise ArgumentError(
            "--vary dropout of a model without hidden layers",
            expected="hidden layers, after which values are dropped",
            cure=options.with_changes(hidden=None).command(),
        )
    return values


def prepared(options: SweepOptions, values: list[Any]) -> SweepOptions:
    """The set-up that has the setting: some dropout, or some decay, whose strength then varies."""
    if options.vary in ("dropout", "weight_decay"):
        return options.with_changes(**{options.vary: max(values)})
    return options.with_changes(learning_rate=values[0]) if options.vary == "learning_rate" else options


def simplest_first(study: Study, values: list[Any]) -> list[Any]:
    """From what holds a model back most to what lets it learn most."""
    if study.options.vary == "hidden":
        return sorted(values, key=lambda hidden: dataclasses.replace(study.plan, hidden=hidden).parameters)
    return sorted(values, reverse=study.options.vary in ("weight_decay", "dropout"))


def as_drawn(hidden: list[tuple[int, ...]]) -> list[Any]:
    """Networks as places on an axis: numbers if each has one hidden layer, else texts.

    >>> as_drawn([(4,), (16,)]), as_drawn([(), (16,)])
    ([4, 16], ['none', '16'])
    """
    single = all(len(widths) == 1 for widths in hidden)
    return [widths[0] if single else shown(widths) for widths in hidden]


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def chosen_of(found: ValidationCurve) -> Selection | None:
    """The choice among the values that did not diverge; None if all did."""
    from weft.overfit.selection import one_standard_error

    whole = [bool(np.isfinite(scores).all()) for scores in found.validation]
    if not any(whole):
        return None
    names = [shown(v) for v, fine in zip(found.values, whole, strict=True) if fine]
    scores = found.validation[whole]
    return one_standard_error(names, scores, metric=found.metric, test_over_train=0, looks=found.looks)


def verdict(options: SweepOptions, choice: Selection | None, found: ValidationCurve) -> str:
    """The value to take."""
    if choice is None:
        return f"diverged with every {options.vary}"
    said = f"take {options.vary} {choice.chosen}"
    if choice.chosen != choice.best:
        said += f", the simplest within one standard error of the best, {choice.best}"
    else:
        said += ", the best, and nothing simpler is within one standard error of it"
        if choice.chosen_index == 0 and options.vary != "learning_rate":
            said = f"take {options.vary} {choice.chosen}, the simplest, which is the best as well"
    return said


def reading(study: Study, found: ValidationCurve, choice: Selection | None) -> list[str]:
    """The table of values, the simplest first, and how far the best flatters."""
    rows = [[study.options.vary, "training", "validation", ""]]
    for value, train, held in zip(found.values, found.train, found.validation, strict=True):
        name = shown(value)
        marks = [] if choice is None else ["best"] * (name == choice.best) + ["chosen"] * (name == choice.chosen)
        marks += [] if np.isfinite(held).all() else ["diverged"]
        rows.append([name, spread(train), spread(held), ", ".join(marks)])
    seconds = sum(run.seconds for run in found.runs)
    note = (
        f"{study.named('loss')} at the best epoch, mean ± standard error; {found.train.size} models in {seconds:.1f} s."
    )
    lines = ["", table(rows), "", wrapped(note)]
    if choice is not None:
        sentence = choice.sentence()
        lines.append(wrapped(f"{sentence[0].upper()}{sentence[1:]}."))
    return lines


def following(options: SweepOptions, choice: Selection | None, found: ValidationCurve) -> list[str]:
    """What to run next: further out if the choice lies at the end, else training with it."""
    if choice is None:
        return ["", "Next, for example:", command_lines(options.with_changes(learning_rate=1e-4).command())]
    value: Any = widths(choice.chosen) if options.vary == "hidden" else float(choice.chosen)
    trained = options.to_train(TrainOptions).with_changes(**{options.vary: value})
    lines = ["", "Next, for example:", command_lines(trained.command())]
    if choice.best == shown(found.values[-1]) and options.vary == "hidden":
        lines += ["", wrapped("The best is the largest that was tried: larger ones may be better still.")]
    return lines


def result(study: Study, found: ValidationCurve, choice: Selection | None) -> dict[str, Any]:
    """All numbers, and the choice."""
    return {
        "data": study.data.name,
        "target_unit": study.unit,
        "setting": found.setting,
        "values": [widths(str(v)) for v in found.values] if found.setting == "hidden" else found.values,
        "metric": found.metric,
        "training": found.train,
        "validation": found.validation,
        "selection": choice,
        "seconds": sum(run.seconds for run in found.runs),
    }
