import numpy as np
import pandas as pd
import pytest

from weft.data import DataWarning, Table, open_table, read_csv
from weft.errors import ArgumentError, DataError, FileError

HOMES = "rooms,city,new,price\n2,Bern,True,310.5\n3,Basel,False,420\n4,Bern,True,600\n"
GAPS = "a,c,y\n1,u,0.5\n,u,1.5\n3,,2.5\n1000,v,3.5\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "homes.csv"
        path.write_text(text)
        return path

    return write


def test_one_call(write):
    data = read_csv(write(HOMES), "price")
    assert data.features == ("rooms", "city=Basel", "city=Bern", "new=False", "new=True")
    assert data.x.tolist()[0] == [2.0, 0.0, 1.0, 0.0, 1.0]
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.float32)
    assert (data.name, data.target, data.task, data.classes) == ("homes", "price", "regression", ())
    assert data.table.reason == "target 'price' has 3 different numbers: regression"


def test_classes_from_texts(write):
    data = read_csv(write(HOMES), "city")
    assert (data.classes, data.y.tolist(), data.task) == (("Basel", "Bern"), [1, 0, 1], "classification")


def test_the_recipe_reads_the_file_again_as_it_was(write):
    path = write(HOMES)
    data = read_csv(path, "price")
    table = Table.from_json(data.table.to_json())
    assert np.array_equal(table.encode(path), data.x)
    assert np.array_equal(table.dataset(path).y, data.y)


def test_missing_cells_are_refused_with_lines(write):
    with pytest.raises(DataError) as caught:
        read_csv(write(GAPS), "y")
    assert caught.value.received == "2 cells missing in 2 columns"
    assert caught.value.where.splitlines() == [
        "column 'a': 1 missing, in homes.csv, line 3",
        "column 'c': 1 missing, in homes.csv, line 4",
    ]


def test_missing_cells_are_imputed_on_request(write):
    data = read_csv(write(GAPS), "y", missing="impute")
    assert data.x[:, 0].tolist() == [1.0, 3.0, 3.0, 1000.0]
    assert data.x[2, 1:].tolist() == [1.0, 0.0]


def test_imputation_is_fitted_on_the_rows_given(write):
    source = open_table(write(GAPS), "y", missing="impute")
    assert len(source) == 4
    data = source.dataset([0, 1])
    assert data.x[:, 0].tolist() == [1.0, 1.0, 3.0, 1000.0]
    assert len(data.features) == 3  # the categories are those of the whole file
    refitted = read_csv(write(GAPS), "y", missing="impute").fitted_on([0, 2])
    assert refitted.x[:, 0].tolist() == [1.0, 2.0, 3.0, 1000.0]
    assert refitted.table.columns[0].fill == 2.0


def test_rows_taken_before_fitting_carry_their_source(write):
    data = read_csv(write(GAPS), "y", missing="impute").take([1, 0, 3])
    assert data.fitted_on([1]).x[:, 0].tolist() == [1.0, 1.0, 1000.0]
    assert data.fitted_on([2]).x[:, 0].tolist() == [1000.0, 1.0, 1000.0]


def test_nothing_imputed_means_nothing_to_fit(write):
    assert read_csv(write(HOMES), "price").source is None


def test_an_absent_target_names_the_closest_and_all(write):
    with pytest.raises(ArgumentError) as caught:
        read_csv(write(HOMES), "prize")
    assert caught.value.expected == "one of the columns 'rooms', 'city', 'new', 'price'"
    assert caught.value.cure == "'price'"


@pytest.mark.parametrize("other", [";", "\t", "|"])
def test_another_separator_is_noticed(write, other):
    path = write(HOMES.replace(",", other))
    with pytest.raises(ArgumentError) as caught:
        read_csv(path, "price")
    assert f"separator={other!r}" in caught.value.cure
    data = read_csv(path, "price", separator=other)
    assert np.array_equal(data.table.encode(path), data.x)


def test_a_text_among_numbers_names_line_and_cell(write):
    with pytest.raises(DataError) as caught:
        read_csv(write("a,y\n1,0.5\n2,1.5\n\noops,2.5\n4,3.5\n"), "y")
    assert caught.value.received == "column 'a' is numeric but for 1 cell: 'oops'"
    assert caught.value.where == "homes.csv, line 5, column 'a'"


