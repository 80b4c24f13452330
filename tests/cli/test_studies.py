import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.cli.conftest import homes
from weft import augment
from weft.cli import sweep
from weft.cli.learning_curve import following, usual_batch
from weft.cli.options import LearningCurveOptions, PrescribeOptions, SweepOptions, TrainOptions
from weft.cli.prescribe import training_of, with_remedy
from weft.cli.stored import store
from weft.studies.prescription import Remedy, Tried

DEAR = ("homes.csv", "--target", "dear", "--ignore", "price", "--epochs", "3", "--hidden", "4", "--batch-size", "8")
PRICE = ("homes.csv", "--target", "price", "--ignore", "dear", "--epochs", "3", "--hidden", "4", "--batch-size", "8")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_text(homes())
    return tmp_path


def strict(text):
    """JSON that any reader takes."""

    def refuse(word):
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def fits(text):
    return max(map(len, text.splitlines())) <= 80


def picture(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


# ── each study ──────────────────────────────────────────────────────────────────────────────────────────────


def test_crossval_says_mean_and_standard_error(weft, here):
    said = weft("crossval", *DEAR, "--folds", 3, "--repeats", 2)
    assert said.status == 0
    assert "Verdict: accuracy 0." in said.out
    assert "3, the same share of every class (seed 0), 2 times over" in said.out
    assert "Next, for example:\n  weft " in said.out
    assert fits(said.out)
    found = strict((here / "runs" / "homes-crossval" / "result.json").read_text())
    assert (found["format"], found["command"].split()[:2]) == ("weft.study/1", ["weft", "crossval"])
    assert np.array(found["scores"]["accuracy"]).shape == (2, 3)
    assert np.mean(found["scores"]["accuracy"]) == pytest.approx(found["estimates"]["accuracy"]["mean"])
    assert np.allclose(np.sum(found["predictions"], axis=1), 1, atol=1e-5)
    assert picture(here / "runs" / "homes-crossval" / "plot.png")


def test_crossval_of_a_regression_speaks_in_its_unit(weft, here):
    said = weft("crossval", *PRICE, "--folds", 2, "--json", "out.json")
    assert said.status == 0
    assert "price from" in said.out
    found = strict((here / "out.json").read_text())
    assert found == strict((here / "runs" / "homes-crossval" / "result.json").read_text())
    shown = float(said.out.split("mean absolute error of price ")[1].split()[0])
    assert fits(said.out)
    assert shown == pytest.approx(found["estimates"]["mae"]["mean"] * found["target_unit"], rel=0.1)


def test_groups_stay_in_one_fold(weft):
    said = weft("crossval", *DEAR, "--folds", 3, "--group", "city", "--quiet")
    assert said.status == 0
    assert said.out.splitlines()[-1] == "runs/homes-crossval"
    said = weft("crossval", *DEAR, "--folds", 2, "--group", "city", "--learning-rate", "1e-6")
    assert "--ignore price,city" in said.out.split("Next")[1]
    assert "only crossval takes --group" in " ".join(said.out.split())
    said = weft("crossval", *DEAR, "--folds", 4, "--group", "city")
    assert said.status == 2
    assert "3 different values in the column 'city'" in said.error
    assert "--folds 3" in said.error.split("try:")[1]
    said = weft("crossval", *DEAR, "--group", "citty")
    assert said.status == 2
    assert "no column 'citty' to group by" in said.error
    assert "--group city" in said.error
    assert "--group x with the bundled data set 'iris'" in weft("crossval", "iris", "--group", "x").error


def test_a_learning_curve(weft, here):
    said = weft("learning-curve", *DEAR, "--sizes", 2, "--repeats", 2)
    assert said.status == 0
    assert "Verdict: cannot tell: the curve is too short" in said.out
    assert fits(said.out)
    found = strict((here / "runs" / "homes-learning-curve" / "result.json").read_text())
    assert found["sizes"] == [8, 48]
    assert np.array(found["validation"]).shape == (2, 2)
    assert found["law"]["a"] is None
    assert picture(here / "runs" / "homes-learning-curve" / "plot.png")


def test_bias_and_variance(weft, here):
    said = weft("bias-variance", *PRICE, "--replicas", 3, "--seeds", 2)
    assert said.status == 0
    assert "% of the loss is bias" in said.out
    assert "    from the seed" in said.out
    assert fits(said.out)
    d = strict((here / "runs" / "homes-bias-variance" / "result.json").read_text())["decomposition"]
    assert d["bias2"] + d["variance"] == pytest.approx(d["loss"])


def test_a_sweep_chooses_the_simplest_as_good_as_the_best(weft, here):
    said = weft("sweep", *DEAR, "--vary", "weight_decay", "--values", "1e-3,0.1", "0", "--repeats", 2)
    assert said.status == 0
    assert "Verdict: take weight_decay " in said.out
    assert "AdamW, learning rate" in said.out
    assert fits(said.out)
    found = strict((here / "runs" / "homes-sweep" / "result.json").read_text())
    assert found["values"] == [0.1, 0.001, 0.0]
    assert found["selection"]["settings"] == ["0.1", "0.001", "0"]
    assert picture(here / "runs" / "homes-sweep" / "plot.png")


def test_a_sweep_over_networks(weft, here):
    said = weft("sweep", *DEAR, "--vary", "hidden", "--values", "4,2", "none", "--repeats", 2, "--json", "-")
    assert said.status == 0
    found = strict(said.out)
    assert found["values"] == [[], [4, 2]]
    assert f"Verdict: {found['verdict']}" in " ".join(said.err.split())
    assert "5 → … relu → 2" in said.err


def test_prescribe_tries_remedies(weft, here):
    said = weft("prescribe", *DEAR, "--seeds", 2)
    assert said.status == 0
    assert said.out.count("Verdict: ") == 2
    assert "weight decay 0.01" in said.out
    assert fits(said.out)
    folder = here / "runs" / "homes-prescribe"
    found = strict((folder / "result.json").read_text())
    assert {len(remedy["losses"]) for remedy in found["remedies"]} == {2}
    assert picture(folder / "plot.png")
    assert (folder / "report.html").exists()


def test_prescribe_of_a_run_trains_as_that_was_trained(here):
    (here / "mine").mkdir()
    run = TrainOptions(
        "homes.csv", target="price", ignore=("dear",), hidden=(5,), dropout=0.5, patience=9, folder="mine"
    )
    store(run, here / "mine")
    found = training_of(PrescribeOptions("mine", epochs=7, given=("epochs",)))
    assert (found.data, found.target, found.ignore) == (str(here / "homes.csv"), "price", ("dear",))
    assert (found.epochs, found.hidden, found.dropout, found.patience) == (7, (5,), 0.5, 9)
    assert training_of(PrescribeOptions("mine", given=("dropout",))).dropout == 0
    (here / "iris").mkdir()
    assert training_of(PrescribeOptions("iris", quiet=True)) == TrainOptions("iris", quiet=True)


def test_a_remedy_is_added_to_what_is_done_to_the_rows_already():
    training = TrainOptions("iris", augment=("noise:0.3",), dropout=0.5, quiet=True)

    def command(name, changed=None, **settings):
        remedy = Remedy(name, "", None, None, changed, settings)
        return with_remedy(training, (9,), Tried(remedy, None, None)).command()

    assert command("mixup", augment.MixUp(0.2)) == "weft train iris --augment noise:0.3,mixup:0.2 --dropout 0.5"
    both = [augment.GaussianNoise(0.3), augment.LabelSmoothing(0.1)]
    assert command("smoothed labels", both) == "weft train iris --augment noise:0.3,smoothing:0.1 --dropout 0.5"
    assert command("weight decay 0.1", both[:1], weight_decay=0.1).endswith("--weight-decay 0.1")
    assert command("half the width", both[:1]) == "weft train iris --augment noise:0.3 --hidden 4 --dropout 0.5"


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────


def cured(said):
    assert said.status == 2
    assert said.out == ""
    return " ".join(said.error.split("try:")[1].replace("\\", "").split())


def test_too_few_rows_for_the_folds(weft, here):
    assert cured(weft("crossval", "iris", "--folds", 51)) == "weft crossval iris --folds 50"
    said = weft("crossval", *PRICE, "--folds", 61)
    assert "the data has 60 rows" in said.error
    assert "--folds 60" in cured(said)
    assert not (here / "runs").exists()


def test_one_replica_and_one_seed_say_nothing(weft):
    said = weft("bias-variance", "iris", "--replicas", 1)
    assert said.status == 2
    assert "--replicas: '1' expected: a whole number of 2 or more" in said.error
    assert weft("prescribe", "iris", "--seeds", 1).status == 2
    assert weft("crossval", "iris", "--folds", 1).status == 2


@pytest.mark.parametrize("name", ["train", "learning-curve", "bias-variance", "sweep", "prescribe"])
def test_an_empty_validation_part(weft, name):
    values = ("--values", "0", "1") if name == "sweep" else ()
    said = weft(name, "homes.csv", "--target", "price", "--validation", "0.001", *values)
    assert said.status == 2
    assert f"weft {name} homes.csv --target price" in cured(said)
    assert "less than one row" in said.error
    assert "--validation 0" not in cured(said)  # the usual share


def test_a_validation_part_that_cannot_hold_every_class(weft):
    assert cured(weft("learning-curve", "iris", "--validation", "0.01")) == "weft learning-curve iris"


def test_values_of_a_sweep(weft):
    assert "--values not given" in weft("sweep", "iris").error
    assert cured(weft("sweep", "iris", "--vary", "hidden")) == "weft sweep iris --vary hidden --values 4 16 64 256"
    said = weft("sweep", "iris", "--vary", "dropout", "--values", "0.1", "1.5")
    assert "--vary dropout --values '1.5' expected: 0 or more and less than 1" in said.error
    assert "2 or more different values" in weft("sweep", "iris", "--values", "1", "1").error
    said = weft("sweep", "iris", "--vary", "dropout", "--hidden", "none", "--values", "0.1", "0.5")
    assert "--vary dropout of a model without hidden layers" in said.error
    assert weft("sweep", "iris", "--vary", "momentum", "--values", "1", "2").status == 2


def test_batches_that_leave_no_two_sizes(weft):
    said = weft("learning-curve", "homes.csv", "--target", "price", "--batch-size", 40)
    assert "48 training rows in batches of 40" in said.error
    assert "--batch-size 6" in cured(said)


def test_unknown_columns_and_data(weft):
    assert cured(weft("crossval", "irsi")) == "weft crossval iris"
    assert cured(weft("sweep", "homes.csv", "--values", "1", "2")).startswith("weft sweep homes.csv --target dear")
    assert "try: 'price'" in weft("crossval", "homes.csv", "--target", "prise").error


def test_a_target_that_never_varies(weft, here):
    (here / "flat.csv").write_text("a,y\n" + "\n".join(f"{k},2.5" for k in range(20)) + "\n")
    said = weft("crossval", "flat.csv", "--target", "y", "--task", "regression")
    assert said.status == 2
    assert "2.5" in said.error


def test_a_diverged_fold_is_answered_with_a_smaller_rate(weft):
    said = weft("crossval", *PRICE, "--folds", 2, "--learning-rate", "1e30", "--quiet")
    assert "not finite" in said.error
    assert "--learning-rate 0.001" in cured(said)


def test_a_sweep_names_what_diverged(weft):
    said = weft("sweep", *PRICE, "--vary", "learning_rate", "--values", "1e-2", "1e30", "--repeats", 2)
    assert said.status == 0
    assert "diverged" in said.out.split("1e+30")[-1].splitlines()[0] or "take learning_rate 0.01" in said.out


def test_a_place_for_json_that_is_not_there(weft, here):
    said = weft("crossval", *DEAR, "--json", "nowhere/out.json")
    assert said.status == 2
    assert "there is no folder 'nowhere'" in said.error


def test_a_folder_with_something_else_is_left_alone(weft, here):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("")
    assert "holds files, and no run of Weft" in weft("crossval", *DEAR, "--folder", "mine").error
    (here / "mine" / "run.json").write_text('{"format": "weft.run/1"}')
    assert "mine holds a run, which a study does not replace" in weft("crossval", *DEAR, "--folder", "mine").error
    (here / "mine" / "result.json").write_text('{"format": "weft.study/1"}')
    said = weft("crossval", *PRICE, "--augment", "smoothing:0.1", "--folder", "mine")
    assert (said.status, said.out) == (2, "")
    assert (here / "mine" / "result.json").read_text() == '{"format": "weft.study/1"}'
    said = weft("crossval", *DEAR, "--folds", 2, "--folder", "mine")
    assert "mine holds an earlier study, which is replaced" in said.out
    assert {p.name for p in (here / "mine").iterdir()} == {"thesis.txt", "result.json", "plot.png"}


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_parquet_is_read_as_well(weft, here):
    import pandas as pd

    pd.read_csv("homes.csv").to_parquet("homes.parquet")
    words = ("homes.parquet", *DEAR[1:], "--folds", 2, "--quiet")
    assert weft("crossval", *words).status == 0
    assert "one of 'rooms', 'city'" in weft("crossval", "homes.parquet").error


def test_filled_cells_come_from_training_rows_where_there_is_one_split(weft, here):
    (here / "gaps.csv").write_text(homes().replace("Basel", "", 2))
    words = ("gaps.csv", *PRICE[1:], "--missing", "impute")
    assert weft("bias-variance", *words, "--replicas", 2, "--quiet").status == 0
    assert "what fills empty cells comes from all rows" in " ".join(weft("crossval", *words, "--folds", 2).out.split())
    classes = weft("crossval", "gaps.csv", *DEAR[1:], "--missing", "impute", "--folds", 2)
    assert "what fills empty cells comes from each fold's training rows" in " ".join(classes.out.split())


def test_batches_are_small_enough_for_the_sizes():
    assert [usual_batch(rows, 8) for rows in (10000, 1437, 142, 40, 10)] == [32, 32, 8, 2, 1]


def test_values_go_from_the_simplest_to_the_most_powerful():
    assert sweep.values_of(SweepOptions("iris", vary="hidden", values=("64,64", "none"))) == [(64, 64), ()]
    assert sweep.values_of(SweepOptions("iris", vary="dropout", values=("0.1,0.2", "0"))) == [0.1, 0.2, 0.0]
    close = sweep.values_of(SweepOptions("iris", vary="learning_rate", values=("0.001", "0.00100000001")))
    assert [sweep.shown(v) for v in close] == ["0.001", "0.00100000001"]


@pytest.mark.parametrize(
    ("refusal", "misfits", "command"),
    [
        ("too noisy", False, "weft learning-curve iris --repeats 6"),
        ("no power law", True, "weft prescribe iris"),  # more repeats would only make the law more wrong
        ("", False, "weft prescribe iris"),
    ],
)
def test_what_to_run_after_a_learning_curve(refusal, misfits, command):
    law = SimpleNamespace(refusal=refusal, misfits=misfits)
    found = SimpleNamespace(law=law, validation=np.ones((4, 2)), train=np.zeros((4, 2)))
    assert following(LearningCurveOptions("iris", repeats=3), found).startswith(command)
