"""Tensors and the rest of the world: DLPack, NumPy, pandas, matplotlib."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import weft as wf
from weft import nn

mpl.use("Agg")
TYPES = ["bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64", "complex128"]
LAYOUTS: dict[str, Any] = {
    "0-d": lambda x: np.array(x.flat[1]),
    "empty": lambda x: x[:0],
    "strided": lambda x: x[::2, 1:],
    "plain": lambda x: x,
}


def array(dtype: str, layout: str) -> np.ndarray:
    return LAYOUTS[layout](np.arange(12).reshape(4, 3).astype(dtype))


@pytest.mark.parametrize(("dtype", "layout"), list(product(TYPES, LAYOUTS)))
def test_dlpack_both_ways_with_numpy(dtype: str, layout: str):
    x = array(dtype, layout)
    t = wf.from_dlpack(x)
    np.testing.assert_array_equal(t.numpy(), x)
    assert t.dtype.name == dtype
    np.testing.assert_array_equal(np.from_dlpack(t), x)
    computed = t.reshape(t.shape)
    np.testing.assert_array_equal(np.from_dlpack(computed), x)


@pytest.mark.parametrize("version", [None, (0, 0), (0, 8), (1, 0), (1, 1), (2, 0)])
@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("copy", [None, False, True])
def test_every_max_version(version: Any, on_device: bool, copy: Any):
    t = wf.tensor([1.0, 2.0])
    if on_device:
        t = wf.exp(t)
        wf.realize(t)
    assert "dltensor" in repr(t.__dlpack__(max_version=version, copy=copy, dl_device=(1, 0)))
    assert t.__dlpack_device__() == (1, 0)


def test_a_received_array_may_change_afterwards():
    x = np.array([1.0, 2.0], np.float32)
    t = wf.from_dlpack(x) * 2.0
    x[0] = 99
    assert t.tolist() == [2.0, 4.0]
    x.flags.writeable = False
    assert wf.from_dlpack(x).tolist() == [99.0, 2.0]
    given = np.from_dlpack(wf.tensor([5.0]))
    assert given.tolist() == [5.0]


def test_copies_that_cannot_be_avoided_are_refused():
    with pytest.raises(ValueError, match="copy=False"):
        wf.asarray([1, 2], copy=False)
    t = wf.tensor([1.0])
    assert wf.asarray(t, copy=False) is t
    assert wf.asarray(t, copy=True) is not t
    with pytest.raises(TypeError, match="__dlpack__"):
        wf.from_dlpack([1.0])


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32", "complex64"])
def test_a_cast_is_a_tensor_of_its_own_unless_copy_is_false(dtype: str):
    x = wf.asarray(np.zeros(2, dtype))
    own, same = wf.astype(x, x.dtype), wf.astype(x, x.dtype, copy=False)
    x[0] = True
    assert own.tolist() == [0, 0]
    assert same.tolist() == [1, 0]


def test_the_real_part_where_dtype_asks_for_it():
    x = wf.asarray([[1 + 2j, 0], [0, 3 - 1j]])
    with pytest.warns(np.exceptions.ComplexWarning, match="imaginary"):
        assert wf.linalg.trace(x, dtype=wf.uint8).tolist() == 4
    with pytest.warns(np.exceptions.ComplexWarning, match="imaginary"):
        assert wf.asarray(x, dtype=wf.float64).tolist() == [[1.0, 0.0], [0.0, 3.0]]


def test_numpy_functions_take_tensors():
    t = wf.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.mean(t) == 2.5
    assert np.sum(t, axis=0).tolist() == [4.0, 6.0]
    assert np.asarray(t).dtype == np.float32
    assert np.asarray(t, np.float64).dtype == np.float64
    assert isinstance(np.ones(2, np.float32) + t, wf.Tensor)
    assert (np.float32(2) * t).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert np.max(t) == 4.0
    assert np.argsort(wf.tensor([3, 1, 2])).tolist() == [1, 2, 0]
    assert np.stack([t[0], t[1]]).shape == (2, 2)


def test_pandas_and_matplotlib_take_tensors_as_they_are():
    from matplotlib import pyplot as plt

    x, y = wf.linspace(0, 1, 5), wf.linspace(0, 1, 5) ** 2
    assert pd.Series(y).dtype == np.float32
    assert pd.DataFrame({"x": x, "y": y}).shape == (5, 2)
    assert pd.DataFrame(wf.zeros((3, 2))).shape == (3, 2)
    figure, axes = plt.subplots()
    (line,) = axes.plot(x, y)
    assert line.get_ydata()[-1] == 1.0
    axes.scatter(x, y, c=y)
    axes.imshow(wf.zeros((4, 4)))
    axes.hist(y)
    axes.bar(wf.arange(3), wf.tensor([1.0, 2.0, 3.0]))
    axes.axhline(y[2])
    axes.text(x[1], y[1], "a tensor without axes is a number")
    figure.canvas.draw()
    plt.close(figure)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
def test_pickle_and_deepcopy_take_the_value_and_no_history(dtype: str):
    for x in (wf.tensor([1, 0], dtype=dtype), wf.stack([wf.tensor([1, 0], dtype=dtype)] * 2)):
        for made in (pickle.loads(pickle.dumps(x)), copy.deepcopy({"x": [x]})["x"][0]):
            assert (made.dtype, made.tolist(), made.requires_grad) == (x.dtype, x.tolist(), False)


def test_a_copy_by_python_is_a_tensor_of_its_own():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    for made in (pickle.loads(pickle.dumps(w)), copy.deepcopy(w)):
        (made * made).sum().backward()
        assert (made.requires_grad, made.grad.tolist(), w.grad) == (True, [2.0, 4.0], None)
    deep = w
    for _ in range(2000):  # deeper than Python follows a copy field by field; moved on the host, which compiles nothing
        deep = wf.flip(deep)
    assert copy.deepcopy(deep).tolist() == [1.0, 2.0]
    assert not copy.deepcopy(deep).node.tracked
    shallow = copy.copy(w)
    shallow[0] = 7.0
    assert w.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="a pickle of a Parameter"):
        pickle.dumps(nn.Parameter(wf.ones(2)))


def test_a_tensor_without_axes_is_no_sequence():
    x = wf.tensor(1.5)
    assert not np.iterable(x)
    for wrong in (len, iter, list):
        with pytest.raises(TypeError, match="a tensor without axes") as caught:
            wrong(x)
        assert isinstance(caught.value, wf.errors.ShapeError)


def test_a_column_of_pandas_and_a_tensor_make_a_tensor():
    column, t = pd.Series([1.0, 2.0]), wf.tensor(np.array([3.0, 4.0]))
    for made in (column + t, t + column):
        assert isinstance(made, wf.Tensor)
        assert made.tolist() == [4.0, 6.0]
    assert (pd.DataFrame({"a": column, "b": column}) * t).tolist() == [[3.0, 4.0], [6.0, 8.0]]
    assert (column < t).tolist() == [True, True]


def test_methods_people_type():
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    t = wf.asarray(x)
    assert t.T.shape == (3, 2)
    assert t.transpose().shape == t.transpose(1, 0).shape == (3, 2)
    assert t.sum(0).tolist() == x.sum(0).tolist()
    assert t.mean(axis=1, keepdims=True).shape == (2, 1)
    assert t.std(ddof=1).item() == pytest.approx(x.std(ddof=1))
    assert t.cumsum().tolist() == x.cumsum().tolist()
    assert t.clip(1, 3).tolist() == x.clip(1, 3).tolist()
    assert (t / 7).round(2).tolist() == pytest.approx((x / 7).round(2).ravel().reshape(2, 3), abs=1e-6)
    assert t.view(-1).shape == t.ravel().shape == t.flatten().shape == (6,)
    assert t.unsqueeze(0).squeeze(0).shape == (2, 3)
    assert t.astype("int64").dtype is wf.int64
    assert t.to(wf.float64).dtype is wf.float64
    assert t.to_device("cpu:0").device == wf.devices("cpu")[0]
    assert t.take(wf.tensor([5, 0])).tolist() == [5.0, 0.0]
    assert t[0].dot(t[1]).item() == 14.0
    assert divmod(wf.tensor([7]), 2)[1].item() == 1
    assert [part.item() for part in divmod(-7, wf.tensor([2]))] == [-4, 1]
    copy = t.copy()
    copy[0, 0] = 9
    assert t[0, 0].item() == 0.0
    with pytest.raises(ValueError, match="out="):
        t.sum(out=x)
