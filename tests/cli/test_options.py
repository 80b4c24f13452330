import shlex

import pytest

from weft.cli import models, parser
from weft.cli.options import (
    ACTIVATIONS,
    BiasVarianceOptions,
    CrossvalOptions,
    LearningCurveOptions,
    PrescribeOptions,
    SweepOptions,
    TrainOptions,
)
from weft.cli.parsing import augmentations, character, duration, names, number, verdicts, whole, widths


def parsed(command, kind=TrainOptions):
    return kind.of(parser().parse(shlex.split(command)[1:]))


@pytest.mark.parametrize(
    "options",
    [
        TrainOptions("iris"),
        TrainOptions("my homes.csv", target="the price", ignore=("id", "a note"), separator=";", missing="impute"),
        TrainOptions("iris", hidden=(), activation="tanh", dropout=0.25, learning_rate=1e-5, weight_decay=0.5),
        TrainOptions("iris", hidden=(64, 32), epochs=7, batch_size=3, examples=20, patience=4, seed=9, quiet=True),
        TrainOptions("homes.tsv", separator="\t", target="p", fail_on=("overfitting", "not learning")),
        TrainOptions("iris", keep="last", scale="none", task="regression", folder="runs/a b", validation=0.3),
    ],
)
def test_a_command_says_what_it_was_made_from(options):
    assert parsed(options.command()) == options


@pytest.mark.parametrize(
    "options",
    [
        CrossvalOptions("iris", folds=3, repeats=2, keep="best", learning_rate=0.0012345678),
        CrossvalOptions("a b.csv", target="y", group="who", json="-"),
        LearningCurveOptions("iris", batch_size=32, sizes=4, augment=("noise:0.1", "mixup:0.2")),
        BiasVarianceOptions("iris", replicas=9, seeds=2, precision="bf16", validation=0.5),
        SweepOptions("iris", vary="hidden", values=("none", "64,64"), repeats=2, quiet=True),
        PrescribeOptions("runs/iris", seeds=3, folder="there", json="out.json"),
        TrainOptions("iris", time_limit="10m", pieces=2, nonfinite="skip", augment=("drop:0.1",), resume=True),
    ],
)
def test_the_command_of_a_study_says_what_it_was_made_from(options):
    assert parsed(options.command(), type(options)) == options


def test_a_set_up_is_handed_on_without_what_belongs_to_one_command():
    options = CrossvalOptions("iris", dropout=0.2, folds=3, keep="best", seed=4, folder="there", quiet=True)
    assert options.to_train(TrainOptions) == TrainOptions("iris", dropout=0.2, seed=4)
    assert BiasVarianceOptions("iris", validation=0.4, seeds=3).to_train(PrescribeOptions).validation == 0.4
    assert BiasVarianceOptions("iris", validation=0.4, seeds=3).to_train(PrescribeOptions).seeds == 5
    grouped = CrossvalOptions("a.csv", target="y", group="who", ignore=("id",))
    assert grouped.to_train(PrescribeOptions).ignore == ("id", "who")
    assert TrainOptions("iris").to_train(LearningCurveOptions).batch_size is None
    assert TrainOptions("iris", batch_size=8).to_train(LearningCurveOptions).batch_size == 8


def test_defaults_are_not_repeated():
    assert TrainOptions("iris").command() == "weft train iris"


def test_what_was_typed_counts_before_a_run_though_it_be_the_usual():
    typed = parsed("weft prescribe runs/iris --dropout 0 --epochs 100 --quiet", PrescribeOptions)
    assert typed.given == ("dropout", "epochs", "quiet")
    assert typed.command() == "weft prescribe runs/iris --dropout 0 --epochs 100 --quiet"


def test_activations_are_those_that_can_be_built():
    assert tuple(models.ACTIVATIONS) == ACTIVATIONS


@pytest.mark.parametrize(
    "kind", [whole(1), number(lambda v: v > 0, "above 0"), widths, character, names, duration, augmentations, verdicts]
)
def test_nothing_is_refused(kind):
    with pytest.raises(Exception, match="expected"):
        kind("")


def test_lists():
    assert widths("none") == ()
    assert widths("64") == (64,)
    assert names("a, b") == ("a", "b")
    assert character("tab") == "\t"
