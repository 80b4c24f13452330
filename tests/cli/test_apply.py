import csv
import io

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import homes
from weft import data, nn
from weft.data import read_csv
from weft.train.saving import load_saved, save
from weft.train.trainer import Trainer


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def trainer_of(folder):
    """A trainer put together by hand from what the run saved."""
    saved = load_saved(folder / "model.weft")
    trainer = Trainer(saved.model, saved.loss)
    trainer.scaler, trainer.target_scaler, trainer.classes = saved.scaler, saved.target_scaler, saved.classes
    return trainer


def test_predictions_of_classes_equal_the_trainers(weft, runs):
    said = weft("predict", runs / "dear", runs / "homes.csv")
    assert (said.status, said.err) == (0, "")
    head, *body = rows(said.out)
    assert head == ["row", "prediction", "p(no)", "p(yes)"]
    inputs = read_csv(runs / "homes.csv", "dear", ignore=["price"]).x
    wanted = trainer_of(runs / "dear").predict(inputs)
    assert [line[1] for line in body] == [("no", "yes")[k] for k in wanted]
    assert [int(line[0]) for line in body] == list(range(1, 61))
    shares = np.array([line[2:] for line in body], float)
    assert np.allclose(shares.sum(axis=1), 1, atol=2e-4)
    assert np.array_equal(shares.argmax(axis=1), wanted)


def test_predictions_of_numbers_equal_the_trainers(weft, runs):
    head, *body = rows(weft("predict", runs / "price", runs / "homes.csv").out)
    assert head == ["row", "prediction"]
    inputs = read_csv(runs / "homes.csv", "price", ignore=["dear"]).x
    wanted = trainer_of(runs / "price").predict(inputs)[:, 0]
    assert np.allclose([float(line[1]) for line in body], wanted, rtol=1e-6)


def test_columns_may_come_in_another_order_and_without_the_target(weft, runs, tmp_path):
    frame = pd.read_csv(runs / "homes.csv")
    frame[["city", "area", "rooms"]].assign(note="x").to_csv(tmp_path / "other.csv", index=False)
    wanted = weft("predict", runs / "price", runs / "homes.csv").out
    assert weft("predict", runs / "price", tmp_path / "other.csv").out == wanted


def test_predictions_are_written_to_a_file(weft, runs, tmp_path):
    said = weft("predict", runs / "price", runs / "homes.csv", "--output", tmp_path / "out.csv")
    assert (said.status, said.out) == (0, "")
    assert "60 predictions written to" in said.error
    assert (tmp_path / "out.csv").read_text() == weft("predict", runs / "price", runs / "homes.csv").out
    (tmp_path / "file").write_text("")
    said = weft("predict", runs / "price", runs / "homes.csv", "--output", tmp_path / "file" / "x.csv")
    assert said.status == 2
    assert "cannot be written" in said.error


def test_an_unseen_category_and_an_absent_column_are_named(weft, runs, tmp_path):
    (tmp_path / "new.csv").write_text("rooms,city,area\n3,Berm,70\n")
    said = weft("predict", runs / "price", tmp_path / "new.csv")
    assert said.status == 2
    assert "column 'city' holds 'Berm', which was not there in training" in said.error
    assert "new.csv, line 2" in said.error
    assert "is 'Bern' meant?" in said.error
    (tmp_path / "new.csv").write_text("rooms,area\n3,70\n")
    said = weft("predict", runs / "price", tmp_path / "new.csv")
    assert said.status == 2
    assert "1 column not there: 'city'" in said.error


def test_bundled_data_is_predicted_by_the_names_of_its_columns(weft, runs, tmp_path):
    iris = data.iris()
    frame = pd.DataFrame(iris.x, columns=list(iris.features))
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    head, *body = rows(weft("predict", runs / "iris", tmp_path / "flowers.csv").out)
    assert head == ["row", "prediction", "p(setosa)", "p(versicolor)", "p(virginica)"]
    wanted = trainer_of(runs / "iris").predict(iris.x)
    assert [line[1] for line in body] == [iris.classes[k] for k in wanted]
    said = weft("predict", runs / "iris", runs / "homes.csv")
    assert said.status == 2
    assert "4 columns not there" in said.error


def test_evaluate_says_loss_and_accuracy(weft, runs):
    said = weft("evaluate", runs / "dear", runs / "homes.csv")
    trainer = trainer_of(runs / "dear")
    table = read_csv(runs / "homes.csv", "dear", ignore=["price"])
    right = int((trainer.predict(table.x) == table.y).sum())
    assert said.status == 0
    assert f"accuracy ({right} of 60 right)" in said.out
    assert f"{trainer.evaluate(table)['loss']:.4g}" in said.out


