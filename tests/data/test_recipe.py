import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import Table
from weft.data.column import Column
from weft.errors import ArgumentError, DataError, FileError, ShapeError

NAMES = st.text(min_size=1, max_size=8)
NUMBER = st.builds(Column, NAMES, st.just("number"), fill=st.none() | st.floats(-1e30, 1e30))
CATEGORY = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda values: st.builds(
        Column, NAMES, st.just("category"), st.just(tuple(values)), st.none() | st.sampled_from(values)
    )
)
COLUMNS = st.lists(NUMBER | CATEGORY, min_size=1, max_size=4).map(tuple)
CLASSES = st.lists(NAMES, min_size=2, max_size=4, unique=True).map(tuple)
TABLES = st.builds(
    Table, COLUMNS, NAMES, CLASSES, st.just("classification"), st.text(), st.sampled_from([",", ";", "\t"])
) | st.builds(Table, COLUMNS, NAMES, st.just(()), st.just("regression"), st.text())

TABLE = Table(
    (Column("age", "number"), Column("city", "category", ("Basel", "Bern"))), "ill", ("no", "yes"), "classification", ""
)
PRICES = Table((Column("age", "number"),), "price", (), "regression", "")


@settings(deadline=None)
@given(TABLES)
def test_json_round_trip(table):
    assert Table.from_json(json.loads(json.dumps(table.to_json()))) == table


def changed(**changes):
    return {**TABLE.to_json(), **changes}


def column(**changes):
    first, second = json.loads(json.dumps(TABLE.to_json()))["columns"]
    return changed(columns=[first, {**second, **changes}])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "another format"),
        ({}, "another format"),
        (changed(format="other"), "another format"),
        (changed(version=2), "version 2"),
        ({k: v for k, v in TABLE.to_json().items() if k != "target"}, "no target"),
        (changed(more=1), "unknown more"),
        (changed(columns=[]), "no columns"),
        (changed(columns=["age"]), "column 0 of the table recipe: str"),
        (changed(target=3), "target 3"),
        (changed(task="none"), "task 'none'"),
        (changed(task="regression"), "classes that do not fit the task"),
        (changed(classes=["no", 1]), "classes"),
        (changed(classes=["no", "no"]), "classes"),
        (column(kind="text"), "column 1 of the table recipe: kind 'text'"),
        (column(categories=[]), "categories that do not fit"),
        (column(categories="ab"), "categories 'ab'"),
        (column(fill="Genf"), "fill 'Genf'"),
        (column(name=None), "name None"),
        (column(width=1), "unknown width"),
    ],
)
def test_bad_files_are_refused_with_the_reason(data, told):
    with pytest.raises(FileError, match=told):
        Table.from_json(data)


def test_a_fill_that_is_no_number_is_refused():
    bad = PRICES.to_json()
    for fill in (float("nan"), "1", True):
        with pytest.raises(FileError, match="fill"):
            Table.from_json({**bad, "columns": [{**bad["columns"][0], "fill": fill}]})


def test_columns_come_in_any_order_and_others_are_ignored():
    frame = pd.DataFrame({"x": [0, 0], "city": ["Bern", "Basel"], "age": [31, 52]})
    assert TABLE.encode(frame).tolist() == [[31.0, 0.0, 1.0], [52.0, 1.0, 0.0]]
    assert TABLE.features == ("age", "city=Basel", "city=Bern")


def test_absent_columns_are_named():
    with pytest.raises(DataError) as caught:
        TABLE.encode(pd.DataFrame({"age": [1], "City": ["Bern"]}))
    assert caught.value.received == "1 column not there: 'city'"
    assert caught.value.expected == "the columns of training: 'age', 'city'"
    assert caught.value.cure == "rename 'City' to 'city'?"


def test_missing_cells_are_all_told():
    with pytest.raises(DataError) as caught:
        TABLE.encode(pd.DataFrame({"age": [1, None, None], "city": ["Bern", "Bern", None]}))
    assert caught.value.received == "3 cells missing in 2 columns"
    assert caught.value.where == "column 'age': 2 missing, the first in row 1\ncolumn 'city': 1 missing, in row 2"
    assert 'missing="impute"' in caught.value.cure


