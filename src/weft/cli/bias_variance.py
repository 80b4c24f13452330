"""``weft bias-variance``: whether the error is that of every such model, or the luck of one training set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from weft.cli.options import BiasVarianceOptions, LearningCurveOptions, PrescribeOptions, SweepOptions, add_options
from weft.cli.study import Study, place
from weft.cli.wording import command_lines, wrapped

if TYPE_CHECKING:
    from weft.studies.bias_variance import BiasVariance

MOSTLY = 2 / 3  # a share of the loss from which it is said to be most of it


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bias-variance",
        help="split the error into bias and variance",
        description="Train on many training sets drawn from the rows, and split the error on the same held-out rows "
        "into bias and variance.",
        epilog="Example: weft bias-variance diabetes --replicas 20 --seeds 2",
    )
    add_options(parser, BiasVarianceOptions)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Decompose as the options say."""
    from weft.cli.sources import dataset_of
    from weft.studies.bias_variance import bias_variance

    options = BiasVarianceOptions.of(arguments)
    data = dataset_of(options)
    study, chosen = Study.held(options, data)
    with place(options, data.name) as here:
        sets = f"{options.replicas} bootstrap samples of {len(chosen.train)} rows, {options.seeds} model(s) each"
        here.open(study.opening(("sets", sets), ("split", chosen.describe())))
        found = bias_variance(
            study.population(), study.data, test=options.validation, replicas=options.replicas, seeds=options.seeds,
            seed=options.seed, **study.how,
        )  # fmt: skip
        text = "\n".join([*reading(found), "", "Next, for example:", command_lines(following(options, found))])
        here.leave(verdict(found), text, result(study, found), found.run.plot())
    return 0


def share(found: BiasVariance) -> float:
    """The share of the loss that is bias, or for nothing left to explain 1."""
    d = found.decomposition
    bias = d.bias2 if d.bias2_corrected is None else max(d.bias2_corrected, 0.0)
    return bias / d.loss if d.loss else 1.0


def verdict(found: BiasVariance) -> str:
    """Which of the two is most of the loss."""
    part = share(found)
    what = "mostly bias" if part >= MOSTLY else "mostly variance" if part <= 1 - MOSTLY else "bias and variance alike"
    return f"{what}: {100 * part:.0f} % of the loss is bias, {100 - 100 * part:.0f} % variance"


def reading(found: BiasVariance) -> list[str]:
    """The decomposition, and what it means."""
    part = share(found)
    if part >= MOSTLY:
        advice = (
            "All models are wrong in the same way: a larger model, better inputs or longer training can help, more "
            "data or regularisation hardly. The noise of the targets counts as bias as well."
        )
    elif part <= 1 - MOSTLY:
        advice = (
            "The models differ by their training sets: more data, regularisation, early stopping or the mean of "
            "several models can help."
        )
    else:
        advice = "Both count: compare regularisation with a larger model."
    title, *lines = str(found.decomposition).split("\n")
    notes = [
        line for line in lines if " " in line.strip() and line[0].islower() and line.endswith(("bootstrap", "same"))
    ]
    body = [f"  {line}" if line not in notes else line for line in lines]
    return ["", wrapped(title), *body, "", wrapped(advice)]


def following(options: BiasVarianceOptions, found: BiasVariance) -> str:
    """What to run next."""
    part = share(found)
    if part >= MOSTLY:
        return options.to_train(SweepOptions).with_changes(vary="hidden", values=("4", "16", "64", "256")).command()
    return options.to_train(PrescribeOptions if part <= 1 - MOSTLY else LearningCurveOptions).command()


def result(study: Study, found: BiasVariance) -> dict[str, Any]:
    """All terms, and what they come from."""
    return {
        "data": study.data.name,
        "target_unit": study.unit,
        "bias_share": share(found),
        "decomposition": found.decomposition,
        "predictions": found.predictions,
        "seconds": found.run.seconds,
    }
