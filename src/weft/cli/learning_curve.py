"""``weft learning-curve``: what more data would bring."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from weft.cli.options import LearningCurveOptions, PrescribeOptions, SweepOptions, add_options
from weft.cli.study import Study, place, spread
from weft.cli.wording import command_lines, table, wrapped
from weft.errors import DataError

if TYPE_CHECKING:
    from weft.studies.learning_curve import LearningCurve

BATCHES = 2  # the least number of batches for each size, so that sizes differ


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "learning-curve",
        help="say what more data would bring",
        description="Train on growing parts of the training rows, and say what more of them would bring.",
        epilog="Example: weft learning-curve digits --sizes 8 --repeats 3",
    )
    add_options(parser, LearningCurveOptions)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure the curve as the options say."""
    from weft.cli.sources import dataset_of
    from weft.studies.learning_curve import learning_curve, sizes_of

    options = LearningCurveOptions.of(arguments)
    data = dataset_of(options)
    rows = len(data) - round(len(data) * options.validation)
    study, chosen = Study.held(options, data, options.batch_size or usual_batch(rows, options.sizes))
    batch = study.options.batch_size
    check(options, len(chosen.train), batch)
    sizes = sizes_of(options.sizes, len(chosen.train), batch)
    with place(options, data.name) as here:
        how = f"{', '.join(map(str, sizes))} training rows, {options.repeats} models each"
        here.open(study.opening(("sizes", how), ("split", chosen.describe())))
        found = learning_curve(
            study.population(), study.data, sizes, repeats=options.repeats, validation=options.validation,
            seed=options.seed, **study.how,
        )  # fmt: skip
        text = "\n".join([*reading(study, found), "", "Next, for example:", command_lines(following(options, found))])
        here.leave(verdict(found), text, result(study, found), found.plot())
    return 0


def usual_batch(rows: int, sizes: int) -> int:
    """The largest batch up to 32 of which the training rows hold enough for so many sizes.

    >>> usual_batch(1437, 8), usual_batch(120, 8)
    (32, 4)
    """
    return max((2**k for k in range(6) if rows // 2**k >= BATCHES * sizes), default=1)


def check(options: LearningCurveOptions, rows: int, batch: int) -> None:
    """Refuse batches that leave no two sizes."""
    if rows < 2 * batch:
        fitting = options.with_changes(batch_size=max(1, rows // 8)).command() if rows > 1 else None
        raise DataError(
            f"{rows} training rows in batches of {batch}: fewer than two batches",
            expected="sizes of whole batches, two or more of them",
            cure=fitting,
        )


def verdict(found: LearningCurve) -> str:
    """What twice the data would bring, or why that cannot be said."""
    sentence = found.law.sentence()
    if not found.law.refusal:
        largest = float(found.law(found.law.sizes[-1]))
        fall = found.law.gain(2 * found.law.sizes[-1]).error
        helps = "more data would help" if fall > 0.1 * largest else "more data would help little"
        return f"{helps}: {sentence}"
    return f"cannot tell: {sentence}"


def reading(study: Study, found: LearningCurve) -> list[str]:
    """The table of sizes."""
    fitted = not found.law.refusal
    rows = [["training rows", "training", "validation", *(["fitted"] if fitted else [])]]
    for n, train, held in zip(found.sizes, found.train, found.validation, strict=True):
        row = [f"{n}", spread(train), spread(held)]
        rows.append([*row, f"{float(found.law(n)):.4g}"] if fitted else row)
    note = f"{study.named('loss')}, mean ± standard error; {found.train.size} models in {found.run.seconds:.1f} s."
    lines = ["", table(rows), "", wrapped(note)]
    if fitted:
        law = found.law
        lines.append(
            wrapped(f"Fitted: loss(n) = {law.a:.3g} n^(-{law.b:.2f}) + {law.c:.3g}; the last number is the floor.")
        )
    return lines


def following(options: LearningCurveOptions, found: LearningCurve) -> str:
    """What to run next."""
    if not found.law.refusal or found.law.misfits:
        low = float(found.validation.mean(axis=1)[-1] - found.train.mean(axis=1)[-1])
        if low > 0.1 * float(found.validation.mean(axis=1)[-1]):
            return options.to_train(PrescribeOptions).command()
        return options.to_train(SweepOptions).with_changes(vary="hidden", values=("4", "16", "64", "256")).command()
    return options.with_changes(repeats=2 * options.repeats).command()


def result(study: Study, found: LearningCurve) -> dict[str, Any]:
    """All numbers, and the law."""
    law = found.law
    return {
        "data": study.data.name,
        "target_unit": study.unit,
        "metric": found.metric,
        "sizes": found.sizes,
        "training": found.train,
        "validation": found.validation,
        "law": law,
        "twice": None if law.refusal else law.gain(2 * law.sizes[-1])._asdict(),
        "seconds": found.run.seconds,
    }
