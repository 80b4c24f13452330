import numpy as np
import pandas as pd
import pytest

from weft.data import DataWarning
from weft.data.column import Column
from weft.errors import DataError


def series(*cells, name="c"):
    return pd.Series(list(cells), name=name)


@pytest.mark.parametrize(
    ("cells", "kind", "categories"),
    [
        ((1, 2, 3), "number", ()),
        ((1.5, None, 3), "number", ()),
        (("1", "2.5", None), "number", ()),
        (("b", "a", None, "b"), "category", ("a", "b")),
        ((True, False, None), "category", ("False", "True")),
        (("A1", "7", "B2", "9"), "category", ("7", "9", "A1", "B2")),
    ],
)
def test_kinds(cells, kind, categories):
    column = Column.recognise(series(*cells))
    assert (column.kind, column.categories, column.fill) == (kind, categories, None)


@pytest.mark.parametrize(
    ("cells", "encoded"),
    [
        (pd.array([True, None, False], dtype="boolean"), [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]),
        (pd.array([1, None, 3], dtype="Int64"), [[1.0], [2.0], [3.0]]),
        (pd.Categorical(["u", None, "v"]), [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_the_types_of_pandas(cells, encoded):
    given = pd.Series(cells, name="c")
    assert Column.recognise(given).fitted(given).encode(given).tolist() == encoded


def test_a_slip_among_numbers_names_the_cell():
    cells = pd.Series(["1"] * 18 + ["n/k"] + ["2"], index=pd.RangeIndex(2, 22, name="t.csv, line"), name="age")
    with pytest.raises(DataError) as caught:
        Column.recognise(cells)
    assert caught.value.received == "column 'age' is numeric but for 1 cell: 'n/k'"
    assert caught.value.where == "t.csv, line 20, column 'age'"


def test_infinity_and_numbers_beyond_float32():
    with pytest.raises(DataError, match="1 cell: inf"):
        Column.recognise(series(1.0, np.inf))
    with pytest.raises(DataError, match=r"1 cell: 1e\+300"):
        Column.recognise(series(1.0, 1e300)).encode(series(1.0, 1e300))


def test_names_and_times_are_no_categories():
    with pytest.raises(DataError) as caught:
        Column.recognise(series(*[f"person {i}" for i in range(60)], name="who"))
    assert "60 different texts in 60 rows" in caught.value.received
    assert "ignore=['who']" in caught.value.cure
    with pytest.raises(DataError, match="holds times"):
        Column.recognise(pd.Series(pd.to_datetime(["2020-01-01"]), name="day"))
    with pytest.raises(DataError, match="holds complex numbers"):
        Column.recognise(series(1j))
    with pytest.raises(DataError, match="column 'c' is empty"):
        Column.recognise(series(None, None))


def test_numbers_and_categories_become_features():
    assert Column("c", "number").encode(series(1, 2)).tolist() == [[1.0], [2.0]]
    encoded = Column("c", "category", ("a", "b")).encode(series("b", "a"))
    assert (encoded.tolist(), encoded.dtype) == ([[0.0, 1.0], [1.0, 0.0]], np.float32)


def test_fills_are_the_median_and_the_most_frequent():
    assert Column("c", "number").fitted(series(1.0, None, 5.0, 100.0)).fill == 5.0
    category = Column("c", "category", ("a", "b"))
    assert category.fitted(series("b", None, "b", "a")).fill == "b"
    assert category.fitted(series("b", "a")).fill == "a"  # a draw goes to the first
    with pytest.raises(DataError, match="no value in the 2 training rows"):
        category.fitted(series(None, None))


def test_fills_stand_in_when_encoding():
    assert Column("c", "number", fill=7.0).encode(series(None, 1.0)).tolist() == [[7.0], [1.0]]
    flag = Column("c", "category", ("False", "True"), "True")
    assert flag.encode(series(None, False)).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_an_unseen_category_names_the_known_ones():
    with pytest.raises(DataError) as caught:
        Column("city", "category", ("Basel", "Bern")).encode(series("Bern", "bern", name="city"))
    assert "'bern', which was not there in training" in caught.value.received
    assert caught.value.expected == "one of 'Basel', 'Bern'"
    assert caught.value.where == "row 1, column 'city'"
    assert "'Bern'" in caught.value.cure


def test_a_text_at_prediction_time():
    with pytest.raises(DataError, match="1 cell: 'many'"):
        Column("rooms", "number").encode(series("1", "many", name="rooms"))


def test_equal_cells_of_different_types_stay_apart():
    cells = series(True, 1, "x", "x")
    column = Column.recognise(cells)
    assert column.categories == ("1", "True", "x")
    assert column.encode(cells).argmax(axis=1).tolist() == [1, 0, 2, 2]


def test_a_category_of_very_many_values_is_told():
    with pytest.warns(DataWarning, match="'c' becomes 1001 features"):
        column = Column.recognise(series(*(f"v{i}" for i in range(1001)), *(f"v{i}" for i in range(1001))))
    assert column.encode(series("v7")).sum() == 1


def test_decimal_commas_are_a_lesson():
    with pytest.raises(DataError, match=r"decimal comma, such as '0,5'") as caught:
        Column.recognise(series("1,5", "0,5", "", "1,5"))
    assert "decimal=','" in caught.value.cure
