import numpy as np
import pandas as pd
import pytest

from weft.data import NAMES, as_dataset, diabetes, digits, iris, load
from weft.errors import ArgumentError

SHAPES = {"iris": (150, 4), "digits": (1797, 64), "wine": (178, 13), "breast_cancer": (569, 30), "diabetes": (442, 10)}


@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_set_is_ready_to_train_on(name):
    data = load(name)
    assert (data.name, data.x.shape, data.x.dtype) == (name, SHAPES[name], np.float32)
    assert len(data.features) == data.x.shape[1]
    assert as_dataset(data) is data
    if data.task == "classification":
        assert data.y.dtype == np.int64
        assert np.array_equal(np.unique(data.y), np.arange(len(data.classes)))


def test_names_are_the_real_ones():
    assert iris().classes == ("setosa", "versicolor", "virginica")
    assert iris().features[0] == "sepal length (cm)"
    assert (type(iris().classes[0]), iris().target) == (str, "species")


def test_digits_as_rows_and_as_pictures():
    flat, pictures = digits(), digits(image=True)
    assert (flat.x.min(), flat.x.max()) == (0, 16)
    assert pictures.x.shape == (1797, 1, 8, 8)
    assert np.array_equal(pictures.x[5].ravel(), flat.x[5])


def test_diabetes_is_in_its_own_units():
    data = diabetes()
    assert (data.task, data.classes, data.y.dtype) == ("regression", (), np.float32)
    assert data.x[0, 0] == 59  # years, not scaled over all rows


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ArgumentError) as caught:
        load("Irish")
    assert "'Irish'" in caught.value.received
    assert "'iris', 'digits', 'wine', 'breast_cancer', 'diabetes'" in caught.value.expected
    assert caught.value.cure == "weft.data.load('iris')"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_with_the_same_columns_can_be_read_by_the_same_recipe(name):
    data = load(name)
    frame = pd.DataFrame(data.x, columns=list(data.features)).iloc[::50, ::-1]
    frame[data.target] = [data.classes[k] if data.classes else k for k in data.y[::50]]
    again = data.table.dataset(frame)
    assert np.array_equal(again.x, data.x[::50])
    assert np.array_equal(again.y, data.y[::50])


def test_pictures_have_no_table():
    assert digits(image=True).table is None
