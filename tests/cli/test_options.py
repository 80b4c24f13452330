import pytest

from weft.cli import models, parser
from weft.cli.options import ACTIVATIONS, TrainOptions
from weft.cli.parsing import character, names, number, whole, widths


def parsed(command):
    import shlex
    from dataclasses import fields

    options = parser().parse(shlex.split(command)[1:])
    return TrainOptions(**{f.name: getattr(options, f.name) for f in fields(TrainOptions)})


@pytest.mark.parametrize(
    "options",
    [
        TrainOptions("iris"),
        TrainOptions("my homes.csv", target="the price", ignore=("id", "a note"), separator=";", missing="impute"),
        TrainOptions("iris", hidden=(), activation="tanh", dropout=0.25, learning_rate=1e-5, weight_decay=0.5),
        TrainOptions("iris", hidden=(64, 32), epochs=7, batch_size=3, examples=20, patience=4, seed=9, quiet=True),
        TrainOptions("iris", keep="last", scale="none", task="regression", folder="runs/a b", validation=0.3),
    ],
)
def test_a_command_says_what_it_was_made_from(options):
    assert parsed(options.command()) == options


def test_defaults_are_not_repeated():
    assert TrainOptions("iris").command() == "weft train iris"


def test_activations_are_those_that_can_be_built():
    assert tuple(models.ACTIVATIONS) == ACTIVATIONS


@pytest.mark.parametrize("kind", [whole(1), number(lambda v: v > 0, "above 0"), widths, character, names])
def test_nothing_is_refused(kind):
    with pytest.raises(Exception, match="expected"):
        kind("")


def test_lists():
    assert widths("none") == ()
    assert widths("64") == (64,)
    assert names("a, b") == ("a", "b")
    assert character("tab") == "\t"
