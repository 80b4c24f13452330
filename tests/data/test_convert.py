import datetime

import numpy as np
import pytest
from ml_dtypes import bfloat16

from weft.data.convert import MAX_CLASSES, as_array, as_inputs, as_targets
from weft.errors import ArgumentError, DataError, DTypeError


def inputs(value, **options):
    return as_inputs(as_array(value, "x"), value, (), **{"keep_float64": False, **options})


def targets(value, task=None):
    return as_targets(as_array(value, "y"), value, task, keep_float64=False)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float64, np.float32),
        (np.float16, np.float32),
        (bfloat16, np.float32),
        (bool, np.float32),
        (np.uint8, np.uint8),
        (np.int64, np.int64),
    ],
)
def test_types_of_inputs(given, kept):
    assert inputs(np.ones((2, 2), given)).dtype == kept


def test_float64_is_kept_on_request_only():
    assert inputs(np.ones(2), keep_float64=True).dtype == np.float64
    assert inputs(np.ones(2)).dtype == np.float32


def test_numbers_beyond_float32_are_named():
    with pytest.raises(DataError, match=r"beyond float32, up to 1e\+300"):
        inputs(np.array([1.0, -1e300]))


def test_objects_are_refused_with_an_example_and_a_cure():
    with pytest.raises(DTypeError) as caught:
        inputs(np.array([[1, "red"], [2, None]], dtype=object))
    assert "type object, with 'red' at index (0, 1)" in str(caught.value)
    assert "dtype='float32'" in caught.value.cure


@pytest.mark.parametrize(
    ("value", "cure"),
    [
        (np.array([1j]), "x.real"),
        (np.array([datetime.date(2020, 1, 1)], dtype="datetime64[D]"), "astype('int64')"),
        (np.array(["a"]), "dtype='float32'"),
    ],
)
def test_other_types_each_have_their_cure(value, cure):
    with pytest.raises(DTypeError) as caught:
        inputs(value)
    assert cure in caught.value.cure


def test_sparse_matrices_and_text_frames_have_their_cure():
    import pandas as pd
    import scipy.sparse

    with pytest.raises(DTypeError, match="toarray"):
        inputs(scipy.sparse.csr_matrix(np.eye(2)))
    with pytest.raises(DTypeError, match="open_table"):
        inputs(pd.DataFrame({"a": ["x", "y"]}))


def test_rows_of_unequal_length_and_masked_values():
    with pytest.raises(DataError, match="x is not an array"):
        as_array([[1, 2], [3]], "x")
    with pytest.raises(DataError, match="1 masked values"):
        as_array(np.ma.array([1, 2], mask=[0, 1]), "x")


@pytest.mark.parametrize(
    ("y", "labels", "classes", "task"),
    [
        ([0, 2], [0, 2], ("0", "1", "2"), "classification"),
        (["dog", "cat"], [1, 0], ("cat", "dog"), "classification"),
        (np.array(["b", "a"], dtype=object), [1, 0], ("a", "b"), "classification"),
        ([True, False], [1, 0], ("False", "True"), "classification"),
        ([0.5, 1.5], [0.5, 1.5], (), "regression"),
        ([[0, 1], [1, 0]], [[0, 1], [1, 0]], ("0", "1"), "classification"),
        ([[0, 7], [1, 0]], [[0, 7], [1, 0]], (), "regression"),
        ([-1, 1], [-1, 1], (), "classification"),
        ([0, MAX_CLASSES], [0, MAX_CLASSES], (), "classification"),
    ],
)
def test_targets(y, labels, classes, task):
    found = targets(y)
    assert (found[0].tolist(), found[1], found[2]) == (labels, classes, task)


def test_the_task_decides_where_numbers_could_be_both():
    assert targets([1, 2], "regression")[0].dtype == np.float32
    assert targets([0.0, 1.0], "classification")[0].dtype == np.int64
    with pytest.raises(ArgumentError, match=r"0\.5 for task='classification'"):
        targets([0.5, 1.0], "classification")
    with pytest.raises(ArgumentError, match="text targets"):
        targets(["a"], "regression")
    with pytest.raises(DTypeError, match="class names"):
        targets(np.array([None, 1], dtype=object))


def test_tensors_of_torch_in_whatever_state():
    torch = pytest.importorskip("torch")
    assert inputs(torch.ones(2, 1, requires_grad=True)).tolist() == [[1], [1]]
    assert inputs(torch.ones(2, 1, dtype=torch.bfloat16)).dtype == np.float32


def test_integers_of_the_other_byte_order():
    made = inputs(np.array([[1], [258]], ">i4"))
    assert made.dtype == np.int32
    assert made.dtype.isnative
    assert made.tolist() == [[1], [258]]


def test_a_task_that_is_misspelt():
    with pytest.raises(ArgumentError, match="task='regresion'"):
        targets([1, 2], task="regresion")
