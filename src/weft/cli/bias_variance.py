"""``weft bias-variance``: whether the error is that of every such model, or the luck of one training set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from weft.cli.options import BiasVarianceOptions, LearningCurveOptions, PrescribeOptions, SweepOptions, add_options
from weft.cli.study import Study, place
from weft.cli.wording import command_lines, table, wrapped
from weft.data.naming import plural

if TYPE_CHECKING:
    from weft.overfit.decomposition import Decomposition
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
        sets = (
            f"{options.replicas} bootstrap samples of {len(chosen.train)} rows, {plural(options.seeds, 'model')} each"
        )
        here.open(study.opening(("sets", sets), ("split", chosen.describe())))
        found = bias_variance(
            study.population(), study.data, test=options.validation, replicas=options.replicas, seeds=options.seeds,
            seed=options.seed, **study.how,
        )  # fmt: skip
        text = "\n".join([*reading(study, found), "", "Next, for example:", command_lines(following(options, found))])
        here.leave(verdict(found), text, result(study, found), found.plot())
    return 0


def share(found: BiasVariance) -> float:
    """The share of the loss that is bias, or for nothing left to explain 1."""
    d = found.decomposition
    bias = d.bias2 if d.bias2_corrected is None else max(d.bias2_corrected, 0.0)
    return bias / d.loss if d.loss else 1.0


def balance(found: BiasVariance) -> str:
    """Which of the two is most of the loss."""
    part = share(found)
    return "mostly bias" if part >= MOSTLY else "mostly variance" if part <= 1 - MOSTLY else "bias and variance alike"


def verdict(found: BiasVariance) -> str:
    """Which of the two is most of the loss, and how much."""
    part = min(max(share(found), 0.0), 1.0)
    return f"{balance(found)}: {100 * part:.0f} % of the loss is bias, {100 - 100 * part:.0f} % variance"


ADVICE = {
    "mostly bias": "All models are wrong in the same way: a larger model, better inputs or longer training can help, "
    "more data or regularisation hardly. The noise of the targets counts as bias as well.",
    "mostly variance": "The models differ by their training sets: more data, regularisation, early stopping or the "
    "mean of several models can help.",
    "bias and variance alike": "Both count: try regularisation, and see what more data would bring.",
}


def reading(study: Study, found: BiasVariance) -> list[str]:
    """The decomposition, and what it means."""
    d = found.decomposition
    note = (
        f"{study.named('loss')}, {d.training_sets * d.seeds} models in {found.run.seconds:.1f} s, measured on "
        f"{d.examples} rows that none of them saw. Standard errors are over training sets."
    )
    if d.seeds == 1:
        note += " With --seeds 2 or more, the share of the seed is told apart."
    if d.bias2_corrected is not None:
        note += " Corrected: as with infinitely many training sets."
    return ["", table(rows(d)), "", wrapped(note), wrapped(ADVICE[balance(found)])]


def rows(d: Decomposition) -> list[list[str]]:
    """The terms with their standard errors, measured and, where that is known, corrected for so few models."""
    from weft.overfit.result import decimals, plus_minus

    terms = [("loss", "loss"), ("= bias", "bias2"), ("+ variance", "variance")]
    if d.seed_variance is not None:
        terms += [("    from the data", "data_variance"), ("    from the seed", "seed_variance")]
    places = decimals(d.se.get(name) for _, name in terms)
    suffixes = ("", "_corrected") if d.bias2_corrected is not None else ("",)
    lines = [["", "measured", "corrected"][: 1 + len(suffixes)]]
    for label, name in terms:
        values = [(getattr(d, name + suffix, None), d.se.get(name + suffix)) for suffix in suffixes]
        lines.append([label, *("" if v is None else plus_minus(v, se, places) for v, se in values)])
    return lines


def following(options: BiasVarianceOptions, found: BiasVariance) -> str:
    """What to run next."""
    kind = balance(found)
    if kind == "mostly bias":
        return options.to_train(SweepOptions).with_changes(vary="hidden", values=("4", "16", "64", "256")).command()
    if kind == "mostly variance":
        return options.to_train(PrescribeOptions).command()
    return options.to_train(LearningCurveOptions).command()


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