def test_evaluate_says_errors_in_the_targets_unit(weft, runs):
    said = weft("evaluate", runs / "price", runs / "homes.csv")
    table = read_csv(runs / "homes.csv", "price", ignore=["dear"])
    off = np.abs(trainer_of(runs / "price").predict(table.x)[:, 0] - table.y).mean()
    assert "loss (mse) in standard deviations of the training targets" in said.out
    line = next(line for line in said.out.splitlines() if "mean absolute error of price" in line)
    assert float(line.split()[-1]) == pytest.approx(off, rel=1e-3)


def test_evaluate_needs_the_target(weft, runs, tmp_path):
    pd.read_csv(runs / "homes.csv").drop(columns="price").to_csv(tmp_path / "asked.csv", index=False)
    said = weft("evaluate", runs / "price", tmp_path / "asked.csv")
    assert said.status == 2
    assert "has no column 'price', the target" in said.error
    assert "try: weft predict" in said.error


def test_a_run_without_names_takes_the_columns_in_order(weft, tmp_path):
    model = nn.Sequential(nn.Linear(2, 1))
    save(model, tmp_path / "run" / "model.weft", loss="mse", input_shape=(2,))
    (tmp_path / "two.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "three.csv").write_text("a,b,y\n1,2,0.5\n3,4,1.5\n")
    (tmp_path / "four.csv").write_text("a,b,c,y\n1,2,3,0.5\n")
    _, *body = rows(weft("predict", tmp_path / "run", tmp_path / "two.csv").out)
    wanted = model([[1.0, 2.0], [3.0, 4.0]]).numpy()[:, 0]
    assert np.allclose([float(line[1]) for line in body], wanted, rtol=1e-5)
    assert weft("evaluate", tmp_path / "run", tmp_path / "three.csv").status == 0
    assert "has no column 'target'" in weft("evaluate", tmp_path / "run", tmp_path / "two.csv").error
    said = weft("predict", tmp_path / "run", tmp_path / "four.csv")
    assert said.status == 2
    assert "the 2 inputs in the order of training" in said.error


def test_classes_without_names_are_numbers(weft, tmp_path):
    save(nn.Sequential(nn.Linear(2, 3)), tmp_path / "run" / "model.weft", loss="cross_entropy", input_shape=(2,))
    (tmp_path / "two.csv").write_text("a,b\n1,2\n")
    head, line = rows(weft("predict", tmp_path / "run", tmp_path / "two.csv").out)
    assert head == ["row", "prediction", "p(0)", "p(1)", "p(2)"]
    assert line[1] in ("0", "1", "2")


@pytest.mark.parametrize("loss", ["my_loss", None])
def test_a_loss_of_ones_own_is_no_hindrance_to_predict(weft, tmp_path, loss):
    model = nn.Sequential(nn.Linear(2, 2))
    save(model, tmp_path / "run" / "model.weft", loss=loss, classes=("no", "yes"), input_shape=(2,))
    (tmp_path / "two.csv").write_text("a,b\n1,2\n3,4\n")
    head, *body = rows(weft("predict", tmp_path / "run", tmp_path / "two.csv").out)
    assert head == ["row", "prediction 0", "prediction 1"]
    wanted = model([[1.0, 2.0], [3.0, 4.0]]).numpy()
    assert np.allclose(np.array([line[1:] for line in body], float), wanted, rtol=1e-5)
    said = weft("evaluate", tmp_path / "run", tmp_path / "two.csv")
    assert said.status == 2
    assert "was trained with a loss of its own" in said.error
    assert "weft predict" in said.error.split("try:")[1]


def test_no_run_and_no_file(weft, runs, tmp_path):
    (tmp_path / "homes.csv").write_text(homes())
    for words in (
        ("predict", tmp_path / "no", tmp_path / "homes.csv"),
        ("predict", runs / "price", tmp_path / "no.csv"),
    ):
        said = weft(*words)
        assert said.status == 2
        assert "no" in said.err.splitlines()[0]


def test_a_damaged_model_is_said(weft, tmp_path):
    (tmp_path / "model.weft").write_bytes(b"not a model")
    (tmp_path / "two.csv").write_text("a,b\n1,2\n")
    said = weft("predict", tmp_path, tmp_path / "two.csv")
    assert said.status == 2
    assert "no model of Weft" in said.error