def test_columns_can_be_ignored(write):
    assert read_csv(write(HOMES), "price", ignore=["city", "new"]).features == ("rooms",)
    with pytest.raises(ArgumentError, match="no column to ignore 'town'"):
        read_csv(write(HOMES), "price", ignore=["town"])
    with pytest.raises(ArgumentError, match="also in ignore"):
        read_csv(write(HOMES), "price", ignore=["price"])
    with pytest.raises(DataError, match="no column but the target"):
        read_csv(write("y\n1.5\n2\n"), "y")


def test_a_column_that_counts_the_rows_is_left_out_and_said(write):
    path = write(",a,y\n0,7,1.5\n1,6,2.5\n2,9,3.5\n")
    with pytest.warns(DataWarning, match="only counts the rows"):
        data = read_csv(path, "y")
    assert data.features == ("a",)
    path.write_text(",a,y\n5,7,1.5\n1,6,2.5\n2,9,3.5\n")
    assert read_csv(path, "y").features == ("Unnamed: 0", "a")


def test_options_and_files_that_do_not_exist(write, tmp_path):
    with pytest.raises(ArgumentError, match="missing='drop'"):
        read_csv(write(HOMES), "price", missing="drop")
    with pytest.raises(FileError, match=r"no file .*nothing\.csv"):
        read_csv(tmp_path / "nothing.csv", "y")


def test_a_data_frame_will_do():
    frame = pd.DataFrame({"a": [1, 2, 3], 0: ["x", "y", "x"], "y": [1.5, 2.5, 3.5]})
    data = open_table(frame, "y").dataset()
    assert (data.name, data.features) == ("table", ("a", "0=x", "0=y"))
    assert list(frame.columns) == ["a", 0, "y"]  # untouched


def test_frames_without_rows_and_with_a_name_twice():
    with pytest.raises(DataError, match="without rows"):
        open_table(pd.DataFrame({"a": [], "y": []}), "y")
    with pytest.raises(DataError, match="two columns named 'a'"):
        open_table(pd.DataFrame([[1, 2, 0.5], [3, 4, 1.5]], columns=["a", "a", "y"]), "y")


WORDS = "hours,code,ill\n8,NA,None\nNA,DE,yes\n6,NA,None\n5,DE,null\n"


def test_words_for_no_value_are_that_among_numbers_alone(write):
    with pytest.raises(DataError, match="1 cell missing in 1 column") as caught:
        read_csv(write(WORDS), "ill")
    assert "'hours': 1 missing, in homes.csv, line 3" in caught.value.where
    data = read_csv(write(WORDS), "ill", missing="impute")
    assert data.features == ("hours", "code=DE", "code=NA")
    assert data.classes == ("None", "null", "yes")
    assert data.x[:, 0].tolist() == [8, 6, 6, 5]
    again = data.table.dataset(write("hours,code,ill\nnan,NA,None\n"))
    assert (again.x.tolist(), again.y.tolist()) == ([[6, 0, 1]], [0])
    with pytest.raises(DataError, match="numeric but for 1 cell: 'three'"):
        read_csv(write("a,y\n1,1\nNA,2\nthree,3\n4,4\n5,5\n"), "y", missing="impute")


def test_classes_stay_texts_in_a_second_file(write):
    table = read_csv(write("a,y\n1,01\n2,A1\n"), "y").table
    assert table.dataset(write("a,y\n1,01\n2,01\n")).y.tolist() == [0, 0]


def test_a_table_without_rows_has_no_targets():
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, 1.5]})
    assert open_table(frame, "y").dataset().table.dataset(frame[frame.a > 9]).y.shape == (0,)


def test_ignore_is_a_list(write):
    with pytest.raises(ArgumentError, match=r"ignore='new'") as caught:
        read_csv(write(HOMES), "price", ignore="new")
    assert caught.value.cure == "ignore=['new']"


def test_targets_beyond_float32_are_refused(write):
    with pytest.raises(DataError, match="target 'y' holds numbers beyond float32"):
        read_csv(write("a,y\n1,1e39\n2,2\n"), "y")
