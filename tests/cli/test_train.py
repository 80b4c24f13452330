import json
import signal
from types import SimpleNamespace

import numpy as np
import pytest

from tests.cli.conftest import QUICK, homes
from weft.cli import train as command
from weft.cli.scores import Errors
from weft.train.history import History
from weft.train.saving import load_saved
from weft.train.trainer import Trainer


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_text(homes())
    return tmp_path


def test_iris_from_the_data_to_the_verdict(runs):
    told = (runs / "iris.txt").read_text()
    for expected in (
        "iris: 150 rows, 4 features, 3 classes (setosa, versicolor,",
        "task       target 'species' names 3 classes: classification",
        "4 → 8 relu → 3, 67 parameters",
        "Adam, learning rate 0.003, batches of 16, 6 epochs",
        "120 rows for training, 30 for validation: at random (seed 0)",
        "6 epochs in",
        "Verdict: ",
        "validation accuracy",
        "loss of always guessing the same",
        "To try, in this order:",
        "iris/report.html",
        "weft predict",
    ):
        assert expected in told, expected


def test_a_run_leaves_its_files(runs):
    held = {path.name for path in (runs / "iris").iterdir()}
    assert held == {
        "model.weft",
        "history.csv",
        "run.json",
        "evidence.json",
        "diagnosis.json",
        "report.html",
        "command.json",
    } | {"checkpoints"}
    assert json.loads((runs / "iris" / "diagnosis.json").read_text())["format"] == "weft.diagnosis/1"
    assert len((runs / "iris" / "history.csv").read_text().splitlines()) == 7


def test_a_regression_speaks_in_its_own_unit(runs):
    told = (runs / "price.txt").read_text()
    for expected in ("target price from", "'price' has 60 different numbers: regression", "5 → 8 relu → 1"):
        assert expected in told
    for expected in ("mean absolute error of price", "R² (share of the variance", "in units of the target's standard"):
        assert expected in told


def test_the_output_fits_80_columns(runs):
    for name in ("iris", "price", "dear"):
        lines = (runs / f"{name}.txt").read_text().replace(str(runs), "runs").splitlines()
        assert max(len(line) for line in lines if "runs" not in line) <= 80


def test_a_good_recipe_learns_and_is_quiet_if_asked(weft):
    said = weft("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--quiet")
    assert (said.status, said.err) == (0, "")
    verdict, report = said.out.splitlines()
    assert verdict.startswith("Verdict: ")
    assert report == "runs/homes/report.html"


def test_missing_cells_are_refused_then_imputed(weft, here):
    (here / "gaps.csv").write_text(homes().replace("Basel", "", 2))
    words = ("train", "gaps.csv", "--target", "price", "--ignore", "dear", *QUICK, "--quiet")
    said = weft(*words)
    assert said.status == 2
    assert "2 cells missing in 1 column" in said.error
    assert "try: --missing impute" in said.error
    assert not (here / "runs" / "gaps").exists()
    assert weft(*words, "--missing", "impute").status == 0
    assert load_saved("runs/gaps/model.weft").table.columns[1].fill in ("Basel", "Bern", "Chur")


def test_a_text_among_numbers_is_named_with_its_line(weft, here):
    lines = homes().splitlines()
    (here / "odd.csv").write_text("\n".join([lines[0], "three" + lines[1][1:], *lines[2:]]))
    said = weft("train", "odd.csv", "--target", "price")
    assert said.status == 2
    assert "column 'rooms' is numeric but for 1 cell: 'three'" in said.error
    assert "odd.csv, line 2, column 'rooms'" in said.error


def test_an_absent_or_unknown_target_lists_the_columns(weft):
    said = weft("train", "homes.csv")
    assert said.status == 2
    assert "one of 'rooms', 'city', 'area', 'price', 'dear'" in said.error
    assert "try: weft train homes.csv --target dear" in said.error
    said = weft("train", "homes.csv", "--target", "prise")
    assert said.status == 2
    assert "try: 'price'" in said.error


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ("irsi", "weft train iris"),
        ("home.csv", "weft train homes.csv --target COLUMN"),
        ("Digits", "weft train digits"),
    ],
)
def test_unknown_data_is_answered_with_the_closest(weft, given, cure):
    said = weft("train", given)
    assert said.status == 2
    assert f"{given!r} is neither a bundled data set nor a file" in said.error
    assert "--target COLUMN" in said.error
    assert f"try: {cure}" in said.error


def test_options_of_tables_are_refused_with_bundled_data(weft):
    said = weft("train", "iris", "--target", "species")
    assert said.status == 2
    assert "--target with the bundled data set 'iris'" in said.error