def test_fitting_takes_these_rows_only():
    frame = pd.DataFrame({"age": [1.0, 3.0, 500.0], "city": ["Bern", "Bern", "Basel"]})
    fitted = TABLE.fitted(frame.iloc[:2])
    assert [c.fill for c in fitted.columns] == [2.0, "Bern"]
    assert [c.fill for c in TABLE.columns] == [None, None]
    assert fitted.encode(pd.DataFrame({"age": [None], "city": [None]})).tolist() == [[2.0, 0.0, 1.0]]


def test_prediction_from_a_file_keeps_texts_that_look_like_numbers(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("zip,flag\n01,true\n1,False\n")
    table = Table(
        (Column("zip", "category", ("01", "1")), Column("flag", "category", ("False", "True"))),
        "y",
        (),
        "regression",
        "",
    )
    assert table.encode(path).tolist() == [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]]


def test_a_second_file_has_targets_or_not(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("ill,city,age\nyes,Bern,4\n")
    data = TABLE.dataset(path, name="test")
    assert (data.y.tolist(), data.classes, data.task, data.name) == ([1], ("no", "yes"), "classification", "test")
    path.write_text("city,age\nBern,4\n")
    assert (TABLE.dataset(path).y, TABLE.dataset(path).task) == (None, "none")


def test_predictions_are_decoded():
    assert TABLE.decode([1, 0]).tolist() == ["yes", "no"]
    assert TABLE.decode(np.array([[0.9, 0.1]])).tolist() == ["no"]
    assert PRICES.decode(np.array([[1.5], [2.5]])).tolist() == [1.5, 2.5]


@pytest.mark.parametrize("predictions", [[0.2, 0.8], np.ones((2, 3)), np.ones((2, 1))])
def test_predictions_that_could_mean_anything(predictions):
    with pytest.raises(ShapeError) as caught:
        TABLE.decode(predictions)
    assert "scores, shape (n, 2)" in caught.value.expected
    assert "(p > 0.5)" in caught.value.cure


def test_wrong_numbers_and_shapes():
    with pytest.raises(DataError, match="label 2 at index 0"):
        TABLE.decode([2])
    with pytest.raises(ShapeError, match=r"numbers, shape \(n,\)"):
        PRICES.decode(np.ones((2, 2)))


CELLS = {
    "city": ["01", "2", "01"],
    "note": [[1], [2], [3]],  # a column that is not needed may hold anything
    "age": [31, 52, 7],
    "ill": ["no", "yes", "yes"],
}
POSTED = Table(
    (Column("age", "number"), Column("city", "category", ("01", "2"))), "ill", ("no", "yes"), "classification", ""
)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, "parquet"])
def test_tables_of_other_libraries_and_parquet_files_are_read_as_well(make, tmp_path):
    if make == "parquet":
        data = tmp_path / "new.parquet"
        pq.write_table(pa.table(CELLS), data)
    else:
        data = make(CELLS)
    expected = [[31, 1, 0], [52, 0, 1], [7, 1, 0]]
    assert POSTED.encode(data).tolist() == expected
    made = POSTED.dataset(data)
    assert (made.x.tolist(), made.y.tolist(), made.task) == (expected, [0, 1, 1], "classification")


def test_what_is_no_table_is_refused():
    with pytest.raises(ArgumentError, match="a LazyFrame as a table") as caught:
        POSTED.encode(pl.DataFrame(CELLS).lazy())
    assert caught.value.cure == "frame.collect()"
    with pytest.raises(ArgumentError, match="a list as a table"):
        POSTED.encode([[31, "01"]])
    with pytest.raises(DataError, match=r"2 columns not there: .age., .city."):
        POSTED.encode(pl.DataFrame({"ill": ["no"]}))


def test_columns_whose_names_are_numbers():
    table = Table((Column("0", "number"),), "1", (), "regression", "")
    data = table.dataset(pd.DataFrame({0: [1.0, 2.0], 1: [0.5, 1.5]}))
    assert (data.x.tolist(), data.y.tolist()) == ([[1], [2]], [0.5, 1.5])
