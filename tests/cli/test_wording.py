import shlex

import pytest

from weft.cli import advice, wording
from weft.cli.options import TrainOptions
from weft.errors import WeftError
from weft.overfit.remedies import REMEDIES, remedies

ALL = [
    (verdict, text)
    for verdict in REMEDIES
    for text in remedies(verdict, best_epoch=3, epochs=10, n_train=50, second_descent=False)
]


@pytest.mark.parametrize(("verdict", "text"), ALL)
def test_remedies_speak_of_options_instead_of_python(verdict, text):
    said = wording.in_shell(text)
    assert "trainer." not in said
    assert "optim." not in said
    assert "<" not in said


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("weight decay: optim.AdamW(1e-3, weight_decay=1e-2)", "weight decay: --weight-decay 1e-2"),
        ("dropout: nn.Dropout(0.2) after each hidden layer", "dropout: --dropout 0.2"),
        ('as well: trainer.fit(…, keep="last")', "as well: --keep last"),
        ("read_csv(path, target, ignore=['id'])", "--ignore 'id'"),
        ("task='regression', but", "--task regression, but"),
        ("separator=';': the columns", "--separator ';': the columns"),
        ("stratify=False, a larger part for validation", "a larger part for validation"),
        ("a cell of 3 < 4", "a cell of 3 < 4"),
        ("twice the width, or one more nn.Linear and nn.ReLU", "--hidden with twice the width, or one more layer"),
        ("normalisation: nn.LayerNorm between", "normalisation: nn.LayerNorm between (in Python)"),
    ],
)
def test_python_in_the_words_of_the_command(python, shell):
    assert wording.in_shell(python) == shell


def test_errors_stay_within_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    error = WeftError("word " * 40, expected="word " * 40, where="a\nb", cure="word " * 40)
    lines = wording.failure(error).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("weft: error: word")


def test_a_long_command_can_be_copied(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    command = TrainOptions("iris", hidden=(64, 64), dropout=0.2, weight_decay=0.01, epochs=7).command()
    told = wording.command_lines(command)
    assert told.replace("\\\n", "").split() == command.split()
    assert max(map(len, told.splitlines())) <= 40


def test_no_word_of_a_command_is_broken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    options = TrainOptions("a.csv", separator="\t", target="the price of  the house in 'Bern', 2020", epochs=7)
    for told in (
        wording.command_lines(options.command()),
        wording.failure(WeftError("no", cure=options.command())).split("try:")[1],
    ):
        assert shlex.split(told.replace("\\\n", "")) == shlex.split(options.command())
        assert "--separator tab" in told


def test_columns_line_up():
    assert wording.table([("", "best"), ("loss", "1.5")]) == "        best\n  loss   1.5"


# ── what to run next ────────────────────────────────────────────────────────────────────────────────────────


def model(*hidden):
    from types import SimpleNamespace

    from weft.cli.models import Perceptron

    return SimpleNamespace(model=Perceptron(4, hidden, 3, "relu", 0.0).build())


@pytest.mark.parametrize("verdict", REMEDIES)
def test_every_verdict_is_answered_by_another_run_or_none(verdict):
    options = TrainOptions("iris", folder="runs/mine")
    following = advice.next_command(verdict, options, model(8))
    if verdict in ("good fit", "leakage"):
        assert following is None
    else:
        assert following.folder is None
        assert following != options.with_changes(folder=None)


def test_against_overfitting_more_data_then_regularisation_then_a_smaller_model():
    first = advice.next_command("overfitting", TrainOptions("digits", examples=100, hidden=(64, 64)), model(64, 64))
    second = advice.next_command("overfitting", first, model(64, 64))
    third = advice.next_command("overfitting", second, model(64, 64))
    assert first.command() == "weft train digits --hidden 64,64"
    assert second.command() == "weft train digits --hidden 64,64 --dropout 0.2 --weight-decay 0.01"
    assert third.command() == "weft train digits --hidden 32,32 --dropout 0.2 --weight-decay 0.01"


def test_the_same_command_is_not_advised_again():
    assert advice.next_command("overfitting", TrainOptions("iris", hidden=(2,), dropout=0.2), model(2)) is None
    rest = TrainOptions("iris", examples=20, validation=0.3, epochs=100, folder="mine", resume=True)
    assert advice.next_command("cannot tell", rest, model(8)).command() == "weft crossval iris"
    few = TrainOptions("iris", epochs=3, folder="mine", resume=True)
    assert advice.next_command("cannot tell", few, model(8)).command() == "weft train iris --epochs 30"
    limited = TrainOptions("iris", time_limit="10m")
    assert advice.next_command("still improving", limited, model(8)).time_limit is None


def test_a_linear_model_is_regularised_or_grows_hidden_layers():
    options = TrainOptions("iris", hidden=())
    assert advice.next_command("overfitting", options, model()).weight_decay == 0.01
    assert advice.next_command("underfitting", options, model()).hidden == (32,)