def test_examples_train_on_so_many_rows_and_validate_on_the_rest(weft):
    said = weft("train", "homes.csv", "--target", "dear", "--ignore", "price", "--examples", 20, *QUICK)
    assert said.status == 0
    assert "20 rows for training, 40 for validation" in said.out
    said = weft("train", "homes.csv", "--target", "dear", "--examples", 60)
    assert said.status == 2
    assert "expected: 1 to 59" in said.error


def test_a_folder_is_replaced_only_if_it_holds_a_run(weft, here, runs):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("")
    words = ("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--folder", "mine")
    assert weft(*words).status == 2
    (here / "mine" / "thesis.txt").unlink()
    (here / "mine" / "run.json").write_text((runs / "price" / "run.json").read_text())
    said = weft(*words)
    assert said.status == 0
    assert "mine holds an earlier run, which is replaced" in said.out


def test_the_same_seed_gives_the_same_run(weft, here, runs):
    weft("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--folder", "again")
    assert (here / "again" / "history.csv").read_text() == (runs / "price" / "history.csv").read_text()


def test_divergence_is_a_verdict(weft):
    said = weft(
        "train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--learning-rate", "1e30",
        "--fail-on", "leakage,diverged", "--folder", "mine",
    )  # fmt: skip
    assert said.status == 1
    assert weft("diagnose", "mine").status == 0
    assert weft("diagnose", "mine", "--fail-on", "diverged").status == 1
    assert "Verdict: diverged" in said.out
    assert "no epoch had a finite validation loss" in " ".join(said.out.split())
    assert "--learning-rate 0.001" in said.out


def test_the_column_of_weights_from_before_training_is_left_out():
    evidence = SimpleNamespace(baseline=1.0)
    history = History(["train_loss", "val_loss"], [[float("nan"), float("nan")]])
    told = command.measured(SimpleNamespace(history=history, held_epoch=0, evidence=evidence))
    assert "epoch 1 (last)" in told
    assert "kept" not in told


def test_the_wider_model_of_a_linear_one_has_a_hidden_layer(weft, monkeypatch):
    seen = []
    monkeypatch.setattr(Trainer, "_probe", lambda self, wider, *_: seen.append(repr(wider)) or [0.0, 0.0])
    words = ("homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--hidden", "none", "--probe")
    assert weft("train", *words).status == 0
    assert seen[0].count("Linear") == 2


def test_ctrl_c_keeps_the_best_weights(weft, here, monkeypatch):
    from weft.train.progress import Progress

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(Progress, "epoch", lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        said = weft("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert said.status == 130
    assert "interrupted; the model holds the weights of epoch" in said.out
    assert "Verdict: " in said.out
    assert (here / "runs" / "homes" / "model.weft").is_file()


def test_the_last_weights_are_kept_if_asked(weft):
    said = weft("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, "--keep", "last")
    assert "the model holds the weights of epoch 6" in said.out


def test_dropout_decay_and_patience_are_used(weft):
    said = weft(
        "train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK,
        "--dropout", "0.5", "--weight-decay", "0.1", "--patience", "1", "--learning-rate", "1", "--epochs", "200",
    )  # fmt: skip
    assert "8 relu, dropout 0.5 → 1" in said.out
    assert "AdamW, weight decay 0.1, learning rate 1," in said.out
    assert "or 1 without improvement" in said.out
    assert "stopped because the validation loss no longer fell" in said.out


@pytest.mark.parametrize(
    ("words", "said_of_it"),
    [
        (("--augment", "noise:0.1,mixup:0.2", "--pieces", "2"), "augment    noise 0.1, mixup 0.2"),
        (("--precision", "f64", "--time-limit", "10m"), "or 10m, in f64"),
        (("--precision", "bf16", "--nonfinite", "skip"), "6 epochs, in bf16"),
    ],
)
def test_what_fit_offers_is_used(weft, here, words, said_of_it):
    said = weft("train", "homes.csv", "--target", "price", "--ignore", "dear", *QUICK, *words)
    assert said.status == 0, said.err
    assert said_of_it in " ".join(said.out.split("\n"))
    about = json.loads((here / "runs" / "homes" / "run.json").read_text())
    assert about["settings"]["precision"] == (words[1] if words[0] == "--precision" else "f32")


def test_smoothed_numbers_are_refused(weft, here):
    said = weft("train", "homes.csv", "--target", "price", *QUICK, "--augment", "noise:0.1,smoothing:0.1")
    assert said.status == 2
    assert "only their labels can be smoothed" in said.error
    assert "--augment noise:0.1" in said.error.split("try:")[1]
    assert not (here / "runs" / "homes").exists()


def test_errors_of_a_regression():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    assert Errors.of(y, y).r2 == 1
    assert Errors.of(y, np.full(4, 2.5)).r2 == 0
    assert Errors.of(y, y[:, None] + 1) == Errors(absolute=1, squared=1, of_mean=1, r2=1 - 4 / 5)
