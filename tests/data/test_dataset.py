import dataclasses

import numpy as np
import pandas as pd
import pytest

from weft.data import Dataset, Stream, aligned, as_dataset, iris, mapped
from weft.errors import ArgumentError, DataError, DTypeError


class Tensor:
    """Anything that turns into an array, as tensors do."""

    def __init__(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype=dtype)


def test_a_pair_of_lists():
    data = as_dataset(([[1.0, 2.0], [3.0, 4.0]], [0, 1]), name="two")
    assert (data.x.dtype, data.y.dtype, len(data)) == (np.float32, np.int64, 2)
    assert (data.classes, data.task, data.features, data.target) == (("0", "1"), "classification", (), None)
    assert repr(data) == "two: 2 rows of (2,) float32, 2 classes ('0', '1')"


def test_inputs_alone_and_anything_with_an_array():
    alone = as_dataset(Tensor([[1, 2]]))
    assert (alone.y, alone.task, alone.x.dtype.kind) == (None, "none", "i")
    assert as_dataset((Tensor([[1.5]]), Tensor([2.5]))).y.tolist() == [2.5]
    assert as_dataset(([[1.5]], None)).y is None


def test_frames_bring_their_names():
    frame = pd.DataFrame({"age": [1.0, 2.0], "size": [3.0, 4.0]})
    data = as_dataset((frame, pd.Series(["a", "b"], name="kind")))
    assert (data.features, data.target, data.classes) == (("age", "size"), "kind", ("a", "b"))


def test_a_data_set_is_itself_and_frozen():
    data = iris()
    assert as_dataset(data) is data
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x = None


def test_float64_on_request():
    data = as_dataset(([[1.0]], [0.5]), keep_float64=True)
    assert (data.x.dtype, data.y.dtype) == (np.float64, np.float64)


def test_unequal_lengths_are_both_named():
    with pytest.raises(DataError, match=r"x has 3 rows \(shape \(3, 2\)\), y has 2 \(shape \(2,\)\)"):
        as_dataset((np.ones((3, 2)), [0, 1]))


@pytest.mark.parametrize("empty", [[], np.empty((0, 4)), np.empty((3, 0)), 5.0])
def test_empty_data(empty):
    with pytest.raises(DataError, match="holds no data"):
        as_dataset(empty)


def test_not_finite_values_say_where():
    with pytest.raises(DataError, match="nan in row 1, column 0"):
        as_dataset([[1.0], [np.nan]])
    with pytest.raises(DataError, match=r"1 of 2 values of y is not finite(.|\n)*inf in row 0"):
        as_dataset(([[1.0], [2.0]], [np.inf, 1.0]))
    with pytest.raises(DataError, match=r"column 0 \('age'\)"):
        as_dataset(pd.DataFrame({"age": [np.nan]}))
    with pytest.raises(DataError, match="not finite"):
        as_dataset(Dataset(np.array([[np.inf]], np.float32)))


def test_objects_and_long_tuples():
    with pytest.raises(DTypeError, match="object"):
        as_dataset(np.array([[None]]))
    with pytest.raises(ArgumentError, match="a tuple of 3"):
        as_dataset(([1], [2], [3]))


def test_take_by_index_and_by_mask():
    data = as_dataset(([[0.0], [1.0], [2.0]], [0, 1, 2]))
    assert data.take([2, 0, -1]).y.tolist() == [2, 0, 2]
    assert data.take(np.array([True, False, True])).x.ravel().tolist() == [0.0, 2.0]
    assert len(data.take([])) == 0
    assert data.take([0]).classes == data.classes
    with pytest.raises(ArgumentError, match="row 3 of 3 rows"):
        data.take([0, 3])
    with pytest.raises(ArgumentError, match="float64"):
        data.take([0.5])


def test_nothing_to_fit_again_is_the_same_object():
    data = iris()
    assert data.fitted_on([0, 1]) is data


def test_labels_are_counted_in_the_classes_of_the_training_data():
    test = as_dataset(([[1.0], [2.0]], ["emu", "cat"]))
    assert aligned(test, ("cat", "dog", "emu")).y.tolist() == [2, 0]
    numbered = as_dataset(([[1.0], [2.0]], [0, 1]))
    assert aligned(numbered, ("cat", "dog", "emu")).y.tolist() == [0, 1]
    with pytest.raises(DataError) as caught:
        aligned(as_dataset(([[1.0]], ["Cats"])), ("cat", "dog"))
    assert "'Cats'" in caught.value.received
    assert "'cat'" in caught.value.cure


@pytest.mark.parametrize("data", [mapped(np.ones((3, 2))), Stream([1.0, 2.0])], ids=["lazy", "stream"])
def test_data_that_is_read_while_training_is_loaded_first(data):
    kind = type(data).__name__
    for given in (data, (data, [0, 1, 0])):
        with pytest.raises(ArgumentError, match=f"a {kind}: data that is read while training") as caught:
            as_dataset(given)
        assert "data.load()" in caught.value.cure
    assert np.array_equal(as_dataset(data.load()).x, data.load().x)


def test_columns_named_blocks_and_load_are_columns():
    data = as_dataset(pd.DataFrame({"blocks": [1.0, 2.0], "load": [3.0, 4.0]}))
    assert data.features == ("blocks", "load")


def test_a_data_set_made_by_hand_gets_the_types_that_are_trained_on():
    made = as_dataset(Dataset([[1.0], [2.0]], [0, 1]))
    assert (made.x.dtype, made.y.dtype) == (np.float32, np.int64)
    assert as_dataset(Dataset(np.ones((2, 1)), np.array([0, 1], np.int32))).x.dtype == np.float32
    assert as_dataset(Dataset(np.ones((2, 1))), keep_float64=True).x.dtype == np.float64
    named = as_dataset(Dataset(np.ones((2, 1), np.float32), np.array(["dog", "cat"]), classes=("dog", "cat")))
    assert (named.y.tolist(), named.classes) == ([0, 1], ("dog", "cat"))
    whole = iris()
    assert as_dataset(whole) is whole


def test_a_data_set_for_another_task():
    numbered = as_dataset(([[1.0], [2.0]], [0, 1]))
    made = as_dataset(numbered, task="regression")
    assert (made.y.dtype, made.task, made.classes) == (np.float32, "regression", ())
    assert as_dataset(numbered, task="classification") is numbered
    with pytest.raises(ArgumentError, match="task='regression'"):
        as_dataset(iris(), task="regression")
    with pytest.raises(ArgumentError, match="task='regresion'"):
        as_dataset(numbered, task="regresion")
